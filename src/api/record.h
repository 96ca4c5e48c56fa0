// The whole record of one case, as the console draws it.
#pragma once

#include "common.h"

namespace cw::api {

struct FactOut {
  std::string name, type;
  Text title;
  json::value value;
  std::optional<Text> text;
  std::optional<PersonRef> set_by;
  std::optional<std::int64_t> set_at, seq;
};
BOOST_DESCRIBE_STRUCT(FactOut, (), (name, type, title, value, text, set_by, set_at, seq))

struct SegmentOut {
  std::int64_t from_at = 0, to_at = 0, counted_ms = 0;
  std::string kind;
  Text why;
};
BOOST_DESCRIBE_STRUCT(SegmentOut, (), (from_at, to_at, counted_ms, kind, why))

struct ExplainOut {
  std::string calendar, limit;
  std::int64_t calendar_version = 0, limit_ms = 0, used_before_ms = 0;
  bool provisional = false;
  Text sentence;
  std::vector<SegmentOut> segments;
};
BOOST_DESCRIBE_STRUCT(ExplainOut, (),
                      (calendar, limit, calendar_version, limit_ms, used_before_ms, provisional,
                       sentence, segments))

struct TaskOut {
  std::string name, state;  // open, asked, done, withdrawn
  Text title;
  std::vector<Text> by;
  bool required = false, late = false, outbound = false, allowed = false, mine = false;
  bool reason_due = false;  // late by now: the reason must be given
  std::optional<std::string> form, condition, withdrawn_because;
  std::optional<Text> reason;
  std::int64_t opened_at = 0;
  std::optional<std::int64_t> due_at, done_at, seq;
  std::optional<PersonRef> assignee, done_by;
  std::optional<ExplainOut> explain;  // of `due_at`, while it is open
  std::int64_t evidence_needed = 0, evidence_given = 0;
};
BOOST_DESCRIBE_STRUCT(TaskOut, (),
                      (name, state, title, by, required, late, outbound, allowed, mine, reason_due,
                       form, condition, withdrawn_because, reason, opened_at, due_at, done_at, seq,
                       assignee, done_by, explain, evidence_needed, evidence_given))

struct ActionOut {
  std::string name;
  Text title;
  std::optional<std::string> form, to;
  std::optional<Text> to_title, reason;
  bool allowed = false, needs_approval = false, outbound = false, repeat = false, ends = false;
  bool amend = false;                // the correction of the record
  bool reason_due = false;           // late by now: the reason must be given
  std::vector<std::string> missing;  // tasks still to be done
  std::vector<PersonRef> lets_in;    // who will read a restricted case from then on
};
BOOST_DESCRIBE_STRUCT(ActionOut, (),
                      (name, title, form, to, to_title, reason, allowed, needs_approval, outbound,
                       repeat, ends, amend, reason_due, missing, lets_in))

struct MarkOut {
  std::int64_t percent = 0;
  std::optional<std::int64_t> at;
  bool fired = false;
};
BOOST_DESCRIBE_STRUCT(MarkOut, (), (percent, at, fired))

struct ClockOut {
  std::string name, kind, state, limit,
      calendar;  // kind: anchored, running; state: counting, still, stopped, lifted
  Text title;
  std::int64_t since_at = 0, used_ms = 0, limit_ms = 0, percent = 0;
  std::optional<std::int64_t> due_at, stopped_at;
  bool late = false, wait = false, provisional = false;
  std::vector<MarkOut> marks;
  ExplainOut explain;
};
BOOST_DESCRIBE_STRUCT(ClockOut, (),
                      (name, kind, state, limit, calendar, title, since_at, used_ms, limit_ms,
                       percent, due_at, stopped_at, late, wait, provisional, marks, explain))

struct ApprovalOut {
  std::int64_t id = 0, asked_at = 0, seq = 0, needed = 0;
  std::string of, name;  // task or action
  Text title;
  PersonRef asked_by;
  std::vector<PersonRef> given;
  json::object facts;             // what will change
  std::optional<std::string> to;  // a correction: the state to move to
  json::object form;              // what is to be approved, opened from the sealed contents
  std::vector<std::string> roles;
  bool allowed = false;
  std::optional<Text> reason;
};
BOOST_DESCRIBE_STRUCT(ApprovalOut, (),
                      (id, asked_at, seq, needed, of, name, title, asked_by, given, facts, to, form,
                       roles, allowed, reason))

struct LinkOut {
  std::string kind, as, id, number, procedure, state;
  Text title, state_title;
  bool closed = false;
};
BOOST_DESCRIBE_STRUCT(LinkOut, (),
                      (kind, as, id, number, procedure, state, title, state_title, closed))

struct StateOut {
  std::string name;
  Text title;
  bool final = false;
};
BOOST_DESCRIBE_STRUCT(StateOut, (), (name, title, final))

struct FormOut {
  std::string form, of;
  std::int64_t seq = 0, at_ms = 0;
  PersonRef by;
  Text title;
  json::object values;
};
BOOST_DESCRIBE_STRUCT(FormOut, (), (form, of, seq, at_ms, by, title, values))

struct DecisionOut {
  std::int64_t seq = 0, at_ms = 0;
  PersonRef by;
  bool decision = false;
  std::string what, why, known;
};
BOOST_DESCRIBE_STRUCT(DecisionOut, (), (seq, at_ms, by, decision, what, why, known))

struct EvidenceOut {
  std::string content, name;
  std::int64_t size = 0, seq = 0, at_ms = 0;
  std::string sha256, of;
  PersonRef by;
};
BOOST_DESCRIBE_STRUCT(EvidenceOut, (), (content, name, size, seq, at_ms, sha256, of, by))

struct CaseRecord {
  CaseBrief brief;
  std::optional<PersonRef> starter, commander;
  std::vector<StateOut> states;
  Text chief_title;
  std::string chief_post, held_level;
  std::vector<PersonRef> chiefs;
  std::int64_t entered_at = 0, first_seq = 0;
  bool brief_due = false, can_take = false;
  std::vector<FactOut> facts;
  std::vector<TaskOut> tasks;
  std::vector<ActionOut> actions;
  std::vector<ClockOut> clocks;
  std::vector<Text> flag_titles;
  std::vector<ApprovalOut> approvals;
  std::vector<LinkOut> links;
  std::vector<FormOut> forms;
  std::vector<DecisionOut> notes;
  std::vector<EvidenceOut> evidence;
  std::vector<AlertBrief> alerts;
  std::vector<PersonRef> watchers, participants;
  bool restricted = false, can_admit = false;  // kept to readers; the viewer may change the list
  std::vector<PersonRef> readers;              // let in by name
  std::int64_t now_ms = 0;
};
BOOST_DESCRIBE_STRUCT(CaseRecord, (),
                      (brief, starter, commander, states, chief_title, chief_post, held_level,
                       chiefs, entered_at, first_seq, brief_due, can_take, facts, tasks, actions,
                       clocks, flag_titles, approvals, links, forms, notes, evidence, alerts,
                       watchers, participants, restricted, can_admit, readers, now_ms))

struct TimelineItem {
  std::int64_t seq = 0, at_ms = 0;
  PersonRef actor;
  std::string kind, name;
  Text title, basis;
  std::optional<Text> detail;
  bool key = false, machine = false, late = false;
  std::string hash;
};
BOOST_DESCRIBE_STRUCT(TimelineItem, (),
                      (seq, at_ms, actor, kind, name, title, basis, detail, key, machine, late,
                       hash))

Result<CaseRecord> case_record(Call& call, const std::string& id);
Result<Page<TimelineItem>> case_timeline(Call& call, const std::string& id, std::uint64_t before,
                                         std::size_t limit, bool key_only);

}  // namespace cw::api
