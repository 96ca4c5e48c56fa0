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
    for (State* state : states) {
      bool usable = false, whole = true;  // all is read once before any State is touched
      db.query(
          "SELECT version,sum,bytes FROM slice WHERE state=$1 ORDER BY i",
          [&](const Row& r) {
            usable = true;
            whole = whole && r.integer(0) == state->version() && r.integer(1) == sum_of(r.text(2));
          },
          state->prefix());
      if (!usable || !whole) return 0;
    }
    for (State* state : states) {
      db.query(
          "SELECT bytes FROM slice WHERE state=$1 ORDER BY i",
          [&](const Row& r) { state->load_slice(r.text(0)); }, state->prefix());
    }
    return static_cast<std::uint64_t>(*from);
  } catch (const StorageError& e) {
    log_warn("journal", "the snapshot cannot be read and is left out: {}", e.what());
    return 0;
  }
}

void SnapshotFile::save(const std::vector<State*>& states, const Slice& slice,
                        const std::function<bool(std::uint64_t)>& settle) {
  std::string temporary = path_ + ".new";
  remove_database(temporary);
  std::uint64_t from = UINT64_MAX, included_max = 0;
  {
    Database db(temporary, {.create = true});
    db.exec(kSnapshotSchema);
    for (State* state : states) {
      for (std::size_t i = 0;; ++i) {
        auto part = slice(*state, i);
        if (!part) break;
        db.run("INSERT INTO slice VALUES($1,$2,$3,$4,$5,$6)", state->prefix(), state->version(), i,
               part->second, sum_of(part->first), Blob{part->first});
        from = std::min(from, part->second);
        included_max = std::max(included_max, part->second);
      }
    }
    if (from == UINT64_MAX || !settle(included_max)) {
      remove_database(temporary);
      return;
    }
    db.run("INSERT INTO valid VALUES($1,$2)", from, included_max);
    db.exec("PRAGMA wal_checkpoint(TRUNCATE)");
  }
  remove_database(path_);
  if (::rename(temporary.c_str(), path_.c_str()) != 0)
    throw StorageError(StorageError::Kind::other, "the snapshot cannot be put in place");
}

}  // namespace cw
