// Runs the examples that rules carry: what must fire them and what must not.
#include <algorithm>

#include "detect/cli.h"

namespace cw::detect {
namespace {

constexpr std::int64_t kExampleStartMs = 1'767'225'600'000;  // 2026-01-01T00:00:00Z

std::string with_number(const std::string& value, int n) {
  std::string out = value;
  for (std::size_t at = out.find("{n}"); at != std::string::npos; at = out.find("{n}", at)) {
    out.replace(at, 3, std::to_string(n));
  }
  return out;
}

struct Step {
  std::int64_t at_ms;
  const ExampleEvent* event;
  int n;
};

std::vector<Step> steps_of(const Example& example) {
  std::vector<Step> out;
  for (const ExampleEvent& event : example.events) {
    for (int i = 0; i < event.repeat; ++i)
      out.push_back({event.at_ms + i * event.every_ms, &event, i + 1});
  }
  std::stable_sort(out.begin(), out.end(),
                   [](const Step& a, const Step& b) { return a.at_ms < b.at_ms; });
  return out;
}

// The log source of an example that names none: the rule's, or that of the first rule a
// correlation refers to.
const RuleInfo& source_rule(const RuleSet& rules, const RuleInfo& rule) {
  return rule.correlates.empty() ? rule : source_rule(rules, rules.rules()[rule.correlates[0]]);
}

std::size_t run_example(const std::shared_ptr<const RuleSet>& rules, std::uint32_t number,
                        const Example& example) {
  const RuleInfo& rule = rules->rules()[number];
  const RuleInfo& usual = source_rule(*rules, rule);
  Engine engine(rules);
  Correlator correlator(rules);
  EventBuilder builder;
  std::vector<Firing> fired;
  std::size_t matches = 0;
  std::int64_t now = kExampleStartMs;
  for (const Step& step : steps_of(example)) {
    builder.clear();
    for (const auto& [name, value, kind] : step.event->fields) {
      builder.add(name, with_number(value, step.n), kind);
    }
    bool named = !(step.event->product.empty() && step.event->service.empty() &&
                   step.event->category.empty());
    LogSource source =
        named ? LogSource{step.event->product, step.event->service, step.event->category}
              : LogSource{usual.product, usual.service, usual.category};
    now = kExampleStartMs + step.at_ms;
    Event event = builder.event("example", source, now);
    auto matched = engine.evaluate(event);
    matches += std::binary_search(matched.begin(), matched.end(), number);
    correlator.feed(event, matched, now, fired);
  }
  // Long enough for every window that waits for its end.
  correlator.tick(now + 40LL * 86'400'000, fired);
  if (rule.kind == RuleKind::single) return matches;
  return static_cast<std::size_t>(
      std::count_if(fired.begin(), fired.end(), [&](const Firing& f) { return f.rule == number; }));
}

}  // namespace

std::vector<ExampleResult> run_examples(const std::shared_ptr<const RuleSet>& rules) {
  std::vector<ExampleResult> out;
  for (std::uint32_t i = 0; i < rules->rules().size(); ++i) {
    const auto& examples = rules->rules()[i].examples;
    for (std::size_t k = 0; k < examples.size(); ++k) {
      std::size_t firings = run_example(rules, i, examples[k]);
      out.push_back({i, k, firings, (firings > 0) == examples[k].fires});
    }
  }
  return out;
}

}  // namespace cw::detect
