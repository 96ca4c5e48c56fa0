#include "ics_cli.h"

#include <algorithm>
#include <map>
#include <ostream>
#include <set>
#include <sstream>

#include "base/clock.h"
#include "base/content.h"
#include "base/text.h"
#include "calendar/calendar.h"
#include "ics.h"
#include "zone.h"

namespace cw {
namespace {

constexpr const char* export_usage =
    "usage: callwarden calendar export --calendar ID --years 2026[..2027] [--what holidays|hours]\n"
    "                                  [--lang zh|en]\n"
    "  writes iCalendar: the days off and make-up workdays, or every opening\n";
constexpr const char* import_usage =
    "usage: callwarden calendar import FILE.ics --list ID [--announced 2027-12-31]\n"
    "                                  [--work WORDS] [--lang zh|en]\n"
    "  writes a list of holidays (docs/formats/calendar.md). An event is a make-up workday when "
    "its\n"
    "  category is WORKDAY or its summary holds one of WORDS (default: 班,workday)\n";
constexpr std::size_t import_size_max = 1 << 20;

using Options = std::map<std::string, std::string, std::less<>>;

// "--key value" pairs of `known`, and at most one plain argument under "".
std::optional<Options> ics_options(std::span<const std::string> args,
                                   const std::set<std::string, std::less<>>& known) {
  Options out;
  for (std::size_t i = 0; i < args.size(); ++i) {
    if (!args[i].starts_with("--")) {
      if (!out.emplace("", args[i]).second) return std::nullopt;
    } else if (!known.contains(args[i]) || i + 1 == args.size() ||
               !out.emplace(args[i], args[i + 1]).second) {
      return std::nullopt;
    } else {
      ++i;
    }
  }
  const auto lang = out.emplace("--lang", "zh").first->second;
  if (lang != "zh" && lang != "en") return std::nullopt;
  return out;
}

std::optional<std::pair<int, int>> read_years(std::string_view text) {
  const auto dots = text.find("..");
  const auto first = to_int<int>(text.substr(0, dots));
  const auto last = dots == std::string_view::npos ? first : to_int<int>(text.substr(dots + 2));
  if (!first || !last || *first < 2000 || *last > 2080 || *last < *first) return std::nullopt;
  return std::pair{*first, *last};
}

std::string ics_day_text(std::int64_t day) {
  const Civil c = civil_from_days(day);
  char text[48];
  std::snprintf(text, sizeof text, "%04d-%02d-%02d", c.year, c.month, c.day);
  return text;
}

// Days in a row with one name are one event.
std::vector<IcsEvent> holiday_events(const Calendar& calendar, std::int64_t from, std::int64_t to,
                                     bool zh) {
  std::vector<IcsEvent> out;
  const Calendar::Named* before = nullptr;
  for (const Calendar::Named& d : calendar.named()) {
    if (d.day < from || d.day > to) continue;
    if (before && before->day + 1 == d.day && before->off == d.off && before->name == d.name) {
      out.back().to_day = d.day;
    } else {
      IcsEvent e;
      e.uid = ics_day_text(d.day) + "@" + calendar.id() + ".callwarden";
      e.summary = zh ? d.name.zh : d.name.en;
      if (zh) e.summary_en = d.name.en;
      e.categories = {d.off ? "HOLIDAY" : "WORKDAY"};
      e.all_day = true;
      e.from_day = e.to_day = d.day;
      out.push_back(std::move(e));
    }
    before = &d;
  }
  return out;
}

std::vector<IcsEvent> opening_events(const Calendar& calendar, std::int64_t from, std::int64_t to,
                                     bool zh) {
  std::vector<IcsEvent> out;
  const std::int64_t end = calendar.moment(to + 1, 0);
  for (const Segment& s : calendar.explain(calendar.moment(from, 0), end, false, 1'000'000)) {
    if (!s.counted) continue;
    IcsEvent e;
    e.uid = std::to_string(s.from_ms / 1000) + "@" + calendar.id() + ".callwarden";
    e.summary = zh ? s.why.zh : s.why.en;
    e.from_ms = s.from_ms;
    e.to_ms = s.to_ms;
    out.push_back(std::move(e));
  }
  return out;
}

std::string yaml_quoted(std::string_view text) {
  std::string out = "\"";
  for (const char ch : text) {
    if (ch == '"' || ch == '\\') out += '\\';
    out += ch == '\n' || ch == '\t' ? ' ' : ch;
  }
  return out + "\"";
}

std::string yaml_ranges(const std::vector<std::int64_t>& days) {
  std::string out;
  for (std::size_t i = 0; i < days.size();) {
    std::size_t last = i;
    while (last + 1 < days.size() && days[last + 1] == days[last] + 1) ++last;
    out += (out.empty() ? "" : ", ") + ics_day_text(days[i]);
    if (last != i) out += ".." + ics_day_text(days[last]);
    i = last + 1;
  }
  return out;
}

struct ImportedDay {
  bool off = true;
  Text name;
};

// Every day once; a day that is both off and worked is a contradiction.
Result<std::map<std::int64_t, ImportedDay>> imported_days(const std::vector<IcsEvent>& events,
                                                          const std::vector<std::string>& words) {
  std::map<std::int64_t, ImportedDay> out;
  for (const IcsEvent& e : events) {
    if (!e.all_day) continue;
    const bool work = std::any_of(e.categories.begin(), e.categories.end(),
                                  [](const auto& c) { return equals_ignore_case(c, "WORKDAY"); }) ||
                      std::any_of(words.begin(), words.end(), [&](const std::string& w) {
                        return to_lower(e.summary).find(to_lower(w)) != std::string::npos;
                      });
    const std::string name = e.summary.empty() ? (work ? "调休" : "假日") : e.summary;
    const ImportedDay day{!work, {name, e.summary_en.empty() ? name : e.summary_en}};
    for (std::int64_t d = e.from_day; d <= e.to_day; ++d) {
      auto [it, fresh] = out.emplace(d, day);
      if (!fresh && it->second.off != day.off)
        return invalid("ics.contradiction", "/day/" + ics_day_text(d),
                       {ics_day_text(d) + " 既是假日又是调休上班日",
                        ics_day_text(d) + " is both a day off and a make-up workday"});
    }
  }
  if (out.empty())
    return problem(Refusal::invalid, "ics.empty",
                   {"文件里没有全天事件", "The file has no all-day events"});
  return out;
}

void write_list(const std::map<std::int64_t, ImportedDay>& days, const std::string& id,
                std::int64_t announced, std::ostream& out) {
  out << "holidays: " << id << "\nversion: 1\ntitle: {zh: " << yaml_quoted(id)
      << ", en: " << yaml_quoted(id) << "}\nannounced: " << ics_day_text(announced) << "\ndays:\n";
  // One line for the days of a name, as long as they lie within two months.
  std::map<std::int64_t, ImportedDay> left = days;
  while (!left.empty()) {
    const auto [first, head] = *left.begin();
    std::vector<std::int64_t> off, work;
    for (auto it = left.begin(); it != left.end() && it->first <= first + 60;) {
      if (it->second.name == head.name) {
        (it->second.off ? off : work).push_back(it->first);
        it = left.erase(it);
      } else {
        ++it;
      }
    }
    out << "  - {name: {zh: " << yaml_quoted(head.name.zh) << ", en: " << yaml_quoted(head.name.en)
        << "}";
    if (!off.empty()) out << ", off: [" << yaml_ranges(off) << "]";
    if (!work.empty()) out << ", work: [" << yaml_ranges(work) << "]";
    out << "}\n";
  }
}

int say(const Problem& problem, const std::string& lang, std::ostream& err) {
  err << problem.text.in(lang) << '\n';
  return 1;
}

}  // namespace

int calendar_export(std::span<const std::string> args, const std::filesystem::path& content,
                    std::int64_t now_ms, std::ostream& out, std::ostream& err) {
  auto options = ics_options(args, {"--calendar", "--years", "--what", "--lang"});
  const auto years = options ? read_years((*options)["--years"]) : std::nullopt;
  const std::string what = options ? options->emplace("--what", "holidays").first->second : "";
  if (!years || options->contains("") || (what != "holidays" && what != "hours")) {
    err << export_usage;
    return 2;
  }
  const std::string lang = (*options)["--lang"];
  std::vector<Mistake> mistakes;
  const Calendars calendars = Calendars::load(content / "calendars", mistakes);
  for (const Mistake& m : mistakes) err << describe(m, lang) << '\n';
  const auto calendar = calendars.find((*options)["--calendar"]);
  if (calendar == nullptr)
    return say(problem(Refusal::not_found, "calendar.unknown",
                       {"没有这份日历", "There is no such calendar"}),
               lang, err);
  const std::int64_t from = days_from_civil(years->first, 1, 1);
  const std::int64_t to = days_from_civil(years->second, 12, 31);
  const auto events = what == "hours" ? opening_events(*calendar, from, to, lang == "zh")
                                      : holiday_events(*calendar, from, to, lang == "zh");
  out << write_ics(calendar->title().in(lang), events, now_ms);
  return 0;
}

int calendar_import(std::span<const std::string> args, std::ostream& out, std::ostream& err) {
  auto options = ics_options(args, {"--list", "--announced", "--work", "--lang"});
  const std::string announced = options ? (*options)["--announced"] : "";
  const auto until = zone_date(announced);
  if (!options || !options->contains("") || !options->contains("--list") ||
      (!announced.empty() && !until)) {
    err << import_usage;
    return 2;
  }
  const std::string lang = (*options)["--lang"];
  const auto text = content_text((*options)[""], import_size_max);
  if (!text)
    return say(problem(Refusal::not_found, "ics.file", {"无法读取该文件", "Cannot read that file"}),
               lang, err);
  // Without an announced day, repetitions end with the year of the last event that stands alone.
  auto once = read_ics(*text, {.repeat_until_day = until.value_or(1)});
  if (!once) return say(once.problem(), lang, err);
  std::int64_t last = until.value_or(0);
  if (!until)
    for (const IcsEvent& e : *once) last = std::max(last, e.to_day);
  const std::int64_t end = until ? last : days_from_civil(civil_from_days(last).year, 12, 31);
  auto events = read_ics(*text, {.repeat_until_day = end});
  if (!events) return say(events.problem(), lang, err);
  std::vector<std::string> words;
  for (const auto word : split(options->emplace("--work", "班,workday").first->second, ','))
    if (!word.empty()) words.emplace_back(word);
  auto days = imported_days(*events, words);
  if (!days) return say(days.problem(), lang, err);
  std::ostringstream list;
  write_list(*days, (*options)["--list"], end, list);
  std::vector<Mistake> mistakes;  // what is written can be read
  Calendars::from_texts({{"list", list.str()}}, mistakes);
  for (const Mistake& m : mistakes) err << describe(m, lang) << '\n';
  if (!mistakes.empty()) return 1;
  out << list.str();
  return 0;
}

}  // namespace cw
