#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <set>
#include <thread>

#include "base/text.h"
#include "ledger_testing.h"

namespace cw {
namespace {

// The process dies when it is asked for the time: between the durable file and the cosignature.
class DeadlyClock final : public Clock {
 public:
  std::int64_t now_ms() const override {
    ::kill(::getpid(), SIGKILL);
    return 0;
  }
  std::int64_t monotonic_ns() const override { return 0; }
};

NoteSigner test_witness() {
  return {"witness.example", SigningKey::from_seed(std::string(32, 'w'))};
}

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
    auto opened = Witness::open(folder / "witness", test_witness(), clock);
    ASSERT_TRUE(opened) << opened.problem().text.en;
    witness = std::move(*opened);
  }
  std::string state_file() {
    for (const auto& f : std::filesystem::directory_iterator(folder / "witness"))
      if (f.path().extension() == ".log") return f.path();
    return "";
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
  std::string file = state_file(), state = read_file(file);
  witness.reset();
  for (std::size_t cut : {std::size_t{0}, state.find('\n'), state.find('\n') + 1, state.size() / 2,
                          state.size() - 3}) {
    write_file(file, state.substr(0, cut));
    auto opened = Witness::open(folder / "witness", test_witness(), clock);
    ASSERT_FALSE(opened) << cut;
    EXPECT_EQ(opened.problem().code, "ledger.witness_state");
  }
  std::filesystem::rename(file, folder / "witness/another.log");
  EXPECT_FALSE(Witness::open(folder / "witness", test_witness(), clock)) << "another log's file";
}

TEST_F(WitnessTest, OneProcessAtATimeHasTheState) {
  auto second = Witness::open(folder / "witness", test_witness(), clock);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.problem().code, "ledger.witness_busy");
  reopen();
}

TEST_F(WitnessTest, TheSameRequestAgainIsCosignedAgainAndChangesNothing) {
  ASSERT_TRUE(witness->know(key()));
  grow(100);
  ASSERT_EQ(witness->add_checkpoint(request(0)).status, 200);
  std::string state = read_file(state_file());
  auto written = std::filesystem::last_write_time(state_file());
  clock.advance_ms(5'000);
  WitnessReply again = witness->add_checkpoint(request(100));
  ASSERT_EQ(again.status, 200);
  EXPECT_EQ(*SignedNote::parse(ledger->checkpoint() + again.body)->verify(witness->verifier()),
            1'795'305'605);
  EXPECT_EQ(witness->add_checkpoint(request(0)).body, "100\n") << "the size it already has";
  EXPECT_EQ(read_file(state_file()), state);
  EXPECT_EQ(std::filesystem::last_write_time(state_file()), written);
}

TEST_F(WitnessTest, AKillBetweenTheFileAndTheAnswerForgetsNothing) {
  ASSERT_TRUE(witness->know(key()));
  grow(100);
  ASSERT_EQ(witness->add_checkpoint(request(0)).status, 200);
  grow(200);
  std::string killed = request(100), at_200 = ledger->checkpoint();
  witness.reset();
  pid_t child = ::fork();
  if (child == 0) {
    DeadlyClock deadly;
    auto dying = Witness::open(folder / "witness", test_witness(), deadly);
    if (dying) (*dying)->add_checkpoint(killed);
    ::_exit(1);  // it answered
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
  reopen();
  EXPECT_EQ(witness->checkpoint_of("ledger.example/center"), at_200);
  EXPECT_EQ(witness->add_checkpoint(killed).body, "200\n") << "the log learns where it stands";
  EXPECT_EQ(witness->add_checkpoint("old 200\n\n" + at_200).status, 200);
  grow(300);
  EXPECT_EQ(witness->add_checkpoint(request(200)).status, 200);
}

TEST_F(WitnessTest, NoPrefixAndNoFlippedByteOfARequestIsCosigned) {
  ASSERT_TRUE(witness->know(key()));
  grow(100);
  ASSERT_EQ(witness->add_checkpoint(request(0)).status, 200);
  std::string state = read_file(state_file());
  grow(333);
  const std::string good = request(100);
  std::set<int> seen;
  for (std::size_t n = 0; n < good.size(); ++n)
    seen.insert(witness->add_checkpoint(good.substr(0, n)).status);
  for (std::size_t i = 0; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] ^= 1;
    seen.insert(witness->add_checkpoint(bad).status);
  }
  std::string many = "old 100\n";
  for (int i = 0; i < 64; ++i) many += std::string(43, 'A') + "=\n";
  EXPECT_EQ(witness->add_checkpoint(many + "\n" + ledger->checkpoint()).status, 400);
  EXPECT_EQ(seen, (std::set<int>{400, 403, 404, 409, 422}));
  EXPECT_EQ(read_file(state_file()), state);
  EXPECT_EQ(witness->add_checkpoint(good).status, 200);
}

// The race of the specification: no answer may roll the witness back to fewer entries.
TEST_F(WitnessTest, RequestsAtTheSameTimeNeverRollItBack) {
  ASSERT_TRUE(witness->know(key()));
  grow(1);
  ASSERT_EQ(witness->add_checkpoint(request(0)).status, 200);
  std::vector<std::string> requests;
  for (std::uint64_t size = 2; size <= 24; ++size) {
    grow(size);
    for (std::uint64_t from = 1; from < size; ++from) requests.push_back(request(from));
  }
  std::atomic<std::size_t> next{0};
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (std::size_t i; (i = next++) < requests.size();) {
        int status = witness->add_checkpoint(requests[i]).status;
        if (status != 200 && status != 409) ++wrong;
        auto kept = SignedNote::parse(witness->checkpoint_of("ledger.example/center"));
        if (!kept) ++wrong;
      }
    });
  }
  for (std::thread& t : threads) t.join();
  EXPECT_EQ(wrong, 0);
  std::string last = witness->checkpoint_of("ledger.example/center");
  reopen();
  EXPECT_EQ(witness->checkpoint_of("ledger.example/center"), last) << "memory is what the disk has";
  std::uint64_t size = Checkpoint::parse(SignedNote::parse(last)->text)->size;
  EXPECT_EQ(witness->add_checkpoint(request(size)).status, 200);
  EXPECT_EQ(witness->checkpoint_of("ledger.example/center"), ledger->checkpoint());
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
  // An answer that would move the line between text and signatures.
  NoteSigner known = test_witness();
  auto shifter = [&](const std::string& r) {
    std::string text = r.substr(r.find("\n\n") + 2);
    text = SignedNote::parse(text)->text + "\n" + SignedNote::parse(text)->signatures[0].text();
    return WitnessReply{200, "", "x\n\n" + known.cosignature_line(text + "x\n", 7)};
  };
  EXPECT_FALSE(ask_witness(shifter, *log(), ledger->checkpoint(), witness->verifier()));
  // What others' keys say is passed over.
  NoteSigner other{"other.example", SigningKey::from_seed(std::string(32, 'o'))};
  auto with_others = [&](const std::string& r) {
    WitnessReply reply = witness->add_checkpoint(r);
    std::string text = SignedNote::parse(ledger->checkpoint())->text;
    if (reply.status == 200) reply.body = other.cosignature_line(text, 7) + reply.body;
    return reply;
  };
  auto line = ask_witness(with_others, *log(), ledger->checkpoint(), witness->verifier());
  ASSERT_TRUE(line);
  EXPECT_EQ(SignedNote::parse(ledger->checkpoint() + *line)->signatures.size(), 2u);
  auto busy = [&](const std::string&) { return WitnessReply{503, "", "later"}; };
  EXPECT_EQ(ask_witness(busy, *log(), ledger->checkpoint(), witness->verifier()).problem().code,
            "ledger.witness_refused");
}

}  // namespace
}  // namespace cw
