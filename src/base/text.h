// Small functions over strings: UTF-8, hex, base64, splitting. Pure and thread-safe.
//
//   if (!is_utf8(body)) return problem(...);
//   std::string h = to_hex(hash);
#pragma once

#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cw {

// Strict UTF-8: no overlong forms, no surrogates, nothing above U+10FFFF.
bool is_utf8(std::string_view s);

// Code points in valid UTF-8 (names and limits count these, not bytes).
std::size_t code_points(std::string_view utf8);

// At most `points_max` code points of valid UTF-8.
std::string_view clip(std::string_view utf8, std::size_t points_max);

// Unicode case folding and NFKC; for search and for names that must be unique.
std::string fold(std::string_view utf8);

std::string to_hex(std::string_view bytes);
std::optional<std::string> from_hex(std::string_view hex);
std::string to_base64(std::string_view bytes);                  // RFC 4648 §4, padded
std::optional<std::string> from_base64(std::string_view text);  // strict: canonical padding
std::string to_base64url(std::string_view bytes);               // RFC 4648 §5, unpadded
std::optional<std::string> from_base64url(std::string_view text);

std::string_view trim(std::string_view s);                        // ASCII white space
std::string to_lower(std::string_view s);                         // ASCII only
bool equals_ignore_case(std::string_view a, std::string_view b);  // ASCII only
std::vector<std::string_view> split(std::string_view s, char separator);

// The whole of `s` as a number, or nothing.
template <typename Int>
std::optional<Int> to_int(std::string_view s) {
  Int value{};
  auto [end, error] = std::from_chars(s.data(), s.data() + s.size(), value);
  if (error != std::errc{} || end != s.data() + s.size()) return std::nullopt;
  return value;
}

// Equal in time that depends only on the lengths.
bool equal_constant_time(std::string_view a, std::string_view b);

}  // namespace cw
