// Local time of a zone by a table of offsets, so that only compiling a calendar needs ICU. Pure.
//
//   std::vector<ZoneOffset> offsets = zone_offsets("Asia/Shanghai", 2000, 2080);
//   std::int64_t utc_ms = zone_to_utc(offsets, local_ms, false);
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cw {

constexpr std::int64_t zone_day_ms = 24LL * 60 * 60 * 1000;

struct ZoneOffset {
  std::int64_t from_ms;    // UTC; in force from then on; the first covers everything before, too
  std::int64_t offset_ms;  // local = UTC + offset
};

// Every change of offset in the years; empty when ICU does not know the zone.
std::vector<ZoneOffset> zone_offsets(const std::string& zone, int first_year, int last_year);

std::int64_t zone_offset(const std::vector<ZoneOffset>& offsets, std::int64_t at_ms);

// Local to UTC. In a gap (clocks put forward) the moment of the change; in a fold (put back) the
// earliest of the two, or the latest.
std::int64_t zone_to_utc(const std::vector<ZoneOffset>& offsets, std::int64_t local_ms,
                         bool latest);

// Days since 1970, rounding down.
std::int64_t zone_day(std::int64_t local_ms);
std::optional<std::int64_t> zone_date(std::string_view text);    // "2026-02-14" as days since 1970
std::optional<std::int64_t> zone_minute(std::string_view text);  // "09:00" – "24:00"

}  // namespace cw
