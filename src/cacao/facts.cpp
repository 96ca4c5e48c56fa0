#include "facts.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "tree.h"

namespace cw::cacao {
namespace {

constexpr std::size_t values_max = 100, expression_max = 950, fields_max = 190;

std::optional<std::int64_t> whole(std::string_view text) {
  const auto n = to_int<std::int64_t>(text);
  constexpr std::int64_t most = 9'007'199'254'740'991;
  return n && *n >= -most && *n <= most ? n : std::nullopt;
}

bool fits_a_name(std::string_view s) {
  if (s.empty() || s.size() > 64 || std::isalpha(static_cast<unsigned char>(s[0])) == 0)
    return false;
  return std::all_of(s.begin(), s.end(), [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_' || c == '.';
  });
}

std::string title_of_variable(const Variable& v) {
  return one_line(v.description.empty() ? v.name : v.description, 120);
}

}  // namespace

Facts::Facts(const Playbook& playbook, Report& report) {
  // Words of the language, and fields that the forms made here have of their own.
  Names names('_');
  for (const char* own : {"true", "false", "null", "in", "has", "actor", "form", "tasks",
                          "children", "now", "level", "start", "task", "state", "action", "result"})
    names.take(own);
  for (const Variable& v : playbook.variables) {
    Entry e;
    e.variable = v;
    std::string name = v.name.substr(0, 50);
    std::replace(name.begin(), name.end(), '-', '_');
    e.name = names.give(name);
    index_[v.name] = entries_.size();
    entries_.push_back(std::move(e));
  }
  study(playbook);
  settle(report);
}

const Facts::Entry* Facts::find(std::string_view variable) const {
  const auto at = index_.find(variable);
  return at == index_.end() ? nullptr : &entries_[at->second];
}

// What each text variable is compared with, anywhere.
void Facts::study(const Playbook& playbook) {
  auto look = [&](const Test& test) {
    const bool equality = test.kind == Test::Kind::in || test.op == "==" || test.op == "!=";
    for (std::size_t i = 0; i < test.terms.size(); ++i) {
      if (test.terms[i].kind != Term::Kind::variable) continue;
      const std::string& name = test.terms[i].text;
      for (std::size_t j = 0; j < test.terms.size(); ++j) {
        if (i == j) continue;
        if (equality && test.terms[j].kind == Term::Kind::text) {
          compared_[name].push_back(test.terms[j].text);
        } else {
          otherwise_used_.insert(name);
        }
      }
    }
  };
  for (const Step& step : playbook.steps) {
    if (step.kind == Step::Kind::choice) {
      const auto name = variable_name(step.condition);
      if (!name) continue;
      for (const auto& [key, head] : step.cases)
        if (key != "default") compared_[*name].push_back(key);
    } else if (step.kind == Step::Kind::either || step.kind == Step::Kind::loop) {
      if (const auto test = parse_condition(step.condition)) each_comparison(*test, look);
    }
  }
}

void Facts::settle(Report& report) {
  for (Entry& e : entries_) {
    const Variable& v = e.variable;
    const std::string pointer = pointer_to("/playbook_variables", "__" + v.name + "__");
    const bool has = v.has_value;
    if (v.type == "bool" && (!has || v.value == "true" || v.value == "false")) {
      e.kind = Kind::boolean;
    } else if ((v.type == "integer" || v.type == "long") && (!has || whole(v.value))) {
      e.kind = Kind::integer;
    } else if (compared_.contains(v.name) && !otherwise_used_.contains(v.name)) {
      e.kind = Kind::enumeration;
      name_values(e, report);
    }
    e.known = has && e.kind != Kind::field;
    if (e.kind != Kind::field) {
      report.mapped(
          "variable", pointer,
          {"变量成为事实“" + e.name + "”", "the variable became the fact '" + e.name + "'"});
    } else if (v.constant) {
      report.mapped("variable", pointer,
                    {"常量写进用到它的任务说明", "the constant is told where a task mentions it"});
    } else {
      report.mapped("variable", pointer,
                    {"变量成为起始表单的字段“" + e.name + "”",
                     "the variable became the field '" + e.name + "' of the start form"});
    }
  }
}

// Each text it is compared with becomes a value of the enumeration, and one more stands for all
// others.
void Facts::name_values(Entry& e, Report& report) {
  Names names;
  auto add = [&](const std::string& literal) {
    if (e.literals.size() >= values_max) return;
    if (std::find(e.literals.begin(), e.literals.end(), literal) != e.literals.end()) return;
    e.literals.push_back(literal);
    e.values.push_back(names.give(fits_a_name(literal) ? literal : slug("v-" + literal, "v", 40)));
  };
  for (const std::string& literal : compared_[e.variable.name]) add(literal);
  if (e.variable.has_value) add(e.variable.value);
  if (e.literals.size() >= values_max) {
    e.kind = Kind::field;
    report.check("variable", pointer_to("/playbook_variables", "__" + e.variable.name + "__"),
                 {"取值太多，条件改由人判断", "too many values; people judge the conditions"});
    return;
  }
  e.literals.emplace_back("\n");  // no condition can say this one
  e.values.push_back(names.give("other"));
}

std::optional<std::string> Facts::constant(const Entry& e, const Term& term) const {
  switch (e.kind) {
    case Kind::boolean:
      if (term.text == "true" || term.text == "false") return term.text;
      return std::nullopt;
    case Kind::integer:
      if (const auto n = whole(term.text); n && term.kind != Term::Kind::boolean)
        return std::to_string(*n);
      return std::nullopt;
    case Kind::enumeration: {
      const auto at = std::find(e.literals.begin(), e.literals.end(), term.text);
      if (at == e.literals.end()) return std::nullopt;
      return "'" + e.values[static_cast<std::size_t>(at - e.literals.begin())] + "'";
    }
    case Kind::field:
      break;
  }
  return std::nullopt;
}

bool Facts::comparison(const Test& test, std::string& out, std::set<std::string>& reads) const {
  if (test.terms[0].kind != Term::Kind::variable) return false;
  const Entry* left = find(test.terms[0].text);
  if (left == nullptr || left->kind == Kind::field) return false;
  reads.insert(left->variable.name);
  if (test.kind == Test::Kind::in) {
    if (left->kind == Kind::boolean) return false;
    out += left->name + " in [";
    for (std::size_t i = 1; i < test.terms.size(); ++i) {
      const auto said = test.terms[i].kind == Term::Kind::variable ? std::nullopt
                                                                   : constant(*left, test.terms[i]);
      if (!said) return false;
      out += (i > 1 ? ", " : "") + *said;
    }
    out += "]";
    return true;
  }
  const bool equality = test.op == "==" || test.op == "!=";
  if (!equality && left->kind != Kind::integer) return false;
  if (test.terms[1].kind == Term::Kind::variable) {
    const Entry* right = find(test.terms[1].text);
    if (right == nullptr || right->kind != left->kind || left->kind == Kind::enumeration ||
        left->kind == Kind::field)
      return false;
    reads.insert(right->variable.name);
    out += left->name + " " + test.op + " " + right->name;
    return true;
  }
  const auto said = constant(*left, test.terms[1]);
  if (said) out += left->name + " " + test.op + " " + *said;
  return said.has_value();
}

bool Facts::expression(const Test& test, std::string& out, std::set<std::string>& reads) const {
  switch (test.kind) {
    case Test::Kind::compare:
    case Test::Kind::in:
      return comparison(test, out, reads);
    case Test::Kind::negate:
      out += "!(";
      if (!expression(*test.parts[0], out, reads)) return false;
      out += ")";
      return true;
    default:
      break;
  }
  const bool both = test.kind == Test::Kind::both;
  for (std::size_t i = 0; i < test.parts.size(); ++i) {
    const Test& part = *test.parts[i];
    const bool brackets = both && part.kind == Test::Kind::either;
    if (i > 0) out += both ? " && " : " || ";
    if (brackets) out += "(";
    if (!expression(part, out, reads)) return false;
    if (brackets) out += ")";
  }
  return true;
}

// A fact that may be unset is asked for first, as a guard demands.
std::string Facts::guarded(const std::string& expression, const std::set<std::string>& reads,
                           bool holds) const {
  std::string out;
  for (const std::string& name : reads) {
    const Entry* e = find(name);
    if (!e->known) out += (holds ? "has(" + e->name + ") && " : "!has(" + e->name + ") || ");
  }
  if (out.empty()) return holds ? expression : "!(" + expression + ")";
  return out + (holds ? "(" : "!(") + expression + ")";
}

std::optional<Facts::Said> Facts::condition(std::string_view written) const {
  const auto test = parse_condition(written);
  std::string out;
  std::set<std::string> reads;
  if (test == nullptr || !expression(*test, out, reads)) return std::nullopt;
  Said said{guarded(out, reads, true), guarded(out, reads, false)};
  if (said.yes.size() > expression_max || said.no.size() > expression_max) return std::nullopt;
  return said;
}

std::optional<std::vector<std::string>> Facts::cases(std::string_view variable,
                                                     const std::vector<std::string>& keys) const {
  const auto name = variable_name(variable);
  const Entry* e = name ? find(*name) : nullptr;
  if (e == nullptr || e->kind == Kind::field) return std::nullopt;
  std::string any;
  std::vector<std::string> out;
  for (const std::string& key : keys) {
    if (key == "default") continue;
    const auto said = constant(*e, {Term::Kind::text, key});
    if (!said) return std::nullopt;
    any += (any.empty() ? "" : " || ") + e->name + " == " + *said;
  }
  const std::set<std::string> reads{*name};
  const std::string none = any.empty() ? "" : guarded(any, reads, false);
  for (const std::string& key : keys) {
    if (key == "default" && none.empty()) return std::nullopt;
    out.push_back(
        key == "default"
            ? none
            : guarded(e->name + " == " + *constant(*e, {Term::Kind::text, key}), reads, true));
  }
  out.push_back(none);
  for (const std::string& one : out)
    if (one.empty() || one.size() > expression_max) return std::nullopt;
  return out;
}

bool Facts::any_data() const {
  return std::any_of(entries_.begin(), entries_.end(),
                     [](const Entry& e) { return e.kind != Kind::field; });
}

bool Facts::any_start_set() const {
  return std::any_of(entries_.begin(), entries_.end(),
                     [](const Entry& e) { return e.known && e.variable.constant; });
}

static YamlNode words_of(const std::vector<std::string>& literals,
                         const std::vector<std::string>& values) {
  YamlNode out = branch();
  for (std::size_t i = 0; i < values.size(); ++i) {
    const bool other = i + 1 == values.size();
    const std::string said = one_line(literals[i], 80);
    const std::string shown = said.empty() ? "\"\"" : said;
    put(out, values[i], other ? both_languages("其他", "Other") : both_languages(shown, shown));
  }
  return out;
}

YamlNode Facts::data() const {
  YamlNode out = branch();
  for (const Entry& e : entries_) {
    if (e.kind == Kind::field) continue;
    YamlNode& fact = put(out, e.name, branch());
    if (e.kind == Kind::enumeration) {
      std::vector<YamlNode> values;
      for (const std::string& v : e.values) values.push_back(leaf(v));
      put(fact, "enum", sequence(std::move(values)));
      put(fact, "words", words_of(e.literals, e.values));
    } else {
      put(fact, "type", leaf(e.kind == Kind::boolean ? "boolean" : "integer"));
    }
    const std::string title = title_of_variable(e.variable);
    put(fact, "title", both_languages(title, title));
  }
  return out;
}

YamlNode Facts::start_set() const {
  YamlNode out = branch();
  for (const Entry& e : entries_) {
    if (!e.known || !e.variable.constant) continue;
    std::string value = *constant(e, {Term::Kind::text, e.variable.value});
    if (e.kind == Kind::enumeration)  // in quotes: "actor" and "now" mean something else
      put(out, e.name, quoted_leaf(value.substr(1, value.size() - 2)));
    else
      put(out, e.name, leaf(value));
  }
  return out;
}

void Facts::field(const Entry& e, bool at_start, YamlNode& properties) const {
  const std::string title = title_of_variable(e.variable);
  YamlNode& out = put(properties, e.name, branch());
  put(out, "title", both_languages(title, title));
  const bool fallback = at_start && e.variable.has_value;
  if (e.kind == Kind::enumeration) {
    std::vector<YamlNode> values;
    for (const std::string& v : e.values) values.push_back(leaf(v));
    put(out, "enum", sequence(std::move(values)));
    if (fallback) {
      const std::string said = *constant(e, {Term::Kind::text, e.variable.value});
      put(out, "default", leaf(said.substr(1, said.size() - 2)));
    }
    YamlNode& hints = put(out, "x-callwarden", branch());
    put(hints, "words", words_of(e.literals, e.values));
  } else if (e.kind == Kind::field) {
    put(out, "type", leaf("string"));
    put(out, "maxLength", leaf("4000"));
    const std::string said = one_line(e.variable.value, 3'000);
    if (fallback && !said.empty()) put(out, "default", quoted_leaf(said));
  } else {
    put(out, "type", leaf(e.kind == Kind::boolean ? "boolean" : "integer"));
    if (fallback) put(out, "default", leaf(*constant(e, {Term::Kind::text, e.variable.value})));
  }
}

void Facts::start_fields(YamlNode& properties, std::vector<std::string>& required) const {
  for (const Entry& e : entries_) {
    if (e.variable.constant || properties.entries.size() >= fields_max) continue;
    field(e, true, properties);
    if (e.variable.external && !e.variable.has_value) required.push_back(e.name);
  }
}

void Facts::step_fields(const std::vector<std::string>& variables, YamlNode& properties,
                        std::vector<std::string>& required) const {
  std::set<std::string> seen;
  for (const std::string& name : variables) {
    const Entry* e = find(name);
    if (e == nullptr || e->variable.constant || !seen.insert(name).second ||
        properties.entries.size() >= fields_max)
      continue;
    field(*e, false, properties);
    if (e->kind != Kind::field) required.push_back(e->name);
  }
}

std::vector<std::string> Facts::mentioned(std::string_view text) const {
  std::vector<std::string> out;
  std::set<std::string> seen;
  auto inside = [&](std::size_t at) {
    const auto c = static_cast<unsigned char>(text[at]);
    return std::isalnum(c) != 0 || c == '_' || c == '-';
  };
  for (std::size_t at = 0;
       (at = text.find("__", at)) != std::string_view::npos && out.size() < 50;) {
    std::size_t end = at;
    while (end < text.size() && inside(end)) ++end;
    const auto name = variable_name(text.substr(at, end - at));
    const Entry* e = name ? find(*name) : nullptr;
    if (e != nullptr && e->variable.has_value && seen.insert(*name).second)
      out.push_back("__" + *name + "__ = " + one_line(e->variable.value, 500));
    at = end;
  }
  return out;
}

}  // namespace cw::cacao
