// The witness: C2SP tlog-witness and tlog-cosignature.
#include <filesystem>
#include <map>
#include <mutex>

#include "base/text.h"
#include "files.h"
#include "tile.h"

namespace cw {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t witness_proof_max = 63;
constexpr std::string_view nothing_cosigned = "none\n";

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

Problem damaged_state(const std::string& path) {
  return problem(
      Refusal::unavailable, "ledger.witness_state",
      {"见证人状态文件损坏：" + path + "。请从副本恢复，不要删除",
       "the witness's state is damaged: " + path + ". Restore a copy, do not delete it"});
}

}  // namespace

// One log: its key for ever, and the largest checkpoint cosigned. In the file "<key>\n" and then
// the checkpoint as it came, or the word "none".
struct WitnessedLog {
  explicit WitnessedLog(VerifierKey k) : key(std::move(k)) {}

  static Result<std::unique_ptr<WitnessedLog>> parse(std::string_view file) {
    std::size_t end = file.find('\n');
    auto key = VerifierKey::parse(file.substr(0, end));
    if (!key) return key.problem();
    auto log = std::make_unique<WitnessedLog>(std::move(*key));
    std::string_view rest = end == file.npos ? std::string_view() : file.substr(end + 1);
    if (rest == nothing_cosigned) return log;
    auto seen = open_checkpoint(rest, log->key);
    if (!seen) return seen.problem();
    log->checkpoint = rest;
    log->size = seen->size;
    log->root = seen->root;
    return log;
  }
  std::string file() const {
    return key.text() + "\n" + (checkpoint.empty() ? std::string(nothing_cosigned) : checkpoint);
  }

  const VerifierKey key;
  mutable std::mutex mutex;  // from the comparison to the durable file, one request at a time
  std::string checkpoint;    // the largest cosigned note, or empty
  std::uint64_t size = 0;
  Hash root = empty_root();
};

struct Witness::Impl {
  Impl(std::string f, NoteSigner s, Clock& c)
      : folder(std::move(f)), signer(std::move(s)), clock(c), lock(folder) {}

  const std::string folder;
  const NoteSigner signer;
  Clock& clock;
  FolderLock lock;
  mutable std::mutex mutex;  // guards the map; a log once there stays
  std::map<std::string, std::unique_ptr<WitnessedLog>, std::less<>> logs;  // by origin

  // Origins may hold any character, so a file's name is the origin's hash.
  std::string path_of(std::string_view origin) const {
    return folder + "/" + to_hex(bytes_of(sha256_of({origin})).substr(0, 16)) + ".log";
  }

  WitnessedLog* find(std::string_view origin) const {
    std::lock_guard guard(mutex);
    auto known = logs.find(origin);
    return known == logs.end() ? nullptr : known->second.get();
  }

  Status load() {
    for (const auto& file : fs::directory_iterator(folder)) {
      std::string path = file.path().string();
      if (file.path().extension() != ".log") continue;
      auto bytes = read_whole_file(path, witness_request_max);
      auto log = bytes ? WitnessedLog::parse(*bytes) : bytes.problem();
      if (!log || path_of((*log)->key.name) != path) return damaged_state(path);
      std::string origin = (*log)->key.name;
      logs.emplace(std::move(origin), std::move(*log));
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
  WitnessedLog* log = find(checkpoint->origin);
  if (log == nullptr) return witness_says(404, "this log is not known here");
  if (!note->verify(log->key))
    return witness_says(403, "the log's key did not sign this checkpoint");
  if (request->old_size > checkpoint->size)
    return witness_says(400, "the old size is larger than the checkpoint");
  std::lock_guard guard(log->mutex);
  if (request->old_size != log->size) return witness_size(log->size);
  const bool same = checkpoint->size == log->size && checkpoint->root == log->root;
  if (checkpoint->size == log->size && !same && log->size > 0)
    return witness_size(log->size);  // two roots for one size: a fork
  bool consistent = log->size == 0 ? request->proof.empty() && (checkpoint->size > 0 || same)
                                   : verify_consistency(log->size, checkpoint->size, log->root,
                                                        checkpoint->root, request->proof);
  if (!consistent)
    return witness_says(422, "the checkpoint is not shown to contain the one cosigned before");
  if (!same || log->checkpoint.empty()) {
    WitnessedLog next(log->key);
    next.checkpoint = std::move(request->checkpoint);
    write_file_durably(path_of(log->key.name), next.file());
    log->checkpoint = std::move(next.checkpoint);
    log->size = checkpoint->size;
    log->root = checkpoint->root;
  }
  return {200, "text/plain; charset=utf-8",
          signer.cosignature_line(note->text, clock.now_ms() / 1000)};
}

Witness::Witness(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Witness::~Witness() = default;

Result<std::unique_ptr<Witness>> Witness::open(const std::string& folder, NoteSigner signer,
                                               Clock& clock) {
  std::string path = folder;
  while (path.size() > 1 && path.ends_with("/")) path.pop_back();
  make_folder_durably(path);
  auto impl = std::make_unique<Impl>(path, std::move(signer), clock);
  if (!impl->lock.held()) {
    return problem(Refusal::unavailable, "ledger.witness_busy",
                   {"另一个见证人进程正在使用此目录：" + path,
                    "another witness process is using this folder: " + path});
  }
  Status loaded = impl->load();
  if (!loaded) return loaded.problem();
  return std::unique_ptr<Witness>(new Witness(std::move(impl)));
}

Status Witness::know(const VerifierKey& key) {
  std::lock_guard guard(impl_->mutex);
  auto known = impl_->logs.find(key.name);
  if (known == impl_->logs.end()) {
    auto log = std::make_unique<WitnessedLog>(key);
    write_file_durably(impl_->path_of(key.name), log->file());
    impl_->logs.emplace(key.name, std::move(log));
  } else if (known->second->key.text() != key.text()) {
    return problem(Refusal::conflict, "ledger.witness_key",
                   {"账本“" + key.name + "”此前使用另一公钥，不会副署",
                    "the log \"" + key.name + "\" was known by another key: nothing is cosigned"});
  }
  return done();
}

std::vector<VerifierKey> Witness::known() const {
  std::lock_guard guard(impl_->mutex);
  std::vector<VerifierKey> out;
  for (const auto& [origin, log] : impl_->logs) out.push_back(log->key);
  return out;
}

WitnessReply Witness::add_checkpoint(std::string_view request) { return impl_->add(request); }

std::string Witness::checkpoint_of(std::string_view origin) const {
  WitnessedLog* log = impl_->find(origin);
  if (log == nullptr) return {};
  std::lock_guard guard(log->mutex);
  return log->checkpoint;
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
  auto line =
      ask_witness([&](const std::string& r) { return add_checkpoint(r); }, log, *note, verifier());
  if (!line) return line.problem();
  return *note + *line;
} catch (const LogUnreadable& e) {
  return e.problem;
}

}  // namespace cw
