// Wire types that several groups of endpoints share. Times are UTC milliseconds.
#pragma once

#include "wire.h"

namespace cw::api {

template <typename T>
struct Page {
  std::vector<T> items;
  std::optional<std::string> next;  // cursor; absent at the end
  std::optional<std::int64_t> total;
  BOOST_DESCRIBE_CLASS(Page, (), (items, next, total), (), ())
};

// Every write answers with the first entry it made.
struct Written {
  std::int64_t seq = 0;
};
BOOST_DESCRIBE_STRUCT(Written, (), (seq))

struct PersonRef {
  std::string id, name, staff_no;
};
BOOST_DESCRIBE_STRUCT(PersonRef, (), (id, name, staff_no))

struct CaseRef {
  std::string id, number;
};
BOOST_DESCRIBE_STRUCT(CaseRef, (), (id, number))

struct OrgRef {
  std::string id;
  Text name;
};
BOOST_DESCRIBE_STRUCT(OrgRef, (), (id, name))

struct LevelOut {
  std::string id;
  Text title;
  std::int64_t rank = 0;
};
BOOST_DESCRIBE_STRUCT(LevelOut, (), (id, title, rank))

struct CaseBrief {
  std::string id, number, title, procedure;
  std::int64_t version = 0;
  Text procedure_title;
  std::string state;
  Text state_title;
  bool final = false;
  std::string org, mode;
  std::optional<LevelOut> level;
  json::object facts;
  std::int64_t opened_at = 0, changed_at = 0;
  std::optional<std::int64_t> closed_at, next_due_at;
  std::optional<Text> next_due_title;
  bool late = false;
  std::vector<std::string> flags;
  std::int64_t seq = 0;
};
BOOST_DESCRIBE_STRUCT(CaseBrief, (),
                      (id, number, title, procedure, version, procedure_title, state, state_title,
                       final, org, mode, level, facts, opened_at, changed_at, closed_at,
                       next_due_at, next_due_title, late, flags, seq))

struct EntityOut {
  std::string kind, value;
};
BOOST_DESCRIBE_STRUCT(EntityOut, (), (kind, value))

struct AlertBrief {
  std::string id, state, level, rule;
  Text title;
  std::vector<EntityOut> entities;
  std::int64_t count = 0, first_at = 0, last_at = 0;
  bool active = false, silenced = false;
  std::optional<PersonRef> taken_by;
  std::optional<CaseRef> case_ref;
  std::optional<std::string> disposition;
  std::string org, source;
  std::int64_t seq = 0;
};
BOOST_DESCRIBE_STRUCT(AlertBrief, (),
                      (id, state, level, rule, title, entities, count, first_at, last_at, active,
                       silenced, taken_by, case_ref, disposition, org, source, seq))

}  // namespace cw::api
