// All tests of one field on one value at once: hash for equality, tries for prefix and suffix, one
// multi-pattern database for contains, globs and expressions. Built once, then immutable; each
// thread brings its own IndexScratch.
//
//   FieldIndex index;  index.add(id, predicate);  index.build();
//   index.find(value, scratch, hits);    // ids of the predicates that hold
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "matcher.h"
#include "predicate.h"
#include "string_table.h"

namespace cw::detect {

// The scalar definition of what a predicate of the indexed kinds means; the oracle of FieldIndex.
bool predicate_holds(const Predicate& p, std::string_view value, RegexScratch& scratch);

struct IndexScratch {
  MatchScratch match;
  RegexScratch regex;
  std::string folded;
  std::vector<std::uint32_t> candidates;
  std::uint64_t limited = 0;  // searches that met PCRE2's limits: taken as no match
};

// Strings that begin (or end) a value.
class AffixTrie {
 public:
  explicit AffixTrie(bool suffix) : suffix_(suffix) {}
  void add(std::string text, std::uint32_t id) { added_.emplace_back(std::move(text), id); }
  void build();
  bool empty() const { return nodes_.empty(); }
  void find(std::string_view value, std::vector<std::uint32_t>& hits) const;

 private:
  struct Node {
    std::uint32_t first_edge = 0, first_id = 0;
    std::uint16_t edges = 0, ids = 0;
  };
  struct Edge {
    unsigned char byte;
    std::uint32_t node;
  };
  bool suffix_;
  std::vector<std::pair<std::string, std::uint32_t>> added_;
  std::vector<Node> nodes_;
  std::vector<Edge> edges_;
  std::vector<std::uint32_t> ids_;
};

class FieldIndex {
 public:
  void add(std::uint32_t id, const Predicate& predicate);  // an indexed one
  void build(const Predicates& predicates);
  void fit(MatchScratch& scratch) const;
  bool empty() const { return empty_; }
  bool heavy() const { return heavy_; }  // worth remembering its answers
  std::size_t bytes() const;

  // Appends, each once. `value` is valid UTF-8.
  void find(std::string_view value, IndexScratch& scratch, std::vector<std::uint32_t>& hits) const;

 private:
  // One for values as they are, one for folded values.
  struct View {
    StringTable equal;
    AffixTrie prefix{false}, suffix{true};
    MatcherBuilder builder;
    std::unique_ptr<Matcher> matcher;
    bool used = false;
  };
  void find_in(const View& view, std::string_view text, std::string_view raw, IndexScratch& scratch,
               std::vector<std::uint32_t>& hits) const;

  View raw_, folded_;
  const Predicates* predicates_ = nullptr;
  bool empty_ = true, heavy_ = false;
};

}  // namespace cw::detect
