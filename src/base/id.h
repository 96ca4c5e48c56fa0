// Identifiers: a three-letter kind, "_", and 26 characters of Crockford base 32 in lower case:
// 48 bits of time, 80 bits of chance (as in ULID), so ids sort by when they were made.
// Thread-safe.
//
//   std::string id = new_id("cas", clock.now_ms(), random);   // "cas_01k9…"
#pragma once

#include <string>
#include <string_view>

#include "base/random.h"

namespace cw {

std::string new_id(std::string_view kind, std::int64_t now_ms, Random& random);
bool is_id(std::string_view text, std::string_view kind);

}  // namespace cw
