// What a procedure can reach, and what is surely known on the way.
#include <algorithm>

#include "read.h"

namespace cw {

void DefinitionReader::flow() {
  if (d_->start_state >= 0) {
    reach();
    surely_known();
  }
  known_.resize(d_->states.size(), std::vector<bool>(d_->facts.size(), true));
  for (std::size_t s = 0; s < d_->states.size(); ++s) {
    std::vector<bool> set_here(d_->facts.size(), false);
    for (const Effect& effect : d_->states[s].enter) add_known(-1, effect.set, set_here);
    for (std::size_t f = 0; f < d_->facts.size(); ++f) {
      if (known_[s][f] && !set_here[f]) d_->states[s].needs.push_back(static_cast<int>(f));
    }
  }
  auto_cycles();
  compile_conditions();
}

std::vector<int> DefinitionReader::targets(int state) const {
  std::vector<int> out;
  for (const int index : d_->states[state].actions) {
    const int to = d_->actions[index].to;
    if (to >= 0) out.push_back(to);
  }
  return out;
}

// Unreachable states; states without a way out; states from which no end can be reached.
void DefinitionReader::reach() {
  const std::size_t count = d_->states.size();
  std::vector<bool> reached(count, false);
  std::vector<int> open{d_->start_state};
  while (!open.empty()) {
    const int state = open.back();
    open.pop_back();
    if (reached[state]) continue;
    reached[state] = true;
    for (const int to : targets(state)) open.push_back(to);
  }
  std::vector<bool> ends(count);  // an end, or something unresolved, can be reached from here
  for (std::size_t s = 0; s < count; ++s) ends[s] = d_->states[s].final || way_unknown_[s];
  for (bool changed = true; changed;) {
    changed = false;
    for (std::size_t s = 0; s < count; ++s) {
      if (ends[s]) continue;
      for (const int to : targets(static_cast<int>(s))) {
        if (ends[to]) ends[s] = changed = true;
      }
    }
  }
  for (std::size_t s = 0; s < count; ++s) {
    const StateDef& state = d_->states[s];
    if (!reached[s]) {
      reader_.mistake(
          *state_keys_[s], "procedure.unreachable",
          {"状态“" + state.id + "”无法到达", "state '" + state.id + "' is unreachable"});
    }
    bool leaves = way_unknown_[s];
    for (const int to : targets(static_cast<int>(s))) leaves |= to != static_cast<int>(s);
    if (!state.final && !leaves) {
      reader_.mistake(*state_keys_[s], "procedure.stuck",
                      {"状态“" + state.id + "”不是终结状态，却没有出路",
                       "state '" + state.id + "' is not final and has no way out"});
    } else if (!ends[s]) {
      reader_.mistake(*state_keys_[s], "procedure.endless",
                      {"从状态“" + state.id + "”到不了任何终结状态",
                       "no final state can be reached from '" + state.id + "'"});
    }
  }
}

// Automatic actions that lead in a circle would fire for ever.
void DefinitionReader::auto_cycles() {
  const std::size_t count = d_->states.size();
  auto automatic = [&](int index) {
    return d_->actions[index].kind == ActionDef::Kind::automatic && d_->actions[index].to >= 0;
  };
  for (std::size_t a = 0; a < d_->actions.size(); ++a) {
    if (!automatic(static_cast<int>(a))) continue;
    std::vector<bool> seen(count, false);
    std::vector<int> open{d_->actions[a].to};
    while (!open.empty()) {
      const int state = open.back();
      open.pop_back();
      if (seen[state]) continue;
      seen[state] = true;
      for (const int index : d_->states[state].actions) {
        if (automatic(index)) open.push_back(d_->actions[index].to);
      }
    }
    if (!seen[d_->actions[a].state]) continue;
    reader_.mistake(*action_keys_[a], "procedure.cycle",
                    {"auto 动作“" + d_->actions[a].id + "”构成循环",
                     "auto action '" + d_->actions[a].id + "' is part of a cycle"});
  }
}

// Facts that something clears: never surely known.
std::vector<bool> DefinitionReader::cleared() const {
  std::vector<bool> out(d_->facts.size(), false);
  auto look = [&](const std::vector<Assignment>& set, int form) {
    for (const Assignment& a : set) {
      if (a.from == Assignment::From::field) {
        const FormField& field = d_->forms[form].form->fields[a.field];
        if (!field.required && !field.fallback) out[a.fact] = true;  // may be left empty
      } else if (a.from == Assignment::From::literal && a.literal == null_value) {
        out[a.fact] = true;
      }
    }
  };
  auto look_all = [&](const std::vector<Effect>& effects) {
    for (const Effect& effect : effects) look(effect.set, -1);
  };
  for (const TaskDef& task : d_->tasks) {
    look(task.set, task.form);
    look_all(task.effects);
    look_all(task.late);
  }
  for (const ActionDef& action : d_->actions) {
    look(action.set, action.form);
    look_all(action.effects);
  }
  for (const StateDef& state : d_->states) look_all(state.enter);
  for (const ClockDef& clock : d_->clocks) {
    for (const Mark& mark : clock.marks) look_all(mark.effects);
  }
  return out;
}

void DefinitionReader::add_known(int form, const std::vector<Assignment>& set,
                                 std::vector<bool>& known) const {
  if (form >= 0) {
    const FormUse& use = d_->forms[form];
    for (std::size_t i = 0; i < use.facts.size(); ++i) {
      const FormField& field = use.form->fields[i];
      if (use.facts[i] >= 0 && (field.required || field.fallback)) known[use.facts[i]] = true;
    }
  }
  for (const Assignment& a : set) {
    if (a.from != Assignment::From::literal || a.literal != null_value) known[a.fact] = true;
  }
}

// Definite assignment: for each state the facts that every way into it has set.
void DefinitionReader::surely_known() {
  const std::size_t count = d_->states.size(), facts = d_->facts.size();
  known_.assign(count, std::vector<bool>(facts, true));
  const std::vector<bool> never = cleared();
  std::vector<bool> first(facts, false);
  if (!d_->levels.empty()) first[0] = true;
  add_known(d_->start_form, d_->start_set, first);
  auto enter = [&](int state, std::vector<bool> known) {  // meets what was known there
    for (const Effect& effect : d_->states[state].enter) add_known(-1, effect.set, known);
    bool changed = false;
    for (std::size_t f = 0; f < facts; ++f) {
      const bool now = known_[state][f] && known[f] && !never[f];
      changed |= now != known_[state][f];
      known_[state][f] = now;
    }
    return changed;
  };
  std::vector<const ExprNode*> guards(d_->actions.size(), nullptr);
  for (const Condition& c : conditions_) {
    const bool of_action = c.use == Use::action_guard || c.use == Use::action_auto;
    if (of_action) guards[c.index] = c.parsed.root.get();
  }
  std::vector<bool> conditional(d_->tasks.size(), false);
  for (const Condition& c : conditions_) {
    if (c.use == Use::task_when) conditional[c.index] = true;
  }
  enter(d_->start_state, first);
  for (bool changed = true; changed;) {
    changed = false;
    for (std::size_t a = 0; a < d_->actions.size(); ++a) {
      const ActionDef& action = d_->actions[a];
      if (action.to < 0) continue;
      std::vector<bool> known = known_[action.state];
      if (guards[a] != nullptr && implies_tasks_done(*guards[a])) {
        for (const int task : d_->states[action.state].tasks) {
          if (conditional[task]) continue;
          add_known(d_->tasks[task].form, d_->tasks[task].set, known);
        }
      }
      add_known(action.form, action.set, known);
      changed |= enter(action.to, known);
    }
  }
}

void DefinitionReader::compile_conditions() {
  for (const Condition& condition : conditions_) {
    if (condition.parsed.root != nullptr) compile(condition);
  }
  for (ClockDef& clock : d_->clocks) {  // nothing can be late with a task that is not required
    if (!clock.when.empty() || clock.stop.kind != Moment::Kind::task) continue;
    const Expression& when = d_->tasks[clock.stop.index].when;
    if (!when.reads_tasks()) clock.when = when;
  }
}

void DefinitionReader::compile(const Condition& condition) {
  ExpressionPlace place;
  const bool task = condition.use == Use::task_when;
  const bool clock = condition.use == Use::clock_when;
  if (task) place.state = d_->tasks[condition.index].state;
  if (!task && !clock) {
    const ActionDef& action = d_->actions[condition.index];
    place.state = action.state;
    place.known = &known_[action.state];
    if (condition.use == Use::action_guard) place.form = action.form;
  }
  std::vector<Complaint> complaints;
  Expression made = ExpressionCompiler(*d_, place, complaints).compile(condition.parsed);
  for (Complaint& c : complaints) {
    reader_.mistake(condition.node->line, tree_.column_in(*condition.node, c.offset), c.code,
                    std::move(c.text));
  }
  switch (condition.use) {
    case Use::task_when:
      d_->tasks[condition.index].when = std::move(made);
      break;
    case Use::action_guard:
      d_->actions[condition.index].guard = std::move(made);
      break;
    case Use::action_auto:
      d_->actions[condition.index].condition = std::move(made);
      break;
    case Use::clock_when:
      d_->clocks[condition.index].when = std::move(made);
      break;
  }
}

}  // namespace cw
