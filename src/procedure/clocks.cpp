// Clocks. An anchored one starts at a moment and never pauses; a running one counts in its states
// and keeps what it used elsewhere. What was used is kept in open time and around the clock, so
// that a changed limit may count in either.
#include <algorithm>
#include <utility>

#include "sketch.h"

namespace cw {

bool Sketch::runs_in(const ClockDef& clock, int state) const {
  return std::find(clock.run.begin(), clock.run.end(), state) != clock.run.end();
}

bool is_late(const Case& c, const Definition& d, bool task, int index, std::int64_t now_ms) {
  if (const TaskState* t = task ? c.task(index) : nullptr)
    if (t->late || t->due_ms <= now_ms) return true;
  const int to = task ? -1 : d.actions[index].to;
  const Moment::Kind kind = task ? Moment::Kind::task : Moment::Kind::action;
  for (const ClockState& k : c.clocks) {
    const ClockDef& def = d.clocks[k.clock];
    if (k.phase != ClockPhase::counting || k.due_ms > now_ms || def.expires) continue;
    if (def.stop.kind == kind && def.stop.index == index) return true;
    if (def.stop.kind == Moment::Kind::state && to >= 0 && def.stop.index == to) return true;
  }
  return false;
}

void Sketch::settle_clocks() {
  for (std::size_t i = 0; i < d.clocks.size(); ++i) {
    bool exists = d.clocks[i].when.empty() || d.clocks[i].when.holds(scope());
    int index = static_cast<int>(i);
    if (d.clocks[i].kind == ClockDef::Kind::anchored)
      settle_anchored(index, exists);
    else
      settle_running(index, exists);
  }
}

ClockState& Sketch::add_clock(int index, std::int64_t since_ms) {
  ClockState& clock = c.add_clock(index);
  clock.since_ms = since_ms;
  return clock;
}

void Sketch::settle_anchored(int index, bool exists) {
  const ClockDef& def = d.clocks[index];
  Value anchor = null_value;
  if (def.from.kind == Moment::Kind::fact) {
    anchor = c.facts[def.from.index];
    for (const int fact : def.also)
      if (c.facts[fact] != null_value && (anchor == null_value || c.facts[fact] < anchor))
        anchor = c.facts[fact];
  } else if (def.from.kind == Moment::Kind::start) {
    anchor = c.opened_ms;
  }
  ClockState* k = c.clock(index);
  if (!k) {
    if (exists && anchor != null_value) arm(add_clock(index, anchor));
    return;
  }
  if (k->phase == ClockPhase::stopped) {
    if (!amending_ || !exists || def.limit.none()) return;
    if (anchor != null_value) k->since_ms = anchor;
    return measure_anew(*k);
  }
  if (!exists) {
    if (k->phase == ClockPhase::counting) stand(*k, ClockPhase::lifted);
    return;
  }
  k->phase = ClockPhase::counting;
  if (anchor != null_value && anchor != k->since_ms) {
    if (!amending_) pass(*k);  // what was due by the old moment stays so
    k->since_ms = anchor;
    k->budget_ms = 0;  // armed anew from the corrected one
    k->next_ms = never_ms;
  }
  arm(*k);
}

void Sketch::settle_running(int index, bool exists) {
  bool runs = runs_in(d.clocks[index], c.state);
  ClockState* k = c.clock(index);
  if (!k) {
    if (exists && runs) arm(add_clock(index, now));
  } else if (exists && runs) {
    if (k->phase != ClockPhase::counting) {
      k->since_ms = now;
      k->phase = ClockPhase::counting;
    }
    arm(*k);
  } else if (k->phase == ClockPhase::counting) {
    stand(*k, exists ? ClockPhase::still : ClockPhase::lifted);
  } else if (k->phase != ClockPhase::stopped) {
    k->phase = exists ? ClockPhase::still : ClockPhase::lifted;
  }
}

// A clock stops counting. A running one adds the stretch to what it used.
void Sketch::stand(ClockState& clock, ClockPhase phase) {
  pass(clock);
  const ClockDef& def = d.clocks[clock.clock];
  const Calendar& calendar = *in.clock_calendars[clock.clock];
  if (def.kind == ClockDef::Kind::running) {
    clock.used_ms += calendar.spent_ms(clock.since_ms, now, false);
    clock.used_natural_ms += std::max<std::int64_t>(0, now - clock.since_ms);
    clock.due_ms = never_ms;
  }
  clock.phase = phase;
  clock.next_ms = never_ms;
}

std::int64_t Sketch::step_due(const ClockState& clock, int percent) const {
  std::int64_t left = clock.budget_ms * percent / 100 - clock.used();
  if (left <= 0) return std::max(now, clock.since_ms);
  return in.clock_calendars[clock.clock]->due_ms(clock.since_ms, {left, clock.natural});
}

// Sets budget, due time and next step after anything they rest on changed.
void Sketch::arm(ClockState& clock) {
  const ClockDef& def = d.clocks[clock.clock];
  const Calendar& calendar = *in.clock_calendars[clock.clock];
  const std::vector<ClockStep>& steps = in.steps[clock.clock];
  if (def.limit.none()) return;
  Budget budget =
      calendar.budget(span_for(def.limit, c.facts, calendar, clock.since_ms), clock.since_ms);
  if (c.drill && def.wait) budget.ms = std::max<std::int64_t>(1, budget.ms / c.compress);
  if (budget.ms != clock.budget_ms || budget.natural != clock.natural) {
    if (!amending_) pass(clock);  // what the old limit already missed stays missed
    clock.budget_ms = budget.ms;
    clock.natural = budget.natural;
    // A new promise: steps that lie ahead of what was used under it are ahead again.
    std::int64_t used = clock.used() + calendar.spent_ms(clock.since_ms, now, clock.natural);
    std::uint8_t step = 0;
    while (step < clock.step && budget.ms * steps[step].percent / 100 <= used) ++step;
    clock.step = step;
    std::int64_t left = budget.ms - clock.used();
    if (left > 0)
      clock.due_ms = calendar.due_ms(clock.since_ms, {left, clock.natural});
    else
      clock.due_ms = std::max(now, clock.since_ms);
  } else if (clock.due_ms == never_ms) {
    clock.due_ms = step_due(clock, 100);
  } else if (clock.next_ms != never_ms) {
    return;  // nothing changed
  }
  if (clock.step >= steps.size() || (steps[clock.step].mark < 0 && upon(clock.clock) < 0))
    clock.next_ms = never_ms;
  else
    clock.next_ms = step_due(clock, steps[clock.step].percent);
}

// Runs the effects of the step at hand and goes on to the next.
void Sketch::fire_step(ClockState& clock) {
  const ClockDef& def = d.clocks[clock.clock];
  const std::vector<ClockStep>& steps = in.steps[clock.clock];
  const ClockStep step = steps[clock.step];
  int index = clock.clock;
  fired.push_back(json::object{{"clock", def.id},
                               {"percent", step.percent},
                               {"due_at", clock.next_ms},
                               {"gen", std::int64_t{clock.generation}}});
  Cause before =
      std::exchange(cause_, {Notice::About::mark, def.id, def.title, step.percent, clock.due_ms});
  clock.step += 1;
  clock.next_ms = never_ms;
  if (step.mark >= 0) run(def.marks[step.mark].effects);
  cause_ = std::move(before);
  ClockState& k = *c.clock(index);
  if (k.phase != ClockPhase::counting || k.step >= steps.size()) return;
  if (steps[k.step].mark < 0 && upon(index) < 0) return;
  k.next_ms = step_due(k, steps[k.step].percent);
}

void Sketch::pass(ClockState& clock) {
  if (clock.phase != ClockPhase::counting) return;
  const std::vector<ClockStep>& steps = in.steps[clock.clock];
  while (clock.next_ms <= now && clock.step < steps.size() && steps[clock.step].mark >= 0)
    fire_step(clock);
}

int Sketch::fire_clock(int clock) {
  ClockState& k = *c.clock(clock);
  bool expires = in.steps[clock][k.step].mark < 0;
  fire_step(k);
  return expires ? upon(clock) : -1;
}

// Something happened that clocks start or stop at.
void Sketch::moment(Moment::Kind kind, int index) {
  for (std::size_t i = 0; i < d.clocks.size(); ++i) {
    const ClockDef& def = d.clocks[i];
    if (def.kind != ClockDef::Kind::anchored) continue;
    if (def.stop.kind == kind && def.stop.index == index) stop(static_cast<int>(i));
    bool at_fact_or_start =
        def.from.kind == Moment::Kind::fact || def.from.kind == Moment::Kind::start;
    if (at_fact_or_start || def.from.kind != kind || def.from.index != index) continue;
    ClockState* k = c.clock(static_cast<int>(i));
    if (!k) k = &add_clock(static_cast<int>(i), now);
    *k = ClockState{.since_ms = now,
                    .generation = k->generation,
                    .clock = k->clock,
                    .phase = ClockPhase::lifted};  // settling starts it if it exists
  }
}

void Sketch::stop(int index) {
  ClockState* k = c.clock(index);
  if (!k) k = &add_clock(index, now);  // stopped before it could start: it never will
  if (k->phase == ClockPhase::stopped) return;
  if (k->phase == ClockPhase::lifted) k->since_ms = now;  // it did not count up to here
  if (k->phase == ClockPhase::counting) {
    std::int64_t due = k->due_ms;
    stand(*k, ClockPhase::stopped);
    k->due_ms = due;
  }
  k->phase = ClockPhase::stopped;
  k->stopped_ms = now;
  k->next_ms = never_ms;
}

}  // namespace cw
