// Requests to a witness: any bytes as a body, and a story of requests about two logs of one name
// and key that part after 20 entries, each request perhaps damaged. Whatever comes, the witness
// answers, cosigns only a continuation of what it cosigned before, and remembers it.
#include <stdlib.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>

#include "base/check.h"
#include "base/text.h"
#include "ledger/ledger.h"

namespace {

constexpr std::uint64_t size_max = 48, parting = 20;

class Entries final : public cw::EntrySource {
 public:
  explicit Entries(std::string mark) : mark_(std::move(mark)) {}
  std::uint64_t size() override { return size_; }
  std::vector<std::string> read(std::uint64_t from, std::size_t count) override {
    std::vector<std::string> out;
    for (std::uint64_t i = from; i < size_ && out.size() < count; ++i)
      out.push_back(std::to_string(i) + (i < parting ? "" : mark_));
    return out;
  }
  void grow() { ++size_; }

 private:
  std::string mark_;
  std::uint64_t size_ = 0;
};

struct History {
  std::vector<std::string> notes = {""};                    // by size
  std::vector<std::vector<cw::MerkleProof>> proofs = {{}};  // by size, then old size
};

struct World {
  World() {
    char name[] = "/dev/shm/witness-fuzz-XXXXXX";
    CW_CHECK(::mkdtemp(name) != nullptr);
    folder = name;
    for (const char* mark : {"", "x"}) {
      Entries entries(mark);
      auto ledger = cw::Ledger::open(
          {.folder = folder + "/log" + mark, .origin = "l.example", .key_file = folder + "/key"},
          entries, random);
      CW_CHECK(ledger.ok());
      History h;
      for (std::uint64_t size = 1; size <= size_max; ++size) {
        entries.grow();
        CW_CHECK((*ledger)->advance().ok());
        h.notes.push_back((*ledger)->checkpoint());
        h.proofs.emplace_back(1);
        for (std::uint64_t old = 1; old <= size; ++old)
          h.proofs.back().push_back(*(*ledger)->consistency(old, size));
      }
      histories.push_back(std::move(h));
      key = *cw::VerifierKey::parse((*ledger)->verifier_key());
    }
  }
  ~World() { std::filesystem::remove_all(folder); }

  std::string folder;
  cw::SeededRandom random{1};
  cw::ManualClock clock{1'795'305'600'000};
  std::vector<History> histories;
  cw::VerifierKey key;
};

std::unique_ptr<cw::Witness> open_witness(World& w) {
  auto opened = cw::Witness::open(
      w.folder + "/state", {"w.example", cw::SigningKey::from_seed(std::string(32, 'w'))}, w.clock);
  CW_CHECK(opened.ok());
  return std::move(*opened);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static World world;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  std::filesystem::remove_all(world.folder + "/state");
  auto witness = open_witness(world);
  CW_CHECK(witness->know(world.key).ok());
  const int raw = witness->add_checkpoint(bytes).status;
  CW_CHECK(raw == 400 || raw == 403 || raw == 404);  // nobody guesses a signature

  std::uint64_t kept = 0;
  unsigned kept_history = 0;
  // Five bytes a step: which history and whether damaged, old size, new size, where, what.
  for (std::size_t at = 0; at + 5 <= size && at < 60; at += 5) {
    const unsigned history = data[at] & 1;
    const std::uint64_t old = data[at + 1] % (size_max + 1), to = 1 + data[at + 2] % size_max;
    const History& h = world.histories[history];
    std::string body = "old " + std::to_string(old) + "\n";
    if (old > 0 && old <= to)
      for (const cw::Hash& hash : h.proofs[to][old])
        body += cw::to_base64(cw::bytes_of(hash)) + "\n";
    body += "\n" + h.notes[to];
    if (data[at] & 2) body[data[at + 3] % body.size()] ^= static_cast<char>(data[at + 4]);
    const bool damaged = (data[at] & 2) != 0 && data[at + 4] != 0;
    const cw::WitnessReply reply = witness->add_checkpoint(body);
    const bool grown = to >= kept && (history == kept_history || kept <= parting);
    const bool continues = grown && old == kept;
    CW_CHECK(damaged || (reply.status == 200) == continues);
    CW_CHECK(reply.status == 200 || reply.status == 400 || reply.status == 403 ||
             reply.status == 404 || reply.status == 409 || reply.status == 422);
    if (reply.status == 200) {
      CW_CHECK(grown);
      auto cosigned = cw::SignedNote::parse(h.notes[to] + reply.body);
      CW_CHECK(cosigned.ok() && cosigned->verify(witness->verifier()).ok());
      kept = to;
      kept_history = history;
    }
  }
  witness.reset();
  const std::string remembered = open_witness(world)->checkpoint_of("l.example");
  CW_CHECK(remembered.empty() == (kept == 0));
  if (kept > 0) CW_CHECK(cw::open_checkpoint(remembered, world.key)->size == kept);
  return 0;
}
