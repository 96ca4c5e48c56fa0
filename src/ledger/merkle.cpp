#include <bit>

#include "ledger.h"

namespace cw {
namespace {

constexpr std::string_view leaf_prefix{"\x00", 1};
constexpr std::string_view node_prefix{"\x01", 1};

// Entries [start, end) form a subtree of any larger tree.
bool is_subtree(std::uint64_t start, std::uint64_t end) {
  if (start >= end || end - start > (std::uint64_t{1} << 63)) return false;
  return start % std::bit_ceil(end - start) == 0;
}

}  // namespace

Hash leaf_hash(std::string_view entry) { return sha256_of({leaf_prefix, entry}); }

Hash node_hash(const Hash& left, const Hash& right) {
  return sha256_of({node_prefix, bytes_of(left), bytes_of(right)});
}

Hash empty_root() { return sha256(""); }

bool verify_inclusion(std::uint64_t index, std::uint64_t size, const Hash& leaf,
                      const MerkleProof& proof, const Hash& root) {
  return verify_subtree_inclusion(index, 0, size, leaf, proof, root);
}

// RFC 9162 §2.1.3.2, counted from the subtree's start.
bool verify_subtree_inclusion(std::uint64_t index, std::uint64_t start, std::uint64_t end,
                              const Hash& leaf, const MerkleProof& proof, const Hash& root) {
  if (!is_subtree(start, end) || index < start || index >= end) return false;
  std::uint64_t at = index - start, last = end - start - 1;
  Hash r = leaf;
  for (const Hash& sibling : proof) {
    if (last == 0) return false;
    if ((at & 1) != 0 || at == last) {
      r = node_hash(sibling, r);
      while ((at & 1) == 0 && at != 0) at >>= 1, last >>= 1;
    } else {
      r = node_hash(r, sibling);
    }
    at >>= 1, last >>= 1;
  }
  return last == 0 && r == root;
}

bool verify_consistency(std::uint64_t size1, std::uint64_t size2, const Hash& root1,
                        const Hash& root2, const MerkleProof& proof) {
  return size1 > 0 && verify_subtree_consistency(0, size1, size2, root1, root2, proof);
}

// RFC 9162 §2.1.4.2, extended to subtrees that do not start at 0.
bool verify_subtree_consistency(std::uint64_t start, std::uint64_t end, std::uint64_t size,
                                const Hash& subtree_root, const Hash& root,
                                const MerkleProof& proof) {
  if (start == end) return end <= size && proof.empty() && subtree_root == empty_root();
  if (!is_subtree(start, end) || end > size) return false;
  std::uint64_t first = start, last = end - 1, top = size - 1;
  // Climb to where the subtree's right edge is the left child of something (or is the whole tree).
  if (last == top) {
    while (first != last) first >>= 1, last >>= 1, top >>= 1;
  } else {
    while (first != last && (last & 1) != 0) first >>= 1, last >>= 1, top >>= 1;
  }
  auto next = proof.begin();
  Hash part = subtree_root;
  if (first != last) {
    if (next == proof.end()) return false;
    part = *next++;
  }
  Hash whole = part;
  for (; next != proof.end(); ++next) {
    if (top == 0) return false;
    if ((last & 1) != 0 || last == top) {
      if (first < last) part = node_hash(*next, part);
      whole = node_hash(*next, whole);
      while ((last & 1) == 0 && last != 0) first >>= 1, last >>= 1, top >>= 1;
    } else {
      whole = node_hash(whole, *next);
    }
    first >>= 1, last >>= 1, top >>= 1;
  }
  return top == 0 && part == subtree_root && whole == root;
}

}  // namespace cw
