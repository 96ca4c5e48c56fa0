#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <thread>

#include "journal/journal.h"
#include "journal/views.h"

namespace cw {
namespace {

// A state of counters: "count.add" {by} under the entry's name.
class Counters final : public State {
 public:
  std::string_view prefix() const override { return "count"; }
  void apply(const Entry& e) override {
    auto& [value, seq] = values[e.name];
    if (e.seq < seq) return;
    value += int_or(e.body, "by");
    seq = e.seq + 1;
  }
  std::optional<std::string> save_slice(std::size_t i) const override {
    if (i > 0) return std::nullopt;
    json::object all;
    for (const auto& [name, v] : values) all[name] = {v.first, static_cast<std::int64_t>(v.second)};
    return canonical(all);
  }
  void load_slice(std::string_view bytes) override {
    json::value all = *parse_json(bytes);
    for (const auto& m : all.get_object())
      values[std::string(m.key())] = {m.value().at(0).get_int64(),
                                      static_cast<std::uint64_t>(m.value().at(1).get_int64())};
    loaded = true;
  }
  std::map<std::string, std::pair<std::int64_t, std::uint64_t>> values;
  bool loaded = false;
};

class CounterList final : public Projector {
 public:
  std::string_view name() const override { return "counters"; }
  int version() const override { return version_; }
  const char* schema() const override {
    return "CREATE TABLE IF NOT EXISTS counter(name TEXT PRIMARY KEY, value INTEGER) STRICT";
  }
  void drop(Database& db) const override { db.exec("DROP TABLE IF EXISTS counter"); }
  void project(const Entry& e, Database& db) override {
    if (e.kind == "count.add")
      db.run("INSERT INTO counter VALUES($1,$2) ON CONFLICT DO UPDATE SET value=value+$2", e.name,
             int_or(e.body, "by"));
  }
  int version_ = 1;
};

class JournalTest : public ::testing::Test {
 protected:
  JournalTest() {
    char name[] = "/tmp/cw-journal-XXXXXX";
    folder_ = ::mkdtemp(name);
    start();
  }
  ~JournalTest() override {
    journal_.reset();
    std::filesystem::remove_all(folder_);
  }
  void start(JournalOptions options = {}) {
    options.path = folder_ + "/journal.db";
    options.origin = "callwarden.example/test";
    options.reserve_bytes = 1 << 20;
    journal_.reset();
    counters_ = std::make_unique<Counters>();
    journal_ = std::make_unique<Journal>(options, clock_, random_);
    journal_->attach(*counters_);
    journal_->open();
  }
  Result<Answer> add(const std::string& name, int by, std::string id = "") {
    return journal_->run({.id = std::move(id)}, [=](Draft& d) -> Result<json::object> {
      if (by == 0) return invalid("count.zero", "/by", {"不能为 0", "Must not be 0"});
      d.append({.actor = "per_1", .kind = "count.add", .name = name, .body = {{"by", by}}});
      return json::object{{"name", name}};
    });
  }

  ManualClock clock_{1795305600000};
  SeededRandom random_{1};
  std::string folder_;
  std::unique_ptr<Counters> counters_;
  std::unique_ptr<Journal> journal_;
};

TEST_F(JournalTest, EntriesAreCanonicalDenseAndStamped) {
  auto answer = add("a", 2, "cmd-0001");
  ASSERT_TRUE(answer.ok());
  EXPECT_EQ(answer->first, 1u);
  EXPECT_EQ(answer->body.at("name"), "a");
  EXPECT_THAT(
      journal_->entries(0, 10),
      testing::ElementsAre(
          R"({"actor":"system","at":1795305600000,"body":{"format":1,"origin":"callwarden.example/test"},"command":"journal-created","kind":"journal.created","seq":0})",
          R"({"actor":"per_1","at":1795305600000,"body":{"by":2},"command":"cmd-0001","kind":"count.add","name":"a","seq":1})"));
}

TEST_F(JournalTest, ARefusalWritesNothing) {
  auto answer = add("a", 0);
  EXPECT_EQ(answer.problem().code, "count.zero");
  EXPECT_EQ(journal_->size(), 1u);
}

TEST_F(JournalTest, ARepeatedCommandGetsTheFirstAnswerAlsoAfterARestart) {
  auto first = add("a", 2, "cmd-0001");
  for (int round = 0; round < 2; ++round) {
    auto again = add("b", 5, "cmd-0001");
    ASSERT_TRUE(again.ok());
    EXPECT_TRUE(again->repeated);
    EXPECT_EQ(again->first, first->first);
    EXPECT_EQ(again->count, 1u);
    EXPECT_EQ(again->body.at("name"), "a");
    EXPECT_EQ(journal_->size(), 2u);
    start();
  }
}

TEST_F(JournalTest, RepeatsInsideOneBatchAreFoundToo) {
  std::vector<std::uint64_t> firsts;
  std::mutex mutex;
  for (int i = 0; i < 50; ++i) {
    journal_->submit(
        {.id = "cmd-same"},
        [](Draft& d) -> Result<json::object> {
          d.append({.kind = "count.add", .name = "a", .body = {{"by", 1}}});
          d.append({.kind = "count.add", .name = "a", .body = {{"by", 1}}});
          return json::object{};
        },
        [&](Result<Answer> a) {
          std::lock_guard lock(mutex);
          EXPECT_EQ(a->count, 2u);
          firsts.push_back(a->first);
        });
  }
  journal_->close();
  EXPECT_THAT(firsts, testing::Each(1u));
  EXPECT_EQ(journal_->size(), 3u);
}

TEST_F(JournalTest, StateAfterRestartEqualsStateBefore) {
  for (int i = 1; i <= 500; ++i) ASSERT_TRUE(add(i % 2 ? "odd" : "even", i).ok());
  auto before = counters_->values;
  start();
  EXPECT_EQ(counters_->values, before);
  EXPECT_FALSE(counters_->loaded);
  journal_->snapshot();
  ASSERT_TRUE(add("odd", 1).ok());
  before = counters_->values;
  start();
  EXPECT_TRUE(counters_->loaded);
  EXPECT_EQ(counters_->values, before);
}

TEST_F(JournalTest, ADamagedSnapshotIsLeftOut) {
  ASSERT_TRUE(add("a", 3).ok());
  journal_->snapshot();
  Database(folder_ + "/journal.db.snapshot", {}).exec("UPDATE slice SET bytes=x'7b7d'");
  start();
  EXPECT_FALSE(counters_->loaded);
  EXPECT_EQ(counters_->values["a"].first, 3);
}

TEST_F(JournalTest, AJournalWithAGapOrADamagedEntryIsNotOpened) {
  ASSERT_TRUE(add("a", 3).ok());
  ASSERT_TRUE(add("a", 3).ok());
  journal_.reset();
  Database db(folder_ + "/journal.db", {});
  db.exec("UPDATE entry SET bytes=x'7b7d' WHERE seq=1");
  EXPECT_THROW(start(), StorageError);
  db.exec("DELETE FROM entry WHERE seq=1");
  EXPECT_THROW(start(), StorageError);
}

TEST_F(JournalTest, AClockThatGoesBackIsFlaggedOnceAndStampsNeverFall) {
  ASSERT_TRUE(add("a", 1).ok());
  clock_.advance_ms(-60'000);
  ASSERT_TRUE(add("a", 1).ok());
  ASSERT_TRUE(add("a", 1).ok());
  auto entries = journal_->entries(2, 10);
  ASSERT_EQ(entries.size(), 3u);
  EXPECT_EQ(Entry::parse(entries[0])->kind, "journal.clock-back");
  EXPECT_EQ(int_or(Entry::parse(entries[0])->body, "by_ms"), 60'000);
  EXPECT_EQ(Entry::parse(entries[2])->at_ms, 1795305600000);
}

TEST_F(JournalTest, AReaderSeesOnlyWhatIsDurableWhenItReturns) {
  std::atomic<bool> stop{false};
  std::thread writer([&] {
    while (!stop) ASSERT_TRUE(add("a", 1).ok());
  });
  for (int i = 0; i < 200; ++i) {
    auto seen = journal_->read([&] { return counters_->values["a"].second; });
    EXPECT_LE(seen, journal_->size());
  }
  stop = true;
  writer.join();
}

TEST_F(JournalTest, OverloadRefusesOrdinaryCommandsAndKeepsVitalOnes) {
  start({.queue_max = 4});
  std::mutex gate;
  std::atomic<int> vital{0}, refused{0};
  gate.lock();
  auto slow = [&](Draft& d) -> Result<json::object> {
    std::lock_guard wait(gate);
    d.append({.kind = "count.add", .name = "slow", .body = {{"by", 1}}});
    return json::object{};
  };
  journal_->submit({}, slow, [](auto) {});
  std::thread pusher([&] {
    for (int i = 0; i < 20; ++i)
      journal_->submit({.vital = true}, slow, [&](Result<Answer> a) { vital += a.ok(); });
  });
  while (journal_->stats().queue < 4) std::this_thread::yield();
  for (int i = 0; i < 20; ++i)
    journal_->submit({}, slow, [&](Result<Answer> a) {
      refused += !a.ok() && a.problem().code == "journal.busy";
    });
  gate.unlock();
  pusher.join();
  journal_->close();
  EXPECT_EQ(vital, 20);
  EXPECT_GT(refused, 0);
}

TEST_F(JournalTest, ACommandThatThrowsBeforeItsFirstAppendHarmsNoOther) {
  auto answer =
      journal_->run({}, [](Draft&) -> Result<json::object> { throw std::runtime_error("x"); });
  EXPECT_EQ(answer.problem().code, "journal.internal");
  EXPECT_TRUE(add("a", 1).ok());
}

TEST_F(JournalTest, RowsCommitWithTheirEntry) {
  start({.schemas = {"CREATE TABLE IF NOT EXISTS extra(x INTEGER) STRICT"}});
  auto answer = journal_->run({}, [](Draft& d) -> Result<json::object> {
    d.append({.kind = "count.add", .name = "a", .body = {{"by", 1}}});
    d.row([](Database& db) { db.run("INSERT INTO extra VALUES($1)", 7); });
    return json::object{};
  });
  ASSERT_TRUE(answer.ok());
  int rows = 0;
  Database(folder_ + "/journal.db", {.read_only = true})
      .query("SELECT x FROM extra", [&](const Row&) { ++rows; });
  EXPECT_EQ(rows, 1);
}

TEST_F(JournalTest, ViewsFollowAndAreRebuiltWhenDeletedOrChanged) {
  CounterList list;
  auto value = [&](Views& views) {
    std::int64_t v = -1;
    EXPECT_TRUE(views
                    .read(journal_->size(),
                          [&](Database& db) {
                            db.query("SELECT value FROM counter WHERE name='a'",
                                     [&](const Row& r) { v = r.integer(0); });
                          })
                    .ok());
    return v;
  };
  for (int round = 1; round <= 3; ++round) {
    Views views(folder_ + "/views.db", *journal_);
    views.attach(list);
    views.start();
    ASSERT_TRUE(add("a", 1).ok());
    EXPECT_EQ(value(views), round);
    views.stop();
    if (round == 1) std::filesystem::remove(folder_ + "/views.db");
    list.version_ = round;
  }
}

TEST(EntryTest, RubbishIsRefused) {
  for (const char* bad : {"", "{}", "[]", "{\"kind\":1}", R"({"kind":"a","extra":1})",
                          R"({"kind":"a","seq":-1})", R"({"kind":"a","kind":"b"})"})
    EXPECT_FALSE(Entry::parse(bad).ok()) << bad;
}

}  // namespace
}  // namespace cw
