// The writer thread: takes what is queued and decides it against memory, one command at a time.
#include <mutex>

#include "base/log.h"
#include "impl.h"
#include "refusals.h"

namespace cw {
namespace {

constexpr std::size_t kGroup = 256;                 // commands decided while readers wait
constexpr std::size_t kBatchBytesMax = 4 << 20;     // and at most a quarter of the reserve
constexpr std::size_t kRowBytes = 4096;             // a small row dirties a page
constexpr std::int64_t kBatchWaitNs = 4'000'000;    // a batch waits so long for more commands
constexpr std::int64_t kClockBackTolerated = 1000;  // ms

// Thrown by Draft::row before anything was appended.
struct NoRoom : std::exception {};

}  // namespace

thread_local int t_state_held = 0;

class Journal::Impl::BatchDraft final : public Draft {
 public:
  BatchDraft(Impl& journal, const std::string& id) : journal_(journal), id_(id) {}
  std::int64_t now_ms() const override { return journal_.stamp_ms; }
  Random& random() override { return journal_.random; }
  const std::string& command() const override { return id_; }
  json::storage_ptr memory() override { return journal_.filling->memory(); }

  std::uint64_t append(Entry entry) override {
    entry.seq = journal_.applied;
    entry.at_ms = journal_.stamp_ms;
    entry.command = id_;
    Batch& batch = *journal_.filling;
    batch.bytes += bytes_max(entry);
    batch.entries.push_back(std::move(entry));
    journal_.apply(batch.entries.back());
    ++count;
    return journal_.applied++;
  }

  void row(std::function<void(Database&)> write, std::size_t bytes) override {
    CW_CHECK(write != nullptr);
    Batch& batch = *journal_.filling;
    bytes += kRowBytes;
    if (count == 0 && !journal_.reserve.covers(batch.bytes + bytes)) throw NoRoom();
    batch.bytes += bytes;
    batch.rows.push_back(std::move(write));
  }

  std::size_t count = 0;

 private:
  Impl& journal_;
  const std::string& id_;
};

void Journal::Impl::write_loop() {
  std::vector<Waiting> group;
  while (queue.pop_some(kGroup, group)) {
    decide_all(group);
    group.clear();
  }
  {
    std::lock_guard lock(batch_mutex);
    decided_all_of_it = true;
  }
  batch_filled.notify_one();
}

bool Journal::Impl::open_has_room() const {
  return filling->decided.size() < options.batch_max &&
         filling->bytes < std::min(kBatchBytesMax, reserve.batch_bytes_max());
}

void Journal::Impl::decide_all(std::vector<Waiting>& group) {
  bool enough = false;
  for (std::size_t next = 0; next < group.size();) {
    {
      std::unique_lock filling_lock(batch_mutex);
      batch_taken.wait(filling_lock, [&] { return open_has_room(); });
      if (filling->decided.empty()) filling_since_ns = clock.monotonic_ns();
      bool room = reserve.has_room();
      std::lock_guard state(state_lock);
      ++t_state_held;
      if (room) take_stamp();
      for (; next < group.size() && open_has_room(); ++next) {
        Waiting& w = group[next];
        filling->decided.push_back(room ? decide(w) : Decided{std::move(w.done), full_problem()});
      }
      filling->end = applied;
      --t_state_held;
      bool more = next < group.size() || queue.size() > 0;
      ripe = enough =
          !more || !open_has_room() || clock.monotonic_ns() - filling_since_ns > kBatchWaitNs;
    }
    if (enough) batch_filled.notify_one();
  }
}

void Journal::Impl::take_stamp() {
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

Decided Journal::Impl::decide(Waiting& waiting) {
  const std::string& id = waiting.command.id;
  if (auto seq = seen.find(id); seq && is_command_of(*seq, id))
    return {std::move(waiting.done), Answer{.first = *seq, .repeated = true}, true};
  BatchDraft draft(*this, id);
  std::uint64_t first = applied;
  std::size_t rows = filling->rows.size(), bytes = filling->bytes;
  auto body = judge(waiting, draft);
  if (!body) {
    CW_CHECK(draft.count == 0);  // memory would be ahead of the record
    filling->rows.resize(rows);
    filling->bytes = bytes;
    return {std::move(waiting.done), std::move(body).problem()};
  }
  if (draft.count > 0) {
    seen.add(id, first);
    filling->bytes += bytes_max(*body);
  }
  return {std::move(waiting.done), Answer{first, draft.count, std::move(*body), false}};
}

// Before its first append a command has changed nothing, so that the others go on.
Result<json::object> Journal::Impl::judge(Waiting& waiting, BatchDraft& draft) {
  try {
    return waiting.decide(draft);
  } catch (const NoRoom&) {
    return full_problem();
  } catch (const std::exception& e) {
    log_error("journal", "a command failed: {}", e.what());
    return internal_problem();
  }
}

// True when the entry `seq` was made by command `id`. It may still wait for its commit.
bool Journal::Impl::is_command_of(std::uint64_t seq, const std::string& id) {
  for (const Batch* batch : {filling.get(), committing.get()}) {
    const std::vector<Entry>& held = batch->entries;
    if (!held.empty() && seq >= held.front().seq && seq <= held.back().seq)
      return held[seq - held.front().seq].command == id;
  }
  auto entry = Entry::parse(readers.with([&](Database& d) { return blocks::entry(d, seq); }));
  return entry.ok() && entry->command == id;
}

}  // namespace cw
