#include "sketch.h"

#include <algorithm>
#include <utility>

#include "base/id.h"
#include "base/log.h"

namespace cw {
namespace {

constexpr int kSettleRounds = 8;        // facts → level → tasks → late effects → facts …
constexpr std::size_t kOpenings = 200;  // children of one effect
constexpr std::size_t kSeated = 1'000;  // whose standing counts in one restricted case

std::int64_t task_due(const TaskDef& def, const Calendar* calendar, std::int64_t from_ms,
                      const std::vector<Value>& facts) {
  if (def.limit.none()) return never_ms;
  const Span span = span_for(def.limit, facts, *calendar, from_ms);
  return calendar->due_ms(from_ms, calendar->budget(span, from_ms));
}

}  // namespace

Sketch::Sketch(Engine::Impl& impl, const Case& original, std::int64_t now_ms, Name who)
    : m(impl), in(impl.of(original)), d(*in.definition), now(now_ms), actor(who) {
  if (!m.spare.empty()) {
    c = std::move(m.spare.back());
    m.spare.pop_back();
  }
  c = original;
}

Sketch::~Sketch() {
  if (m.spare.size() < 8) m.spare.push_back(std::move(c));
}

Scope Sketch::scope() const {
  Scope s = scope_of(m, c);
  s.form = values;
  s.actor = actor;
  return s;
}

Scope scope_of(const Engine::Impl& m, const Case& c) {
  const Definition& d = *m.of(c).definition;
  Scope s;
  s.facts = c.facts;
  s.tasks_done = true;
  const std::vector<int>& tasks = d.states[c.state].tasks;
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    const TaskState* t = c.task(tasks[i]);
    if (t && t->pending())
      s.tasks_done = false;
    else
      s.tasks |= std::uint64_t{1} << i;
  }
  s.children = ~std::uint64_t{0};
  if (c.rare)
    for (const Child& child : c.rare->children)
      if (m.child_open(child)) s.children &= ~(std::uint64_t{1} << child.as);
  return s;
}

void Sketch::take_form(int form_index, const json::object& filled_form) {
  form = form_index;
  filled = &filled_form;
  values = form_values(d, d.forms[form_index], filled_form,
                       [this](std::string_view id) { return Value{m.names.add(id)}; });
}

void Sketch::keep_form(const std::string& content) {
  if (form < 0 || !in.each_form[form]) return;
  auto& list = c.extra().forms;
  std::erase_if(list, [&](const LatestForm& f) { return f.form == form; });
  auto at = std::find_if(list.begin(), list.end(), [&](auto& f) { return f.form > form; });
  list.insert(at, {static_cast<std::uint16_t>(form), content});
}

void Sketch::set_fact(int fact, Value value) {
  if (c.facts[fact] == value) return;
  c.facts[fact] = value;
  dirty_ = true;
}

// A field that was left empty says nothing about the fact.
void Sketch::set_form_facts() {
  if (form < 0) return;
  const FormUse& use = d.forms[form];
  for (std::size_t i = 0; i < use.facts.size(); ++i)
    if (use.facts[i] >= 0 && values[i] != null_value) set_fact(use.facts[i], values[i]);
}

void Sketch::assign(const std::vector<Assignment>& list) {
  for (const Assignment& a : list) {
    switch (a.from) {
      case Assignment::From::literal:
        set_fact(a.fact, a.literal);
        break;
      case Assignment::From::actor:
        set_fact(a.fact, actor);
        break;
      case Assignment::From::now:
        set_fact(a.fact, now);
        break;
      case Assignment::From::field:
        if (a.field < static_cast<int>(values.size()) && values[a.field] != null_value)
          set_fact(a.fact, values[a.field]);
        break;
    }
  }
}

// ---- effects -----------------------------------------------------------------------------------

Notice Sketch::notice(Notice::About about, std::string name, Text text) const {
  Notice n;
  n.about = about;
  n.case_id = case_id(c.key);
  n.number = m.number_of(c);
  n.procedure = in.name;
  n.org = m.names.text(c.org);
  n.title = d.title;
  n.mode = c.drill ? CaseMode::drill : CaseMode::live;
  n.name = std::move(name);
  n.text = std::move(text);
  return n;
}

void Sketch::tell(const std::vector<int>& roles, Notice::About about, std::string name, Text text,
                  int percent, std::int64_t due_ms) {
  Notice n = notice(about, std::move(name), std::move(text));
  n.percent = percent;
  n.due_ms = due_ms == never_ms ? 0 : due_ms;
  json::array names, people;
  for (int role : roles) {
    n.roles.push_back(d.roles[role].id);
    names.emplace_back(d.roles[role].id);
    for (std::string& person : people_of(role)) {
      if (std::find(n.people.begin(), n.people.end(), person) != n.people.end()) continue;
      people.emplace_back(person);
      n.people.push_back(std::move(person));
    }
  }
  told.push_back(json::object{{"roles", std::move(names)}, {"people", std::move(people)}});
  notices.push_back(std::move(n));
}

std::optional<json::value> Sketch::form_list(const Effect& effect) {
  const std::string& field = d.forms[effect.form].form->fields[effect.field].name;
  if (form == effect.form && filled) {
    const json::value* list = filled->if_contains(field);
    return list ? *list : json::value(json::array());  // left empty: nothing to open
  }
  if (!c.rare) return std::nullopt;
  for (const LatestForm& f : c.rare->forms) {
    if (f.form != effect.form) continue;
    Result<std::string> text = m.parts.sealed.open(f.content);
    if (!text) return std::nullopt;
    auto parsed = parse_json(*text, {.size_max = 8 << 20});
    if (!parsed || !parsed->is_object()) return std::nullopt;
    const json::value* list = parsed->as_object().if_contains(field);
    return list ? *list : json::value(json::array());  // left empty: nothing to open
  }
  return std::nullopt;
}

// One child, or one per item of a list. Where the form was erased meanwhile, one child without a
// form is opened, so that the work is not lost with it.
void Sketch::open_children(const Effect& effect) {
  auto add = [&](std::optional<json::object> child_form) {
    Opening o;
    o.case_id = new_id("cas", now, m.parts.random);
    o.procedure = effect.procedure;
    o.child = effect.child;
    o.drill = effect.drill || c.drill;
    o.form = std::move(child_form);
    c.extra().children.push_back(
        {static_cast<std::uint16_t>(std::max(effect.child, 0)), *case_key(o.case_id)});
    openings.push_back(std::move(o));
  };
  if (effect.form < 0) return add(std::nullopt);
  std::optional<json::value> list = form_list(effect);
  if (!list || !list->is_array()) return add(std::nullopt);
  std::size_t count = std::min(list->as_array().size(), kOpenings);
  for (std::size_t i = 0; i < count; ++i) {
    json::value& item = list->as_array()[i];
    add(item.is_object() ? std::optional(item.as_object()) : std::nullopt);
  }
}

void Sketch::run(const std::vector<Effect>& effects) {
  for (const Effect& e : effects) {
    switch (e.kind) {
      case Effect::Kind::set:
        assign(e.set);
        break;
      case Effect::Kind::raise: {
        int top = static_cast<int>(d.levels.size()) - 1;
        if (top <= c.level) break;  // escalation stops at the top
        c.raised = static_cast<std::uint8_t>(std::min(top, c.level + e.raise));
        dirty_ = true;
        settle_level();  // what follows already reaches the new chief
        break;
      }
      case Effect::Kind::notify:
        tell(e.roles, cause_.about, cause_.name.empty() ? d.states[c.state].id : cause_.name,
             cause_.name.empty() ? d.states[c.state].title : cause_.text, cause_.percent,
             cause_.due_ms);
        break;
      case Effect::Kind::open:
        if (m.procedure(e.procedure))
          open_children(e);
        else
          log_error("procedure", "{} cannot open {}: no such procedure", in.name, e.procedure);
        break;
      case Effect::Kind::flag:
        c.flags |= std::uint64_t{1} << e.flag;
        break;
      case Effect::Kind::require: {
        TaskState* t = c.task(e.task);
        if (!t) {
          t = &c.add_task(e.task);
          t->phase = TaskPhase::withdrawn;
        }
        t->required = true;
        dirty_ = true;
        break;
      }
      case Effect::Kind::link: {
        if (c.facts[e.fact] == null_value) break;
        Link link{m.names.add("link"), static_cast<Name>(c.facts[e.fact])};
        auto& links = c.extra().links;
        if (std::find(links.begin(), links.end(), link) == links.end()) links.push_back(link);
        break;
      }
      case Effect::Kind::send: {
        Sending s;
        s.name = "effect";
        s.text = e.text;
        for (int role : e.roles) {
          s.roles.push_back(d.roles[role].id);
          for (std::string& person : people_of(role)) s.people.push_back(std::move(person));
        }
        sendings.push_back(std::move(s));
        break;
      }
    }
  }
}

// ---- level and tasks
// -----------------------------------------------------------------------------

void Sketch::settle() {
  for (int round = 0; round < kSettleRounds; ++round) {
    dirty_ = false;
    settle_level();
    if (!c.closed) settle_tasks();
    if (!c.closed) settle_clocks();
    if (!dirty_) return;
  }
}

void Sketch::settle_level() {
  if (d.levels.empty()) return;
  int level = c.raised;
  if (d.floor_key >= 0 && c.facts[d.floor_key] != null_value)
    level = std::max(level, d.floor[c.facts[d.floor_key]]);
  const bool moved = c.level != level;
  c.level = static_cast<std::uint8_t>(level);
  set_fact(0, level);
  if (!moved || d.readers.none() || c.entries == 0) return;
  for (std::size_t i = 0; i < d.roles.size(); ++i)  // a new chief reads before taking command
    if (d.roles[i].kind == RoleDef::Kind::level_chief) seat({static_cast<int>(i)});
}

void Sketch::seat(const std::vector<int>& roles) {
  std::vector<Admitted>& seated = c.extra().seated;
  for (int role : roles) {
    const RoleDef::Kind kind = d.roles[role].kind;
    if (kind == RoleDef::Kind::field || kind == RoleDef::Kind::subject) continue;  // in the case
    for (const std::string& person : people_of(role)) {
      const Name name = m.names.add(person);
      const bool has = std::any_of(seated.begin(), seated.end(),
                                   [&](const Admitted& a) { return a.person == name; });
      if (!has && seated.size() < kSeated) seated.push_back({name, now});
    }
  }
}

bool Sketch::needed(int task) const {
  const TaskState* t = c.task(task);
  return (t && t->required) || d.tasks[task].when.holds(scope());
}

void Sketch::open_task(int task) {
  TaskState* t = c.task(task);
  if (!t) t = &c.add_task(task);
  bool required = t->required;
  std::uint32_t generation = t->generation;
  *t = TaskState{.opened_ms = now,
                 .generation = generation,
                 .task = static_cast<std::uint16_t>(task),
                 .required = required};
  t->due_ms = task_due(d.tasks[task], in.task_calendars[task].get(), now, c.facts);
}

void Sketch::withdraw(int task, Why why) {
  check_late(task);
  drop_asked(true, task);
  c.task(task)->phase = TaskPhase::withdrawn;
  c.task(task)->why = why;
}

void Sketch::drop_asked(bool task, int index) {
  if (c.rare)
    std::erase_if(c.rare->asked,
                  [&](const Asked& a) { return a.task == task && a.index == index; });
}

void Sketch::settle_tasks() {
  for (int i : d.states[c.state].tasks) {
    bool need = needed(i);
    TaskState* t = c.task(i);
    if (!t || t->phase == TaskPhase::withdrawn) {
      if (need) open_task(i);
    } else if (t->pending() && !need) {
      withdraw(i, Why::condition);
    } else if (t->pending() && d.tasks[i].limit.key >= 0) {
      std::int64_t due = task_due(d.tasks[i], in.task_calendars[i].get(), t->opened_ms, c.facts);
      if (due != t->due_ms) {
        if (!amending_) check_late(i);  // what the old limit already missed stays missed
        t = c.task(i);
        t->due_ms = due;
        if (due > now) t->late = false;
      }
    }
  }
}

void Sketch::check_late(int task) {
  if (c.task(task)->timer() <= now) fire_task(task);
}

void Sketch::fire_task(int task) {
  const TaskDef& def = d.tasks[task];
  TaskState& t = *c.task(task);
  t.late = true;
  fired.push_back(
      json::object{{"task", def.id}, {"due_at", t.due_ms}, {"gen", std::int64_t{t.generation}}});
  Cause before =
      std::exchange(cause_, {Notice::About::task_late, def.id, def.title, 100, t.due_ms});
  run(def.late);
  cause_ = std::move(before);
}

// ---- states
// --------------------------------------------------------------------------------------

void Sketch::begin() {
  set_form_facts();
  assign(d.start_set);
  settle_level();
  enter(d.start_state);
  moment(Moment::Kind::start, -1);
  settle();
  c.held = c.level;  // nobody handed it over
}

// Roles read from the moment in which the case first concerns them.
void Sketch::seat_for(int state) {
  if (!c.rare || c.rare->seated.empty()) seat(d.readers.roles);
  seat(roles_in(d, state));
}

void Sketch::enter(int state) {
  bool first = c.entries == 0;
  int from = c.state;
  if (!first)
    for (int i : d.states[from].tasks)
      if (TaskState* t = c.task(i); t && t->pending()) withdraw(i, Why::state);
  if (c.rare) std::erase_if(c.rare->asked, [&](const Asked& a) { return !a.task; });
  c.state = static_cast<std::uint16_t>(state);
  c.entered_ms = now;
  c.entries += 1;
  c.taken = 0;
  if (!d.readers.none()) seat_for(state);
  for (std::size_t i = 0; i < d.clocks.size(); ++i) {
    const ClockDef& def = d.clocks[i];
    ClockState* k = c.clock(static_cast<int>(i));
    if (!k || !def.reset_on_entry || !runs_in(def, state) || (!first && runs_in(def, from)))
      continue;
    *k = ClockState{.since_ms = now,
                    .generation = k->generation,
                    .clock = k->clock,
                    .phase = ClockPhase::still};
  }
  // A stay is a new round: what is needed in it is needed anew, and what was done in an earlier one
  // does not answer for what this one may come to need.
  for (int i : d.states[state].tasks) {
    if (needed(i)) {
      open_task(i);
    } else if (TaskState* t = c.task(i); t && t->phase == TaskPhase::done) {
      t->phase = TaskPhase::withdrawn;
      t->why = Why::condition;
      t->done_ms = 0;
    }
  }
  run(d.states[state].enter);
  moment(Moment::Kind::state, state);
  settle();
  if (d.states[state].final) close();
}

void Sketch::perform(int action) {
  const ActionDef& def = d.actions[action];
  if (def.once) {
    const std::vector<int>& here = d.states[c.state].actions;
    auto place = std::find(here.begin(), here.end(), action) - here.begin();
    if (place < 64) c.taken |= std::uint64_t{1} << place;
  }
  assign(def.set);
  settle();
  Cause before = std::exchange(cause_, {Notice::About::effect, def.id, def.title, 0, 0});
  run(def.effects);
  cause_ = std::move(before);
  moment(Moment::Kind::action, action);
  settle();
  if (def.to >= 0) enter(def.to);
}

void Sketch::finish_task(int task, Name doer, int evidence) {
  const TaskDef& def = d.tasks[task];
  check_late(task);
  TaskState& t = *c.task(task);
  t.phase = TaskPhase::done;
  t.done_ms = now;
  t.doer = doer;
  t.evidence = static_cast<std::uint16_t>(evidence);
  assign(def.set);
  settle();
  Cause before = std::exchange(cause_, {Notice::About::effect, def.id, def.title, 0, 0});
  run(def.effects);
  cause_ = std::move(before);
  moment(Moment::Kind::task, task);
  settle();
}

void Sketch::close() {
  for (std::size_t i = 0; i < c.tasks.size(); ++i)
    if (c.tasks[i].pending()) withdraw(c.tasks[i].task, Why::closed);
  for (ClockState& k : c.clocks)  // what was lifted ends as it is: it is neither met nor missed
    if (k.phase != ClockPhase::stopped && k.phase != ClockPhase::lifted) stop(k.clock);
  if (c.rare) c.rare->asked.clear();
  c.closed = true;
  c.closed_ms = now;
}

int Sketch::upon(int clock) const {
  if (c.closed) return -1;
  for (int i : d.states[c.state].actions)
    if (d.actions[i].kind == ActionDef::Kind::upon && d.actions[i].clock == clock) return i;
  return -1;
}

}  // namespace cw
