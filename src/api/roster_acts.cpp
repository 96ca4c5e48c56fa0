#include "roster.h"

// What changes the duty roster: plans, assignments, swaps, leave, handovers, answers to calls.
namespace cw::api {
namespace {

struct RosterPlanIn {
  std::string source, from_day;
  std::optional<std::string> anchor_day;
  std::vector<RosterLayerIo> layers;
};
BOOST_DESCRIBE_STRUCT(RosterPlanIn, (), (source, from_day, anchor_day, layers))
struct RosterEndIn {
  std::string from_day;
};
BOOST_DESCRIBE_STRUCT(RosterEndIn, (), (from_day))
struct ShiftAssignIn {
  std::string org, shift, in;
  std::optional<std::string> out;
  std::optional<bool> anyway;
};
BOOST_DESCRIBE_STRUCT(ShiftAssignIn, (), (org, shift, in, out, anyway))
struct SwapIn {
  std::string org, shift, partner;
  std::optional<std::string> in_return;
};
BOOST_DESCRIBE_STRUCT(SwapIn, (), (org, shift, partner, in_return))
struct DutyYesIn {
  bool yes = false;
};
BOOST_DESCRIBE_STRUCT(DutyYesIn, (), (yes))
struct LeaveIn {
  std::string kind;
  std::int64_t from_at = 0, to_at = 0;
  std::optional<std::string> person;
};
BOOST_DESCRIBE_STRUCT(LeaveIn, (), (kind, from_at, to_at, person))
struct LeaveFileIn {
  std::string kind, ics;
  std::optional<std::string> person;
};
BOOST_DESCRIBE_STRUCT(LeaveFileIn, (), (kind, ics, person))
struct QualifyIn {
  std::optional<std::int64_t> until_at;
};
BOOST_DESCRIBE_STRUCT(QualifyIn, (), (until_at))
struct ReachableIn {
  std::optional<std::string> person;
};
BOOST_DESCRIBE_STRUCT(ReachableIn, (), (person))
struct HandoverIn {
  std::string org, shift, text;
  std::vector<std::string> items;
};
BOOST_DESCRIBE_STRUCT(HandoverIn, (), (org, shift, text, items))
struct TakeOverIn {
  std::string org, shift;
  std::int64_t seq = 0;
};
BOOST_DESCRIBE_STRUCT(TakeOverIn, (), (org, shift, seq))

Result<Written> wrote_duty(Result<Answer> answer) {
  if (!answer) return std::move(answer).problem();
  return written(*answer);
}

Result<Written> set_plan(Call& call, RosterPlanIn& in) {
  if (auto may = may_org(call, call.http.param("org"), Permission::roster_manage); !may)
    return std::move(may).problem();
  auto from = named_day(in.from_day, "/from_day");
  if (!from) return std::move(from).problem();
  RosterInput input{call.http.param("org"), in.source, *from};
  if (in.anchor_day) {
    auto anchor = named_day(*in.anchor_day, "/anchor_day");
    if (!anchor) return std::move(anchor).problem();
    input.anchor_day = *anchor;
  }
  for (const RosterLayerIo& l : in.layers)
    for (const RosterTeamIo& t : l.teams)
      input.layers[l.layer].push_back({t.people, t.standby.value_or(std::vector<std::string>{})});
  return wrote_duty(call.s.roster.set(call.who, call.command, input));
}

std::string me_or(const Call& call, const std::optional<std::string>& person) {
  return person.value_or(call.who.person);
}

Result<Written> qualify(Call& call, std::int64_t until_ms, bool withdraw) {
  const std::string& person = call.http.param("person");
  if (auto may = may_person(call, person, Permission::roster_manage); !may)
    return std::move(may).problem();
  return wrote_duty(
      call.s.roster.qualify(call.who, call.command, {person, call.id(), until_ms}, withdraw));
}

void add_swaps(Table& t) {
  t.post<SwapIn, Written>(
      "/roster/swaps", {"roster.read", "Ask somebody to take a shift of mine"},
      [](Call& c, SwapIn& in) -> Result<Written> {
        auto ref = named_shift(in.org, in.shift, "/shift");
        if (!ref) return std::move(ref).problem();
        std::optional<ShiftRef> back;
        if (in.in_return) {
          auto named = named_shift(in.org, *in.in_return, "/in_return");
          if (!named) return std::move(named).problem();
          back = *named;
        }
        return wrote_duty(c.s.roster.ask_swap(c.who, c.command, *ref, in.partner, back));
      });
  t.post<DutyYesIn, Written>(
      "/roster/swaps/{id}/answer", {"roster.read", "Consent to a swap, or decline"},
      [](Call& c, DutyYesIn& in) {
        return wrote_duty(c.s.roster.answer_swap(c.who, c.command, c.id(), in.yes));
      });
  t.post<DutyYesIn, Written>(
      "/roster/swaps/{id}/decide", {"roster.manage", "Approve a swap, or refuse it"},
      [](Call& c, DutyYesIn& in) -> Result<Written> {
        const auto swap = c.s.journal.read([&] { return c.s.roster.swap(c.id()); });
        if (!swap || !c.may(Permission::roster_manage, swap->shift.org))
          return no_such({"这次换班", "such a swap"});
        return wrote_duty(c.s.roster.decide_swap(c.who, c.command, c.id(), in.yes));
      });
  t.post<Nothing, Written>("/roster/swaps/{id}/withdraw",
                           {"roster.read", "Withdraw a swap I asked for"}, [](Call& c, Nothing&) {
                             return wrote_duty(c.s.roster.withdraw_swap(c.who, c.command, c.id()));
                           });
}

void add_leave(Table& t) {
  t.post<LeaveIn, Written>(
      "/roster/leaves", {"roster.read", "Ask for leave; a manager's for somebody else is granted"},
      [](Call& c, LeaveIn& in) {
        return wrote_duty(c.s.roster.ask_leave(c.who, c.command, me_or(c, in.person), in.kind,
                                               in.from_at, in.to_at));
      });
  t.post<LeaveFileIn, Written>("/roster/leaves/import",
                               {"roster.read", "Leave from an iCalendar file"},
                               [](Call& c, LeaveFileIn& in) {
                                 return wrote_duty(c.s.roster.ask_leaves(
                                     c.who, c.command, me_or(c, in.person), in.kind, in.ics));
                               });
  t.post<DutyYesIn, Written>(
      "/roster/leaves/{id}/decide", {"roster.manage", "Approve leave, or refuse it"},
      [](Call& c, DutyYesIn& in) {
        return wrote_duty(c.s.roster.decide_leave(c.who, c.command, c.id(), in.yes));
      });
  t.post<Nothing, Written>("/roster/leaves/{id}/withdraw", {"roster.read", "Withdraw leave"},
                           [](Call& c, Nothing&) {
                             return wrote_duty(c.s.roster.withdraw_leave(c.who, c.command, c.id()));
                           });
  t.put<QualifyIn, Written>(
      "/roster/qualifications/{person}/{id}",
      {"roster.manage", "Somebody is qualified, with an end or without"},
      [](Call& c, QualifyIn& in) { return qualify(c, in.until_at.value_or(0), false); });
  t.remove<Written>("/roster/qualifications/{person}/{id}",
                    {"roster.manage", "Somebody is not qualified any more"},
                    [](Call& c) { return qualify(c, 0, true); });
  t.post<ReachableIn, Written>(
      "/roster/reachable", {"roster.read", "I can be reached (or: they answered)"},
      [](Call& c, ReachableIn& in) {
        return wrote_duty(c.s.roster.confirm_reachable(c.who, c.command, me_or(c, in.person)));
      });
}

void add_shift_change(Table& t) {
  t.put<RosterPlanIn, Written>("/roster/plans/{org}/{id}",
                               {"roster.manage", "A roster from a day on"}, set_plan);
  t.post<RosterEndIn, Written>(
      "/roster/plans/{org}/{id}/end", {"roster.manage", "A roster ends"},
      [](Call& c, RosterEndIn& in) -> Result<Written> {
        auto day = named_day(in.from_day, "/from_day");
        if (!day) return std::move(day).problem();
        return wrote_duty(c.s.roster.end(c.who, c.command, c.http.param("org"), c.id(), *day));
      });
  t.post<ShiftAssignIn, Written>(
      "/roster/assign", {"roster.manage", "Put somebody on a shift, instead of another or besides"},
      [](Call& c, ShiftAssignIn& in) -> Result<Written> {
        auto ref = named_shift(in.org, in.shift, "/shift");
        if (!ref) return std::move(ref).problem();
        return wrote_duty(c.s.roster.assign(c.who, c.command, *ref, in.out.value_or(""), in.in,
                                            in.anyway.value_or(false)));
      });
  t.post<HandoverIn, Written>(
      "/roster/handover", {"roster.read", "Hand a shift over: the outgoing signature"},
      [](Call& c, HandoverIn& in) -> Result<Written> {
        auto ref = named_shift(in.org, in.shift, "/shift");
        if (!ref) return std::move(ref).problem();
        return wrote_duty(c.s.roster.write_handover(c.who, c.command, *ref, in.items, in.text));
      });
  t.post<TakeOverIn, Written>("/roster/handover/sign",
                              {"roster.read", "Take a shift over: the incoming signature"},
                              [](Call& c, TakeOverIn& in) -> Result<Written> {
                                auto ref = named_shift(in.org, in.shift, "/shift");
                                if (!ref) return std::move(ref).problem();
                                return wrote_duty(c.s.roster.sign_handover(
                                    c.who, c.command, *ref, static_cast<std::uint64_t>(in.seq)));
                              });
  t.post<Nothing, Written>("/roster/calls/{id}/acknowledge", {"roster.read", "I answer this call"},
                           [](Call& c, Nothing&) {
                             return wrote_duty(c.s.roster.acknowledge(c.who, c.command, c.id()));
                           });
}

}  // namespace

void add_roster_acts(Table& t) {
  add_shift_change(t);
  add_swaps(t);
  add_leave(t);
}

}  // namespace cw::api
