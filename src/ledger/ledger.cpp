// Building and publishing: entries → tiles → signature → witnesses → checkpoint.
#include "ledger.h"

#include <algorithm>
#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <system_error>

#include "base/log.h"
#include "base/thread.h"
#include "cosigners.h"
#include "files.h"
#include "log_files.h"
#include "tile.h"

namespace cw {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t ledger_read_max = 4096;                      // entries asked for at once
constexpr std::size_t ledger_batch_bytes = std::size_t{32} << 20;  // written before a sync

Problem source_shorter(std::uint64_t has, std::uint64_t signed_size) {
  std::string h = std::to_string(has), s = std::to_string(signed_size);
  return problem(Refusal::conflict, "ledger.shorter",
                 {"日志只有 " + h + " 条，而已签名的账本有 " + s +
                      " 条：较短的树不会被签名。请从较新的备份恢复，或以新来源名另立账本",
                  "the journal has " + h + " entries and the signed ledger " + s +
                      ": a shorter tree is never signed. Restore a newer backup, or open a ledger "
                      "under a new origin"});
}

Problem source_forked(std::uint64_t size) {
  std::string s = std::to_string(size);
  return problem(Refusal::conflict, "ledger.forked",
                 {"日志的前 " + s +
                      " 条与已签名的账本不一致：不会签名。请用 callwarden ledger verify 找出差异",
                  "the first " + s +
                      " entries of the journal are not those that were signed: "
                      "nothing is signed. Find the difference with callwarden ledger verify"});
}

}  // namespace

// The right edge of the tree: all that is needed to append to it.
struct LedgerTip {
  std::uint64_t size = 0;
  std::vector<std::vector<Hash>> levels;  // the partial tile of each level, 0 to 255 hashes
  std::string bundle;                     // the entries of the partial bundle

  // Full tiles go to `out`; null only computes.
  void append(std::string_view entry, FileBatch* out) {
    if (levels.empty()) levels.emplace_back();
    append_to_bundle(bundle, entry);
    levels[0].push_back(leaf_hash(entry));
    ++size;
    if (size % tile_width != 0) return;
    if (out) out->add(TileName{entries_level, size / tile_width - 1, tile_width}.path(), bundle);
    bundle.clear();
    for (std::size_t level = 0; levels[level].size() == tile_width; ++level) {
      if (levels.size() == level + 1) levels.emplace_back();
      std::vector<Hash>& full = levels[level];
      std::uint64_t number = (size >> (8 * level)) / tile_width - 1;
      if (out) out->add(TileName{int(level), number, tile_width}.path(), tile_bytes(full));
      levels[level + 1].push_back(subtree_hash(full.data(), full.size()));
      full.clear();
    }
  }

  Hash root() const {
    std::optional<Hash> r;
    for (const std::vector<Hash>& level : levels) {
      if (level.empty()) continue;
      // What the levels below come to is the last, smaller subtree at this level.
      std::vector<Hash> row = level;
      if (r) row.push_back(*r);
      r = subtree_hash(row.data(), row.size());
    }
    return r.value_or(empty_root());
  }

  // The partial tiles and the partial bundle that a checkpoint of this size needs.
  void add_edge(FileBatch& out) const {
    for (const TileName& name : edge_tiles(size))
      out.add(name.path(), tile_bytes(levels[std::size_t(name.level)]));
    if (size % tile_width != 0)
      out.add(TileName{entries_level, size / tile_width, unsigned(size % tile_width)}.path(),
              bundle);
  }
};

struct Ledger::Impl {
  Impl(LedgerOptions o, EntrySource& s, NoteSigner k)
      : options(std::move(o)),
        source(s),
        signer(std::move(k)),
        files(folder_log(options.folder)),
        cosigners(options.witnesses, options.witness_retry_ms, options.clock) {}

  const LedgerOptions options;
  EntrySource& source;
  const NoteSigner signer;
  const std::unique_ptr<LogFiles> files;
  Cosigners cosigners;

  std::mutex round;  // one advance() at a time; guards tip
  LedgerTip tip;

  mutable std::mutex state;  // guards what follows: what is published
  Checkpoint published;
  std::string note;
  std::optional<Problem> trouble;

  std::mutex wake_mutex;
  std::condition_variable wake;
  bool stopping = false;
  std::thread thread;

  // Appends the source's entries up to `to`, committing full tiles whenever the batch is large.
  void append_up_to(LedgerTip& t, std::uint64_t to, FileBatch* batch) {
    while (t.size < to) {
      auto count = std::size_t(std::min<std::uint64_t>(ledger_read_max, to - t.size));
      std::vector<std::string> entries = source.read(t.size, count);
      CW_CHECK(!entries.empty() && entries.size() <= count);
      for (const std::string& entry : entries) t.append(entry, batch);
      if (batch && batch->bytes() >= ledger_batch_bytes) batch->commit();
    }
  }

  // The tip of the published size from the tiles, checked against the signed root and the source;
  // nothing when the tiles are damaged.
  std::optional<LedgerTip> load_tip() {
    LedgerTip t;
    t.size = published.size;
    t.levels.resize(std::size_t(tile_levels(t.size)));
    if (t.size == 0) return t;
    const std::uint64_t last = (t.size - 1) / tile_width;
    std::vector<Hash> leaves;
    try {
      TileTree tree(*files, t.size);
      if (tree.root() != published.root) return std::nullopt;
      for (const TileName& name : edge_tiles(t.size))
        t.levels[std::size_t(name.level)] = tree.tile(name.level, name.number);
      leaves = tree.tile(0, last);
    } catch (const LogUnreadable& e) {
      log_warn("ledger", "{}", e.problem.text.en);
      return std::nullopt;
    }
    for (std::uint64_t at = last * tile_width; at < t.size;) {
      for (const std::string& entry : source.read(at, std::size_t(t.size - at))) {
        if (leaf_hash(entry) != leaves[at++ % tile_width]) return std::nullopt;
        append_to_bundle(t.bundle, entry);
      }
    }
    if (t.size % tile_width == 0) t.bundle.clear();
    return t;
  }

  // Tiles are derived: when they are lost or damaged, the source gives them again.
  Status rebuild() {
    LedgerTip t;
    append_up_to(t, published.size, nullptr);
    if (t.root() != published.root) return source_forked(published.size);  // nothing is overwritten
    t = LedgerTip();
    FileBatch batch(options.folder);
    append_up_to(t, published.size, &batch);
    t.add_edge(batch);
    batch.commit();
    tip = std::move(t);
    log_warn("ledger", "tiles were damaged and built anew entries={}", tip.size);
    return done();
  }

  Status resume() {
    auto text = files->read("checkpoint", checkpoint_bytes_max);
    if (!text) return done();
    auto checkpoint = open_checkpoint(*text, signer.verifier());
    if (!checkpoint) return checkpoint.problem();
    if (source.size() < checkpoint->size) return source_shorter(source.size(), checkpoint->size);
    published = *checkpoint;
    note = *text;
    if (auto loaded = load_tip()) {
      tip = std::move(*loaded);
      return done();
    }
    return rebuild();
  }

  // What was signed once must be a beginning of what the source holds now.
  Status compare_outside() {
    if (options.outside.empty()) return done();
    auto outside = open_checkpoint(options.outside, signer.verifier());
    if (!outside) return outside.problem();
    if (source.size() < outside->size) return source_shorter(source.size(), outside->size);
    Hash root;
    if (outside->size > tip.size) {
      LedgerTip t = tip;
      append_up_to(t, outside->size, nullptr);
      root = t.root();
    } else {
      root = outside->size == 0 ? empty_root() : TileTree(*files, tip.size).range(0, outside->size);
    }
    if (root != outside->root) return source_forked(outside->size);
    return done();
  }

  void publish(const LedgerTip& t) {
    Checkpoint checkpoint{signer.name, t.size, t.root(), {}};
    std::string text = checkpoint.text();
    text += "\n" + signer.signature_line(text);
    publish_note(std::move(checkpoint), cosigners.ask(*files, text));
  }

  void publish_note(Checkpoint checkpoint, std::string text) {
    write_file_durably(options.folder + "/checkpoint", text);
    std::lock_guard lock(state);
    published = std::move(checkpoint);
    note = std::move(text);
  }

  // A witness that was away may still sign what was published without it.
  void ask_again() {
    if (note.empty() || !cosigners.due(note)) return;
    std::string with = cosigners.ask(*files, note);
    if (with != note) publish_note(published, std::move(with));
  }

  // Partial tiles that have become full are no longer needed.
  void drop_filled(std::uint64_t before, std::uint64_t after) {
    std::vector<TileName> edge = edge_tiles(before);
    if (before % tile_width != 0) edge.push_back({entries_level, before / tile_width, 1});
    for (TileName name : edge) {
      if (tile_width_at(after, name.level, name.number) < tile_width) continue;
      name.width = tile_width;
      std::error_code ignored;
      fs::remove_all(options.folder + "/" + name.path() + ".p", ignored);
    }
  }

  void run() {
    std::unique_lock lock(wake_mutex);
    while (!stopping) {
      lock.unlock();
      guarded_round();
      lock.lock();
      wake.wait_for(lock, std::chrono::milliseconds(options.interval_ms), [&] { return stopping; });
    }
  }

  void guarded_round();
  Status advance();
};

Status Ledger::Impl::advance() {
  std::lock_guard lock(round);
  const std::uint64_t durable = source.size();
  const std::uint64_t before = tip.size;
  if (durable < before) return source_shorter(durable, before);
  if (durable == before) return ask_again(), done();
  LedgerTip next = tip;  // the old tip stays good if the disk refuses
  FileBatch batch(options.folder);
  append_up_to(next, durable, &batch);
  next.add_edge(batch);
  batch.commit();
  publish(next);
  tip = std::move(next);
  drop_filled(before, tip.size);
  return done();
}

void Ledger::Impl::guarded_round() {
  std::optional<Problem> now;
  try {
    Status advanced = advance();
    if (!advanced) now = advanced.problem();
  } catch (const std::exception& e) {
    now = problem(Refusal::unavailable, "ledger.io",
                  {std::string("账本写入失败，稍后重试：") + e.what(),
                   std::string("the ledger could not be written, will try again: ") + e.what()});
  }
  std::lock_guard lock(state);
  if (now && (!trouble || trouble->code != now->code)) log_error("ledger", "{}", now->text.en);
  if (!now && trouble) log_info("ledger", "recovered");
  trouble = std::move(now);
}

Ledger::Ledger(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Ledger::~Ledger() { stop(); }

Result<std::unique_ptr<Ledger>> Ledger::open(LedgerOptions options, EntrySource& source,
                                             Random& random) {
  while (options.folder.size() > 1 && options.folder.ends_with("/")) options.folder.pop_back();
  fs::create_directories(options.folder);
  fs::remove_all(options.folder + "/.tmp");  // what a crash left behind
  auto signer = read_signer(options.key_file, options.origin);
  if (!signer && signer.problem().refusal == Refusal::not_found &&
      !fs::exists(options.folder + "/checkpoint") && options.outside.empty()) {
    signer = create_signer(options.key_file, options.origin, random);
  }
  if (!signer) return signer.problem();
  auto impl = std::make_unique<Impl>(std::move(options), source, std::move(*signer));
  try {
    Status resumed = impl->resume();
    if (!resumed) return resumed.problem();
    Status agrees = impl->compare_outside();
    if (!agrees) return agrees.problem();
  } catch (const LogUnreadable& e) {
    return e.problem;
  }
  std::string vkey = impl->signer.verifier().text() + "\n";
  if (impl->files->read("vkey", checkpoint_bytes_max) != vkey)
    write_file_durably(impl->options.folder + "/vkey", vkey);
  return std::unique_ptr<Ledger>(new Ledger(std::move(impl)));
}

Status Ledger::advance() { return impl_->advance(); }

void Ledger::start() {
  CW_CHECK(!impl_->thread.joinable());
  impl_->stopping = false;
  impl_->thread = start_thread("ledger", [this] { impl_->run(); });
}

void Ledger::stop() {
  {
    std::lock_guard lock(impl_->wake_mutex);
    impl_->stopping = true;
  }
  impl_->wake.notify_all();
  if (!impl_->thread.joinable()) return;
  impl_->thread.join();
  impl_->guarded_round();
}

std::optional<Problem> Ledger::trouble() const {
  {
    std::lock_guard lock(impl_->state);
    if (impl_->trouble) return impl_->trouble;
  }
  for (WitnessState& w : impl_->cosigners.states())
    if (w.trouble && accuses(*w.trouble)) return std::move(w.trouble);
  return std::nullopt;
}

std::vector<WitnessState> Ledger::witnesses() const { return impl_->cosigners.states(); }

std::uint64_t Ledger::size() const {
  std::lock_guard lock(impl_->state);
  return impl_->published.size;
}

Hash Ledger::root() const {
  std::lock_guard lock(impl_->state);
  return impl_->published.size == 0 ? empty_root() : impl_->published.root;
}

std::string Ledger::checkpoint() const {
  std::lock_guard lock(impl_->state);
  return impl_->note;
}

std::string Ledger::verifier_key() const { return impl_->signer.verifier().text(); }

Result<std::string> Ledger::prove(std::uint64_t index) const {
  return prove_from(*impl_->files, index);
}

Result<MerkleProof> Ledger::consistency(std::uint64_t from, std::uint64_t to) const {
  return consistency_from(*impl_->files, from, to);
}

Status Ledger::export_to(const std::string& folder) const {
  auto report = export_log(*impl_->files, folder, {.key = verifier_key()});
  if (!report) return report.problem();
  return done();
}

}  // namespace cw
