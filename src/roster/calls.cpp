// What must reach people: calls that go up layer by layer until somebody answers, and what the
// roster itself has to say ahead of time.
#include <algorithm>

#include "base/id.h"
#include "base/log.h"
#include "state.h"

namespace cw {
namespace {

constexpr std::int64_t look_every_ms = 60'000;
constexpr std::int64_t gaps_ahead_ms = duty_day_ms;
constexpr std::size_t calls_listed = 200;

DutyNotice call_notice(const DutyCall& c, const Text& text) {
  const EscalationStep& step = c.told[c.step];
  DutyNotice n;
  n.about = "duty_call";
  n.name = c.id + "/" + std::to_string(c.step);
  n.org = c.org;
  n.title = step.title;
  n.text = text;
  n.urgent = true;
  n.people = step.people;
  n.path = c.about.starts_with("alt_")   ? "/alerts/" + c.about
           : c.about.starts_with("cas_") ? "/incidents/" + c.about
                                         : "/roster";
  return n;
}

void tell_shift(DutyNotice& n, const Shift& s) {
  n.org = s.ref.org;
  n.title = s.roster_title;
  n.text = {s.layer_title.zh + " " + day_text(s.ref.day) + " " + s.title.zh,
            s.layer_title.en + " " + day_text(s.ref.day) + " " + s.title.en};
  n.path = "/roster";
}

std::vector<std::string> people_of(const Shift& s) {
  std::vector<std::string> out;
  for (const OnShift& o : s.people) out.push_back(o.person);
  return out;
}

}  // namespace

void Roster::open_call(Draft& draft, std::string_view about, std::string_view org, const Text& text,
                       const Tell& tell) {
  for (const auto& [id, c] : impl_->calls)
    if (c.about == about && c.state == "calling") return;
  std::vector<EscalationStep> steps = escalation(org, draft.now_ms());
  if (steps.empty()) return;
  DutyCall c{new_id("cal", draft.now_ms(), draft.random()), std::string(about), std::string(org),
             "calling"};
  c.opened_at = draft.now_ms();
  c.next_at = c.opened_at + steps.front().wait_ms;
  c.told = {std::move(steps.front())};
  const std::uint64_t seq =
      draft.append(duty_entry(Principal::system(), "system", "call", "calling", body_of(c)));
  tell(draft, seq, call_notice(c, text));
}

Result<Answer> Roster::acknowledge(const Principal& who, Command command, std::string_view call) {
  return impl_->parts.journal.run(std::move(command), [&](Draft& d) -> Result<json::object> {
    Impl& m = *impl_;
    auto it = m.calls.find(call);
    const bool told =
        it != m.calls.end() && !who.person.empty() &&
        std::any_of(it->second.told.begin(), it->second.told.end(), [&](const auto& s) {
          return std::find(s.people.begin(), s.people.end(), who.person) != s.people.end();
        });
    if (!told)
      return problem(Refusal::not_found, "roster.call",
                     {"没有发给您的这次呼叫", "There is no such call to you"});
    DutyCall c = it->second;
    if (c.state == "acknowledged") return json::object{};  // somebody was quicker: no harm
    c.state = "acknowledged";
    c.acknowledged_by = who.person;
    c.acknowledged_at = d.now_ms();
    d.append(duty_entry(who, "self", "call", c.state, body_of(c)));
    return json::object{};
  });
}

bool Roster::called(std::string_view about) const {
  return std::any_of(impl_->calls.begin(), impl_->calls.end(),
                     [&](const auto& one) { return one.second.about == about; });
}

std::vector<DutyCall> Roster::calls(std::string_view org) const {
  std::vector<DutyCall> out;
  for (const auto& [id, c] : impl_->calls)
    if (org.empty() || impl_->parts.identity.within(c.org, org)) out.push_back(c);
  std::stable_sort(out.begin(), out.end(),
                   [](const DutyCall& a, const DutyCall& b) { return a.opened_at > b.opened_at; });
  if (out.size() > calls_listed) out.resize(calls_listed);
  return out;
}

// The next layer that has somebody who was not told yet; none: everybody was.
void Roster::Impl::go_up(Roster& roster, Draft& d, DutyCall c, const Tell& tell) {
  std::vector<EscalationStep> steps = roster.escalation(c.org, d.now_ms());
  for (EscalationStep& step : steps) {
    const bool before = std::any_of(c.told.begin(), c.told.end(),
                                    [&](const auto& t) { return t.layer == step.layer; });
    if (before) continue;
    c.next_at = d.now_ms() + step.wait_ms;
    c.told.push_back(std::move(step));
    c.step = c.told.size() - 1;
    const std::uint64_t seq =
        d.append(duty_entry(Principal::system(), "due", "call", "escalated", body_of(c)));
    tell(d, seq,
         call_notice(c, {"无人应答，已上报至：" + c.told.back().title.zh,
                         "Nobody answered; it has gone up to: " + c.told.back().title.en}));
    return;
  }
  c.state = "exhausted";
  d.append(duty_entry(Principal::system(), "due", "call", c.state, body_of(c)));
}

// What the next day lacks, and which handovers wait.
std::vector<DutyNotice> Roster::Impl::ahead(const Roster& roster, std::int64_t now) const {
  std::vector<DutyNotice> out;
  auto add = [&](const char* about, const Shift& s, std::vector<std::string> people,
                 std::int64_t due_ms) {
    DutyNotice n;
    n.about = about;
    n.name = s.ref.org + "/" + s.ref.key();
    tell_shift(n, s);
    n.due_ms = due_ms;
    n.people = std::move(people);
    if (!n.people.empty() && !reminded.contains(n.about + "/" + n.name))
      out.push_back(std::move(n));
  };
  for (const auto& [key, r] : rosters) {
    const std::int64_t today = day_in(r, now);
    for (std::int64_t day = today - 1; day <= today + 1; ++day) {
      const RosterPeriod* p = r.period(day);
      if (p == nullptr) continue;
      for (const Shift& s : shifts_of_day(r, day)) {
        const RosterDef& d = *p->definition;
        if (s.from_ms > now && s.from_ms <= now + gaps_ahead_ms && s.missing() > 0) {
          std::vector<std::string> present;  // who sits there now can call somebody in
          add_on_duty(r, s.ref.layer, "", now, present);
          if (present.empty())
            for (const EscalationStep& step : roster.escalation(r.org, now))
              present.insert(present.end(), step.people.begin(), step.people.end());
          add("duty_gap", s, std::move(present), s.from_ms);
        }
        if (s.from_ms > now && s.from_ms <= now + d.ready_before_ms && !s.problems.empty()) {
          std::vector<std::string> people;
          for (const Unready& u : s.problems)
            if (std::find(people.begin(), people.end(), u.person) == people.end())
              people.push_back(u.person);
          add("duty_not_ready", s, std::move(people), s.from_ms);
        }
        if (d.handover_within_ms == 0 || s.people.empty() || now < s.to_ms + d.handover_within_ms ||
            now > s.to_ms + duty_day_ms)
          continue;
        auto kept = handovers.find({s.ref.org, s.ref.key()});
        if (kept != handovers.end() && !kept->second.incoming.empty()) continue;
        std::vector<std::string> people = people_of(s);
        for (const Shift& next : following(s))
          for (const std::string& person : people_of(next))
            if (std::find(people.begin(), people.end(), person) == people.end())
              people.push_back(person);
        add("handover_due", s, std::move(people), 0);
      }
    }
  }
  return out;
}

void Roster::tick(const Tell& tell,
                  const std::function<std::string(const std::string& about)>& answered) {
  Impl& m = *impl_;
  const std::int64_t now = m.parts.clock.now_ms();
  struct Due {
    std::string id, by;
  };
  std::vector<Due> due;
  std::vector<DutyNotice> notices;
  m.parts.journal.read([&] {
    for (const auto& [id, c] : m.calls) {
      if (c.state != "calling") continue;
      std::string by = answered(c.about);
      if (!by.empty() || c.next_at <= now) due.push_back({id, std::move(by)});
    }
    if (now >= m.next_look_ms && !m.rosters.empty()) notices = m.ahead(*this, now);
  });
  if (now >= m.next_look_ms) m.next_look_ms = now + look_every_ms;
  if (due.empty() && notices.empty()) return;
  auto answer = m.parts.journal.run({.vital = true}, [&](Draft& d) -> Result<json::object> {
    for (const Due& one : due) {
      auto it = m.calls.find(one.id);
      if (it == m.calls.end() || it->second.state != "calling") continue;
      DutyCall c = it->second;
      if (one.by.empty()) {
        m.go_up(*this, d, std::move(c), tell);
        continue;
      }
      c.state = "acknowledged";
      c.acknowledged_by = one.by;
      c.acknowledged_at = d.now_ms();
      d.append(duty_entry(Principal::system(), "taken", "call", c.state, body_of(c)));
    }
    for (const DutyNotice& n : notices) {
      const std::uint64_t seq =
          d.append(duty_entry(Principal::system(), "due", "reminded", n.about,
                              {{"key", n.about + "/" + n.name}, {"org", n.org}}));
      tell(d, seq, n);
    }
    return json::object{};
  });
  if (!answer) log_warn("roster", "nobody could be told of duty: {}", answer.problem().code);
}

}  // namespace cw
