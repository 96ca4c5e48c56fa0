// What the roster's reading and writing endpoints share. Pure.
//
//   auto ref = named_shift(in.org, in.shift, "/shift");
//   if (!ref) return std::move(ref).problem();
#pragma once

#include "common.h"
#include "roster/roster.h"

namespace cw::api {

constexpr std::int64_t kGridDaysMax = 62;

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
  std::string org, key, roster, day, layer, shift, holds;
  Text roster_title, layer_title, title;
  std::int64_t from_at = 0, to_at = 0, need = 0, missing = 0;
  std::vector<OnShiftOut> people;
  std::vector<PersonRef> standby;
  std::vector<UnreadyOut> absent, problems;
  bool provisional = false, now = false, mine = false;
  std::string handover;  // none, waiting (for the second signature), signed
};
BOOST_DESCRIBE_STRUCT(ShiftOut, (),
                      (org, key, roster, day, layer, shift, holds, roster_title, layer_title, title,
                       from_at, to_at, need, missing, people, standby, absent, problems,
                       provisional, now, mine, handover))
struct ShiftRow {
  std::string id;
  Text title;
  std::vector<std::optional<ShiftOut>> days;  // one for each day of the grid
};
BOOST_DESCRIBE_STRUCT(ShiftRow, (), (id, title, days))
struct LayerGrid {
  std::string id, holds;  // "post:…", "team:…" or ""
  Text title, holds_title;
  std::int64_t need = 0;
  bool on_call = false;
  std::vector<std::string> qualifications;
  std::vector<ShiftRow> shifts;
};
BOOST_DESCRIBE_STRUCT(LayerGrid, (),
                      (id, holds, title, holds_title, need, on_call, qualifications, shifts))
struct RosterGrid {
  std::string org, id, zone;
  std::int64_t version = 0;
  Text title;
  std::int64_t rest_ms = 0, week_max_ms = 0, ready_before_ms = 0, confirm_within_ms = 0;
  std::vector<LayerGrid> layers;
};
BOOST_DESCRIBE_STRUCT(RosterGrid, (),
                      (org, id, zone, version, title, rest_ms, week_max_ms, ready_before_ms,
                       confirm_within_ms, layers))
struct RosterGridOut {
  std::string org, today;
  std::int64_t now_ms = 0;
  bool may_manage = false;
  std::vector<OrgRef> orgs;  // whose rosters the caller may see
  std::vector<std::string> days;
  std::vector<RosterGrid> rosters;
};
BOOST_DESCRIBE_STRUCT(RosterGridOut, (), (org, today, now_ms, may_manage, orgs, days, rosters))

// How to reach somebody on duty.
struct OnDutyOut {
  PersonRef person;
  std::string phone;
  std::optional<std::int64_t> confirmed_at;
};
BOOST_DESCRIBE_STRUCT(OnDutyOut, (), (person, phone, confirmed_at))
struct DutyNowOut {
  std::string org, roster, layer, holds;
  Text title, holds_title;
  std::string shift;  // the key of the shift that runs; absent outside its hours
  std::vector<OnDutyOut> people;
  bool stand_in = false;  // nobody is on duty: these are the post's or team's own
  std::int64_t wait_ms = 0, missing = 0;
  std::optional<std::int64_t> to_at, next_at;
  std::vector<PersonRef> next;  // who takes over
};
BOOST_DESCRIBE_STRUCT(DutyNowOut, (),
                      (org, roster, layer, holds, title, holds_title, shift, people, stand_in,
                       wait_ms, missing, to_at, next_at, next))

struct CandidateOut {
  PersonRef person;
  std::vector<UnreadyOut> against;
  std::optional<std::int64_t> confirmed_at;
};
BOOST_DESCRIBE_STRUCT(CandidateOut, (), (person, against, confirmed_at))
struct ShiftDetailOut {
  ShiftOut shift;
  std::vector<OnDutyOut> reach;  // of who takes it and who is on standby
  std::vector<ShiftOut> next;    // that it is handed to
  std::vector<CandidateOut> candidates;
};
BOOST_DESCRIBE_STRUCT(ShiftDetailOut, (), (shift, reach, next, candidates))

// A case, a task of one, or an alert, as duty names it: all but the id absent where the caller may
// not see it.
struct DutyItemOut {
  std::string item, number, headline;
  Text title, state;
  bool closed = false;
};
BOOST_DESCRIBE_STRUCT(DutyItemOut, (), (item, number, headline, title, state, closed))

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
  DutyItemOut subject;
  bool mine = false;  // the caller was told, so may answer
};
BOOST_DESCRIBE_STRUCT(DutyCallOut, (),
                      (id, about, org, state, told, opened_at, next_at, acknowledged_at,
                       acknowledged_by, subject, mine))
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
  std::vector<DutyItemOut> items;
  std::string text;
  std::optional<PersonRef> outgoing, incoming;
  std::optional<std::int64_t> outgoing_at, incoming_at;
  std::int64_t seq = 0;  // sent back when signing; 0: not written yet
  bool may_write = false, may_sign = false;
  std::vector<PersonRef> next;    // who takes over
  std::vector<DutyItemOut> open;  // for who writes: what is open and they may see
};
BOOST_DESCRIBE_STRUCT(HandoverOut, (),
                      (shift, items, text, outgoing, incoming, outgoing_at, incoming_at, seq,
                       may_write, may_sign, next, open))
struct MyDutyOut {
  std::vector<ShiftOut> shifts;
  std::vector<SwapOut> swaps;
  std::vector<LeaveOut> leaves;
  std::vector<QualificationOut> qualifications;
  std::vector<DutyCallOut> calls;                       // to me, that nobody answered yet
  std::optional<std::int64_t> confirmed_at, linked_at;  // reachable; the calendar's link
};
BOOST_DESCRIBE_STRUCT(MyDutyOut, (),
                      (shifts, swaps, leaves, qualifications, calls, confirmed_at, linked_at))

struct DefinedShiftOut {
  std::string id;
  Text title;
};
BOOST_DESCRIBE_STRUCT(DefinedShiftOut, (), (id, title))
struct DefinedLayerOut {
  std::string id, holds;
  Text title;
  std::int64_t need = 0, steps = 0;  // steps of the pattern; 0: teams take turns
  bool on_call = false, even = false;
  std::vector<std::string> qualifications;
  std::vector<DefinedShiftOut> shifts;
};
BOOST_DESCRIBE_STRUCT(DefinedLayerOut, (),
                      (id, holds, title, need, steps, on_call, even, qualifications, shifts))
struct RosterPlanOut {
  std::string org, id, source, calendar, from_day, anchor_day;
  std::optional<std::string> until_day;  // not in force from then on
  std::int64_t version = 0;
  Text title;
  std::vector<RosterLayerIo> layers;
  std::vector<DefinedLayerOut> defined;  // the layers as the definition has them
  std::vector<PersonRef> people;         // named in it
  bool may_manage = false;
};
BOOST_DESCRIBE_STRUCT(RosterPlanOut, (),
                      (org, id, source, calendar, from_day, anchor_day, until_day, version, title,
                       layers, defined, people, may_manage))
struct RosterDefinitionOut {
  std::string id, calendar;
  std::int64_t version = 0;
  Text title;
  std::vector<DefinedLayerOut> layers;
};
BOOST_DESCRIBE_STRUCT(RosterDefinitionOut, (), (id, calendar, version, title, layers))
struct RosterTemplateOut {
  std::string id, source;
  Text title;
};
BOOST_DESCRIBE_STRUCT(RosterTemplateOut, (), (id, source, title))

// A shift by organisation and key, a day; the Problem names the field.
Result<ShiftRef> named_shift(const std::string& org, const std::string& key, const char* pointer);
Result<std::int64_t> named_day(const std::string& text, const char* pointer);

// The rest runs under the state lock.
struct Days {
  std::string org;
  std::int64_t from = 0, to = 0;
};
// The organisation asked for, else the nearest, mine or above, with a roster I may see.
std::string grid_org(const Call& call);
// With roster.read there, or named in a roster there.
Status may_see_roster(const Call& call, std::string_view org);
// The organisation and days of a query.
Result<Days> asked_days(const Call& call, std::int64_t usual);
ShiftOut shift_out(const Call& call, const Shift& x);
OnDutyOut on_duty_out(const Services& s, const std::string& person);
DutyItemOut duty_item(const Call& call, const std::string& item);
std::optional<PersonRef> somebody(const Services& s, const std::string& id);
std::optional<std::int64_t> unless_never(std::int64_t v);
// Of what a layer holds: its post or team; empty for neither.
Text holds_title(const Services& s, const std::string& org, const std::string& holds);

void add_roster_calendar(Table& t);
void add_roster_now(Table& t);
void add_handovers(Table& t);
void add_plans(Table& t);
void add_roster_acts(Table& t);

}  // namespace cw::api
