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

// Witnesses in the same process, one of which may be away.
struct TestWitness {
  explicit TestWitness(const TemporaryFolder& folder, const std::string& name, char seed)
      : it(std::move(*Witness::open(
            folder / name, {name, SigningKey::from_seed(std::string(32, seed))}, clock))) {}
  WitnessPeer peer() {
    return {it->verifier(), [this](const std::string& request) {
              ++asked;
              return away ? WitnessReply{503, "text/plain", "away\n"} : it->add_checkpoint(request);
            }};
  }
  ManualClock clock{1'795'305'600'000};
  std::unique_ptr<Witness> it;
  bool away = false;
  int asked = 0;
};

class CosignedLedger : public LedgerTest {
 protected:
  CosignedLedger() {
    LedgerOptions options = ledger_options(folder);
    options.witnesses = {near.peer(), far.peer()};
    options.clock = &clock;
    ledger = std::move(*Ledger::open(options, source, random));
    for (TestWitness* w : {&near, &far})
      EXPECT_TRUE(w->it->know(*VerifierKey::parse(ledger->verifier_key())));
  }
  bool cosigned_by(const TestWitness& w) {
    return bool(verify_log(**open_log(folder / "log"), {.witnesses = {w.it->verifier().text()}}));
  }
  SeededRandom random{6};
  ManualClock clock{1'795'305'600'000};
  MemorySource source{20};
  TestWitness near{folder, "near.example", 'n'}, far{folder, "far.example", 'f'};
  std::unique_ptr<Ledger> ledger;
};

TEST_F(CosignedLedger, EachCheckpointIsPublishedWithWhatTheWitnessesSigned) {
  for (std::uint64_t size : {20, 300, 301}) {
    source.grow(size);
    ASSERT_TRUE(ledger->advance());
    EXPECT_TRUE(cosigned_by(near) && cosigned_by(far)) << size;
  }
  EXPECT_EQ(near.asked, 3) << "what the witness remembers is known: one request each";
  ASSERT_EQ(ledger->witnesses().size(), 2u);
  EXPECT_EQ(ledger->witnesses()[1].name, "far.example");
  EXPECT_EQ(ledger->witnesses()[1].size, 301u);
  EXPECT_EQ(ledger->witnesses()[1].at_s, 1'795'305'600);
  ASSERT_TRUE(ledger->advance());
  EXPECT_EQ(near.asked, 3) << "nothing new, nothing to ask";
}

TEST_F(CosignedLedger, AWitnessThatIsAwayDelaysNothingAndSignsLater) {
  far.away = true;
  ASSERT_TRUE(ledger->advance());
  EXPECT_TRUE(cosigned_by(near) && !cosigned_by(far));
  EXPECT_EQ(ledger->witnesses()[1].trouble->code, "ledger.witness_refused");
  EXPECT_FALSE(ledger->trouble()) << "the log itself is well";
  source.grow(30);
  ASSERT_TRUE(ledger->advance());
  EXPECT_EQ(far.asked, 1) << "left out for a while";
  far.away = false;
  clock.advance_ms(1000);
  ASSERT_TRUE(ledger->advance());
  EXPECT_TRUE(cosigned_by(near) && cosigned_by(far)) << "without a new entry";
  EXPECT_FALSE(ledger->witnesses()[1].trouble);
}

TEST_F(CosignedLedger, AWitnessThatHasSeenAnotherLogIsToldLoudly) {
  TemporaryFolder other;
  std::filesystem::copy_file(folder / "key", other / "key");
  MemorySource forged(50, ",\"forged\":1");
  auto fork = open_ledger(other, forged);
  ASSERT_TRUE((*fork)->advance());
  ASSERT_TRUE(near.it->visit(**open_log(other / "log")));
  ASSERT_TRUE(ledger->advance());
  ASSERT_TRUE(ledger->trouble());
  EXPECT_EQ(ledger->trouble()->code, "ledger.truncated");
  source.grow(60);
  clock.advance_ms(1000);
  ASSERT_TRUE(ledger->advance());
  EXPECT_EQ(ledger->trouble()->code, "ledger.fork");
  EXPECT_EQ(ledger->size(), 60u) << "the journal's truth is published all the same";
  EXPECT_TRUE(!cosigned_by(near) && cosigned_by(far));
}

}  // namespace
}  // namespace cw
