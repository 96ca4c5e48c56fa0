#include "roster.h"

// The duty roster: the grid, my shifts, swaps, leave, handovers, calls. Days are "2026-11-23" in
// the roster's zone; a shift is named by its organisation and key
// ("duty-24h/2026-11-23/first/early").
namespace cw::api {
namespace {

Result<RosterGridOut> grid(Call& call) {
  return call.s.journal.read([&]() -> Result<RosterGridOut> {
    auto days = asked_days(call, 7);
    if (!days) return std::move(days).problem();
    RosterGridOut out{days->org, day_text(call.s.roster.today(days->org)), call.s.clock.now_ms()};
    out.may_manage = call.s.identity.may(call.who, Permission::roster_manage, days->org).ok();
    for (const std::string& id : call.s.roster.orgs())
      if (auto org = call.s.identity.org(id); org && may_see_roster(call, id).ok())
        out.orgs.push_back({id, org->name});
    for (std::int64_t day = days->from; day <= days->to; ++day) out.days.push_back(day_text(day));
    std::map<std::string, ShiftOut> cells;
    for (const Shift& x : call.s.roster.shifts(days->org, days->from, days->to))
      cells.emplace(x.ref.key(), shift_out(call, x));
    for (const RosterInfo& r : call.s.roster.rosters(days->org, days->to)) {
      RosterGrid g{r.org,
                   r.id,
                   r.zone,
                   r.version,
                   r.title,
                   r.rest_ms,
                   r.week_max_ms,
                   r.ready_before_ms,
                   r.confirm_within_ms,
                   {}};
      for (const RosterLayer& l : r.layers) {
        LayerGrid layer{l.id,
                        l.holds,
                        l.title,
                        holds_title(call.s, r.org, l.holds),
                        static_cast<std::int64_t>(l.need),
                        l.on_call,
                        l.qualifications,
                        {}};
        for (const auto& [id, title] : l.shifts) {
          ShiftRow row{id, title, {}};
          for (std::int64_t day = days->from; day <= days->to; ++day) {
            auto cell = cells.find(ShiftRef{r.org, r.id, l.id, id, day}.key());
            row.days.push_back(cell == cells.end() ? std::nullopt : std::optional(cell->second));
          }
          layer.shifts.push_back(std::move(row));
        }
        g.layers.push_back(std::move(layer));
      }
      out.rosters.push_back(std::move(g));
    }
    return out;
  });
}

DutyStepOut step_out(const Services& s, const EscalationStep& step) {
  DutyStepOut out{step.layer, step.title, {}, step.wait_ms};
  for (const auto& id : step.people) out.people.push_back(person_ref(s, id));
  return out;
}

bool told(const DutyCall& c, const std::string& person) {
  return std::any_of(c.told.begin(), c.told.end(), [&](const EscalationStep& step) {
    return std::find(step.people.begin(), step.people.end(), person) != step.people.end();
  });
}

DutyCallOut call_out(const Call& call, const DutyCall& c) {
  const Services& s = call.s;
  DutyCallOut out{c.id, c.about, c.org, c.state, {}, c.opened_at};
  for (const EscalationStep& step : c.told) out.told.push_back(step_out(s, step));
  if (c.state == "calling") out.next_at = c.next_at;
  out.acknowledged_at = unless_never(c.acknowledged_at);
  out.acknowledged_by = somebody(s, c.acknowledged_by);
  out.subject = duty_item(call, c.about);
  out.mine = told(c, call.who.person);
  return out;
}

SwapOut swap_out(const Call& call, const Swap& x) {
  const Services& s = call.s;
  SwapOut out{x.id, x.state, person_ref(s, x.asker), person_ref(s, x.partner)};
  if (auto shift = s.roster.shift(x.shift)) out.shift = shift_out(call, *shift);
  if (x.return_shift)
    if (auto shift = s.roster.shift(*x.return_shift)) out.in_return = shift_out(call, *shift);
  out.asked_at = x.asked_at;
  out.decided_by = somebody(s, x.decided_by);
  const std::string& me = call.who.person;
  out.may_answer = x.state == "asked" && x.partner == me;
  out.may_withdraw = (x.state == "asked" || x.state == "consented") && x.asker == me;
  out.may_decide = x.state == "consented" && x.asker != me && x.partner != me &&
                   s.identity.may(call.who, Permission::roster_manage, x.shift.org).ok();
  return out;
}

std::string org_of_person(const Services& s, const std::string& id) {
  auto person = s.identity.person(id);
  return person ? person->org : std::string();
}

LeaveOut leave_out(const Call& call, const Leave& l) {
  const Services& s = call.s;
  LeaveOut out{l.id, l.kind, l.state, person_ref(s, l.person), l.from_ms, l.to_ms, l.asked_at};
  out.decided_by = somebody(s, l.decided_by);
  out.may_decide =
      l.state == "asked" && l.person != call.who.person &&
      s.identity.may(call.who, Permission::roster_manage, org_of_person(s, l.person)).ok();
  return out;
}

Result<MyDutyOut> mine(Call& call) {
  return call.s.journal.read([&]() -> Result<MyDutyOut> {
    const Services& s = call.s;
    const std::string& me = call.who.person;
    auto days = call.number("days", 28, 1, kGridDaysMax);
    if (!days) return std::move(days).problem();
    MyDutyOut out;
    if (me.empty()) return out;
    const std::int64_t today = s.roster.today(call.who.org);
    for (const Shift& x : s.roster.shifts_of(me, today - 1, today + *days - 1))
      out.shifts.push_back(shift_out(call, x));
    for (const Swap& x : s.roster.swaps())
      if (x.asker == me || x.partner == me) out.swaps.push_back(swap_out(call, x));
    for (const Leave& l : s.roster.leaves(me)) out.leaves.push_back(leave_out(call, l));
    for (const Qualification& q : s.roster.qualifications(me))
      out.qualifications.push_back({person_ref(s, q.person), q.id, unless_never(q.until_ms)});
    for (const DutyCall& c : s.roster.calls(""))
      if (c.state == "calling" && told(c, me)) out.calls.push_back(call_out(call, c));
    out.confirmed_at = unless_never(s.roster.confirmed_at(me));
    out.linked_at = unless_never(s.roster.linked_at(me));
    return out;
  });
}

Result<Page<SwapOut>> swap_list(Call& call) {
  const std::string state = call.query("state");
  return call.s.journal.read([&]() -> Result<Page<SwapOut>> {
    Page<SwapOut> out;
    for (const Swap& x : call.s.roster.swaps()) {
      if (!state.empty() && x.state != state) continue;
      const bool own = x.asker == call.who.person || x.partner == call.who.person;
      if (own || call.s.identity.may(call.who, Permission::roster_manage, x.shift.org).ok())
        out.items.push_back(swap_out(call, x));
      if (out.items.size() == 500) break;
    }
    return out;
  });
}

Result<Page<LeaveOut>> leave_list(Call& call) {
  const std::string state = call.query("state"), person = call.query("person");
  return call.s.journal.read([&]() -> Result<Page<LeaveOut>> {
    const Services& s = call.s;
    Page<LeaveOut> out;
    for (const Leave& l : s.roster.leaves(person)) {
      if (!state.empty() && l.state != state) continue;
      if (l.person == call.who.person ||
          s.identity.may(call.who, Permission::roster_manage, org_of_person(s, l.person)).ok())
        out.items.push_back(leave_out(call, l));
      if (out.items.size() == 500) break;
    }
    return out;
  });
}

Result<Page<QualificationOut>> qualification_list(Call& call) {
  return call.s.journal.read([&]() -> Result<Page<QualificationOut>> {
    const Services& s = call.s;
    Page<QualificationOut> out;
    for (const Qualification& q : s.roster.qualifications(call.query("person")))
      if (q.person == call.who.person ||
          s.identity.may(call.who, Permission::roster_manage, org_of_person(s, q.person)).ok())
        out.items.push_back({person_ref(s, q.person), q.id, unless_never(q.until_ms)});
    return out;
  });
}

void add_reading(Table& t) {
  const QueryInfo org{"org", "an organisation; absent: the nearest with a roster"};
  const QueryInfo from{"from", "first day, 2026-11-23; absent: today"};
  t.get<RosterGridOut>("/roster",
                       {"roster.read",
                        "The roster as a grid: layers × shifts × days",
                        {org, from, {"days", "1–62, absent: 7"}}},
                       grid);
  t.get<Page<ShiftOut>>("/roster/gaps",
                        {"roster.read",
                         "Shifts that lack somebody or whose people are not ready",
                         {org, from, {"days", "1–62, absent: 14"}}},
                        [](Call& c) -> Result<Page<ShiftOut>> {
                          return c.s.journal.read([&]() -> Result<Page<ShiftOut>> {
                            auto days = asked_days(c, 14);
                            if (!days) return std::move(days).problem();
                            return page_of<ShiftOut>(
                                c.s.roster.gaps(days->org, days->from, days->to), "",
                                [&](const Shift& x) { return shift_out(c, x); });
                          });
                        });
  t.get<MyDutyOut>(
      "/roster/mine",
      {"roster.read", "My shifts, swaps, leave, calls", {{"days", "1–62, absent: 28"}}}, mine);
  t.get<Page<DutyCallOut>>(
      "/roster/calls", {"roster.read", "Calls to people on duty, newest first", {org}},
      [](Call& c) -> Result<Page<DutyCallOut>> {
        return c.s.journal.read([&]() -> Result<Page<DutyCallOut>> {
          auto days = asked_days(c, 1);
          if (!days) return std::move(days).problem();
          return page_of<DutyCallOut>(c.s.roster.calls(days->org), "",
                                      [&](const DutyCall& x) { return call_out(c, x); });
        });
      });
}

void add_lists(Table& t) {
  t.get<Page<SwapOut>>("/roster/swaps",
                       {"roster.read",
                        "Swaps of mine, and those I may decide",
                        {{"state", "asked, consented, declined, approved, refused, withdrawn"}}},
                       swap_list);
  t.get<Page<LeaveOut>>("/roster/leaves",
                        {"roster.read",
                         "Leave of mine, and of those whose leave I decide",
                         {{"person", ""}, {"state", "asked, approved, refused, withdrawn"}}},
                        leave_list);
  t.get<Page<QualificationOut>>("/roster/qualifications",
                                {"roster.read", "Who is qualified for what", {{"person", ""}}},
                                qualification_list);
}

}  // namespace

std::optional<std::int64_t> unless_never(std::int64_t v) {
  return v == 0 ? std::nullopt : std::optional(v);
}

std::optional<PersonRef> somebody(const Services& s, const std::string& id) {
  return id.empty() ? std::nullopt : std::optional(person_ref(s, id));
}

ShiftOut shift_out(const Call& call, const Shift& x) {
  const Services& s = call.s;
  const std::int64_t now = s.clock.now_ms();
  ShiftOut out{x.ref.org,
               x.ref.key(),
               x.ref.roster,
               day_text(x.ref.day),
               x.ref.layer,
               x.ref.shift,
               x.holds,
               x.roster_title,
               x.layer_title,
               x.title,
               x.from_ms,
               x.to_ms,
               static_cast<std::int64_t>(x.need),
               static_cast<std::int64_t>(x.missing())};
  for (const OnShift& o : x.people)
    out.people.push_back({person_ref(s, o.person), o.why, somebody(s, o.instead_of)});
  for (const auto& id : x.standby) out.standby.push_back(person_ref(s, id));
  for (const Unready& u : x.absent) out.absent.push_back({person_ref(s, u.person), u.code, u.text});
  for (const Unready& u : x.problems)
    out.problems.push_back({person_ref(s, u.person), u.code, u.text});
  out.provisional = x.provisional;
  out.now = x.from_ms <= now && now < x.to_ms;
  out.mine = x.has(call.who.person);
  const auto h = s.roster.handover(x.ref);
  out.handover = !h ? "none" : h->incoming.empty() ? "waiting" : "signed";
  return out;
}

Status may_see_roster(const Call& call, std::string_view org) {
  auto basis = call.s.identity.may(call.who, Permission::roster_read, org);
  if (basis || call.s.roster.names(org, call.who.person)) return done();
  return std::move(basis).problem();
}

std::string grid_org(const Call& call) {
  const std::string asked = call.query("org");
  if (!asked.empty()) return asked;
  const std::vector<std::string> with = call.s.roster.orgs();
  for (std::string where = call.who.org; !where.empty();) {
    if (std::find(with.begin(), with.end(), where) != with.end() &&
        may_see_roster(call, where).ok())
      return where;
    auto org = call.s.identity.org(where);
    where = org ? org->parent : std::string();
  }
  return call.who.org;
}

Result<Days> asked_days(const Call& call, std::int64_t usual) {
  Days out{grid_org(call)};
  if (Status may = may_see_roster(call, out.org); !may) return may.problem();
  auto days = call.number("days", usual, 1, kGridDaysMax);
  if (!days) return std::move(days).problem();
  out.from = call.s.roster.today(out.org);
  if (const std::string from = call.query("from"); !from.empty()) {
    auto day = named_day(from, "/from");
    if (!day) return std::move(day).problem();
    out.from = *day;
  }
  out.to = out.from + *days - 1;
  return out;
}

Result<ShiftRef> named_shift(const std::string& org, const std::string& key, const char* pointer) {
  auto ref = shift_ref(org, key);
  if (!ref)
    return invalid("roster.shift", pointer,
                   {"班次应写作 排班/日期/层/班次", "A shift is named roster/day/layer/shift"});
  return *ref;
}

Result<std::int64_t> named_day(const std::string& text, const char* pointer) {
  auto day = day_of_text(text);
  if (!day)
    return invalid("roster.day", pointer,
                   {"这里应为日期，例如 2026-11-23", "Expected a day such as 2026-11-23"});
  return *day;
}

void add_roster(Table& t) {
  t.tag("roster");
  add_reading(t);
  add_lists(t);
  add_roster_now(t);
  add_roster_calendar(t);
  add_handovers(t);
  add_plans(t);
  add_roster_acts(t);
}

}  // namespace cw::api
