// The client's side of C2SP tlog-witness: asking one witness, and a ledger's witnesses together.
#include "cosigners.h"

#include <algorithm>
#include <future>

#include "base/log.h"
#include "base/text.h"
#include "tile.h"

namespace cw {
namespace {

constexpr int ask_rounds_max = 3;       // somebody else may ask about the same log meanwhile
constexpr int retry_doublings_max = 6;  // 64 times

std::string add_request(std::uint64_t old_size, const MerkleProof& proof,
                        const std::string& checkpoint) {
  std::string out = "old " + std::to_string(old_size) + "\n";
  for (const Hash& h : proof) out += to_base64(bytes_of(h)) + "\n";
  return out + "\n" + checkpoint;
}

Problem witness_refused(const WitnessReply& reply) {
  std::string s = std::to_string(reply.status);
  std::string why(trim(clip(is_utf8(reply.body) ? reply.body : std::string(), 300)));
  return problem(
      Refusal::conflict, "ledger.witness_refused",
      {"见证人拒绝副署（" + s + "）：" + why, "the witness refused (" + s + "): " + why});
}

Problem log_truncated(std::uint64_t remembered, std::uint64_t has) {
  std::string r = std::to_string(remembered), s = std::to_string(has);
  return problem(Refusal::conflict, "ledger.truncated",
                 {"见证人见过 " + r + " 条的账本，而这里只有 " + s + " 条：账本被截短，拒绝副署",
                  "the witness has seen " + r + " entries and this log has " + s +
                      ": it was truncated; not cosigned"});
}

Problem log_forked(std::uint64_t remembered) {
  std::string r = std::to_string(remembered);
  return problem(Refusal::conflict, "ledger.fork",
                 {"账本与见证人见过的前 " + r + " 条不一致：账本被改写或分叉，拒绝副署",
                  "the log is not a continuation of the " + r +
                      " entries that the witness has seen: it was rewritten; not cosigned"});
}

// The witness's own line out of an answer, verified over exactly this note's text.
Result<std::string> line_of(const WitnessReply& reply, const SignedNote& note,
                            const std::string& checkpoint, const VerifierKey& witness) {
  auto cosigned = SignedNote::parse(checkpoint + reply.body);
  if (!cosigned) return cosigned.problem();
  if (cosigned->text != note.text) return witness_refused({reply.status, "", "not a signature"});
  auto verified = cosigned->verify(witness);
  if (!verified) return verified.problem();
  std::string line;
  for (const NoteSignature& s : cosigned->signatures)
    if (s.by(witness)) line = s.text();
  return line;
}

}  // namespace

bool accuses(const Problem& p) { return p.code == "ledger.fork" || p.code == "ledger.truncated"; }

Result<std::string> ask_witness(const WitnessPost& post, const LogFiles& log,
                                const std::string& checkpoint, const VerifierKey& witness,
                                std::uint64_t known_size) try {
  auto note = SignedNote::parse(checkpoint);
  if (!note) return note.problem();
  auto wanted = Checkpoint::parse(note->text);
  if (!wanted) return wanted.problem();
  TileTree tree(log, wanted->size);
  std::uint64_t from = known_size <= wanted->size ? known_size : 0;
  for (int round = 0;; ++round) {
    MerkleProof proof;
    if (from > 0) proof = tree.consistency(from, wanted->size);
    WitnessReply reply = post(add_request(from, proof, checkpoint));
    if (reply.status == 200) return line_of(reply, *note, checkpoint, witness);
    if (reply.status == 422) return log_forked(from);
    // The witness says what it remembers; a proof is made from there.
    if (reply.status != 409 || !reply.content_type.starts_with("text/x.tlog.size"))
      return witness_refused(reply);
    auto remembered = to_int<std::uint64_t>(trim(reply.body));
    if (!remembered || round + 1 == ask_rounds_max) return witness_refused(reply);
    if (*remembered > wanted->size) return log_truncated(*remembered, wanted->size);
    if (*remembered == from) return log_forked(from);  // of the same size, with another root
    from = *remembered;
  }
} catch (const LogUnreadable& e) {
  return e.problem;
}

Cosigners::Cosigners(std::vector<WitnessPeer> peers, int retry_ms, const Clock* clock)
    : retry_ms_(retry_ms), clock_(clock != nullptr ? clock : &system_) {
  for (WitnessPeer& peer : peers) {
    std::string name = peer.key.name;
    peers_.push_back({std::move(peer), {std::move(name), 0, 0, std::nullopt}});
  }
}

// `mutex_` is held.
std::vector<std::size_t> Cosigners::due_now(const std::string& note) const {
  auto parsed = SignedNote::parse(note);
  CW_CHECK(parsed.ok());  // our own
  std::vector<std::size_t> out;
  for (std::size_t i = 0; i < peers_.size(); ++i) {
    const Peer& p = peers_[i];
    bool signed_it = std::any_of(parsed->signatures.begin(), parsed->signatures.end(),
                                 [&](const NoteSignature& s) { return s.by(p.peer.key); });
    if (!signed_it && p.next_ns <= now_ns()) out.push_back(i);
  }
  return out;
}

bool Cosigners::due(const std::string& note) const {
  std::lock_guard lock(mutex_);
  return !due_now(note).empty();
}

std::string Cosigners::ask(const LogFiles& files, const std::string& note) {
  std::vector<std::size_t> due;
  std::vector<std::uint64_t> known;
  {
    std::lock_guard lock(mutex_);
    due = due_now(note);
    for (std::size_t i : due) known.push_back(peers_[i].state.size);
  }
  std::vector<std::future<Result<std::string>>> answers;
  for (std::size_t k = 0; k < due.size(); ++k) {
    answers.push_back(std::async(std::launch::async, [&, k] {
      const WitnessPeer& peer = peers_[due[k]].peer;
      return ask_witness(peer.post, files, note, peer.key, known[k]);
    }));
  }
  std::string with = note;
  for (std::size_t k = 0; k < due.size(); ++k) {
    Result<std::string> line = answers[k].get();
    std::lock_guard lock(mutex_);
    Peer& p = peers_[due[k]];
    if (!line) {
      fail(p, line.problem());
      continue;
    }
    with += *line;
    take(p, *SignedNote::parse(with));
  }
  return with;
}

void Cosigners::take(Peer& p, const SignedNote& with) {
  if (p.state.trouble) log_info("ledger", "the witness {} cosigns again", p.state.name);
  p.state = {p.state.name, Checkpoint::parse(with.text)->size, *with.verify(p.peer.key),
             std::nullopt};
  p.failures = 0;
}

void Cosigners::fail(Peer& p, const Problem& why) {
  if (!p.state.trouble || p.state.trouble->code != why.code) {
    if (accuses(why)) {
      log_error("ledger", "the witness {}: {}", p.state.name, why.text.en);
    } else {
      log_warn("ledger", "the witness {} did not cosign: {}", p.state.name, why.code);
    }
  }
  p.state.trouble = why;
  std::int64_t wait_ms = std::int64_t{retry_ms_} << std::min(p.failures, retry_doublings_max);
  p.next_ns = now_ns() + wait_ms * 1'000'000;
  ++p.failures;
}

std::vector<WitnessState> Cosigners::states() const {
  std::lock_guard lock(mutex_);
  std::vector<WitnessState> out;
  for (const Peer& p : peers_) out.push_back(p.state);
  return out;
}

}  // namespace cw
