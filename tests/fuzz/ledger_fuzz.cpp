// Any bytes as a checkpoint, a proof, a key and a witness request. None may crash, and whatever is
// accepted must be the one text that says the same.
#include <cstddef>
#include <cstdint>

#include "base/check.h"
#include "ledger/ledger.h"

namespace {

// It knows no log, so it never writes its state.
cw::Witness& fuzzed_witness() {
  static cw::ManualClock clock(1'795'305'600'000);
  static auto witness = cw::Witness::open(
      "no-such-folder/state", {"w.example", cw::SigningKey::from_seed(std::string(32, 'w'))}, clock);
  return **witness;
}

}  // namespace

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
  const int status = fuzzed_witness().add_checkpoint(bytes).status;
  CW_CHECK(status == 400 || status == 404);
  return 0;
}
