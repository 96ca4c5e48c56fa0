// A stranger's workflow woven into states: one step, one state; the steps of simple parallel
// branches are the tasks of one state; an end inside a branch goes on where its owner does.
//
//   Weaver weaver(playbook, facts, forms, library, report);
//   if (!weaver.weave()) …too large
#pragma once

#include <deque>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "draft.h"
#include "facts.h"
#include "language/definition.h"
#include "playbook.h"
#include "report.h"

namespace cw::cacao {

struct DraftRole {
  std::string id, title;
  std::string kind;  // "post" or "team", and its name
  std::string name;
};

class Weaver {
 public:
  Weaver(const Playbook& playbook, const Facts& facts, const Library& library,
         std::string procedure, Report& report);

  bool weave();  // false: more states than steps_max, or too much text

  std::vector<DraftState> states;
  std::vector<DraftClock> clocks;
  std::vector<DraftForm> forms;
  std::vector<DraftRole> roles;
  int start = 0;
  // Who decides where the playbook does not say who: everyone who takes part.
  std::vector<std::string> deciders() const;

 private:
  struct Work {
    int step, after, state;
  };
  // `after`: the state in which an `end` goes on; -1 outside every branch.
  int target(int step, int after);
  int fresh(const Step& step, const std::string& fallback);
  int final_state(int step);
  void visit(const Work& work);
  void action(const Step& step, const Work& work);
  void playbook_step(const Step& step, const Work& work);
  void either(const Step& step, const Work& work);
  void loop(const Step& step, const Work& work);
  void choice(const Step& step, const Work& work);
  void parallel(const Step& step, const Work& work);
  bool simple_branches(const Step& step, std::vector<std::vector<int>>& chains) const;
  void leave(const Work& work, const std::string& condition, Text title, int to);
  void fails(const Step& step, const Work& work);
  void decide(int state, std::string id, Text title, std::string condition, int to);
  DraftTask task(const Step& step, Names& ids, const std::string& text);
  std::string step_text(const Step& step, bool zh);
  std::string form(const Step& step, const std::string& name, const std::string& zh,
                   const std::string& en);
  std::string role_of(const Step& step);
  std::string duration(const Step& step, std::int64_t ms, std::string_view what);
  const Step& at(int step) const { return playbook_.steps[static_cast<std::size_t>(step)]; }

  const Playbook& playbook_;
  const Facts& facts_;
  const Library& library_;
  const std::string procedure_;
  Report& report_;
  std::map<std::pair<int, int>, int> made_;
  std::map<int, int> finals_;
  std::map<std::string, std::string> role_ids_;
  std::map<std::string, std::string> children_;  // playbook id → procedure, of this house
  std::deque<Work> todo_;
  Names state_ids_, form_ids_, role_names_, clock_ids_, child_names_;
  std::size_t text_size_ = 0, opened_ = 0;
  bool overflow_ = false;
};

}  // namespace cw::cacao
