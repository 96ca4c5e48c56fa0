#include <gtest/gtest.h>

#include <set>

#include "ledger_testing.h"
#include "tile.h"

namespace cw {
namespace {

namespace fs = std::filesystem;

class VerifyTest : public testing::Test {
 protected:
  void SetUp() override {
    source.grow(600);
    auto ledger = open_ledger(folder, source);
    ASSERT_TRUE((*ledger)->advance());
    vkey = (*ledger)->verifier_key();
  }
  Result<VerifyReport> verify(VerifyOptions options = {}) {
    options.key = vkey;
    if (options.threads == 0) options.threads = 1;
    return verify_log(**open_log(log()), options);
  }
  std::string log() const { return folder / "log"; }
  std::string place(VerifyOptions options = {}) {
    auto report = verify(std::move(options));
    return report ? "verifies" : place_of(report.problem());
  }
  // Flips one bit, asks where verification points, and puts the byte back.
  std::string place_of_flip(const std::string& path, std::size_t at) {
    std::string good = read_file(log() + "/" + path), bad = good;
    bad.at(at) ^= char(1 << (at % 8));
    write_file(log() + "/" + path, bad);
    std::string where = place();
    write_file(log() + "/" + path, good);
    return where;
  }

  TemporaryFolder folder;
  MemorySource source{0};
  std::string vkey;
};

TEST_F(VerifyTest, AGoodLogVerifiesWithAnyNumberOfThreads) {
  for (unsigned threads : {1u, 2u, 7u}) {
    std::uint64_t seen = 0;
    auto report = verify({.threads = threads, .progress = [&](auto done, auto all) {
                            EXPECT_LE(done, all);
                            seen = std::max(seen, done);
                          }});
    ASSERT_TRUE(report);
    EXPECT_EQ(report->checkpoint.size, 600u);
    EXPECT_EQ(report->to, 600u);
    EXPECT_EQ(seen, 600u);
  }
}

TEST_F(VerifyTest, AFlippedByteInAnEntryIsNamedByTheEntrysNumber) {
  int tried = 0;
  for (std::uint64_t n = 0; n < 3; ++n) {
    std::string path = TileName{entries_level, n, tile_width_at(600, 0, n)}.path();
    std::string bytes = read_file(log() + "/" + path);
    std::string_view rest = bytes;
    for (std::uint64_t i = n * 256; !rest.empty(); ++i) {
      std::size_t start = bytes.size() - rest.size();
      take_from_bundle(rest);
      std::size_t end = bytes.size() - rest.size();
      if (i % 9 != 0 && i != 599 && i != 255) continue;
      for (std::size_t at : {start, start + 1, start + 2, end - 1}) {  // lengths too
        EXPECT_EQ(place_of_flip(path, at), "/entries/" + std::to_string(i))
            << path << " byte " << at;
        ++tried;
      }
    }
  }
  EXPECT_GT(tried, 250);
}

TEST_F(VerifyTest, AFlippedByteInATileIsNamedByTheTile) {
  for (std::string path : {"tile/0/000", "tile/0/001", "tile/0/002.p/88", "tile/1/000.p/2"}) {
    std::size_t size = read_file(log() + "/" + path).size();
    for (std::size_t at = 0; at < size; at += size < 100 ? 1 : 97)
      EXPECT_EQ(place_of_flip(path, at), "/" + path) << "byte " << at;
  }
}

TEST_F(VerifyTest, EveryFlippedByteOfTheCheckpointIsNamedByItsLine) {
  std::string bytes = read_file(log() + "/checkpoint");
  int line = 1;
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    // The newline that ends the text and the one of the empty line are told apart by nothing.
    std::set<std::string> good{"/checkpoint/" + std::to_string(line)};
    if (line == 3 && bytes[at] == '\n') good.insert("/checkpoint/4");
    EXPECT_TRUE(good.contains(place_of_flip("checkpoint", at)))
        << "byte " << at << " of line " << line << " was put at "
        << place_of_flip("checkpoint", at);
    if (bytes[at] == '\n') ++line;
  }
}

TEST_F(VerifyTest, AMissingOrCutFileIsNamed) {
  auto without = [&](const std::string& path) {
    std::string bytes = read_file(log() + "/" + path);
    fs::remove(log() + "/" + path);
    std::string where = place();
    write_file(log() + "/" + path, bytes);
    return where;
  };
  for (std::string path :
       {"tile/0/000", "tile/entries/001", "tile/entries/002.p/88", "tile/1/000.p/2"})
    EXPECT_EQ(without(path), "/" + path);
  std::string bytes = read_file(log() + "/tile/0/001");
  write_file(log() + "/tile/0/001", bytes.substr(0, 8000));
  EXPECT_EQ(place(), "/tile/0/001");
  write_file(log() + "/tile/0/001", bytes);
  std::string entries = read_file(log() + "/tile/entries/002.p/88");
  write_file(log() + "/tile/entries/002.p/88", entries + "x");
  EXPECT_EQ(place(), "/entries/599") << "more than the tree holds";
}

TEST_F(VerifyTest, TheFirstOfSeveralDamagesIsNamed) {
  auto flip = [&](const std::string& path, std::size_t at) {
    std::string bytes = read_file(log() + "/" + path);
    bytes.at(at) ^= 1;
    write_file(log() + "/" + path, bytes);
  };
  flip("tile/entries/001", 2);
  EXPECT_EQ(place(), "/entries/256");
  flip("tile/0/000", 5);
  EXPECT_EQ(place(), "/tile/0/000");
  flip("tile/0/000", 5);
  flip("tile/entries/000", 2);
  EXPECT_EQ(place(), "/entries/0");
  fs::remove(log() + "/tile/0/001");
  EXPECT_EQ(place(), "/entries/0");
  flip("checkpoint", 0);
  EXPECT_EQ(place(), "/checkpoint/1");
}

TEST_F(VerifyTest, EntriesRewrittenTogetherWithTheirTileAreFound) {
  std::string bundle;
  std::vector<Hash> hashes;
  for (std::uint64_t i = 256; i < 512; ++i) {
    std::string entry = i == 300 ? "forged" : source.entries[i];
    append_to_bundle(bundle, entry);
    hashes.push_back(leaf_hash(entry));
  }
  write_file(log() + "/tile/entries/001", bundle);
  write_file(log() + "/tile/0/001", tile_bytes(hashes));
  EXPECT_EQ(verify().problem().code, "ledger.rewritten");
  EXPECT_EQ(place(), "/entries/256");
}

TEST_F(VerifyTest, AWholeRewrittenTreeFailsAtTheSignedRoot) {
  TemporaryFolder other;
  MemorySource forged(600, ",\"forged\":1");
  auto ledger = open_ledger(other, forged);
  ASSERT_TRUE((*ledger)->advance());
  fs::remove_all(log() + "/tile");
  fs::copy(other / "log/tile", log() + "/tile", fs::copy_options::recursive);
  EXPECT_EQ(place(), "/checkpoint/3");
  fs::copy_file(other / "log/checkpoint", log() + "/checkpoint",
                fs::copy_options::overwrite_existing);
  EXPECT_EQ(place(), "/checkpoint/5") << "signed, but by another key";
}

TEST_F(VerifyTest, APartialTileOfAnOlderCheckpointIsCheckedToo) {
  source.grow(650);
  ASSERT_TRUE((*open_ledger(folder, source))->advance());
  EXPECT_EQ(place(), "verifies");
  EXPECT_EQ(place_of_flip("tile/0/002.p/88", 0), "/tile/0/002.p/88");
  EXPECT_EQ(place_of_flip("tile/entries/002.p/88", 100), "/tile/entries/002.p/88");
}

TEST_F(VerifyTest, ARangeIsCheckedWithItsWayToTheRoot) {
  auto report = verify({.from = 300, .to = 310});
  ASSERT_TRUE(report);
  EXPECT_EQ(report->from, 300u);
  EXPECT_EQ(report->to, 310u);
  auto range_place = [&](const std::string& path, std::size_t at) {
    std::string good = read_file(log() + "/" + path), bad = good;
    bad.at(at) ^= 1;
    write_file(log() + "/" + path, bad);
    std::string where = place({.from = 256, .to = 512});
    write_file(log() + "/" + path, good);
    return where;
  };
  EXPECT_EQ(range_place("tile/entries/001", 2), "/entries/256");
  EXPECT_EQ(range_place("tile/0/001", 40), "/tile/0/001");
  EXPECT_EQ(range_place("tile/entries/000", 2), "verifies") << "outside the range";
  EXPECT_EQ(place({.from = 5, .to = 5}), "/from");
  EXPECT_EQ(place({.from = 0, .to = 601}), "/from");
}

TEST_F(VerifyTest, ACheckpointKeptFromBeforeMustStillBeItsBeginning) {
  std::string kept = read_file(log() + "/checkpoint");
  source.grow(1300);
  ASSERT_TRUE((*open_ledger(folder, source))->advance());
  EXPECT_TRUE(verify({.since = kept}));
  TemporaryFolder other;
  fs::copy_file(folder / "key", other / "key");
  for (std::uint64_t size : {600, 900, 500}) {
    MemorySource forged(size, ",\"forged\":1");
    fs::remove_all(other / "log");
    ASSERT_TRUE((*open_ledger(other, forged))->advance());
    auto refused = verify_log(**open_log(other / "log"), {.key = vkey, .since = kept});
    ASSERT_FALSE(refused) << size;
    EXPECT_EQ(refused.problem().code, size < 600 ? "ledger.truncated" : "ledger.fork");
  }
}

TEST_F(VerifyTest, TheLogsOwnKeyIsUsedAndSaidWhenNoneIsGiven) {
  auto report = verify_log(**open_log(log()), {});
  ASSERT_TRUE(report);
  EXPECT_TRUE(report->key_from_log);
  write_file(log() + "/vkey", "nonsense");
  EXPECT_EQ(place_of(verify_log(**open_log(log()), {}).problem()), "/vkey");
  EXPECT_TRUE(verify()) << "with a key of one's own the file does not matter";
}

TEST_F(VerifyTest, AnExportIsACompleteVerifyingCopyAndADamagedLogIsNotExported) {
  std::string copy = folder / "copy";
  ASSERT_TRUE(export_log(**open_log(log()), copy, {.key = vkey}));
  EXPECT_TRUE(verify_log(**open_log(copy), {}));
  EXPECT_EQ(read_file(copy + "/checkpoint"), read_file(log() + "/checkpoint"));
  EXPECT_EQ(export_log(**open_log(log()), copy, {.key = vkey}).problem().code,
            "ledger.export_folder");
  std::string bytes = read_file(log() + "/tile/entries/000");
  bytes[2] ^= 1;
  write_file(log() + "/tile/entries/000", bytes);
  EXPECT_EQ(place_of(export_log(**open_log(log()), folder / "bad", {.key = vkey}).problem()),
            "/entries/0");
  EXPECT_FALSE(fs::exists(folder / "bad/checkpoint"));
}

TEST(VerifyNothing, AFolderWithoutALogIsNotFound) {
  TemporaryFolder folder;
  EXPECT_EQ(open_log(folder / "none").problem().refusal, Refusal::not_found);
  EXPECT_EQ(verify_log(**open_log(folder.path()), {}).problem().refusal, Refusal::not_found);
}

}  // namespace
}  // namespace cw
