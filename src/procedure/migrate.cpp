// Open cases go on under another version: judged case by case, told before it is done, one entry
// each. Replay applies what the entry says (remap.h) and judges nothing.
#include <algorithm>

#include "body.h"
#include "passed.h"
#include "remap.h"
#include "turn.h"

namespace cw {
namespace {

constexpr std::size_t kLookMax = 20'000;   // cases one batch looks at
constexpr std::size_t kEntryMax = 60'000;  // bytes of an entry's body

struct Refusing {
  std::string code, what;
  Text why;
};

Refusing lacks(const char* code, const std::string& what, const Text& noun) {
  return {code,
          what,
          {noun.zh + "“" + what + "”在新版本中没有对应",
           "The new version has no counterpart for " + noun.en + " '" + what + "'"}};
}

// Why a case cannot go on under the new version.
std::optional<Refusing> refusing(const Engine::Impl& m, const Case& c, const Remap& r) {
  const Definition &d = *r.before.definition, &to = *r.after.definition;
  const StateDef& state = d.states[c.state];
  if (c.drill) return Refusing{"drill", "", {"演练不迁移", "A drill is not migrated"}};
  if (r.states[c.state] < 0) return lacks("state", state.id, {"状态", "the state"});
  if (to.states[r.states[c.state]].final)
    return Refusing{
        "state", state.id, {"不能迁移到办结状态", "A case does not move into a final state"}};
  for (const TaskState& t : c.tasks)
    if (t.pending() && r.tasks[t.task] < 0 && !r.let_go_tasks[t.task])
      return lacks("task", d.states[d.tasks[t.task].state].id + "." + d.tasks[t.task].id,
                   {"未完成的任务", "the open task"});
    else if (t.pending() && r.tasks[t.task] >= 0 &&
             to.tasks[r.tasks[t.task]].state != r.states[c.state])
      return lacks("task", d.tasks[t.task].id,
                   {"任务（所在状态不同）", "the task (in another state)"});
  for (const ClockState& k : c.clocks)
    if (k.phase != ClockPhase::stopped && k.budget_ms != 0 && r.clocks[k.clock] < 0 &&
        !r.let_go_clocks[k.clock])
      return lacks("clock", d.clocks[k.clock].id, {"时限", "the clock"});
  for (std::size_t i = 0; i < c.facts.size(); ++i) {
    if (c.facts[i] == null_value || r.let_go_facts[i]) continue;
    if (r.facts[i] < 0) return lacks("fact", d.facts[i].id, {"事实", "the fact"});
    if (!r.value(static_cast<int>(i), c.facts[i]))
      return lacks("value", d.facts[i].id, {"取值，事实", "the value of"});
  }
  if (!d.levels.empty() && !to.levels.empty())
    for (const std::uint8_t level : {c.level, c.raised, c.held})
      if (r.levels[level] < 0) return lacks("level", d.levels[level], {"级别", "the level"});
  if (!c.rare) return std::nullopt;
  for (const Asked& q : c.rare->asked)
    if ((q.task ? r.tasks[q.index] : r.actions[q.index]) < 0)
      return lacks("approval", q.task ? d.tasks[q.index].id : d.actions[q.index].id,
                   {"等待审批的事项", "what waits for approval"});
  for (const Child& child : c.rare->children) {
    if (!m.child_open(child)) continue;
    if (d.children.empty() ? !to.children.empty() : r.children[child.as] < 0)
      return lacks("children", d.children.empty() ? "" : d.children[child.as],
                   {"子案件", "the open child case"});
  }
  return std::nullopt;
}

void tell_drops(const Case& c, const Remap& r, std::vector<std::string>& out) {
  const Definition& d = *r.before.definition;
  for (const TaskState& t : c.tasks)
    if (r.tasks[t.task] < 0)
      out.push_back("task." + d.states[d.tasks[t.task].state].id + "." + d.tasks[t.task].id);
  for (const ClockState& k : c.clocks)
    if (r.clocks[k.clock] < 0 && k.budget_ms != 0) out.push_back("clock." + d.clocks[k.clock].id);
  for (std::size_t i = 0; i < c.facts.size(); ++i)
    if (c.facts[i] != null_value && r.facts[i] < 0) out.push_back("fact." + d.facts[i].id);
  for (std::size_t i = 0; i < r.flags.size(); ++i)
    if (c.flags >> i & 1 && r.flags[i] < 0) out.push_back("flag." + d.flags[i]);
  for (const Acted& who : c.acted)
    if (r.roles[who.role] < 0) {
      std::string name = "role." + d.roles[who.role].id;
      if (std::find(out.begin(), out.end(), name) == out.end()) out.push_back(std::move(name));
    }
}

bool same_limit(const Limit& a, const Limit& b, const Definition& x, const Definition& y) {
  if (a.spans != b.spans || a.regulation != b.regulation || (a.key < 0) != (b.key < 0))
    return false;
  return a.key < 0 ||
         (x.facts[a.key].id == y.facts[b.key].id && x.facts[a.key].values == y.facts[b.key].values);
}

// Limits of the new version apply from where they count; what was used stays used.
class Refit {
 public:
  Refit(const Case& before, const Remap& remap, Sketch& sketch, std::vector<std::string>& unknown)
      : was_(before), r_(remap), s_(sketch), unknown_(unknown) {}

  void run() {
    for (const TaskState& t : was_.tasks)
      if (t.pending() && r_.tasks[t.task] >= 0) task(t.task, r_.tasks[t.task]);
    for (const ClockState& k : was_.clocks)
      if (r_.clocks[k.clock] >= 0) clock(k.clock, r_.clocks[k.clock]);
    for (std::size_t i = 0; i < s_.d.clocks.size(); ++i)
      if (!s_.c.clock(static_cast<int>(i))) fresh(static_cast<int>(i));
  }

 private:
  void task(int from, int to) {
    const TaskDef& def = s_.d.tasks[to];
    const Calendar &old = *r_.before.task_calendars[from], &now = *r_.after.task_calendars[to];
    if (old.id() == now.id() &&
        same_limit(r_.before.definition->tasks[from].limit, def.limit, *r_.before.definition, s_.d))
      return;
    TaskState& t = *s_.c.task(to);
    t.due_ms = never_ms;
    if (!def.limit.none())
      t.due_ms = now.due_ms(
          t.opened_ms, now.budget(span_for(def.limit, s_.c.facts, now, t.opened_ms), t.opened_ms));
    if (t.due_ms > s_.now) t.late = false;
  }

  // settle() arms it anew: budget and due time where limit or calendar differ, the next step.
  void clock(int from, int to) {
    ClockState& k = *s_.c.clock(to);
    if (k.phase != ClockPhase::counting) return;
    const Calendar &old = *r_.before.clock_calendars[from], &now = *r_.after.clock_calendars[to];
    k.next_ms = never_ms;
    if (s_.d.clocks[to].limit.none()) k.budget_ms = 0, k.due_ms = never_ms;
    if (old.id() == now.id()) return;
    if (s_.d.clocks[to].kind == ClockDef::Kind::running) {
      k.used_ms += old.spent_ms(k.since_ms, s_.now, false);
      k.used_natural_ms += std::max<std::int64_t>(0, s_.now - k.since_ms);
      k.since_ms = s_.now;
    }
    k.due_ms = never_ms;
  }

  // A clock that the old version did not have: from the moment it would have begun, and not at all
  // when what stops it is done. Where the case no longer knows, it does not run: it begins when its
  // moment comes again, and whoever decides is told.
  void fresh(int index) {
    const ClockDef& def = s_.d.clocks[index];
    if (def.kind != ClockDef::Kind::anchored) return;
    const Passed from = passed(def.from, def.also, was_, s_.c, r_);
    const Passed stop = passed(def.stop, {}, was_, s_.c, r_);
    // Those of a start and of facts settle() finds by itself; others begin anew each time.
    const bool anew =
        from.yes() && def.from.kind != Moment::Kind::start && def.from.kind != Moment::Kind::fact;
    const bool over = stop.yes() && !(anew && from.at_ms > stop.at_ms);
    if (over || (from.yes() && stop.unknown())) {
      ClockState& k = s_.c.add_clock(index);
      k.phase = ClockPhase::stopped;
      k.stopped_ms = over ? stop.at_ms : s_.now;
      k.since_ms = from.yes() ? from.at_ms : k.stopped_ms;
    } else if (anew) {
      ClockState& k = s_.c.add_clock(index);
      k.since_ms = from.at_ms;
      k.phase = ClockPhase::lifted;
    }
    if (!over && (from.unknown() || (from.yes() && stop.unknown()))) unknown_.push_back(def.id);
  }

  const Case& was_;
  const Remap& r_;
  Sketch& s_;
  std::vector<std::string>& unknown_;  // clocks that cannot be rebuilt
};

std::int64_t shown(std::int64_t due_ms) { return due_ms == never_ms ? 0 : due_ms; }

void tell_limits(const Case& was, const Remap& r, const Sketch& s, MigrationOutcome& out) {
  for (const ClockState& k : s.c.clocks) {
    if (k.budget_ms == 0 || k.phase == ClockPhase::stopped) continue;
    MigrationOutcome::Limit l{.name = s.d.clocks[k.clock].id};
    l.new_budget_ms = k.budget_ms, l.new_due_ms = shown(k.due_ms);
    for (const ClockState& old : was.clocks)
      if (r.clocks[old.clock] == k.clock)
        l.old_budget_ms = old.budget_ms, l.old_due_ms = shown(old.due_ms);
    if (l.old_budget_ms != l.new_budget_ms || l.old_due_ms != l.new_due_ms)
      out.limits.push_back(std::move(l));
  }
  for (const TaskState& t : s.c.tasks) {
    if (!t.pending()) continue;
    bool known = false;
    for (const TaskState& old : was.tasks) {
      if (!old.pending() || r.tasks[old.task] != t.task) continue;
      known = true;
      if (old.due_ms != t.due_ms)
        out.limits.push_back({.name = "task." + s.d.tasks[t.task].id,
                              .old_due_ms = shown(old.due_ms),
                              .new_due_ms = shown(t.due_ms)});
    }
    if (!known) out.opens.push_back(s.d.tasks[t.task].id);
  }
  out.due_at_once = s.c.next_ms() <= s.now;
}

// One case: judged, and with `actor` moved.
MigrationOutcome migrate_case(Turn& turn, Slot slot, const Migration& g, std::uint16_t place,
                              const std::string* actor, const std::string& basis) {
  Engine::Impl& m = turn.m;
  if (actor) turn.follow(slot, true);  // what was due under the old version stays so
  const Case& c = m.cases[slot];
  const Installed& before = m.of(c);
  MigrationOutcome out{.case_id = case_id(c.key),
                       .number = m.number_of(c),
                       .org = m.names.text(c.org),
                       .state = before.definition->states[c.state].id};
  if (c.closed) {
    out.code = "closed";
    return out;
  }
  const MigrationMap map = relevant(g.map, *before.definition, c);
  const Remap remap(before, m.installed[place], map);
  if (auto why = refusing(m, c, remap)) {
    out.code = why->code, out.what = why->what, out.why = why->why;
    return out;
  }
  tell_drops(c, remap, out.drops);
  const Case was = c;
  const Case moved = remap.of(c, place);
  Sketch s(m, moved, turn.now, m.names.add(actor ? *actor : "system"));
  Refit(was, remap, s, out.unknown).run();
  s.settle();
  out.to_state = s.d.states[s.c.state].id;
  tell_limits(was, remap, s, out);
  Entry head{.kind = "case.migrate", .name = out.to_state, .body = turn.body()};
  head.body["from"] = before.name;
  head.body["digest"] = m.installed[place].digest;
  if (json::object names = to_json(map); !names.empty()) head.body["map"] = std::move(names);
  if (!out.drops.empty()) head.body["dropped"] = json::value_from(out.drops);
  if (!out.unknown.empty()) head.body["unknown"] = json::value_from(out.unknown);
  json::object body = head.body;
  difference(m, moved, s.c, turn.now, body);
  if (canonical(body).size() > kEntryMax) {
    out.code = "size";
    out.why = {"案件太大，一条记录写不下", "The case is too large for one entry"};
    return out;
  }
  if (!actor) return out;
  head.actor = *actor;
  head.basis = basis;
  turn.emit(s, slot, std::move(head), &moved);
  turn.follow(slot, true);
  return out;
}

void migrate_batch(Turn& turn, const Migration& g, std::size_t from, std::size_t count_max,
                   const std::string* actor, const std::string& basis, MigrationBatch& out) {
  Engine::Impl& m = turn.m;
  const std::uint16_t place = m.install(g.name, g.digest);
  const std::shared_ptr<const Definition> to = m.installed[place].definition;
  if (actor) turn.adopt(*to, g.digest, place);
  const std::size_t look_to = std::min(m.cases.size(), from + kLookMax);
  out.next = from;
  for (; out.next < look_to && out.outcomes.size() < count_max; ++out.next) {
    const Case& c = m.cases[out.next];
    const Definition& d = *m.of(c).definition;
    if (c.closed || c.definition == place || d.version != g.from || d.id != to->id) continue;
    MigrationOutcome one = migrate_case(turn, static_cast<Slot>(out.next), g, place, actor, basis);
    if (one.code != "closed") out.outcomes.push_back(std::move(one));
  }
  out.end = out.next >= m.cases.size();
}

}  // namespace

Decide Engine::plan_migration(Migration g, std::size_t from, std::size_t count_max,
                              MigrationBatch& out) {
  return [this, g = std::move(g), from, count_max, &out](Draft& draft) -> Result<json::object> {
    Turn turn(*impl_, draft);
    migrate_batch(turn, g, from, count_max, nullptr, "", out);
    return json::object{};
  };
}

Decide Engine::migrate(Migration g, std::string actor, std::string basis, std::size_t from,
                       std::size_t count_max, MigrationBatch& out) {
  return [this, g = std::move(g), actor = std::move(actor), basis = std::move(basis), from,
          count_max, &out](Draft& draft) -> Result<json::object> {
    Turn turn(*impl_, draft);
    migrate_batch(turn, g, from, count_max, &actor, basis, out);
    tell_next_due();
    return json::object{};
  };
}

Decide Engine::keep(std::shared_ptr<const Definition> definition) {
  return [this, d = std::move(definition)](Draft& draft) -> Result<json::object> {
    Turn turn(*impl_, draft);
    const std::string digest = digest_of(*d);
    turn.adopt(*d, digest, impl_->install(d, digest));
    return json::object{};
  };
}

}  // namespace cw
