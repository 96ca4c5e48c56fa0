#include <algorithm>

#include "draft.h"

namespace cw::cacao {
namespace {

using States = std::vector<DraftState>;

// Back edges among automatic actions, found depth first; without them there is no circle.
void ask_in_circles(States& states, std::vector<int>& asked) {
  enum class Mark : char { fresh, open, done };
  std::vector<Mark> marks(states.size(), Mark::fresh);
  struct Frame {
    int state;
    std::size_t next;
  };
  for (std::size_t root = 0; root < states.size(); ++root) {
    if (marks[root] != Mark::fresh) continue;
    std::vector<Frame> path{{static_cast<int>(root), 0}};
    marks[root] = Mark::open;
    while (!path.empty()) {
      Frame& top = path.back();
      auto& actions = states[top.state].actions;
      if (top.next == actions.size()) {
        marks[top.state] = Mark::done;
        path.pop_back();
        continue;
      }
      DraftAction& action = actions[top.next++];
      if (action.kind != DraftAction::Kind::automatic || action.to < 0) continue;
      if (marks[action.to] == Mark::open) {
        action.kind = DraftAction::Kind::person;
        asked.push_back(top.state);
      } else if (marks[action.to] == Mark::fresh) {
        marks[action.to] = Mark::open;
        path.push_back({action.to, 0});
      }
    }
  }
}

std::vector<bool> reached_from(const States& states, int start) {
  std::vector<bool> seen(states.size(), false);
  std::vector<int> open{start};
  while (!open.empty()) {
    const int at = open.back();
    open.pop_back();
    if (seen[at]) continue;
    seen[at] = true;
    for (const DraftAction& a : states[at].actions)
      if (a.to >= 0 && !seen[a.to]) open.push_back(a.to);
  }
  return seen;
}

std::vector<bool> reaching_an_end(const States& states) {
  std::vector<std::vector<int>> from(states.size());
  std::vector<int> open;
  for (std::size_t s = 0; s < states.size(); ++s) {
    if (states[s].final) open.push_back(static_cast<int>(s));
    for (const DraftAction& a : states[s].actions)
      if (a.to >= 0) from[a.to].push_back(static_cast<int>(s));
  }
  std::vector<bool> seen(states.size(), false);
  while (!open.empty()) {
    const int at = open.back();
    open.pop_back();
    if (seen[at]) continue;
    seen[at] = true;
    for (const int before : from[at]) open.push_back(before);
  }
  return seen;
}

void keep(States& states, std::vector<DraftClock>& clocks, int& start,
          const std::vector<bool>& wanted) {
  std::vector<int> place(states.size(), -1);
  States kept;
  for (std::size_t s = 0; s < states.size(); ++s) {
    if (!wanted[s]) continue;
    place[s] = static_cast<int>(kept.size());
    kept.push_back(std::move(states[s]));
  }
  for (DraftState& state : kept)
    for (DraftAction& a : state.actions)
      if (a.to >= 0) a.to = place[a.to];
  std::erase_if(clocks, [&](const DraftClock& c) { return place[c.state] < 0; });
  for (DraftClock& clock : clocks) clock.state = place[clock.state];
  start = place[start];
  states = std::move(kept);
}

}  // namespace

Mended mend(States& states, std::vector<DraftClock>& clocks, int& start) {
  Mended out;
  const std::vector<bool> reached = reached_from(states, start);
  out.dropped = static_cast<std::size_t>(std::count(reached.begin(), reached.end(), false));
  if (out.dropped > 0) keep(states, clocks, start, reached);
  ask_in_circles(states, out.asked);
  const std::vector<bool> ends = reaching_an_end(states);
  for (std::size_t s = 0; s < ends.size(); ++s)
    if (!ends[s]) out.stopped.push_back(static_cast<int>(s));
  if (out.stopped.empty()) return out;
  int last = -1;
  for (std::size_t s = 0; s < states.size(); ++s)
    if (states[s].final) last = static_cast<int>(s);
  if (last < 0) {
    last = static_cast<int>(states.size());
    DraftState stopped;
    stopped.id = "stopped.by-hand";  // no step gives a name with a dot
    stopped.title = {"已停止", "Stopped"};
    stopped.final = true;
    states.push_back(std::move(stopped));
  }
  for (const int s : out.stopped) {
    DraftAction stop;
    stop.id = "stop.here";
    stop.title = {"停止", "Stop"};
    stop.kind = DraftAction::Kind::person;
    stop.to = last;
    states[s].actions.push_back(std::move(stop));
  }
  return out;
}

}  // namespace cw::cacao
