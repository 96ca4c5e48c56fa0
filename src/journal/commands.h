// Which command ids were seen, so that a repeated one gets the first answer: the last
// `count_max` of them, by 64-bit hash. A hit is confirmed against the entry itself, so a
// collision costs a look, never a wrong answer. Used by the writer thread alone.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>
#include <vector>

namespace cw {

class SeenCommands {
 public:
  explicit SeenCommands(std::size_t count_max) : count_max_(count_max), places_(1024) {}

  void add(std::string_view id, std::uint64_t first_seq) {
    std::uint64_t key = key_of(id);
    if (places_[place_of(key)].key != 0) return;
    if (order_.size() < count_max_) {
      order_.push_back(key);
    } else {
      erase(order_[oldest_]);
      order_[oldest_] = key;
      oldest_ = (oldest_ + 1) % count_max_;
    }
    if (order_.size() * 2 > places_.size()) grow();
    places_[place_of(key)] = {key, first_seq};
  }

  std::optional<std::uint64_t> find(std::string_view id) const {
    const Place& place = places_[place_of(key_of(id))];
    return place.key != 0 ? std::optional(place.first_seq) : std::nullopt;
  }

 private:
  struct Place {
    std::uint64_t key = 0;  // 0: free
    std::uint64_t first_seq = 0;
  };

  static std::uint64_t key_of(std::string_view id) { return std::hash<std::string_view>{}(id) | 1; }
  std::size_t home_of(std::uint64_t key) const { return key >> 1 & (places_.size() - 1); }
  std::size_t after(std::size_t at) const { return (at + 1) & (places_.size() - 1); }
  std::size_t place_of(std::uint64_t key) const {  // where it is, or would be put
    std::size_t at = home_of(key);
    while (places_[at].key != 0 && places_[at].key != key) at = after(at);
    return at;
  }
  void grow() {
    std::vector<Place> old(places_.size() * 2);
    old.swap(places_);
    for (const Place& p : old)
      if (p.key != 0) places_[place_of(p.key)] = p;
  }
  // Those that were put further along because of it move up.
  void erase(std::uint64_t key) {
    std::size_t hole = place_of(key);
    for (std::size_t at = after(hole); places_[at].key != 0; at = after(at)) {
      std::size_t mask = places_.size() - 1;
      if (((at - home_of(places_[at].key)) & mask) < ((at - hole) & mask)) continue;
      places_[hole] = places_[at];
      hole = at;
    }
    places_[hole] = {};
  }

  const std::size_t count_max_;
  std::vector<Place> places_;         // open addressing; a power of two
  std::vector<std::uint64_t> order_;  // keys as they came, in a ring once it is full
  std::size_t oldest_ = 0;
};

}  // namespace cw
