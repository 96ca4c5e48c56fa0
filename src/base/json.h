// JSON as the project uses it: Boost.JSON values, bounded parsing, canonical output.
// Pure and thread-safe.
//
//   auto v = parse_json(text, {.depth_max = 32});
//   std::string bytes = canonical(*v);   // RFC 8785 for integers and strings
#pragma once

#include <boost/json.hpp>
#include <string>
#include <string_view>

#include "base/result.h"

namespace cw {

namespace json = boost::json;

struct JsonLimits {
  std::size_t size_max = 1 << 20;  // bytes
  std::size_t depth_max = 32;      // nesting
};

// Parses one JSON text. Refuses: over the limits, invalid UTF-8, trailing text, duplicate keys.
// The Problem is `malformed` (or `too_large`) and names the byte offset, never the content.
Result<json::value> parse_json(std::string_view text, JsonLimits limits = {});

// RFC 8785 (JCS) for null, booleans, integers, strings, arrays and objects: members sorted by
// UTF-16 code units, no white space, minimal escapes. A double is a programmer's error: entries
// hold none, so there is no number formatting question.
std::string canonical(const json::value& value);
void canonical_to(const json::value& value, std::string& out);
void canonical_string(std::string_view utf8, std::string& out);  // with quotes and escapes

// Reading with a default, for facts whose presence is optional.
std::string_view text_or(const json::object& o, std::string_view key,
                         std::string_view fallback = "");
std::int64_t int_or(const json::object& o, std::string_view key, std::int64_t fallback = 0);
bool bool_or(const json::object& o, std::string_view key, bool fallback = false);

// A member's name inside a JSON pointer: "~" and "/" are written ~0 and ~1 (RFC 6901).
std::string pointer_token(std::string_view name);

}  // namespace cw
