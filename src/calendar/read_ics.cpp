// iCalendar in: unfolds, reads content lines, and makes events of VEVENT components.
#include <algorithm>
#include <map>
#include <optional>

#include "base/clock.h"
#include "base/text.h"
#include "ics.h"
#include "zone.h"

namespace cw {
namespace {

constexpr int ics_first_year = 1970, ics_last_year = 2080;
constexpr std::size_t ics_depth_max = 8;

Problem ics_wrong(int line, std::string code, Text text) {
  const std::string n = std::to_string(line);
  text.zh = "第 " + n + " 行：" + text.zh;
  text.en = "line " + n + ": " + text.en;
  return invalid("ics." + code, "/line/" + n, std::move(text));
}

struct ContentLine {
  int number = 0;
  std::string name, value;
  std::map<std::string, std::string, std::less<>> params;  // names in capitals
};

std::string ics_upper(std::string_view s) {
  std::string out(s);
  for (char& ch : out)
    if (ch >= 'a' && ch <= 'z') ch = static_cast<char>(ch - 'a' + 'A');
  return out;
}

// name *(";" param "=" value) ":" value; a parameter's value may be quoted.
Result<ContentLine> read_content_line(std::string_view text, int number) {
  auto broken = [&] {
    return ics_wrong(number, "line", {"这不是 iCalendar 的内容行", "this is no iCalendar line"});
  };
  ContentLine out;
  out.number = number;
  std::size_t at = text.find_first_of(";:");
  if (at == std::string_view::npos || at == 0) return broken();
  out.name = ics_upper(text.substr(0, at));
  while (text[at] == ';') {
    const std::size_t equals = text.find('=', at);
    if (equals == std::string_view::npos) return broken();
    const std::string name = ics_upper(text.substr(at + 1, equals - at - 1));
    std::string value;
    bool quoted = false;
    std::size_t end = equals + 1;
    for (; end < text.size() && (quoted || (text[end] != ';' && text[end] != ':')); ++end) {
      if (text[end] == '"')
        quoted = !quoted;
      else
        value += text[end];
    }
    if (end == text.size() || name.empty() || out.params.size() >= 32) return broken();
    out.params[name] = value;
    at = end;
  }
  out.value = text.substr(at + 1);
  return out;
}

Result<std::vector<ContentLine>> content_lines(std::string_view text, const IcsReading& reading) {
  std::vector<ContentLine> out;
  std::string line;
  int number = 0, first = 0;
  std::optional<Problem> wrong;
  auto finish = [&] {
    if (line.empty() || wrong) return;
    auto read = read_content_line(line, first);
    if (read)
      out.push_back(std::move(*read));
    else
      wrong = read.problem();
    line.clear();
  };
  while (!text.empty() && !wrong) {
    const std::size_t end = text.find('\n');
    std::string_view piece = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    ++number;
    if (piece.ends_with('\r')) piece.remove_suffix(1);
    const bool control = std::any_of(piece.begin(), piece.end(), [](char ch) {
      return (static_cast<unsigned char>(ch) < 0x20 && ch != '\t') || ch == 0x7F;
    });
    if (control) return ics_wrong(number, "control", {"含有控制字符", "has control characters"});
    if (piece.starts_with(' ') || piece.starts_with('\t')) {
      line.append(piece.substr(1));
    } else {
      finish();
      first = number;
      line = piece;
    }
    if (line.size() > reading.line_max)
      return ics_wrong(first, "long", {"这一行过长", "this line is too long"});
  }
  finish();
  if (wrong) return std::move(*wrong);
  return out;
}

std::string ics_unescaped(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      out += text[i];
      continue;
    }
    ++i;
    out += text[i] == 'n' || text[i] == 'N' ? '\n' : text[i];
  }
  return out;
}

std::vector<std::string> ics_list(std::string_view text) {  // commas that are not escaped
  std::vector<std::string> out;
  std::string one;
  for (std::size_t i = 0; i <= text.size(); ++i) {
    if (i == text.size() || text[i] == ',') {
      if (!one.empty()) out.push_back(ics_unescaped(one));
      one.clear();
      continue;
    }
    one += text[i];
    if (text[i] == '\\' && i + 1 < text.size()) one += text[++i];
  }
  return out;
}

std::optional<int> ics_digits(std::string_view text, std::size_t from, std::size_t count) {
  if (from + count > text.size()) return std::nullopt;
  int value = 0;
  for (const char ch : text.substr(from, count)) {
    if (ch < '0' || ch > '9') return std::nullopt;
    value = value * 10 + (ch - '0');
  }
  return value;
}

std::optional<std::int64_t> ics_day(std::string_view text) {
  const auto year = ics_digits(text, 0, 4), month = ics_digits(text, 4, 2),
             day = ics_digits(text, 6, 2);
  if (!year || !month || !day || *year < ics_first_year || *year > ics_last_year) return {};
  if (*month < 1 || *month > 12 || *day < 1) return std::nullopt;
  const std::int64_t days = days_from_civil(*year, *month, *day);
  const Civil back = civil_from_days(days);
  if (back.month != *month || back.day != *day) return std::nullopt;
  return days;
}

struct IcsMoment {
  std::int64_t day = 0, ms = 0;  // local day; UTC (all day: unused)
  bool date = false;
  std::int64_t local_ms = 0;
  std::vector<ZoneOffset> offsets;
};

class ZoneCache {
 public:
  const std::vector<ZoneOffset>& of(const std::string& zone) {
    auto [it, fresh] = zones_.try_emplace(zone);
    if (fresh) it->second = zone_offsets(zone, ics_first_year, ics_last_year + 1);
    return it->second;
  }

 private:
  std::map<std::string, std::vector<ZoneOffset>> zones_;
};

Result<IcsMoment> read_moment(const ContentLine& line, std::string_view value,
                              const IcsReading& reading, ZoneCache& zones) {
  auto wrong = [&] {
    return ics_wrong(line.number, "time", {"不是有效的日期或时间", "not a date or time"});
  };
  IcsMoment out;
  auto kind = line.params.find("VALUE");
  out.date = value.size() == 8;
  if (kind != line.params.end() && ics_upper(kind->second) == "DATE" && !out.date) return wrong();
  const auto day = ics_day(value);
  if (!day) return wrong();
  out.day = *day;
  if (out.date) return out;
  const auto hour = ics_digits(value, 9, 2), minute = ics_digits(value, 11, 2),
             second = ics_digits(value, 13, 2);
  const bool utc = value.size() == 16 && value[15] == 'Z';
  if (value[8] != 'T' || !hour || !minute || !second || (value.size() != 15 && !utc))
    return wrong();
  if (*hour > 23 || *minute > 59 || *second > 60) return wrong();
  out.local_ms =
      *day * zone_day_ms + ((*hour * 60 + *minute) * 60 + std::min(*second, 59)) * 1000LL;
  auto tzid = line.params.find("TZID");
  const std::string zone = utc ? "UTC" : tzid != line.params.end() ? tzid->second : reading.zone;
  out.offsets = zone.size() > 64 ? std::vector<ZoneOffset>() : zones.of(zone);
  if (out.offsets.empty())
    return ics_wrong(line.number, "zone",
                     {"未知的时区，应为 Asia/Shanghai 这样的名称",
                      "unknown time zone, expected a name such as Asia/Shanghai"});
  out.ms = zone_to_utc(out.offsets, out.local_ms, false);
  return out;
}

// "P1D", "PT8H30M", "P2W": milliseconds, at most ten years.
std::optional<std::int64_t> read_duration(std::string_view text) {
  if (!text.starts_with('P') || text.size() < 3) return std::nullopt;
  std::int64_t sum = 0, number = -1;
  bool time = false;
  for (const char ch : text.substr(1)) {
    if (ch >= '0' && ch <= '9') {
      number = (number < 0 ? 0 : number) * 10 + (ch - '0');
      if (number > 1'000'000) return std::nullopt;
      continue;
    }
    if (ch == 'T' && !time && number < 0) {
      time = true;
      continue;
    }
    const std::int64_t unit = ch == 'W' && !time   ? 7 * zone_day_ms
                              : ch == 'D' && !time ? zone_day_ms
                              : ch == 'H' && time  ? 3'600'000
                              : ch == 'M' && time  ? 60'000
                              : ch == 'S' && time  ? 1000
                                                   : 0;
    if (unit == 0 || number < 0) return std::nullopt;
    sum += number * unit;
    number = -1;
    if (sum > 3660 * zone_day_ms) return std::nullopt;
  }
  return number >= 0 ? std::nullopt : std::optional(sum);
}

struct Yearly {
  bool repeats = false;
  int interval = 1, count = 0;
  std::int64_t until_day = 0;
};

Result<Yearly> read_rrule(const ContentLine& line, const IcsMoment& start) {
  auto refused = [&] {
    return ics_wrong(line.number, "repeat",
                     {"只支持每年重复（FREQ=YEARLY），请把其余事件逐个导出",
                      "only yearly repetition (FREQ=YEARLY) is read; export the rest one by one"});
  };
  Yearly out;
  const Civil first = civil_from_days(start.day);
  for (const auto part : split(line.value, ';')) {
    const std::size_t equals = part.find('=');
    const std::string key = ics_upper(part.substr(0, equals));
    const std::string value =
        equals == std::string_view::npos ? "" : ics_upper(part.substr(equals + 1));
    const auto number = to_int<int>(value);
    if (key == "FREQ") {
      if (value != "YEARLY") return refused();
      out.repeats = true;
    } else if (key == "INTERVAL") {
      if (!number || *number < 1 || *number > 100) return refused();
      out.interval = *number;
    } else if (key == "COUNT") {
      if (!number || *number < 1 || *number > 1000) return refused();
      out.count = *number;
    } else if (key == "UNTIL") {
      const auto day = ics_day(value);
      if (!day) return refused();
      out.until_day = *day;
    } else if (key == "BYMONTH") {
      if (number != first.month) return refused();
    } else if (key == "BYMONTHDAY") {
      if (number != first.day) return refused();
    } else if (key != "WKST") {
      return refused();
    }
  }
  if (!out.repeats) return refused();
  return out;
}

// One VEVENT's own lines (not those of what is nested in it).
class EventReader {
 public:
  EventReader(const IcsReading& reading, ZoneCache& zones) : reading_(reading), zones_(zones) {}

  Status take(ContentLine line) {
    const std::string& name = line.name;
    if (name == "UID") event_.uid = ics_unescaped(line.value);
    if (name == "SUMMARY") event_.summary = ics_unescaped(line.value);
    if (name == "X-CALLWARDEN-EN") event_.summary_en = ics_unescaped(line.value);
    if (name == "DESCRIPTION") event_.description = ics_unescaped(line.value);
    if (name == "STATUS") cancelled_ = ics_upper(line.value) == "CANCELLED";
    if (name == "CATEGORIES")
      for (auto& one : ics_list(line.value)) event_.categories.push_back(std::move(one));
    if (name == "DTSTART" || name == "DTEND" || name == "DURATION" || name == "RRULE" ||
        name == "EXDATE") {
      if (kept_.size() >= 500)
        return ics_wrong(line.number, "many",
                         {"这个事件的行数过多", "this event has too many lines"});
      kept_.push_back(std::move(line));
    }
    return done();
  }

  Status finish(int begin_line, std::vector<IcsEvent>& out) {
    if (cancelled_) return done();
    if (Status read = moments(begin_line); !read) return read;
    Yearly yearly;
    if (const ContentLine* rule = find("RRULE")) {
      auto r = read_rrule(*rule, start_);
      if (!r) return std::move(r).problem();
      yearly = *r;
    }
    std::int64_t last = reading_.repeat_until_day != 0 ? reading_.repeat_until_day
                                                       : days_from_civil(ics_last_year, 12, 31);
    if (yearly.until_day != 0) last = std::min(last, yearly.until_day);
    const Civil first = civil_from_days(start_.day);
    int made = 0;
    for (int year = first.year; year <= ics_last_year; year += yearly.interval) {
      const std::int64_t day = days_from_civil(year, first.month, first.day);
      if (civil_from_days(day).day != first.day) continue;  // 29 February
      if (year != first.year && day > last) break;
      if (yearly.count != 0 && made == yearly.count) break;
      ++made;
      if (std::find(except_.begin(), except_.end(), day) == except_.end()) {
        if (out.size() >= reading_.events_max)
          return ics_wrong(begin_line, "many", {"事件过多", "there are too many events"});
        out.push_back(on(day));
      }
      if (!yearly.repeats) break;
    }
    return done();
  }

 private:
  const ContentLine* find(std::string_view name) const {
    for (const ContentLine& line : kept_)
      if (line.name == name) return &line;
    return nullptr;
  }

  Status moments(int begin_line) {
    const ContentLine* start = find("DTSTART");
    if (start == nullptr)
      return ics_wrong(begin_line, "start", {"事件没有 DTSTART", "the event has no DTSTART"});
    auto from = read_moment(*start, start->value, reading_, zones_);
    if (!from) return std::move(from).problem();
    start_ = std::move(*from);
    length_ms_ = start_.date ? zone_day_ms : 0;
    const ContentLine* end = find("DTEND");
    const ContentLine* duration = find("DURATION");
    const ContentLine* at = end != nullptr ? end : duration;
    if (end != nullptr) {
      auto to = read_moment(*end, end->value, reading_, zones_);
      if (!to) return std::move(to).problem();
      length_ms_ = start_.date ? (to->day - start_.day) * zone_day_ms : to->ms - start_.ms;
      if (to->date != start_.date) length_ms_ = -1;
    } else if (duration != nullptr) {
      length_ms_ = read_duration(duration->value).value_or(-1);
    }
    const bool short_day = start_.date && length_ms_ < zone_day_ms;
    if (length_ms_ < 0 || short_day || length_ms_ > 3660 * zone_day_ms)
      return ics_wrong(at == nullptr ? begin_line : at->number, "end",
                       {"结束时间须晚于开始时间，且不超过十年",
                        "the end lies after the start, at most ten years"});
    for (const ContentLine& line : kept_) {
      if (line.name != "EXDATE") continue;
      for (const auto value : split(line.value, ',')) {
        auto day = read_moment(line, value, reading_, zones_);
        if (!day) return std::move(day).problem();
        except_.push_back(day->day);
      }
    }
    return done();
  }

  IcsEvent on(std::int64_t day) const {
    IcsEvent e = event_;
    e.all_day = start_.date;
    if (e.all_day) {
      e.from_day = day;
      e.to_day = day + length_ms_ / zone_day_ms - 1;
    } else {
      const std::int64_t local = start_.local_ms + (day - start_.day) * zone_day_ms;
      e.from_ms = zone_to_utc(start_.offsets, local, false);
      e.to_ms = e.from_ms + length_ms_;
    }
    return e;
  }

  const IcsReading& reading_;
  ZoneCache& zones_;
  IcsEvent event_;
  std::vector<ContentLine> kept_;
  std::vector<std::int64_t> except_;
  IcsMoment start_;
  std::int64_t length_ms_ = 0;
  bool cancelled_ = false;
};

}  // namespace

Result<std::vector<IcsEvent>> read_ics(std::string_view text, const IcsReading& reading) {
  if (text.size() > reading.size_max)
    return problem(Refusal::too_large, "ics.size", {"文件过大", "The file is too large"});
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  if (!is_utf8(text))
    return problem(Refusal::malformed, "ics.utf8", {"文件不是 UTF-8", "The file is not UTF-8"});
  auto lines = content_lines(text, reading);
  if (!lines) return std::move(lines).problem();
  std::vector<IcsEvent> out;
  std::vector<std::string> open;
  ZoneCache zones;
  std::optional<EventReader> event;
  int begin_line = 0;
  for (ContentLine& line : *lines) {
    const std::string what =
        line.name == "BEGIN" || line.name == "END" ? ics_upper(line.value) : "";
    if (line.name == "BEGIN") {
      if (open.size() >= ics_depth_max || open.empty() != (what == "VCALENDAR"))
        return ics_wrong(line.number, "nesting", {"组件嵌套有误", "components nest wrongly"});
      open.push_back(what);
      if (what == "VEVENT" && open.size() == 2) {
        event.emplace(reading, zones);
        begin_line = line.number;
      }
    } else if (line.name == "END") {
      if (open.empty() || open.back() != what)
        return ics_wrong(line.number, "nesting", {"组件嵌套有误", "components nest wrongly"});
      if (event && open.size() == 2) {
        if (Status s = event->finish(begin_line, out); !s) return std::move(s).problem();
        event.reset();
      }
      open.pop_back();
    } else if (open.empty()) {
      return ics_wrong(line.number, "nesting",
                       {"文件应以 BEGIN:VCALENDAR 开头", "the file begins with BEGIN:VCALENDAR"});
    } else if (event && open.size() == 2) {
      if (Status s = event->take(std::move(line)); !s) return std::move(s).problem();
    }
  }
  if (!open.empty() || lines->empty())
    return ics_wrong(lines->empty() ? 1 : lines->back().number, "nesting",
                     {"文件不完整", "the file is cut short"});
  return out;
}

}  // namespace cw
