// Any bytes as an organisation's file: read, or refused with mistakes that have a place.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "organisation/organisation.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const cw::FindOrganisation find = [](std::string_view) {
    std::vector<cw::Mistake> none;
    return cw::read_organisation(
        "organisation: base\nversion: 1\ntitle: {zh: 底, en: Base}\n"
        "posts:\n  duty: {title: {zh: 值班, en: Duty}, duty: {zh: 责, en: D}, heads: [duty]}\n",
        "base", nullptr, none);
  };
  std::vector<cw::Mistake> mistakes;
  const auto read = cw::read_organisation(text, "f", find, mistakes);
  if ((read != nullptr) != mistakes.empty()) std::abort();
  for (const cw::Mistake& m : mistakes)
    if (m.line < 1 || m.column < 1 || m.text.zh.empty() || m.text.en.empty()) std::abort();
  return 0;
}
