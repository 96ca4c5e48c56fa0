// Which command ids were seen, so that a repeated one gets the first answer: the last
// `count_max` of them, by 64-bit hash. A hit is confirmed against the entry itself, so a
// collision costs a look, never a wrong answer. Used by the writer thread alone.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string_view>
#include <unordered_map>

namespace cw {

class SeenCommands {
 public:
  explicit SeenCommands(std::size_t count_max) : count_max_(count_max) {}

  void add(std::string_view id, std::uint64_t first_seq) {
    std::uint64_t key = std::hash<std::string_view>{}(id);
    if (!seen_.emplace(key, first_seq).second) return;
    order_.push_back(key);
    if (order_.size() > count_max_) {
      seen_.erase(order_.front());
      order_.pop_front();
    }
  }

  std::optional<std::uint64_t> find(std::string_view id) const {
    auto found = seen_.find(std::hash<std::string_view>{}(id));
    if (found == seen_.end()) return std::nullopt;
    return found->second;
  }

 private:
  const std::size_t count_max_;
  std::unordered_map<std::uint64_t, std::uint64_t> seen_;
  std::deque<std::uint64_t> order_;
};

}  // namespace cw
