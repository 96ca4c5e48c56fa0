// A journal entry: what is accepted and canonical must survive being written and read once more.
#include <cstdint>
#include <cstdlib>

#include "journal/journal.h"

namespace {
bool is_plain(const cw::json::value& v) {
  if (v.is_double()) return false;
  if (const auto* o = v.if_object()) {
    for (const auto& m : *o)
      if (!is_plain(m.value())) return false;
  } else if (const auto* a = v.if_array()) {
    for (const auto& i : *a)
      if (!is_plain(i)) return false;
  }
  return true;
}
}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto entry = cw::Entry::parse({reinterpret_cast<const char*>(data), size});
  if (!entry || !is_plain(entry->body)) return 0;
  std::string text;
  try {
    text = entry->canonical();
  } catch (const std::length_error&) {
    return 0;
  }
  auto again = cw::Entry::parse(text);
  if (!again || again->canonical() != text) std::abort();
  return 0;
}
