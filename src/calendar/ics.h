// iCalendar (RFC 5545): events out to anybody's calendar, and in from one. Pure and thread-safe.
//
//   std::string file = write_ics("值班", {{.uid = "1@duty", .summary = "早班", .from_ms = a,
//                                          .to_ms = b}}, now_ms);
//   auto events = read_ics(file, {.zone = "Asia/Shanghai"});
//   if (!events) return events.problem();        // names the line
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace cw {

// A VEVENT. All day: from_day … to_day, days since 1970, both included; otherwise from_ms … to_ms.
struct IcsEvent {
  std::string uid, summary, summary_en, description;  // summary_en: "" when there is none
  std::vector<std::string> categories;
  bool all_day = false;
  std::int64_t from_day = 0, to_day = 0;
  std::int64_t from_ms = 0, to_ms = 0;
};

struct IcsReading {
  std::string zone = "UTC";           // of local times without a TZID
  std::int64_t repeat_until_day = 0;  // RRULE: the last day that may begin an event; 0: 2080
  std::size_t size_max = 1 << 20;     // bytes
  std::size_t events_max = 10'000;    // with their repetitions
  std::size_t line_max = 16 << 10;    // bytes of an unfolded line
};

// Every VEVENT that is not cancelled, in the file's order, repetitions after their first. Reads
// DTSTART and DTEND or DURATION (VALUE=DATE, UTC, TZID of the tz database, local), RRULE with
// FREQ=YEARLY (INTERVAL, COUNT, UNTIL; BYMONTH and BYMONTHDAY that say the same as DTSTART),
// EXDATE. Refused with the line: any other repetition, an unknown zone, a time that is none, a
// missing DTSTART, nesting that does not close, a limit broken. What else it holds is passed over.
Result<std::vector<IcsEvent>> read_ics(std::string_view text, const IcsReading& reading = {});

// A whole VCALENDAR: CRLF, lines folded at 75 octets between characters, texts escaped, times UTC.
std::string write_ics(std::string_view name, const std::vector<IcsEvent>& events,
                      std::int64_t stamp_ms);

}  // namespace cw
