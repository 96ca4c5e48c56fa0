#include "window.h"

#include <algorithm>
#include <cmath>

namespace cw::detect {

bool bounds_hold(const std::vector<Bound>& bounds, double value) {
  return std::all_of(bounds.begin(), bounds.end(), [&](const Bound& b) {
    return holds(b.relation, value, b.number) != b.unequal;
  });
}

void Measure::add(const WindowEntry& e) {
  ++count_;
  sum_ += e.number;
  ++values_[e.value];
  ++inputs_[e.input];
}

void Measure::remove(const WindowEntry& e) {
  --count_;
  sum_ = count_ == 0 ? 0 : sum_ - e.number;
  if (auto at = values_.find(e.value); --at->second == 0) values_.erase(at);
  if (auto at = inputs_.find(e.input); --at->second == 0) inputs_.erase(at);
}

double Measure::value(CorrelationType type) const {
  switch (type) {
    case CorrelationType::event_count:
      return static_cast<double>(count_);
    case CorrelationType::value_count:
      return static_cast<double>(values_.size());
    case CorrelationType::value_sum:
      return sum_;
    case CorrelationType::value_avg:
      return count_ == 0 ? 0 : sum_ / static_cast<double>(count_);
    default:
      return static_cast<double>(inputs_.size());
  }
}

// How many of the rules, from the first on, occur in their order in entries [from, to).
bool Window::ordered(const Correlation& c, std::size_t from, std::size_t to) const {
  std::size_t wanted = c.inputs.size();
  std::uint64_t before = UINT64_MAX;
  for (std::size_t i = to; i > from && wanted > 0; --i) {
    const WindowEntry& e = entries_[i - 1];
    if (e.input != wanted - 1 || e.sequence == before) continue;
    before = e.sequence;
    --wanted;
  }
  return wanted == 0;
}

double Window::measured(const Correlation& c, std::size_t from, std::size_t to,
                        const Measure& m) const {
  if (c.type == CorrelationType::temporal_ordered) {
    // An ordered run ends with the last rule; most events need no search.
    bool complete = m.value(c.type) == static_cast<double>(c.inputs.size()) && ordered(c, from, to);
    return complete ? static_cast<double>(c.inputs.size()) : 0;
  }
  if (c.type != CorrelationType::value_percentile) return m.value(c.type);
  std::vector<double> numbers;
  for (std::size_t i = from; i < to; ++i) numbers.push_back(entries_[i].number);
  if (numbers.empty()) return 0;
  // Nearest rank.
  auto rank =
      static_cast<std::size_t>(std::ceil(c.percentile / 100 * static_cast<double>(numbers.size())));
  auto at = numbers.begin() + static_cast<std::ptrdiff_t>(std::max<std::size_t>(rank, 1) - 1);
  std::nth_element(numbers.begin(), at, numbers.end());
  return *at;
}

std::optional<WindowResult> Window::insert(const Correlation& c, WindowEntry entry) {
  if (!entries_.empty() && entry.time_ms < newest_ms_) return insert_late(c, std::move(entry));
  newest_ms_ = entry.time_ms;
  measure_.add(entry);
  entries_.push_back(std::move(entry));
  while (entries_[start_].time_ms <= newest_ms_ - c.timespan_ms)
    measure_.remove(entries_[start_++]);
  double value = measured(c, start_, entries_.size(), measure_);
  if (!bounds_hold(c.bounds, value)) return std::nullopt;
  return WindowResult{entries_[start_].time_ms, newest_ms_,
                      static_cast<std::int64_t>(measure_.count()), value};
}

std::optional<WindowResult> Window::insert_late(const Correlation& c, WindowEntry entry) {
  std::int64_t time = entry.time_ms;
  auto at = std::upper_bound(entries_.begin(), entries_.end(), time,
                             [](std::int64_t t, const WindowEntry& e) { return t < e.time_ms; });
  entries_.insert(at, std::move(entry));
  Measure measure;
  std::size_t start = 0;
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    std::int64_t end = entries_[i].time_ms;
    measure.add(entries_[i]);
    while (entries_[start].time_ms <= end - c.timespan_ms) measure.remove(entries_[start++]);
    if (end < time || end >= time + c.timespan_ms) continue;
    double value = measured(c, start, i + 1, measure);
    if (!bounds_hold(c.bounds, value)) continue;
    return WindowResult{entries_[start].time_ms, end, static_cast<std::int64_t>(measure.count()),
                        value};
  }
  start_ = start;
  measure_ = std::move(measure);
  return std::nullopt;
}

void Window::append(WindowEntry entry) {
  newest_ms_ = entries_.empty() ? entry.time_ms : std::max(newest_ms_, entry.time_ms);
  entries_.push_back(std::move(entry));
}

std::optional<WindowResult> Window::close(const Correlation& c) const {
  Measure measure;
  std::int64_t first = newest_ms_;
  for (const WindowEntry& e : entries_) {
    measure.add(e);
    first = std::min(first, e.time_ms);
  }
  double value = measured(c, 0, entries_.size(), measure);
  if (entries_.empty() || !bounds_hold(c.bounds, value)) return std::nullopt;
  return WindowResult{first, newest_ms_, static_cast<std::int64_t>(entries_.size()), value};
}

std::size_t Window::trim(const Correlation& c, std::int64_t lateness_ms, std::size_t entries_max) {
  auto drop = [&] {
    if (start_ > 0) {
      --start_;
    } else if (c.immediate) {
      measure_.remove(entries_.front());
    }
    entries_.pop_front();
  };
  while (c.immediate && !entries_.empty() && start_ > 0 &&
         entries_.front().time_ms <= newest_ms_ - c.timespan_ms - lateness_ms) {
    drop();
  }
  std::size_t lost = 0;
  while (entries_.size() > entries_max) {
    if (start_ == 0) ++lost;
    drop();
  }
  return lost;
}

}  // namespace cw::detect
