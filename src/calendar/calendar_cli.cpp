// `callwarden calendar due`: a due time and how it came about; export and import are in ics_cli.
#include <ostream>

#include "base/json.h"
#include "calendar/calendar.h"
#include "ics_cli.h"

namespace cw {
namespace {

constexpr const char* due_usage =
    "usage: callwarden calendar due --calendar ID --from TIME --add SPAN [--json] [--lang zh|en]\n"
    "  TIME  2026-02-13T17:30 in the calendar's zone, or RFC 3339 with an offset\n"
    "  SPAN  15m, 8h (open time), 5wd (workdays), 30d (natural days), cob, 2cob (close of "
    "business:\n"
    "        of the working day at hand, of the second one after it)\n"
    "or: callwarden calendar export|import … (see calendar export, calendar import)\n";

struct DueOptions {
  std::string calendar, from, add, lang = "zh";
  bool json = false;
};

std::optional<DueOptions> read_due_options(std::span<const std::string> args) {
  DueOptions options;
  if (args.empty() || args[0] != "due") return std::nullopt;
  for (std::size_t i = 1; i < args.size(); ++i) {
    const std::string& key = args[i];
    if (key == "--json") {
      options.json = true;
      continue;
    }
    std::string* value = key == "--calendar" ? &options.calendar
                         : key == "--from"   ? &options.from
                         : key == "--add"    ? &options.add
                         : key == "--lang"   ? &options.lang
                                             : nullptr;
    if (value == nullptr || i + 1 == args.size()) return std::nullopt;
    *value = args[++i];
  }
  if (options.calendar.empty() || options.from.empty() || options.add.empty()) return std::nullopt;
  if (options.lang != "zh" && options.lang != "en") return std::nullopt;
  return options;
}

struct Due {
  std::int64_t from_ms = 0, due_ms = 0;
  bool provisional = false;
  std::vector<Segment> segments;
};

json::object due_json(const Calendar& calendar, const DueOptions& options, const Due& due) {
  json::array segments;
  for (const Segment& s : due.segments) {
    segments.push_back(json::object{{"from", calendar.local(s.from_ms)},
                                    {"to", calendar.local(s.to_ms)},
                                    {"counted", s.counted},
                                    {"counted_ms", s.counted ? s.to_ms - s.from_ms : 0},
                                    {"why", {{"zh", s.why.zh}, {"en", s.why.en}}}});
  }
  return {{"calendar", calendar.id()},
          {"version", calendar.version()},
          {"zone", calendar.zone()},
          {"from", calendar.local(due.from_ms)},
          {"add", options.add},
          {"due", calendar.local(due.due_ms)},
          {"provisional", due.provisional},
          {"segments", std::move(segments)}};
}

std::string duration_words(std::int64_t ms) {
  const std::int64_t minutes = ms / 60'000;
  std::string out;
  if (minutes >= 60) out += std::to_string(minutes / 60) + "h";
  if (minutes % 60 != 0 || minutes == 0) out += std::to_string(minutes % 60) + "m";
  return out;
}

void due_print(const Calendar& calendar, const DueOptions& options, const Due& due,
               std::ostream& out) {
  const bool zh = options.lang == "zh";
  out << (zh ? "到期 " : "due ") << calendar.local(due.due_ms) << '\n';
  if (due.provisional) {
    out << (zh ? "暂定：该日期的节假日安排尚未公布\n"
               : "provisional: the holidays of that date are not announced yet\n");
  }
  out << (zh ? "日历 " : "calendar ") << calendar.id() << (zh ? " 第 " : " version ")
      << calendar.version() << (zh ? " 版，" : ", ") << calendar.zone() << '\n';
  std::int64_t sum = 0;
  for (const Segment& s : due.segments) {
    if (s.counted) sum += s.to_ms - s.from_ms;
    out << "  " << calendar.local(s.from_ms).substr(0, 16) << " – "
        << calendar.local(s.to_ms).substr(0, 16) << "  "
        << (s.counted ? "+" + duration_words(s.to_ms - s.from_ms) + " = " + duration_words(sum)
                      : std::string(zh ? "停表" : "stands still"))
        << "  " << s.why.in(options.lang) << '\n';
  }
}

}  // namespace

int calendar_main(std::span<const std::string> args, const std::filesystem::path& content,
                  std::int64_t now_ms, std::ostream& out, std::ostream& err) {
  if (!args.empty() && args[0] == "export")
    return calendar_export(args.subspan(1), content, now_ms, out, err);
  if (!args.empty() && args[0] == "import") return calendar_import(args.subspan(1), out, err);
  const auto options = read_due_options(args);
  if (!options) {
    err << due_usage;
    return 2;
  }
  std::vector<Mistake> mistakes;
  const Calendars calendars = Calendars::load(content / "calendars", mistakes);
  for (const Mistake& m : mistakes) err << describe(m, options->lang) << '\n';
  const bool zh = options->lang == "zh";
  const auto calendar = calendars.find(options->calendar);
  if (calendar == nullptr) {
    err << (zh ? "没有日历“" : "no calendar '") << options->calendar
        << (zh ? "”，现有：" : "', there are:");
    for (const auto& [id, unused] : calendars.all()) err << ' ' << id;
    err << '\n';
    return 2;
  }
  const auto from_ms = calendar->from_local(options->from);
  const auto span = parse_span(options->add);
  if (!from_ms || !span) {
    err << (!from_ms ? (zh ? "--from 不是有效时间\n" : "--from is not a time\n")
                     : (zh ? "--add 不是有效时长\n" : "--add is not a span\n"))
        << due_usage;
    return 2;
  }
  const Budget budget = calendar->budget(*span, *from_ms);
  Due due;
  due.from_ms = *from_ms;
  due.due_ms = calendar->due_ms(*from_ms, budget);
  due.provisional = calendar->provisional(due.due_ms);
  due.segments = calendar->explain(*from_ms, due.due_ms, budget.natural);
  if (options->json) {
    out << json::serialize(due_json(*calendar, *options, due)) << '\n';
  } else {
    due_print(*calendar, *options, due, out);
  }
  return 0;
}

}  // namespace cw
