// Sigma's strings: escapes, wildcards, case, and the modifiers that rewrite values.
#include "text_pattern.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/text.h"

namespace cw::detect {
namespace {

bool match(std::string_view sigma, std::string_view text) {
  return matches(parse_pattern(sigma), text);
}
std::string plain(std::string_view sigma) {
  Pattern p = parse_pattern(sigma);
  return is_literal(p) ? literal_text(p) : "(wildcard)";
}

TEST(TextPattern, a_backslash_escapes_wildcards_and_itself_and_nothing_else) {
  EXPECT_EQ(plain(R"(C:\Windows\cmd.exe)"), R"(C:\Windows\cmd.exe)");
  EXPECT_EQ(plain(R"(a\\b)"), R"(a\b)");
  EXPECT_EQ(plain(R"(a\*b\?c)"), "a*b?c");
  EXPECT_EQ(plain(R"(\\\*)"), R"(\*)");
  EXPECT_EQ(plain(R"(\\\\x)"), R"(\\x)");
  EXPECT_EQ(plain(R"(\\\x)"), R"(\\x)");
  EXPECT_EQ(plain(R"(end\)"), R"(end\)");
  EXPECT_TRUE(match(R"(\\*)", R"(\anything)"));
  EXPECT_FALSE(match(R"(\\*)", "anything"));
}

TEST(TextPattern, a_question_mark_is_one_character_not_one_byte) {
  EXPECT_TRUE(match("坐?员", "坐席员"));
  EXPECT_FALSE(match("坐??员", "坐席员"));
  EXPECT_FALSE(match("*??", "中"));
  EXPECT_TRUE(match("?", "\U0001F6A8"));
  EXPECT_FALSE(match("?", ""));
}

TEST(TextPattern, stars_stand_for_any_run_even_an_empty_one) {
  EXPECT_TRUE(match("a*b*c", "abc"));
  EXPECT_TRUE(match("a*b*c", "aXXbYYbZZc"));
  EXPECT_FALSE(match("a*b*c", "acb"));
  EXPECT_TRUE(match("*", ""));
  EXPECT_TRUE(match("**", "x"));
  EXPECT_TRUE(match("*.exe", "a.exe.exe"));
  EXPECT_FALSE(match("", "x"));
  EXPECT_TRUE(match("", ""));
}

TEST(TextPattern, a_hostile_pattern_does_not_take_exponential_time) {
  std::string pattern, text(20'000, 'a');
  for (int i = 0; i < 50; ++i) pattern += "*a";
  EXPECT_FALSE(match(pattern + "*b", text));
}

TEST(TextPattern, case_is_folded_character_by_character) {
  std::string out;
  fold_case("PowerShell.EXE [\\]^_`{|}~@", out);
  EXPECT_EQ(out, "powershell.exe [\\]^_`{|}~@");
  fold_case("ÀÉÎ ПРИВЕТ 中文 Ⅷ", out);
  EXPECT_EQ(out, "àéî привет 中文 ⅷ");
  for (unsigned char c = 0; c < 0x80; ++c) {
    for (std::size_t at = 0; at < 9; ++at) {
      std::string text(9, '.');
      text[at] = static_cast<char>(c);
      fold_case(text, out);
      ASSERT_EQ(out, to_lower(text)) << int(c);
    }
  }
}

TEST(TextPattern, windash_varies_only_dashes_that_begin_a_switch) {
  std::vector<std::string> all;
  for (const Pattern& p : windash_variants(parse_pattern("in-built -s")))
    all.push_back(literal_text(p));
  EXPECT_THAT(all, testing::UnorderedElementsAre("in-built -s", "in-built /s", "in-built –s",
                                                 "in-built —s", "in-built ―s"));
  EXPECT_EQ(windash_variants(parse_pattern("/a /b /c /d")).size(), 125u);
  EXPECT_EQ(windash_variants(parse_pattern("no switch")).size(), 1u);
}

// What may stand before and after the text in what was encoded must not matter.
TEST(TextPattern, base64offset_finds_a_text_at_every_place_inside_an_encoded_one) {
  for (std::string text : {"http://", "IEX", "中文", "/bin/sh -i"}) {
    std::vector<std::string> forms = base64_offsets(text);
    EXPECT_EQ(forms.size(), 3u);
    for (std::size_t before = 0; before < 9; ++before) {
      for (std::string after : {"", "x", "yz", "\xff\xff\xff"}) {
        std::string encoded = to_base64(std::string(before, '\xee') + text + after);
        bool found = std::any_of(forms.begin(), forms.end(), [&](const std::string& form) {
          return encoded.find(form) != std::string::npos;
        });
        EXPECT_TRUE(found) << text << " after " << before;
      }
    }
  }
}

TEST(TextPattern, utf16_is_written_in_either_order_with_surrogates) {
  EXPECT_EQ(to_hex(utf16_bytes("c中", false)), "63002d4e");
  EXPECT_EQ(to_hex(utf16_bytes("c中", true)), "00634e2d");
  EXPECT_EQ(to_hex(utf16_bytes("\U0001F6A8", true)), "d83ddea8");
}

}  // namespace
}  // namespace cw::detect
