#include "zone.h"

#include <unicode/basictz.h>
#include <unicode/tztrans.h>

#include <algorithm>
#include <memory>

#include "base/clock.h"
#include "base/text.h"

namespace cw {

std::vector<ZoneOffset> zone_offsets(const std::string& zone, int first_year, int last_year) {
  std::unique_ptr<icu::TimeZone> named(
      icu::TimeZone::createTimeZone(icu::UnicodeString::fromUTF8(zone)));
  if (named == nullptr || *named == icu::TimeZone::getUnknown()) return {};
  const auto* rules = dynamic_cast<const icu::BasicTimeZone*>(named.get());
  if (rules == nullptr) return {};
  const double first = static_cast<double>(days_from_civil(first_year, 1, 1) * zone_day_ms);
  const double last = static_cast<double>(days_from_civil(last_year + 1, 1, 1) * zone_day_ms);
  UErrorCode error = U_ZERO_ERROR;
  int32_t raw = 0, saving = 0;
  rules->getOffset(first, false, raw, saving, error);
  if (U_FAILURE(error)) return {};
  std::vector<ZoneOffset> out{{static_cast<std::int64_t>(first), raw + saving}};
  double at = first;
  icu::TimeZoneTransition change;
  while (rules->getNextTransition(at, false, change) && change.getTime() < last) {
    at = change.getTime();
    const icu::TimeZoneRule& to = *change.getTo();
    const std::int64_t offset = to.getRawOffset() + to.getDSTSavings();
    if (offset != out.back().offset_ms) out.push_back({static_cast<std::int64_t>(at), offset});
  }
  return out;
}

static std::size_t zone_index(const std::vector<ZoneOffset>& offsets, std::int64_t at_ms) {
  auto next = std::upper_bound(offsets.begin(), offsets.end(), at_ms,
                               [](std::int64_t at, const ZoneOffset& o) { return at < o.from_ms; });
  return next == offsets.begin() ? 0 : static_cast<std::size_t>(next - offsets.begin()) - 1;
}

std::int64_t zone_offset(const std::vector<ZoneOffset>& offsets, std::int64_t at_ms) {
  return offsets[zone_index(offsets, at_ms)].offset_ms;
}

std::int64_t zone_to_utc(const std::vector<ZoneOffset>& offsets, std::int64_t local_ms,
                         bool latest) {
  // Offsets differ by at most a day, so the answer lies within one change of either day.
  const std::size_t first = zone_index(offsets, local_ms - zone_day_ms);
  const std::size_t last = zone_index(offsets, local_ms + zone_day_ms);
  std::optional<std::int64_t> found;
  for (std::size_t i = first; i <= last; ++i) {
    const std::int64_t utc = local_ms - offsets[i].offset_ms;
    if (zone_index(offsets, utc) != i) continue;
    if (!found || latest) found = utc;
  }
  if (found) return *found;
  for (std::size_t i = first + 1; i <= last; ++i) {  // a gap: the change that skips this time
    if (local_ms - offsets[i].offset_ms < offsets[i].from_ms &&
        local_ms - offsets[i - 1].offset_ms >= offsets[i].from_ms) {
      return offsets[i].from_ms;
    }
  }
  return local_ms - offsets[first].offset_ms;
}

std::int64_t zone_day(std::int64_t local_ms) {
  return local_ms >= 0 ? local_ms / zone_day_ms : -((-local_ms + zone_day_ms - 1) / zone_day_ms);
}

std::optional<std::int64_t> zone_date(std::string_view text) {
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return std::nullopt;
  const auto year = to_int<int>(text.substr(0, 4));
  const auto month = to_int<int>(text.substr(5, 2));
  const auto day = to_int<int>(text.substr(8, 2));
  if (!year || !month || !day || *year < 1970 || *month < 1 || *month > 12 || *day < 1) {
    return std::nullopt;
  }
  const std::int64_t days = days_from_civil(*year, *month, *day);
  const Civil back = civil_from_days(days);
  if (back.month != *month || back.day != *day) return std::nullopt;
  return days;
}

std::optional<std::int64_t> zone_minute(std::string_view text) {
  if (text.size() != 5 || text[2] != ':') return std::nullopt;
  const auto hour = to_int<int>(text.substr(0, 2));
  const auto minute = to_int<int>(text.substr(3, 2));
  if (!hour || !minute || *hour < 0 || *minute < 0 || *minute > 59) return std::nullopt;
  const int total = *hour * 60 + *minute;
  return total > 24 * 60 ? std::nullopt : std::optional<std::int64_t>(total);
}

}  // namespace cw
