#include "calendar/calendar.h"

#include <algorithm>
#include <cstdio>
#include <limits>

#include "base/check.h"
#include "base/clock.h"
#include "base/text.h"
#include "zone.h"

namespace cw {

std::optional<Span> parse_span(std::string_view text) {
  std::size_t digits = 0;
  while (digits < text.size() && text[digits] >= '0' && text[digits] <= '9') ++digits;
  const auto amount = to_int<std::int64_t>(text.substr(0, digits));
  const std::string_view unit = text.substr(digits);
  if (text == "cob") return Span{0, Unit::close};
  struct Known {
    std::string_view name;
    Unit unit;
    std::int64_t most;  // ten years
  };
  static constexpr Known known[] = {{"m", Unit::minute, 5'256'000},
                                    {"h", Unit::hour, 87'600},
                                    {"wd", Unit::workday, 3'650},
                                    {"d", Unit::day, 3'650},
                                    {"cob", Unit::close, 3'650}};
  for (const Known& k : known) {
    if (unit != k.name) continue;
    if (!amount || *amount < 1 || *amount > k.most) return std::nullopt;
    return Span{*amount, k.unit};
  }
  return std::nullopt;
}

std::string to_string(Span span) {
  if (span == Span{0, Unit::close}) return "cob";
  const char* const names[] = {"m", "h", "wd", "d", "cob"};
  return std::to_string(span.amount) + names[static_cast<int>(span.unit)];
}

Calendar::Calendar() = default;
Calendar::~Calendar() = default;

Budget Calendar::budget(Span span, std::int64_t from_ms) const {
  constexpr std::int64_t minute_ms = 60'000;
  switch (span.unit) {
    case Unit::minute:
      return {span.amount * minute_ms, false};
    case Unit::hour:
      return {span.amount * 60 * minute_ms, false};
    case Unit::workday:
      return {span.amount * workday_ms_, false};
    case Unit::day:
      return {span.amount * zone_day_ms, true};
    case Unit::close:  // never nothing, even at the end of the compiled years
      return {std::max<std::int64_t>(1, spent_ms(from_ms, closing_ms(from_ms, span.amount), false)),
              false};
  }
  return {};
}

std::int64_t Calendar::closing_ms(std::int64_t from_ms, std::int64_t ahead) const {
  if (always_) return moment(day_of(from_ms) + 1 + ahead, 0);
  auto first = std::upper_bound(closings_.begin(), closings_.end(), from_ms);
  if (first == closings_.end()) return from_ms;
  return first[std::min<std::int64_t>(ahead, closings_.end() - first - 1)];
}

std::int64_t Calendar::before_ms(std::int64_t at_ms) const {
  auto next = std::upper_bound(open_.begin(), open_.end(), at_ms,
                               [](std::int64_t at, const Open& o) { return at < o.from_ms; });
  if (next == open_.begin()) return 0;
  const Open& open = *std::prev(next);
  return open.before_ms + std::min(at_ms, open.to_ms) - open.from_ms;
}

std::int64_t Calendar::due_ms(std::int64_t from_ms, Budget budget) const {
  CW_CHECK(budget.ms >= 0);
  if (always_ || budget.natural) return from_ms + budget.ms;
  if (budget.ms == 0) return from_ms;
  const std::int64_t target = before_ms(from_ms) + budget.ms;
  auto found =
      std::lower_bound(open_.begin(), open_.end(), target, [](const Open& o, std::int64_t wanted) {
        return o.before_ms + (o.to_ms - o.from_ms) < wanted;
      });
  if (found == open_.end())
    return std::max(from_ms, open_.back().to_ms);  // end of the compiled years
  return found->from_ms + (target - found->before_ms);
}

std::int64_t Calendar::spent_ms(std::int64_t from_ms, std::int64_t to_ms, bool natural) const {
  if (to_ms <= from_ms) return 0;
  if (always_ || natural) return to_ms - from_ms;
  return before_ms(to_ms) - before_ms(from_ms);
}

bool Calendar::open_at(std::int64_t at_ms) const {
  return always_ || before_ms(at_ms + 1) > before_ms(at_ms);
}

std::int64_t Calendar::offset_ms(std::int64_t at_ms) const { return zone_offset(offsets_, at_ms); }

Text Calendar::closed_why(std::int64_t from_ms, std::int64_t to_ms) const {
  const std::int64_t first = zone_day(from_ms + offset_ms(from_ms));
  const std::int64_t last = zone_day(to_ms - 1 + offset_ms(to_ms - 1));
  Text why;
  for (const Named& named : named_) {
    if (!named.off || named.day < first || named.day > last) continue;
    if (why.en.find(named.name.en) != std::string::npos) continue;
    why.zh += (why.zh.empty() ? "" : "、") + named.name.zh;
    why.en += (why.en.empty() ? "" : ", ") + named.name.en;
  }
  if (!why.zh.empty()) return why;
  if (first == last && open_at(to_ms)) {
    const std::int64_t midnight = first * zone_day_ms;
    const std::int64_t start = midnight - offset_ms(from_ms);
    if (spent_ms(start, from_ms, false) > 0) return {"间歇", "break"};
  }
  if (last - first >= 2) return {"休息日", "days off"};
  return {"非工作时间", "out of hours"};
}

std::vector<Segment> Calendar::explain(std::int64_t from_ms, std::int64_t to_ms, bool natural,
                                       std::size_t count_max) const {
  std::vector<Segment> out;
  if (to_ms <= from_ms || count_max == 0) return out;
  if (always_ || natural) {
    out.push_back({from_ms, to_ms, true, {"全天计时", "around the clock"}});
    return out;
  }
  auto next = std::upper_bound(open_.begin(), open_.end(), from_ms,
                               [](std::int64_t at, const Open& o) { return at < o.to_ms; });
  std::int64_t at = from_ms;
  while (at < to_ms && out.size() + 1 < count_max) {
    const std::int64_t opens = next == open_.end() ? to_ms : std::min(next->from_ms, to_ms);
    if (at < opens) {
      out.push_back({at, opens, false, closed_why(at, opens)});
      at = opens;
      continue;
    }
    const std::int64_t closes = std::min(next->to_ms, to_ms);
    const std::int64_t day = zone_day(at + offset_ms(at));
    Text why{"工作时间", "open"};
    for (const Named& named : named_) {
      if (named.off || named.day != day) continue;
      why = {named.name.zh + "调休上班", "make-up workday (" + named.name.en + ")"};
    }
    out.push_back({at, closes, true, std::move(why)});
    at = closes;
    ++next;
  }
  if (at < to_ms) out.push_back({at, to_ms, false, {"其余从略", "the rest is left out"}});
  return out;
}

std::int64_t Calendar::day_of(std::int64_t at_ms) const {
  return zone_day(at_ms + offset_ms(at_ms));
}

std::int64_t Calendar::moment(std::int64_t day, std::int64_t minute) const {
  return zone_to_utc(offsets_, day * zone_day_ms + minute * 60'000, false);
}

bool Calendar::workday(std::int64_t day) const {
  return spent_ms(moment(day, 0), moment(day + 1, 0), false) > 0;
}

std::string Calendar::local(std::int64_t at_ms) const {
  const std::int64_t offset = offset_ms(at_ms);
  const std::int64_t shown = at_ms + offset;
  const std::int64_t day = zone_day(shown);
  const Civil civil = civil_from_days(day);
  const auto second = static_cast<int>((shown - day * zone_day_ms) / 1000);
  const auto minutes = static_cast<int>((offset < 0 ? -offset : offset) / 60'000);
  char text[64];
  std::snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02d%c%02d:%02d", civil.year,
                civil.month, civil.day, second / 3600, second / 60 % 60, second % 60,
                offset < 0 ? '-' : '+', minutes / 60 % 100, minutes % 60);
  return text;
}

std::optional<std::int64_t> Calendar::from_local(std::string_view text) const {
  if (auto with_offset = from_rfc3339(text)) return with_offset;
  if (text.size() != 16 && text.size() != 19) return std::nullopt;
  if (text[10] != 'T' && text[10] != ' ') return std::nullopt;
  const auto day = zone_date(text.substr(0, 10));
  const auto minute = zone_minute(text.substr(11, 5));
  if (!day || !minute || *minute == 24 * 60) return std::nullopt;
  std::int64_t second = 0;
  if (text.size() == 19) {
    const auto given = to_int<std::int64_t>(text.substr(17));
    if (text[16] != ':' || !given || *given < 0 || *given > 59) return std::nullopt;
    second = *given;
  }
  return zone_to_utc(offsets_, *day * zone_day_ms + *minute * 60'000 + second * 1000, false);
}

std::shared_ptr<const Calendar> Calendars::find(std::string_view id) const {
  auto found = all_.find(id);
  return found == all_.end() ? nullptr : found->second;
}

}  // namespace cw
