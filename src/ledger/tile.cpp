#include "tile.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/text.h"

namespace cw {
namespace {

std::string tile_number_path(std::uint64_t n) {
  auto three = [](std::uint64_t v) {
    std::string s = std::to_string(v);
    return std::string(3 - s.size(), '0') + s;
  };
  std::string out = three(n % 1000);
  while (n >= 1000) {
    n /= 1000;
    out = "x" + three(n % 1000) + "/" + out;
  }
  return out;
}

[[noreturn]] void refuse_tile(const std::string& path, Text text) {
  throw LogUnreadable(broken_at("ledger.tile", path, std::move(text)));
}

// Bytes of the first `count` entries of a bundle; nothing when it holds fewer.
std::optional<std::size_t> bundle_prefix(std::string_view bundle, unsigned count) {
  std::string_view rest = bundle;
  for (unsigned i = 0; i < count; ++i)
    if (!take_from_bundle(rest)) return std::nullopt;
  return bundle.size() - rest.size();
}

}  // namespace

Problem broken_at(std::string code, const std::string& place, Text text) {
  Problem p{Refusal::conflict, std::move(code), text, {}, 0};
  p.fields.push_back({"/" + place, std::move(text)});
  return p;
}

std::string TileName::path() const {
  std::string out = "tile/" + (level == entries_level ? "entries" : std::to_string(level)) + "/" +
                    tile_number_path(number);
  if (width < tile_width) out += ".p/" + std::to_string(width);
  return out;
}

std::optional<TileName> TileName::parse(std::string_view path) {
  std::vector<std::string_view> parts = split(path, '/');
  if (parts.size() < 3 || parts.size() > 9 || parts[0] != "tile") return std::nullopt;
  TileName name;
  if (parts[1] == "entries") {
    name.level = entries_level;
  } else if (auto level = to_int<int>(parts[1]); level && *level >= 0 && *level < 64) {
    name.level = *level;
  } else {
    return std::nullopt;
  }
  std::size_t last = parts.size() - 1;
  if (parts[last - 1].ends_with(".p")) {
    auto width = to_int<unsigned>(parts[last]);
    if (!width || *width == 0 || *width >= tile_width) return std::nullopt;
    name.width = *width;
    parts[--last].remove_suffix(2);
  }
  for (std::size_t i = 2; i <= last; ++i) {
    std::string_view digits = parts[i];
    if (i < last) digits.remove_prefix(digits.starts_with("x") ? 1 : 0);
    auto value = to_int<unsigned>(digits);
    if (digits.size() != 3 || !value) return std::nullopt;
    name.number = name.number * 1000 + *value;
  }
  if (name.path() != path) return std::nullopt;  // one path, one tile
  return name;
}

unsigned tile_width_at(std::uint64_t size, int level, std::uint64_t number) {
  unsigned shift = 8 * unsigned(std::max(level, 0));
  std::uint64_t hashes = shift < 64 ? size >> shift : 0;
  if (number >= (hashes + tile_width - 1) / tile_width) return 0;
  return unsigned(std::min(tile_width, hashes - number * tile_width));
}

int tile_levels(std::uint64_t size) {
  int levels = 0;
  for (; size > 0; size >>= 8) ++levels;
  return levels;
}

std::vector<TileName> edge_tiles(std::uint64_t size) {
  std::vector<TileName> out;
  for (int level = 0; level < tile_levels(size); ++level) {
    std::uint64_t hashes = size >> (8 * level);
    if (hashes % tile_width != 0)
      out.push_back({level, hashes / tile_width, unsigned(hashes % tile_width)});
  }
  return out;
}

std::string tile_bytes(const std::vector<Hash>& hashes) {
  return {reinterpret_cast<const char*>(hashes.data()), hashes.size() * 32};
}

std::vector<Hash> tile_hashes(std::string_view bytes) {
  CW_CHECK(bytes.size() % 32 == 0);
  std::vector<Hash> out(bytes.size() / 32);
  std::memcpy(out.data(), bytes.data(), bytes.size());
  return out;
}

Hash subtree_hash(const Hash* hashes, std::size_t count) {
  CW_CHECK(count >= 1 && count <= tile_width);
  if (count == 1) return hashes[0];
  std::size_t left = std::bit_ceil(count) / 2;
  return node_hash(subtree_hash(hashes, left), subtree_hash(hashes + left, count - left));
}

void append_to_bundle(std::string& bundle, std::string_view entry) {
  CW_CHECK(entry.size() <= entry_size_max);
  bundle += char(entry.size() >> 8);
  bundle += char(entry.size() & 0xff);
  bundle += entry;
}

std::optional<std::string_view> take_from_bundle(std::string_view& bundle) {
  if (bundle.size() < 2) return std::nullopt;
  std::size_t size = std::size_t(std::uint8_t(bundle[0])) << 8 | std::uint8_t(bundle[1]);
  if (bundle.size() - 2 < size) return std::nullopt;
  std::string_view entry = bundle.substr(2, size);
  bundle.remove_prefix(2 + size);
  return entry;
}

std::string read_tile(const LogFiles& files, TileName name) {
  const bool entries = name.level == entries_level;
  const std::size_t size_max = entries ? bundle_bytes_max : tile_bytes_max;
  const unsigned width = name.width;
  auto bytes = files.read(name.path(), size_max);
  if (!bytes && width < tile_width) {
    // The tile has filled up since the checkpoint was signed.
    name.width = tile_width;
    bytes = files.read(name.path(), size_max);
    if (bytes && !entries && bytes->size() >= width * 32) bytes->resize(width * 32);
    if (bytes && entries) bytes->resize(bundle_prefix(*bytes, width).value_or(bytes->size()));
    if (!bytes) name.width = width;
  }
  if (!bytes) {
    refuse_tile(name.path(),
                {"缺少文件 " + name.path(), "the file " + name.path() + " is missing"});
  }
  if (!entries && bytes->size() != width * 32) {
    refuse_tile(name.path(), {"文件 " + name.path() + " 有 " + std::to_string(bytes->size()) +
                                  " 字节，应有 " + std::to_string(width * 32) + " 字节",
                              "the file " + name.path() + " has " + std::to_string(bytes->size()) +
                                  " bytes and should have " + std::to_string(width * 32)});
  }
  return std::move(*bytes);
}

const std::vector<Hash>& TileTree::tile(int level, std::uint64_t number) {
  auto [it, fresh] = tiles_.try_emplace({level, number});
  if (!fresh) return it->second;
  try {
    it->second =
        tile_hashes(read_tile(files_, {level, number, tile_width_at(size_, level, number)}));
  } catch (...) {
    tiles_.erase(it);
    throw;
  }
  return it->second;
}

Hash TileTree::perfect(unsigned height, std::uint64_t index) {
  int level = int(height / 8);
  std::uint64_t count = std::uint64_t{1} << (height % 8);
  std::uint64_t first = index * count;
  const std::vector<Hash>& t = tile(level, first / tile_width);
  CW_CHECK(first % tile_width + count <= t.size());
  return subtree_hash(t.data() + first % tile_width, count);
}

Hash TileTree::range(std::uint64_t from, std::uint64_t to) {
  CW_CHECK(from <= to && to <= size_);
  if (from == to) return empty_root();
  std::uint64_t count = to - from;
  if (std::has_single_bit(count)) {
    auto height = unsigned(std::countr_zero(count));
    return perfect(height, from >> height);
  }
  std::uint64_t left = std::bit_floor(count);
  return node_hash(range(from, from + left), range(from + left, to));
}

// RFC 6962 §2.1.1.
void TileTree::inclusion_in(std::uint64_t index, std::uint64_t from, std::uint64_t to,
                            MerkleProof& out) {
  if (to - from == 1) return;
  std::uint64_t middle = from + std::bit_ceil(to - from) / 2;
  if (index < middle) {
    inclusion_in(index, from, middle, out);
    out.push_back(range(middle, to));
  } else {
    inclusion_in(index, middle, to, out);
    out.push_back(range(from, middle));
  }
}

MerkleProof TileTree::inclusion(std::uint64_t index, std::uint64_t to) {
  CW_CHECK(index < to && to <= size_);
  MerkleProof out;
  inclusion_in(index, 0, to, out);
  return out;
}

// RFC 6962 §2.1.2; `whole`: the old tree is exactly [from, to), whose root the verifier has.
void TileTree::consistency_in(std::uint64_t size, std::uint64_t from, std::uint64_t to, bool whole,
                              MerkleProof& out) {
  if (size == to) {
    if (!whole) out.push_back(range(from, to));
    return;
  }
  std::uint64_t middle = from + std::bit_ceil(to - from) / 2;
  if (size <= middle) {
    consistency_in(size, from, middle, whole, out);
    out.push_back(range(middle, to));
  } else {
    consistency_in(size, middle, to, false, out);
    out.push_back(range(from, middle));
  }
}

MerkleProof TileTree::consistency(std::uint64_t from, std::uint64_t to) {
  CW_CHECK(from <= to && to <= size_);
  MerkleProof out;
  if (from > 0) consistency_in(from, 0, to, true, out);
  return out;
}

std::optional<Problem> TileTree::distrust(int level, std::uint64_t number, const Hash& root) {
  if (trusted_.contains({level, number})) return std::nullopt;
  if (tile_width_at(size_, level, number) < tile_width) {
    if (!edge_fits_) edge_fits_ = TileTree::root() == root;
    if (!*edge_fits_) {
      std::string path = TileName{level, number, tile_width_at(size_, level, number)}.path();
      return broken_at(
          "ledger.tile", path,
          {"最右侧的散列块与所签的根不符（其中有 " + path + "）",
           "the rightmost tiles, " + path + " among them, do not give the signed root"});
    }
  } else {
    // A full tile's hash stands in the level above; at the very top it is the root itself.
    Hash own = subtree_hash(tile(level, number).data(), tile_width);
    bool has_parent = tile_width_at(size_, level + 1, number / tile_width) > 0;
    if (auto above = has_parent ? distrust(level + 1, number / tile_width, root) : std::nullopt)
      return above;
    if (own != (has_parent ? tile(level + 1, number / tile_width)[number % tile_width] : root)) {
      std::string path = TileName{level, number, tile_width}.path();
      return broken_at("ledger.tile", path,
                       {"散列块 " + path + " 与上一级记录的散列不符",
                        "the tile " + path + " does not have the hash that the level above holds"});
    }
  }
  trusted_[{level, number}] = true;
  return std::nullopt;
}

}  // namespace cw
