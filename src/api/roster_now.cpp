#include "roster.h"

// Who holds which post or team this moment and how to reach the next; one shift with who could take
// it.
namespace cw::api {
namespace {

std::vector<std::string> own_people(const Services& s, const std::string& holds,
                                    const std::string& org) {
  const std::string name = holds.substr(holds.find(':') + 1);
  return holds[0] == 'p' ? s.identity.post_people(name, org) : s.identity.team_people(name, org);
}

DutyNowOut now_out(const Call& call, const RosterInfo& r, const RosterLayer& layer,
                   const std::vector<Shift>& shifts) {
  const Services& s = call.s;
  const std::int64_t now = s.clock.now_ms();
  DutyNowOut out{r.org,       r.id,        layer.id,
                 layer.holds, layer.title, holds_title(s, r.org, layer.holds)};
  out.wait_ms = layer.acknowledge_ms;
  for (const Shift& x : shifts) {
    if (x.ref.roster != r.id || x.ref.layer != layer.id) continue;
    if (x.from_ms <= now && now < x.to_ms) {
      out.shift = x.ref.key();
      out.to_at = std::max(out.to_at.value_or(0), x.to_ms);
      out.missing += static_cast<std::int64_t>(x.missing());
      for (const OnShift& o : x.people) out.people.push_back(on_duty_out(s, o.person));
    } else if (x.from_ms > now && (!out.next_at || x.from_ms <= *out.next_at)) {
      if (out.next_at != x.from_ms) out.next.clear();
      out.next_at = x.from_ms;
      for (const OnShift& o : x.people) out.next.push_back(person_ref(s, o.person));
    }
  }
  if (out.people.empty() && !layer.holds.empty()) {
    for (const auto& id : own_people(s, layer.holds, r.org))
      out.people.push_back(on_duty_out(s, id));
    out.stand_in = !out.people.empty();
  }
  return out;
}

// As calls go up: the nearest organisation whose roster has somebody, and what lies below it.
Result<Page<DutyNowOut>> duty_now(Call& call) {
  return call.s.journal.read([&]() -> Result<Page<DutyNowOut>> {
    const Services& s = call.s;
    auto days = asked_days(call, 1);
    if (!days) return std::move(days).problem();
    Page<DutyNowOut> out;
    bool somebody_there = false;
    for (std::string where = days->org; !where.empty() && !somebody_there;) {
      const std::int64_t today = s.roster.today(where);
      const auto shifts = s.roster.shifts(where, today - 1, today + 8);
      for (const RosterInfo& r : s.roster.rosters(where, today))
        for (const RosterLayer& layer : r.layers) {
          out.items.push_back(now_out(call, r, layer, shifts));
          somebody_there |= !out.items.back().people.empty() && !out.items.back().stand_in;
        }
      auto org = s.identity.org(where);
      where = org ? org->parent : std::string();
    }
    return out;
  });
}

Result<ShiftDetailOut> one_shift(Call& call) {
  return call.s.journal.read([&]() -> Result<ShiftDetailOut> {
    const Services& s = call.s;
    auto ref = named_shift(grid_org(call), call.query("shift"), "/shift");
    if (!ref) return std::move(ref).problem();
    if (Status may = may_see_roster(call, ref->org); !may) return may.problem();
    const auto shift = s.roster.shift(*ref);
    if (!shift) return no_such({"这个班次", "such a shift"});
    ShiftDetailOut out{shift_out(call, *shift)};
    for (const OnShift& o : shift->people) out.reach.push_back(on_duty_out(s, o.person));
    for (const auto& id : shift->standby) out.reach.push_back(on_duty_out(s, id));
    for (const Shift& next : s.roster.following(*shift)) out.next.push_back(shift_out(call, next));
    if (shift->to_ms <= s.clock.now_ms()) return out;  // nobody takes what is over
    for (const Candidate& c : s.roster.candidates(*ref)) {
      CandidateOut one{person_ref(s, c.person)};
      for (const Unready& u : c.against) one.against.push_back({one.person, u.code, u.text});
      one.confirmed_at = unless_never(s.roster.confirmed_at(c.person));
      out.candidates.push_back(std::move(one));
    }
    return out;
  });
}

}  // namespace

OnDutyOut on_duty_out(const Services& s, const std::string& id) {
  OnDutyOut out{person_ref(s, id)};
  if (auto person = s.identity.person(id)) out.phone = person->phone;
  out.confirmed_at = unless_never(s.roster.confirmed_at(id));
  return out;
}

Text holds_title(const Services& s, const std::string& org, const std::string& holds) {
  if (holds.empty()) return {};
  const std::string name = holds.substr(holds.find(':') + 1);
  if (holds[0] == 'p') {
    for (const Post& p : s.identity.posts(org))
      if (p.id == name) return p.title;
  } else if (const std::string where = s.identity.team_org(name, org); !where.empty()) {
    for (const Team& t : s.identity.teams(where))
      if (t.id == name) return t.title;
  }
  return {name, name};
}

void add_roster_now(Table& t) {
  const QueryInfo org{"org", "an organisation; absent: the nearest with a roster"};
  t.get<Page<DutyNowOut>>(
      "/roster/now",
      {"roster.read", "Who is on duty now and how to reach them, in the order of calls", {org}},
      duty_now);
  t.get<ShiftDetailOut>("/roster/shift",
                        {"roster.read",
                         "One shift: who takes it, how to reach them, who could take it",
                         {org, {"shift", "the shift's key"}}},
                        one_shift);
}

}  // namespace cw::api
