#include "rule_reader.h"

#include <algorithm>

#include "base/text.h"
#include "detection.h"

namespace cw::detect {
namespace {

constexpr std::int64_t kTimespanMaxMs = 31LL * 86'400'000;

// A scalar child's text, or "".
std::string optional_text(const YamlNode& map, std::string_view key) {
  const YamlNode* node = map.find(key);
  return node != nullptr && node->is_scalar() ? node->text : std::string();
}

// A scalar, or a list of scalars.
std::vector<YamlNode> scalars(const YamlNode& node, YamlReader& mistakes) {
  std::vector<YamlNode> out;
  if (node.is_scalar()) out.push_back(node);
  for (const YamlNode& one : node.items) {
    if (one.is_scalar()) {
      out.push_back(one);
    } else {
      mistakes.mistake(one, "value.kind", {"应为文字", "expected a text"});
    }
  }
  if (node.is_map()) mistakes.mistake(node, "value.kind", {"应为列表", "expected a list"});
  return out;
}

std::vector<std::string> texts(const YamlNode& node, YamlReader& mistakes) {
  std::vector<std::string> out;
  for (YamlNode& one : scalars(node, mistakes)) out.push_back(std::move(one.text));
  return out;
}

void read_log_source(const YamlNode& node, YamlReader& mistakes, RuleInfo& info) {
  if (!mistakes.map(node)) return;
  info.product = to_lower(optional_text(node, "product"));
  info.service = to_lower(optional_text(node, "service"));
  info.category = to_lower(optional_text(node, "category"));
  if (info.product.empty() && info.service.empty() && info.category.empty()) {
    mistakes.mistake(node, "logsource.empty",
                     {"logsource 应至少给出 product、service、category 之一",
                      "logsource names at least one of product, service, category"});
  }
}

void read_level(const YamlNode& root, YamlReader& degraded, RuleInfo& info) {
  const YamlNode* node = root.find("level");
  if (node == nullptr) return;
  for (int i = 0; i <= static_cast<int>(Level::critical); ++i) {
    if (equals_ignore_case(node->text, to_string(static_cast<Level>(i)))) {
      info.level = static_cast<Level>(i);
      return;
    }
  }
  degraded.mistake(*node, "rule.level",
                   {"不认识的级别，按 medium 处理", "unknown level, taken as medium"});
}

std::optional<CorrelationType> correlation_type(std::string_view name) {
  constexpr std::string_view kNames[] = {"event_count",     "value_count",      "value_sum",
                                         "value_avg",       "value_percentile", "temporal",
                                         "temporal_ordered"};
  for (int i = 0; i < 7; ++i) {
    if (name == kNames[i]) return static_cast<CorrelationType>(i);
  }
  return std::nullopt;
}

class CorrelationReader {
 public:
  CorrelationReader(YamlReader& mistakes, ParsedCorrelation& out)
      : mistakes_(mistakes), out_(out) {}

  void read(const YamlNode& node) {
    if (!mistakes_.map(node)) return;
    mistakes_.keys(node,
                   {"type", "rules", "group-by", "timespan", "condition", "aliases", "generate"});
    if (const YamlNode* type = mistakes_.need(node, "type")) read_type(*type);
    if (const YamlNode* rules = mistakes_.need(node, "rules")) {
      out_.rules = scalars(*rules, mistakes_);
      if (out_.rules.empty() || out_.rules.size() > 64) {
        mistakes_.mistake(*rules, "correlation.rules",
                          {"应引用 1–64 条规则", "refer to 1–64 rules"});
      }
    }
    if (const YamlNode* group = node.find("group-by")) out_.group_by = texts(*group, mistakes_);
    if (const YamlNode* aliases = node.find("aliases")) read_aliases(*aliases);
    if (const YamlNode* generate = node.find("generate"))
      out_.generate = mistakes_.boolean(*generate);
    if (const YamlNode* span = mistakes_.need(node, "timespan")) {
      auto ms = parse_timespan(span->text);
      if (!ms || *ms == 0) {
        mistakes_.mistake(*span, "correlation.timespan",
                          {"应为时间段，如 90s、15m、1h、7d（最长 31 天）",
                           "expected a timespan such as 90s, 15m, 1h, 7d (at most 31 days)"});
      } else {
        out_.timespan_ms = *ms;
      }
    }
    read_condition(node);
  }

 private:
  bool temporal() const {
    return out_.type == CorrelationType::temporal || out_.type == CorrelationType::temporal_ordered;
  }

  void read_type(const YamlNode& node) {
    if (auto type = correlation_type(node.text)) {
      out_.type = *type;
    } else {
      mistakes_.mistake(node, "correlation.type",
                        {"不认识的关联类型", "unknown type of correlation"});
    }
  }

  void read_aliases(const YamlNode& node) {
    if (!mistakes_.map(node)) return;
    for (const auto& [name, fields] : node.entries) {
      if (!mistakes_.map(fields)) return;
      Alias alias{name.text, {}};
      for (const auto& [rule, field] : fields.entries)
        alias.fields.emplace_back(rule.text, field.text);
      out_.aliases.push_back(std::move(alias));
    }
  }

  void read_condition(const YamlNode& node) {
    const YamlNode* condition = node.find("condition");
    if (condition == nullptr) {
      if (!temporal()) mistakes_.need(node, "condition");
      return;
    }
    if (!mistakes_.map(*condition)) return;
    for (const auto& [key, value] : condition->entries) read_bound(key, value);
    bool values = out_.type != CorrelationType::event_count && !temporal();
    if (values && out_.fields.empty()) {
      mistakes_.mistake(*condition, "correlation.field",
                        {"缺少 field：统计哪个字段", "`field` is missing: values of which field"});
    }
    if (!bound_seen_) {
      mistakes_.mistake(*condition, "correlation.condition",
                        {"缺少阈值（gt、gte、lt、lte、eq、neq）",
                         "a threshold is missing (gt, gte, lt, lte, eq, neq)"});
    }
  }

  void read_bound(const YamlNode& key, const YamlNode& value) {
    if (key.text == "field") {
      out_.fields = texts(value, mistakes_);
      return;
    }
    bound_seen_ |= key.text != "percentile";
    auto number = value.is_scalar() ? parse_number(value.text) : std::nullopt;
    bool counts =
        out_.type == CorrelationType::event_count || out_.type == CorrelationType::value_count;
    if (!number || (counts && (*number < 0 || *number > 100'000))) {
      mistakes_.mistake(value, "correlation.number",
                        {counts ? "应为 0–100000 的数字" : "应为数字",
                         counts ? "expected a number from 0 to 100000" : "expected a number"});
      return;
    }
    constexpr std::string_view kNames[] = {"lt", "lte", "gt", "gte", "eq", "neq"};
    auto at = std::find(std::begin(kNames), std::end(kNames), key.text) - std::begin(kNames);
    if (key.text == "percentile" && *number > 0 && *number <= 100) {
      out_.percentile = *number;
    } else if (at < 5) {
      out_.bounds.push_back({static_cast<Relation>(at), *number});
    } else if (at == 5) {
      out_.bounds.push_back({Relation::eq, *number, true});
    } else {
      mistakes_.mistake(key, "correlation.condition",
                        {"条件中有不认识的键", "unknown key in the condition"});
    }
  }

  YamlReader& mistakes_;
  ParsedCorrelation& out_;
  bool bound_seen_ = false;
};

// Puts the operator's values of parameters in place before the rule is read.
void apply_parameters(YamlNode& root, const RuleInfo& info, const LoadOptions& options,
                      YamlReader& mistakes) {
  auto chosen = options.parameters.find(info.id);
  if (chosen == options.parameters.end()) return;
  for (const auto& setting : chosen->second) {
    const std::string &name = setting.first, &value = setting.second;
    auto parameter = std::find_if(info.parameters.begin(), info.parameters.end(),
                                  [&](const Parameter& p) { return p.name == name; });
    if (parameter == info.parameters.end()) {
      std::string shown(clip(name, 64));
      mistakes.mistake(
          root, "parameter.unknown",
          {"本规则没有参数“" + shown + "”", "this rule has no parameter '" + shown + "'"});
      continue;
    }
    YamlNode* at = &root;
    for (std::string_view part : split(std::string_view(parameter->at).substr(1), '/')) {
      at = const_cast<YamlNode*>(at->find(part));
    }
    at->text = value;
  }
}

// Each parameter points at a scalar; its value in force is what stands there.
void resolve_parameters(const YamlNode& root, RuleInfo& info, YamlReader& mistakes) {
  for (Parameter& p : info.parameters) {
    const YamlNode* at = &root;
    if (!p.at.starts_with('/')) at = nullptr;
    for (std::string_view part : split(std::string_view(p.at).substr(p.at.empty() ? 0 : 1), '/')) {
      if (at != nullptr) at = at->find(part);
    }
    if (at == nullptr || !at->is_scalar()) {
      mistakes.mistake(root, "parameter.at",
                       {"参数“" + p.name + "”的 at 没有指向规则中的一个值",
                        "`at` of parameter '" + p.name + "' points at no value of the rule"});
      p.at.clear();
    } else {
      p.value = at->text;
    }
  }
  std::erase_if(info.parameters, [](const Parameter& p) { return p.at.empty(); });
}

void read_info(const YamlNode& root, YamlReader& mistakes, YamlReader& degraded, ParsedRule& out) {
  RuleInfo& info = out.info;
  if (const YamlNode* title = mistakes.need(root, "title")) {
    std::string text = mistakes.string(*title);
    info.title = {text, text};
    out.report.title = text;
  }
  std::string description = optional_text(root, "description");
  info.description = {description, description};
  info.name = optional_text(root, "name");
  info.status = optional_text(root, "status");
  info.id = optional_text(root, "id");
  if (info.id.empty()) info.id = info.name;
  if (info.id.empty()) info.id = info.path + ":" + std::to_string(info.line);
  out.report.id = info.id;
  if (const YamlNode* tags = root.find("tags")) info.tags = texts(*tags, degraded);
  read_level(root, degraded, info);
  if (const YamlNode* own = root.find("callwarden")) read_extension(*own, mistakes, info);
}

void read_body(const YamlTree& tree, const YamlNode& root, YamlReader& mistakes,
               YamlReader& degraded, Predicates& predicates, const LoadOptions& options,
               ParsedRule& out) {
  if (out.info.kind == RuleKind::correlation) {
    CorrelationReader(mistakes, out.correlation).read(*root.find("correlation"));
    return;
  }
  if (const YamlNode* source = mistakes.need(root, "logsource")) {
    read_log_source(*source, mistakes, out.info);
  }
  DetectionReader reading(tree, mistakes, degraded, predicates, options);
  if (out.info.kind == RuleKind::single) {
    if (const YamlNode* node = mistakes.need(root, "detection"))
      out.expr = reading.detection(*node);
    return;
  }
  const YamlNode& filter = *root.find("filter");
  out.expr = reading.detection(filter, "rules");
  if (const YamlNode* rules = filter.find("rules")) {
    out.filtered = scalars(*rules, mistakes);
    out.filters_any = out.filtered.size() == 1 && out.filtered[0].text == "any";
  } else if (filter.is_map()) {
    mistakes.need(filter, "rules");
  }
}

}  // namespace

std::optional<std::int64_t> parse_timespan(std::string_view text) {
  text = trim(text);
  if (text.size() < 2) return std::nullopt;
  std::int64_t unit = 0;
  switch (text.back()) {
    case 's':
      unit = 1000;
      break;
    case 'm':
      unit = 60'000;
      break;
    case 'h':
      unit = 3'600'000;
      break;
    case 'd':
      unit = 86'400'000;
      break;
    case 'w':
      unit = 7 * 86'400'000LL;
      break;
    default:
      return std::nullopt;
  }
  auto count = to_int<std::int64_t>(text.substr(0, text.size() - 1));
  if (!count || *count < 0 || *count > kTimespanMaxMs / unit) return std::nullopt;
  return *count * unit;
}

ParsedRule read_rule(const RuleDocument& document, Predicates& predicates,
                     const LoadOptions& options) {
  ParsedRule out;
  std::vector<Mistake> errors, losses;
  YamlTree tree = parse_yaml(document.text, document.path, errors);
  YamlReader mistakes(document.path, errors), degraded(document.path, losses);
  YamlNode& root = tree.root;
  out.info.path = document.path;
  out.info.line = root.line > 0 ? root.line : document.line;
  if (errors.empty() && mistakes.map(root)) {
    bool correlation = root.find("correlation") != nullptr, filter = root.find("filter") != nullptr;
    out.info.kind = correlation ? RuleKind::correlation
                    : filter    ? RuleKind::filter
                                : RuleKind::single;
    read_info(root, mistakes, degraded, out);
    resolve_parameters(root, out.info, mistakes);
    apply_parameters(root, out.info, options, mistakes);
    resolve_parameters(root, out.info, mistakes);
    read_body(tree, root, mistakes, degraded, predicates, options, out);
  }
  sort_mistakes(errors);
  sort_mistakes(losses);
  RuleReport& report = out.report;
  report.path = document.path;
  report.line = out.info.line;
  report.kind = out.info.kind;
  if (report.id.empty()) report.id = document.path + ":" + std::to_string(report.line);
  report.outcome = !errors.empty()   ? Outcome::rejected
                   : !losses.empty() ? Outcome::degraded
                                     : Outcome::compiled;
  report.reasons = std::move(errors);
  report.reasons.insert(report.reasons.end(), losses.begin(), losses.end());
  return out;
}

}  // namespace cw::detect
