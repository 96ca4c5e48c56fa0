// Lines on their way from the sources to the pipeline, bounded by bytes. Thread-safe.
//
//   if (!queue.try_push(std::move(batch))) refuse();     // no room: the batch is unchanged
//   while (auto batch = queue.pop(wait)) process(*batch);
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cw::watch {

// Lines of one source and one sender, received together.
struct Batch {
  std::size_t source = 0;  // index into the sources
  std::string sender;      // peer address, or ""
  std::int64_t received_ms = 0;
  std::string bytes;  // the lines, one after another
  std::vector<std::uint32_t> ends;

  void add(std::string_view line) {
    bytes += line;
    ends.push_back(static_cast<std::uint32_t>(bytes.size()));
  }
  std::size_t cost() const { return bytes.size() + ends.size() * 8 + 256; }
  template <typename F>
  void each(F&& f) const {
    std::size_t begin = 0;
    for (std::uint32_t end : ends) {
      f(std::string_view(bytes).substr(begin, end - begin));
      begin = end;
    }
  }
};

class BatchQueue {
 public:
  static constexpr std::size_t kBatchBytes = 256 * 1024;  // sources hand on at about this size

  explicit BatchQueue(std::size_t bytes_max) : bytes_max_(bytes_max) {}

  bool room() const {
    std::lock_guard lock(mutex_);
    return !closed_ && bytes_ < bytes_max_;
  }

  // Takes the batch while fewer bytes than the limit are queued. `read_already`: takes it even
  // then, for a source that asked room() before it read and would lose what it holds.
  bool try_push(Batch&& batch, bool read_already = false) {
    std::lock_guard lock(mutex_);
    if (closed_ || (bytes_ >= bytes_max_ && !read_already)) return false;
    bytes_ += batch.cost();
    ++pushed_;
    items_.push_back(std::move(batch));
    filled_.notify_one();
    return true;
  }

  std::optional<Batch> pop(std::chrono::milliseconds wait) {
    std::unique_lock lock(mutex_);
    filled_.wait_for(lock, wait, [&] { return closed_ || !items_.empty(); });
    if (items_.empty()) return std::nullopt;
    Batch out = std::move(items_.front());
    items_.pop_front();
    bytes_ -= out.cost();
    return out;
  }

  // The worker says that a popped batch has become what it becomes.
  void processed() {
    std::lock_guard lock(mutex_);
    ++processed_;
    settled_.notify_all();
  }

  std::uint64_t pushed() const {
    std::lock_guard lock(mutex_);
    return pushed_;
  }
  std::uint64_t processed_count() const {
    std::lock_guard lock(mutex_);
    return processed_;
  }
  void wait_processed(std::uint64_t count) {
    std::unique_lock lock(mutex_);
    settled_.wait(lock, [&] { return processed_ >= count; });
  }

  void close() {
    std::lock_guard lock(mutex_);
    closed_ = true;
    filled_.notify_all();
  }
  bool closed() const {
    std::lock_guard lock(mutex_);
    return closed_;
  }
  std::size_t bytes() const {
    std::lock_guard lock(mutex_);
    return bytes_;
  }

 private:
  const std::size_t bytes_max_;
  mutable std::mutex mutex_;
  std::condition_variable filled_, settled_;
  std::deque<Batch> items_;
  std::size_t bytes_ = 0;
  std::uint64_t pushed_ = 0, processed_ = 0;
  bool closed_ = false;
};

}  // namespace cw::watch
