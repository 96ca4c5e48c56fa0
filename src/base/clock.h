// Time is handed in: nothing outside base reads a system clock. Thread-safe.
//
//   void Engine::tick(const Clock& clock) { fire_until(clock.now_ms()); }
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace cw {

class Clock {
 public:
  virtual ~Clock() = default;
  virtual std::int64_t now_ms() const = 0;        // UTC, milliseconds since 1970
  virtual std::int64_t monotonic_ns() const = 0;  // for durations; never goes back
};

// The machine's clocks.
class SystemClock final : public Clock {
 public:
  std::int64_t now_ms() const override;
  std::int64_t monotonic_ns() const override;
};

// A clock that others set: tests, drills, simulation, `demo --once`.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(std::int64_t start_ms) : now_ms_(start_ms) {}
  std::int64_t now_ms() const override { return now_ms_.load(); }
  std::int64_t monotonic_ns() const override { return now_ms_.load() * 1'000'000; }
  void advance_ms(std::int64_t ms) { now_ms_ += ms; }
  void set_ms(std::int64_t ms) { now_ms_ = ms; }

 private:
  std::atomic<std::int64_t> now_ms_;
};

// A real clock that can be pushed ahead (the test server's "jump two hours").
class OffsetClock final : public Clock {
 public:
  std::int64_t now_ms() const override { return system_.now_ms() + offset_ms_.load(); }
  std::int64_t monotonic_ns() const override {
    return system_.monotonic_ns() + offset_ms_.load() * 1'000'000;
  }
  void jump_ms(std::int64_t ms) { offset_ms_ += ms; }

 private:
  SystemClock system_;
  std::atomic<std::int64_t> offset_ms_{0};
};

// RFC 3339 in UTC with milliseconds: "2026-11-22T01:42:10.000Z".
std::string to_rfc3339(std::int64_t utc_ms);
// Accepts any RFC 3339 offset and 0–9 fractional digits (cut to milliseconds); years 1970–9999.
std::optional<std::int64_t> from_rfc3339(std::string_view text);

// Days since 1970-01-01 of a civil date, and back (proleptic Gregorian; Howard Hinnant's method).
std::int64_t days_from_civil(int year, int month, int day);
struct Civil {
  int year;
  int month;
  int day;
};
Civil civil_from_days(std::int64_t days);

}  // namespace cw
