#include "field_index.h"

#include <algorithm>
#include <map>

#include "base/check.h"

namespace cw::detect {

void StringTable::build() {
  if (added_.empty()) return;
  std::sort(added_.begin(), added_.end());
  std::size_t size = 4;
  while (size < added_.size() * 2) size *= 2;
  slots_.resize(size);
  mask_ = size - 1;
  for (std::size_t i = 0; i < added_.size();) {
    std::size_t end = i;
    auto first = static_cast<std::uint32_t>(ids_.size());
    for (; end < added_.size() && added_[end].first == added_[i].first; ++end) {
      ids_.push_back(added_[end].second);
    }
    std::uint64_t hash = hash_bytes(added_[i].first);
    std::size_t at = hash & mask_;
    while (slots_[at].count != 0) at = (at + 1) & mask_;
    slots_[at] = {hash, static_cast<std::uint32_t>(keys_.size()), first,
                  static_cast<std::uint32_t>(end - i)};
    keys_.push_back(added_[i].first);
    i = end;
  }
  added_.clear();
  added_.shrink_to_fit();
}

void AffixTrie::build() {
  if (added_.empty()) return;
  struct Building {
    std::map<unsigned char, std::uint32_t> next;
    std::vector<std::uint32_t> ids;
  };
  std::vector<Building> building(1);
  for (auto& [text, id] : added_) {
    if (suffix_) std::reverse(text.begin(), text.end());
    std::uint32_t at = 0;
    for (unsigned char c : text) {
      auto found = building[at].next.find(c);
      if (found == building[at].next.end()) {
        auto made = static_cast<std::uint32_t>(building.size());
        building[at].next[c] = made;
        building.emplace_back();
        at = made;
      } else {
        at = found->second;
      }
    }
    building[at].ids.push_back(id);
  }
  for (const Building& b : building) {
    nodes_.push_back(
        {static_cast<std::uint32_t>(edges_.size()), static_cast<std::uint32_t>(ids_.size()),
         static_cast<std::uint16_t>(b.next.size()), static_cast<std::uint16_t>(b.ids.size())});
    for (auto [byte, node] : b.next) edges_.push_back({byte, node});
    ids_.insert(ids_.end(), b.ids.begin(), b.ids.end());
  }
  added_.clear();
  added_.shrink_to_fit();
}

void AffixTrie::find(std::string_view value, std::vector<std::uint32_t>& hits) const {
  if (nodes_.empty()) return;
  const Node* node = &nodes_[0];
  for (std::size_t i = 0; i < value.size(); ++i) {
    auto byte = static_cast<unsigned char>(suffix_ ? value[value.size() - 1 - i] : value[i]);
    const Edge* edge = edges_.data() + node->first_edge;
    const Edge* end = edge + node->edges;
    while (edge != end && edge->byte != byte) ++edge;
    if (edge == end) return;
    node = &nodes_[edge->node];
    for (std::uint16_t k = 0; k < node->ids; ++k) hits.push_back(ids_[node->first_id + k]);
  }
}

void FieldIndex::add(std::uint32_t id, const Predicate& p) {
  empty_ = false;
  View& view = p.cased ? raw_ : folded_;  // an expression is only triggered by folded literals
  view.used = true;
  heavy_ |= p.op != Op::equals;
  switch (p.op) {
    case Op::equals:
      view.equal.add(p.text, id);
      break;
    case Op::prefix:
      view.prefix.add(p.text, id);
      break;
    case Op::suffix:
      view.suffix.add(p.text, id);
      break;
    case Op::contains:
      view.builder.add(p.text, id);
      break;
    case Op::glob:
    case Op::regex:
      for (const std::string& literal : p.triggers) view.builder.add(literal, id);
      break;
    default:
      CW_CHECK(false);
  }
}

void FieldIndex::build(const Predicates& predicates) {
  predicates_ = &predicates;
  for (View* view : {&raw_, &folded_}) {
    view->equal.build();
    view->prefix.build();
    view->suffix.build();
    if (!view->builder.empty()) view->matcher = view->builder.build();
    view->builder = {};
  }
}

void FieldIndex::fit(MatchScratch& scratch) const {
  for (const View* view : {&raw_, &folded_}) {
    if (view->matcher) scratch.fit(*view->matcher);
  }
}

std::size_t FieldIndex::bytes() const {
  std::size_t total = 0;
  for (const View* view : {&raw_, &folded_}) {
    if (view->matcher) total += view->matcher->bytes();
  }
  return total;
}

void FieldIndex::find_in(const View& view, std::string_view text, std::string_view raw,
                         IndexScratch& scratch, std::vector<std::uint32_t>& hits) const {
  auto equal = view.equal.find(text);
  hits.insert(hits.end(), equal.begin(), equal.end());
  view.prefix.find(text, hits);
  view.suffix.find(text, hits);
  auto confirm = [&](std::uint32_t id) {
    const Predicate& p = (*predicates_)[id];
    bool holds = true;
    if (p.op == Op::glob) {
      holds = matches(p.glob, text);
    } else if (p.op == Op::regex) {
      bool limited = false;
      holds = p.regex->search(raw, scratch.regex, &limited);
      scratch.limited += limited;
    }
    if (holds) hits.push_back(id);
  };
  if (!view.matcher) return;
  std::vector<std::uint32_t>& candidates = scratch.candidates;
  candidates.clear();
  view.matcher->scan(text, scratch.match, candidates);
  // An expression may have been triggered by several literals.
  if (candidates.size() > 1) {
    std::sort(candidates.begin(), candidates.end());
    candidates.erase(std::unique(candidates.begin(), candidates.end()), candidates.end());
  }
  for (std::uint32_t id : candidates) confirm(id);
}

void FieldIndex::find(std::string_view value, IndexScratch& scratch,
                      std::vector<std::uint32_t>& hits) const {
  if (raw_.used) find_in(raw_, value, value, scratch, hits);
  if (folded_.used) {
    fold_case(value, scratch.folded);
    find_in(folded_, scratch.folded, value, scratch, hits);
  }
}

bool predicate_holds(const Predicate& p, std::string_view value, RegexScratch& scratch) {
  if (p.op == Op::regex) return p.regex->search(value, scratch);
  std::string folded;
  if (!p.cased) {
    fold_case(value, folded);
    value = folded;
  }
  switch (p.op) {
    case Op::equals:
      return value == p.text;
    case Op::prefix:
      return value.starts_with(p.text);
    case Op::suffix:
      return value.ends_with(p.text);
    case Op::contains:
      return value.find(p.text) != std::string_view::npos;
    case Op::glob:
      return matches(p.glob, value);
    default:
      return false;
  }
}

}  // namespace cw::detect
