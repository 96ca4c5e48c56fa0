#include <gtest/gtest.h>

#include "base/text.h"
#include "ledger_testing.h"

namespace cw {
namespace {

class WitnessTest : public testing::Test {
 protected:
  void SetUp() override {
    auto opened = open_ledger(folder, source);
    ASSERT_TRUE(opened);
    ledger = std::move(*opened);
    reopen();
  }
  void reopen() {
    witness.reset();
    auto opened =
        Witness::open(folder / "witness.json",
                      {"witness.example", SigningKey::from_seed(std::string(32, 'w'))}, clock);
    ASSERT_TRUE(opened) << opened.problem().text.en;
    witness = std::move(*opened);
  }
  void grow(std::uint64_t size) {
    source.grow(size);
    ASSERT_TRUE(ledger->advance());
  }
  std::string request(std::uint64_t from) {
    std::string out = "old " + std::to_string(from) + "\n";
    MerkleProof proof;
    if (from > 0) proof = *ledger->consistency(from, ledger->size());
    for (const Hash& h : proof) out += to_base64(bytes_of(h)) + "\n";
    return out + "\n" + ledger->checkpoint();
  }
  std::unique_ptr<LogFiles> log() { return std::move(*open_log(folder / "log")); }
  VerifierKey key() { return *VerifierKey::parse(ledger->verifier_key()); }

  TemporaryFolder folder;
  ManualClock clock{1'795'305'600'000};
  MemorySource source{0};
  std::unique_ptr<Ledger> ledger;
  std::unique_ptr<Witness> witness;
};

TEST_F(WitnessTest, CosignsConsistentGrowthAndRemembersItAcrossRestarts) {
  ASSERT_TRUE(witness->know(key()));
  grow(100);
  WitnessReply first = witness->add_checkpoint(request(0));
  ASSERT_EQ(first.status, 200) << first.body;
  auto cosigned = SignedNote::parse(ledger->checkpoint() + first.body);
  EXPECT_EQ(*cosigned->verify(witness->verifier()), 1'795'305'600);
  reopen();
  grow(300);
  EXPECT_EQ(witness->add_checkpoint(request(100)).status, 200);
  EXPECT_EQ(witness->add_checkpoint(request(300)).status, 200) << "the same checkpoint again";
  EXPECT_EQ(witness->checkpoint_of("ledger.example/center"), ledger->checkpoint());
}

TEST_F(WitnessTest, AnswersEachWrongRequestAsTheProtocolSays) {
  grow(100);
  EXPECT_EQ(witness->add_checkpoint(request(0)).status, 404) << "an unknown log";
  ASSERT_TRUE(witness->know(key()));
  EXPECT_EQ(witness->add_checkpoint("").status, 400);
  EXPECT_EQ(witness->add_checkpoint("old 00\n\n" + ledger->checkpoint()).status, 400);
  EXPECT_EQ(witness->add_checkpoint("old 101\n\n" + ledger->checkpoint()).status, 400);
  EXPECT_EQ(witness->add_checkpoint("old 0\nAAAA\n\n" + ledger->checkpoint()).status, 400);
  EXPECT_EQ(witness->add_checkpoint("old 0\n\nno checkpoint\n").status, 400);
  EXPECT_EQ(witness->add_checkpoint(std::string(1 << 20, 'x')).status, 400);
  std::string altered = request(0);
  altered.replace(altered.find("\n100\n"), 5, "\n101\n");
  EXPECT_EQ(witness->add_checkpoint(altered).status, 403);
  ASSERT_EQ(witness->add_checkpoint(request(0)).status, 200);
  grow(200);
  WitnessReply stale = witness->add_checkpoint(request(0));
  EXPECT_EQ(stale.status, 409);
  EXPECT_EQ(stale.content_type, "text/x.tlog.size");
  EXPECT_EQ(stale.body, "100\n");
  std::string proof = request(100);
  proof[proof.find('\n') + 1] ^= 1;
  EXPECT_EQ(witness->add_checkpoint(proof).status, 422);
  EXPECT_EQ(witness->add_checkpoint(request(100)).status, 200) << "refusals change nothing";
}

TEST_F(WitnessTest, RefusesATruncatedLog) {
  grow(300);
  std::string at_300 = read_file(folder / "log/checkpoint");
  grow(600);
  ASSERT_TRUE(witness->visit(*log()));
  write_file(folder / "log/checkpoint", at_300);
  EXPECT_EQ(witness->visit(*log()).problem().code, "ledger.truncated");
}

TEST_F(WitnessTest, RefusesAForkSignedWithTheSameKey) {
  grow(300);
  ASSERT_TRUE(witness->visit(*log()));
  for (std::uint64_t size : {300, 500}) {
    TemporaryFolder other;
    std::filesystem::copy_file(folder / "key", other / "key");
    MemorySource forged(size, ",\"forged\":1");
    auto fork = open_ledger(other, forged);
    ASSERT_TRUE((*fork)->advance());
    auto refused = witness->visit(**open_log(other / "log"), ledger->verifier_key());
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.problem().code, "ledger.fork") << size;
  }
  EXPECT_EQ(witness->checkpoint_of("ledger.example/center"), ledger->checkpoint());
}

TEST_F(WitnessTest, VisitsGrowingLogsAndPinsTheirKey) {
  for (std::uint64_t size : {1, 256, 700}) {
    grow(size);
    auto cosigned = witness->visit(*log());
    ASSERT_TRUE(cosigned) << cosigned.problem().text.en;
    EXPECT_TRUE(SignedNote::parse(*cosigned)->verify(witness->verifier()));
    EXPECT_TRUE(open_checkpoint(*cosigned, key()));
  }
  SeededRandom random(8);
  NoteSigner other{"ledger.example/center", SigningKey::generate(random)};
  EXPECT_EQ(witness->know(other.verifier()).problem().code, "ledger.witness_key");
}

TEST_F(WitnessTest, ADamagedStateFileStopsItRatherThanForgetting) {
  grow(100);
  ASSERT_TRUE(witness->visit(*log()));
  std::string state = read_file(folder / "witness.json");
  for (std::size_t cut : {std::size_t{0}, state.size() / 2, state.size() - 3}) {
    write_file(folder / "witness.json", state.substr(0, cut));
    auto opened =
        Witness::open(folder / "witness.json",
                      {"witness.example", SigningKey::from_seed(std::string(32, 'w'))}, clock);
    ASSERT_FALSE(opened) << cut;
    EXPECT_EQ(opened.problem().code, "ledger.witness_state");
  }
}

TEST_F(WitnessTest, TheServersSideProvesGrowthFromWhatTheWitnessRemembers) {
  ASSERT_TRUE(witness->know(key()));
  auto post = [&](const std::string& r) { return witness->add_checkpoint(r); };
  for (std::uint64_t size : {50, 300, 300, 900}) {
    grow(size);
    auto lines = ask_witness(post, *log(), ledger->checkpoint(), witness->verifier());
    ASSERT_TRUE(lines) << lines.problem().text.en;
    EXPECT_TRUE(SignedNote::parse(ledger->checkpoint() + *lines)->verify(witness->verifier()));
  }
  auto liar = [&](const std::string&) { return WitnessReply{200, "", "— w AAAAAAAA\n"}; };
  EXPECT_FALSE(ask_witness(liar, *log(), ledger->checkpoint(), witness->verifier()));
  auto busy = [&](const std::string&) { return WitnessReply{503, "", "later"}; };
  EXPECT_EQ(ask_witness(busy, *log(), ledger->checkpoint(), witness->verifier()).problem().code,
            "ledger.witness_refused");
}

}  // namespace
}  // namespace cw
