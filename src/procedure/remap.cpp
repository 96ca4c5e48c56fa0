#include "remap.h"

#include <algorithm>
#include <mutex>

namespace cw {
namespace {

// "" = let go; nothing = the map is silent.
std::optional<std::string> said(const std::map<std::string, std::string>& map,
                                const std::string& name) {
  auto it = map.find(name);
  return it == map.end() ? std::nullopt : std::optional(it->second);
}

int name_index(const std::vector<std::string>& names, std::string_view name) {
  auto it = std::find(names.begin(), names.end(), name);
  return it == names.end() ? -1 : static_cast<int>(it - names.begin());
}

std::string task_name(const Definition& d, const TaskDef& t) {
  return d.states[t.state].id + "." + t.id;
}

int task_named(const Definition& d, std::string_view name) {
  const std::size_t dot = name.find('.');
  const int state = dot == std::string_view::npos ? -1 : d.state(name.substr(0, dot));
  return state < 0 ? -1 : d.task(state, name.substr(dot + 1));
}

// A fact of another type, or with narrower bounds, is another fact only where its value shows it.
bool same_type(const FactDef& a, const FactDef& b) { return a.type == b.type && a.ref == b.ref; }

void keep_only(const std::map<std::string, std::string>& map, const std::string& name,
               std::map<std::string, std::string>& out) {
  if (auto it = map.find(name); it != map.end()) out.insert(*it);
}

// How many steps of the new clock lie at or before the last one that was fired under the old.
std::uint8_t step_after(const std::vector<ClockStep>& before, const std::vector<ClockStep>& after,
                        std::uint8_t step) {
  if (step == 0) return 0;
  const ClockStep& last = before[step - 1];
  std::uint8_t n = 0;
  for (const ClockStep& s : after) {
    // At one percent effects come first: an expiry is passed only when it was the last.
    if (s.percent > last.percent || (s.percent == last.percent && s.mark < 0 && last.mark >= 0))
      break;
    ++n;
  }
  return n;
}

}  // namespace

Remap::Remap(const Installed& old_one, const Installed& new_one, const MigrationMap& map)
    : before(old_one), after(new_one) {
  const Definition &a = *before.definition, &b = *after.definition;
  for (const StateDef& s : a.states)
    states.push_back(b.state(said(map.states, s.id).value_or(s.id)));
  for (const TaskDef& t : a.tasks) {
    const auto given = said(map.tasks, task_name(a, t));
    const int state = states[t.state];
    tasks.push_back(given ? task_named(b, *given) : state < 0 ? -1 : b.task(state, t.id));
    let_go_tasks.push_back(given && given->empty());
  }
  for (const ActionDef& x : a.actions) {
    const int state = states[x.state];
    actions.push_back(state < 0 ? -1 : b.action(state, x.id));
  }
  for (const ClockDef& k : a.clocks) {
    const auto given = said(map.clocks, k.id);
    int index = b.clock(given.value_or(k.id));
    if (index >= 0 && b.clocks[index].kind != k.kind) index = -1;
    clocks.push_back(index);
    let_go_clocks.push_back(given && given->empty());
  }
  for (const FactDef& f : a.facts) {
    const auto given = said(map.facts, f.id);
    int index = b.fact(given.value_or(f.id));
    if (index >= 0 && !same_type(f, b.facts[index])) index = -1;
    facts.push_back(index);
    let_go_facts.push_back(given && given->empty());
    std::vector<int> ordinals;
    for (const std::string& v : f.values)
      ordinals.push_back(index < 0 ? -1 : b.facts[index].ordinal(v));
    values.push_back(std::move(ordinals));
  }
  for (const RoleDef& r : a.roles) roles.push_back(b.role(said(map.roles, r.id).value_or(r.id)));
  for (const FormUse& f : a.forms) forms.push_back(b.form(f.form->id));
  for (const std::string& f : a.flags) flags.push_back(name_index(b.flags, f));
  for (const std::string& l : a.levels) levels.push_back(name_index(b.levels, l));
  for (const std::string& c : a.children) children.push_back(name_index(b.children, c));
}

std::optional<Value> Remap::value(int fact, Value old) const {
  if (old == null_value) return null_value;
  const int index = facts[fact];
  if (index < 0) return std::nullopt;
  const FactDef& def = after.definition->facts[index];
  if (def.type == FieldType::enumeration) {
    const int ordinal = values[fact][static_cast<std::size_t>(old)];
    return ordinal < 0 ? std::nullopt : std::optional<Value>(ordinal);
  }
  if (def.type == FieldType::integer && (old < def.minimum || old > def.maximum))
    return std::nullopt;
  return old;
}

Case Remap::of(const Case& c, std::uint16_t place) const {
  const Definition &a = *before.definition, &b = *after.definition;
  Case out = c;
  out.definition = place;
  out.state = static_cast<std::uint16_t>(states[c.state]);
  auto level = [&](std::uint8_t old) {
    const int to = a.levels.empty() ? 0 : levels[old];
    return static_cast<std::uint8_t>(std::max(to, 0));
  };
  out.level = level(c.level), out.raised = level(c.raised), out.held = level(c.held);
  out.flags = 0;
  for (std::size_t i = 0; i < flags.size(); ++i)
    if (c.flags >> i & 1 && flags[i] >= 0) out.flags |= std::uint64_t{1} << flags[i];
  out.taken = 0;
  const std::vector<int>& there = b.states[out.state].actions;
  const std::vector<int>& here = a.states[c.state].actions;
  for (std::size_t i = 0; i < here.size() && i < 64; ++i) {
    if (!(c.taken >> i & 1)) continue;
    auto it = std::find(there.begin(), there.end(), actions[here[i]]);
    if (it != there.end()) out.taken |= std::uint64_t{1} << (it - there.begin());
  }
  out.facts.assign(b.facts.size(), null_value);
  out.marks.assign(b.facts.size(), {});
  for (std::size_t i = 0; i < c.facts.size(); ++i) {
    const std::optional<Value> v = value(static_cast<int>(i), c.facts[i]);
    if (facts[i] < 0 || !v || *v == null_value) continue;
    out.facts[facts[i]] = *v;
    out.marks[facts[i]] = c.marks[i];
  }
  out.tasks.clear();
  for (const bool of_state : {true, false})  // where two become one, the present state's stays
    for (const TaskState& t : c.tasks) {
      if ((a.tasks[t.task].state == c.state) != of_state) continue;
      if (tasks[t.task] < 0 || out.task(tasks[t.task])) continue;
      TaskState& moved = out.add_task(tasks[t.task]);
      moved = t;
      moved.task = static_cast<std::uint16_t>(tasks[t.task]);
    }
  out.clocks.clear();
  for (const ClockState& k : c.clocks)
    if (clocks[k.clock] >= 0 && !out.clock(clocks[k.clock])) {
      ClockState& moved = out.add_clock(clocks[k.clock]);
      moved = k;
      moved.clock = static_cast<std::uint8_t>(clocks[k.clock]);
      moved.step = step_after(before.steps[k.clock], after.steps[moved.clock], k.step);
    }
  out.acted.clear();
  for (const Acted& who : c.acted)
    if (roles[who.role] >= 0)
      out.acted.push_back({who.person, static_cast<std::uint16_t>(roles[who.role])});
  if (!out.rare) return out;
  Rare& r = *out.rare;
  for (Asked& q : r.asked) {
    q.index = static_cast<std::uint16_t>(q.task ? tasks[q.index] : actions[q.index]);
    std::vector<std::pair<std::uint16_t, Value>> moved;
    for (auto [fact, v] : q.facts)
      if (facts[fact] >= 0)
        moved.emplace_back(static_cast<std::uint16_t>(facts[fact]),
                           value(fact, v).value_or(null_value));
    std::sort(moved.begin(), moved.end());
    q.facts = std::move(moved);
  }
  for (Child& child : r.children)
    child.as = static_cast<std::uint16_t>(a.children.empty() ? 0 : std::max(children[child.as], 0));
  std::erase_if(r.forms, [&](const LatestForm& f) { return forms[f.form] < 0; });
  for (LatestForm& f : r.forms) f.form = static_cast<std::uint16_t>(forms[f.form]);
  std::sort(r.forms.begin(), r.forms.end(),
            [](const LatestForm& x, const LatestForm& y) { return x.form < y.form; });
  return out;
}

MigrationMap relevant(const MigrationMap& map, const Definition& d, const Case& c) {
  MigrationMap out;
  keep_only(map.states, d.states[c.state].id, out.states);
  for (const TaskState& t : c.tasks) {
    keep_only(map.states, d.states[d.tasks[t.task].state].id, out.states);
    keep_only(map.tasks, task_name(d, d.tasks[t.task]), out.tasks);
  }
  for (const ClockState& k : c.clocks) keep_only(map.clocks, d.clocks[k.clock].id, out.clocks);
  for (std::size_t i = 0; i < c.facts.size(); ++i)
    if (c.facts[i] != null_value) keep_only(map.facts, d.facts[i].id, out.facts);
  if (c.rare)
    for (const Asked& q : c.rare->asked)
      for (const auto& [fact, v] : q.facts) keep_only(map.facts, d.facts[fact].id, out.facts);
  for (const Acted& who : c.acted) keep_only(map.roles, d.roles[who.role].id, out.roles);
  return out;
}

void apply_migration(Engine::Impl& m, Case& c, const Entry& e) {
  const std::uint16_t place = m.install(e.procedure, std::string(text_or(e.body, "digest")));
  MigrationMap map;
  if (const json::value* given = e.body.if_contains("map")) map = migration_map(given->as_object());
  const Remap remap(m.of(c), m.installed[place], map);
  Case moved = remap.of(c, place);
  // Others look at a case's definition and state under the gate alone: Engine::Impl::hint.
  std::unique_lock lock(m.gate);
  c = std::move(moved);
}

namespace {

constexpr const char* kMaps[] = {"states", "tasks", "clocks", "facts", "roles"};

auto maps_of(auto& map) {
  return std::array{&map.states, &map.tasks, &map.clocks, &map.facts, &map.roles};
}

}  // namespace

json::object to_json(const MigrationMap& map) {
  json::object out;
  const auto maps = maps_of(map);
  for (std::size_t i = 0; i < maps.size(); ++i) {
    json::object names;
    for (const auto& [from, to] : *maps[i]) names[from] = to;
    if (!names.empty()) out[kMaps[i]] = std::move(names);
  }
  return out;
}

MigrationMap migration_map(const json::object& o) {
  MigrationMap out;
  const auto maps = maps_of(out);
  for (std::size_t i = 0; i < maps.size(); ++i)
    if (const json::value* names = o.if_contains(kMaps[i]))
      for (const auto& [from, to] : names->as_object())
        (*maps[i])[std::string(from)] = to.as_string();
  return out;
}

}  // namespace cw
