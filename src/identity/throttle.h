// How long a guesser must wait: exponential per key, in bounded memory. Thread-safe. Internal.
#pragma once

#include <cstdint>
#include <list>
#include <mutex>
#include <string>
#include <unordered_map>

namespace cw {

struct ThrottleRule {
  unsigned free;             // failures without a wait
  std::int64_t wait_max_ms;  // 1 s, 2 s, 4 s … up to this
};

class Throttle {
 public:
  explicit Throttle(std::size_t keys_max = 65'536) : keys_max_(keys_max) {}

  std::int64_t wait_ms(const std::string& key, std::int64_t now_ms) const;
  // Counts a failure; returns how many there were, and sets the wait.
  struct Failed {
    unsigned count;
    std::int64_t wait_ms;
  };
  Failed fail(const std::string& key, ThrottleRule rule, std::int64_t now_ms);
  void forgive(const std::string& key);

 private:
  static constexpr std::int64_t kForgetAfterMs =
      3'600'000;  // an hour without a failure starts anew
  struct Record {
    unsigned count = 0;
    std::int64_t until_ms = 0, last_ms = 0;
    std::list<std::string>::iterator age;
  };
  void drop(std::unordered_map<std::string, Record>::iterator it);

  const std::size_t keys_max_;
  mutable std::mutex mutex_;
  std::unordered_map<std::string, Record> records_;
  std::list<std::string> ages_;  // oldest failure first
};

}  // namespace cw
