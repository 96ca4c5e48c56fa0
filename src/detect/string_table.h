// A fixed table from strings to lists of numbers, for looking up borrowed strings without
// allocating. Built once, then immutable and thread-safe.
//
//   StringTable t;  t.add("powershell.exe", 7);  t.build();
//   for (std::uint32_t id : t.find(view)) …
#pragma once

#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace cw::detect {

// Fast, not keyed: for tables whose contents an attacker does not choose, and for caches.
inline std::uint64_t hash_bytes(std::string_view s) {
  constexpr std::uint64_t kMultiplier = 0x9e3779b97f4a7c15ULL;
  std::uint64_t h = s.size() * kMultiplier;
  std::size_t i = 0;
  for (; i + 8 <= s.size(); i += 8) {
    std::uint64_t word;
    std::memcpy(&word, s.data() + i, 8);
    h = (h ^ word) * kMultiplier;
    h ^= h >> 32;
  }
  if (i < s.size()) {
    std::uint64_t word = 0;
    std::memcpy(&word, s.data() + i, s.size() - i);
    h = (h ^ word) * kMultiplier;
    h ^= h >> 29;
  }
  h *= 0xbf58476d1ce4e5b9ULL;
  return h ^ (h >> 32);
}

class StringTable {
 public:
  void add(std::string key, std::uint32_t id) { added_.emplace_back(std::move(key), id); }
  void build();
  bool empty() const { return slots_.empty(); }

  std::span<const std::uint32_t> find(std::string_view key) const {
    if (slots_.empty()) return {};
    std::uint64_t hash = hash_bytes(key);
    for (std::size_t at = hash & mask_;; at = (at + 1) & mask_) {
      const Slot& slot = slots_[at];
      if (slot.count == 0) return {};
      if (slot.hash == hash && keys_[slot.key] == key) {
        return std::span(ids_).subspan(slot.first, slot.count);
      }
    }
  }

 private:
  struct Slot {
    std::uint64_t hash = 0;
    std::uint32_t key = 0, first = 0, count = 0;  // count 0: free
  };
  std::vector<std::pair<std::string, std::uint32_t>> added_;
  std::vector<std::string> keys_;
  std::vector<std::uint32_t> ids_;
  std::vector<Slot> slots_;
  std::size_t mask_ = 0;
};

}  // namespace cw::detect
