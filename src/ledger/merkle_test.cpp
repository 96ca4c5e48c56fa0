#include <gtest/gtest.h>

#include <cstdlib>

#include "base/json.h"
#include "base/text.h"
#include "ledger_testing.h"
#include "tile.h"

namespace cw {
namespace {

namespace fs = std::filesystem;

// transparency-dev/merkle's cases, most of which must fail.
class MerkleCorpus : public testing::Test {
 protected:
  // A few roots in the cases are not 32 bytes long; their hash keeps them different.
  static Hash hash_of(const json::value& v) {
    std::string bytes = *from_base64(v.as_string());
    return bytes.size() == 32 ? hash_from(bytes) : sha256(bytes);
  }
  static MerkleProof proof_of(const json::value& v) {
    MerkleProof out;
    if (v.is_array())
      for (const auto& h : v.as_array()) out.push_back(hash_of(h));
    return out;
  }
  // A leaf of another length cannot even be handed to our functions: it is refused by its type.
  static bool is_hash(const json::value& v) { return from_base64(v.as_string())->size() == 32; }
  static std::uint64_t number(const json::value& v) { return v.to_number<std::uint64_t>(); }

  template <typename Judge>
  void run(const std::string& kind, int count_min, Judge&& judge) {
    const char* set = std::getenv("CALLWARDEN_CORPORA");
    std::string root = set ? set : std::string(CW_SOURCE_DIR) + "/../shared/corpora";
    if (!fs::exists(root + "/merkle/" + kind))
      GTEST_SKIP() << "the corpora are not beside the project: see CALLWARDEN_CORPORA";
    int count = 0;
    for (const auto& file : fs::recursive_directory_iterator(root + "/merkle/" + kind)) {
      if (file.path().extension() != ".json") continue;
      auto parsed = parse_json(read_file(file.path()));
      ASSERT_TRUE(parsed) << file.path();
      EXPECT_EQ(judge(*parsed), !parsed->at("wantErr").as_bool()) << file.path();
      ++count;
    }
    EXPECT_GE(count, count_min);
  }
};

TEST_F(MerkleCorpus, Inclusion) {
  run("inclusion", 98, [](const json::value& v) {
    return is_hash(v.at("leafHash")) &&
           verify_inclusion(number(v.at("leafIdx")), number(v.at("treeSize")),
                            hash_of(v.at("leafHash")), proof_of(v.at("proof")),
                            hash_of(v.at("root")));
  });
}

TEST_F(MerkleCorpus, Consistency) {
  run("consistency", 98, [](const json::value& v) {
    return verify_consistency(number(v.at("size1")), number(v.at("size2")), hash_of(v.at("root1")),
                              hash_of(v.at("root2")), proof_of(v.at("proof")));
  });
}

TEST_F(MerkleCorpus, SubtreeInclusion) {
  run("subtreeinclusion", 204, [](const json::value& v) {
    return is_hash(v.at("leafHash")) &&
           verify_subtree_inclusion(number(v.at("leafIdx")), number(v.at("start")),
                                    number(v.at("end")), hash_of(v.at("leafHash")),
                                    proof_of(v.at("proof")), hash_of(v.at("root")));
  });
}

TEST_F(MerkleCorpus, SubtreeConsistency) {
  run("subtreeconsistency", 118, [](const json::value& v) {
    return verify_subtree_consistency(number(v.at("start")), number(v.at("end")),
                                      number(v.at("size")), hash_of(v.at("root1")),
                                      hash_of(v.at("root2")), proof_of(v.at("proof")));
  });
}

// A log in memory: tiles of every size are made by the test itself, from the definition.
class MemoryLog final : public LogFiles {
 public:
  explicit MemoryLog(const std::vector<std::string>& entries) {
    for (unsigned level = 0; level < 3; ++level) {
      std::size_t span = std::size_t{1} << (8 * level);
      for (std::size_t n = 0; n * span * tile_width < entries.size(); ++n) {
        std::vector<Hash> hashes;
        for (std::size_t i = n * tile_width;
             i < (n + 1) * tile_width && (i + 1) * span <= entries.size(); ++i)
          hashes.push_back(root_by_definition(entries, i * span, (i + 1) * span));
        if (!hashes.empty())
          files_[TileName{int(level), n, unsigned(hashes.size())}.path()] = tile_bytes(hashes);
      }
    }
  }
  std::optional<std::string> read(const std::string& path, std::size_t) const override {
    auto it = files_.find(path);
    return it == files_.end() ? std::nullopt : std::optional(it->second);
  }
  std::optional<std::vector<std::string>> list() const override { return std::nullopt; }

 private:
  std::map<std::string, std::string> files_;
};

TEST(MerkleTree, EveryProofFromTilesHoldsAndNoOtherEntryFits) {
  MemorySource source(700);
  for (std::size_t size : {1u, 2u, 3u, 255u, 256u, 257u, 511u, 512u, 700u}) {
    std::vector<std::string> entries(source.entries.begin(), source.entries.begin() + long(size));
    MemoryLog log(entries);
    TileTree tree(log, size);
    Hash root = root_by_definition(entries, 0, size);
    ASSERT_EQ(tree.root(), root) << size;
    for (std::size_t i = 0; i < size; i += 1 + size / 40) {
      MerkleProof proof = tree.inclusion(i, size);
      EXPECT_TRUE(verify_inclusion(i, size, leaf_hash(entries[i]), proof, root));
      EXPECT_FALSE(verify_inclusion(i, size, leaf_hash("forged"), proof, root));
      EXPECT_FALSE(verify_inclusion(i + 1, size, leaf_hash(entries[i]), proof, root));
      for (Hash& h : proof) {
        h[0] ^= 1;
        EXPECT_FALSE(verify_inclusion(i, size, leaf_hash(entries[i]), proof, root));
        h[0] ^= 1;
      }
    }
  }
}

TEST(MerkleTree, EverySizeIsAProvenBeginningOfEveryLargerOne) {
  MemorySource source(530);
  MemoryLog log(source.entries);
  TileTree tree(log, 530);
  std::vector<std::size_t> sizes{1, 2, 3, 4, 7, 8, 100, 255, 256, 257, 300, 512, 513, 529, 530};
  for (std::size_t from : sizes) {
    for (std::size_t to : sizes) {
      if (from > to) continue;
      Hash root1 = root_by_definition(source.entries, 0, from);
      Hash root2 = root_by_definition(source.entries, 0, to);
      MerkleProof proof = tree.consistency(from, to);
      EXPECT_TRUE(verify_consistency(from, to, root1, root2, proof)) << from << " " << to;
      Hash wrong = root1;
      wrong[31] ^= 1;
      EXPECT_FALSE(verify_consistency(from, to, wrong, root2, proof)) << from << " " << to;
    }
  }
}

TEST(TileNames, AreThePathsOfTheSpecification) {
  EXPECT_EQ((TileName{0, 1234067, 256}.path()), "tile/0/x001/x234/067");
  EXPECT_EQ((TileName{2, 5, 17}.path()), "tile/2/005.p/17");
  EXPECT_EQ((TileName{entries_level, 1000, 256}.path()), "tile/entries/x001/000");
  for (const char* path :
       {"tile/0/x001/x234/067", "tile/2/005.p/17", "tile/entries/x001/000.p/255"})
    EXPECT_EQ(TileName::parse(path)->path(), path);
  for (const char* path :
       {"tile/0/1", "tile/0/x000/001", "tile/64/000", "tile/0/000.p/256", "tile/0/000.p/0",
        "tile/0/000.p/01", "tile/-1/000", "tile/00/000", "x/0/000"})
    EXPECT_FALSE(TileName::parse(path)) << path;
}

TEST(TileNames, TheTreeOfTheSpecificationsExampleHasItsTiles) {
  // 70,000 entries: 273 full tiles and one of 112; one full and one of 17; one of 1.
  EXPECT_EQ(tile_width_at(70'000, 0, 272), 256u);
  EXPECT_EQ(tile_width_at(70'000, 0, 273), 112u);
  EXPECT_EQ(tile_width_at(70'000, 0, 274), 0u);
  EXPECT_EQ(tile_width_at(70'000, 1, 0), 256u);
  EXPECT_EQ(tile_width_at(70'000, 1, 1), 17u);
  EXPECT_EQ(tile_width_at(70'000, 2, 0), 1u);
  EXPECT_EQ(edge_tiles(256), (std::vector<TileName>{{1, 0, 1}}));
}

TEST(Bundles, GiveBackTheirEntriesAndRefuseTornOnes) {
  std::string bundle;
  for (std::string entry : {std::string(), std::string("a"), std::string(65'535, 'x')})
    append_to_bundle(bundle, entry);
  std::string_view rest = bundle;
  EXPECT_EQ(take_from_bundle(rest), "");
  EXPECT_EQ(take_from_bundle(rest), "a");
  EXPECT_EQ(take_from_bundle(rest)->size(), 65'535u);
  EXPECT_TRUE(rest.empty());
  std::string_view torn = std::string_view(bundle).substr(0, bundle.size() - 1);
  take_from_bundle(torn), take_from_bundle(torn);
  EXPECT_FALSE(take_from_bundle(torn));
}

}  // namespace
}  // namespace cw
