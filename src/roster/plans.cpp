// Plans as people read them, and who could take a shift. Pure over the state.
#include <algorithm>

#include "state.h"

namespace cw {
namespace {

constexpr std::size_t candidates_max = 200;

RosterInfo info_of(const RosterDef& d) {
  RosterInfo info;
  info.id = d.id;
  info.source = d.source;
  info.calendar = d.calendar;
  info.version = d.version;
  info.title = d.title;
  info.rest_ms = d.rest_ms;
  info.week_max_ms = d.week_max_ms;
  info.ready_before_ms = d.ready_before_ms;
  info.confirm_within_ms = d.confirm_within_ms;
  for (const LayerDef& l : d.layers) {
    RosterLayer layer{l.id, l.holds, l.title, l.need, l.on_call, l.qualifications, {}};
    for (const ShiftDef& s : l.shifts) layer.shifts.emplace_back(s.id, s.title);
    layer.acknowledge_ms = l.acknowledge_ms;
    layer.steps = l.pattern.size();
    layer.even = !l.pattern.empty() && l.lag == 0;
    info.layers.push_back(std::move(layer));
  }
  return info;
}

RosterInfo info_of(const Roster::Impl& m, const RosterRecord& r, const RosterPeriod& p) {
  RosterInfo info = info_of(*p.definition);
  info.org = r.org;
  info.zone = m.calendar_of(*p.definition).zone();
  info.from_day = p.from_day;
  info.anchor_day = p.anchor_day;
  for (const RosterPeriod& next : r.periods)
    if (next.from_day > p.from_day && info.until_day == 0) info.until_day = next.from_day;
  for (RosterLayer& layer : info.layers)
    if (auto teams = p.layers.find(layer.id); teams != p.layers.end()) layer.teams = teams->second;
  return info;
}

}  // namespace

Result<std::shared_ptr<const RosterDef>> checked_roster(const std::string& source) {
  std::vector<Mistake> mistakes;
  auto definition = read_roster(source, "roster", mistakes);
  if (definition) return definition;
  Problem p = problem(Refusal::invalid, "roster.definition",
                      {"排班表定义有误", "The roster's definition has mistakes"});
  for (const Mistake& m : mistakes)
    p.fields.push_back(
        {"/source/" + std::to_string(m.line) + ":" + std::to_string(m.column), m.text});
  return p;
}

Result<RosterInfo> Roster::read(const std::string& source) {
  auto definition = checked_roster(source);
  if (!definition) return std::move(definition).problem();
  return info_of(**definition);
}

std::vector<RosterInfo> Roster::rosters(std::string_view org, std::int64_t day) const {
  std::vector<RosterInfo> out;
  for (const auto& [key, r] : impl_->rosters)
    if (org.empty() || key.first == org)
      if (const RosterPeriod* p = r.period(day)) out.push_back(info_of(*impl_, r, *p));
  return out;
}

std::vector<RosterInfo> Roster::plans(std::string_view org, std::int64_t day) const {
  std::vector<RosterInfo> out;
  for (const auto& [key, r] : impl_->rosters) {
    if (!org.empty() && key.first != org) continue;
    const RosterPeriod* now = r.period(day);
    for (const RosterPeriod& p : r.periods)
      if (p.definition && (&p == now || p.from_day > day)) out.push_back(info_of(*impl_, r, p));
  }
  return out;
}

std::vector<std::string> Roster::orgs() const {
  std::vector<std::string> out;
  for (const auto& [key, r] : impl_->rosters)
    if (out.empty() || out.back() != key.first) out.push_back(key.first);
  return out;
}

bool Roster::names(std::string_view org, std::string_view person) const {
  if (person.empty()) return false;
  for (auto it = impl_->rosters.lower_bound({std::string(org), ""});
       it != impl_->rosters.end() && it->first.first == org; ++it)
    if (it->second.mentioned.contains(person)) return true;
  return false;
}

std::vector<Candidate> Roster::candidates(const ShiftRef& ref) const {
  const Impl& m = *impl_;
  const RosterRecord* r = m.find(ref.org, ref.roster);
  const RosterPeriod* p = r == nullptr ? nullptr : r->period(ref.day);
  const LayerDef* layer = p == nullptr ? nullptr : p->definition->layer(ref.layer);
  const auto s = m.shift(ref);
  std::vector<Candidate> out;
  if (layer == nullptr || !s) return out;
  // Those of the layer before the rest, so that a limit leaves out the rest.
  std::vector<std::string> people;
  std::set<std::string, std::less<>> once;
  auto add = [&](const std::string& person) {
    if (!s->has(person) && m.parts.identity.is_active_person(person) && once.insert(person).second)
      people.push_back(person);
  };
  if (auto teams = p->layers.find(layer->id); teams != p->layers.end())
    for (const RosterTeam& team : teams->second)
      for (const auto* list : {&team.people, &team.standby})
        for (const std::string& person : *list) add(person);
  for (const auto& [key, until] : m.qualified)
    if (std::find(layer->qualifications.begin(), layer->qualifications.end(), key.second) !=
        layer->qualifications.end())
      add(key.first);
  for (const std::string& person : r->mentioned) add(person);
  for (const std::string& person : people) {
    if (out.size() == candidates_max) break;
    Candidate one{person, m.against(person, *p->definition, *layer, *s)};
    std::erase_if(one.against, [](const Unready& u) { return u.code == "unreachable"; });
    const bool qualified = std::none_of(one.against.begin(), one.against.end(),
                                        [](const Unready& u) { return u.code == "unqualified"; });
    if (qualified) out.push_back(std::move(one));
  }
  std::stable_sort(out.begin(), out.end(), [](const Candidate& a, const Candidate& b) {
    return a.against.size() < b.against.size();
  });
  return out;
}

std::vector<Shift> Roster::following(const Shift& shift) const { return impl_->following(shift); }

}  // namespace cw
