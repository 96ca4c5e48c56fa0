#include <algorithm>
#include <cmath>
#include <list>
#include <mutex>
#include <unordered_map>

#include "http.h"

namespace cw::http {

struct RateLimiter::Impl {
  struct Bucket {
    std::string key;
    double tokens;
    std::int64_t at_ns;  // when `tokens` was right
  };
  Impl(Options o, const Clock& c) : options(o), clock(c) {}

  const Options options;
  const Clock& clock;
  mutable std::mutex mutex;
  std::list<Bucket> recent;  // the key used last is first
  std::unordered_map<std::string_view, std::list<Bucket>::iterator> by_key;

  Bucket& bucket(std::string_view key, std::int64_t now_ns) {
    if (auto found = by_key.find(key); found != by_key.end()) {
      recent.splice(recent.begin(), recent, found->second);
      return recent.front();
    }
    if (recent.size() >= options.keys_max) {
      by_key.erase(recent.back().key);
      recent.pop_back();
    }
    recent.push_front({std::string(key), options.burst, now_ns});
    by_key.emplace(recent.front().key, recent.begin());
    return recent.front();
  }
};

RateLimiter::RateLimiter(Options options, const Clock& clock)
    : impl_(std::make_unique<Impl>(options, clock)) {
  CW_CHECK(options.per_s > 0 && options.burst >= 1 && options.keys_max > 0);
}
RateLimiter::~RateLimiter() = default;

int RateLimiter::take(std::string_view key, double cost) {
  std::lock_guard lock(impl_->mutex);
  const Options& o = impl_->options;
  const std::int64_t now_ns = impl_->clock.monotonic_ns();
  Impl::Bucket& b = impl_->bucket(key, now_ns);
  const double elapsed_s = std::max(0.0, static_cast<double>(now_ns - b.at_ns) / 1e9);
  b.tokens = std::min(o.burst, b.tokens + elapsed_s * o.per_s);
  b.at_ns = now_ns;
  cost = std::min(cost, o.burst);
  if (b.tokens >= cost) {
    b.tokens -= cost;
    return 0;
  }
  return std::max(1, static_cast<int>(std::ceil((cost - b.tokens) / o.per_s)));
}

std::size_t RateLimiter::keys() const {
  std::lock_guard lock(impl_->mutex);
  return impl_->recent.size();
}

}  // namespace cw::http
