// Any bytes as a rule file, and as an event for whatever rules came of it: no crash, no hang, every
// document reported, every refusal with a reason in both languages.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "detect/cli.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace cw::detect;
  std::string_view all(reinterpret_cast<const char*>(data), size);
  // What follows the first NUL byte is the event.
  std::size_t nul = all.find('\0');
  std::string_view rule = all.substr(0, nul);
  std::string_view event_text =
      nul == std::string_view::npos ? "{\"f\":\"a\"}" : all.substr(nul + 1);

  auto rules =
      RuleSet::load({{"fuzz.yml", std::string(rule)}}, {.placeholders = {{"p", {"a", "b*"}}}});
  for (const RuleReport& report : rules->reports()) {
    if ((report.outcome == Outcome::compiled) != report.reasons.empty()) std::abort();
    for (const cw::Mistake& m : report.reasons) {
      if (m.text.zh.empty() || m.text.en.empty() || m.line < 1) std::abort();
    }
  }
  EventBuilder builder;
  auto event = builder.read(event_text);
  if (!event) return 0;
  Detector detector(rules, {.groups_max = 8, .group_events_max = 8});
  std::vector<Firing> fired;
  for (const RuleInfo& info : rules->rules()) {
    event->logsource = {info.product, info.service, info.category};
    detector.feed(*event, event->time_ms, fired);
  }
  detector.tick(event->time_ms + 86'400'000, fired);
  return 0;
}
