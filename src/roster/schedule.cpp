// Who is on duty: computed from plan, changes, leave and qualifications. Pure over the state.
#include <algorithm>
#include <cstdio>

#include "base/text.h"
#include "state.h"

namespace cw {
namespace {

constexpr std::int64_t days_max = 366;

bool overlap(std::int64_t a_from, std::int64_t a_to, std::int64_t b_from, std::int64_t b_to) {
  return a_from < b_to && b_from < a_to;
}

std::int64_t monday_of(std::int64_t day) { return day - ((day + 3) % 7 + 7) % 7; }

}  // namespace

std::string day_text(std::int64_t day) {
  const Civil c = civil_from_days(day);
  char text[48];
  std::snprintf(text, sizeof text, "%04d-%02d-%02d", c.year, c.month, c.day);
  return text;
}

std::optional<std::int64_t> day_of_text(std::string_view text) {
  if (text.size() != 10) return std::nullopt;
  const auto at = from_rfc3339(std::string(text) + "T00:00:00Z");
  if (!at || *at >= days_from_civil(2081, 1, 1) * duty_day_ms) return std::nullopt;
  return *at / duty_day_ms;
}

std::string ShiftRef::key() const {
  return roster + "/" + day_text(day) + "/" + layer + "/" + shift;
}

std::optional<ShiftRef> shift_ref(std::string_view org, std::string_view key) {
  const auto parts = split(key, '/');
  if (parts.size() != 4) return std::nullopt;
  const auto day = day_of_text(parts[1]);
  if (!day) return std::nullopt;
  return ShiftRef{std::string(org), std::string(parts[0]), std::string(parts[2]),
                  std::string(parts[3]), *day};
}

bool Shift::has(std::string_view person) const {
  return std::any_of(people.begin(), people.end(),
                     [&](const OnShift& p) { return p.person == person; });
}

std::string Shift::held() const {
  return holds.empty() ? ref.layer : holds.substr(holds.find(':') + 1);
}

Text unready_text(std::string_view code) {
  if (code == "inactive") return {"账号已停用", "the account is not active"};
  if (code == "leave") return {"休假中", "on leave"};
  if (code == "unqualified")
    return {"不具备本岗资质，或资质届时已过期", "not qualified for the post then"};
  if (code == "unreachable") return {"尚未确认可联系", "not confirmed as reachable"};
  if (code == "rest") return {"与前后班次间隔不足", "too little rest between shifts"};
  if (code == "hours") return {"本周班次时长超限", "too many hours in the week"};
  if (code == "double") return {"同一时间已有其他班次", "has another shift at the same time"};
  return {std::string(code), std::string(code)};
}

std::string Roster::Impl::parent_of(const std::string& org) const {
  const auto found = parts.identity.org(org);
  return found ? found->parent : std::string();
}

const Calendar& Roster::Impl::calendar_of(const RosterDef& definition) const {
  auto found = calendars.find(definition.calendar);
  if (!found) found = calendars.find("always");
  if (!found) throw std::runtime_error("calendar " + definition.calendar + " is missing");
  return *found;
}

const RosterRecord* Roster::Impl::find(std::string_view org, std::string_view id) const {
  auto it = rosters.find({std::string(org), std::string(id)});
  return it == rosters.end() ? nullptr : &it->second;
}

// Those whom the plan and the changes give a shift, in order.
std::vector<std::string> Roster::Impl::planned(const RosterRecord& r, const RosterPeriod& p,
                                               const LayerDef& layer, std::size_t shift,
                                               std::int64_t day, std::vector<OnShift>* how) const {
  std::vector<std::string> people;
  std::vector<OnShift> list;
  const auto teams = p.layers.find(layer.id);
  const bool open = !layer.workdays_only || calendar_of(*p.definition).workday(day);
  if (teams != p.layers.end() && open)
    for (std::size_t t = 0; t < teams->second.size(); ++t)
      if (layer.works(shift, t, teams->second.size(), day, p.anchor_day))
        for (const std::string& person : teams->second[t].people)
          list.push_back({person, "plan", ""});
  const ShiftRef ref{r.org, r.id, layer.id, layer.shifts[shift].id, day};
  if (!r.changes.empty())
    if (auto changes = r.changes.find(ref.key()); changes != r.changes.end())
      for (const ShiftChange& c : changes->second) {
        std::erase_if(list,
                      [&](const OnShift& o) { return o.person == c.out || o.person == c.in; });
        list.push_back({c.in, c.why, c.out});
      }
  for (const OnShift& o : list)
    if (!holds(people, o.person)) {
      people.push_back(o.person);
      if (how != nullptr) how->push_back(o);
    }
  return people;
}

std::vector<Roster::Impl::Raw> Roster::Impl::raw_of(std::string_view person, std::int64_t from_day,
                                                    std::int64_t to_day) const {
  std::vector<Raw> out;
  for (const auto& [key, r] : rosters) {
    if (!r.mentioned.contains(person)) continue;
    for (std::int64_t day = from_day; day <= to_day; ++day) {
      const RosterPeriod* p = r.period(day);
      if (p == nullptr) continue;
      const Calendar& calendar = calendar_of(*p->definition);
      for (const LayerDef& layer : p->definition->layers)
        for (std::size_t s = 0; s < layer.shifts.size() && !layer.on_call; ++s)
          if (holds(planned(r, *p, layer, s, day, nullptr), person))
            out.push_back({{r.org, r.id, layer.id, layer.shifts[s].id, day},
                           calendar.moment(day, layer.shifts[s].from_minute),
                           calendar.moment(day, layer.shifts[s].to_minute)});
    }
  }
  return out;
}

std::vector<Unready> Roster::Impl::against(std::string_view person, const RosterDef& d,
                                           const LayerDef& layer, const Shift& s) const {
  std::vector<Unready> out;
  auto add = [&](std::string_view code) {
    out.push_back({std::string(person), std::string(code), unready_text(code)});
  };
  if (!parts.identity.is_active_person(person)) add("inactive");
  for (const auto& [id, l] : leaves)
    if (l.person == person && l.state == "approved" &&
        overlap(l.from_ms, l.to_ms, s.from_ms, s.to_ms)) {
      add("leave");
      break;
    }
  for (const std::string& q : layer.qualifications) {
    auto it = qualified.find({std::string(person), q});
    if (it == qualified.end() || (it->second != 0 && it->second < s.to_ms)) {
      add("unqualified");
      break;
    }
  }
  if (d.confirm_within_ms != 0 && parts.clock.now_ms() >= s.from_ms - d.ready_before_ms) {
    auto it = confirmed.find(person);
    if (it == confirmed.end() || it->second < s.from_ms - d.confirm_within_ms) add("unreachable");
  }
  if (layer.on_call) return out;
  const std::int64_t monday = monday_of(s.ref.day);
  std::int64_t sum = s.to_ms - s.from_ms;
  bool rest = false, twice = false;
  for (const Raw& raw : raw_of(person, monday - 2, monday + 8)) {
    if (raw.ref == s.ref) continue;
    if (raw.ref.day >= monday && raw.ref.day < monday + 7) sum += raw.to_ms - raw.from_ms;
    const bool same = overlap(raw.from_ms, raw.to_ms, s.from_ms, s.to_ms);
    twice |= same;
    rest |= !same && overlap(raw.from_ms - d.rest_ms, raw.to_ms + d.rest_ms, s.from_ms, s.to_ms);
  }
  if (twice) add("double");
  if (rest) add("rest");
  if (d.week_max_ms != 0 && sum > d.week_max_ms) add("hours");
  return out;
}

Shift Roster::Impl::make(const RosterRecord& r, const RosterPeriod& p, const LayerDef& layer,
                         std::size_t shift, std::int64_t day) const {
  const RosterDef& d = *p.definition;
  const ShiftDef& def = layer.shifts[shift];
  const Calendar& calendar = calendar_of(d);
  Shift s;
  s.ref = {r.org, r.id, layer.id, def.id, day};
  s.roster_title = d.title;
  s.layer_title = layer.title;
  s.title = def.title;
  s.holds = layer.holds;
  s.need = layer.need;
  s.from_ms = calendar.moment(day, def.from_minute);
  s.to_ms = calendar.moment(day, def.to_minute);
  s.provisional = layer.workdays_only && calendar.provisional(s.from_ms);
  std::vector<OnShift> list;
  planned(r, p, layer, shift, day, &list);
  // Whoever is away or not qualified does not hold the shift; under `strict`, whoever is not ready.
  auto out_of = [&](const std::vector<Unready>& why) {
    return std::find_if(why.begin(), why.end(), [&](const Unready& u) {
      return layer.strict || u.code == "inactive" || u.code == "leave" || u.code == "unqualified";
    });
  };
  std::vector<std::string> replaced;
  for (OnShift& o : list) {
    std::vector<Unready> why = against(o.person, d, layer, s);
    if (auto stop = out_of(why); stop != why.end()) {
      replaced.push_back(o.person);
      s.absent.push_back(std::move(*stop));
      continue;
    }
    s.problems.insert(s.problems.end(), why.begin(), why.end());
    s.people.push_back(std::move(o));
  }
  const auto teams = p.layers.find(layer.id);
  if (teams == p.layers.end() || list.empty()) return s;
  std::size_t filled = 0;
  for (std::size_t t = 0; t < teams->second.size(); ++t) {
    if (!layer.works(shift, t, teams->second.size(), day, p.anchor_day)) continue;
    for (const std::string& person : teams->second[t].standby) {
      if (s.has(person) || holds(s.standby, person) || holds(replaced, person)) continue;
      // Standby is called only when nothing speaks against it; that it answers is shown, not asked.
      std::vector<Unready> why = against(person, d, layer, s);
      if (std::any_of(why.begin(), why.end(),
                      [&](const Unready& u) { return layer.strict || u.code != "unreachable"; }))
        continue;
      if (s.missing() == 0) {
        s.standby.push_back(person);
      } else {
        s.people.push_back({person, "standby", filled < replaced.size() ? replaced[filled] : ""});
        s.problems.insert(s.problems.end(), why.begin(), why.end());
        ++filled;
      }
    }
  }
  return s;
}

std::vector<Shift> Roster::Impl::shifts_of_day(const RosterRecord& r, std::int64_t day) const {
  std::vector<Shift> out;
  const RosterPeriod* p = r.period(day);
  if (p == nullptr) return out;
  const Calendar& calendar = calendar_of(*p->definition);
  for (const LayerDef& layer : p->definition->layers) {
    if (layer.workdays_only && !calendar.workday(day)) continue;
    for (std::size_t s = 0; s < layer.shifts.size(); ++s) out.push_back(make(r, *p, layer, s, day));
  }
  return out;
}

std::optional<Shift> Roster::Impl::shift(const ShiftRef& ref) const {
  const RosterRecord* r = find(ref.org, ref.roster);
  const RosterPeriod* p = r == nullptr ? nullptr : r->period(ref.day);
  const LayerDef* layer = p == nullptr ? nullptr : p->definition->layer(ref.layer);
  if (layer == nullptr) return std::nullopt;
  if (layer->workdays_only && !calendar_of(*p->definition).workday(ref.day)) return std::nullopt;
  for (std::size_t s = 0; s < layer->shifts.size(); ++s)
    if (layer->shifts[s].id == ref.shift) return make(*r, *p, *layer, s, ref.day);
  return std::nullopt;
}

std::vector<Unready> Roster::Impl::against(std::string_view person, const ShiftRef& ref,
                                           const ShiftRef* gives_up) const {
  const RosterRecord* r = find(ref.org, ref.roster);
  const RosterPeriod* p = r == nullptr ? nullptr : r->period(ref.day);
  const LayerDef* layer = p == nullptr ? nullptr : p->definition->layer(ref.layer);
  const auto s = shift(ref);
  if (layer == nullptr || !s) return {};
  std::vector<Unready> why = against(person, *p->definition, *layer, *s);
  std::erase_if(why, [](const Unready& u) { return u.code == "unreachable"; });
  if (gives_up == nullptr) return why;
  // In return they give up a shift: what only that one broke is not broken any more.
  std::erase_if(why, [&](const Unready& u) {
    if (u.code != "rest" && u.code != "double" && u.code != "hours") return false;
    const std::int64_t monday = monday_of(ref.day);
    std::int64_t sum = s->to_ms - s->from_ms;
    bool close = false;
    for (const Raw& raw : raw_of(person, monday - 2, monday + 8)) {
      if (raw.ref == ref || raw.ref == *gives_up) continue;
      if (raw.ref.day >= monday && raw.ref.day < monday + 7) sum += raw.to_ms - raw.from_ms;
      close |= overlap(raw.from_ms - p->definition->rest_ms, raw.to_ms + p->definition->rest_ms,
                       s->from_ms, s->to_ms);
    }
    return u.code == "hours" ? sum <= p->definition->week_max_ms : !close;
  });
  return why;
}

std::optional<Roster::Duty> Roster::Impl::find_duty(std::string_view what, std::string_view org,
                                                    std::int64_t at) const {
  if (rosters.empty()) return std::nullopt;
  for (std::string where(org); !where.empty(); where = parent_of(where)) {
    Duty duty{where, {}};
    for (auto it = rosters.lower_bound({where, ""});
         it != rosters.end() && it->first.first == where; ++it)
      add_on_duty(it->second, "", what, at, duty.people);
    if (!duty.people.empty()) return duty;
  }
  return std::nullopt;
}

// Those whose shift of a layer (or of the layers that hold something) covers the moment.
void Roster::Impl::add_on_duty(const RosterRecord& r, std::string_view layer_id,
                               std::string_view what, std::int64_t at,
                               std::vector<std::string>& people) const {
  const std::int64_t today = day_in(r, at);
  for (std::int64_t day = today - 1; day <= today; ++day) {  // a night shift began yesterday
    const RosterPeriod* p = r.period(day);
    if (p == nullptr) continue;
    const Calendar& calendar = calendar_of(*p->definition);
    for (const LayerDef& layer : p->definition->layers) {
      if (layer_id.empty() ? layer.holds != what : layer.id != layer_id) continue;
      for (std::size_t s = 0; s < layer.shifts.size(); ++s) {
        const ShiftDef& def = layer.shifts[s];
        if (at < calendar.moment(day, def.from_minute) || at >= calendar.moment(day, def.to_minute))
          continue;
        for (const OnShift& o : make(r, *p, layer, s, day).people)
          if (!holds(people, o.person)) people.push_back(o.person);
      }
    }
  }
}

std::int64_t Roster::Impl::day_in(const RosterRecord& r, std::int64_t at_ms) const {
  for (const RosterPeriod& p : r.periods)
    if (p.definition) return calendar_of(*p.definition).day_of(at_ms);
  return (at_ms + 8 * 3'600'000) / duty_day_ms;
}

std::optional<Roster::Duty> Roster::on_duty(std::string_view what, std::string_view org,
                                            std::int64_t at_ms) const {
  const Impl& m = *impl_;
  if (m.rosters.empty()) return std::nullopt;
  const std::pair<std::string, std::string> key{what, org};
  {
    std::lock_guard gate(m.cache_gate);
    auto it = m.cache.find(key);
    if (it != m.cache.end() && it->second.version == m.version && it->second.second == at_ms / 1000)
      return it->second.duty;
  }
  auto duty = m.find_duty(what, org, at_ms);
  std::lock_guard gate(m.cache_gate);
  if (m.cache.size() > 4'096) m.cache.clear();
  m.cache[key] = {m.version, at_ms / 1000, duty};
  return duty;
}

std::vector<EscalationStep> Roster::escalation(std::string_view org, std::int64_t at_ms) const {
  const Impl& m = *impl_;
  std::vector<EscalationStep> out;
  for (std::string where(org); !where.empty() && out.empty(); where = m.parent_of(where)) {
    for (auto it = m.rosters.lower_bound({where, ""});
         it != m.rosters.end() && it->first.first == where; ++it) {
      const RosterPeriod* now = it->second.period(m.day_in(it->second, at_ms));
      if (now == nullptr) continue;
      for (const LayerDef& layer : now->definition->layers) {
        EscalationStep step{layer.id, layer.title, {}, layer.acknowledge_ms};
        m.add_on_duty(it->second, layer.id, "", at_ms, step.people);
        if (!step.people.empty()) out.push_back(std::move(step));
      }
    }
  }
  return out;
}

std::optional<Shift> Roster::shift(const ShiftRef& ref) const { return impl_->shift(ref); }

std::vector<Shift> Roster::shifts(std::string_view org, std::int64_t from_day,
                                  std::int64_t to_day) const {
  std::vector<Shift> out;
  to_day = std::min(to_day, from_day + days_max);
  for (const auto& [key, r] : impl_->rosters) {
    if (!org.empty() && key.first != org) continue;
    for (std::int64_t day = from_day; day <= to_day; ++day)
      for (Shift& s : impl_->shifts_of_day(r, day)) out.push_back(std::move(s));
  }
  std::stable_sort(out.begin(), out.end(),
                   [](const Shift& a, const Shift& b) { return a.from_ms < b.from_ms; });
  return out;
}

std::vector<Shift> Roster::shifts_of(std::string_view person, std::int64_t from_day,
                                     std::int64_t to_day) const {
  std::vector<Shift> out;
  to_day = std::min(to_day, from_day + days_max);
  for (const auto& [key, r] : impl_->rosters) {
    if (!r.mentioned.contains(person)) continue;
    for (std::int64_t day = from_day; day <= to_day; ++day)
      for (Shift& s : impl_->shifts_of_day(r, day))
        if (s.has(person)) out.push_back(std::move(s));
  }
  std::stable_sort(out.begin(), out.end(),
                   [](const Shift& a, const Shift& b) { return a.from_ms < b.from_ms; });
  return out;
}

std::vector<Shift> Roster::gaps(std::string_view org, std::int64_t from_day,
                                std::int64_t to_day) const {
  std::vector<Shift> out = shifts(org, from_day, to_day);
  std::erase_if(out, [](const Shift& s) { return s.missing() == 0 && s.problems.empty(); });
  return out;
}

std::int64_t Roster::today(std::string_view org) const {
  auto it = impl_->rosters.lower_bound({std::string(org), ""});
  const bool has = it != impl_->rosters.end() && it->first.first == org;
  return impl_->day_in(has ? it->second : RosterRecord{}, impl_->parts.clock.now_ms());
}

}  // namespace cw
