// Any bytes as a playbook: refused with places, or a draft that passes every check. Never a crash.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "cacao/cacao.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const auto draft = cw::cacao::read_playbook(text, cw::Library());
  if (!draft) {
    if (draft.problem().text.zh.empty() || draft.problem().text.en.empty()) std::abort();
    return 0;
  }
  if (draft->files.empty() || (!draft->exact && !draft->mistakes.empty())) std::abort();
  cw::cacao::to_json(*draft);
  return 0;
}
