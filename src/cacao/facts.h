// The playbook's variables as facts and form fields, and its conditions as expressions over them.
// A boolean or whole number becomes a fact; a text does when the playbook only ever compares it
// with fixed texts: it is then an enumeration. Every other variable is a field people fill in.
//
//   Facts facts(playbook, report);
//   if (auto said = facts.condition("__risk__:value == 'high'")) use(said->yes, said->no);
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/yaml.h"
#include "condition.h"
#include "playbook.h"
#include "report.h"

namespace cw::cacao {

class Facts {
 public:
  Facts(const Playbook& playbook, Report& report);

  // Expressions that hold when the condition does and when it does not, neither ever unknown.
  struct Said {
    std::string yes, no;
  };
  std::optional<Said> condition(std::string_view written) const;
  // One for each case of a switch over `variable` (a "default" says: none of the others), and
  // last one for no case at all.
  std::optional<std::vector<std::string>> cases(std::string_view variable,
                                                const std::vector<std::string>& keys) const;

  YamlNode data() const;       // `data` of the procedure
  YamlNode start_set() const;  // constants
  bool any_data() const;
  bool any_start_set() const;
  // Fields for a form; `properties` and `required` grow. Only outputs are asked for in a step.
  void start_fields(YamlNode& properties, std::vector<std::string>& required) const;
  void step_fields(const std::vector<std::string>& variables, YamlNode& properties,
                   std::vector<std::string>& required) const;
  // "name = value" of each variable that the text mentions.
  std::vector<std::string> mentioned(std::string_view text) const;

 private:
  enum class Kind { field, boolean, integer, enumeration };
  struct Entry {
    Variable variable;
    std::string name;  // of the fact or the field
    Kind kind = Kind::field;
    std::vector<std::string> literals, values;  // enumeration: as written there, as named here
    bool known = false;                         // has a value when a case begins
  };

  void study(const Playbook& playbook);
  void settle(Report& report);
  void name_values(Entry& entry, Report& report);
  const Entry* find(std::string_view variable) const;
  std::optional<std::string> constant(const Entry& entry, const Term& term) const;
  bool expression(const Test& test, std::string& out, std::set<std::string>& reads) const;
  bool comparison(const Test& test, std::string& out, std::set<std::string>& reads) const;
  std::string guarded(const std::string& expression, const std::set<std::string>& reads,
                      bool holds) const;
  void field(const Entry& entry, bool at_start, YamlNode& properties) const;

  std::vector<Entry> entries_;
  std::map<std::string, std::size_t, std::less<>> index_;
  std::map<std::string, std::vector<std::string>, std::less<>> compared_;  // texts, by variable
  std::set<std::string, std::less<>> otherwise_used_;
};

}  // namespace cw::cacao
