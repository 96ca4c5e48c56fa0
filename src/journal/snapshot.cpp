#include "snapshot.h"

#include <unistd.h>

#include <algorithm>

#include "base/log.h"

namespace cw {
namespace {

constexpr const char* kSnapshotSchema =
    "CREATE TABLE IF NOT EXISTS slice(state TEXT, version INTEGER, i INTEGER, included INTEGER, "
    "sum INTEGER, bytes BLOB, PRIMARY KEY(state,i)) STRICT;"
    "CREATE TABLE IF NOT EXISTS valid(from_seq INTEGER, included_max INTEGER) STRICT";

// FNV-1a: against damage on disk, not against people (who could as well edit the journal, which
// the ledger shows).
std::int64_t sum_of(std::string_view bytes) {
  std::uint64_t h = 0xCBF29CE484222325u;
  for (unsigned char c : bytes) h = (h ^ c) * 0x100000001B3u;
  return static_cast<std::int64_t>(h);
}

void remove_database(const std::string& path) {
  for (const char* suffix : {"", "-wal", "-shm"}) ::unlink((path + suffix).c_str());
}

}  // namespace

std::uint64_t SnapshotFile::load(const std::vector<State*>& states, std::uint64_t journal_size) {
  try {
    if (::access(path_.c_str(), F_OK) != 0) return 0;
    Database db(path_, {.full_sync = false});
    std::optional<std::int64_t> from;
    std::int64_t included = 0;
    db.query("SELECT from_seq,included_max FROM valid", [&](const Row& r) {
      from = r.integer(0);
      included = r.integer(1);
    });
    if (!from || static_cast<std::uint64_t>(included) > journal_size) return 0;
    auto first = static_cast<std::uint64_t>(*from);
    std::map<std::string_view, std::vector<std::uint64_t>> held;
    for (State* state : states) {
      bool whole = true;  // all is read once before any State is touched
      std::vector<std::uint64_t>& slices = held[state->prefix()];
      db.query(
          "SELECT version,sum,bytes FROM slice WHERE state=$1 ORDER BY i",
          [&](const Row& r) {
            slices.push_back(first);
            whole = whole && r.integer(0) == state->version() && r.integer(1) == sum_of(r.text(2));
          },
          state->prefix());
      if (slices.empty() || !whole) return 0;
    }
    for (State* state : states) {
      db.query(
          "SELECT bytes FROM slice WHERE state=$1 ORDER BY i",
          [&](const Row& r) { state->load_slice(r.text(0)); }, state->prefix());
    }
    held_ = std::move(held);
    return first;
  } catch (const StorageError& e) {
    log_warn("journal", "the snapshot cannot be read and is left out: {}", e.what());
    return 0;
  }
}

void SnapshotFile::save(const std::vector<State*>& states, const Slice& slice,
                        const std::function<bool(std::uint64_t)>& settle) {
  if (held_.empty()) remove_database(path_);
  std::map<std::string_view, std::vector<std::uint64_t>> held = held_;
  std::uint64_t from = UINT64_MAX, included_max = 0;
  Database db(path_, {.create = true});
  db.exec(kSnapshotSchema);
  db.begin();
  for (State* state : states) {
    std::vector<std::uint64_t>& slices = held[state->prefix()];
    for (std::size_t i = 0;; ++i) {
      auto part = slice(*state, i, i < slices.size() ? slices[i] : 0);
      slices.resize(part ? std::max(slices.size(), i + 1) : i);
      if (!part) break;
      slices[i] = part->included;
      if (part->bytes)
        db.run("INSERT OR REPLACE INTO slice VALUES($1,$2,$3,$4,$5,$6)", state->prefix(),
               state->version(), i, part->included, sum_of(*part->bytes), Blob{*part->bytes});
      from = std::min(from, part->included);
      included_max = std::max(included_max, part->included);
    }
    db.run("DELETE FROM slice WHERE state=$1 AND i>=$2", state->prefix(), slices.size());
  }
  if (from == UINT64_MAX || !settle(included_max)) return;  // the file stays as it was
  db.run("DELETE FROM valid");
  db.run("INSERT INTO valid VALUES($1,$2)", from, included_max);
  db.commit();
  db.exec("PRAGMA wal_checkpoint(TRUNCATE)");
  held_ = std::move(held);
}

}  // namespace cw
