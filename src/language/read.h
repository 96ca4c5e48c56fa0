// Reading a procedure: names first, then bodies, then conditions, then the flow between states.
// Everything is reported; nothing is returned half-checked.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "expression.h"
#include "language/definition.h"

namespace cw {

class DefinitionReader {
 public:
  DefinitionReader(const YamlTree& tree, const std::string& file, const Surroundings& around,
                   std::vector<Mistake>& mistakes)
      : tree_(tree), around_(around), reader_(file, mistakes) {}

  void read(Definition& definition);

 private:
  // A condition that waits until every name and the flow are known.
  enum class Use : std::uint8_t { task_when, action_guard, action_auto, clock_when };
  struct Condition {
    Use use;
    int index;
    const YamlNode* node;
    ParsedExpression parsed;
  };
  using Names = std::vector<std::string>;

  // read.cpp: the head, roles, facts, levels, names of everything
  void head(const YamlNode& root);
  void levels(const YamlNode& node);
  void declare(const YamlNode& root);
  void roles(const YamlNode& node);
  void role(const YamlNode& body, RoleDef& out);
  void facts(const YamlNode& node);
  void fact(const YamlNode& key, const YamlNode& body);
  void level_map(const YamlNode& node);
  void flags(const YamlNode& node);
  void readers(const YamlNode& node);
  void start(const YamlNode& node);

  // read_state.cpp: states, tasks, actions
  void states(const YamlNode& node);
  void state_body(const YamlNode& body, int index);
  void task(const YamlNode& body, TaskDef& out, int index);
  void action(const YamlNode& body, ActionDef& out, int index);
  void automatic(const YamlNode& body, ActionDef& out, int index);
  Approval approval(const YamlNode& node);
  void condition(const YamlNode& node, Use use, int index);

  // read_clock.cpp: clocks, limits, moments, effects, assignments
  void clocks(const YamlNode& node);
  void clock(const YamlNode& body, ClockDef& out, int index);
  Limit limit(const YamlNode& body);
  void closing(const YamlNode& body, const ClockDef& clock);
  Limit statutory_limit(const YamlNode& body, const YamlNode& id);
  Span span(const YamlNode& node);
  std::string calendar(const YamlNode& node);
  Moment moment(const YamlNode& node);
  void earliest(const YamlNode& list, ClockDef& out);
  std::vector<Effect> effects(const YamlNode& node);
  bool effect(const YamlNode& node, Effect& out);
  void open(const YamlNode& node, Effect& out);
  void open_each(const YamlNode& node, Effect& out);
  std::vector<Assignment> assignments(const YamlNode& node, int form);
  bool assignment(const YamlNode& value, int form, Assignment& out);

  // amend.cpp: how a running case is corrected
  void amend(const YamlNode& node);
  void amend_actions();
  void decide(StateDef& state);

  // schedule.cpp: when it is opened by itself
  void schedule(const YamlNode& node);
  void schedule_every(const YamlNode& node, Schedule& out);
  void schedule_start(const YamlNode* node, const YamlNode& whole, Schedule& out);
  json::value schedule_value(const YamlNode& node, const FormField& field);

  // resolve.cpp: names to indices, forms
  int find(const YamlNode& node, const Names& names, const char* code, const Text& noun);
  int role_index(const YamlNode& node);
  int state_index(const YamlNode& node);
  int fact_index(const YamlNode& node);
  std::vector<int> role_list(const YamlNode& node);
  int form_index(const YamlNode& node);
  void fact_sources(const YamlNode& node, const Form& form, const FormField& field);
  bool fits(const FormField& field, const FactDef& fact, std::string& why_zh, std::string& why_en);
  void child_start(const YamlNode& at, const FormField& list, const Form& start);
  Text title_of(const YamlNode& body, const std::string& fallback, int form = -1);
  void words_from_forms();

  // flow.cpp: what can be reached, what is surely known, conditions
  void flow();
  void reach();
  void auto_cycles();
  void surely_known();
  void add_known(int form, const std::vector<Assignment>& set, std::vector<bool>& known) const;
  void compile_conditions();
  void compile(const Condition& condition);
  std::vector<bool> cleared() const;
  std::vector<int> targets(int state) const;

  const YamlTree& tree_;
  const Surroundings& around_;
  YamlReader reader_;
  Definition* d_ = nullptr;
  Names role_names_, state_names_, fact_names_;
  std::vector<const YamlNode*> state_keys_, action_keys_, task_bodies_, action_bodies_,
      clock_bodies_;
  std::vector<Condition> conditions_;
  std::vector<std::vector<bool>> known_;  // per state: facts surely set on entering it
  std::vector<bool> way_unknown_;         // per state: an action's target could not be resolved
};

}  // namespace cw
