// Entries as they lie in the database: a commit's entries in one row, or in several of about
// 64 KiB each, framed as in a tile of the ledger: each after its length in two bytes, big-endian.
// One row instead of a thousand makes a commit several times cheaper, and any entry is still found
// by its number. Format: docs/formats/journal.md.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "journal.h"

namespace cw {

constexpr std::size_t kEntryMax = 65'535;  // a length in an entry tile has 16 bits

// No fewer bytes than the canonical form has, at little cost. Of an entry: throws
// std::length_error when it is too long.
std::size_t bytes_max(const json::object& body);
std::size_t bytes_max(const Entry& entry);

// The entries of one commit. Not thread-safe.
class Blocks {
 public:
  void add(const Entry& entry);
  void answer(std::uint64_t seq, const json::object& body);  // in the order of the entries
  void write(Database& db) const;
  void clear();

 private:
  struct Cut {  // where a row begins
    std::uint64_t first, count;
    std::size_t entries, answers;
  };
  std::string entries_, answers_;
  std::vector<Cut> cuts_;
};

// The table of blocks, as a reader sees it. Each function reads with the connection it is given.
namespace blocks {

extern const char* const schema;

std::uint64_t size(Database& db);  // how many entries; throws StorageError when some are missing
// Calls `each` for entries from … while it says so, in order.
void read(Database& db, std::uint64_t from,
          const std::function<bool(std::uint64_t seq, std::string_view bytes)>& each);
std::string entry(Database& db, std::uint64_t seq);   // "" when there is none
std::string answer(Database& db, std::uint64_t seq);  // "" when none was kept

}  // namespace blocks
}  // namespace cw
