#include "rhythm.h"

#include <algorithm>
#include <cstring>

namespace cw::watch {
namespace {
constexpr std::size_t kGaps = 1024;
constexpr std::size_t kGapsLeast = 50;
}  // namespace

void Rhythm::heard(std::int64_t now_ms) {
  if (first_ms_ == 0) first_ms_ = now_ms;
  std::int64_t since = std::max(last_ms_, listening_ms_);
  if (last_ms_ > 0 && last_ms_ >= listening_ms_ && now_ms > since) {
    auto gap = static_cast<std::uint32_t>(std::min<std::int64_t>(now_ms - since, UINT32_MAX));
    if (gaps_.size() < kGaps) {
      gaps_.push_back(gap);
    } else {
      gaps_[next_] = gap;
      next_ = (next_ + 1) % kGaps;
    }
    p99_ms_ = -1;
  }
  last_ms_ = std::max(last_ms_, now_ms);
}

std::int64_t Rhythm::limit_ms() const {
  if (options_.expected_gap_ms > 0) return 3 * options_.expected_gap_ms;
  if (gaps_.size() < kGapsLeast || last_ms_ - first_ms_ < options_.warm_up_ms) return 0;
  if (p99_ms_ < 0) {
    std::vector<std::uint32_t> sorted = gaps_;
    auto at = sorted.begin() + static_cast<std::ptrdiff_t>((sorted.size() * 99) / 100);
    std::nth_element(sorted.begin(), at, sorted.end());
    p99_ms_ = *at;
  }
  return std::max(options_.floor_ms, 3 * p99_ms_);
}

bool Rhythm::silent(std::int64_t now_ms) const {
  std::int64_t limit = limit_ms();
  std::int64_t since = std::max(last_ms_, listening_ms_);
  return limit > 0 && since > 0 && now_ms - since > limit;
}

std::string Rhythm::save() const {
  std::string out(16 + gaps_.size() * 4, '\0');
  std::memcpy(out.data(), &first_ms_, 8);
  std::memcpy(out.data() + 8, &last_ms_, 8);
  if (!gaps_.empty()) std::memcpy(out.data() + 16, gaps_.data(), gaps_.size() * 4);
  return out;
}

void Rhythm::load(std::string_view bytes) {
  if (bytes.size() < 16 || (bytes.size() - 16) % 4 != 0 || bytes.size() > 16 + kGaps * 4) return;
  std::memcpy(&first_ms_, bytes.data(), 8);
  std::memcpy(&last_ms_, bytes.data() + 8, 8);
  gaps_.resize((bytes.size() - 16) / 4);
  if (!gaps_.empty()) std::memcpy(gaps_.data(), bytes.data() + 16, gaps_.size() * 4);
  next_ = 0;
  p99_ms_ = -1;
}

}  // namespace cw::watch
