#include "id.h"

#include "check.h"

namespace cw {
namespace {
constexpr std::string_view kDigits = "0123456789abcdefghjkmnpqrstvwxyz";
}

std::string new_id(std::string_view kind, std::int64_t now_ms, Random& random) {
  CW_CHECK(kind.size() == 3);
  std::string out(kind);
  out += '_';
  auto time = static_cast<std::uint64_t>(now_ms);
  for (int shift = 45; shift >= 0; shift -= 5) out += kDigits[time >> shift & 31];
  unsigned char chance[16];
  random.fill(chance, sizeof chance);
  for (unsigned char c : chance) out += kDigits[c & 31];
  return out;
}

bool is_id(std::string_view text, std::string_view kind) {
  if (text.size() != 30 || text.substr(0, 3) != kind || text[3] != '_') return false;
  for (char c : text.substr(4))
    if (kDigits.find(c) == std::string_view::npos) return false;
  return true;
}

}  // namespace cw
