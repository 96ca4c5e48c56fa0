// The ledger: the journal's entries as a Merkle log in public formats (C2SP tlog-tiles,
// signed-note, tlog-checkpoint, tlog-proof, tlog-cosignature, tlog-witness), so that a stranger can
// check it with tools we did not write. docs/formats/ledger.md says it byte by byte. Free functions
// are pure and thread-safe; Ledger and Witness lock for themselves.
//
//   auto ledger = Ledger::open({.folder = dir, .origin = "ledger.example/12345", .key_file = key},
//                              source, random);
//   (*ledger)->start();                                  // builds, signs and publishes each second
//   Result<std::string> proof = (*ledger)->prove(42);    // a c2sp.org/tlog-proof@v1 text
//   auto report = verify_log(**open_log("https://ledger.example/12345"), {.key = vkey});
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"
#include "crypto/crypto.h"

namespace cw {

// ---- the Merkle tree (RFC 6962 §2.1) -----------------------------------------------------------

using MerkleProof = std::vector<Hash>;  // nearest the leaf first

Hash leaf_hash(std::string_view entry);               // SHA-256(0x00 ‖ entry)
Hash node_hash(const Hash& left, const Hash& right);  // SHA-256(0x01 ‖ left ‖ right)
Hash empty_root();                                    // SHA-256 of nothing

// Is `leaf` the entry number `index` of the tree of `size` entries with this root?
bool verify_inclusion(std::uint64_t index, std::uint64_t size, const Hash& leaf,
                      const MerkleProof& proof, const Hash& root);
// Is the tree of `size1` entries a beginning of the tree of `size2`? `size1` must be at least 1:
// from the empty tree there is nothing to prove.
bool verify_consistency(std::uint64_t size1, std::uint64_t size2, const Hash& root1,
                        const Hash& root2, const MerkleProof& proof);
// The same about the subtree over entries [start, end): `start` must be a multiple of the smallest
// power of two that is not less than end − start (draft-ietf-plants-merkle-tree-certs).
bool verify_subtree_inclusion(std::uint64_t index, std::uint64_t start, std::uint64_t end,
                              const Hash& leaf, const MerkleProof& proof, const Hash& root);
bool verify_subtree_consistency(std::uint64_t start, std::uint64_t end, std::uint64_t size,
                                const Hash& subtree_root, const Hash& root,
                                const MerkleProof& proof);

// ---- keys and signed notes (C2SP signed-note) --------------------------------------------------

// A public key with its name: "name+hash+base64" (a "vkey"). Kind 1 signs notes, kind 4 cosigns.
struct VerifierKey {
  std::string name;
  std::uint8_t kind = 1;
  std::string public_key;  // 32 bytes, Ed25519

  static Result<VerifierKey> parse(std::string_view vkey);
  std::string text() const;
  std::uint32_t id() const;  // first 4 bytes of SHA-256(name ‖ "\n" ‖ kind ‖ public key)
};

// A name with its private key, kept in a file of its own: one line
// "PRIVATE+KEY+name+hash+base64" (as golang.org/x/mod/sumdb/note writes it), mode 0600.
struct NoteSigner {
  std::string name;
  SigningKey key;

  VerifierKey verifier(std::uint8_t kind = 1) const { return {name, kind, key.public_key()}; }
  std::string signature_line(std::string_view note_text) const;  // "— name base64\n"
  // A cosignature/v1 line over a checkpoint's text at a time (seconds since 1970).
  std::string cosignature_line(std::string_view note_text, std::int64_t now_s) const;
};

// Reads a signer's file; "ledger.key_mode" when others may read it, "ledger.key_name" when it is
// somebody else's, `not_found` when absent. create_signer writes a new one and never overwrites.
Result<NoteSigner> read_signer(const std::string& path, std::string_view name);
Result<NoteSigner> create_signer(const std::string& path, std::string_view name, Random& random);

struct NoteSignature {
  std::string name;
  std::uint32_t key_id = 0;
  std::string bytes;
  int line = 0;  // in the note, from 1

  bool by(const VerifierKey& key) const { return name == key.name && key_id == key.id(); }
  std::string text() const;  // "— name base64\n"
};

// At most 64 KiB and 64 signatures. A Problem's field is "/checkpoint/<line>".
struct SignedNote {
  std::string text;  // with its final newline
  std::vector<NoteSignature> signatures;

  static Result<SignedNote> parse(std::string_view note);
  // Ok when the key signed this text and no signature of the key is wrong. For a cosigning key the
  // value is the time it names, else 0.
  Result<std::int64_t> verify(const VerifierKey& key) const;
};

struct Checkpoint {
  std::string origin;
  std::uint64_t size = 0;
  Hash root{};
  std::vector<std::string> extensions;  // ours has none

  static Result<Checkpoint> parse(std::string_view note_text);
  std::string text() const;
};

// Parses a note and its checkpoint and checks that the log's own key (name = origin) signed it.
Result<Checkpoint> open_checkpoint(std::string_view note, const VerifierKey& key);

// ---- proofs as text (C2SP tlog-proof) ----------------------------------------------------------

struct TlogProof {
  std::uint64_t index = 0;
  std::optional<std::string> extra;  // ours holds the entry itself, so the proof stands alone
  MerkleProof hashes;
  std::string checkpoint;  // the signed note, verbatim

  static Result<TlogProof> parse(std::string_view text);  // at most 256 KiB; fields "/proof/<line>"
  std::string text() const;
};

// ---- reading a log: a folder or a web address --------------------------------------------------

class LogFiles {
 public:
  virtual ~LogFiles() = default;
  // The file's bytes, or nothing when there is none. Throws LogUnreadable on failure or when it is
  // larger than `size_max`. Safe from many threads.
  virtual std::optional<std::string> read(const std::string& path, std::size_t size_max) const = 0;
  // Every file's path, sorted; nothing where it cannot be known (a web address).
  virtual std::optional<std::vector<std::string>> list() const = 0;
};

// An environment failure while reading a log (disk, network).
struct LogUnreadable : std::exception {
  explicit LogUnreadable(Problem p) : problem(std::move(p)) {}
  const char* what() const noexcept override { return problem.text.en.c_str(); }
  Problem problem;
};

// "http://…" and "https://…" are read with libcurl (30 s a file), anything else is a folder.
Result<std::unique_ptr<LogFiles>> open_log(const std::string& folder_or_url);

// ---- verification ------------------------------------------------------------------------------

struct VerifyOptions {
  std::string key;  // the log's vkey, got from the organisation; empty: the log's own file "vkey"
  std::vector<std::string> witnesses;  // vkeys (kind 4) that must have cosigned
  std::string since;  // a checkpoint kept from before: the log must still begin with it
  std::optional<std::uint64_t> from, to;  // only the entries [from, to) and their way to the root
  unsigned threads = 0;                   // 0: as many as the machine has, at most 8
  std::function<void(std::uint64_t done, std::uint64_t all)> progress;  // one thread at a time
  // Every file that was read and belongs to the log; one thread at a time, the checkpoint last.
  std::function<void(const std::string& path, const std::string& bytes)> on_file;
};

struct VerifyReport {
  Checkpoint checkpoint;
  std::uint64_t from = 0, to = 0;  // the entries that were hashed
  bool key_from_log = false;       // the key came from the log itself: compare it elsewhere
  std::string key;
};

// Verifies every entry, tile and checkpoint line (or a range). The Problem names the first place
// that differs, as field: "/entries/<number>", "/tile/…" (a path in the log) or
// "/checkpoint/<line>". Refusal::conflict: the log does not verify; other refusals: it could not
// be read or the options are wrong. Memory: 32 bytes for each 256 entries.
Result<VerifyReport> verify_log(const LogFiles& log, const VerifyOptions& options);

// Verifies one proof text; `entry` overrides the proof's extra line.
Result<VerifyReport> verify_proof(std::string_view proof, const std::string& key,
                                  std::optional<std::string_view> entry = std::nullopt);

// Makes a proof, or a consistency proof between two sizes, from a log's tiles.
Result<std::string> prove_from(const LogFiles& log, std::uint64_t index);
Result<MerkleProof> consistency_from(const LogFiles& log, std::uint64_t from, std::uint64_t to);

// Copies a log that verifies into `folder`, which must be absent or empty.
Result<VerifyReport> export_log(const LogFiles& log, const std::string& folder,
                                VerifyOptions options);

// ---- witnesses, as a log sees them (C2SP tlog-witness) -----------------------------------------

struct WitnessReply {
  int status = 0;  // as HTTP
  std::string content_type, body;
};

// Sends the body of POST add-checkpoint. Throws LogUnreadable; one thread at a time.
using WitnessPost = std::function<WitnessReply(const std::string& request)>;
// Posts to "<url>/add-checkpoint" with libcurl (3 s in all) over one connection that is kept.
// `ca_file`: trust only these certificates (PEM); empty: the system's.
WitnessPost witness_at(const std::string& url, const std::string& ca_file = {});

// Asks a witness to cosign `checkpoint`, proving growth from the size that the witness remembers;
// `known_size` is where it was last, and only saves a question. Returns its verified signature
// line; whatever else the answer holds is passed over. "ledger.fork", "ledger.truncated": the
// witness has seen another log under this name.
Result<std::string> ask_witness(const WitnessPost& post, const LogFiles& log,
                                const std::string& checkpoint, const VerifierKey& witness,
                                std::uint64_t known_size = 0);

struct WitnessPeer {
  VerifierKey key;  // kind 4
  WitnessPost post;
};

struct WitnessState {
  std::string name;
  std::uint64_t size = 0;          // of the last checkpoint it cosigned since the start
  std::int64_t at_s = 0;           // the time its cosignature names, seconds since 1970
  std::optional<Problem> trouble;  // why it did not the last time
};

// ---- building and publishing -------------------------------------------------------------------

// Where entries come from: the journal. Only durable entries count, and they never change.
class EntrySource {
 public:
  virtual ~EntrySource() = default;
  virtual std::uint64_t size() = 0;
  // Canonical bytes of entries [from, from + n), n from 1 to `count`; each at most 65,535 bytes.
  virtual std::vector<std::string> read(std::uint64_t from, std::size_t count) = 0;
};

struct LedgerOptions {
  std::string folder;    // made when absent; may be served as it is by any web server
  std::string origin;    // names the log and its key: no spaces, no "+"
  std::string key_file;  // made on first start, never when the folder already has a checkpoint
  std::string outside;   // the largest checkpoint known outside (a witness, a mirror), if any
  std::vector<WitnessPeer> witnesses;  // asked, all at once, before a checkpoint is published
  int witness_retry_ms = 1000;   // one that failed is left out so long; doubles up to 64 times that
  const Clock* clock = nullptr;  // times that wait; null: the machine's
  int interval_ms = 1000;        // of the thread: at most one checkpoint in this time
};

class Ledger {
 public:
  // Refuses ("ledger.shorter", "ledger.forked") when the source no longer holds what was signed
  // here or outside. Tiles that are damaged or lost are built anew from the source.
  static Result<std::unique_ptr<Ledger>> open(LedgerOptions options, EntrySource& source,
                                              Random& random);
  ~Ledger();

  // One round: tiles for what is new and durable, then the signature, the witnesses, and then the
  // checkpoint with what they signed. A witness that does not answer delays it by 3 s at most and
  // is then left out for a while. Throws std::system_error when the disk refuses; the next round
  // starts again from what is published.
  Status advance();

  void start();  // a thread that calls advance() once an interval
  void stop();   // after a last round; idempotent
  // Why the last round failed, or that a witness has seen another log; for health pages.
  std::optional<Problem> trouble() const;
  std::vector<WitnessState> witnesses() const;  // in the order of the options

  std::uint64_t size() const;  // of the published checkpoint
  Hash root() const;
  std::string checkpoint() const;  // the signed note; empty before the first entry
  std::string verifier_key() const;

  Result<std::string> prove(std::uint64_t index) const;
  Result<MerkleProof> consistency(std::uint64_t from, std::uint64_t to) const;
  Status export_to(const std::string& folder) const;

 private:
  struct Impl;
  explicit Ledger(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// ---- the witness -------------------------------------------------------------------------------

constexpr std::size_t witness_request_max = 128 * 1024;  // bytes of one add-checkpoint request

// Keeps the largest checkpoint seen of each log, one file each, and cosigns only consistent growth
// (C2SP tlog-witness). The file is written durably before a cosignature leaves; requests about one
// log wait for each other, those about different logs do not.
class Witness {
 public:
  // The folder is made when absent. "ledger.witness_busy" while another process has it open,
  // "ledger.witness_state" when a file in it is damaged.
  static Result<std::unique_ptr<Witness>> open(const std::string& folder, NoteSigner signer,
                                               Clock& clock);
  ~Witness();

  // From now on this log is known; "ledger.witness_key" when it was known by another key.
  Status know(const VerifierKey& log_key);
  std::vector<VerifierKey> known() const;  // by origin
  // The body of POST add-checkpoint. Throws std::system_error when the disk refuses: nothing was
  // cosigned then.
  WitnessReply add_checkpoint(std::string_view request);
  // Fetches a log's checkpoint, proves its growth from its tiles, and returns the checkpoint with
  // the cosignature added. A log met for the first time is known by `key`, or by its own vkey file.
  Result<std::string> visit(const LogFiles& log, const std::string& key = {});

  std::string checkpoint_of(std::string_view origin) const;  // the largest seen, or empty
  VerifierKey verifier() const;

 private:
  struct Impl;
  explicit Witness(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace cw
