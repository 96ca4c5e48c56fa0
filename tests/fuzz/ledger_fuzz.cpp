// Any bytes as a checkpoint, a proof and a key. None may crash, and whatever is accepted must be
// the one text that says the same.
#include <cstddef>
#include <cstdint>

#include "base/check.h"
#include "ledger/ledger.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  static const auto key =
      cw::VerifierKey{"l.example", 1, cw::SigningKey::from_seed(std::string(32, 'l')).public_key()};
  if (auto note = cw::SignedNote::parse(bytes)) {
    CW_CHECK(note->text.ends_with("\n") && !note->signatures.empty());
    CW_CHECK(!note->verify(key));  // nobody guesses a signature
    if (auto checkpoint = cw::Checkpoint::parse(note->text))
      CW_CHECK(checkpoint->text() == note->text);
  }
  if (auto proof = cw::TlogProof::parse(bytes)) CW_CHECK(proof->text() == bytes);
  if (auto parsed = cw::VerifierKey::parse(bytes))
    CW_CHECK(bytes.find(parsed->text()) != bytes.npos);
  CW_CHECK(!cw::verify_proof(bytes, key.text()));
  return 0;
}
