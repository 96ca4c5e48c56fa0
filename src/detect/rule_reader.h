// One YAML document into a rule, a correlation or a filter, not yet linked to others.
//
//   ParsedRule rule = read_rule(document, predicates, options);
//   if (rule.report.outcome != Outcome::rejected) …
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "condition.h"
#include "detect/detect.h"
#include "predicate.h"

namespace cw::detect {

enum class CorrelationType : std::uint8_t {
  event_count,
  value_count,
  value_sum,
  value_avg,
  value_percentile,
  temporal,
  temporal_ordered,
};

struct Alias {
  std::string name;
  std::vector<std::pair<std::string, std::string>> fields;  // rule's name or id → field
};

struct Bound {
  Relation relation;
  double number;
  bool unequal = false;  // `neq`
};

struct ParsedCorrelation {
  CorrelationType type = CorrelationType::event_count;
  std::vector<YamlNode> rules;  // names or ids, with their places
  std::vector<std::string> group_by;
  std::vector<Alias> aliases;
  std::vector<std::string> fields;  // of the value types
  std::vector<Bound> bounds;        // all must hold; empty: every rule (temporal)
  std::int64_t timespan_ms = 0;
  double percentile = 95;
  bool generate = false;
};

struct ParsedRule {
  RuleInfo info;
  RuleReport report;
  std::optional<Expr> expr;  // of a rule, or of a filter
  ParsedCorrelation correlation;
  std::vector<YamlNode> filtered;  // rules a filter applies to
  bool filters_any = false;
};

struct RuleDocument {
  const std::string& path;
  std::string text;  // one document; lines before it are empty, so that places are the file's
  int line = 1;
};

ParsedRule read_rule(const RuleDocument& document, Predicates& predicates,
                     const LoadOptions& options);

// "90s", "15m", "12h", "2d", "1w" in milliseconds; nothing if malformed or longer than 31 days.
std::optional<std::int64_t> parse_timespan(std::string_view text);

// The extension key `callwarden`: warning, entities, parameters, tests, both languages' texts.
void read_extension(const YamlNode& node, YamlReader& mistakes, RuleInfo& info);

}  // namespace cw::detect
