// Result<T>: a value or a Problem, for refusals that are expected (validation, permission,
// conflict). Environment failures are exceptions; programmer's errors are CW_CHECK.
// Values are thread-compatible like any plain struct.
//
//   Result<int> parse(std::string_view s);
//   auto n = parse("7");
//   if (!n) return n.problem();
//   use(*n);
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/check.h"

namespace cw {

// The same sentence in both languages of the product.
struct Text {
  std::string zh;
  std::string en;
  const std::string& in(std::string_view lang) const { return lang == "en" ? en : zh; }
  bool operator==(const Text&) const = default;
};

// What class of refusal this is; the API maps it to an HTTP status.
enum class Refusal {
  invalid,          // 422: the input is wrong, `fields` says where
  malformed,        // 400: the input could not be read at all
  unauthenticated,  // 401
  forbidden,        // 403
  not_found,        // 404
  conflict,         // 409
  stale,            // 412: If-Match did not match
  too_large,        // 413
  too_many,         // 429: retry_after_s is set
  unavailable,      // 503: retry_after_s is set; nothing was written
};

// One field at fault: a JSON pointer into the request ("/form/severity") and what to do about it.
struct FieldProblem {
  std::string pointer;
  Text text;
};

// A refusal. `code` is stable and machine-readable ("form.required"); `text` says what happened,
// what is safe and what to do next. It must hold no personal data: it is logged.
struct Problem {
  Refusal refusal = Refusal::invalid;
  std::string code;
  Text text;
  std::vector<FieldProblem> fields;
  int retry_after_s = 0;
};

template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : held_(std::in_place_index<0>, std::move(value)) {}  // NOLINT: implicit
  Result(Problem p) : held_(std::in_place_index<1>, std::move(p)) {}    // NOLINT: implicit

  bool ok() const { return held_.index() == 0; }
  explicit operator bool() const { return ok(); }

  const T& operator*() const& {
    CW_CHECK(ok());
    return std::get<0>(held_);
  }
  T& operator*() & {
    CW_CHECK(ok());
    return std::get<0>(held_);
  }
  T&& operator*() && {
    CW_CHECK(ok());
    return std::get<0>(std::move(held_));
  }
  const T* operator->() const {
    CW_CHECK(ok());
    return &std::get<0>(held_);
  }
  T* operator->() {
    CW_CHECK(ok());
    return &std::get<0>(held_);
  }

  const Problem& problem() const& {
    CW_CHECK(!ok());
    return std::get<1>(held_);
  }
  Problem&& problem() && {
    CW_CHECK(!ok());
    return std::get<1>(std::move(held_));
  }

 private:
  std::variant<T, Problem> held_;
};

// For operations that return nothing: `return done();`
using Status = Result<std::monostate>;
inline Status done() { return std::monostate{}; }

inline Problem problem(Refusal refusal, std::string code, Text text,
                       std::vector<FieldProblem> fields = {}) {
  return Problem{refusal, std::move(code), std::move(text), std::move(fields), 0};
}

// A refusal about one field.
inline Problem invalid(std::string code, std::string pointer, Text text) {
  Problem p{Refusal::invalid, std::move(code), text, {}, 0};
  p.fields.push_back({std::move(pointer), std::move(text)});
  return p;
}

}  // namespace cw
