#include "detection.h"

#include <algorithm>
#include <set>

#include "base/text.h"

namespace cw::detect {
namespace {

constexpr std::size_t kValuesMax = 20'000;  // of one detection

std::string shown(std::string_view text) { return std::string(clip(text, 64)); }

const std::set<std::string_view> kTransforms = {"contains", "startswith",   "endswith", "windash",
                                                "base64",   "base64offset", "wide",     "utf16le",
                                                "utf16be",  "utf16"};

std::optional<Relation> relation_named(std::string_view name) {
  if (name == "lt") return Relation::lt;
  if (name == "lte") return Relation::lte;
  if (name == "gt") return Relation::gt;
  if (name == "gte") return Relation::gte;
  return std::nullopt;
}

std::optional<TimePart> time_part_named(std::string_view name) {
  constexpr std::string_view kNames[] = {"minute", "hour", "day", "week", "month", "year"};
  for (int i = 0; i < 6; ++i) {
    if (name == kNames[i]) return static_cast<TimePart>(i);
  }
  return std::nullopt;
}

}  // namespace

std::optional<Expr> DetectionReader::detection(const YamlNode& node, std::string_view skipped) {
  if (!mistakes_.map(node)) return std::nullopt;
  Identifiers identifiers;
  bool good = true;
  for (const auto& [key, value] : node.entries) {
    if (key.text == "condition" || key.text == "timeframe" || key.text == skipped) continue;
    auto expr = identifier(value);
    if (!expr) {
      good = false;
      continue;
    }
    identifiers.emplace_back(key.text, std::move(*expr));
  }
  const YamlNode* condition = mistakes_.need(node, "condition");
  if (condition == nullptr || !good) return std::nullopt;
  std::vector<const YamlNode*> conditions;
  if (condition->is_list()) {
    for (const YamlNode& one : condition->items) conditions.push_back(&one);
  } else {
    conditions.push_back(condition);
  }
  std::vector<Expr> kids;
  for (const YamlNode* one : conditions) {
    std::string text = mistakes_.string(*one);
    if (text.empty()) return std::nullopt;
    ConditionError error;
    auto expr = parse_condition(text, identifiers, error);
    if (!expr) {
      mistakes_.mistake(one->line, tree_.column_in(*one, error.offset), error.code, error.text);
      return std::nullopt;
    }
    kids.push_back(std::move(*expr));
  }
  if (kids.empty()) {
    mistakes_.mistake(*condition, "condition.empty", {"条件为空", "the condition is empty"});
    return std::nullopt;
  }
  return make_any(std::move(kids));
}

std::optional<Expr> DetectionReader::identifier(const YamlNode& node) {
  if (node.is_map()) return field_map(node);
  if (node.is_scalar()) return keyword(node);
  if (!node.is_list() || node.items.empty()) {
    mistakes_.mistake(node, "detection.empty", {"检索项为空", "the search identifier is empty"});
    return std::nullopt;
  }
  std::vector<Expr> kids;
  bool good = true;
  for (const YamlNode& one : node.items) {
    std::optional<Expr> expr;
    if (one.is_map()) {
      expr = field_map(one);
    } else if (one.is_scalar()) {
      expr = keyword(one);
    } else {
      mistakes_.mistake(one, "detection.nesting",
                        {"列表中只能是关键词或字段表", "a list holds keywords or maps of fields"});
    }
    if (expr) {
      kids.push_back(std::move(*expr));
    } else {
      good = false;
    }
  }
  if (!good) return std::nullopt;
  return make_any(std::move(kids));
}

std::optional<Expr> DetectionReader::field_map(const YamlNode& node) {
  std::vector<Expr> kids;
  bool good = !node.entries.empty();
  if (!good)
    mistakes_.mistake(node, "detection.empty", {"字段表为空", "the map of fields is empty"});
  for (const auto& [key, value] : node.entries) {
    auto expr = item(key, value);
    if (expr) {
      kids.push_back(std::move(*expr));
    } else {
      good = false;
    }
  }
  if (!good) return std::nullopt;
  return make_all(std::move(kids));
}

std::optional<Expr> DetectionReader::keyword(const YamlNode& node) {
  return value(Modifiers{}, node);
}

std::optional<DetectionReader::Modifiers> DetectionReader::modifiers(const YamlNode& key) {
  Modifiers m;
  std::vector<std::string_view> parts = split(key.text, '|');
  if (!parts[0].empty()) m.field = predicates_.field(parts[0]);
  for (std::size_t i = 1; i < parts.size(); ++i) {
    std::string name = to_lower(parts[i]);
    if (kTransforms.contains(name))
      m.transforms.push_back(name);
    else if (name == "all")
      m.all = true;
    else if (name == "neq")
      m.neq = true;
    else if (name == "cased")
      m.cased = true;
    else if (name == "expand")
      m.expand = true;
    else if (name == "re")
      m.re = true;
    else if (name == "cidr")
      m.cidr = true;
    else if (name == "exists")
      m.exists = true;
    else if (name == "fieldref")
      m.fieldref = true;
    else if (m.re && (name == "i" || name == "ignorecase"))
      m.regex.caseless = true;
    else if (m.re && (name == "m" || name == "multiline"))
      m.regex.multiline = true;
    else if (m.re && (name == "s" || name == "dotall"))
      m.regex.dotall = true;
    else if (auto relation = relation_named(name))
      m.relation = relation;
    else if (auto part = time_part_named(name))
      m.part = part;
    else {
      mistakes_.mistake(
          key, "modifier.unknown",
          {"不认识修饰符“" + shown(parts[i]) + "”", "unknown modifier '" + shown(parts[i]) + "'"});
      return std::nullopt;
    }
  }
  if (!check_modifiers(key, m)) return std::nullopt;
  return m;
}

bool DetectionReader::check_modifiers(const YamlNode& key, const Modifiers& m) {
  bool clash = m.types() > 1;
  // An expression is searched for anywhere, which is what `contains` asks.
  bool only_contains = std::all_of(m.transforms.begin(), m.transforms.end(),
                                   [](const std::string& t) { return t == "contains"; });
  bool only_places = std::all_of(
      m.transforms.begin(), m.transforms.end(),
      [](const std::string& t) { return t == "contains" || t == "startswith" || t == "endswith"; });
  if (m.re && !only_contains) clash = true;
  if (m.fieldref && (!only_places || m.transforms.size() > 1)) clash = true;
  if ((m.cidr || m.exists || m.relation || m.part) && !m.transforms.empty()) clash = true;
  if (m.cased && m.types() > 0 && !m.fieldref) clash = true;
  if (m.keyword() && m.types() > 0 && !m.re) clash = true;
  if (clash) {
    mistakes_.mistake(key, "modifier.clash",
                      {"这些修饰符不能同时使用：" + shown(key.text),
                       "these modifiers do not go together: " + shown(key.text)});
  }
  return !clash;
}

std::optional<Expr> DetectionReader::item(const YamlNode& key, const YamlNode& node) {
  auto m = modifiers(key);
  if (!m) return std::nullopt;
  std::vector<Expr> kids;
  if (node.is_list()) {
    if (node.items.empty()) {
      mistakes_.mistake(node, "value.empty", {"取值列表为空", "the list of values is empty"});
      return std::nullopt;
    }
    bool good = true;
    for (const YamlNode& one : node.items) {
      auto expr = value(*m, one);
      if (expr) {
        kids.push_back(std::move(*expr));
      } else {
        good = false;
      }
    }
    if (!good) return std::nullopt;
  } else {
    auto expr = value(*m, node);
    if (!expr) return std::nullopt;
    kids.push_back(std::move(*expr));
  }
  Expr out = m->all ? make_all(std::move(kids)) : make_any(std::move(kids));
  return m->neq ? make_not(std::move(out)) : std::move(out);
}

std::optional<Expr> DetectionReader::value(const Modifiers& m, const YamlNode& node) {
  if (++values_ > kValuesMax) {
    if (values_ == kValuesMax + 1) {
      mistakes_.mistake(node, "value.many", {"取值太多", "too many values"});
    }
    return std::nullopt;
  }
  if (node.is_map() || node.is_list()) {
    mistakes_.mistake(node, "value.kind",
                      {"取值应为文字、数字或 null", "a value is a text, a number or null"});
    return std::nullopt;
  }
  if (m.types() > 0) return typed_value(m, node);
  if (node.kind == YamlNode::Kind::null) {
    if (m.keyword() || !m.transforms.empty()) {
      mistakes_.mistake(node, "value.null", {"此处不能是 null", "null cannot stand here"});
      return std::nullopt;
    }
    return make_predicate(predicates_.intern({.field = m.field, .op = Op::is_null}));
  }
  std::vector<std::string> texts{node.text};
  if (m.expand && !expand(node, node.text, texts)) return std::nullopt;
  std::vector<Expr> kids;
  for (const std::string& text : texts) {
    auto expr = string_value(m, node, text);
    if (!expr) return std::nullopt;
    kids.push_back(std::move(*expr));
  }
  return make_any(std::move(kids));
}

}  // namespace cw::detect
