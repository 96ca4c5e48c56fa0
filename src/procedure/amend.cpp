// The approved correction of a running case: its facts, and what follows from them.
#include <algorithm>

#include "body.h"
#include "sketch.h"

namespace cw {
namespace {

std::uint64_t flags_in(const std::vector<Effect>& effects) {
  std::uint64_t out = 0;
  for (const Effect& e : effects)
    if (e.kind == Effect::Kind::flag) out |= std::uint64_t{1} << e.flag;
  return out;
}

}  // namespace

// A stopped clock whose start or limit was corrected: due time, and which marks it had passed when
// it stopped. Marks that it passed after all fire now; for those that it had not see Sketch::amend.
void Sketch::measure_anew(ClockState& clock) {
  const ClockDef& def = d.clocks[clock.clock];
  const Calendar& calendar = *in.clock_calendars[clock.clock];
  const std::vector<ClockStep>& steps = in.steps[clock.clock];
  const int index = clock.clock;
  const Span span = span_for(def.limit, c.facts, calendar, clock.since_ms);
  Budget budget = calendar.budget(span, clock.since_ms);
  if (c.drill && def.wait) budget.ms = std::max<std::int64_t>(1, budget.ms / c.compress);
  clock.budget_ms = budget.ms;
  clock.natural = budget.natural;
  clock.due_ms = calendar.due_ms(clock.since_ms, budget);
  const std::int64_t used = calendar.spent_ms(clock.since_ms, clock.stopped_ms, budget.natural);
  auto passed = [&](const ClockStep& s) { return budget.ms * s.percent / 100 <= used; };
  while (clock.step > 0 && !passed(steps[clock.step - 1])) --clock.step;
  for (ClockState* k = &clock; k->step < steps.size(); k = c.clock(index)) {
    const ClockStep& step = steps[k->step];
    if (step.mark < 0 || !passed(step)) return;
    k->next_ms = calendar.due_ms(k->since_ms, {budget.ms * step.percent / 100, budget.natural});
    fire_step(*k);
  }
}

std::uint64_t Sketch::flagged() const {
  std::uint64_t out = 0;
  for (const ClockState& k : c.clocks)
    for (std::size_t i = 0; i < k.step && d.clocks[k.clock].kind == ClockDef::Kind::anchored; ++i)
      if (int mark = in.steps[k.clock][i].mark; mark >= 0)
        out |= flags_in(d.clocks[k.clock].marks[mark].effects);
  return out;
}

// The facts are set. What follows from them is as if they had said so from the start: clocks count
// from the corrected moments, those that stopped are measured anew, and a flag that only marks of
// anchored clocks set is taken back when none of them had passed. A level that was raised stays
// raised and who was told stays told: people acted on it.
void Sketch::amend(int to) {
  const std::uint64_t before = flagged();
  amending_ = true;
  settle();
  amending_ = false;
  std::uint64_t others = 0;
  for (const StateDef& s : d.states) others |= flags_in(s.enter);
  for (const TaskDef& t : d.tasks) others |= flags_in(t.late) | flags_in(t.effects);
  for (const ActionDef& a : d.actions) others |= flags_in(a.effects);
  for (const ClockDef& k : d.clocks)
    for (const Mark& mark : k.marks)
      if (k.kind == ClockDef::Kind::running) others |= flags_in(mark.effects);
  c.flags &= ~(before & ~flagged() & ~others);
  if (to >= 0) enter(to);
}

// Where the correction at hand would move the case; -1 = nowhere.
int amended_state(const Sketch& s) {
  const Amendment& amend = s.d.amend;
  const int field = s.d.forms[amend.form].form->field("state");
  return field < 0 || s.values[field] == null_value ? -1 : amend.states[s.values[field]];
}

// A correction changes something, and nothing that guards rely on is left unset where it leads.
Status check_amend(const Sketch& after, const Asked& asked) {
  if (asked.facts.empty() && asked.to < 0)
    return invalid("amend.nothing", "/form",
                   {"与现有记录相同，没有可更正的内容", "This is what the record says already"});
  if (asked.to < 0) return done();
  std::vector<FieldProblem> missing;
  for (const int fact : after.d.states[asked.to].needs) {
    const FactDef& def = after.d.facts[fact];
    if (after.c.facts[fact] != null_value) continue;
    missing.push_back(
        {"/form/" + def.id,
         {"在该状态须已知：" + def.title.zh, "Known in that state: " + def.title.en}});
  }
  if (missing.empty()) return done();
  return problem(Refusal::invalid, "amend.unset",
                 {"案件不可能已在该状态：还有事实未定",
                  "The case cannot be in that state: facts that it "
                  "relies on are not set"},
                 std::move(missing));
}

// What a correction changed, for people: old and new values of facts, and the state.
json::object amended(const Sketch& s, const Case& was, const Asked& asked) {
  json::object out;
  for (const auto& [fact, value] : asked.facts)
    out[s.d.facts[fact].id] =
        json::object{{"old", fact_json(s.d.facts[fact], was.facts[fact], s.m.names)},
                     {"new", fact_json(s.d.facts[fact], value, s.m.names)}};
  if (asked.to >= 0)
    out["state"] =
        json::object{{"old", s.d.states[was.state].id}, {"new", s.d.states[asked.to].id}};
  return out;
}

}  // namespace cw
