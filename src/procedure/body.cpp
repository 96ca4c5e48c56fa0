#include "body.h"

#include <algorithm>

#include "base/text.h"
#include "remap.h"
#include "sketch.h"

namespace cw {
namespace {

constexpr std::string_view kTaskPhases[] = {"open", "asked", "done", "withdrawn"};
constexpr std::string_view kWhys[] = {"", "condition", "state", "closed"};
constexpr std::string_view kClockPhases[] = {"counting", "still", "stopped", "lifted"};

template <typename E, std::size_t N>
E read_enum(const std::string_view (&words)[N], std::string_view word) {
  for (std::size_t i = 0; i < N; ++i)
    if (words[i] == word) return static_cast<E>(i);
  CW_CHECK(!"an entry with an unknown word");
  return E{};
}

json::value level_json(const Definition& d, int level) {
  return json::string_view(d.levels[level]);
}
std::uint8_t level_value(const Definition& d, const json::value& v) {
  auto it = std::find(d.levels.begin(), d.levels.end(), std::string_view(v.as_string()));
  CW_CHECK(it != d.levels.end());
  return static_cast<std::uint8_t>(it - d.levels.begin());
}

// ---- tasks and clocks: an object replaces the whole state; what is left out is its default ------

json::object task_json(const Engine::Impl& m, const TaskState& t, std::int64_t at_ms,
                       const json::storage_ptr& memory) {
  json::object o(6, memory);
  o.emplace("is", kTaskPhases[static_cast<int>(t.phase)]);
  if (t.opened_ms != at_ms) o.emplace("opened", t.opened_ms);
  if (t.due_ms != never_ms) o.emplace("due", t.due_ms);
  if (t.phase == TaskPhase::done && t.done_ms != at_ms) o.emplace("at", t.done_ms);
  if (t.assignee != 0) o.emplace("for", m.names.text(t.assignee));
  if (t.doer != 0) o.emplace("by", m.names.text(t.doer));
  if (t.evidence != 0) o.emplace("evidence", std::int64_t{t.evidence});
  if (t.why != Why::none) o.emplace("why", kWhys[static_cast<int>(t.why)]);
  if (t.late) o.emplace("late", true);
  if (t.required) o.emplace("required", true);
  return o;
}

TaskState task_value(Engine::Impl& m, const json::object& o, int index, const Entry& e) {
  TaskState t;
  t.task = static_cast<std::uint16_t>(index);
  t.opened_ms = e.at_ms;
  std::int64_t done_ms = e.at_ms;
  for (const auto& [key, v] : o) {
    if (key == "is")
      t.phase = read_enum<TaskPhase>(kTaskPhases, v.as_string());
    else if (key == "opened")
      t.opened_ms = v.as_int64();
    else if (key == "due")
      t.due_ms = v.as_int64();
    else if (key == "at")
      done_ms = v.as_int64();
    else if (key == "for")
      t.assignee = m.names.add(v.as_string());
    else if (key == "by")
      t.doer = m.names.add(v.as_string());
    else if (key == "evidence")
      t.evidence = static_cast<std::uint16_t>(v.as_int64());
    else if (key == "why")
      t.why = read_enum<Why>(kWhys, v.as_string());
    else if (key == "late")
      t.late = v.as_bool();
    else if (key == "required")
      t.required = v.as_bool();
  }
  if (t.phase == TaskPhase::done) t.done_ms = done_ms;
  t.seq = e.seq;
  return t;
}

json::object clock_json(const ClockState& k, std::int64_t at_ms, const json::storage_ptr& memory) {
  json::object o(8, memory);
  bool counting = k.phase == ClockPhase::counting;
  o.emplace("is", kClockPhases[static_cast<int>(k.phase)]);
  if (k.since_ms != at_ms) o.emplace("since", k.since_ms);
  if (k.used_ms != 0) o.emplace("used", k.used_ms);
  if (k.used_natural_ms != k.used_ms) o.emplace("used_natural", k.used_natural_ms);
  if (k.budget_ms != 0) o.emplace("budget", k.budget_ms);
  if (k.natural) o.emplace("natural", true);
  if (k.due_ms != never_ms) o.emplace("due", k.due_ms);
  if (k.next_ms != (counting ? k.due_ms : never_ms))
    o.emplace("next", k.next_ms == never_ms ? 0 : k.next_ms);
  if (k.step != 0) o.emplace("step", std::int64_t{k.step});
  if (k.phase == ClockPhase::stopped && k.stopped_ms != at_ms) o.emplace("stopped", k.stopped_ms);
  return o;
}

ClockState clock_value(const json::object& o, int index, const Entry& e) {
  ClockState k;
  k.clock = static_cast<std::uint8_t>(index);
  k.since_ms = e.at_ms;
  std::int64_t stopped_ms = e.at_ms, next_ms = -1, used_natural_ms = -1;
  const std::pair<std::string_view, std::int64_t*> times[] = {
      {"since", &k.since_ms},   {"used", &k.used_ms}, {"used_natural", &used_natural_ms},
      {"budget", &k.budget_ms}, {"due", &k.due_ms},   {"next", &next_ms},
      {"stopped", &stopped_ms}};
  for (const auto& [key, v] : o) {
    if (key == "is")
      k.phase = read_enum<ClockPhase>(kClockPhases, v.as_string());
    else if (key == "natural")
      k.natural = v.as_bool();
    else if (key == "step")
      k.step = static_cast<std::uint8_t>(v.as_int64());
    for (const auto& [name, into] : times)
      if (key == name) *into = v.as_int64();
  }
  k.used_natural_ms = used_natural_ms >= 0 ? used_natural_ms : k.used_ms;
  if (next_ms > 0) k.next_ms = next_ms;
  if (next_ms < 0 && k.phase == ClockPhase::counting) k.next_ms = k.due_ms;
  if (k.phase == ClockPhase::stopped) k.stopped_ms = stopped_ms;
  return k;
}

// What says nothing about what few cases have.
constexpr std::string_view kOften[] = {"role", "act", "form", "fired", "told"};

void patch_acted(Engine::Impl& m, Case& c, const Entry& e) {
  const json::value* role = e.body.if_contains("role");
  if (!role) return;
  int index = m.of(c).definition->role(role->as_string());
  if (index < 0) return;
  auto add = [&](std::string_view person) {
    Acted a{m.names.add(person), static_cast<std::uint16_t>(index)};
    if (std::find(c.acted.begin(), c.acted.end(), a) == c.acted.end()) c.acted.push_back(a);
  };
  add(e.actor);
  if (auto holder = acted_for(e.basis); !holder.empty()) add(holder);
}

}  // namespace

json::value fact_json(const FactDef& fact, Value value, const Names& names) {
  if (value == null_value) return nullptr;
  switch (fact.type) {
    case FieldType::boolean:
      return value != 0;
    case FieldType::enumeration:
      return json::string_view(fact.values[value]);
    case FieldType::reference:
      return json::string_view(names.text(static_cast<Name>(value)));
    default:
      return value;
  }
}

Value fact_value(const FactDef& fact, const json::value& value, Names& names) {
  if (value.is_null()) return null_value;
  switch (fact.type) {
    case FieldType::boolean:
      return value.as_bool() ? 1 : 0;
    case FieldType::enumeration:
      return known(fact.ordinal(value.as_string()));
    case FieldType::reference:
      return names.add(value.as_string());
    default:
      return value.is_uint64() ? static_cast<Value>(value.as_uint64()) : value.as_int64();
  }
}

// A task of the state the case is in goes by its id, another by "state.id".
std::string task_key(const Definition& d, const Case& c, int task) {
  const TaskDef& def = d.tasks[task];
  return def.state == c.state ? def.id : d.states[def.state].id + "." + def.id;
}

int task_of_key(const Definition& d, const Case& c, std::string_view key) {
  std::size_t dot = key.find('.');
  if (dot == std::string_view::npos) return known(d.task(c.state, key));
  return known(d.task(known(d.state(key.substr(0, dot))), key.substr(dot + 1)));
}

void difference(const Engine::Impl& m, const Case& was, const Case& is, std::int64_t at_ms,
                json::object& body) {
  const Definition& d = *m.of(is).definition;
  const json::storage_ptr memory = body.storage();
  json::object facts(memory), tasks(memory), clocks(memory);
  for (std::size_t i = 0; i < is.facts.size(); ++i)
    if (i >= was.facts.size() ? is.facts[i] != null_value : is.facts[i] != was.facts[i])
      facts.emplace(d.facts[i].id, fact_json(d.facts[i], is.facts[i], m.names));
  if (!facts.empty()) body.emplace("facts", std::move(facts));
  if (is.entries != was.entries) body.emplace("to", json::string_view(d.states[is.state].id));
  if (is.closed && !was.closed && !d.states[is.state].final) body.emplace("closed", true);
  if (is.level != was.level) body.emplace("level", level_json(d, is.level));
  if (is.raised != was.raised) body.emplace("raised", level_json(d, is.raised));
  if (is.held != was.held) body.emplace("held", level_json(d, is.held));
  if (is.commander != was.commander)
    body.emplace("commander", json::string_view(m.names.text(is.commander)));
  auto flags = [&](const char* key, std::uint64_t which) {
    json::array names;
    for (std::size_t i = 0; i < d.flags.size(); ++i)
      if (which >> i & 1) names.emplace_back(json::string_view(d.flags[i]));
    if (!names.empty()) body.emplace(key, std::move(names));
  };
  flags("flags", is.flags & ~was.flags);
  flags("unflags", was.flags & ~is.flags);
  for (const TaskState& t : is.tasks)
    if (const TaskState* old = was.task(t.task); !old || !old->same(t))
      tasks.emplace(task_key(d, is, t.task), task_json(m, t, at_ms, memory));
  if (!tasks.empty()) body.emplace("tasks", std::move(tasks));
  for (const ClockState& k : is.clocks)
    if (const ClockState* old = was.clock(k.clock); !old || !old->same(k))
      clocks.emplace(d.clocks[k.clock].id, clock_json(k, at_ms, memory));
  if (!clocks.empty()) body.emplace("clocks", std::move(clocks));
  if (is.rare) rare_difference(m, was, is, body);
}

void patch(Engine::Impl& m, Case& c, const Entry& e) {
  if (e.kind == "case.migrate") apply_migration(m, c, e);
  const Definition& d = *m.of(c).definition;
  const json::object& body = e.body;
  const json::value *tasks = nullptr, *clocks = nullptr;
  bool has_rare = false;
  bool moved = false;
  std::string_view taken = text_or(body, "act");
  if (e.kind == "case.act" || e.kind == "case.auto") taken = e.name;
  int action = taken.empty() ? -1 : d.action(c.state, taken);
  for (const auto& [key, value] : body) {
    if (key == "facts") {
      for (const auto& [id, v] : value.as_object()) {
        int fact = known(d.fact(id));
        c.facts[fact] = fact_value(d.facts[fact], v, m.names);
        c.marks[fact] = {e.seq, e.at_ms, m.names.add(e.actor)};
      }
    } else if (key == "to") {
      std::atomic_ref(c.state).store(static_cast<std::uint16_t>(known(d.state(value.as_string()))),
                                     std::memory_order_relaxed);  // see Engine::Impl::hint
      c.entered_ms = e.at_ms;
      c.entries += 1;
      moved = true;
      if (d.states[c.state].final) c.closed = true, c.closed_ms = e.at_ms;
    } else if (key == "closed") {
      c.closed = true, c.closed_ms = e.at_ms;
    } else if (key == "level") {
      c.level = level_value(d, value);
    } else if (key == "raised") {
      c.raised = level_value(d, value);
    } else if (key == "held") {
      c.held = level_value(d, value);
    } else if (key == "commander") {
      c.commander = m.names.add(value.as_string());
    } else if (key == "flags" || key == "unflags") {
      for (const json::value& v : value.as_array()) {
        auto it = std::find(d.flags.begin(), d.flags.end(), std::string_view(v.as_string()));
        const std::uint64_t bit = std::uint64_t{1} << (it - d.flags.begin());
        c.flags = key == "flags" ? c.flags | bit : c.flags & ~bit;
      }
    } else if (key == "tasks") {
      tasks = &value;
    } else if (key == "clocks") {
      clocks = &value;
    } else {
      has_rare |= std::find(std::begin(kOften), std::end(kOften), std::string_view(key)) ==
                  std::end(kOften);
    }
  }
  if (tasks)
    for (const auto& [id, v] : tasks->as_object()) {
      int index = task_of_key(d, c, id);
      TaskState* t = c.task(index);
      if (!t) t = &c.add_task(index);
      std::uint32_t generation = t->generation + 1;
      *t = task_value(m, v.as_object(), index, e);
      t->generation = generation;
    }
  if (clocks)
    for (const auto& [id, v] : clocks->as_object()) {
      int index = known(d.clock(id));
      ClockState* k = c.clock(index);
      if (!k) k = &c.add_clock(index);
      std::uint32_t generation = k->generation + 1;
      *k = clock_value(v.as_object(), index, e);
      k->generation = generation;
    }
  if (has_rare) patch_rare(m, c, e);
  if (moved) {
    c.taken = 0;
  } else if (action >= 0 && d.actions[action].once) {
    const std::vector<int>& here = d.states[c.state].actions;
    c.taken |= std::uint64_t{1} << (std::find(here.begin(), here.end(), action) - here.begin());
  }
  patch_acted(m, c, e);
  c.last_seq = e.seq;
}

Case started(Engine::Impl& m, const Entry& e) {
  const json::object& body = e.body;
  Case c;
  c.key = *case_key(e.case_id);
  auto installed = m.current.find(e.procedure);
  CW_CHECK(installed != m.current.end());
  c.definition = installed->second;
  const Definition& d = *m.of(c).definition;
  c.facts.assign(d.facts.size(), null_value);
  c.marks.assign(d.facts.size(), {});
  c.org = m.names.add(text_or(body, "org"));
  c.starter = m.names.add(e.actor);
  c.subject = m.names.add(text_or(body, "subject"));
  std::string_view number = text_or(body, "number");
  std::size_t dash = number.rfind('-');
  c.series = m.names.add(number.substr(0, dash));
  c.number = to_int<std::uint32_t>(number.substr(dash + 1)).value_or(0);
  c.drill = text_or(body, "mode") == "drill";
  c.compress = static_cast<std::uint16_t>(int_or(body, "compress", 1));
  if (const json::value* parent = body.if_contains("parent"))
    c.parent = m.slot_of(parent->as_string());
  c.opened_ms = e.at_ms;
  c.first_seq = e.seq;
  patch(m, c, e);
  return c;
}

}  // namespace cw
