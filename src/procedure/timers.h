// The earliest due time of every case: an indexed 4-ary heap with at most one entry a case, in
// exact (due, slot) order. No thread-safety of its own: it is part of the engine's state.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

namespace cw {

inline constexpr std::int64_t never_ms = INT64_MAX;

class Timers {
 public:
  struct Item {
    std::int64_t due_ms;
    std::uint32_t slot;
    bool operator<(const Item& o) const {
      return due_ms != o.due_ms ? due_ms < o.due_ms : slot < o.slot;
    }
  };

  // Puts, moves or (never_ms) takes out the entry of a slot.
  void set(std::uint32_t slot, std::int64_t due_ms) {
    if (slot >= place_.size()) {
      if (due_ms == never_ms) return;
      place_.resize(slot + 1, absent);
    }
    std::uint32_t at = place_[slot];
    if (at == absent) {
      if (due_ms == never_ms) return;
      heap_.push_back({due_ms, slot});
      up(heap_.size() - 1, {due_ms, slot});
    } else if (due_ms == never_ms) {
      remove(at);
    } else if (heap_[at].due_ms != due_ms) {
      Item item{due_ms, slot};
      if (item < heap_[at])
        up(at, item);
      else
        down(at, item);
    }
  }

  bool empty() const { return heap_.empty(); }
  const Item& top() const { return heap_.front(); }
  std::size_t size() const { return heap_.size(); }
  std::size_t bytes() const {
    return heap_.capacity() * sizeof(Item) + place_.capacity() * sizeof(std::uint32_t);
  }

 private:
  static constexpr std::uint32_t absent = UINT32_MAX;

  void put(std::size_t at, Item item) {
    heap_[at] = item;
    place_[item.slot] = static_cast<std::uint32_t>(at);
  }
  void up(std::size_t at, Item item) {
    while (at > 0) {
      std::size_t parent = (at - 1) / 4;
      if (!(item < heap_[parent])) break;
      put(at, heap_[parent]);
      at = parent;
    }
    put(at, item);
  }
  void down(std::size_t at, Item item) {
    for (;;) {
      std::size_t first = at * 4 + 1;
      if (first >= heap_.size()) break;
      std::size_t least = first, end = std::min(first + 4, heap_.size());
      for (std::size_t i = first + 1; i < end; ++i)
        if (heap_[i] < heap_[least]) least = i;
      if (!(heap_[least] < item)) break;
      put(at, heap_[least]);
      at = least;
    }
    put(at, item);
  }
  void remove(std::size_t at) {
    place_[heap_[at].slot] = absent;
    Item last = heap_.back();
    heap_.pop_back();
    if (at == heap_.size()) return;
    if (at > 0 && last < heap_[(at - 1) / 4])
      up(at, last);
    else
      down(at, last);
  }

  std::vector<Item> heap_;
  std::vector<std::uint32_t> place_;  // by slot
};

}  // namespace cw
