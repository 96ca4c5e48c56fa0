// Sigma's strings: wildcards and escapes, case folding, and the modifiers that rewrite a value
// (windash, base64, base64offset, utf16). Pure and thread-safe.
//
//   Pattern p = parse_pattern(R"(*\cmd?.exe)");
//   fold_pattern(p);
//   matches(p, folded_value);
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace cw::detect {

struct Piece {
  enum class Kind : unsigned char { literal, star, one } kind;  // text · any run · one character
  std::string text;                                             // of a literal
  bool operator==(const Piece&) const = default;
};
using Pattern = std::vector<Piece>;

// `\` escapes `*`, `?` and `\` only; before anything else it is itself.
Pattern parse_pattern(std::string_view sigma_text);
Pattern literal_pattern(std::string_view text);

bool is_literal(const Pattern& p);  // no wildcard; "" is one
std::string literal_text(const Pattern& p);
std::string_view longest_literal(const Pattern& p);
void add_star_front(Pattern& p);
void add_star_back(Pattern& p);
void fold_pattern(Pattern& p);
std::string pattern_key(const Pattern& p);  // distinct for distinct patterns

// The whole of `text` against the pattern; `?` is one UTF-8 character.
bool matches(const Pattern& p, std::string_view text);

// Simple case folding of every character, for comparing without case; never changes how many
// characters there are. `out` is overwritten.
void fold_case(std::string_view utf8, std::string& out);

// Every variant of a value with its switch dashes (`-`, `/`, en, em, horizontal bar before a word)
// replaced by each of the five. At most 125; a value with more than three switches keeps the first
// three variable.
std::vector<Pattern> windash_variants(const Pattern& p);

std::string utf16_bytes(std::string_view utf8, bool big_endian);
// The three forms in which `bytes` can occur inside a longer base64 text, without the characters
// that depend on the neighbours. Forms that would be empty are left out.
std::vector<std::string> base64_offsets(std::string_view bytes);

}  // namespace cw::detect
