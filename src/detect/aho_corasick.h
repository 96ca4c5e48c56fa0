// Multi-literal search in the plainest known way: the oracle against which the fast matcher is
// tested, at start and in the differential test. Thread-safe once built.
//
//   AhoCorasick oracle({"cmd", "powershell"});
//   for (std::uint32_t i : oracle.find(text)) …
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace cw::detect {

class AhoCorasick {
 public:
  explicit AhoCorasick(const std::vector<std::string>& literals);
  // Indices of the literals that occur in `text`, ascending, each once.
  std::vector<std::uint32_t> find(std::string_view text) const;

 private:
  struct State {
    std::array<std::int32_t, 256> next;
    std::int32_t suffix = 0;          // longest proper suffix that is a state
    std::vector<std::uint32_t> ends;  // literals that end here
  };
  std::vector<State> states_;
  std::size_t literals_;
};

}  // namespace cw::detect
