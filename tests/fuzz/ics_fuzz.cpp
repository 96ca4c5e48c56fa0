// Any bytes as an iCalendar file: read within its limits or refused with a line, never a crash or a
// hang. What was read can be written, and what was written reads back as the same events.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "calendar/ics.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  cw::IcsReading reading;
  reading.zone = "Asia/Shanghai";
  reading.events_max = 500;
  const auto events = cw::read_ics(text, reading);
  if (!events) {
    if (events.problem().text.zh.empty() || events.problem().text.en.empty()) std::abort();
    return 0;
  }
  if (events->size() > reading.events_max) std::abort();
  const std::string written = cw::write_ics("x", *events, 0);
  reading.size_max = written.size();
  reading.line_max = 1 << 20;
  const auto back = cw::read_ics(written, reading);
  if (!back || back->size() != events->size()) std::abort();
  for (std::size_t i = 0; i < events->size(); ++i) {
    const cw::IcsEvent &a = (*events)[i], &b = (*back)[i];
    const bool same_time = a.all_day ? a.from_day == b.from_day && a.to_day == b.to_day
                                     : a.from_ms == b.from_ms && a.to_ms == b.to_ms;
    if (!same_time || a.all_day != b.all_day || a.summary != b.summary) std::abort();
  }
  return 0;
}
