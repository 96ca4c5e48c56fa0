// Randomness is handed in, so that the core can be replayed from a seed. Thread-safe.
//
//   SystemRandom random;
//   std::string key = random.bytes(32);
#pragma once

#include <cstdint>
#include <mutex>
#include <string>

namespace cw {

class Random {
 public:
  virtual ~Random() = default;
  virtual void fill(void* out, std::size_t size) = 0;
  std::string bytes(std::size_t size);
  std::uint64_t u64();
  std::uint64_t below(std::uint64_t bound);  // uniform in [0, bound), bound > 0
};

// The operating system's generator, fit for keys.
class SystemRandom final : public Random {
 public:
  void fill(void* out, std::size_t size) override;
};

// SplitMix64 from a seed: tests, drills, simulation. Never for keys.
class SeededRandom final : public Random {
 public:
  explicit SeededRandom(std::uint64_t seed) : state_(seed) {}
  void fill(void* out, std::size_t size) override;

 private:
  std::mutex mutex_;
  std::uint64_t state_;
};

}  // namespace cw
