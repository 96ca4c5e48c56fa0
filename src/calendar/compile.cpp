// Reads calendars and holiday lists and compiles them to open intervals.
#include <algorithm>
#include <limits>

#include "base/clock.h"
#include "base/content.h"
#include "base/text.h"
#include "calendar/calendar.h"
#include "zone.h"

namespace cw {
namespace {

constexpr int first_year = 2000, last_year = 2080;  // what a calendar covers
constexpr const char* day_names[] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};

struct Hours {
  std::int64_t opens, closes;  // minutes of the local day; a close past 1440 is tomorrow's
};

struct HolidayDay {
  std::int64_t day;
  bool off;
  Text name;
};

struct HolidayList {
  std::vector<HolidayDay> days;  // sorted
  std::int64_t announced = 0;    // the last day that is known
};

// "2024-02-10" or "2024-02-10..2024-02-17".
std::vector<std::int64_t> read_days(const YamlNode& node, YamlReader& reader) {
  const std::string_view text = node.text;
  const auto dots = text.find("..");
  const auto first = zone_date(text.substr(0, dots));
  const auto last = dots == std::string_view::npos ? first : zone_date(text.substr(dots + 2));
  if (!first || !last || *last < *first || *last - *first > 366) {
    reader.mistake(node, "calendar.date",
                   {"这里应为日期或日期区间，例如 2024-02-10..2024-02-17",
                    "expected a date or a range such as 2024-02-10..2024-02-17"});
    return {};
  }
  std::vector<std::int64_t> days;
  for (std::int64_t day = *first; day <= *last; ++day) days.push_back(day);
  return days;
}

void read_holiday(const YamlNode& entry, HolidayList& list, YamlReader& reader) {
  if (!reader.map(entry)) return;
  reader.keys(entry, {"name", "off", "work"});
  const YamlNode* name_node = reader.need(entry, "name");
  const Text name = name_node != nullptr ? reader.text(*name_node) : Text{};
  for (const bool off : {true, false}) {
    const YamlNode* days = entry.find(off ? "off" : "work");
    if (days == nullptr || !reader.list(*days)) continue;
    for (const YamlNode& item : days->items) {
      for (const std::int64_t day : read_days(item, reader)) {
        const bool twice = std::any_of(list.days.begin(), list.days.end(),
                                       [&](const HolidayDay& d) { return d.day == day; });
        if (twice) {
          reader.mistake(item, "calendar.twice",
                         {"这一天在名单里出现两次", "this day is in the list twice"});
        }
        list.days.push_back({day, off, name});
      }
    }
  }
}

HolidayList read_holidays(const YamlNode& root, YamlReader& reader) {
  HolidayList list;
  reader.keys(root, {"holidays", "version", "title", "announced", "days"});
  if (const YamlNode* version = reader.need(root, "version"))
    reader.integer(*version, 1, 1'000'000);
  if (const YamlNode* title = reader.need(root, "title")) reader.text(*title);
  if (const YamlNode* announced = reader.need(root, "announced")) {
    const auto day = zone_date(announced->text);
    if (!day) reader.mistake(*announced, "calendar.date", {"这里应为日期", "expected a date"});
    list.announced = day.value_or(0);
  }
  const YamlNode* days = reader.need(root, "days");
  if (days != nullptr && reader.list(*days)) {
    for (const YamlNode& entry : days->items) read_holiday(entry, list, reader);
  }
  std::sort(list.days.begin(), list.days.end(),
            [](const HolidayDay& a, const HolidayDay& b) { return a.day < b.day; });
  return list;
}

// [09:00-12:00, 13:00-18:00]; a close at or before its opening is the next day's.
std::vector<Hours> read_hours(const YamlNode& node, YamlReader& reader) {
  std::vector<Hours> out;
  if (!reader.list(node)) return out;
  for (const YamlNode& item : node.items) {
    const std::string_view text = item.text;
    const auto opens = text.size() == 11 ? zone_minute(text.substr(0, 5)) : std::nullopt;
    const auto closes = text.size() == 11 ? zone_minute(text.substr(6)) : std::nullopt;
    if (!opens || !closes || text[5] != '-' || *opens == 24 * 60) {
      reader.mistake(item, "calendar.hours",
                     {"这里应为时段，例如 09:00-12:00", "expected hours such as 09:00-12:00"});
      continue;
    }
    const Hours hours{*opens, *closes <= *opens ? *closes + 24 * 60 : *closes};
    if (!out.empty() && hours.opens < out.back().closes) {
      reader.mistake(item, "calendar.overlap",
                     {"时段须按先后排列，不得重叠", "hours must be in order and must not overlap"});
    }
    out.push_back(hours);
  }
  return out;
}

struct Pattern {
  bool always = false;
  std::vector<Hours> usual;
  std::vector<Hours> week[7];
  std::map<std::int64_t, std::vector<Hours>> dates;
};

void read_week(const YamlNode& node, Pattern& pattern, YamlReader& reader) {
  auto index = [&](const YamlNode& day) {
    for (int i = 0; i < 7; ++i) {
      if (day.text == day_names[i]) return i;
    }
    reader.mistake(day, "calendar.day",
                   {"这里应为 mon、tue、wed、thu、fri、sat 或 sun",
                    "expected mon, tue, wed, thu, fri, sat or sun"});
    return -1;
  };
  if (node.is_map()) {
    for (const auto& [day, hours] : node.entries) {
      const int i = index(day);
      if (i >= 0) pattern.week[i] = read_hours(hours, reader);
    }
    return;
  }
  if (!reader.list(node)) return;
  for (const YamlNode& day : node.items) {
    const int i = index(day);
    if (i >= 0) pattern.week[i] = pattern.usual;
  }
}

Pattern read_pattern(const YamlNode& root, YamlReader& reader) {
  Pattern pattern;
  const YamlNode* open = reader.need(root, "open");
  if (open == nullptr) return pattern;
  if (open->is_scalar() && open->text == "always") {
    pattern.always = true;
    for (const char* key : {"week", "holidays", "dates"}) {
      if (const YamlNode* extra = root.find(key)) {
        reader.mistake(
            *extra, "calendar.always",
            {"全天候日历不能再有这一项", "a calendar that is always open has no such key"});
      }
    }
    return pattern;
  }
  pattern.usual = read_hours(*open, reader);
  if (pattern.usual.empty() && reader.clean()) {
    reader.mistake(*open, "calendar.hours", {"至少需要一个时段", "at least one stretch is needed"});
  }
  if (const YamlNode* week = reader.need(root, "week")) read_week(*week, pattern, reader);
  if (const YamlNode* dates = root.find("dates"); dates != nullptr && reader.map(*dates)) {
    for (const auto& [date, hours] : dates->entries) {
      const std::vector<Hours> read = read_hours(hours, reader);
      for (const std::int64_t day : read_days(date, reader)) pattern.dates[day] = read;
    }
  }
  return pattern;
}

}  // namespace

class CalendarCompiler {
 public:
  using Lists = std::map<std::string, HolidayList, std::less<>>;

  static std::shared_ptr<const Calendar> read(const YamlNode& root, const Lists& lists,
                                              std::string id, YamlReader& reader);

 private:
  static void compile(Calendar& calendar, const Pattern& pattern, const HolidayList* holidays);
};

std::shared_ptr<const Calendar> CalendarCompiler::read(const YamlNode& root, const Lists& lists,
                                                       std::string id, YamlReader& reader) {
  reader.keys(root, {"calendar", "version", "title", "zone", "open", "week", "workday", "holidays",
                     "dates"});
  auto calendar = std::make_shared<Calendar>();
  calendar->id_ = std::move(id);
  if (const YamlNode* version = reader.need(root, "version")) {
    calendar->version_ = static_cast<int>(reader.integer(*version, 1, 1'000'000));
  }
  if (const YamlNode* title = reader.need(root, "title")) calendar->title_ = reader.text(*title);
  if (const YamlNode* zone = reader.need(root, "zone")) {
    calendar->zone_ = reader.string(*zone);
    calendar->offsets_ = zone_offsets(calendar->zone_, first_year - 1, last_year + 1);
    if (calendar->offsets_.empty()) {
      reader.mistake(*zone, "calendar.zone",
                     {"未知的时区，应为 Asia/Shanghai 这样的名称",
                      "unknown time zone, expected a name such as Asia/Shanghai"});
    }
  }
  if (const YamlNode* workday = reader.need(root, "workday")) {
    const auto span = parse_span(workday->text);
    if (!span || (span->unit != Unit::minute && span->unit != Unit::hour)) {
      reader.mistake(
          *workday, "calendar.workday",
          {"这里应为一个工作日的时长，例如 8h", "expected a workday's length such as 8h"});
    } else {
      calendar->workday_ms_ = calendar->budget(*span, 0).ms;
    }
  }
  const Pattern pattern = read_pattern(root, reader);
  const HolidayList* holidays = nullptr;
  if (const YamlNode* name = root.find("holidays"); name != nullptr && !pattern.always) {
    auto found = lists.find(name->text);
    if (found == lists.end()) {
      reader.mistake(*name, "calendar.holidays",
                     {"没有这份节假日名单", "there is no such list of holidays"});
    } else {
      holidays = &found->second;
    }
  }
  if (!reader.clean()) return nullptr;
  compile(*calendar, pattern, holidays);
  if (!pattern.always && calendar->open_.empty()) {
    reader.mistake(root, "calendar.closed", {"这份日历从不开放", "this calendar is never open"});
    return nullptr;
  }
  return calendar;
}

void CalendarCompiler::compile(Calendar& calendar, const Pattern& pattern,
                               const HolidayList* holidays) {
  calendar.always_ = pattern.always;
  calendar.announced_until_ms_ = std::numeric_limits<std::int64_t>::max();
  if (pattern.always) return;
  std::map<std::int64_t, bool> special;  // day → off
  if (holidays != nullptr) {
    calendar.announced_until_ms_ =
        zone_to_utc(calendar.offsets_, (holidays->announced + 1) * zone_day_ms, false);
    for (const HolidayDay& day : holidays->days) {
      calendar.named_.push_back({day.day, day.off, day.name});
      special[day.day] = day.off;
    }
  }
  static const std::vector<Hours> closed;
  auto hours_of = [&](std::int64_t day) -> const std::vector<Hours>& {
    if (auto dated = pattern.dates.find(day); dated != pattern.dates.end()) return dated->second;
    const std::vector<Hours>& usual = pattern.week[(day + 3) % 7];  // 1970-01-01 was a Thursday
    if (auto named = special.find(day); named != special.end()) {
      if (named->second) return closed;
      return usual.empty() ? pattern.usual : usual;
    }
    return usual;
  };
  auto& open = calendar.open_;
  auto& closings = calendar.closings_;
  for (std::int64_t day = days_from_civil(first_year, 1, 1);
       day < days_from_civil(last_year + 1, 1, 1); ++day) {
    std::int64_t closing = std::numeric_limits<std::int64_t>::min();
    for (const Hours& hours : hours_of(day)) {
      const std::int64_t midnight = day * zone_day_ms;
      const std::int64_t from =
          zone_to_utc(calendar.offsets_, midnight + hours.opens * 60'000, false);
      const std::int64_t to =
          zone_to_utc(calendar.offsets_, midnight + hours.closes * 60'000, true);
      if (to <= from) continue;  // wholly inside a gap
      closing = std::max(closing, to);
      if (!open.empty() && from <= open.back().to_ms) {
        open.back().to_ms = std::max(open.back().to_ms, to);
      } else {
        open.push_back({from, to, 0});
      }
    }
    if (closing > (closings.empty() ? std::numeric_limits<std::int64_t>::min() : closings.back())) {
      closings.push_back(closing);
    }
  }
  std::int64_t sum = 0;
  for (auto& interval : open) {
    interval.before_ms = sum;
    sum += interval.to_ms - interval.from_ms;
  }
}

Calendars Calendars::from_texts(const std::vector<std::pair<std::string, std::string>>& files,
                                std::vector<Mistake>& mistakes) {
  Calendars out;
  CalendarCompiler::Lists lists;
  std::vector<std::pair<std::string, YamlTree>> calendars;
  for (const auto& [file, text] : files) {
    const std::size_t before = mistakes.size();
    YamlReader reader(file, mistakes);
    YamlTree tree = parse_yaml(text, file, mistakes);
    if (mistakes.size() != before || !reader.map(tree.root)) continue;
    if (const YamlNode* name = tree.root.find("holidays"); name && !tree.root.find("calendar")) {
      lists[reader.name(*name)] = read_holidays(tree.root, reader);
      reader.sort();
    } else {
      calendars.emplace_back(file, std::move(tree));
    }
  }
  for (const auto& [file, tree] : calendars) {
    YamlReader reader(file, mistakes);
    const YamlNode* name = reader.need(tree.root, "calendar");
    if (name == nullptr) continue;
    const std::string id = reader.name(*name);
    if (out.find(id) != nullptr) {
      reader.mistake(*name, "calendar.id", {"已有同名日历", "another calendar has this name"});
    }
    auto calendar = CalendarCompiler::read(tree.root, lists, id, reader);
    if (calendar != nullptr) out.all_[id] = calendar;
    reader.sort();
  }
  return out;
}

Calendars Calendars::load(const std::filesystem::path& folder, std::vector<Mistake>& mistakes) {
  std::vector<std::pair<std::string, std::string>> files;
  for (const auto& path : yaml_files(folder))
    files.emplace_back(path.string(), content_text(path).value_or(""));
  return from_texts(files, mistakes);
}

}  // namespace cw
