#include "weave.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/text.h"
#include "cacao.h"

namespace cw::cacao {
namespace {

constexpr std::size_t chain_max = 20, tasks_max = 64, text_max = 4 << 20, children_max = 60;

std::string shown(const Step& step) {
  return one_line(step.name.empty() ? step.id : step.name, 120);
}

Text same(const std::string& text) { return {text, text}; }

}  // namespace

Weaver::Weaver(const Playbook& playbook, const Facts& facts, const Library& library,
               std::string procedure, Report& report)
    : playbook_(playbook),
      facts_(facts),
      library_(library),
      procedure_(std::move(procedure)),
      report_(report) {
  role_names_.take("anyone");
  form_ids_.take(procedure_ + ".start");
  for (const auto& [id, definition] : library_.procedures()) children_[playbook_id(id)] = id;
}

bool Weaver::weave() {
  start = target(playbook_.start, -1);
  while (!todo_.empty() && !overflow_ && text_size_ <= text_max) {
    const Work work = todo_.front();
    todo_.pop_front();
    visit(work);
  }
  return !overflow_ && text_size_ <= text_max;
}

std::vector<std::string> Weaver::deciders() const {
  std::vector<std::string> out;
  for (const DraftRole& role : roles)
    if (out.size() < 20) out.push_back(role.id);
  return out.empty() ? std::vector<std::string>{"anyone"} : out;
}

int Weaver::fresh(const Step& step, const std::string& fallback) {
  if (states.size() >= steps_max) {
    overflow_ = true;
    return 0;
  }
  DraftState state;
  state.id = state_ids_.give(slug(step.name, fallback, 24));
  state.title = same(step.name.empty() ? fallback : shown(step));
  state.pointer = step.pointer;
  states.push_back(std::move(state));
  return static_cast<int>(states.size()) - 1;
}

int Weaver::final_state(int step) {
  const auto found = finals_.find(step);
  if (found != finals_.end()) return found->second;
  Step ended;
  ended.name = step >= 0 ? at(step).name : "";
  ended.pointer = step >= 0 ? at(step).pointer : "";
  const int made = fresh(ended, "ended");
  if (ended.name.empty() && !overflow_) states[made].title = {"结束", "Ended"};
  if (!overflow_) states[made].final = true;
  return finals_[step] = made;
}

int Weaver::target(int step, int after) {
  for (std::size_t turns = 0; step >= 0 && at(step).kind == Step::Kind::start; ++turns)
    step = turns > playbook_.steps.size() ? -1 : at(step).next;
  if (step < 0) return after >= 0 ? after : final_state(-1);
  const Step& s = at(step);
  if (s.kind == Step::Kind::end) return after >= 0 ? after : final_state(step);
  const auto found = made_.find({step, after});
  if (found != made_.end()) return found->second;
  int first = fresh(s, "step");
  if (overflow_) return 0;
  const int real = first;
  if (s.delay_ms > 0) {
    Step waiting;
    waiting.name = s.name.empty() ? "wait" : "wait " + s.name;
    waiting.pointer = s.pointer;
    first = fresh(waiting, "wait");
    if (overflow_) return 0;
    states[first].title = {"等待：" + states[real].title.zh, "Wait: " + states[real].title.en};
    const std::string clock = clock_ids_.give(states[first].id);
    clocks.push_back({clock, duration(s, s.delay_ms, "delay"), states[first].title, first});
    states[first].actions.push_back(
        {"go-on", {"到时继续", "Time is up"}, DraftAction::Kind::upon, "", clock, real});
    report_.mapped("delay", pointer_to(s.pointer, "delay"),
                   {"延时成为一个等待状态和一个时钟", "the delay became a state and a clock"});
  }
  made_[{step, after}] = first;
  todo_.push_back({step, after, real});
  return first;
}

// Milliseconds as a limit of whole minutes, hours or days, never shorter.
std::string Weaver::duration(const Step& step, std::int64_t ms, std::string_view what) {
  const std::int64_t minutes = (ms + 59'999) / 60'000;
  if (ms % 60'000 != 0)
    report_.check("rounded", pointer_to(step.pointer, what),
                  {"时间取整到分钟", "the time was rounded up to whole minutes"});
  if (minutes % 1'440 == 0) return std::to_string(minutes / 1'440) + "d";
  if (minutes % 60 == 0) return std::to_string(minutes / 60) + "h";
  return std::to_string(minutes) + "m";
}

void Weaver::visit(const Work& work) {
  const Step& step = at(work.step);
  switch (step.kind) {
    case Step::Kind::action:
      return action(step, work);
    case Step::Kind::playbook:
      return playbook_step(step, work);
    case Step::Kind::parallel:
      return parallel(step, work);
    case Step::Kind::either:
      return either(step, work);
    case Step::Kind::loop:
      return loop(step, work);
    case Step::Kind::choice:
      return choice(step, work);
    default:
      return;
  }
}

void Weaver::decide(int state, std::string id, Text title, std::string condition, int to) {
  if (overflow_) return;
  DraftAction a;
  a.id = std::move(id);
  a.title = std::move(title);
  a.kind = condition.empty() ? DraftAction::Kind::person : DraftAction::Kind::automatic;
  a.condition = std::move(condition);
  a.to = to;
  states[state].actions.push_back(std::move(a));
}

// Where a failure goes: to on_failure, else to the playbook's exception; a person says so, and so
// does the clock of a step with a timeout.
void Weaver::fails(const Step& step, const Work& work) {
  const bool handler =
      step.failure < 0 && playbook_.exception >= 0 && playbook_.exception != work.step;
  if (step.failure < 0 && !handler) return;
  const int to = handler ? target(playbook_.exception, -1) : target(step.failure, work.after);
  if (overflow_) return;
  decide(work.state, "failed", {"未能完成", "It failed"}, "", to);
  if (!handler)
    report_.mapped("failure", pointer_to(step.pointer, "on_failure"),
                   {"失败由人用一个操作说明", "people say with an action that it failed"});
  if (step.timeout_ms == 0) return;
  const std::string clock = clock_ids_.give(states[work.state].id + "-timeout");
  clocks.push_back({clock,
                    duration(step, step.timeout_ms, "timeout"),
                    {"超时：" + shown(step), "Timeout: " + shown(step)},
                    work.state});
  states[work.state].actions.push_back(
      {"timed-out", {"已超时", "Timed out"}, DraftAction::Kind::upon, "", clock, to});
}

void Weaver::leave(const Work& work, const std::string& condition, Text title, int to) {
  decide(work.state, "next", std::move(title), condition, to);
}

void Weaver::action(const Step& step, const Work& work) {
  Names ids;
  DraftTask made = task(step, ids, "do");
  const int next = target(step.next, work.after);
  if (overflow_) return;
  const bool fails_somewhere = step.failure >= 0 || playbook_.exception >= 0;
  if (step.timeout_ms > 0 && !fails_somewhere)
    made.limit = duration(step, step.timeout_ms, "timeout");
  states[work.state].tasks.push_back(std::move(made));
  leave(work, "tasks.done", {"完成后继续", "Done, go on"}, next);
  fails(step, work);
}

void Weaver::playbook_step(const Step& step, const Work& work) {
  const int next = target(step.next, work.after);
  if (overflow_) return;
  const std::string pointer = pointer_to(step.pointer, "playbook_id");
  const auto ours = children_.find(step.playbook_id);
  if (ours != children_.end() && opened_ < children_max) {
    ++opened_;
    DraftState& state = states[work.state];
    state.open = ours->second;
    state.as = child_names_.give(slug(step.name, "child", 24));
    const std::string done = "children." + state.as + ".done";
    report_.mapped(
        "playbook", pointer,
        {"成为子流程“" + ours->second + "”", "it opens the procedure '" + ours->second + "'"});
    leave(work, done, {"子流程办结后继续", "Its cases are closed, go on"}, next);
  } else {
    Names ids;
    states[work.state].tasks.push_back(task(step, ids, "run"));
    report_.check("playbook", pointer,
                  {"本单位没有这份剧本，成为由人完成的任务",
                   "this house does not have that playbook; running it became a task for people"});
    leave(work, "tasks.done", {"完成后继续", "Done, go on"}, next);
  }
  fails(step, work);
}

void Weaver::either(const Step& step, const Work& work) {
  const int after = target(step.next, work.after);
  const int yes = target(step.yes, after), no = step.no >= 0 ? target(step.no, after) : after;
  if (overflow_) return;
  const std::string pointer = pointer_to(step.pointer, "condition");
  const auto said = facts_.condition(step.condition);
  const std::string what = one_line(step.condition, 120);
  if (said) {
    report_.mapped("condition", pointer, {"条件成为表达式", "the condition became an expression"});
  } else {
    report_.check(
        "condition", pointer,
        {"无法翻译这个条件，由人选择", "the condition cannot be said here; people choose"});
  }
  decide(work.state, "yes", {"成立：" + what, "It holds: " + what}, said ? said->yes : "", yes);
  decide(work.state, "no", {"不成立：" + what, "It does not: " + what}, said ? said->no : "", no);
}

void Weaver::loop(const Step& step, const Work& work) {
  const int after = target(step.next, work.after);
  const int body = target(step.yes, work.state);
  if (overflow_) return;
  const std::string pointer = pointer_to(step.pointer, "condition");
  const auto said = facts_.condition(step.condition);
  const std::string what = one_line(step.condition, 120);
  if (said) {
    report_.mapped("loop", pointer, {"循环成为回到本状态的路", "the loop became a way back here"});
  } else {
    report_.check("loop", pointer,
                  {"无法翻译循环条件，由人决定是否再来一次",
                   "the loop's condition cannot be said here; people choose whether to go again"});
  }
  decide(work.state, "again", {"再来一次：" + what, "Again: " + what}, said ? said->yes : "", body);
  decide(work.state, "leave", {"结束循环", "Leave the loop"}, said ? said->no : "", after);
}

void Weaver::choice(const Step& step, const Work& work) {
  const int after = target(step.next, work.after);
  std::vector<std::string> keys;
  for (const auto& [key, head] : step.cases) keys.push_back(key);
  const auto said = facts_.cases(step.condition, keys);
  const std::string pointer = pointer_to(step.pointer, "switch");
  if (said) {
    report_.mapped("switch", pointer, {"分支条件成为表达式", "the cases became expressions"});
  } else {
    report_.check(
        "switch", pointer,
        {"无法翻译分支条件，由人选择", "the cases cannot be told apart here; people choose"});
  }
  Names ids;
  bool others = false;
  for (std::size_t i = 0; i < keys.size() && !overflow_; ++i) {
    const bool rest = keys[i] == "default";
    others |= rest;
    const std::string what = one_line(keys[i], 80);
    const Text title = rest ? Text{"其他情形", "Any other"} : same(what.empty() ? "-" : what);
    const int to = target(step.cases[i].second, after);
    decide(work.state, ids.give(slug(keys[i], "case", 24)), title, said ? (*said)[i] : "", to);
  }
  if (!others)
    decide(work.state, ids.give("none"), {"都不是", "None of these"}, said ? said->back() : "",
           after);
}

// Branches that are plain sequences of actions become the tasks of one state: each waits for those
// before it in its branch.
bool Weaver::simple_branches(const Step& step, std::vector<std::vector<int>>& chains) const {
  std::size_t tasks = 0;
  for (const int head : step.branches) {
    std::vector<int> chain;
    for (int s = head; s >= 0 && at(s).kind != Step::Kind::end; s = at(s).next) {
      const Step& one = at(s);
      const bool fits = one.kind == Step::Kind::action && one.failure < 0 && one.delay_ms == 0;
      if (!fits || chain.size() == chain_max || ++tasks > tasks_max) return false;
      chain.push_back(s);
    }
    chains.push_back(std::move(chain));
  }
  return true;
}

void Weaver::parallel(const Step& step, const Work& work) {
  const int after = target(step.next, work.after);
  if (overflow_) return;
  std::vector<std::vector<int>> chains;
  if (!simple_branches(step, chains)) {
    int next = after;  // one branch after the other, as CACAO allows
    for (std::size_t i = step.branches.size(); i-- > 0 && !overflow_;)
      next = target(step.branches[i], next);
    report_.check("parallel", step.pointer,
                  {"并行分支含条件、延时或失败处理，改为依次进行",
                   "its branches hold conditions, delays or failures: they run one after another"});
    leave(work, "tasks.done", {"开始各分支", "Begin the branches"}, next);
    return;
  }
  Names ids;
  for (const auto& chain : chains) {
    std::string before;
    for (const int s : chain) {
      DraftTask made = task(at(s), ids, "do");
      made.when = before;
      if (at(s).timeout_ms > 0) made.limit = duration(at(s), at(s).timeout_ms, "timeout");
      before += (before.empty() ? "tasks." : " && tasks.") + made.id + ".done";
      states[work.state].tasks.push_back(std::move(made));
    }
  }
  report_.mapped("parallel", step.pointer,
                 {"并行分支成为同一状态的任务", "its branches became tasks of one state"});
  leave(work, "tasks.done", {"全部完成后继续", "All done, go on"}, after);
  fails(step, work);
}

}  // namespace cw::cacao
