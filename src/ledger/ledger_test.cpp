#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <thread>

#include "base/text.h"
#include "ledger_testing.h"

namespace cw {
namespace {

namespace fs = std::filesystem;

class LedgerTest : public testing::Test {
 protected:
  bool verifies() {
    auto log = open_log(folder / "log");
    auto report = verify_log(**log, {.threads = 1});
    if (!report) ADD_FAILURE() << report.problem().text.en << " at " << place_of(report.problem());
    return report.ok();
  }
  TemporaryFolder folder;
};

TEST_F(LedgerTest, SignsTheRootOfTheDefinitionAtEverySize) {
  MemorySource source(0);
  auto ledger = open_ledger(folder, source);
  ASSERT_TRUE(ledger);
  EXPECT_EQ((*ledger)->checkpoint(), "");
  ASSERT_TRUE((*ledger)->advance()) << "nothing to do";
  EXPECT_EQ((*ledger)->checkpoint(), "") << "an empty ledger signs nothing";
  auto vkey = VerifierKey::parse((*ledger)->verifier_key());
  for (std::uint64_t size : {1, 2, 5, 255, 256, 257, 300, 511, 512, 513, 1300}) {
    source.grow(size);
    ASSERT_TRUE((*ledger)->advance());
    auto checkpoint = open_checkpoint((*ledger)->checkpoint(), *vkey);
    ASSERT_TRUE(checkpoint);
    EXPECT_EQ(checkpoint->size, size);
    EXPECT_EQ(checkpoint->root, root_by_definition(source.entries, 0, size));
    EXPECT_EQ((*ledger)->root(), checkpoint->root);
    EXPECT_TRUE(verifies()) << size;
  }
  EXPECT_FALSE(fs::exists(folder / "log/tile/0/000.p")) << "a filled tile drops its partial ones";
  EXPECT_TRUE(fs::exists(folder / "log/tile/0/005.p/20"));
}

TEST_F(LedgerTest, ThreeLevelsOfTilesVerify) {
  MemorySource source(66'000);
  auto ledger = open_ledger(folder, source);
  ASSERT_TRUE((*ledger)->advance());
  EXPECT_TRUE(fs::exists(folder / "log/tile/2/000.p/1"));
  EXPECT_TRUE(verifies());
  EXPECT_TRUE(verify_proof(*(*ledger)->prove(65'999), (*ledger)->verifier_key()));
}

TEST_F(LedgerTest, ProofsAndConsistencyComeFromTheTiles) {
  MemorySource source(400);
  auto ledger = open_ledger(folder, source);
  ASSERT_TRUE((*ledger)->advance());
  std::string vkey = (*ledger)->verifier_key();
  Hash root400 = (*ledger)->root();
  source.grow(900);
  ASSERT_TRUE((*ledger)->advance());
  for (std::uint64_t i : {0, 255, 256, 511, 899}) {
    auto proof = (*ledger)->prove(i);
    ASSERT_TRUE(proof);
    EXPECT_TRUE(verify_proof(*proof, vkey));
    EXPECT_EQ(*TlogProof::parse(*proof)->extra, source.entries[i]);
  }
  EXPECT_EQ((*ledger)->prove(900).problem().refusal, Refusal::not_found);
  auto growth = (*ledger)->consistency(400, 900);
  ASSERT_TRUE(growth);
  EXPECT_TRUE(verify_consistency(400, 900, root400, (*ledger)->root(), *growth));
  EXPECT_EQ(place_of((*ledger)->consistency(5, 901).problem()), "/to");
}

TEST_F(LedgerTest, ResumesAndSignsWhatOneRunWouldHaveSigned) {
  MemorySource source(0);
  for (std::uint64_t size : {100, 256, 300, 512, 700}) {
    source.grow(size);
    auto ledger = open_ledger(folder, source);
    ASSERT_TRUE(ledger) << ledger.problem().text.en;
    ASSERT_TRUE((*ledger)->advance());
    EXPECT_EQ((*ledger)->root(), root_by_definition(source.entries, 0, size));
  }
  EXPECT_TRUE(verifies());
}

// What a crash can leave: temporary files, tiles without their checkpoint, torn unsigned tiles.
TEST_F(LedgerTest, ACrashBetweenTilesAndCheckpointIsRepairedByTheNextRound) {
  MemorySource source(300);
  { ASSERT_TRUE((*open_ledger(folder, source))->advance()); }
  std::string signed_at_300 = read_file(folder / "log/checkpoint");
  source.grow(800);
  { ASSERT_TRUE((*open_ledger(folder, source))->advance()); }
  write_file(folder / "log/checkpoint", signed_at_300);
  write_file(folder / "log/tile/0/002", "torn");
  write_file(folder / "log/.tmp/0", "half a tile");
  write_file(folder / "log/checkpoint.tmp", "half a checkpoint");
  fs::remove_all(folder / "log/tile/entries/001");
  EXPECT_FALSE(fs::exists(folder / "log/tile/0/001.p/44")) << "the partial tile was dropped";
  auto ledger = open_ledger(folder, source);
  ASSERT_TRUE(ledger) << ledger.problem().text.en;
  EXPECT_EQ((*ledger)->size(), 300u);
  EXPECT_FALSE(fs::exists(folder / "log/.tmp/0"));
  ASSERT_TRUE((*ledger)->advance());
  EXPECT_EQ((*ledger)->size(), 800u);
  EXPECT_TRUE(verifies());
}

TEST_F(LedgerTest, KilledAtAnyMomentItGoesOnFromWhatWasPublished) {
  MemorySource source(0);
  std::uint64_t last = 0;
  for (int round = 0; round < 12; ++round) {
    pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {  // builds, a little more each time, until it is killed
      MemorySource own(last);
      auto ledger = open_ledger(folder, own);
      if (!ledger) ::_exit(1);
      for (;;) {
        own.grow(own.entries.size() + 37);
        (void)(*ledger)->advance();
      }
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(40 + 17 * round % 60));
    ::kill(child, SIGKILL);
    int status = 0;
    ::waitpid(child, &status, 0);
    ASSERT_TRUE(WIFSIGNALED(status)) << "the child could not open the ledger";
    auto text = read_file(folder / "log/checkpoint");
    if (text.empty()) continue;  // killed before the first one
    EXPECT_TRUE(verifies()) << "as it stands, before any repair";
    source.grow(Checkpoint::parse(SignedNote::parse(text)->text)->size);
    auto ledger = open_ledger(folder, source);
    ASSERT_TRUE(ledger) << ledger.problem().text.en;
    EXPECT_EQ((*ledger)->root(), root_by_definition(source.entries, 0, source.size()));
    EXPECT_GE((*ledger)->size(), last) << "nothing that was signed is gone";
    last = (*ledger)->size();
  }
  EXPECT_GT(last, 0u);
}

TEST_F(LedgerTest, DamagedTilesAreBuiltAnewFromTheSource) {
  MemorySource source(700);
  { ASSERT_TRUE((*open_ledger(folder, source))->advance()); }
  std::string before = read_file(folder / "log/tile/0/002.p/188");
  write_file(folder / "log/tile/0/002.p/188", "damaged");
  fs::remove(folder / "log/tile/0/000");
  auto ledger = open_ledger(folder, source);
  ASSERT_TRUE(ledger) << ledger.problem().text.en;
  EXPECT_EQ(read_file(folder / "log/tile/0/002.p/188"), before);
  EXPECT_TRUE(verifies());
}

TEST_F(LedgerTest, AShorterOrForkedSourceIsNeverSigned) {
  MemorySource source(700);
  { ASSERT_TRUE((*open_ledger(folder, source))->advance()); }
  std::string before = read_file(folder / "log/checkpoint");
  std::string tile = read_file(folder / "log/tile/0/002.p/188");

  MemorySource shorter(699);
  EXPECT_EQ(open_ledger(folder, shorter).problem().code, "ledger.shorter");

  MemorySource forked(600);
  forked.entries.back() += " changed";
  forked.grow(900);
  EXPECT_EQ(open_ledger(folder, forked).problem().code, "ledger.forked");
  EXPECT_EQ(read_file(folder / "log/checkpoint"), before);
  EXPECT_EQ(read_file(folder / "log/tile/0/002.p/188"), tile) << "the evidence is not overwritten";
  EXPECT_TRUE(verifies());
}

TEST_F(LedgerTest, WhatWasSeenOutsideBindsEvenWhenTheFolderWasLost) {
  MemorySource source(700);
  std::string seen;
  {
    auto ledger = open_ledger(folder, source);
    ASSERT_TRUE((*ledger)->advance());
    seen = (*ledger)->checkpoint();
  }
  fs::remove_all(folder / "log");
  SeededRandom random(9);
  auto reopen = [&](EntrySource& s) {
    LedgerOptions options = ledger_options(folder);
    options.outside = seen;
    return Ledger::open(options, s, random);
  };
  MemorySource shorter(650);
  EXPECT_EQ(reopen(shorter).problem().code, "ledger.shorter");
  MemorySource forked(900, ",\"forked\":1");
  EXPECT_EQ(reopen(forked).problem().code, "ledger.forked");
  EXPECT_FALSE(fs::exists(folder / "log/checkpoint"));
  source.grow(900);
  auto good = reopen(source);
  ASSERT_TRUE(good) << good.problem().text.en;
  ASSERT_TRUE((*good)->advance());
  EXPECT_TRUE(reopen(source)) << "and again with the folder there";
}

TEST_F(LedgerTest, AnotherKeyOrOriginIsRefusedOnAnExistingLog) {
  MemorySource source(10);
  { ASSERT_TRUE((*open_ledger(folder, source))->advance()); }
  ::chmod((folder / "key").c_str(), 0644);
  EXPECT_EQ(open_ledger(folder, source).problem().code, "ledger.key_mode");
  fs::remove(folder / "key");
  EXPECT_EQ(open_ledger(folder, source).problem().code, "ledger.key_missing")
      << "a lost key is never replaced in silence";
  SeededRandom random(77);
  ASSERT_TRUE(create_signer(folder / "key", "ledger.example/center", random));
  EXPECT_EQ(place_of(open_ledger(folder, source).problem()), "/checkpoint/5");
}

TEST_F(LedgerTest, AFailedRoundChangesNothingAndTheNextOneRecovers) {
  MemorySource source(300);
  auto ledger = open_ledger(folder, source);
  ASSERT_TRUE((*ledger)->advance());
  source.grow(600);
  fs::rename(folder / "log/tile/0", folder / "log/tile/was0");
  write_file(folder / "log/tile/0", "a file where a folder should be");
  EXPECT_THROW((void)(*ledger)->advance(), std::exception);
  EXPECT_EQ((*ledger)->size(), 300u);
  fs::remove(folder / "log/tile/0");
  fs::rename(folder / "log/tile/was0", folder / "log/tile/0");
  ASSERT_TRUE((*ledger)->advance());
  EXPECT_EQ((*ledger)->size(), 600u);
  EXPECT_TRUE(verifies());
}

TEST_F(LedgerTest, TheThreadPublishesWhatIsNewAndStopsAfterALastRound) {
  MemorySource source(20);
  SeededRandom random(5);
  LedgerOptions options = ledger_options(folder);
  options.interval_ms = 5;
  auto ledger = Ledger::open(options, source, random);
  ASSERT_TRUE(ledger);
  (*ledger)->start();
  for (int i = 0; i < 2000 && (*ledger)->size() < 20; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  EXPECT_EQ((*ledger)->size(), 20u);
  EXPECT_FALSE((*ledger)->trouble());
  (*ledger)->stop();
  source.grow(30);
  (*ledger)->start();
  (*ledger)->stop();
  EXPECT_EQ((*ledger)->size(), 30u);
}

TEST_F(LedgerTest, OnlyConfiguredWitnessesAreAdded) {
  SeededRandom random(6);
  NoteSigner witness{"witness.example", SigningKey::generate(random)};
  NoteSigner stranger{"stranger.example", SigningKey::generate(random)};
  MemorySource source(20);
  LedgerOptions options = ledger_options(folder);
  options.witnesses = {witness.verifier(4).text()};
  auto ledger = Ledger::open(options, source, random);
  ASSERT_TRUE((*ledger)->advance());
  std::string text = SignedNote::parse((*ledger)->checkpoint())->text;
  EXPECT_EQ((*ledger)->cosign(stranger.cosignature_line(text, 5)).problem().code,
            "ledger.witness_unknown");
  EXPECT_FALSE((*ledger)->cosign(witness.cosignature_line("another\n", 5)));
  ASSERT_TRUE((*ledger)->cosign(witness.cosignature_line(text, 5)));
  auto log = open_log(folder / "log");
  EXPECT_TRUE(verify_log(**log, {.witnesses = options.witnesses}));
  EXPECT_FALSE(verify_log(**log, {.witnesses = {stranger.verifier(4).text()}}));
}

}  // namespace
}  // namespace cw
