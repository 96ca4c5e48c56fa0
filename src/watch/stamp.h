// Times as logs write them. Pure. Private to the module.
//
//   std::string_view rest = line;
//   if (auto t = take_time(rest, {.near_ms = received, .utc_offset_min = 480})) use(*t);
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace cw::watch {

struct StampContext {
  std::int64_t near_ms = 0;  // when the line was received: a missing year is the one that puts the
                             // time latest, but not more than two days after this
  int utc_offset_min = 0;    // of a time without a zone
};

struct Stamp {
  std::int64_t ms = 0;  // UTC
  bool year = false;    // written, not inferred
  bool zone = false;    // written, not assumed
};

// Takes a time from the front of `s` and advances it past; nothing (and `s` unchanged) if there is
// none. Forms: 2026-11-22T01:42:10.123456+08:00 (also a blank for T, a comma before the fraction,
// +0800, Z, no zone); Nov 22 01:42:10, Nov  2 …, Nov 22 2026 …, with a fraction; 11-22 01:42:10.1.
std::optional<Stamp> take_time(std::string_view& s, const StampContext& context);

}  // namespace cw::watch
