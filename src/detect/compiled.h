// What a RuleSet holds once loaded: rules as flat trees over interned predicates, the index of each
// field, the witness index, and correlations. Immutable after load.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "detect/detect.h"
#include "field_index.h"
#include "predicate.h"
#include "rule_reader.h"
#include "string_table.h"

namespace cw::detect {

constexpr std::uint32_t kNone = UINT32_MAX;

struct Node {
  Expr::Kind kind;
  std::uint32_t a = 0;  // predicate: its id · negation: a node · all, any: first in kids
  std::uint32_t count = 0;
};

// Rules as trees, and what to try for an event.
struct RuleIndex {
  std::vector<Node> nodes;
  std::vector<std::uint32_t> kids;
  std::vector<std::uint32_t> roots;  // by rule; kNone for a correlation

  StringTable field_ids;                // name → field
  std::vector<FieldIndex> fields;       // by field
  std::vector<std::uint32_t> presence;  // by field: its `exists` predicate if a witness, else kNone

  // A rule can hold only if one of its witnesses does: predicate → rules, as ranges.
  std::vector<std::uint32_t> witness_first;  // by predicate, one more at the end
  std::vector<std::uint32_t> witness_rules;
  std::vector<std::uint32_t> unwitnessed;  // rules without: always tried

  std::vector<std::vector<std::uint32_t>> rule_fields;  // by rule, sorted
  std::vector<bool> uses_keywords;                      // by rule

  std::uint32_t add(const Expr& expr);
};

void build_index(const Predicates& predicates, const std::vector<Expr>& exprs,
                 const std::vector<std::uint32_t>& roots_of, std::size_t rules, RuleIndex& out);

struct CorrelationInput {
  std::uint32_t rule;                 // single or correlation
  std::vector<std::string> group_by;  // field names in that rule's events
};

struct Correlation {
  std::uint32_t rule;  // its own index
  CorrelationType type;
  std::vector<CorrelationInput> inputs;
  std::vector<std::string> group_names;
  std::vector<std::string> fields;
  std::vector<Bound> bounds;
  std::int64_t timespan_ms;
  double percentile;
  bool immediate;          // may fire as soon as the bounds hold; else when the window closes
  std::size_t events_min;  // a group must be able to hold this many
};

struct RuleSet::Impl {
  std::vector<RuleInfo> infos;
  std::vector<RuleReport> reports;
  std::unordered_map<std::string, std::uint32_t> by_id;
  Predicates predicates;
  RuleIndex index;
  std::vector<Correlation> correlations;  // inputs before those that use them
  std::vector<std::vector<std::pair<std::uint32_t, std::uint32_t>>> feeds;  // rule → (corr., input)
};

}  // namespace cw::detect
