#include "json.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstring>

#include "text.h"

namespace cw {
namespace {

// Members written in the text: colons outside strings. The text is already known to be JSON.
std::size_t members_written(std::string_view text) {
  std::size_t colons = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (in_string) {
      if (c == '\\')
        ++i;
      else if (c == '"')
        in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == ':') {
      ++colons;
    }
  }
  return colons;
}

std::size_t members_held(const json::value& v) {
  std::size_t n = 0;
  if (const auto* o = v.if_object()) {
    n = o->size();
    for (const auto& member : *o) n += members_held(member.value());
  } else if (const auto* a = v.if_array()) {
    for (const auto& item : *a) n += members_held(item);
  }
  return n;
}

// UTF-16 code unit order differs from byte order only where one side is a supplementary
// character (surrogates, 0xD800..) and the other is U+E000..U+FFFF (first byte 0xEE or 0xEF).
bool utf16_less(std::string_view a, std::string_view b) {
  std::size_t n = std::min(a.size(), b.size()), i = 0;
  while (i < n && a[i] == b[i]) ++i;
  if (i == n) return a.size() < b.size();
  auto x = static_cast<unsigned char>(a[i]), y = static_cast<unsigned char>(b[i]);
  bool supplementary_x = x >= 0xF0, supplementary_y = y >= 0xF0;
  if (supplementary_x != supplementary_y && x >= 0xEE && y >= 0xEE) return supplementary_x;
  return x < y;
}

Problem malformed(std::size_t offset, Text text) {
  text.zh += fmt::format("（第 {} 字节处）", offset);
  text.en += fmt::format(" (at byte {})", offset);
  return problem(Refusal::malformed, "json.malformed", std::move(text));
}

}  // namespace

Result<json::value> parse_json(std::string_view text, JsonLimits limits) {
  if (text.size() > limits.size_max) {
    return problem(Refusal::too_large, "json.too-large",
                   {fmt::format("内容超过 {} 字节的上限", limits.size_max),
                    fmt::format("The content is over the limit of {} bytes", limits.size_max)});
  }
  json::parse_options options;
  options.max_depth = limits.depth_max;
  json::stream_parser parser(json::storage_ptr{}, options);
  json::error_code error;
  std::size_t read = parser.write_some(text.data(), text.size(), error);
  if (!error && read < text.size()) {
    return malformed(read, {"JSON 之后还有多余内容", "There is text after the JSON value"});
  }
  if (!error) parser.finish(error);
  if (error) {
    return malformed(read, {"内容不是有效的 JSON：" + error.message(),
                            "The content is not valid JSON: " + error.message()});
  }
  json::value value = parser.release();
  if (members_held(value) != members_written(text)) {
    return problem(Refusal::malformed, "json.duplicate-key",
                   {"JSON 对象中有重复的键", "A JSON object has a duplicate key"});
  }
  return value;
}

namespace {

// Whether one of eight bytes is a control character, a quote or a backslash.
bool any_escaped(const char* eight) {
  constexpr std::uint64_t ones = ~std::uint64_t{0} / 255, high = ones * 0x80;
  std::uint64_t w;
  std::memcpy(&w, eight, sizeof w);
  auto below = [&](std::uint64_t x, std::uint64_t n) { return (x - ones * n) & ~x & high; };
  return (below(w, 0x20) | below(w ^ ones * '"', 1) | below(w ^ ones * '\\', 1)) != 0;
}

// Copies what needs no escape, eight bytes at a time, and returns how much that was.
std::size_t copy_plain(std::string_view text, char* to) {
  std::size_t i = 0;
  for (; text.size() - i >= 8 && !any_escaped(text.data() + i); i += 8)
    std::memcpy(to + i, text.data() + i, 8);
  for (; i < text.size(); ++i) {
    auto c = static_cast<unsigned char>(text[i]);
    if (c < 0x20 || c == '"' || c == '\\') break;
    to[i] = static_cast<char>(c);
  }
  return i;
}

}  // namespace

void canonical_string(std::string_view utf8, std::string& out) {
  constexpr std::size_t kShort = 62;  // keys, ids and words: quoted on the stack, appended once
  if (char quoted[kShort + 2];
      utf8.size() <= kShort && copy_plain(utf8, quoted + 1) == utf8.size()) {
    quoted[0] = quoted[utf8.size() + 1] = '"';
    out.append(quoted, utf8.size() + 2);
    return;
  }
  out += '"';
  std::size_t copied = 0;  // runs without escapes are copied whole
  for (std::size_t i = 0; i < utf8.size(); ++i) {
    auto c = static_cast<unsigned char>(utf8[i]);
    if (c >= 0x20 && c != '"' && c != '\\') continue;
    out.append(utf8, copied, i - copied);
    copied = i + 1;
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\b':
        out += "\\b";
        break;
      case '\f':
        out += "\\f";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      default:
        out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    }
  }
  out.append(utf8, copied, utf8.size() - copied);
  out += '"';
}

namespace {

template <typename Int>
void integer_to(Int value, std::string& out) {
  char digits[24];
  auto [end, error] = std::to_chars(digits, digits + sizeof digits, value);
  CW_CHECK(error == std::errc{});
  out.append(digits, end);
}

void object_to(const json::object& object, std::string& out) {
  constexpr std::size_t kFew = 16;  // most objects: sorted without an allocation
  const json::key_value_pair* few[kFew];
  std::vector<const json::key_value_pair*> many;
  if (object.size() > kFew) many.resize(object.size());
  const json::key_value_pair** members = object.size() > kFew ? many.data() : few;
  const json::key_value_pair** end = members;
  for (const auto& member : object) *end++ = &member;
  std::sort(members, end,
            [](const auto* a, const auto* b) { return utf16_less(a->key(), b->key()); });
  out += '{';
  for (auto at = members; at != end; ++at) {
    if (at != members) out += ',';
    canonical_string((*at)->key(), out);
    out += ':';
    canonical_to((*at)->value(), out);
  }
  out += '}';
}

}  // namespace

void canonical_to(const json::value& v, std::string& out) {
  switch (v.kind()) {
    case json::kind::null:
      out += "null";
      return;
    case json::kind::bool_:
      out += v.get_bool() ? "true" : "false";
      return;
    case json::kind::int64:
      integer_to(v.get_int64(), out);
      return;
    case json::kind::uint64:
      integer_to(v.get_uint64(), out);
      return;
    case json::kind::double_:
      CW_CHECK(!"a double has no place in canonical JSON");
      return;
    case json::kind::string:
      canonical_string(v.get_string(), out);
      return;
    case json::kind::array: {
      out += '[';
      bool first = true;
      for (const auto& item : v.get_array()) {
        if (!std::exchange(first, false)) out += ',';
        canonical_to(item, out);
      }
      out += ']';
      return;
    }
    case json::kind::object:
      object_to(v.get_object(), out);
      return;
  }
}

std::string canonical(const json::value& value) {
  std::string out;
  canonical_to(value, out);
  return out;
}

std::string_view text_or(const json::object& o, std::string_view key, std::string_view fallback) {
  const auto* v = o.if_contains(key);
  return v && v->is_string() ? std::string_view(v->get_string()) : fallback;
}

std::int64_t int_or(const json::object& o, std::string_view key, std::int64_t fallback) {
  const auto* v = o.if_contains(key);
  return v && v->is_int64() ? v->get_int64() : fallback;
}

bool bool_or(const json::object& o, std::string_view key, bool fallback) {
  const auto* v = o.if_contains(key);
  return v && v->is_bool() ? v->get_bool() : fallback;
}

std::string pointer_token(std::string_view name) {
  std::string out;
  for (char c : name) {
    if (c == '~')
      out += "~0";
    else if (c == '/')
      out += "~1";
    else
      out += c;
  }
  return out;
}

}  // namespace cw
