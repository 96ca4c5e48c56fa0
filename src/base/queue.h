// A bounded queue between threads. Thread-safe. A full queue refuses or blocks; it never grows.
//
//   BoundedQueue<Job> jobs(1024);
//   if (!jobs.try_push(std::move(job))) return busy();
//   while (auto job = jobs.pop()) run(*job);      // until close()
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <vector>

namespace cw {

template <typename T>
class BoundedQueue {
 public:
  explicit BoundedQueue(std::size_t size_max) : size_max_(size_max) {}

  // False when full or closed; the item is then left with the caller.
  bool try_push(T&& item) {
    std::lock_guard lock(mutex_);
    if (closed_ || items_.size() >= size_max_) return false;
    items_.push_back(std::move(item));
    filled_.notify_one();
    return true;
  }

  // Waits for room; false when closed, and the item is then left with the caller.
  bool push(T&& item) {
    std::unique_lock lock(mutex_);
    drained_.wait(lock, [&] { return closed_ || items_.size() < size_max_; });
    if (closed_) return false;
    items_.push_back(std::move(item));
    filled_.notify_one();
    return true;
  }

  // Waits for an item; nothing when closed and empty.
  std::optional<T> pop() {
    std::unique_lock lock(mutex_);
    filled_.wait(lock, [&] { return closed_ || !items_.empty(); });
    return take(lock);
  }

  std::optional<T> pop_for(std::chrono::milliseconds wait) {
    std::unique_lock lock(mutex_);
    filled_.wait_for(lock, wait, [&] { return closed_ || !items_.empty(); });
    return take(lock);
  }

  // Waits for an item, then appends all that is queued, at most `count_max`; false when closed and
  // empty.
  bool pop_some(std::size_t count_max, std::vector<T>& out) {
    std::unique_lock lock(mutex_);
    filled_.wait(lock, [&] { return closed_ || !items_.empty(); });
    if (items_.empty()) return false;
    for (; count_max > 0 && !items_.empty(); --count_max) {
      out.push_back(std::move(items_.front()));
      items_.pop_front();
    }
    drained_.notify_all();
    return true;
  }

  void close() {
    std::lock_guard lock(mutex_);
    closed_ = true;
    filled_.notify_all();
    drained_.notify_all();
  }

  std::size_t size() const {
    std::lock_guard lock(mutex_);
    return items_.size();
  }
  bool closed() const {
    std::lock_guard lock(mutex_);
    return closed_;
  }

 private:
  std::optional<T> take(std::unique_lock<std::mutex>&) {
    if (items_.empty()) return std::nullopt;
    std::optional<T> out(std::move(items_.front()));
    items_.pop_front();
    drained_.notify_one();
    return out;
  }

  const std::size_t size_max_;
  mutable std::mutex mutex_;
  std::condition_variable filled_, drained_;
  std::deque<T> items_;
  bool closed_ = false;
};

}  // namespace cw
