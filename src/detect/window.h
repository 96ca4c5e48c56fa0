// One group of a correlation: its events in event time, and what its condition measures over the
// window that ends with the newest. One thread.
//
//   Window w(correlation);
//   if (auto end = w.insert(entry)) fire(*end);
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "compiled.h"

namespace cw::detect {

struct WindowEntry {
  std::int64_t time_ms;
  std::uint32_t input;     // which of the correlation's rules
  std::uint64_t sequence;  // of the event: two rules may match the same one
  std::string value;       // value_count
  double number = 0;       // value_sum, value_avg, value_percentile
};

// A running measure of the entries added and not yet removed.
class Measure {
 public:
  void add(const WindowEntry& e);
  void remove(const WindowEntry& e);
  double value(CorrelationType type) const;  // the types that can be kept running
  std::size_t count() const { return count_; }

 private:
  std::size_t count_ = 0;
  double sum_ = 0;
  std::unordered_map<std::string, std::uint32_t> values_;
  std::unordered_map<std::uint32_t, std::uint32_t> inputs_;
};

struct WindowResult {
  std::int64_t first_ms, last_ms;
  std::int64_t events;
  double value;
};

class Window {
 public:
  // Inserts in event time; a result if the bounds hold for a window with `entry` in it.
  std::optional<WindowResult> insert(const Correlation& c, WindowEntry entry);
  // All entries as one window: a result if the bounds hold for it.
  std::optional<WindowResult> close(const Correlation& c) const;
  void append(WindowEntry entry);

  // Forgets what no window can need; returns how many were forgotten only for `entries_max`.
  std::size_t trim(const Correlation& c, std::int64_t lateness_ms, std::size_t entries_max);
  bool empty() const { return entries_.empty(); }
  std::int64_t newest_ms() const { return newest_ms_; }
  std::int64_t oldest_ms() const {
    return entries_.empty() ? newest_ms_ : entries_.front().time_ms;
  }

 private:
  double measured(const Correlation& c, std::size_t from, std::size_t to, const Measure& m) const;
  bool ordered(const Correlation& c, std::size_t from, std::size_t to) const;
  std::optional<WindowResult> insert_late(const Correlation& c, WindowEntry entry);

  std::deque<WindowEntry> entries_;
  std::size_t start_ = 0;  // of the window that ends with the newest
  Measure measure_;
  std::int64_t newest_ms_ = 0;
};

bool bounds_hold(const std::vector<Bound>& bounds, double value);

}  // namespace cw::detect
