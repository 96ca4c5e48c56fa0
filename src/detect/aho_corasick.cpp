#include "aho_corasick.h"

#include <deque>

namespace cw::detect {

AhoCorasick::AhoCorasick(const std::vector<std::string>& literals) : literals_(literals.size()) {
  auto add_state = [&] {
    states_.emplace_back();
    states_.back().next.fill(-1);
    return static_cast<std::int32_t>(states_.size() - 1);
  };
  add_state();
  for (std::size_t i = 0; i < literals.size(); ++i) {
    std::int32_t at = 0;
    for (unsigned char c : literals[i]) {
      if (states_[static_cast<std::size_t>(at)].next[c] < 0) {
        std::int32_t made = add_state();
        states_[static_cast<std::size_t>(at)].next[c] = made;
      }
      at = states_[static_cast<std::size_t>(at)].next[c];
    }
    states_[static_cast<std::size_t>(at)].ends.push_back(static_cast<std::uint32_t>(i));
  }
  // Breadth first, so that a state's suffix is complete before the state needs it.
  std::deque<std::int32_t> queue;
  for (std::int32_t& next : states_[0].next) {
    if (next < 0) {
      next = 0;
    } else {
      queue.push_back(next);
    }
  }
  while (!queue.empty()) {
    State& state = states_[static_cast<std::size_t>(queue.front())];
    queue.pop_front();
    const State& suffix = states_[static_cast<std::size_t>(state.suffix)];
    for (std::size_t c = 0; c < 256; ++c) {
      if (state.next[c] < 0) {
        state.next[c] = suffix.next[c];
      } else {
        states_[static_cast<std::size_t>(state.next[c])].suffix = suffix.next[c];
        queue.push_back(state.next[c]);
      }
    }
  }
}

std::vector<std::uint32_t> AhoCorasick::find(std::string_view text) const {
  std::vector<bool> found(literals_);
  auto report = [&](std::int32_t at) {
    for (; at != 0; at = states_[static_cast<std::size_t>(at)].suffix) {
      for (std::uint32_t i : states_[static_cast<std::size_t>(at)].ends) found[i] = true;
    }
    for (std::uint32_t i : states_[0].ends) found[i] = true;  // ""
  };
  std::int32_t at = 0;
  report(at);
  for (unsigned char c : text) {
    at = states_[static_cast<std::size_t>(at)].next[c];
    report(at);
  }
  std::vector<std::uint32_t> out;
  for (std::size_t i = 0; i < literals_; ++i) {
    if (found[i]) out.push_back(static_cast<std::uint32_t>(i));
  }
  return out;
}

}  // namespace cw::detect
