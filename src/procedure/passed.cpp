#include "passed.h"

#include <algorithm>

namespace cw {
namespace {

using Known = Passed::Known;

constexpr Passed kNo{}, kUnknown{.known = Known::unknown};
Passed at(std::int64_t ms) { return {.known = Known::yes, .at_ms = ms}; }

// Each stay opens the tasks without a condition anew: the oldest of them is when it was entered.
Passed entered(const Case& c, const Definition& d, int state) {
  if (c.state == state) return at(c.entered_ms);
  if (c.entries <= 1 || d.states[state].final) return kNo;  // an open case is in no final state
  if (c.entries == 2) return d.start_state == state ? at(c.opened_ms) : kNo;
  bool tells = false;
  std::int64_t first = 0;
  for (int i : d.states[state].tasks) {
    if (!d.tasks[i].when.empty()) continue;
    tells = true;
    if (const TaskState* t = c.task(i); t && t->opened_ms != 0)
      first = first == 0 ? t->opened_ms : std::min(first, t->opened_ms);
  }
  if (first != 0) return at(first);
  return tells ? kNo : kUnknown;
}

// An action that leaves its state passed when the state that only it leads to was entered.
Passed taken(const Case& c, const Definition& d, int action) {
  const ActionDef& def = d.actions[action];
  const Passed here = entered(c, d, def.state);
  if (here.known == Known::no) return kNo;
  if (def.to < 0) {
    if (!def.once || c.state != def.state) return kUnknown;
    const std::vector<int>& actions = d.states[def.state].actions;
    const auto place = std::find(actions.begin(), actions.end(), action) - actions.begin();
    return place < 64 && (c.taken >> place & 1) == 0 && c.entries == 1 ? kNo : kUnknown;
  }
  if (c.entries == 1) return kNo;
  const Passed there = entered(c, d, def.to);
  if (there.known == Known::no) return kNo;
  const auto leads = [&](const ActionDef& other) {
    return other.to == def.to && entered(c, d, other.state).known != Known::no;
  };
  const auto& corrected = d.amend.states;
  const bool only = std::count_if(d.actions.begin(), d.actions.end(), leads) == 1 &&
                    d.start_state != def.to &&
                    std::find(corrected.begin(), corrected.end(), def.to) == corrected.end();
  return only ? there : kUnknown;
}

// The surest that any part of the old version says that became this one.
template <typename Says>
Passed told_by(const std::vector<int>& becomes, int index, const Says& says) {
  Passed out;
  for (std::size_t i = 0; i < becomes.size(); ++i) {
    if (becomes[i] != index) continue;
    const Passed one = says(static_cast<int>(i));
    if (one.unknown()) return one;
    if (one.at_ms > out.at_ms) out = one;
  }
  return out;
}

}  // namespace

Passed passed(const Moment& moment, const std::vector<int>& also, const Case& was,
              const Case& moved, const Remap& r) {
  const Definition& d = *r.before.definition;
  switch (moment.kind) {
    case Moment::Kind::none:
      return kNo;
    case Moment::Kind::start:
      return at(moved.opened_ms);
    case Moment::Kind::fact: {
      Passed out;
      auto look = [&](int fact) {
        const Value v = moved.facts[fact];
        if (v != null_value && (!out.yes() || v < out.at_ms)) out = at(v);
      };
      look(moment.index);
      std::for_each(also.begin(), also.end(), look);
      return out;
    }
    case Moment::Kind::task: {
      const TaskState* t = moved.task(moment.index);
      return t && t->phase == TaskPhase::done ? at(t->done_ms) : kNo;
    }
    case Moment::Kind::state:
      return told_by(r.states, moment.index, [&](int i) { return entered(was, d, i); });
    case Moment::Kind::action:
      return told_by(r.actions, moment.index, [&](int i) { return taken(was, d, i); });
  }
  return kNo;
}

}  // namespace cw
