// The witness: C2SP tlog-witness and tlog-cosignature.
#include <map>
#include <mutex>

#include "base/json.h"
#include "base/text.h"
#include "files.h"
#include "tile.h"

namespace cw {
namespace {

constexpr std::size_t witness_request_max = 128 * 1024;
constexpr std::size_t witness_proof_max = 63;
constexpr std::size_t witness_state_max = std::size_t{64} << 20;

struct AddRequest {
  std::uint64_t old_size = 0;
  MerkleProof proof;
  std::string checkpoint;
};

WitnessReply witness_says(int status, std::string sentence) {
  return {status, "text/plain; charset=utf-8", std::move(sentence) + "\n"};
}

WitnessReply witness_size(std::uint64_t size) {
  return {409, "text/x.tlog.size", std::to_string(size) + "\n"};
}

std::optional<AddRequest> parse_add_request(std::string_view body) {
  if (body.size() > witness_request_max) return std::nullopt;
  std::size_t gap = body.find("\n\n");
  if (gap == body.npos || body.substr(0, 4) != "old ") return std::nullopt;
  AddRequest out;
  std::vector<std::string_view> lines = split(body.substr(4, gap - 4), '\n');
  auto size = to_int<std::uint64_t>(lines[0]);
  if (!size || std::to_string(*size) != lines[0] || lines.size() > witness_proof_max + 1)
    return std::nullopt;
  out.old_size = *size;
  for (std::size_t i = 1; i < lines.size(); ++i) {
    auto hash = from_base64(lines[i]);
    if (!hash || hash->size() != 32) return std::nullopt;
    out.proof.push_back(hash_from(*hash));
  }
  out.checkpoint = body.substr(gap + 2);
  return out;
}

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

}  // namespace

struct WitnessedLog {
  VerifierKey key;
  std::string checkpoint;  // the largest cosigned note, or empty
  std::uint64_t size = 0;
  Hash root{};
};

struct Witness::Impl {
  Impl(std::string f, NoteSigner s, Clock& c)
      : state_file(std::move(f)), signer(std::move(s)), clock(c) {}

  const std::string state_file;
  const NoteSigner signer;
  Clock& clock;
  std::mutex mutex;
  std::map<std::string, WitnessedLog, std::less<>> logs;  // by origin

  // {"logs":{"<origin>":{"checkpoint":"<note>","vkey":"<key>"}}}
  void save() {
    json::object all;
    for (const auto& [origin, log] : logs)
      all[origin] = json::object{{"checkpoint", log.checkpoint}, {"vkey", log.key.text()}};
    write_file_durably(state_file, canonical(json::object{{"logs", std::move(all)}}) + "\n");
  }

  Status load() {
    auto text = read_whole_file(state_file, witness_state_max);
    if (!text)
      return text.problem().refusal == Refusal::not_found ? done() : Status(text.problem());
    Problem damaged = problem(Refusal::unavailable, "ledger.witness_state",
                              {"见证人状态文件损坏：" + state_file + "。请从副本恢复，不要删除",
                               "the witness's state file is damaged: " + state_file +
                                   ". Restore a copy, do not delete it"});
    auto parsed = parse_json(*text, {.size_max = witness_state_max});
    if (!parsed || !parsed->is_object()) return damaged;
    const json::value* all = parsed->as_object().if_contains("logs");
    if (all == nullptr || !all->is_object()) return damaged;
    for (const auto& [origin, value] : all->as_object()) {
      if (!value.is_object()) return damaged;
      auto key = VerifierKey::parse(text_or(value.as_object(), "vkey"));
      if (!key || key->name != origin) return damaged;
      WitnessedLog log{*key, std::string(text_or(value.as_object(), "checkpoint")), 0,
                       empty_root()};
      if (!log.checkpoint.empty()) {
        auto checkpoint = open_checkpoint(log.checkpoint, log.key);
        if (!checkpoint) return damaged;
        log.size = checkpoint->size;
        log.root = checkpoint->root;
      }
      logs.emplace(origin, std::move(log));
    }
    return done();
  }

  WitnessReply add(std::string_view body);
};

// The order of the checks is that of the specification.
WitnessReply Witness::Impl::add(std::string_view body) {
  auto request = parse_add_request(body);
  if (!request) return witness_says(400, "not an add-checkpoint request");
  auto note = SignedNote::parse(request->checkpoint);
  if (!note) return witness_says(400, note.problem().text.en);
  auto checkpoint = Checkpoint::parse(note->text);
  if (!checkpoint) return witness_says(400, checkpoint.problem().text.en);
  std::lock_guard lock(mutex);
  auto known = logs.find(checkpoint->origin);
  if (known == logs.end()) return witness_says(404, "this log is not known here");
  WitnessedLog& log = known->second;
  if (!note->verify(log.key))
    return witness_says(403, "the log's key did not sign this checkpoint");
  if (request->old_size > checkpoint->size)
    return witness_says(400, "the old size is larger than the checkpoint");
  if (request->old_size != log.size) return witness_size(log.size);
  if (request->old_size == checkpoint->size && log.size > 0 && checkpoint->root != log.root)
    return witness_size(log.size);  // two roots for one size: a fork
  bool consistent = log.size == 0 ? request->proof.empty() &&
                                        (checkpoint->size > 0 || checkpoint->root == empty_root())
                                  : verify_consistency(log.size, checkpoint->size, log.root,
                                                       checkpoint->root, request->proof);
  if (!consistent)
    return witness_says(422, "the checkpoint is not shown to contain the one cosigned before");
  WitnessedLog before = log;
  log.checkpoint = request->checkpoint;
  log.size = checkpoint->size;
  log.root = checkpoint->root;
  try {
    save();
  } catch (...) {
    log = std::move(before);
    throw;
  }
  return {200, "text/plain; charset=utf-8",
          signer.cosignature_line(note->text, clock.now_ms() / 1000)};
}

Witness::Witness(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Witness::~Witness() = default;

Result<std::unique_ptr<Witness>> Witness::open(const std::string& state_file, NoteSigner signer,
                                               Clock& clock) {
  auto impl = std::make_unique<Impl>(state_file, std::move(signer), clock);
  Status loaded = impl->load();
  if (!loaded) return loaded.problem();
  return std::unique_ptr<Witness>(new Witness(std::move(impl)));
}

Status Witness::know(const VerifierKey& key) {
  std::lock_guard lock(impl_->mutex);
  auto [it, fresh] = impl_->logs.try_emplace(key.name, WitnessedLog{key, {}, 0, empty_root()});
  if (!fresh && it->second.key.text() != key.text()) {
    return problem(Refusal::conflict, "ledger.witness_key",
                   {"账本“" + key.name + "”此前使用另一公钥，不会副署",
                    "the log \"" + key.name + "\" was known by another key: nothing is cosigned"});
  }
  if (fresh) impl_->save();
  return done();
}

WitnessReply Witness::add_checkpoint(std::string_view request) { return impl_->add(request); }

std::string Witness::checkpoint_of(std::string_view origin) const {
  std::lock_guard lock(impl_->mutex);
  auto known = impl_->logs.find(origin);
  return known == impl_->logs.end() ? std::string() : known->second.checkpoint;
}

VerifierKey Witness::verifier() const { return impl_->signer.verifier(4); }

Result<std::string> Witness::visit(const LogFiles& log, const std::string& key) try {
  auto note = log.read("checkpoint", checkpoint_bytes_max);
  if (!note) {
    return problem(
        Refusal::not_found, "ledger.no_checkpoint",
        {"这里没有账本（缺少 checkpoint 文件）", "there is no log here (no file \"checkpoint\")"});
  }
  auto vkey =
      VerifierKey::parse(key.empty() ? log.read("vkey", checkpoint_bytes_max).value_or("") : key);
  if (!vkey) return vkey.problem();
  auto checkpoint = open_checkpoint(*note, *vkey);
  if (!checkpoint) return checkpoint.problem();
  Status known = know(*vkey);
  if (!known) return known.problem();
  auto lines =
      ask_witness([&](const std::string& r) { return add_checkpoint(r); }, log, *note, verifier());
  if (!lines) return lines.problem();
  return *note + *lines;
} catch (const LogUnreadable& e) {
  return e.problem;
}

Result<std::string> ask_witness(const WitnessPost& post, const LogFiles& log,
                                const std::string& checkpoint, const VerifierKey& witness) try {
  auto note = SignedNote::parse(checkpoint);
  if (!note) return note.problem();
  auto wanted = Checkpoint::parse(note->text);
  if (!wanted) return wanted.problem();
  TileTree tree(log, wanted->size);
  // The witness says what it remembers; a proof is made from there.
  WitnessReply reply = post(add_request(0, {}, checkpoint));
  if (reply.status == 409 && reply.content_type.starts_with("text/x.tlog.size")) {
    auto remembered = to_int<std::uint64_t>(trim(reply.body));
    if (!remembered) return witness_refused(reply);
    if (*remembered > wanted->size) {
      std::string r = std::to_string(*remembered), s = std::to_string(wanted->size);
      return problem(
          Refusal::conflict, "ledger.truncated",
          {"见证人见过 " + r + " 条的账本，而这里只有 " + s + " 条：账本被截短，拒绝副署",
           "the witness has seen " + r + " entries and this log has " + s +
               ": it was truncated; not cosigned"});
    }
    reply = post(add_request(*remembered, tree.consistency(*remembered, wanted->size), checkpoint));
    if (reply.status == 409 || reply.status == 422) {
      std::string r = std::to_string(*remembered);
      return problem(Refusal::conflict, "ledger.fork",
                     {"账本与见证人见过的前 " + r + " 条不一致：账本被改写或分叉，拒绝副署",
                      "the log is not a continuation of the " + r +
                          " entries that the witness has seen: it was rewritten; not cosigned"});
    }
  }
  if (reply.status != 200) return witness_refused(reply);
  auto cosigned = SignedNote::parse(checkpoint + reply.body);
  if (!cosigned) return cosigned.problem();
  auto verified = cosigned->verify(witness);
  if (!verified) return verified.problem();
  return std::move(reply.body);
} catch (const LogUnreadable& e) {
  return e.problem;
}

}  // namespace cw
