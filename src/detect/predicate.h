// Predicates: one test of one field. Interned, so that a test shared by many rules is made once per
// event. Immutable after load and thread-safe then.
//
//   Predicates all;
//   std::uint32_t id = all.intern({.field = all.field("Image"), .op = Op::suffix, .text =
//   "\\cmd.exe"});
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "sigma_regex.h"
#include "text_pattern.h"

namespace cw::detect {

enum class Op : std::uint8_t {
  // Found for a whole value at once by the field's index (field_index.h); globs and expressions
  // only if they have a literal part:
  equals,
  prefix,
  suffix,
  contains,
  glob,
  regex,
  // Computed only when a rule asks:
  cidr,
  number,
  time_part,
  is_null,
  exists,
  field_ref,
};

enum class Relation : std::uint8_t { lt, lte, gt, gte, eq };
bool holds(Relation relation, double left, double right);

enum class TimePart : std::uint8_t { minute, hour, day, week, month, year };

struct Cidr {
  std::array<unsigned char, 16> address{};
  int bits = 0;
  bool v6 = false;
  bool contains(std::string_view ip) const;
};
std::optional<Cidr> parse_cidr(std::string_view text);

// The whole of `text` as a finite decimal number.
std::optional<double> parse_number(std::string_view text);
// Of an RFC 3339-like time or a number of (milli)seconds since 1970; the zone is not converted.
std::optional<int> time_part(TimePart part, std::string_view text);

struct Predicate {
  std::uint32_t field = 0;
  Op op = Op::equals;
  bool cased = false;
  std::string text;  // equals, prefix, suffix, contains; folded unless cased
  Pattern glob;      // glob; folded unless cased
  std::shared_ptr<const Regex> regex;
  Cidr cidr;
  Relation relation = Relation::eq;  // number, time_part
  double number = 0;
  TimePart part = TimePart::minute;
  Op reference = Op::equals;          // field_ref: how the fields compare
  std::uint32_t other_field = 0;      // field_ref
  bool indexed = false;               // set by intern(): found by the field's index, not computed
  std::vector<std::string> triggers;  // glob, regex: folded literals of which one must occur
};

class Predicates {
 public:
  static constexpr std::uint32_t kAnyField = 0;  // keywords: every value of the event

  Predicates();
  std::uint32_t field(std::string_view name);
  std::uint32_t intern(Predicate predicate);

  const std::vector<Predicate>& all() const { return all_; }
  const Predicate& operator[](std::uint32_t id) const { return all_[id]; }
  const std::vector<std::string>& field_names() const { return fields_; }

 private:
  std::vector<Predicate> all_;
  std::vector<std::string> fields_;
  std::unordered_map<std::string, std::uint32_t> by_key_;
  std::unordered_map<std::string, std::uint32_t> by_name_;
};

}  // namespace cw::detect
