#include "text_pattern.h"

#include <unicode/uchar.h>
#include <unicode/utf8.h>

#include <array>
#include <cstdint>
#include <cstring>

#include "base/text.h"

namespace cw::detect {
namespace {

void append_literal(Pattern& p, std::string_view text) {
  if (text.empty()) return;
  if (p.empty() || p.back().kind != Piece::Kind::literal) {
    p.push_back({Piece::Kind::literal, {}});
  }
  p.back().text += text;
}

void append_star(Pattern& p) {
  if (p.empty() || p.back().kind != Piece::Kind::star) p.push_back({Piece::Kind::star, {}});
}

std::size_t character_size(std::string_view text, std::size_t at) {
  auto lead = static_cast<unsigned char>(text[at]);
  std::size_t size = lead < 0xc0 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  return std::min(size, text.size() - at);
}

constexpr std::array<std::string_view, 5> kDashes = {"-", "/", "\u2013", "\u2014", "\u2015"};

bool is_word(char c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
}

// The dash that starts at `at` and introduces a switch, or "".
std::string_view switch_dash(std::string_view text, std::size_t at) {
  if (at > 0 && is_word(text[at - 1])) return {};
  for (std::string_view dash : kDashes) {
    if (!text.substr(at).starts_with(dash)) continue;
    std::size_t next = at + dash.size();
    if (next < text.size() && is_word(text[next])) return dash;
  }
  return {};
}

// Lower case of eight ASCII bytes at once; bytes from 0x80 stay as they are.
std::uint64_t lower_eight(std::uint64_t word) {
  constexpr std::uint64_t kOnes = 0x0101010101010101ULL, kHigh = 0x8080808080808080ULL;
  std::uint64_t low = word & ~kHigh;
  std::uint64_t from_a = low + (0x80 - 'A') * kOnes;      // high bit: at least 'A'
  std::uint64_t past_z = low + (0x80 - 'Z' - 1) * kOnes;  // high bit: above 'Z'
  std::uint64_t upper = from_a & ~past_z & ~word & kHigh;
  return word | (upper >> 2);
}

}  // namespace

Pattern parse_pattern(std::string_view s) {
  Pattern out;
  for (std::size_t i = 0; i < s.size(); ++i) {
    char c = s[i];
    if (c == '\\' && i + 1 < s.size() && (s[i + 1] == '*' || s[i + 1] == '?' || s[i + 1] == '\\')) {
      append_literal(out, s.substr(++i, 1));
    } else if (c == '*') {
      append_star(out);
    } else if (c == '?') {
      out.push_back({Piece::Kind::one, {}});
    } else {
      append_literal(out, s.substr(i, 1));
    }
  }
  return out;
}

Pattern literal_pattern(std::string_view text) {
  Pattern out;
  append_literal(out, text);
  return out;
}

bool is_literal(const Pattern& p) {
  return p.empty() || (p.size() == 1 && p[0].kind == Piece::Kind::literal);
}

std::string literal_text(const Pattern& p) { return p.empty() ? std::string() : p[0].text; }

std::string_view longest_literal(const Pattern& p) {
  std::string_view best;
  for (const Piece& piece : p) {
    if (piece.text.size() > best.size()) best = piece.text;
  }
  return best;
}

void add_star_front(Pattern& p) {
  if (p.empty() || p.front().kind != Piece::Kind::star) {
    p.insert(p.begin(), {Piece::Kind::star, {}});
  }
}

void add_star_back(Pattern& p) { append_star(p); }

void fold_pattern(Pattern& p) {
  std::string folded;
  for (Piece& piece : p) {
    fold_case(piece.text, folded);
    piece.text = folded;
  }
}

std::string pattern_key(const Pattern& p) {
  std::string out;
  for (const Piece& piece : p) {
    out += static_cast<char>('0' + static_cast<int>(piece.kind));
    out += std::to_string(piece.text.size());
    out += ':';
    out += piece.text;
  }
  return out;
}

// Greedy with one point of return, the last star: linear in practice, |p|·|text| at worst.
bool matches(const Pattern& p, std::string_view text) {
  std::size_t piece = 0, at = 0;
  std::size_t star = p.size(), star_at = 0;
  while (true) {
    if (piece == p.size()) {
      if (at == text.size()) return true;
    } else if (p[piece].kind == Piece::Kind::star) {
      star = piece++;
      star_at = at;
      if (piece == p.size()) return true;
      continue;
    } else if (p[piece].kind == Piece::Kind::one) {
      if (at < text.size()) {
        at += character_size(text, at);
        ++piece;
        continue;
      }
    } else if (text.substr(at).starts_with(p[piece].text)) {
      at += p[piece++].text.size();
      continue;
    }
    if (star == p.size() || star_at >= text.size()) return false;
    star_at += character_size(text, star_at);
    at = star_at;
    piece = star + 1;
  }
}

void fold_case(std::string_view utf8, std::string& out) {
  out.resize(utf8.size());
  std::uint64_t any_high = 0;
  std::size_t at = 0;
  for (; at + 8 <= utf8.size(); at += 8) {
    std::uint64_t word;
    std::memcpy(&word, utf8.data() + at, 8);
    any_high |= word;
    word = lower_eight(word);
    std::memcpy(out.data() + at, &word, 8);
  }
  if (at < utf8.size()) {
    std::uint64_t word = 0;
    std::memcpy(&word, utf8.data() + at, utf8.size() - at);
    any_high |= word;
    word = lower_eight(word);
    std::memcpy(out.data() + at, &word, utf8.size() - at);
  }
  if ((any_high & 0x8080808080808080ULL) == 0) return;
  out.clear();
  const auto* bytes = reinterpret_cast<const uint8_t*>(utf8.data());
  const auto size = static_cast<int32_t>(utf8.size());
  for (int32_t i = 0; i < size;) {
    int32_t start = i;
    UChar32 c;
    U8_NEXT(bytes, i, size, c);
    if (c < 0) {
      out.append(utf8.substr(static_cast<std::size_t>(start), static_cast<std::size_t>(i - start)));
      continue;
    }
    c = u_foldCase(c, U_FOLD_CASE_DEFAULT);
    uint8_t buffer[4];
    int32_t n = 0;
    U8_APPEND_UNSAFE(buffer, n, c);
    out.append(reinterpret_cast<char*>(buffer), static_cast<std::size_t>(n));
  }
}

std::vector<Pattern> windash_variants(const Pattern& p) {
  std::vector<Pattern> out(1);
  int switches = 0;
  for (const Piece& piece : p) {
    if (piece.kind != Piece::Kind::literal) {
      for (Pattern& variant : out) variant.push_back(piece);
      continue;
    }
    for (std::size_t i = 0; i < piece.text.size();) {
      std::string_view dash = switches < 3 ? switch_dash(piece.text, i) : std::string_view();
      if (dash.empty()) {
        for (Pattern& variant : out) append_literal(variant, piece.text.substr(i, 1));
        ++i;
        continue;
      }
      ++switches;
      std::vector<Pattern> more;
      for (const Pattern& variant : out) {
        for (std::string_view other : kDashes) {
          more.push_back(variant);
          append_literal(more.back(), other);
        }
      }
      out = std::move(more);
      i += dash.size();
    }
  }
  return out;
}

std::string utf16_bytes(std::string_view utf8, bool big_endian) {
  std::string out;
  auto unit = [&](unsigned value) {
    char high = static_cast<char>(value >> 8), low = static_cast<char>(value & 0xff);
    out += big_endian ? high : low;
    out += big_endian ? low : high;
  };
  const auto* bytes = reinterpret_cast<const uint8_t*>(utf8.data());
  const auto size = static_cast<int32_t>(utf8.size());
  for (int32_t i = 0; i < size;) {
    UChar32 c;
    U8_NEXT(bytes, i, size, c);
    if (c < 0) c = 0xfffd;
    if (c < 0x10000) {
      unit(static_cast<unsigned>(c));
    } else {
      unit(0xd800 + ((static_cast<unsigned>(c) - 0x10000) >> 10));
      unit(0xdc00 + ((static_cast<unsigned>(c) - 0x10000) & 0x3ff));
    }
  }
  return out;
}

std::vector<std::string> base64_offsets(std::string_view bytes) {
  // `offset` unknown bytes come before: they reach into that many leading characters. The last
  // one or two bytes of an unfinished triple share a character with whatever follows.
  constexpr std::size_t kLeading[3] = {0, 2, 3};
  constexpr std::size_t kTrailing[3] = {0, 3, 2};
  std::vector<std::string> out;
  for (std::size_t offset = 0; offset < 3; ++offset) {
    std::string padded(offset, ' ');
    padded += bytes;
    std::string encoded = to_base64(padded);
    std::size_t trailing = kTrailing[padded.size() % 3];
    if (encoded.size() <= kLeading[offset] + trailing) continue;
    out.push_back(encoded.substr(kLeading[offset], encoded.size() - kLeading[offset] - trailing));
  }
  return out;
}

}  // namespace cw::detect
