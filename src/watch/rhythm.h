// The dead-man's rule: how often a sender speaks, and when its silence is itself an alert. One
// thread. Time is handed in.
//
//   rhythm.heard(now);
//   if (rhythm.silent(now)) alert();
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace cw::watch {

struct RhythmOptions {
  std::int64_t floor_ms = 15 * 60'000;  // never alarm sooner
  std::int64_t expected_gap_ms = 0;     // a stated rhythm: alarm after three times it
  std::int64_t warm_up_ms = 3'600'000;  // before that, and before 50 gaps, nothing is known
};

class Rhythm {
 public:
  explicit Rhythm(RhythmOptions options) : options_(options) {}

  void heard(std::int64_t now_ms);
  // We were not listening until `now_ms`: the gap before is ours, not the sender's.
  void listening_from(std::int64_t now_ms) { listening_ms_ = now_ms; }

  // Silence beyond this is an alert: three times the 99th percentile of the last 1,024 gaps, at
  // least the floor. 0 while it is being learnt.
  std::int64_t limit_ms() const;
  bool silent(std::int64_t now_ms) const;
  std::int64_t last_ms() const { return last_ms_; }

  std::string save() const;
  void load(std::string_view bytes);

 private:
  RhythmOptions options_;
  std::int64_t first_ms_ = 0, last_ms_ = 0, listening_ms_ = 0;
  std::vector<std::uint32_t> gaps_;  // the last 1,024, ms
  std::size_t next_ = 0;
  mutable std::int64_t p99_ms_ = -1;  // -1: to be computed
};

}  // namespace cw::watch
