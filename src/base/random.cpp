#include "random.h"

#include <sys/random.h>

#include <cstring>

#include "check.h"

namespace cw {

std::string Random::bytes(std::size_t size) {
  std::string out(size, '\0');
  fill(out.data(), size);
  return out;
}

std::uint64_t Random::u64() {
  std::uint64_t out;
  fill(&out, sizeof out);
  return out;
}

std::uint64_t Random::below(std::uint64_t bound) {
  CW_CHECK(bound > 0);
  std::uint64_t reject = -bound % bound;  // the values that would favour small results
  for (;;) {
    std::uint64_t value = u64();
    if (value >= reject) return value % bound;
  }
}

// getrandom() for each request: a buffer shared after fork() would repeat keys, and the call
// costs far less than the sync that follows a command.
void SystemRandom::fill(void* out, std::size_t size) {
  auto* bytes = static_cast<char*>(out);
  while (size > 0) {
    ssize_t got = getrandom(bytes, size, 0);
    CW_CHECK(got > 0);
    bytes += got;
    size -= static_cast<std::size_t>(got);
  }
}

void SeededRandom::fill(void* out, std::size_t size) {
  std::lock_guard lock(mutex_);
  auto* bytes = static_cast<unsigned char*>(out);
  while (size > 0) {
    std::uint64_t z = (state_ += 0x9E3779B97F4A7C15u);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    z ^= z >> 31;
    std::size_t n = std::min<std::size_t>(size, 8);
    std::memcpy(bytes, &z, n);
    bytes += n;
    size -= n;
  }
}

}  // namespace cw
