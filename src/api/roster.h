// What the roster's reading and writing endpoints share. Pure.
//
//   auto ref = named_shift(in.org, in.shift, "/shift");
//   if (!ref) return std::move(ref).problem();
#pragma once

#include "common.h"
#include "roster/roster.h"

namespace cw::api {

struct RosterTeamIo {
  std::vector<std::string> people;
  std::optional<std::vector<std::string>> standby;
};
BOOST_DESCRIBE_STRUCT(RosterTeamIo, (), (people, standby))
struct RosterLayerIo {
  std::string layer;
  std::vector<RosterTeamIo> teams;
};
BOOST_DESCRIBE_STRUCT(RosterLayerIo, (), (layer, teams))
struct OnShiftOut {
  PersonRef person;
  std::string why;
  std::optional<PersonRef> instead_of;
};
BOOST_DESCRIBE_STRUCT(OnShiftOut, (), (person, why, instead_of))
struct UnreadyOut {
  PersonRef person;
  std::string code;
  Text text;
};
BOOST_DESCRIBE_STRUCT(UnreadyOut, (), (person, code, text))
struct ShiftOut {
  std::string org, key, roster, day, layer, shift, post;
  Text roster_title, layer_title, title;
  std::int64_t from_at = 0, to_at = 0, need = 0, missing = 0;
  std::vector<OnShiftOut> people;
  std::vector<PersonRef> standby;
  std::vector<UnreadyOut> absent, problems;
  bool provisional = false, now = false, mine = false;
  std::string handover;  // none, waiting (for the second signature), signed
};
BOOST_DESCRIBE_STRUCT(ShiftOut, (),
                      (org, key, roster, day, layer, shift, post, roster_title, layer_title, title,
                       from_at, to_at, need, missing, people, standby, absent, problems,
                       provisional, now, mine, handover))
struct ShiftRow {
  std::string id;
  Text title;
  std::vector<std::optional<ShiftOut>> days;  // one for each day of the grid
};
BOOST_DESCRIBE_STRUCT(ShiftRow, (), (id, title, days))
struct LayerGrid {
  std::string id, post;
  Text title;
  std::int64_t need = 0;
  std::vector<std::string> qualifications;
  std::vector<ShiftRow> shifts;
};
BOOST_DESCRIBE_STRUCT(LayerGrid, (), (id, post, title, need, qualifications, shifts))
struct RosterGrid {
  std::string org, id, zone;
  std::int64_t version = 0;
  Text title;
  std::vector<LayerGrid> layers;
};
BOOST_DESCRIBE_STRUCT(RosterGrid, (), (org, id, zone, version, title, layers))
struct RosterGridOut {
  std::string org, today;
  std::int64_t now_ms = 0;
  bool may_manage = false;
  std::vector<std::string> days;
  std::vector<RosterGrid> rosters;
};
BOOST_DESCRIBE_STRUCT(RosterGridOut, (), (org, today, now_ms, may_manage, days, rosters))

struct DutyStepOut {
  std::string layer;
  Text title;
  std::vector<PersonRef> people;
  std::int64_t wait_ms = 0;
};
BOOST_DESCRIBE_STRUCT(DutyStepOut, (), (layer, title, people, wait_ms))
struct DutyCallOut {
  std::string id, about, org, state;
  std::vector<DutyStepOut> told;
  std::int64_t opened_at = 0;
  std::optional<std::int64_t> next_at, acknowledged_at;
  std::optional<PersonRef> acknowledged_by;
};
BOOST_DESCRIBE_STRUCT(DutyCallOut, (),
                      (id, about, org, state, told, opened_at, next_at, acknowledged_at,
                       acknowledged_by))
struct SwapOut {
  std::string id, state;
  PersonRef asker, partner;
  std::optional<ShiftOut> shift, in_return;
  std::int64_t asked_at = 0;
  std::optional<PersonRef> decided_by;
  bool may_answer = false, may_decide = false, may_withdraw = false;
};
BOOST_DESCRIBE_STRUCT(SwapOut, (),
                      (id, state, asker, partner, shift, in_return, asked_at, decided_by,
                       may_answer, may_decide, may_withdraw))
struct LeaveOut {
  std::string id, kind, state;
  PersonRef person;
  std::int64_t from_at = 0, to_at = 0, asked_at = 0;
  std::optional<PersonRef> decided_by;
  bool may_decide = false;
};
BOOST_DESCRIBE_STRUCT(LeaveOut, (),
                      (id, kind, state, person, from_at, to_at, asked_at, decided_by, may_decide))
struct QualificationOut {
  PersonRef person;
  std::string id;
  std::optional<std::int64_t> until_at;
};
BOOST_DESCRIBE_STRUCT(QualificationOut, (), (person, id, until_at))
struct HandoverOut {
  ShiftOut shift;
  std::vector<std::string> items;
  std::string text;
  std::optional<PersonRef> outgoing, incoming;
  std::optional<std::int64_t> outgoing_at, incoming_at;
  std::int64_t seq = 0;  // sent back when signing; 0: not written yet
  bool may_write = false;
};
BOOST_DESCRIBE_STRUCT(HandoverOut, (),
                      (shift, items, text, outgoing, incoming, outgoing_at, incoming_at, seq,
                       may_write))
struct MyDutyOut {
  std::vector<ShiftOut> shifts;
  std::vector<SwapOut> swaps;
  std::vector<LeaveOut> leaves;
  std::vector<QualificationOut> qualifications;
  std::vector<DutyCallOut> calls;  // to me, that nobody answered yet
  std::optional<std::int64_t> confirmed_at;
};
BOOST_DESCRIBE_STRUCT(MyDutyOut, (), (shifts, swaps, leaves, qualifications, calls, confirmed_at))

struct RosterPlanOut {
  std::string org, id, source, calendar, from_day;
  std::int64_t version = 0;
  Text title;
  std::vector<RosterLayerIo> layers;
};
BOOST_DESCRIBE_STRUCT(RosterPlanOut, (),
                      (org, id, source, calendar, from_day, version, title, layers))
struct RosterTemplateOut {
  std::string id, source;
};
BOOST_DESCRIBE_STRUCT(RosterTemplateOut, (), (id, source))
// A shift by organisation and key, a day; the Problem names the field.
Result<ShiftRef> named_shift(const std::string& org, const std::string& key, const char* pointer);
Result<std::int64_t> named_day(const std::string& text, const char* pointer);

void add_roster_acts(Table& t);

}  // namespace cw::api
