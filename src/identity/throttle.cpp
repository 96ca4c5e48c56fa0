#include "throttle.h"

#include <algorithm>

namespace cw {

std::int64_t Throttle::wait_ms(const std::string& key, std::int64_t now_ms) const {
  std::lock_guard lock(mutex_);
  auto it = records_.find(key);
  return it == records_.end() ? 0 : std::max<std::int64_t>(0, it->second.until_ms - now_ms);
}

void Throttle::drop(std::unordered_map<std::string, Record>::iterator it) {
  ages_.erase(it->second.age);
  records_.erase(it);
}

Throttle::Failed Throttle::fail(const std::string& key, ThrottleRule rule, std::int64_t now_ms) {
  std::lock_guard lock(mutex_);
  auto it = records_.find(key);
  if (it != records_.end() && now_ms - it->second.last_ms > kForgetAfterMs) {
    drop(it);
    it = records_.end();
  }
  if (it == records_.end()) {
    if (records_.size() >= keys_max_) drop(records_.find(ages_.front()));
    it = records_.emplace(key, Record{}).first;
    it->second.age = ages_.insert(ages_.end(), key);
  }
  Record& r = it->second;
  ages_.splice(ages_.end(), ages_, r.age);
  ++r.count;
  r.last_ms = now_ms;
  std::int64_t wait = 0;
  if (r.count > rule.free) {
    unsigned doublings = std::min(r.count - rule.free - 1, 20u);
    wait = std::min<std::int64_t>(rule.wait_max_ms, std::int64_t{1000} << doublings);
    r.until_ms = now_ms + wait;
  }
  return {r.count, wait};
}

void Throttle::forgive(const std::string& key) {
  std::lock_guard lock(mutex_);
  auto it = records_.find(key);
  if (it != records_.end()) drop(it);
}

}  // namespace cw
