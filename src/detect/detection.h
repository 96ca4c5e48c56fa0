// Reads Sigma's `detection` (and the like part of a filter): search identifiers, fields, modifiers,
// values, condition. Mistakes go to the reader with their place.
//
//   DetectionReader reading(tree, mistakes, degraded, predicates, options);
//   std::optional<Expr> expr = reading.detection(*node, {});
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/yaml.h"
#include "condition.h"
#include "detect/detect.h"
#include "predicate.h"

namespace cw::detect {

class DetectionReader {
 public:
  DetectionReader(const YamlTree& tree, YamlReader& mistakes, YamlReader& degraded,
                  Predicates& predicates, const LoadOptions& options)
      : tree_(tree),
        mistakes_(mistakes),
        degraded_(degraded),
        predicates_(predicates),
        options_(options) {}

  // The map's entries except `condition`, `timeframe` and `skipped` are search identifiers.
  std::optional<Expr> detection(const YamlNode& node, std::string_view skipped = {});

 private:
  struct Modifiers {
    std::uint32_t field = Predicates::kAnyField;
    std::vector<std::string> transforms;  // in order
    bool all = false, neq = false, cased = false, expand = false;
    bool re = false, cidr = false, exists = false, fieldref = false;
    RegexFlags regex;
    std::optional<Relation> relation;
    std::optional<TimePart> part;

    bool keyword() const { return field == Predicates::kAnyField; }
    int types() const { return re + cidr + exists + fieldref + (relation || part ? 1 : 0); }
  };
  using Alternatives = std::vector<Pattern>;  // what one value became: any of them

  std::optional<Expr> identifier(const YamlNode& node);
  std::optional<Expr> field_map(const YamlNode& node);
  std::optional<Expr> item(const YamlNode& key, const YamlNode& value);
  std::optional<Expr> keyword(const YamlNode& value);
  std::optional<Modifiers> modifiers(const YamlNode& key);
  bool check_modifiers(const YamlNode& key, const Modifiers& m);
  std::optional<Expr> value(const Modifiers& m, const YamlNode& node);
  std::optional<Expr> typed_value(const Modifiers& m, const YamlNode& node);
  std::optional<Expr> number_value(const Modifiers& m, const YamlNode& node);
  std::optional<Expr> regex_value(const Modifiers& m, const YamlNode& node);
  std::optional<Expr> string_value(const Modifiers& m, const YamlNode& node,
                                   const std::string& text);
  bool transform(const std::string& modifier, const YamlNode& node, Alternatives& alternatives);
  bool encode(const std::string& modifier, const YamlNode& node, Alternatives& alternatives);
  bool expand(const YamlNode& node, std::string_view text, std::vector<std::string>& out);
  Expr string_predicate(const Modifiers& m, Pattern pattern);

  const YamlTree& tree_;
  YamlReader& mistakes_;
  YamlReader& degraded_;
  Predicates& predicates_;
  const LoadOptions& options_;
  std::size_t values_ = 0;
};

}  // namespace cw::detect
