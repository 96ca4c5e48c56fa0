// Conditions on both sides: ours (the CEL subset of docs/formats/procedure.md) written the way
// CACAO's examples write theirs, and theirs (comparisons of variables in the STIX patterning
// grammar) parsed, so that what can be said here becomes an expression. Pure and thread-safe.
//
//   foreign_condition("people > 0 && kind in ['scan']")
//     // "__people__:value > 0 AND __kind__:value IN ('scan')"
//   auto parsed = parse_condition("__level__:value == 'high' AND NOT __known__:value == true");
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cw::cacao {

// The variable that stands for a name of ours: "people" → "__people__", "form.severity" →
// "__form-severity__", "tasks.done" → "__tasks-done__". A fact's name has no "-", so none collide.
std::string variable_of(std::string_view name);

std::string foreign_condition(std::string_view expression);

// Every name that an expression reads, as it stands there; has(x) counts as x.
std::vector<std::string> names_read(std::string_view expression);

struct Term {
  enum class Kind { variable, text, number, boolean };
  Kind kind = Kind::text;
  std::string text;  // a variable without its underscores and ":value"; a number's digits; "true"
};

struct Test {  // one comparison, or a combination
  enum class Kind { compare, in, negate, both, either };
  Kind kind = Kind::compare;
  std::string op;           // compare: == != < <= > >=
  std::vector<Term> terms;  // compare: two; in: the value, then the list
  std::vector<std::unique_ptr<Test>> parts;
};

// Null when it is written in any other way: a person then decides. At most 1,000 bytes, 8 levels.
std::unique_ptr<Test> parse_condition(std::string_view condition);

// "__name__:value" or "__name__" without what surrounds the name; nothing for another text.
std::optional<std::string> variable_name(std::string_view text);

void each_comparison(const Test& test, const std::function<void(const Test&)>& visit);

}  // namespace cw::cacao
