// Limits and small pieces that the files of this module share. Not for other modules.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "http.h"

namespace cw::http {

inline constexpr std::size_t kSegmentsMax = 32;           // of a path
inline constexpr std::size_t kQueryMax = 100;             // pairs in a query
inline constexpr std::size_t kTargetMax = 8 * 1024;       // bytes; beyond: 414
inline constexpr std::size_t kSlowBytesPerS = 32 * 1024;  // the slowest line a deadline allows for

// What a deadline adds for this many bytes.
inline std::int64_t slow_line_ms(std::size_t bytes) {
  return static_cast<std::int64_t>(bytes / kSlowBytesPerS) * 1000;
}

}  // namespace cw::http
