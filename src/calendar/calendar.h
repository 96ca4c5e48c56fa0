// Working time: a calendar is compiled to sorted open intervals, so that adding and measuring open
// time are binary searches. Calendars are immutable: thread-safe.
//
//   std::vector<Mistake> mistakes;
//   Calendars calendars = Calendars::load(content / "calendars", mistakes);
//   auto office = calendars.find("cn-office");
//   std::int64_t due_ms = office->due_ms(now_ms, office->budget({8, Unit::hour}, now_ms));
//   if (office->provisional(due_ms)) mark_as_provisional();
#pragma once

#include <cstdint>
#include <filesystem>
#include <iosfwd>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/yaml.h"

namespace cw {

// m and h count open time, wd counts workdays of the calendar's own length (its `workday`, 8 h for
// an office), d counts natural days of 24 hours whatever the calendar says. cob is no length but a
// moment: the close of business of the working day at hand, or of the n-th one after it.
enum class Unit : std::uint8_t { minute, hour, workday, day, close };

struct Span {
  std::int64_t amount = 0;  // close: how many working days after the one at hand
  Unit unit = Unit::minute;
  bool operator==(const Span&) const = default;
};

// "15m", "8h", "5wd", "30d", "2cob": a whole number from 1 and a unit, at most ten years (of
// 24-hour days); "cob" alone is the close of business of the working day at hand.
std::optional<Span> parse_span(std::string_view text);
std::string to_string(Span span);

// What a span comes to under one calendar: the number a clock counts down. Of a close of business
// it is the open time until then.
struct Budget {
  std::int64_t ms = 0;
  bool natural = false;  // counted around the clock (unit d), not in open time
};

// One stretch on the way from a start to a due time, and why it counts or not.
struct Segment {
  std::int64_t from_ms = 0;
  std::int64_t to_ms = 0;
  bool counted = false;
  Text why;  // "工作时间" / "open", "春节" / "Spring Festival", "夜间" …
};

struct ZoneOffset;

class Calendar {
 public:
  Calendar();
  ~Calendar();

  const std::string& id() const { return id_; }
  int version() const { return version_; }
  const Text& title() const { return title_; }
  const std::string& zone() const { return zone_; }

  // `from_ms`: when counting starts; only a close of business depends on it.
  Budget budget(Span span, std::int64_t from_ms) const;
  // The close of business of the working day at hand at `from_ms` (the first closing after it, so
  // out of hours that of the next working day), or of the `ahead`-th working day after that one. A
  // day's hours end with their last stretch, wherever that ends; a calendar that is open around the
  // clock closes at midnight of its zone.
  std::int64_t closing_ms(std::int64_t from_ms, std::int64_t ahead) const;
  // The earliest moment at which the budget is used up when counting starts at `from_ms`. A budget
  // that ends with the day's last open minute is due at closing, not at the next opening.
  std::int64_t due_ms(std::int64_t from_ms, Budget budget) const;
  // How much of a budget of that kind passes in [from_ms, to_ms); 0 when to_ms <= from_ms.
  std::int64_t spent_ms(std::int64_t from_ms, std::int64_t to_ms, bool natural) const;
  bool open_at(std::int64_t at_ms) const;

  // True when `at_ms` lies beyond what has been announced: holidays may still move it.
  bool provisional(std::int64_t at_ms) const { return at_ms >= announced_until_ms_; }
  std::int64_t announced_until_ms() const { return announced_until_ms_; }

  // The stretches between two moments, at most `count_max` (the last one then reaches to_ms).
  std::vector<Segment> explain(std::int64_t from_ms, std::int64_t to_ms, bool natural,
                               std::size_t count_max = 500) const;

  // Local days, counted since 1970: of a moment, and the moment of a minute of a day (0–2,879;
  // in a gap the end of the gap, in a fold the earlier).
  std::int64_t day_of(std::int64_t at_ms) const;
  std::int64_t moment(std::int64_t day, std::int64_t minute) const;
  bool workday(std::int64_t day) const;  // open at some time of that local day

  // A day that a list of holidays names: off, or a make-up workday.
  struct Named {
    std::int64_t day;
    bool off;
    Text name;
  };
  const std::vector<Named>& named() const { return named_; }  // by day

  // RFC 3339 in the calendar's zone, whole seconds.
  std::string local(std::int64_t at_ms) const;
  // "2026-02-13T17:30[:00]" in the calendar's zone, or any RFC 3339 time with an offset.
  std::optional<std::int64_t> from_local(std::string_view text) const;

 private:
  friend class CalendarCompiler;
  struct Open {
    std::int64_t from_ms, to_ms;
    std::int64_t before_ms;  // open time before this interval
  };
  std::int64_t offset_ms(std::int64_t at_ms) const;
  std::int64_t before_ms(std::int64_t at_ms) const;
  Text closed_why(std::int64_t from_ms, std::int64_t to_ms) const;

  std::string id_, zone_;
  Text title_;
  int version_ = 0;
  bool always_ = false;
  std::int64_t workday_ms_ = 0;
  std::int64_t announced_until_ms_ = 0;
  std::vector<Open> open_;              // sorted, disjoint; empty when always_
  std::vector<std::int64_t> closings_;  // of each working day, sorted; empty when always_
  std::vector<ZoneOffset> offsets_;     // of the zone, sorted
  std::vector<Named> named_;            // holidays and make-up workdays, sorted
};

// Every calendar of a folder. Copies share their calendars.
class Calendars {
 public:
  // Reads all *.yaml of the folder: calendars and holiday lists (docs/formats/calendar.md).
  // What has a mistake is left out. An unreadable folder is an exception.
  static Calendars load(const std::filesystem::path& folder, std::vector<Mistake>& mistakes);
  // The same from texts: (file name, text).
  static Calendars from_texts(const std::vector<std::pair<std::string, std::string>>& files,
                              std::vector<Mistake>& mistakes);

  std::shared_ptr<const Calendar> find(std::string_view id) const;  // null when unknown
  const std::map<std::string, std::shared_ptr<const Calendar>, std::less<>>& all() const {
    return all_;
  }

 private:
  std::map<std::string, std::shared_ptr<const Calendar>, std::less<>> all_;
};

// `callwarden calendar due|export|import …`, arguments after "calendar"; `now_ms` stamps what is
// exported. Returns the process's exit code: 0 done, 1 refused, 2 wrong usage.
int calendar_main(std::span<const std::string> args, const std::filesystem::path& content,
                  std::int64_t now_ms, std::ostream& out, std::ostream& err);

}  // namespace cw
