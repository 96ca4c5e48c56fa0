// The fast ways are held to the slow ones: Vectorscan to Aho–Corasick, a field's index to the
// scalar meaning of each predicate, the literals of an expression to PCRE2.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "aho_corasick.h"
#include "base/random.h"
#include "field_index.h"

namespace cw::detect {
namespace {

TEST(AhoCorasick, finds_literals_inside_each_other) {
  AhoCorasick oracle({"he", "she", "hers", "his", ""});
  EXPECT_THAT(oracle.find("ushers"), testing::ElementsAre(0, 1, 2, 4));
  EXPECT_THAT(oracle.find(""), testing::ElementsAre(4));
}

TEST(Matcher, loses_no_planted_literal) {
  for (std::uint64_t seed = 1; seed <= 4; ++seed) EXPECT_NO_THROW(matcher_self_test(seed, 10));
}

TEST(Matcher, runs_on_the_instruction_set_it_is_pinned_to) {
#if defined(__x86_64__)
  EXPECT_THAT(matcher_instruction_set(), testing::AnyOf("avx2", "sse4.2", "ssse3"));
  if (__builtin_cpu_supports("avx2")) {
    EXPECT_EQ(matcher_instruction_set(), "avx2");
  }
#endif
}

// One-byte literals past the 64th byte were the ones the packaged default lost most.
TEST(Matcher, finds_one_byte_literals_at_every_offset) {
  MatcherBuilder builder;
  for (int c = 1; c < 256; ++c)
    builder.add(std::string(1, static_cast<char>(c)), static_cast<std::uint32_t>(c));
  auto matcher = builder.build();
  MatchScratch scratch;
  scratch.fit(*matcher);
  for (std::size_t size : {1, 63, 64, 65, 127, 128, 200}) {
    for (std::size_t at = 0; at < size; ++at) {
      std::string text(size, 'a');
      text[at] = 'z';
      std::vector<std::uint32_t> found;
      matcher->scan(text, scratch, found);
      std::sort(found.begin(), found.end());
      std::vector<std::uint32_t> expected = {'a', 'z'};
      if (size == 1) expected = {'z'};
      ASSERT_EQ(found, expected) << size << " " << at;
    }
  }
}

std::string random_word(Random& random, std::size_t size_max) {
  constexpr std::string_view kBytes[] = {"a", "b", "A", "B", ".", "\\", "é", "É", "中", " "};
  std::string out;
  for (std::size_t n = random.below(size_max + 1); n > 0; --n)
    out += kBytes[random.below(std::size(kBytes))];
  return out;
}

Predicate random_predicate(Random& random) {
  Predicate p;
  p.cased = random.below(3) == 0;
  p.op = static_cast<Op>(random.below(6));
  std::string word = random_word(random, 4) + "b";
  if (p.op == Op::glob) {
    p.glob = parse_pattern(random_word(random, 2) + "*" + word + "?" + random_word(random, 1));
    if (!p.cased) fold_pattern(p.glob);
  } else if (p.op == Op::regex) {
    std::string error;
    const char* expressions[] = {"abb",  "(?i)Bab",  "b(ab|bbb)a", "a.b",
                                 "^ab+", "[ab]bba$", "中.?bab"};
    p.regex = Regex::compile(expressions[random.below(std::size(expressions))], {}, error);
    p.cased = false;
  } else if (p.cased) {
    p.text = word;
  } else {
    fold_case(word, p.text);
  }
  return p;
}

TEST(FieldIndex, says_what_each_predicate_alone_would_say) {
  SeededRandom random(7);
  for (int round = 0; round < 30; ++round) {
    Predicates predicates;
    std::uint32_t field = predicates.field("f");
    for (int i = 0; i < 60; ++i) {
      Predicate p = random_predicate(random);
      p.field = field;
      predicates.intern(std::move(p));
    }
    FieldIndex index;
    for (std::uint32_t id = 0; id < predicates.all().size(); ++id) {
      if (predicates[id].indexed) index.add(id, predicates[id]);
    }
    index.build(predicates);
    IndexScratch scratch;
    index.fit(scratch.match);
    for (int probe = 0; probe < 60; ++probe) {
      std::string value =
          random_word(random, 8) + (probe % 2 == 0 ? "" : "abba" + random_word(random, 4));
      std::vector<std::uint32_t> hits, expected;
      index.find(value, scratch, hits);
      std::sort(hits.begin(), hits.end());
      for (std::uint32_t id = 0; id < predicates.all().size(); ++id) {
        const Predicate& p = predicates[id];
        if (p.indexed && predicate_holds(p, value, scratch.regex)) expected.push_back(id);
      }
      ASSERT_EQ(hits, expected) << value;
    }
  }
}

TEST(RequiredLiterals, are_those_that_every_match_must_hold) {
  auto of = [](std::string_view e) { return required_literals(e); };
  using testing::ElementsAre, testing::IsEmpty;
  EXPECT_THAT(of("cmd\\.exe"), ElementsAre("cmd.exe"));
  EXPECT_THAT(of("^.*PowerShell\\s+-enc"), ElementsAre("powershell"));
  EXPECT_THAT(of("(foobar|bazqux)\\d+"), ElementsAre("bazqux", "foobar"));
  EXPECT_THAT(of("foo(bar)?"), ElementsAre("foo"));
  EXPECT_THAT(of("food?bar"), ElementsAre("foo"));
  EXPECT_THAT(of("fo{0,3}x"), IsEmpty());
  EXPECT_THAT(of("foo|ba"), IsEmpty());
  EXPECT_THAT(of("(?!evil)good"), ElementsAre("good"));
  EXPECT_THAT(of("(?x) s p a c e"), IsEmpty());
  EXPECT_THAT(of("中*国人"), ElementsAre("国人"));
  EXPECT_THAT(of("[abc]+"), IsEmpty());
  EXPECT_THAT(of("\\x41\\x42\\x43\\x44"), IsEmpty());
  EXPECT_THAT(of("unclosed("), IsEmpty());
}

std::string random_expression(Random& random, int depth) {
  constexpr std::string_view kAtoms[] = {"a",   "b",   "ab", "aba", "bb", ".", "[ab]",
                                         "\\.", "\\w", "^",  "$",   "c{", "é"};
  constexpr std::string_view kQuantifiers[] = {"",  "",      "",    "",   "*",  "+",
                                               "?", "{0,2}", "{2}", "*?", "++", "{1,}"};
  std::string out;
  for (std::size_t n = 1 + random.below(4); n > 0; --n) {
    std::uint64_t kind = random.below(depth > 0 ? 8 : 6);
    if (kind < 6) {
      out += kAtoms[random.below(std::size(kAtoms))];
    } else {
      constexpr std::string_view kOpen[] = {"(", "(?:", "(?i:", "(?=", "(?!", "(?<n>"};
      out +=
          std::string(kOpen[random.below(std::size(kOpen))]) + random_expression(random, depth - 1);
      if (random.below(2) == 0) out += "|" + random_expression(random, depth - 1);
      out += ")";
    }
    out += kQuantifiers[random.below(std::size(kQuantifiers))];
  }
  return out;
}

TEST(RequiredLiterals, never_hide_a_match_from_the_expression) {
  SeededRandom random(11);
  RegexScratch scratch;
  int compiled = 0, with_literals = 0, matched = 0;
  for (int round = 0; round < 6000; ++round) {
    std::string expression = random_expression(random, 2), error;
    auto regex = Regex::compile(expression, {.caseless = random.below(2) == 0}, error);
    if (!regex) continue;
    ++compiled;
    std::vector<std::string> literals = required_literals(expression);
    if (literals.empty()) continue;
    ++with_literals;
    for (int probe = 0; probe < 25; ++probe) {
      constexpr std::string_view kParts[] = {"a", "b", "aba", "bb", "A", ".", "c{", "é", "É"};
      std::string text, folded;
      for (std::size_t n = random.below(10); n > 0; --n)
        text += kParts[random.below(std::size(kParts))];
      if (!regex->search(text, scratch)) continue;
      ++matched;
      fold_case(text, folded);
      ASSERT_TRUE(
          std::any_of(literals.begin(), literals.end(),
                      [&](const std::string& l) { return folded.find(l) != std::string::npos; }))
          << expression << " matches " << text << " without " << literals[0];
    }
  }
  EXPECT_GT(with_literals, 100);
  EXPECT_GT(matched, 100);
}

TEST(Regex, a_search_that_would_run_away_is_stopped_and_counted) {
  std::string error;
  auto regex = Regex::compile("(a+)+$", {}, error);
  ASSERT_NE(regex, nullptr) << error;
  RegexScratch scratch;
  bool limited = false;
  EXPECT_FALSE(regex->search(std::string(5'000, 'a') + "!", scratch, &limited));
  EXPECT_TRUE(limited);
}

}  // namespace
}  // namespace cw::detect
