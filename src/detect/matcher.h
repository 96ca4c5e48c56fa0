// Many patterns over one text at once: the only face of Vectorscan, and its guard.
//
// Debian 12's libvectorscan 5.4.9 loses matches when it dispatches to its AVX-512 code. The static
// library carries one copy of the scanner per instruction set, each under its own name
// (`avx2_hs_scan`, …), and `hs_scan` only chooses one by the processor. Here the AVX2 copy is called
// by name and databases are compiled for AVX2, so the AVX-512 code cannot be reached; a processor
// without AVX2 gets the SSE4.2 or SSSE3 copy. matcher_self_test() compares with AhoCorasick and
// throws on a miss; RuleSet::load() runs it once per process.
//
// Thread-safety: a Matcher is immutable; each thread brings its own MatchScratch.
//
//   MatcherBuilder b;  b.add_literal("cmd.exe", 7);
//   auto matcher = b.build();
//   matcher->scan(text, scratch, [](std::uint32_t id) { … });   // each id at most once
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "sigma_regex.h"

struct hs_database;
struct hs_scratch;

namespace cw::detect {

class Matcher;

class MatchScratch {
 public:
  MatchScratch() = default;
  ~MatchScratch();
  MatchScratch(MatchScratch&& other) noexcept;
  MatchScratch& operator=(MatchScratch&& other) noexcept;
  void fit(const Matcher& matcher);  // before the first scan with that matcher

 private:
  friend class Matcher;
  hs_scratch* scratch_ = nullptr;
};

class Matcher {
 public:
  Matcher() = default;  // finds nothing; MatcherBuilder makes the others
  ~Matcher();
  Matcher(const Matcher&) = delete;
  Matcher& operator=(const Matcher&) = delete;

  // Appends the ids of literals that occur and of expressions that may match, each once. For an
  // expression this is necessary, not sufficient: ask the Regex. `text` is valid UTF-8.
  void scan(std::string_view text, MatchScratch& scratch, std::vector<std::uint32_t>& ids) const;
  std::size_t bytes() const;

 private:
  friend class MatcherBuilder;
  friend class MatchScratch;
  std::vector<hs_database*> databases_;
  std::vector<std::uint32_t> always_;   // expressions no database can hold
  std::vector<std::uint32_t> regexes_;  // those that a database holds
};

class MatcherBuilder {
 public:
  void add_literal(std::string_view text, std::uint32_t id);  // not empty
  void add_regex(const Regex& regex, std::uint32_t id);
  bool empty() const { return literals_.empty() && regexes_.empty(); }
  std::unique_ptr<Matcher> build() const;  // throws std::runtime_error if the library fails

 private:
  struct Item {
    std::string expression;
    unsigned flags;
    std::uint32_t id;
  };
  std::vector<Item> literals_, regexes_;
};

// Plants literals in random texts and compares with AhoCorasick. Throws std::runtime_error naming
// the first miss. Deterministic in `seed`; about 10 ms for 40 rounds.
void matcher_self_test(std::uint64_t seed, int rounds);

// "avx2", "sse4.2" or "ssse3": what scans run on here.
std::string_view matcher_instruction_set();

}  // namespace cw::detect
