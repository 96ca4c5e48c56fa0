// Snapshots: each State's slices with the number of entries they include, in a folder of their own
// that can be deleted at any time. A save writes what changed since the one before; the file
// `head`, replaced last, says what belongs to it. Large slices are files, synced one by one, so
// that no commit waits for the whole. Used by one thread at a time. Format:
// docs/formats/journal.md.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "journal.h"

namespace cw {

class Snapshots {
 public:
  static constexpr std::size_t kOwnFile = 64 << 10;  // bytes from which a slice is a file

  explicit Snapshots(std::string folder) : folder_(std::move(folder)) {}

  // Loads what is usable into `states` and returns how many entries to skip: replay begins there.
  // 0 when there is no snapshot, it is damaged, of another version, or ahead of the journal.
  std::uint64_t load(const std::vector<State*>& states, std::uint64_t journal_size);

  // `slice(state, i, included)` gives slice i and how many entries it includes, or nothing after
  // the last; without bytes when no entry from `included` on changed it. `settle(size)` returns
  // when that many entries are durable; only then does the snapshot count. Throws
  // std::system_error; the one before then stays.
  struct Part {
    std::uint64_t included = 0;
    std::optional<std::string> bytes;
  };
  using Slice =
      std::function<std::optional<Part>(const State&, std::size_t i, std::uint64_t included)>;
  void save(const std::vector<State*>& states, const Slice& slice,
            const std::function<bool(std::uint64_t)>& settle);

 private:
  struct Held {
    std::uint64_t included = 0;
    std::string file;  // empty: it lies in the head
    std::size_t size = 0;
    std::int64_t sum = 0;
  };
  using Slices = std::map<std::pair<std::string, std::size_t>, Held>;

  std::string path(const std::string& file) const { return folder_ + "/" + file; }
  bool whole(const Held& held, std::string_view bytes) const;
  void sweep() const;

  const std::string folder_;
  Slices held_;               // what the head holds; empty: nothing to build on
  std::uint64_t number_ = 0;  // of the last save: part of its files' names
};

}  // namespace cw
