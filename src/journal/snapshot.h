// Snapshots: each State's slices with the number of entries they include, in a database of their
// own that can be deleted at any time. A save writes the slices that changed since the one before,
// in one transaction. Used by one thread at a time.
#pragma once

#include <functional>
#include <map>
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

  // `slice(state, i, included)` gives slice i and how many entries it includes, or nothing after
  // the last; without bytes when no entry from `included` on changed it. `settle(size)` returns
  // when that many entries are durable; only then is the snapshot valid.
  struct Part {
    std::uint64_t included = 0;
    std::optional<std::string> bytes;
  };
  using Slice =
      std::function<std::optional<Part>(const State&, std::size_t i, std::uint64_t included)>;
  void save(const std::vector<State*>& states, const Slice& slice,
            const std::function<bool(std::uint64_t)>& settle);

 private:
  std::string path_;
  // Per state and slice: how many entries the one in the file includes. Empty: no file to build on.
  std::map<std::string_view, std::vector<std::uint64_t>> held_;
};

}  // namespace cw
