// Many literals over one text at once: the only face of Vectorscan, and its guard.
//
// Debian 12's libvectorscan 5.4.9 loses matches when it dispatches to its AVX-512 code. The static
// library carries one copy of the scanner per instruction set, each under its own name
// (`avx2_hs_scan`, …), and `hs_scan` only chooses one by the processor. Here the AVX2 copy is
// called by name and databases are compiled for AVX2, so the AVX-512 code cannot be reached; a
// processor without AVX2 gets the SSE4.2 or SSSE3 copy. matcher_self_test() compares with
// AhoCorasick and throws on a miss; RuleSet::load() runs it once per process.
//
// Thread-safety: a Matcher is immutable; each thread brings its own MatchScratch.
//
//   MatcherBuilder b;  b.add("cmd.exe", 7);
//   auto matcher = b.build();
//   matcher->scan(text, scratch, ids);
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

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

  // Appends the ids of the literals that occur in `text`, each literal's once.
  void scan(std::string_view text, MatchScratch& scratch, std::vector<std::uint32_t>& ids) const;
  std::size_t bytes() const;

 private:
  friend class MatcherBuilder;
  friend class MatchScratch;
  hs_database* database_ = nullptr;
  std::vector<std::uint32_t> first_;  // of literal i in ids_; one more at the end
  std::vector<std::uint32_t> ids_;
};

class MatcherBuilder {
 public:
  // Not empty. Several ids may share a literal and several literals an id.
  void add(std::string_view literal, std::uint32_t id) { ids_[std::string(literal)].push_back(id); }
  bool empty() const { return ids_.empty(); }
  std::unique_ptr<Matcher> build() const;  // throws std::runtime_error if the library fails

 private:
  std::map<std::string, std::vector<std::uint32_t>> ids_;
};

// Plants literals in random texts and compares with AhoCorasick. Throws std::runtime_error naming
// the first miss. Deterministic in `seed`; about 10 ms for 40 rounds.
void matcher_self_test(std::uint64_t seed, int rounds);

// "avx2", "sse4.2" or "ssse3": what scans run on here.
std::string_view matcher_instruction_set();

}  // namespace cw::detect
