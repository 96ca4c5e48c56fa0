// Looking things up in a definition, and reading one file.
#include "language/definition.h"

#include <algorithm>

#include "base/check.h"
#include "read.h"

namespace cw {
namespace {

int index_of(const auto& parts, std::string_view name) {
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (parts[i].id == name) return static_cast<int>(i);
  }
  return -1;
}

int index_among(const auto& parts, const std::vector<int>& among, std::string_view name) {
  for (const int i : among) {
    if (parts[i].id == name) return i;
  }
  return -1;
}

}  // namespace

int FactDef::ordinal(std::string_view value) const {
  auto found = std::find(values.begin(), values.end(), value);
  return found == values.end() ? -1 : static_cast<int>(found - values.begin());
}

int Definition::state(std::string_view name) const { return index_of(states, name); }
int Definition::clock(std::string_view name) const { return index_of(clocks, name); }
int Definition::role(std::string_view name) const { return index_of(roles, name); }
int Definition::fact(std::string_view name) const { return index_of(facts, name); }
int Definition::task(int in_state, std::string_view name) const {
  return index_among(tasks, states[in_state].tasks, name);
}
int Definition::action(int in_state, std::string_view name) const {
  return index_among(actions, states[in_state].actions, name);
}
int Definition::form(std::string_view name) const {
  for (std::size_t i = 0; i < forms.size(); ++i) {
    if (forms[i].form->id == name) return static_cast<int>(i);
  }
  return -1;
}

std::vector<int> ClockDef::from_facts() const {
  std::vector<int> out;
  if (from.kind == Moment::Kind::fact) out.push_back(from.index);
  out.insert(out.end(), also.begin(), also.end());
  return out;
}

Span span_for(const Limit& limit, std::span<const Value> facts, const Calendar& calendar,
              std::int64_t base_ms) {
  CW_CHECK(!limit.none());
  // Before the first edition came in force there was no such duty; its limit is kept all the same.
  const std::vector<Span>* chosen = &limit.spans;
  if (!limit.editions.empty()) chosen = &limit.editions.front().spans;
  for (const Limit::Edition& edition : limit.editions)
    if (edition.from_ms <= base_ms) chosen = &edition.spans;
  const std::vector<Span>& spans = *chosen;
  if (limit.key < 0) return spans[0];
  const auto key = static_cast<std::size_t>(limit.key);
  const Value value = key < facts.size() ? facts[key] : null_value;
  if (value >= 0 && value < static_cast<Value>(spans.size())) {
    return spans[static_cast<std::size_t>(value)];
  }
  return *std::min_element(spans.begin(), spans.end(), [&](Span a, Span b) {
    return calendar.budget(a, base_ms).ms < calendar.budget(b, base_ms).ms;
  });
}

std::vector<Value> form_values(const Definition& definition, const FormUse& use,
                               const json::object& filled, const InternRef& intern) {
  std::vector<Value> out(use.form->fields.size(), null_value);
  for (std::size_t i = 0; i < out.size(); ++i) {
    const FormField& field = use.form->fields[i];
    const json::value* given = filled.if_contains(field.name);
    if (given == nullptr || given->is_null()) continue;
    if (field.type == FieldType::enumeration && use.facts[i] >= 0) {
      out[i] = definition.facts[use.facts[i]].ordinal(given->as_string());
    } else {
      out[i] = value_of(field, *given, intern);
    }
  }
  return out;
}

ParsedDefinition::ParsedDefinition(std::string_view source, std::string path)
    : text(source), file(std::move(path)), tree(parse_yaml(text, file, mistakes)) {}

std::shared_ptr<const Definition> read_definition(ParsedDefinition of, const Surroundings& around,
                                                  std::vector<Mistake>& mistakes) {
  const std::size_t before = mistakes.size();
  mistakes.insert(mistakes.end(), of.mistakes.begin(), of.mistakes.end());
  auto definition = std::make_shared<Definition>();
  definition->source = of.text;
  if (of.mistakes.empty() || of.tree.root.is_map()) {
    DefinitionReader(of.tree, of.file, around, mistakes).read(*definition);
  }
  sort_mistakes(mistakes, before);
  return mistakes.size() == before ? definition : nullptr;
}

std::shared_ptr<const Definition> read_definition(std::string_view text, const std::string& file,
                                                  const Surroundings& around,
                                                  std::vector<Mistake>& mistakes) {
  return read_definition(ParsedDefinition(text, file), around, mistakes);
}

}  // namespace cw
