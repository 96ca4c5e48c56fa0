#include "journal.h"

#include <condition_variable>
#include <cstdlib>
#include <future>
#include <mutex>
#include <shared_mutex>
#include <thread>
#include <unordered_map>

#include "base/id.h"
#include "base/log.h"
#include "base/queue.h"
#include "commands.h"
#include "refusals.h"
#include "reserve.h"
#include "snapshot.h"

namespace cw {
namespace {

constexpr std::size_t kSeenCommandsMax = 1 << 20;
constexpr std::size_t kBatchBytesMax = 4 << 20;
constexpr std::int64_t kClockBackTolerated = 1000;  // ms

constexpr const char* kJournalSchema =
    "CREATE TABLE IF NOT EXISTS entry(seq INTEGER PRIMARY KEY, bytes BLOB NOT NULL, answer BLOB) "
    "STRICT";

// Set on the thread that may read State without the lock: the writer while it decides, a reader
// inside read().
thread_local int t_state_held = 0;

}  // namespace

struct Journal::Impl {
  struct Waiting {
    Command command;
    Decide decide;
    std::function<void(Result<Answer>)> done;
  };
  struct Written {
    std::uint64_t seq;
    std::string bytes;
    std::string answer;
  };
  struct Decided {
    std::function<void(Result<Answer>)> done;
    Result<Answer> answer;
    bool look_up = false;  // a repeated command: answer.first is where its entries begin
  };

  Impl(JournalOptions o, Clock& c, Random& r)
      : options(std::move(o)),
        clock(c),
        random(r),
        queue(options.queue_max),
        readers(options.path, 4),
        snapshots(options.path + ".snapshot"),
        reserve(options.path, options.reserve_bytes) {}

  // ---- the writer thread ----

  class BatchDraft final : public Draft {
   public:
    BatchDraft(Impl& journal, const std::string& id) : journal_(journal), id_(id) {}
    std::int64_t now_ms() const override { return journal_.stamp_ms; }
    Random& random() override { return journal_.random; }
    const std::string& command() const override { return id_; }
    std::uint64_t append(Entry entry) override {
      entry.seq = journal_.applied;
      entry.at_ms = journal_.stamp_ms;
      entry.command = id_;
      std::string bytes = entry.canonical();
      journal_.apply(entry);
      ++journal_.applied;
      ++count;
      journal_.batch_bytes += bytes.size();
      journal_.entries.push_back({entry.seq, std::move(bytes), {}});
      return entry.seq;
    }
    void row(std::function<void(Database&)> write) override {
      CW_CHECK(write != nullptr);
      ++rows;
      journal_.rows.push_back(std::move(write));
    }
    std::size_t count = 0, rows = 0;

   private:
    Impl& journal_;
    const std::string& id_;
  };

  void apply(const Entry& entry) {
    auto found = states.find(entry.kind.substr(0, entry.kind.find('.')));
    if (found != states.end()) found->second->apply(entry);
  }

  void write_loop() {
    while (auto first = queue.pop()) {
      std::vector<Waiting> batch;
      batch.push_back(std::move(*first));
      for (auto& more : queue.drain(options.batch_max - 1)) batch.push_back(std::move(more));
      while (!batch.empty()) write_batch(batch);
    }
  }

  // Decides and commits as much of `batch` as fits one transaction; the rest stays in it.
  void write_batch(std::vector<Waiting>& batch) {
    std::vector<Decided> decided;
    decided.reserve(batch.size());
    entries.clear();
    rows.clear();
    batch_bytes = 0;
    if (!reserve.has_room()) {
      for (auto& waiting : batch) decided.push_back({std::move(waiting.done), full_problem()});
      batch.clear();
    } else {
      std::size_t taken = 0;
      {
        std::lock_guard gate(turnstile);  // readers that come now wait until the batch is decided
        std::unique_lock lock(state_mutex);
        ++t_state_held;
        take_stamp();
        while (taken < batch.size() && batch_bytes < kBatchBytesMax) {
          decided.push_back(decide(batch[taken]));
          ++taken;
        }
        --t_state_held;
      }
      batch.erase(batch.begin(), batch.begin() + static_cast<std::ptrdiff_t>(taken));
      if (!entries.empty() || !rows.empty()) commit();
    }
    for (auto& d : decided) {
      if (d.look_up) d.answer = first_answer((*d.answer).first);
      commands_refused += !d.answer.ok();
      d.done(std::move(d.answer));
    }
    commands_done += decided.size();
  }

  void take_stamp() {
    std::int64_t now = clock.now_ms();
    bool back = now < stamp_ms - kClockBackTolerated;
    stamp_ms = std::max(stamp_ms, now);
    if (back && !clock_is_back) {
      static const std::string no_command;
      BatchDraft draft(*this, no_command);
      draft.append(
          {.actor = "system", .kind = "journal.clock-back", .body = {{"by_ms", stamp_ms - now}}});
      log_warn("journal", "the clock went back by {} ms; stamps wait for it", stamp_ms - now);
    }
    clock_is_back = back;
  }

  Decided decide(Waiting& waiting) {
    if (auto seq = seen.find(waiting.command.id); seq && is_command_of(*seq, waiting.command.id)) {
      return {std::move(waiting.done), Answer{.first = *seq, .repeated = true}, true};
    }
    BatchDraft draft(*this, waiting.command.id);
    std::uint64_t first = applied;
    try {
      auto body = waiting.decide(draft);
      if (!body) {
        CW_CHECK(draft.count == 0 && draft.rows == 0);
        return {std::move(waiting.done), std::move(body).problem()};
      }
      if (draft.count > 0) {
        seen.add(waiting.command.id, first);
        if (!body->empty()) entries[entries.size() - draft.count].answer = canonical(*body);
      }
      return {std::move(waiting.done), Answer{first, draft.count, std::move(*body), false}};
    } catch (const std::exception& e) {
      // Before its first append a command has changed nothing, so the others go on.
      CW_CHECK(draft.count == 0 && draft.rows == 0);
      log_error("journal", "a command failed: {}", e.what());
      return {std::move(waiting.done), internal_problem()};
    }
  }

  // True when the entry `seq` was made by command `id`. It may still wait for its commit.
  bool is_command_of(std::uint64_t seq, const std::string& id) {
    std::string bytes;
    if (!entries.empty() && seq >= entries.front().seq) {
      bytes = entries[seq - entries.front().seq].bytes;
    } else {
      db->query(
          "SELECT bytes FROM entry WHERE seq=$1", [&](const Row& r) { bytes = r.text(0); }, seq);
    }
    auto entry = Entry::parse(bytes);
    return entry.ok() && entry->command == id;
  }

  Result<Answer> first_answer(std::uint64_t first) {
    Answer answer{.first = first, .repeated = true};
    std::string id;
    bool more = true;
    for (std::uint64_t seq = first; more; seq += more) {
      more = false;
      db->query(
          "SELECT bytes,answer FROM entry WHERE seq=$1",
          [&](const Row& r) {
            auto entry = Entry::parse(r.text(0));
            if (!entry || (seq != first && entry->command != id)) return;
            id = entry->command;
            if (seq == first && !r.null(1)) {
              auto body = parse_json(r.text(1), {.size_max = 8 << 20});
              if (body && body->is_object()) answer.body = std::move(body->get_object());
            }
            more = true;
          },
          seq);
      answer.count += more;
    }
    return answer;
  }

  // ---- commit ----

  void commit() {
    for (bool retried = false;; retried = true) {
      try {
        db->begin();
        for (const auto& e : entries) {
          db->run("INSERT INTO entry VALUES($1,$2,$3)", e.seq, Blob{e.bytes},
                  e.answer.empty() ? Param(nullptr) : Param(Blob{e.answer}));
        }
        for (const auto& write : rows) write(*db);
        db->commit();
        break;
      } catch (const StorageError& error) {
        if (error.kind() == StorageError::Kind::full && !retried) {
          db->rollback();  // nothing was synced: to try once more, on the reserve, is safe
          reserve.give_up();
          continue;
        }
        end_process(error.what());
      } catch (const std::exception& error) {
        end_process(error.what());
      }
    }
    ++commits;
    {
      std::lock_guard lock(durable_mutex);
      durable = applied;
    }
    durable_changed.notify_all();
    for (const auto& listener : listeners) listener(durable);
  }

  // Memory is ahead of the disk and an fsync is never retried: the process ends, restarts, and
  // replays what is durable. Nothing that was answered is lost.
  [[noreturn]] void end_process(const char* why) {
    log_error("journal", "the commit failed, the process ends: {}", why);
    std::_Exit(70);
  }

  // ---- opening ----

  void open() {
    db = std::make_unique<Database>(
        options.path,
        DatabaseOptions{.create = true, .full_sync = options.full_sync, .cache_kib = 16'384});
    db->exec(kJournalSchema);
    for (const char* schema : options.schemas) db->exec(schema);
    db->exec("PRAGMA wal_autocheckpoint=4000");
    reserve.has_room();
    std::uint64_t size = 0;
    db->query("SELECT coalesce(max(seq)+1,0), count(*) FROM entry", [&](const Row& r) {
      size = static_cast<std::uint64_t>(r.integer(0));
      if (r.integer(0) != r.integer(1))
        throw StorageError(StorageError::Kind::corrupt, "the journal has gaps");
    });
    replay(size);
    writer = std::thread([this] { write_loop(); });
  }

  void replay(std::uint64_t size) {
    std::int64_t begun = clock.monotonic_ns();
    std::uint64_t from = snapshots.load(state_list, size);
    snapshot_at = from;
    std::uint64_t remember_from = size > kSeenCommandsMax ? size - kSeenCommandsMax : 0;
    std::uint64_t expected = std::min(from, remember_from);
    std::string last_command;
    db->query(
        "SELECT seq,bytes FROM entry WHERE seq>=$1 ORDER BY seq",
        [&](const Row& r) {
          auto seq = static_cast<std::uint64_t>(r.integer(0));
          if (seq != expected++)
            throw StorageError(StorageError::Kind::corrupt, "the journal has gaps");
          std::string_view bytes = r.text(1);
          if (seq >= from || seq + 1 == size) {
            auto entry = Entry::parse(bytes);
            if (!entry || entry->seq != seq)
              throw StorageError(StorageError::Kind::corrupt,
                                 "entry " + std::to_string(seq) + " is damaged");
            stamp_ms = entry->at_ms;
            if (seq >= from) apply(*entry);
          }
          if (std::string_view id = command_in(bytes); !id.empty() && id != last_command) {
            seen.add(id, seq);
            last_command = id;
          }
        },
        expected);
    applied = durable = size;
    if (size > 0)
      log_info("journal", "opened with {} entries, replayed {} in {} ms", size, size - from,
               (clock.monotonic_ns() - begun) / 1'000'000);
  }

  // The command of a canonical entry without parsing it. Members are sorted, and after "command"
  // come only texts in which a quote is escaped, so the last match is the member itself.
  static std::string_view command_in(std::string_view bytes) {
    constexpr std::string_view key = "\"command\":\"";
    std::size_t at = bytes.rfind(key);
    if (at == std::string_view::npos) return {};
    bytes.remove_prefix(at + key.size());
    return bytes.substr(0, bytes.find('"'));
  }

  void snapshot_loop() {
    std::unique_lock lock(durable_mutex);
    while (!stopping) {
      durable_changed.wait_for(lock, std::chrono::seconds(1));
      if (stopping || durable - snapshot_at < options.snapshot_every) continue;
      lock.unlock();
      save_snapshot();
      lock.lock();
    }
  }

  void save_snapshot() {
    std::lock_guard one(snapshot_mutex);
    std::uint64_t at = durable;
    try {
      snapshots.save(
          state_list,
          [this](const State& state, std::size_t i) {
            std::optional<std::pair<std::string, std::uint64_t>> out;
            std::lock_guard gate(turnstile);
            std::shared_lock lock(state_mutex);
            if (auto bytes = state.save_slice(i)) out.emplace(std::move(*bytes), applied);
            return out;
          },
          [this](std::uint64_t size) { return wait_durable(size, std::chrono::seconds(10)); });
      snapshot_at = at;
    } catch (const std::exception& e) {
      log_warn("journal", "no snapshot was written: {}", e.what());
      snapshot_at = at;  // try again after the next stretch, not in a loop
    }
  }

  bool wait_durable(std::uint64_t size, std::chrono::milliseconds wait) {
    if (durable >= size) return true;
    std::unique_lock lock(durable_mutex);
    return durable_changed.wait_for(lock, wait, [&] { return durable >= size; });
  }

  const JournalOptions options;
  Clock& clock;
  Random& random;
  BoundedQueue<Waiting> queue;
  ReadPool readers;
  SnapshotFile snapshots;
  DiskReserve reserve;
  std::unordered_map<std::string, State*> states;
  std::vector<State*> state_list;
  std::vector<std::function<void(std::uint64_t)>> listeners;

  // the writer thread's own
  std::unique_ptr<Database> db;
  SeenCommands seen{kSeenCommandsMax};
  std::vector<Written> entries;
  std::vector<std::function<void(Database&)>> rows;
  std::size_t batch_bytes = 0;
  std::int64_t stamp_ms = 0;
  bool clock_is_back = false;

  std::mutex
      turnstile;  // a reader passes it before the lock, so that readers cannot starve the writer
  mutable std::shared_mutex state_mutex;
  std::uint64_t applied = 0;  // entries in memory; guarded by state_mutex
  std::atomic<std::uint64_t> durable{0};
  std::mutex durable_mutex;
  std::condition_variable durable_changed;
  std::mutex snapshot_mutex;
  std::atomic<std::uint64_t> snapshot_at{0};
  std::atomic<std::uint64_t> commits{0}, commands_done{0}, commands_refused{0};
  std::atomic<bool> stopping{false};
  std::thread writer, snapshotter;
};

Journal::Journal(JournalOptions options, Clock& clock, Random& random)
    : impl_(std::make_unique<Impl>(std::move(options), clock, random)) {}

Journal::~Journal() { close(); }

void Journal::attach(State& state) {
  CW_CHECK(!impl_->db);
  CW_CHECK(impl_->states.emplace(std::string(state.prefix()), &state).second);
  impl_->state_list.push_back(&state);
}

void Journal::open() {
  CW_CHECK(!impl_->db);
  impl_->open();
  impl_->snapshotter = std::thread([this] { impl_->snapshot_loop(); });
  if (size() == 0) {
    auto made = run({.id = "journal-created"}, [this](Draft& draft) -> Result<json::object> {
      draft.append({.actor = "system",
                    .kind = "journal.created",
                    .body = {{"format", 1}, {"origin", impl_->options.origin}}});
      return json::object{};
    });
    if (!made) throw StorageError(StorageError::Kind::full, made.problem().text.en);
  }
}

void Journal::submit(Command command, Decide decide, std::function<void(Result<Answer>)> done) {
  if (command.id.empty()) {
    command.id = new_id("cmd", impl_->clock.now_ms(), impl_->random);
  } else if (!is_command_id(command.id)) {
    done(invalid(
        "journal.command-id", "/command",
        {"命令编号须为 8–64 个字母、数字或 _-:.", "A command id is 8–64 letters, digits or _-:."}));
    return;
  }
  Impl::Waiting waiting{std::move(command), std::move(decide), std::move(done)};
  if (waiting.command.vital) {
    auto refused = waiting.done;
    if (!impl_->queue.push(std::move(waiting))) refused(closed_problem());
    return;
  }
  if (impl_->queue.closed()) {
    waiting.done(closed_problem());
  } else if (auto refused = waiting.done; !impl_->queue.try_push(std::move(waiting))) {
    refused(busy_problem());
  }
}

Result<Answer> Journal::run(Command command, Decide decide) {
  CW_CHECK(std::this_thread::get_id() != impl_->writer.get_id());
  std::promise<Result<Answer>> promise;
  auto future = promise.get_future();
  submit(std::move(command), std::move(decide),
         [&promise](Result<Answer> answer) { promise.set_value(std::move(answer)); });
  return future.get();
}

std::uint64_t Journal::size() const { return impl_->durable; }

bool Journal::wait_for(std::uint64_t size, std::chrono::milliseconds wait) const {
  return impl_->wait_durable(size, wait);
}

std::vector<std::string> Journal::entries(std::uint64_t from, std::size_t count) const {
  std::vector<std::string> out;
  std::uint64_t end = size();  // a reader must not see what the last sync may still lose
  if (from >= end) return out;
  count = std::min<std::size_t>(count, end - from);
  impl_->readers.with([&](Database& db) {
    db.query(
        "SELECT bytes FROM entry WHERE seq>=$1 ORDER BY seq LIMIT $2",
        [&](const Row& r) { out.emplace_back(r.text(0)); }, from, count);
  });
  return out;
}

void Journal::on_commit(std::function<void(std::uint64_t)> listener) {
  CW_CHECK(!impl_->db);
  impl_->listeners.push_back(std::move(listener));
}

void Journal::snapshot() { impl_->save_snapshot(); }

void Journal::close() {
  if (impl_->queue.closed()) return;
  impl_->queue.close();
  if (impl_->writer.joinable()) impl_->writer.join();
  {
    std::lock_guard lock(impl_->durable_mutex);
    impl_->stopping = true;
  }
  impl_->durable_changed.notify_all();
  if (impl_->snapshotter.joinable()) impl_->snapshotter.join();
  if (impl_->db && impl_->durable - impl_->snapshot_at > impl_->options.snapshot_every / 10)
    impl_->save_snapshot();
}

Journal::Stats Journal::stats() const {
  return {impl_->commits, impl_->commands_done, impl_->commands_refused, impl_->queue.size(),
          impl_->reserve.full()};
}

const std::string& Journal::path() const { return impl_->options.path; }

Journal::ReadGuard::ReadGuard(const Journal& journal) : journal_(journal) {
  if (t_state_held++ > 0) return;  // already inside: on the writer thread, or in an outer read
  std::lock_guard gate(journal_.impl_->turnstile);
  journal_.impl_->state_mutex.lock_shared();
  seen_ = journal_.impl_->applied;
}

Journal::ReadGuard::~ReadGuard() {
  if (--t_state_held > 0) return;
  journal_.impl_->state_mutex.unlock_shared();
  journal_.impl_->wait_durable(seen_, std::chrono::seconds(30));
}

}  // namespace cw
