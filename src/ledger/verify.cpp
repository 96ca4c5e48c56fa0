// Verification without the database: every entry, tile and checkpoint line, or a range. First all
// entries are hashed in parallel and compared with the tiles; then the root decides who is right.
#include <algorithm>
#include <atomic>
#include <mutex>
#include <thread>

#include "base/text.h"
#include "tile.h"

namespace cw {
namespace {

constexpr unsigned verify_threads_max = 8;

Problem entry_broken(std::uint64_t number, std::uint64_t bundle) {
  std::string n = std::to_string(number);
  std::string path = TileName{entries_level, bundle, tile_width}.path();
  return broken_at("ledger.entry", "entries/" + n,
                   {"第 " + n + " 号条目与账本所签的不同（文件 " + path + "）",
                    "entry " + n + " is not what the ledger signed (file " + path + ")"});
}

Problem tile_broken(const TileName& name, std::size_t place) {
  std::string at = std::to_string(place);
  return broken_at("ledger.tile", name.path(),
                   {"散列块 " + name.path() + " 的第 " + at + " 个散列被改动",
                    "hash " + at + " of the tile " + name.path() + " was altered"});
}

Problem line_broken(int line, Text text) {
  std::string at = std::to_string(line);
  return broken_at(
      "ledger.checkpoint", "checkpoint/" + at,
      {"检查点第 " + at + " 行：" + text.zh, "Checkpoint line " + at + ": " + text.en});
}

// The first place where entries and their level-0 tile do not agree.
struct Disagreement {
  std::uint64_t bundle = 0;
  std::size_t place = 0;             // within the bundle
  std::optional<Hash> from_entries;  // the subtree's hash; nothing when the bundle is torn
};

class WholeTree {
 public:
  WholeTree(const LogFiles& files, const VerifyOptions& options, const Checkpoint& checkpoint)
      : files_(files), options_(options), checkpoint_(checkpoint), size_(checkpoint.size) {}

  std::optional<Problem> run() {
    hash_all();
    if (!unreadable_) return judge();
    TileTree tree(files_, size_);
    if (disagreement_ && disagreement_->bundle < unreadable_->first)
      return judge_disagreement(tree, *disagreement_);
    return unreadable_->second;
  }

 private:
  // ---- the parallel pass

  void hash_all() {
    const std::uint64_t bundles = (size_ + tile_width - 1) / tile_width;
    rows_.emplace_back(std::size_t(bundles));
    unsigned count = options_.threads != 0 ? options_.threads : std::thread::hardware_concurrency();
    count = std::clamp(count, 1u, verify_threads_max);
    std::vector<std::thread> threads;
    for (unsigned i = 1; i < count; ++i) threads.emplace_back([&] { work(bundles); });
    work(bundles);
    for (std::thread& t : threads) t.join();
    if (failure_) std::rethrow_exception(failure_);
  }

  void work(std::uint64_t bundles) {
    try {
      for (std::uint64_t n; (n = next_++) < bundles && !stop_;) hash_bundle(n);
    } catch (...) {
      std::lock_guard lock(mutex_);
      failure_ = std::current_exception();
      stop_ = true;
    }
  }

  void hash_bundle(std::uint64_t n) {
    const unsigned width = tile_width_at(size_, 0, n);
    const TileName tile{0, n, width}, bundle{entries_level, n, width};
    std::string hashes, entries;
    try {
      hashes = read_tile(files_, tile);
      entries = read_tile(files_, bundle);
    } catch (const LogUnreadable& e) {
      if (e.problem.refusal != Refusal::conflict) throw;  // the disk or the network
      std::lock_guard lock(mutex_);
      if (!unreadable_ || n < unreadable_->first) unreadable_ = {n, e.problem};
      stop_ = true;  // lower bundles are already taken, so the lowest is found
      return;
    }
    std::vector<Hash> recorded = tile_hashes(hashes);
    std::vector<Hash> computed;
    computed.reserve(width);
    std::string_view rest = entries;
    while (computed.size() < width) {
      auto entry = take_from_bundle(rest);
      if (!entry) break;
      computed.push_back(leaf_hash(*entry));
    }
    const bool torn = computed.size() < width || !rest.empty();
    auto differs = std::mismatch(computed.begin(), computed.end(), recorded.begin()).first;
    auto place = std::min<std::size_t>(std::size_t(differs - computed.begin()), width - 1);
    Hash subtree = torn ? Hash{} : subtree_hash(computed.data(), computed.size());
    std::lock_guard lock(mutex_);
    if (torn || differs != computed.end()) {
      if (!disagreement_ || n < disagreement_->bundle) {
        disagreement_ = {n, place, torn ? std::nullopt : std::optional<Hash>(subtree)};
      }
      all_parsed_ = all_parsed_ && !torn;
    }
    rows_[0][std::size_t(n)] = subtree;
    if (options_.on_file) {
      options_.on_file(bundle.path(), entries);
      options_.on_file(tile.path(), hashes);
    }
    done_ += width;
    if (options_.progress && (n % 64 == 0 || done_ == size_)) options_.progress(done_, size_);
  }

  // ---- who is right

  // rows_[L] becomes the hashes that stand on level L+1 (the last may be of a partial tile).
  void climb() {
    while (rows_.back().size() > 1) {
      const std::vector<Hash>& below = rows_.back();
      std::vector<Hash> above;
      for (std::size_t i = 0; i < below.size(); i += tile_width)
        above.push_back(
            subtree_hash(&below[i], std::min<std::size_t>(tile_width, below.size() - i)));
      rows_.push_back(std::move(above));
    }
  }

  // The first hash of a tile above level 0 that is not what the entries give.
  std::optional<std::pair<TileName, std::size_t>> upper_difference() {
    for (int level = 1; level < tile_levels(size_); ++level) {
      for (std::uint64_t n = 0; tile_width_at(size_, level, n) > 0; ++n) {
        TileName name{level, n, tile_width_at(size_, level, n)};
        std::string bytes = read_tile(files_, name);
        std::vector<Hash> recorded = tile_hashes(bytes);
        const Hash* computed = &rows_[std::size_t(level - 1)][std::size_t(n * tile_width)];
        for (std::size_t i = 0; i < recorded.size(); ++i)
          if (recorded[i] != computed[i]) return std::pair{name, i};
        if (options_.on_file) options_.on_file(name.path(), bytes);
      }
    }
    return std::nullopt;
  }

  std::optional<Problem> judge() {
    climb();
    if (all_parsed_ && rows_.back().front() == checkpoint_.root) {
      if (disagreement_) return tile_broken(tile_of(*disagreement_), disagreement_->place);
      if (auto upper = upper_difference()) return tile_broken(upper->first, upper->second);
      return std::nullopt;
    }
    TileTree tree(files_, size_);
    if (disagreement_) return judge_disagreement(tree, *disagreement_);
    // Entries and level 0 agree, so they were altered together, or another tree was signed.
    if (auto upper = upper_difference()) {
      const auto& [name, place] = *upper;
      if (auto why = tree.distrust(name.level, name.number, checkpoint_.root)) return why;
      std::uint64_t first = (name.number * tile_width + place) << (8 * name.level);
      return broken_at("ledger.rewritten", "entries/" + std::to_string(first),
                       {"从第 " + std::to_string(first) + " 号起的条目与其散列块被一起改写",
                        "entries from " + std::to_string(first) +
                            " on were rewritten together with their tile"});
    }
    return line_broken(3, {"所签的根不是这些条目的根：条目与散列块彼此一致，但整体被换过",
                           "the signed root is not that of these entries: entries and tiles agree "
                           "with one another, but were replaced as a whole"});
  }

  Problem judge_disagreement(TileTree& tree, const Disagreement& d) {
    auto why = tree.distrust(0, d.bundle, checkpoint_.root);
    if (!why) return entry_broken(d.bundle * tile_width + d.place, d.bundle);
    // The tile is not on a way to the root. If the entries are, the tile alone was altered.
    if (tile_of(d).width == tile_width && d.from_entries &&
        !tree.distrust(1, d.bundle / tile_width, checkpoint_.root) &&
        tree.tile(1, d.bundle / tile_width)[d.bundle % tile_width] == *d.from_entries) {
      return tile_broken(tile_of(d), d.place);
    }
    return *why;
  }

  TileName tile_of(const Disagreement& d) const {
    return {0, d.bundle, tile_width_at(size_, 0, d.bundle)};
  }

  const LogFiles& files_;
  const VerifyOptions& options_;
  const Checkpoint& checkpoint_;
  const std::uint64_t size_;
  std::atomic<std::uint64_t> next_{0};
  std::atomic<bool> stop_{false};
  std::mutex mutex_;  // guards what follows, during the pass
  std::vector<std::vector<Hash>> rows_;
  std::uint64_t done_ = 0;
  bool all_parsed_ = true;
  std::optional<Disagreement> disagreement_;
  std::optional<std::pair<std::uint64_t, Problem>> unreadable_;
  std::exception_ptr failure_;
};

// Entries [from, to) and the way of their tiles to the root.
std::optional<Problem> verify_range(const LogFiles& files, const Checkpoint& checkpoint,
                                    std::uint64_t from, std::uint64_t to) {
  TileTree tree(files, checkpoint.size);
  for (std::uint64_t at = from; at < to;) {
    std::uint64_t n = at / tile_width;
    if (auto why = tree.distrust(0, n, checkpoint.root)) return why;
    const std::vector<Hash>& recorded = tree.tile(0, n);
    std::string bytes = read_tile(files, {entries_level, n, unsigned(recorded.size())});
    std::string_view rest = bytes;
    for (std::size_t i = 0; i < recorded.size(); ++i) {
      auto entry = take_from_bundle(rest);
      bool wanted = n * tile_width + i >= from && n * tile_width + i < to;
      if (!entry || (wanted && leaf_hash(*entry) != recorded[i]))
        return entry_broken(n * tile_width + i, n);
    }
    if (!rest.empty()) return entry_broken(n * tile_width + recorded.size() - 1, n);
    at = (n + 1) * tile_width;
  }
  return std::nullopt;
}

// Files that this checkpoint does not need but that an earlier or later one does: they must be
// beginnings or continuations of those that were verified.
std::optional<Problem> verify_leftovers(const LogFiles& files, std::uint64_t size) {
  auto paths = files.list();
  if (!paths) return std::nullopt;
  for (const std::string& path : *paths) {
    auto name = TileName::parse(path);
    if (!name) continue;
    unsigned width = tile_width_at(size, name->level, name->number);
    if (width == 0 || width == name->width) continue;
    auto size_max = name->level == entries_level ? bundle_bytes_max : tile_bytes_max;
    auto held = files.read(path, size_max);
    if (!held) continue;  // a live log has just dropped it
    const std::string& other = *held;
    std::string good = read_tile(files, {name->level, name->number, width});
    bool begins = name->width < width ? good.starts_with(other) : other.starts_with(good);
    std::string_view rest = other;
    unsigned count = 0;
    if (name->level != entries_level) {
      count = unsigned(other.size() / 32);
      rest = rest.substr(other.size() - other.size() % 32);
    } else {
      while (take_from_bundle(rest)) ++count;
    }
    if (!begins || !rest.empty() || count != name->width) {
      return broken_at("ledger.tile", path,
                       {"文件 " + path + " 与已验证的内容不一致",
                        "the file " + path + " does not agree with what was verified"});
    }
  }
  return std::nullopt;
}

// The size that the folder's own files speak of: the widest level-0 tile.
std::uint64_t size_of_files(const std::vector<std::string>& paths) {
  std::uint64_t size = 0;
  for (const std::string& path : paths) {
    auto name = TileName::parse(path);
    if (name && name->level == 0) size = std::max(size, name->number * tile_width + name->width);
  }
  return size;
}

// The checkpoint is not one that the key signed. If the text can be made again from the tiles such
// that the signature fits it, the first byte that differs is the altered one.
Problem locate_in_checkpoint(const LogFiles& files, const std::string& note, const VerifierKey& key,
                             const Problem& otherwise) {
  auto paths = files.list();
  std::size_t signatures = note.find("\n\xE2\x80\x94 ");
  if (!paths || signatures == note.npos) return otherwise;
  std::uint64_t size = size_of_files(*paths);
  if (size == 0) return otherwise;
  Checkpoint again{key.name, size, {}, {}};
  try {
    again.root = TileTree(files, size).root();
  } catch (const LogUnreadable&) {
    return otherwise;
  }
  std::string text = again.text() + "\n";
  auto restored = SignedNote::parse(text + note.substr(signatures + 1));
  if (!restored || !restored->verify(key)) return otherwise;
  std::size_t same = std::size_t(
      std::mismatch(text.begin(), text.end(), note.begin(), note.end()).first - text.begin());
  if (same == text.size()) return otherwise;
  auto line = int(std::count(text.begin(), text.begin() + std::ptrdiff_t(same), '\n')) + 1;
  return line_broken(
      line, {"被改动；签名所签的是另一内容", "was altered: the signature is of another text"});
}

// The log's checkpoint, well-formed; whose signature it bears is not looked at.
Result<std::string> read_checkpoint(const LogFiles& log) {
  auto text = log.read("checkpoint", checkpoint_bytes_max);
  if (!text) {
    return problem(
        Refusal::not_found, "ledger.no_checkpoint",
        {"这里没有账本（缺少 checkpoint 文件）", "there is no log here (no file \"checkpoint\")"});
  }
  auto note = SignedNote::parse(*text);
  if (!note) return note.problem();
  auto checkpoint = Checkpoint::parse(note->text);
  if (!checkpoint) return checkpoint.problem();
  return std::move(*text);
}

// The log must begin with what a checkpoint kept from before says.
std::optional<Problem> verify_since(const LogFiles& log, const VerifierKey& key,
                                    const Checkpoint& now, const std::string& since) {
  auto older = open_checkpoint(since, key);
  if (!older) return older.problem();
  std::string was = std::to_string(older->size), is = std::to_string(now.size);
  if (older->size > now.size) {
    return broken_at(
        "ledger.truncated", "since",
        {"账本现有 " + is + " 条，而保存的检查点有 " + was + " 条：账本被截短",
         "the log has " + is + " entries and the kept checkpoint " + was + ": it was truncated"});
  }
  if (older->size > 0) {
    TileTree tree(log, now.size);
    if (verify_consistency(older->size, now.size, older->root, now.root,
                           tree.consistency(older->size, now.size))) {
      return std::nullopt;
    }
    return broken_at("ledger.fork", "since",
                     {"账本的前 " + was + " 条与保存的检查点不一致：账本被改写或分叉",
                      "the first " + was +
                          " entries are not those of the kept checkpoint: the "
                          "log was rewritten"});
  }
  return std::nullopt;
}

struct OpenedLog {
  VerifierKey key;
  SignedNote note;
  VerifyReport report;
  std::string note_text;
};

Result<OpenedLog> open_verified(const LogFiles& log, const VerifyOptions& options) {
  auto text = log.read("checkpoint", checkpoint_bytes_max);
  if (!text) {
    return problem(
        Refusal::not_found, "ledger.no_checkpoint",
        {"这里没有账本（缺少 checkpoint 文件）", "there is no log here (no file \"checkpoint\")"});
  }
  std::string vkey = options.key;
  bool from_log = vkey.empty();
  if (from_log) vkey = log.read("vkey", checkpoint_bytes_max).value_or("");
  auto key = VerifierKey::parse(vkey);
  if (!key && from_log) {
    return broken_at("ledger.key", "vkey",
                     {"账本自带的 vkey 文件缺失或损坏，请用 --key 给出公钥",
                      "the log's own file vkey is missing or damaged: give the key with --key"});
  }
  if (!key) return key.problem();
  auto checkpoint = open_checkpoint(*text, *key);
  if (!checkpoint) return locate_in_checkpoint(log, *text, *key, checkpoint.problem());
  SignedNote note = *SignedNote::parse(*text);
  for (const std::string& witness : options.witnesses) {
    auto witness_key = VerifierKey::parse(witness);
    if (!witness_key) return witness_key.problem();
    auto cosigned = note.verify(*witness_key);
    if (!cosigned) return cosigned.problem();
  }
  return OpenedLog{*key,
                   std::move(note),
                   {*checkpoint, 0, checkpoint->size, from_log, key->text()},
                   std::move(*text)};
}

}  // namespace

Result<VerifyReport> verify_log(const LogFiles& log, const VerifyOptions& options) try {
  auto opened = open_verified(log, options);
  if (!opened) return opened.problem();
  VerifyReport& report = opened->report;
  const Checkpoint& checkpoint = report.checkpoint;
  if (!options.since.empty()) {
    if (auto broken = verify_since(log, opened->key, checkpoint, options.since)) return *broken;
  }
  if (options.from || options.to) {
    report.from = options.from.value_or(0);
    report.to = options.to.value_or(checkpoint.size);
    if (report.from >= report.to || report.to > checkpoint.size) {
      return invalid("ledger.range", "/from",
                     {"范围应满足 起 < 止 ≤ " + std::to_string(checkpoint.size),
                      "a range needs from < to <= " + std::to_string(checkpoint.size)});
    }
    if (auto broken = verify_range(log, checkpoint, report.from, report.to)) return *broken;
    return report;
  }
  if (checkpoint.size == 0) {
    if (checkpoint.root != empty_root())
      return line_broken(3, {"空账本的根不对", "not the root of an empty log"});
  } else {
    if (auto broken = WholeTree(log, options, checkpoint).run()) return *broken;
    if (auto broken = verify_leftovers(log, checkpoint.size)) return *broken;
  }
  if (options.on_file) {
    options.on_file("vkey", report.key + "\n");
    options.on_file("checkpoint", opened->note_text);
  }
  return report;
} catch (const LogUnreadable& e) {
  return e.problem;
}

Result<std::string> prove_from(const LogFiles& log, std::uint64_t index) try {
  auto text = read_checkpoint(log);
  if (!text) return text.problem();
  auto checkpoint = Checkpoint::parse(SignedNote::parse(*text)->text);
  if (index >= checkpoint->size) {
    return problem(Refusal::not_found, "ledger.no_such_entry",
                   {"账本只有 " + std::to_string(checkpoint->size) + " 条已签名的条目",
                    "the ledger has " + std::to_string(checkpoint->size) + " signed entries"});
  }
  std::uint64_t n = index / tile_width;
  std::string bundle = read_tile(log, {entries_level, n, tile_width_at(checkpoint->size, 0, n)});
  std::string_view rest = bundle;
  auto entry = take_from_bundle(rest);
  for (std::uint64_t i = 0; entry && i < index % tile_width; ++i) entry = take_from_bundle(rest);
  TileTree tree(log, checkpoint->size);
  TlogProof proof{index, std::nullopt, tree.inclusion(index, checkpoint->size), *text};
  // A proof that would not verify is not handed out: the log is damaged, and verify names where.
  if (!entry || !verify_inclusion(index, checkpoint->size, leaf_hash(*entry), proof.hashes,
                                  checkpoint->root)) {
    return entry_broken(index, n);
  }
  proof.extra = std::string(*entry);
  return proof.text();
} catch (const LogUnreadable& e) {
  return e.problem;
}

Result<MerkleProof> consistency_from(const LogFiles& log, std::uint64_t from,
                                     std::uint64_t to) try {
  if (from > to) {
    return invalid("ledger.range", "/from", {"起点大于终点", "from is larger than to"});
  }
  auto text = read_checkpoint(log);
  if (!text) return text.problem();
  auto checkpoint = Checkpoint::parse(SignedNote::parse(*text)->text);
  if (to > checkpoint->size) {
    return invalid("ledger.range", "/to",
                   {"终点大于已签名的大小", "to is larger than the signed size"});
  }
  return TileTree(log, checkpoint->size).consistency(from, to);
} catch (const LogUnreadable& e) {
  return e.problem;
}

}  // namespace cw
