// iCalendar out: content lines, escaped and folded (RFC 5545 §3.1, §3.3.11).
#include "ics.h"

#include <cstdio>

#include "base/clock.h"
#include "zone.h"

namespace cw {
namespace {

std::string ics_escaped(std::string_view text) {
  std::string out;
  for (const char ch : text) {
    if (ch == '\\' || ch == ';' || ch == ',') out += '\\';
    if (ch == '\n') {
      out += "\\n";
    } else if (static_cast<unsigned char>(ch) >= 0x20 || ch == '\t') {
      out += ch;
    }
  }
  return out;
}

// At most 75 octets a line without its break; a character is never cut in two.
void ics_line(std::string& out, std::string_view line) {
  std::size_t room = 75;
  while (line.size() > room) {
    std::size_t cut = room;
    while ((static_cast<unsigned char>(line[cut]) & 0xC0) == 0x80) --cut;
    out.append(line.substr(0, cut)).append("\r\n ");
    line.remove_prefix(cut);
    room = 74;  // the space that continues counts
  }
  out.append(line).append("\r\n");
}

std::string ics_date(std::int64_t day) {
  const Civil c = civil_from_days(day);
  char text[48];
  std::snprintf(text, sizeof text, "%04d%02d%02d", c.year, c.month, c.day);
  return text;
}

std::string ics_time(std::int64_t at_ms) {
  const std::int64_t day = zone_day(at_ms);
  const auto second = static_cast<int>((at_ms - day * zone_day_ms) / 1000);
  char text[24];
  std::snprintf(text, sizeof text, "T%02d%02d%02dZ", second / 3600, second / 60 % 60, second % 60);
  return ics_date(day) + text;
}

}  // namespace

std::string write_ics(std::string_view name, const std::vector<IcsEvent>& events,
                      std::int64_t stamp_ms) {
  std::string out;
  ics_line(out, "BEGIN:VCALENDAR");
  ics_line(out, "VERSION:2.0");
  ics_line(out, "PRODID:-//Callwarden//Callwarden//ZH");
  ics_line(out, "X-WR-CALNAME:" + ics_escaped(name));
  for (const IcsEvent& e : events) {
    ics_line(out, "BEGIN:VEVENT");
    ics_line(out, "UID:" + ics_escaped(e.uid));
    ics_line(out, "DTSTAMP:" + ics_time(stamp_ms));
    if (e.all_day) {
      ics_line(out, "DTSTART;VALUE=DATE:" + ics_date(e.from_day));
      ics_line(out, "DTEND;VALUE=DATE:" + ics_date(e.to_day + 1));  // DTEND is not included
    } else {
      ics_line(out, "DTSTART:" + ics_time(e.from_ms));
      ics_line(out, "DTEND:" + ics_time(e.to_ms));
    }
    ics_line(out, "SUMMARY:" + ics_escaped(e.summary));
    if (!e.summary_en.empty()) ics_line(out, "X-CALLWARDEN-EN:" + ics_escaped(e.summary_en));
    if (!e.description.empty()) ics_line(out, "DESCRIPTION:" + ics_escaped(e.description));
    std::string categories;
    for (const std::string& c : e.categories)
      categories += (categories.empty() ? "" : ",") + ics_escaped(c);
    if (!categories.empty()) ics_line(out, "CATEGORIES:" + categories);
    ics_line(out, "END:VEVENT");
  }
  ics_line(out, "END:VCALENDAR");
  return out;
}

}  // namespace cw
