#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mount.h>

#include <atomic>
#include <filesystem>
#include <fstream>
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
    if (!values.contains(e.name)) order.push_back(e.name);
    auto& [value, seq] = values[e.name];
    if (e.seq < seq) return;
    value += int_or(e.body, "by");
    seq = e.seq + 1;
  }
  std::optional<std::string> save_slice(std::size_t i) const override {
    if (i >= order.size()) return std::nullopt;
    const auto& [value, seq] = values.at(order[i]);
    return canonical(json::object{{order[i], {value, static_cast<std::int64_t>(seq)}}}) +
           std::string(pad, ' ');
  }
  std::uint64_t slice_changed(std::size_t i) const override {
    return i < order.size() ? values.at(order[i]).second - 1 : UINT64_MAX;
  }
  void load_slice(std::string_view bytes) override {
    json::value all = *parse_json(bytes);
    for (const auto& m : all.get_object()) {
      order.emplace_back(m.key());
      values[order.back()] = {m.value().at(0).get_int64(),
                              static_cast<std::uint64_t>(m.value().at(1).get_int64())};
    }
    loaded = true;
  }
  std::vector<std::string> order;  // as they came: a slice each
  std::map<std::string, std::pair<std::int64_t, std::uint64_t>> values;
  bool loaded = false;
  std::size_t pad = 0;  // so that a slice is a file of its own
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

TEST_F(JournalTest, ARepeatIsFoundWhileItsFirstStillWaitsForTheCommit) {
  // Two commands a commit: the repeats meet the first in the open batch, in the one under way, and
  // in the database.
  start({.batch_max = 2});
  std::atomic<int> repeated{0};
  for (int i = 0; i < 400; ++i) {
    journal_->submit(
        {.id = "cmd-" + std::to_string(10'000 + i / 4)},
        [i](Draft& d) -> Result<json::object> {
          d.append({.kind = "count.add", .name = "a", .body = {{"by", 1}}});
          return json::object{{"i", i / 4}};
        },
        [&repeated, i](Result<Answer> a) {
          EXPECT_EQ(a->body.at("i"), i / 4);
          EXPECT_EQ(a->count, 1u);
          repeated += a->repeated;
        });
  }
  journal_->close();
  EXPECT_EQ(repeated, 300);
  EXPECT_EQ(counters_->values["a"].first, 100);
}

TEST_F(JournalTest, ManyEntriesOfOneCommandAreFoundOneByOneAndAnsweredAgain) {
  std::string long_name(3'000, 'x');  // over several blocks
  auto many = [&](Draft& d) -> Result<json::object> {
    for (int i = 0; i < 100; ++i)
      d.append({.kind = "count.add", .name = long_name, .body = {{"by", i}}});
    return json::object{{"all", 100}};
  };
  ASSERT_TRUE(add("a", 1, "cmd-0001").ok());
  ASSERT_TRUE(journal_->run({.id = "cmd-0002"}, many).ok());
  ASSERT_TRUE(add("b", 1, "cmd-0003").ok());
  start();
  for (std::uint64_t seq : {2, 23, 24, 25, 77, 101}) {
    auto one = journal_->entries(seq, 1);
    ASSERT_EQ(one.size(), 1u);
    EXPECT_EQ(Entry::parse(one[0])->seq, seq);
  }
  EXPECT_EQ(journal_->entries(0, 1'000).size(), 103u);
  EXPECT_EQ(journal_->entries(50, 20).size(), 20u);
  EXPECT_TRUE(journal_->entries(103, 5).empty());
  auto again = journal_->run({.id = "cmd-0002"}, many);
  EXPECT_TRUE(again->repeated);
  EXPECT_EQ(again->count, 100u);
  EXPECT_EQ(again->body.at("all"), 100);
  EXPECT_EQ(add("c", 1, "cmd-0003")->body.at("name"), "b");
}

TEST_F(JournalTest, AnEntryThatIsTooLongHarmsNoOther) {
  auto answer = journal_->run({}, [](Draft& d) -> Result<json::object> {
    d.append({.kind = "count.add", .name = std::string(70'000, 'x')});
    return json::object{};
  });
  EXPECT_EQ(answer.problem().code, "journal.internal");
  ASSERT_TRUE(add("a", 1).ok());
  EXPECT_EQ(journal_->entries(0, 10).size(), 2u);
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

TEST_F(JournalTest, ASnapshotWritesOnlyTheSlicesThatChanged) {
  using testing::UnorderedElementsAre;
  counters_->pad = 64 << 10;
  for (const char* name : {"a", "b", "c"}) ASSERT_TRUE(add(name, 1).ok());
  auto files = [&] {  // state, slice, save
    std::vector<std::string> out;
    for (const auto& f : std::filesystem::directory_iterator(folder_ + "/journal.db.snapshots"))
      out.push_back(f.path().filename().string());
    return out;
  };
  journal_->snapshot();
  EXPECT_THAT(files(), UnorderedElementsAre("head", "count.0.1", "count.1.1", "count.2.1"));
  ASSERT_TRUE(add("b", 5).ok());
  ASSERT_TRUE(add("d", 7).ok());
  journal_->snapshot();
  EXPECT_THAT(files(),
              UnorderedElementsAre("head", "count.0.1", "count.1.2", "count.2.1", "count.3.2"));

  ASSERT_TRUE(add("c", 9).ok());  // after it, and told by the entry alone
  auto before = counters_->values;
  start();
  EXPECT_TRUE(counters_->loaded);
  EXPECT_EQ(counters_->values, before);
  counters_->pad = 64 << 10;
  journal_->snapshot();  // builds on the files that were loaded
  EXPECT_THAT(files(),
              UnorderedElementsAre("head", "count.0.1", "count.1.2", "count.2.3", "count.3.2"));
  start();
  EXPECT_EQ(counters_->values, before);
}

TEST_F(JournalTest, ASnapshotThatWasNotFinishedLeavesTheOneBefore) {
  counters_->pad = 64 << 10;
  ASSERT_TRUE(add("a", 3).ok());
  journal_->snapshot();
  ASSERT_TRUE(add("a", 4).ok());
  auto before = counters_->values;
  std::ofstream(folder_ + "/journal.db.snapshots/count.0.2") << "half";
  std::ofstream(folder_ + "/journal.db.snapshots/head.new") << "half";
  start();
  EXPECT_TRUE(counters_->loaded);
  EXPECT_EQ(counters_->values, before);
}

TEST_F(JournalTest, ADamagedSnapshotIsLeftOut) {
  const std::string folder = folder_ + "/journal.db.snapshots/";
  for (std::size_t pad : {0, 64 << 10}) {
    for (const std::string file : {"head", "count.0.1"}) {
      if (pad == 0 && file != "head") continue;
      std::filesystem::remove_all(folder);
      counters_->pad = pad;
      ASSERT_TRUE(add("a", 3).ok());
      journal_->snapshot();
      const std::int64_t value = counters_->values["a"].first;
      std::fstream damaged(folder + file, std::ios::in | std::ios::out | std::ios::binary);
      damaged.seekp(-1, std::ios::end);
      damaged.put('x');
      damaged.close();
      start();
      EXPECT_FALSE(counters_->loaded) << file << " " << pad;
      EXPECT_EQ(counters_->values["a"].first, value);
    }
  }
}

TEST_F(JournalTest, TheLogStaysShortWithoutAPause) {
  const std::string big(60'000, 'x');
  std::atomic<int> answered{0};
  constexpr int kCommands = 3'000;  // 180 MB of entries: half as much again as the log may hold
  for (int i = 0; i < kCommands; ++i)
    journal_->submit(
        {.vital = true},
        [&](Draft& d) -> Result<json::object> {
          d.append({.kind = "count.add", .name = "a", .body = {{"by", 1}, {"what", big}}});
          return json::object{};
        },
        [&](Result<Answer> a) {
          EXPECT_TRUE(a.ok());
          if (++answered == kCommands) answered.notify_all();
        });
  for (int n = answered; n < kCommands; n = answered) answered.wait(n);
  EXPECT_LT(std::filesystem::file_size(folder_ + "/journal.db-wal"), 150u << 20);
}

TEST_F(JournalTest, AJournalWithAGapOrADamagedEntryIsNotOpened) {
  ASSERT_TRUE(add("a", 3).ok());
  ASSERT_TRUE(add("a", 3).ok());
  journal_.reset();
  Database db(folder_ + "/journal.db", {});
  db.exec("UPDATE block SET entries=x'00027b7d' WHERE first=1");
  EXPECT_THROW(start(), StorageError);
  db.exec("UPDATE block SET entries=x'00ff7b7d' WHERE first=1");
  EXPECT_THROW(start(), StorageError);
  db.exec("DELETE FROM block WHERE first=1");
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

TEST_F(JournalTest, TheRowsOfARefusedCommandAreDropped) {
  start({.schemas = {"CREATE TABLE IF NOT EXISTS extra(x INTEGER) STRICT"}});
  auto write = [](Database& db) { db.run("INSERT INTO extra VALUES($1)", 7); };
  auto answer = journal_->run({}, [&](Draft& d) -> Result<json::object> {
    d.row(write);
    return invalid("count.zero", "/by", {"不能为 0", "Must not be 0"});
  });
  EXPECT_EQ(answer.problem().code, "count.zero");
  int rows = 0;
  Database(folder_ + "/journal.db", {.read_only = true})
      .query("SELECT x FROM extra", [&](const Row&) { ++rows; });
  EXPECT_EQ(rows, 0);
}

// On a small disk of its own: nearly full, with a reserve of one megabyte.
TEST_F(JournalTest, RowsThatTheReserveCannotHoldAreRefusedAndTheProcessGoesOn) {
  std::string disk = folder_ + "/disk";
  std::filesystem::create_directory(disk);
  if (::mount("tmpfs", disk.c_str(), "tmpfs", 0, "size=8m") != 0)
    GTEST_SKIP() << "a small tmpfs cannot be mounted here";
  {
    Journal journal({.path = disk + "/journal.db",
                     .origin = "callwarden.example/test",
                     .reserve_bytes = 1 << 20,
                     .schemas = {"CREATE TABLE IF NOT EXISTS big(x BLOB) STRICT"}},
                    clock_, random_);
    journal.open();
    auto put = [&](std::size_t bytes) {
      return journal.run({}, [bytes](Draft& d) -> Result<json::object> {
        d.row(
            [bytes](Database& db) {
              db.run("INSERT INTO big VALUES($1)", Blob{std::string(bytes, 'x')});
            },
            bytes);
        d.append({.kind = "count.add", .name = "a"});
        return json::object{};
      });
    };
    ASSERT_TRUE(put(1 << 20).ok());
    std::uintmax_t room = std::filesystem::space(disk).available;
    {
      std::ofstream filler(disk + "/filler");
      filler << std::string(room - (700 << 10), 'x');
    }
    std::uint64_t before = journal.size();
    EXPECT_EQ(put(2 << 20).problem().code, "journal.disk-full");
    EXPECT_EQ(journal.size(), before);
    for (int i = 0; i < 20; ++i) {  // until the reserve itself is used: refused, never lost
      auto answer = put(200 << 10);
      if (!answer) {
        EXPECT_EQ(answer.problem().code, "journal.disk-full");
      }
    }
    EXPECT_TRUE(journal.stats().disk_full);
    std::filesystem::remove(disk + "/filler");
    EXPECT_TRUE(put(2 << 20).ok());
  }
  ::umount(disk.c_str());
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
