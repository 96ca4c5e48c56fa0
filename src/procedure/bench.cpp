// `callwarden bench engine`: the engine on the real journal, beside what SQLite alone can do with
// the same bytes in the same batches in the same run.
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <thread>

#include "base/log.h"
#include "cases.h"
#include "engine.h"

namespace cw {
namespace {

constexpr const char* kBenchProcedure = R"(
procedure: bench.ticket
version: 1
title: {zh: 性能测试工单, en: Benchmark ticket}
calendar: bench-office
levels: {agent: {zh: 坐席, en: Agent}, lead: {zh: 班长, en: Lead}}
roles:
  agent: {queue: true, title: {zh: 坐席, en: Agent}}
  owner: {field: owner, title: {zh: 经办人, en: Owner}}
data:
  priority: {enum: [P1, P2, P3]}
  owner: {ref: person, title: {zh: 经办人, en: Owner}}
  appointment: {type: string, format: date-time, title: {zh: 预约, en: Appointment}}
flags: {late: {zh: 超时, en: Late}}
start: {by: agent, to: new}
states:
  new:
    title: {zh: 待受理, en: New}
    actions:
      take: {by: agent, set: {owner: actor}, to: working, title: {zh: 受理, en: Take}}
  working:
    title: {zh: 处理中, en: Working}
    actions:
      ask: {by: owner, to: waiting, title: {zh: 询问, en: Ask}}
      solve: {by: owner, to: closed, title: {zh: 办结, en: Solve}}
  waiting:
    title: {zh: 待回复, en: Waiting}
    actions:
      reply: {by: owner, to: working, title: {zh: 回复, en: Reply}}
  closed: {final: true, retain: 3y, title: {zh: 已办结, en: Closed}}
clocks:
  respond:
    run: [new]
    limit: {P1: 15m, P2: 1h, P3: 4h}
    key: priority
    at: {75: [{notify: agent}], 100: [{flag: late}]}
    title: {zh: 响应, en: Respond}
  resolve:
    run: [new, working]
    limit: {P1: 4h, P2: 1wd, P3: 3wd}
    key: priority
    at: {75: [{notify: owner}], 100: [{flag: late}, {raise: 1}]}
    title: {zh: 解决, en: Resolve}
  whole: {from: start, limit: 30d, at: {100: [{flag: late}]}, title: {zh: 全程, en: Whole}}
  appointed: {from: appointment, limit: 1m, at: {100: [{notify: owner}]}, title: {zh: 预约, en: Appointed}}
)";

constexpr const char* kBenchCalendar = R"(
calendar: bench-office
version: 1
title: {zh: 性能测试日历, en: Benchmark calendar}
zone: Asia/Shanghai
open: always
workday: 24h
)";

class OneQueue final : public Directory {
 public:
  std::string post_basis(std::string_view, std::string_view, std::string_view) const override {
    return {};
  }
  std::string team_basis(std::string_view, std::string_view, std::string_view) const override {
    return {};
  }
  std::string queue_basis(std::string_view, std::string_view, std::string_view) const override {
    return "queue:bench";
  }
  std::string chief_post(std::string_view, std::string_view) const override { return {}; }
  std::vector<std::string> post_people(std::string_view, std::string_view) const override {
    return {};
  }
  std::vector<std::string> team_people(std::string_view, std::string_view) const override {
    return {};
  }
  std::vector<std::string> queue_people(std::string_view, std::string_view) const override {
    return {"per_bench"};
  }
  bool is_active_person(std::string_view) const override { return true; }
  bool is_org(std::string_view) const override { return true; }
  std::vector<std::string> orgs_of(std::string_view) const override { return {"org_bench"}; }
  bool within(std::string_view a, std::string_view b) const override { return a == b; }
};

class NoOutbox final : public Outbound {
 public:
  void notify(Draft&, const Notice&) override {}
  void send(Draft&, const Sending&) override {}
};

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// Results hold integers: per second, milliseconds, thousandths.
std::int64_t per_second(std::size_t count, double seconds) {
  return static_cast<std::int64_t>(static_cast<double>(count) / std::max(seconds, 1e-9));
}

// What this process holds of the machine's memory.
std::int64_t resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  std::int64_t size = 0, resident = 0;
  statm >> size >> resident;
  return resident * ::sysconf(_SC_PAGESIZE);
}

// One line a phase, and one every two seconds of it, on standard error.
class Progress {
 public:
  void phase(const char* name) {
    std::cerr << "bench: " << name << "\n";
    said_ = std::chrono::steady_clock::now();
  }
  void at(std::size_t done, std::size_t all) {
    if (done % 1024 != 0 || seconds_since(said_) < 2) return;
    std::cerr << "bench:   " << done << " of " << all << "\n";
    said_ = std::chrono::steady_clock::now();
  }

 private:
  std::chrono::steady_clock::time_point said_;
};

class EngineBench {
 public:
  EngineBench(std::size_t cases, std::string folder) : count_(cases), folder_(std::move(folder)) {
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
    std::vector<Mistake> mistakes;
    library_ = Library::from_texts({{"calendars/bench-office.yaml", kBenchCalendar},
                                    {"procedures/bench.ticket.yaml", kBenchProcedure}},
                                   mistakes);
    for (const Mistake& m : mistakes) log_error("bench", "{}", describe(m, "en"));
    CW_CHECK(mistakes.empty());
    open();
  }
  ~EngineBench() {
    close();
    std::filesystem::remove_all(folder_);
  }

  json::object run() {
    json::object out{{"cases", static_cast<std::int64_t>(count_)}};
    auto began = std::chrono::steady_clock::now();
    start_cases();
    out["starts_per_s"] = per_second(count_, seconds_since(began));
    std::uint64_t from = journal_->size();
    Journal::Stats before = journal_->stats();
    began = std::chrono::steady_clock::now();
    for (const char* action : {"take", "ask", "reply"}) act_all(action);
    double spent = seconds_since(began);
    Journal::Stats after = journal_->stats();
    std::size_t transitions = journal_->size() - from;
    std::size_t batch = (after.commands - before.commands) /
                        std::max<std::uint64_t>(1, after.commits - before.commits);
    std::int64_t engine = per_second(transitions, spent);
    std::int64_t raw = raw_append_per_s(from, transitions, std::max<std::size_t>(batch, 1));
    out["transitions"] = static_cast<std::int64_t>(transitions);
    out["transitions_per_s"] = engine;
    out["batch"] = static_cast<std::int64_t>(batch);
    out["raw_append_per_s"] = raw;
    out["ratio_to_raw"] =
        static_cast<double>(engine * 1000 / std::max<std::int64_t>(raw, 1)) / 1000;
    out["bytes_per_case"] =
        static_cast<std::int64_t>(engine_->bytes() / std::max<std::size_t>(1, count_));
    out["replay_s"] = replay();
    close();
    progress_.phase("restart");
    began = std::chrono::steady_clock::now();
    open();
    out["restart_s"] = seconds_since(began);
    out["rss_bytes"] = resident_bytes();
    CW_CHECK(engine_->size() == count_);
    appointments(out);
    progress_.phase("all clocks are due");
    clock_.jump_ms(std::int64_t{40} * 86'400'000);
    out["all_due"] = flood();
    return out;
  }

 private:
  void open() {
    JournalOptions options;
    options.path = folder_ + "/journal.db";
    options.origin = "callwarden.example/bench";
    options.schemas = {Sealed::schema(), Engine::schema()};
    journal_ = std::make_unique<Journal>(options, clock_, random_);
    sealed_ =
        std::make_unique<Sealed>(options.path, SecretBytes::copy(std::string(32, 'b')), random_);
    engine_ = std::make_unique<Engine>(
        EngineParts{library_, directory_, *sealed_, outbox_, clock_, random_, options.path});
    journal_->attach(*engine_);
    journal_->open();
  }
  void close() {
    if (journal_) journal_->close();
    journal_.reset();
    engine_.reset();
    sealed_.reset();
  }

  // Submits without waiting for each, at most `kFlight` at a time.
  void submit(Result<Decide> decide, std::function<void(const Answer&)> then = nullptr) {
    CW_CHECK(decide.ok());
    constexpr int kFlight = 16'384;
    for (int n = flying_; n >= kFlight; n = flying_) flying_.wait(n);
    ++flying_;
    journal_->submit({}, std::move(*decide), [this, then = std::move(then)](Result<Answer> answer) {
      CW_CHECK(answer.ok());
      if (then) then(*answer);
      int left = --flying_;
      if (left == kFlight / 2 || left == 0) flying_.notify_all();
    });
  }
  void land() {
    for (int n = flying_; n > 0; n = flying_) flying_.wait(n);
  }

  void start_cases() {
    progress_.phase("cases are started");
    ids_.resize(count_);
    appointed_ms_ = clock_.now_ms() + 10 * 60'000;
    for (std::size_t i = 0; i < count_; ++i) {
      progress_.at(i, count_);
      StartCase s{.procedure = "bench.ticket", .org = "org_bench", .actor = "per_bench"};
      s.facts["priority"] = i % 3 == 0 ? "P1" : i % 3 == 1 ? "P2" : "P3";
      // All within one second, in another order than the cases'.
      if (i < kAppointed)
        s.facts["appointment"] =
            appointed_ms_ + static_cast<std::int64_t>(i * 7'919 % 1'000) - 60'000;
      submit(engine_->start(std::move(s)),
             [this, i](const Answer& a) { ids_[i] = std::string(text_or(a.body, "case")); });
    }
    land();
  }

  void act_all(const char* action) {
    progress_.phase(action);
    for (std::size_t i = 0; i < count_; ++i) {
      progress_.at(i, count_);
      submit(engine_->act({ids_[i], "per_bench", {}}, action, {}, {}));
    }
    land();
  }

  // The first of the transitions' entries again, as plain rows.
  std::int64_t raw_append_per_s(std::uint64_t from, std::size_t count, std::size_t batch) {
    progress_.phase("raw append");
    count = std::min<std::size_t>(count, 600'000);
    std::vector<std::string> bytes;
    for (std::size_t at = 0; at < count; at += 10'000)
      for (std::string& b : journal_->entries(from + at, std::min<std::size_t>(10'000, count - at)))
        bytes.push_back(std::move(b));
    Database db(folder_ + "/raw.db", {.create = true, .cache_kib = 16'384});
    db.exec("PRAGMA wal_autocheckpoint=4000");
    db.exec("CREATE TABLE raw(seq INTEGER PRIMARY KEY, bytes BLOB) STRICT");
    auto began = std::chrono::steady_clock::now();
    for (std::size_t at = 0; at < bytes.size(); at += batch) {
      db.begin();
      for (std::size_t i = at; i < std::min(at + batch, bytes.size()); ++i)
        db.run("INSERT INTO raw VALUES($1,$2)", i, Blob{bytes[i]});
      db.commit();
    }
    return per_second(bytes.size(), seconds_since(began));
  }

  // A second engine fed with every entry.
  double replay() {
    Engine again(EngineParts{library_, directory_, *sealed_, outbox_, clock_, random_,
                             folder_ + "/journal.db"});
    progress_.phase("replay of every entry");
    auto began = std::chrono::steady_clock::now();
    std::uint64_t size = journal_->size();
    for (std::uint64_t at = 0; at < size; at += 10'240) {
      progress_.at(at, size);
      for (const std::string& bytes : journal_->entries(at, 10'240)) {
        Result<Entry> e = Entry::parse(bytes);
        if (e->kind.starts_with("case.")) again.apply(*e);
      }
    }
    CW_CHECK(again.size() == count_);
    return seconds_since(began);
  }

  // Clocks that are due within one second, among all the others that are not.
  void appointments(json::object& out) {
    progress_.phase("appointments are due in one second");
    clock_.jump_ms(std::max<std::int64_t>(0, appointed_ms_ + 1'000 - clock_.now_ms()));
    const std::uint64_t from = journal_->size();
    json::object fired = flood();
    std::int64_t last_ms = 0;
    std::size_t count = 0;
    bool in_order = true;
    for (std::uint64_t at = from, size = journal_->size(); at < size; at += 10'240)
      for (const std::string& bytes : journal_->entries(at, 10'240)) {
        const Result<Entry> e = Entry::parse(bytes);
        const json::value* list = e->body.if_contains("fired");
        if (!list) continue;
        for (const json::value& f : list->as_array()) {
          if (text_or(f.as_object(), "clock") != "appointed") continue;
          const std::int64_t due_ms = int_or(f.as_object(), "due_at");
          in_order &= due_ms >= last_ms;
          last_ms = due_ms;
          ++count;
        }
      }
    fired["appointed"] = static_cast<std::int64_t>(count);
    fired["in_order"] = in_order;
    out["due_in_one_second"] = std::move(fired);
  }

  // What is due fires while a person works.
  json::object flood() {
    std::atomic<bool> stop{false};
    std::vector<double> waits_ms;
    std::thread person([&] {
      while (!stop) {
        auto began = std::chrono::steady_clock::now();
        auto decide = engine_->note({ids_[waits_ms.size() % ids_.size()], "per_bench", {}},
                                    {.what = "still here"});
        CW_CHECK(decide.ok());
        CW_CHECK(journal_->run({}, *decide).ok());
        waits_ms.push_back(seconds_since(began) * 1000);
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
      }
    });
    auto began = std::chrono::steady_clock::now();
    const std::size_t fired = engine_->run_due(*journal_);
    const double spent = seconds_since(began);
    stop = true;
    person.join();
    std::sort(waits_ms.begin(), waits_ms.end());
    auto at = [&](double share) {
      return waits_ms.empty() ? 0
                              : waits_ms[static_cast<std::size_t>(
                                    share * static_cast<double>(waits_ms.size() - 1))];
    };
    return {{"fired", static_cast<std::int64_t>(fired)},
            {"fired_per_s", per_second(fired, spent)},
            {"user_commands", static_cast<std::int64_t>(waits_ms.size())},
            {"user_wait_ms_p50", at(0.5)},
            {"user_wait_ms_p99", at(0.99)},
            {"user_wait_ms_max", at(1)}};
  }

  static constexpr std::size_t kAppointed = 100'000;
  const std::size_t count_;
  std::int64_t appointed_ms_ = 0;  // when they are due, to the second
  const std::string folder_;
  OffsetClock clock_;
  SystemRandom random_;
  OneQueue directory_;
  NoOutbox outbox_;
  Library library_;
  std::unique_ptr<Journal> journal_;
  std::unique_ptr<Sealed> sealed_;
  std::unique_ptr<Engine> engine_;
  std::vector<std::string> ids_;
  std::atomic<int> flying_{0};
  Progress progress_;
};

}  // namespace

json::object bench_engine(std::size_t cases, const std::string& folder) {
  return EngineBench(cases, folder).run();
}

}  // namespace cw
