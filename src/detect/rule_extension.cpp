// The `callwarden` key of a rule (docs/formats/rules.md).
#include <algorithm>

#include "base/text.h"
#include "rule_reader.h"

namespace cw::detect {
namespace {

constexpr int kRepeatMax = 10'000;
constexpr std::size_t kExamplesMax = 200;

std::int64_t duration(const YamlNode& node, YamlReader& mistakes) {
  auto ms = node.is_scalar() ? parse_timespan(node.text) : std::nullopt;
  if (!ms)
    mistakes.mistake(node, "example.time", {"应为时长，如 30s", "expected a duration such as 30s"});
  return ms.value_or(0);
}

Kind scalar_kind(const YamlNode& node) {
  if (node.kind == YamlNode::Kind::null) return Kind::null;
  if (node.quoted) return Kind::text;
  if (node.text == "true" || node.text == "false") return Kind::boolean;
  return parse_number(node.text) ? Kind::number : Kind::text;
}

void flatten_example(const YamlNode& node, const std::string& name, ExampleEvent& out) {
  if (node.is_map()) {
    for (const auto& [key, value] : node.entries) {
      flatten_example(value, name.empty() ? key.text : name + "." + key.text, out);
    }
  } else if (node.is_list()) {
    for (const YamlNode& one : node.items) flatten_example(one, name, out);
  } else {
    out.fields.push_back({name, node.text, scalar_kind(node)});
  }
}

ExampleEvent read_event(const YamlNode& node, YamlReader& mistakes) {
  ExampleEvent out;
  if (!mistakes.map(node)) return out;
  mistakes.keys(node, {"event", "at", "repeat", "every", "logsource", "name"});
  if (const YamlNode* event = mistakes.need(node, "event")) {
    if (mistakes.map(*event)) flatten_example(*event, {}, out);
  }
  if (const YamlNode* at = node.find("at")) out.at_ms = duration(*at, mistakes);
  if (const YamlNode* every = node.find("every")) out.every_ms = duration(*every, mistakes);
  if (const YamlNode* repeat = node.find("repeat")) {
    out.repeat = static_cast<int>(mistakes.integer(*repeat, 1, kRepeatMax));
  }
  if (const YamlNode* source = node.find("logsource"); source != nullptr && mistakes.map(*source)) {
    mistakes.keys(*source, {"product", "service", "category"});
    auto part = [&](std::string_view key) {
      const YamlNode* found = source->find(key);
      return found == nullptr ? std::string() : to_lower(found->text);
    };
    out.product = part("product");
    out.service = part("service");
    out.category = part("category");
  }
  return out;
}

void read_examples(const YamlNode& list, bool fires, YamlReader& mistakes, RuleInfo& info) {
  if (!mistakes.list(list)) return;
  for (const YamlNode& node : list.items) {
    if (info.examples.size() >= kExamplesMax) {
      mistakes.mistake(node, "example.many", {"例子太多", "too many examples"});
      return;
    }
    Example example{{}, fires, node.line, {}};
    if (!mistakes.map(node)) continue;
    if (const YamlNode* name = node.find("name")) example.name = mistakes.string(*name);
    if (const YamlNode* events = node.find("events")) {
      mistakes.keys(node, {"name", "events"});
      if (!mistakes.list(*events)) continue;
      for (const YamlNode& one : events->items) example.events.push_back(read_event(one, mistakes));
    } else {
      example.events.push_back(read_event(node, mistakes));
    }
    info.examples.push_back(std::move(example));
  }
}

void read_parameters(const YamlNode& node, YamlReader& mistakes, RuleInfo& info) {
  if (!mistakes.map(node)) return;
  for (const auto& [key, value] : node.entries) {
    if (!mistakes.map(value)) continue;
    mistakes.keys(value, {"at", "text"});
    Parameter p;
    p.name = mistakes.name(key);
    if (const YamlNode* at = mistakes.need(value, "at")) p.at = mistakes.string(*at);
    if (const YamlNode* text = mistakes.need(value, "text")) p.text = mistakes.text(*text);
    info.parameters.push_back(std::move(p));
  }
}

void read_warning(const YamlNode& node, YamlReader& mistakes, RuleInfo& info) {
  for (int i = 0; i <= static_cast<int>(Warning::red); ++i) {
    if (node.text == to_string(static_cast<Warning>(i))) {
      info.warning = static_cast<Warning>(i);
      return;
    }
  }
  mistakes.mistake(node, "rule.warning",
                   {"预警级别应为 none、blue、yellow、orange、red 之一",
                    "the warning is one of none, blue, yellow, orange, red"});
}

}  // namespace

void read_extension(const YamlNode& node, YamlReader& mistakes, RuleInfo& info) {
  if (!mistakes.map(node)) return;
  mistakes.keys(node, {"title", "description", "warning", "entities", "parameters", "tests"});
  if (const YamlNode* title = node.find("title")) info.title = mistakes.text(*title);
  if (const YamlNode* text = node.find("description")) info.description = mistakes.text(*text);
  if (const YamlNode* warning = node.find("warning")) read_warning(*warning, mistakes, info);
  if (const YamlNode* entities = node.find("entities"); entities && mistakes.list(*entities)) {
    for (const YamlNode& one : entities->items) info.entities.push_back(mistakes.string(one));
  }
  if (const YamlNode* parameters = node.find("parameters")) {
    read_parameters(*parameters, mistakes, info);
  }
  if (const YamlNode* tests = node.find("tests"); tests != nullptr && mistakes.map(*tests)) {
    mistakes.keys(*tests, {"fires", "silent"});
    if (const YamlNode* fires = tests->find("fires")) read_examples(*fires, true, mistakes, info);
    if (const YamlNode* silent = tests->find("silent"))
      read_examples(*silent, false, mistakes, info);
  }
}

}  // namespace cw::detect
