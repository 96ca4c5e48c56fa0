// Boolean expressions over predicates, and Sigma's condition language. Pure and thread-safe.
//
//   ConditionError error;
//   auto expr = parse_condition("selection and not 1 of filter_*", identifiers, error);
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace cw::detect {

struct Expr {
  enum class Kind : std::uint8_t { all, any, negation, predicate };
  Kind kind = Kind::all;  // `all` of nothing is true, `any` of nothing is false
  std::uint32_t predicate = 0;
  std::vector<Expr> kids;
};

Expr make_predicate(std::uint32_t id);
Expr make_all(std::vector<Expr> kids);
Expr make_any(std::vector<Expr> kids);
Expr make_not(Expr kid);
std::size_t node_count(const Expr& e);

using Identifiers = std::vector<std::pair<std::string, Expr>>;  // search identifiers, in file order

struct ConditionError {
  std::size_t offset = 0;  // byte in the condition
  std::string code;
  Text text;
};

// Precedence, least to most binding: or, and, not, `N of`. Keywords without case. Refuses nesting
// deeper than 32 and results of more than 50,000 nodes.
std::optional<Expr> parse_condition(std::string_view text, const Identifiers& identifiers,
                                    ConditionError& error);

}  // namespace cw::detect
