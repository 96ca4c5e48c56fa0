// JSON as every request brings it: whatever parses must come back the same from its canonical form.
#include <cstdint>
#include <cstdlib>

#include "base/json.h"

namespace {
bool has_double(const cw::json::value& v) {
  if (v.is_double()) return true;
  if (const auto* o = v.if_object()) {
    for (const auto& m : *o)
      if (has_double(m.value())) return true;
  } else if (const auto* a = v.if_array()) {
    for (const auto& i : *a)
      if (has_double(i)) return true;
  }
  return false;
}
}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto value = cw::parse_json({reinterpret_cast<const char*>(data), size});
  if (!value || has_double(*value)) return 0;
  std::string text = cw::canonical(*value);
  auto again = cw::parse_json(text, {.size_max = 16 << 20});
  if (!again || cw::canonical(*again) != text) std::abort();
  return 0;
}
