// Every scenario that ships, played on the real engine: participants do what is expected of them
// when it is, fill forms from what they were told, and meet every expected act.
#include <gtest/gtest.h>

#include <algorithm>

#include "house_test.h"
#include "simulate/simulate.h"

namespace cw {
namespace {

constexpr int kForms = 24;  // attempts at a form that a guard accepts

struct Shipped {
  Library library;
  DrillFolder drills;
};

const Shipped& shipped() {
  static const Shipped all = [] {
    std::vector<Mistake> mistakes;
    Shipped s;
    s.library = Library::load(CW_SOURCE_DIR "/content", mistakes);
    s.drills = DrillFolder::load(CW_SOURCE_DIR "/content", s.library, mistakes);
    for (const Mistake& m : mistakes) ADD_FAILURE() << describe(m, "en");
    return s;
  }();
  return all;
}

// One drill played by its participants alone. One thread.
class Play {
 public:
  Play(const DrillScenario& scenario, std::uint64_t seed)
      : s_(scenario),
        plan_(shipped().library.procedure(scenario.plan)),
        h_(shipped().library, shipped().drills),
        random_(seed),
        done_(scenario.expected.size()) {
    for (const std::string& what : s_.participants) {
      const std::string name = what.substr(what.find(':') + 1);
      const int count = what.starts_with("post:") ? 1 : 4;
      for (int i = 1; i <= count; ++i)
        h_.people.held[what].push_back("per_" + name + (count == 1 ? "" : std::to_string(i)));
    }
  }

  DrillScore play() {
    const std::string id = h_.plan({}, s_.id);
    case_ = h_.begin(id);
    people_ = h_.drill(id).people;
    for (std::int64_t at = 0; at < s_.ends_ms && !std::ranges::all_of(done_, std::identity{});) {
      for (; told_ < h_.drill(id).injected; ++told_)
        for (const auto& [fact, value] : s_.injects[told_].facts) known_[fact] = value;
      // What led nowhere is tried again when the case has changed or something was told.
      while (tried_ != std::pair(last_seq(), told_)) {
        const std::pair now{last_seq(), told_};
        if (!answer() && !step()) tried_ = now;
      }
      std::int64_t next = at + 5 * kMinute;  // clocks may fire meanwhile
      if (told_ < s_.injects.size()) next = std::min(next, s_.injects[told_].at_ms);
      next = std::max(next, at + kMinute);
      h_.advance(next - at);
      at = next;
    }
    for (std::size_t i = 0; i < done_.size(); ++i)
      EXPECT_TRUE(done_[i]) << s_.id << " " << s_.expected[i].state << "." << s_.expected[i].name
                            << " in " << view().state << ": " << why_;
    EXPECT_TRUE(h_.drills->end(*h_.journal, "per_boss", id).ok());
    return h_.drill(id).score;
  }

 private:
  CaseView view(const std::string& person = "") {
    return h_.journal->read([&] { return *h_.engine->view(case_, person); });
  }
  std::uint64_t last_seq() {
    return h_.journal->read([&] { return h_.engine->last_seq(case_); });
  }
  // Those who may be in one of these roles: a post or team says who, the rest is for the engine.
  std::vector<std::string> who(const std::vector<int>& roles) const {
    std::vector<std::string> out;
    for (const std::string& person : people_)
      if (std::ranges::any_of(roles, [&](int role) {
            const RoleDef& r = plan_->roles[role];
            return r.kind == RoleDef::Kind::post   ? h_.people.basis(person, "post:" + r.name) != ""
                   : r.kind == RoleDef::Kind::team ? h_.people.basis(person, "team:" + r.name) != ""
                                                   : true;
          }))
        out.push_back(person);
    return out;
  }
  bool told(const DrillAct& act) const { return static_cast<std::size_t>(act.after) <= told_; }
  bool told_later(const std::string& fact) const {
    return std::ranges::any_of(s_.injects,
                               [&](const DrillInject& i) { return i.facts.contains(fact); });
  }
  // Whoever judges waits for what will be told in time: an action is taken knowing all of it.
  bool ripe(const DrillAct& act) const {
    if (plan_->task(plan_->state(act.state), act.name) >= 0) return told(act);
    const std::size_t after = static_cast<std::size_t>(act.after);
    const std::int64_t from = after == 0 ? 0 : s_.injects[after - 1].at_ms;
    std::size_t known = after;
    while (known < s_.injects.size() && s_.injects[known].at_ms + kMinute < from + act.within_ms)
      ++known;
    return known <= told_;
  }

  // The next expected act that can be done now, in the scenario's order: nobody leaves a state
  // while something is still expected in it.
  bool step() {
    bool waiting = false;
    for (std::size_t i = 0; i < done_.size(); ++i) {
      const DrillAct& act = s_.expected[i];
      if (done_[i]) continue;
      const int state = plan_->state(act.state), action = plan_->action(state, act.name);
      const bool leaves = action >= 0 && plan_->actions[action].to >= 0;
      const bool here = view().state == act.state;
      if (ripe(act) && here && !(waiting && leaves) && attempt(act.name)) return done_[i] = true;
      if (ripe(act) && !waiting && (here ? report() || (leaves && tidy_up(i)) : move_to(state, i)))
        return true;
      waiting = true;
    }
    return false;
  }

  // Files what was told and the case does not know, with an action that keeps the state.
  bool report() {
    const CaseView now = view();
    const auto news = [&](const FormUse& use) {
      return std::ranges::any_of(use.facts, [&](int fact) {
        const std::string id = fact < 0 ? "" : plan_->facts[fact].id;
        const json::value* value = known_.if_contains(id);
        return value && std::ranges::any_of(now.facts, [&](const FactView& f) {
                 return f.id == id && f.value != *value;
               });
      });
    };
    for (const int a : plan_->states[plan_->state(now.state)].actions) {
      const ActionDef& action = plan_->actions[a];
      if (action.kind == ActionDef::Kind::person && action.to < 0 && action.form >= 0 &&
          news(plan_->forms[action.form]) && attempt(action.id))
        return true;
    }
    return false;
  }

  // Whoever can answers what was asked, or takes command.
  bool answer() {
    const CaseView now = view();
    if (now.approvals.empty() && !now.brief_due) return false;
    for (const std::string& person : people_) {
      const CaseView v = view(person);
      const By by{case_, person, {}};
      if (v.can_take && now.brief_due && did(h_.engine->take_command(by, "接管"))) return true;
      for (const ApprovalView& a : v.approvals)
        if (a.can && did(h_.engine->approve(by, a.id))) return true;
    }
    why_ = "no participant answers";
    return false;
  }

  // A task or an action of the present state, by the first participant who may.
  bool attempt(const std::string& name) {
    const CaseView now = view();
    const int state = plan_->state(now.state);
    const int task = plan_->task(state, name), action = plan_->action(state, name);
    if (task < 0 && action < 0) return false;
    for (const std::string& person :
         who(task >= 0 ? plan_->tasks[task].by : plan_->actions[action].by)) {
      const CaseView v = view(person);
      const By by{case_, person, {}};
      for (const TaskView& t : v.tasks)
        if (task >= 0 && t.id == name && t.state == v.state && t.phase == TaskPhase::open && t.can)
          return filed(plan_->tasks[task].form, [&](json::object form) {
            const std::vector<std::string> evidence(static_cast<std::size_t>(t.evidence),
                                                    "sha256:" + std::string(64, 'e'));
            return h_.engine->do_task(by, name, evidence, std::move(form));
          });
      for (const ActionView& a : v.actions) {
        if (action < 0 || a.id != name) continue;
        if (a.can)
          return filed(plan_->actions[action].form, [&](json::object form) {
            return h_.engine->act(by, name, {}, std::move(form));
          });
        why_ = name + ", " + person + ": " + a.why_not.en;
      }
    }
    return false;
  }

  // Does what else is open here, but for what is expected before the act at hand.
  bool tidy_up(std::size_t before) {
    const CaseView now = view();
    for (const TaskView& t : now.tasks) {
      if (t.phase != TaskPhase::open || t.state != now.state) continue;
      bool expected = false;
      for (std::size_t i = 0; i < before; ++i)
        expected = expected ||
                   (!done_[i] && s_.expected[i].state == t.state && s_.expected[i].name == t.id);
      if (!expected && attempt(t.id)) return true;
    }
    return false;
  }

  // One step on the shortest way there.
  bool move_to(int to, std::size_t before) {
    const int from = plan_->state(view().state);
    std::vector<int> first(plan_->states.size(), -1), queue{from};  // the action that leads there
    for (std::size_t i = 0; i < queue.size() && first[to] < 0; ++i)
      for (const int a : plan_->states[queue[i]].actions) {
        const int next = plan_->actions[a].to;
        if (next < 0 || next == from || first[next] >= 0) continue;
        first[next] = queue[i] == from ? a : first[queue[i]];
        queue.push_back(next);
      }
    const int action = first[to];
    if (action < 0) return false;
    const ActionDef& way = plan_->actions[action];
    return (way.kind == ActionDef::Kind::person && attempt(way.id)) || tidy_up(before);
  }

  bool did(Result<Decide> decide) {
    const Result<Answer> answer = h_.run(std::move(decide));
    if (!answer) {
      why_ = answer.problem().text.en;
      for (const FieldProblem& f : answer.problem().fields) why_ += " " + f.pointer;
    }
    return answer.ok();
  }

  template <typename Command>
  bool filed(int form, Command command) {
    for (int i = 0; i < (form < 0 ? 1 : kForms); ++i)
      if (did(command(form < 0 ? json::object{} : fill(plan_->forms[form], i)))) return true;
    return false;
  }

  // What was told is true. Of what nobody told people assume the worst, unless the scenario will
  // tell it; otherwise what the case says stays as it is, until a guard wants something else. The
  // rest is anything that the form accepts.
  json::object fill(const FormUse& use, int attempt) {
    json::object wanted;
    const CaseView now = view();
    for (std::size_t i = 0; i < use.facts.size(); ++i) {
      if (use.facts[i] < 0) continue;
      const FactDef& fact = plan_->facts[use.facts[i]];
      if (const json::value* value = known_.if_contains(fact.id))
        wanted[use.form->fields[i].name] = *value;
      else if (attempt % 4 == 0 && (fact.id == "severity" || fact.id == "grade"))
        wanted[use.form->fields[i].name] =
            told_later(fact.id) ? fact.values.front() : fact.values.back();
      else if (attempt % 4 == 0)
        for (const FactView& f : now.facts)
          if (f.id == fact.id)
            wanted[use.form->fields[i].name] = fact.type == FieldType::time && f.value.is_int64()
                                                   ? json::value(to_rfc3339(f.value.get_int64()))
                                                   : f.value;
    }
    constexpr int kYes[] = {50, 90, 90, 10};
    return sample(*use.form, random_, wanted,
                  {.now_ms = h_.clock.now_ms(), .people = &people_, .yes = kYes[attempt % 4]});
  }

  const DrillScenario& s_;
  std::shared_ptr<const Definition> plan_;
  House h_;
  SeededRandom random_;
  std::vector<bool> done_;
  std::string case_, why_;
  std::vector<std::string> people_;
  json::object known_;  // fact → value, as the injects told them
  std::size_t told_ = 0;
  std::pair<std::uint64_t, std::size_t> tried_{};
};

TEST(Played, every_shipped_scenario_can_be_met_by_its_participants_and_scores_the_same_again) {
  EXPECT_FALSE(shipped().drills.all().empty());
  for (const auto& [id, scenario] : shipped().drills.all()) {
    const DrillScore first = Play(*scenario, 7).play(), second = Play(*scenario, 7).play();
    EXPECT_EQ(first, second) << id;
    EXPECT_EQ(first.unjudged, 0) << id;
    for (const DrillLine& l : first.lines)
      EXPECT_TRUE(l.met || l.kind != DrillLine::Kind::act)
          << id << " " << l.id << " took " << l.took_ms / kMinute << " of " << l.limit_ms / kMinute
          << " min";
  }
}

}  // namespace
}  // namespace cw
