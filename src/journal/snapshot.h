// Snapshots: each State's slices with the number of entries they include, in a database of their
// own that can be deleted at any time. Used by one thread at a time.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "journal.h"

namespace cw {

class SnapshotFile {
 public:
  explicit SnapshotFile(std::string path) : path_(std::move(path)) {}

  // Loads what is usable into `states` and returns how many entries to skip: replay begins there.
  // 0 when there is no snapshot, it is damaged, of another version, or ahead of the journal.
  std::uint64_t load(const std::vector<State*>& states, std::uint64_t journal_size);

  // `slice(state, i)` gives a slice and how many entries it includes, or nothing after the last.
  // `settle(size)` returns when that many entries are durable; only then is the snapshot valid.
  using Slice = std::function<std::optional<std::pair<std::string, std::uint64_t>>(const State&,
                                                                                   std::size_t)>;
  void save(const std::vector<State*>& states, const Slice& slice,
            const std::function<bool(std::uint64_t)>& settle);

 private:
  std::string path_;
};

}  // namespace cw
