// Draws from a Random. Deterministic for a seed; as thread-safe as the Random.
#pragma once

#include <algorithm>
#include <cmath>
#include <numbers>

#include "base/random.h"
#include "simulate/setting.h"

namespace cw {

inline double uniform(Random& random) {  // in [0, 1)
  return static_cast<double>(random.u64() >> 11) * 0x1p-53;
}

inline bool chance(Random& random, int percent) {
  return random.below(100) < static_cast<std::uint64_t>(percent);
}

// Milliseconds, at least the spread's least. Box and Muller's method.
inline std::int64_t draw(Random& random, const Spread& s) {
  const double u = 1 - uniform(random), v = uniform(random);
  const double normal = std::sqrt(-2 * std::log(u)) * std::cos(2 * std::numbers::pi * v);
  return std::max(s.least_ms, static_cast<std::int64_t>(std::exp(s.mu + s.sigma * normal)));
}

}  // namespace cw
