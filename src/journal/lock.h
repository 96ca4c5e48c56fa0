// The lock on the state in memory: one writer, many readers, and neither waits for more than one
// turn of the other. Readers that came while the writer held it go in together when it leaves;
// those that come later wait for its next turn.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>

namespace cw {

class StateLock {
 public:
  void lock() {  // one thread only
    std::unique_lock lock(mutex_);
    wanted_ = true;
    writer_.wait(lock, [&] { return inside_ == 0; });
  }
  void unlock() {
    {
      std::lock_guard lock(mutex_);
      wanted_ = false;
      inside_ += waiting_;
      waiting_ = 0;
      ++turn_;
    }
    readers_.notify_all();
  }
  void lock_shared() {
    std::unique_lock lock(mutex_);
    if (!wanted_) {
      ++inside_;
      return;
    }
    ++waiting_;
    std::uint64_t turn = turn_;
    readers_.wait(lock, [&] { return turn_ != turn; });
  }
  void unlock_shared() {
    std::lock_guard lock(mutex_);
    if (--inside_ == 0 && wanted_) writer_.notify_one();
  }

 private:
  std::mutex mutex_;
  std::condition_variable writer_, readers_;
  std::size_t inside_ = 0, waiting_ = 0;  // readers
  std::uint64_t turn_ = 0;                // of the writer
  bool wanted_ = false;                   // by the writer, or held by it
};

}  // namespace cw
