// Tiles and entry bundles (C2SP tlog-tiles), private to the module: their paths, their bytes, and a
// tree read through them. Functions are pure; TileTree is for one thread.
//
//   TileTree tree(files, checkpoint.size);
//   if (tree.root() == checkpoint.root) proof = tree.inclusion(42);
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ledger.h"

namespace cw {

inline constexpr std::uint64_t tile_width = 256;  // hashes in a full tile
inline constexpr std::size_t tile_bytes_max = tile_width * 32;
inline constexpr std::size_t entry_size_max = 65'535;
inline constexpr std::size_t bundle_bytes_max = tile_width * (2 + entry_size_max);
inline constexpr std::size_t checkpoint_bytes_max = 64 * 1024;
inline constexpr int entries_level = -1;  // stands for "entries" where a level is asked for

// One tile or bundle: level, number within the level, and how many of its 256 places are filled.
struct TileName {
  int level = 0;  // or entries_level
  std::uint64_t number = 0;
  unsigned width = tile_width;
  std::string path() const;  // "tile/0/x001/234.p/17"
  static std::optional<TileName> parse(std::string_view path);
  auto operator<=>(const TileName&) const = default;
};

// How many places tile `number` of `level` has in a tree of `size` entries: 0 to 256.
unsigned tile_width_at(std::uint64_t size, int level, std::uint64_t number);
// The levels that a tree of `size` entries has tiles on (0 for an empty tree).
int tile_levels(std::uint64_t size);
// The rightmost partial tiles of such a tree (hash tiles only).
std::vector<TileName> edge_tiles(std::uint64_t size);

std::string tile_bytes(const std::vector<Hash>& hashes);
std::vector<Hash> tile_hashes(std::string_view bytes);     // a multiple of 32 bytes
Hash subtree_hash(const Hash* hashes, std::size_t count);  // MTH of 1 to 256 hashes

void append_to_bundle(std::string& bundle, std::string_view entry);
// The next entry of a bundle, removed from its front; nothing when its length does not fit.
std::optional<std::string_view> take_from_bundle(std::string_view& bundle);

// The file of this name; failing that, of the full tile it became, cut to `width` places. Throws
// LogUnreadable naming the path when there is none or its size is wrong.
std::string read_tile(const LogFiles& files, TileName name);

// A Problem about a place in the log: field "/<place>", both sentences.
Problem broken_at(std::string code, const std::string& place, Text text);

// A tree of `size` entries read through its tiles. Throws LogUnreadable.
class TileTree {
 public:
  TileTree(const LogFiles& files, std::uint64_t size) : files_(files), size_(size) {}

  const std::vector<Hash>& tile(int level, std::uint64_t number);
  Hash root() { return range(0, size_); }
  Hash range(std::uint64_t from, std::uint64_t to);  // MTH over entries [from, to), as in RFC 6962
  // In the tree of the first `to` entries, which may be smaller than this one.
  MerkleProof inclusion(std::uint64_t index, std::uint64_t to);
  MerkleProof consistency(std::uint64_t from, std::uint64_t to);

  // Nothing when the tile's hashes are on a proven way to `root`; else why not, naming the tile.
  std::optional<Problem> distrust(int level, std::uint64_t number, const Hash& root);

 private:
  Hash perfect(unsigned height, std::uint64_t index);
  void inclusion_in(std::uint64_t index, std::uint64_t from, std::uint64_t to, MerkleProof& out);
  void consistency_in(std::uint64_t size, std::uint64_t from, std::uint64_t to, bool whole,
                      MerkleProof& out);

  const LogFiles& files_;
  const std::uint64_t size_;
  std::map<std::pair<int, std::uint64_t>, std::vector<Hash>> tiles_;
  std::map<std::pair<int, std::uint64_t>, bool> trusted_;
  std::optional<bool> edge_fits_;
};

}  // namespace cw
