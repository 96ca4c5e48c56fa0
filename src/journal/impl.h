// What the journal's threads share. A command goes through two of them: the writer decides it
// against memory and puts what it wants written into the open batch; the committer takes that
// batch when it is done with the one before, writes it out in one transaction, and answers. So the
// next commands are decided while a commit is synced, and a slow disk makes larger batches.
#pragma once

#include <condition_variable>
#include <mutex>
#include <unordered_map>

#include "base/queue.h"
#include "base/thread.h"
#include "block.h"
#include "commands.h"
#include "journal.h"
#include "lock.h"
#include "reserve.h"
#include "snapshot.h"

namespace cw {

// Set on the thread that may read State without the lock: the writer while it decides, a reader
// inside read().
extern thread_local int t_state_held;

struct Waiting {
  Command command;
  Decide decide;
  std::function<void(Result<Answer>)> done;
};

struct Decided {
  std::function<void(Result<Answer>)> done;
  Result<Answer> answer;
  bool look_up = false;  // a repeated command: answer.first is where its entries begin
};

// What one commit writes and answers.
struct Batch {
 private:
  std::vector<unsigned char> first_ = std::vector<unsigned char>(1 << 20);
  std::optional<json::monotonic_resource> memory_;  // of the entries' bodies, which go before it

 public:
  std::vector<Entry> entries;
  std::vector<std::function<void(Database&)>> rows;
  std::vector<Decided> decided;
  std::size_t bytes = 0;  // no fewer than it will write
  std::uint64_t end = 0;  // entries in memory once it was decided

  Batch() { clear(); }
  json::storage_ptr memory() { return &*memory_; }
  void clear() {
    entries.clear();
    rows.clear();
    decided.clear();
    bytes = 0;
    memory_.emplace(first_.data(), first_.size());
  }
};

struct Journal::Impl {
  Impl(JournalOptions o, Clock& c, Random& r)
      : options(std::move(o)),
        clock(c),
        random(r),
        queue(options.queue_max),
        readers(options.path, 4),
        snapshots(options.path + ".snapshots"),
        reserve(options.path, options.reserve_bytes) {}

  // replay.cpp
  void open();
  void replay(std::uint64_t size);
  void apply(const Entry& entry);

  // write.cpp: the writer thread
  class BatchDraft;
  void write_loop();
  void decide_all(std::vector<Waiting>& group);
  Decided decide(Waiting& waiting);
  Result<json::object> judge(Waiting& waiting, BatchDraft& draft);
  void take_stamp();
  bool open_has_room() const;
  bool is_command_of(std::uint64_t seq, const std::string& id);

  // commit.cpp: the committer thread
  void commit_loop();
  void commit();
  void write_out();
  void answer_all();
  Result<Answer> first_answer(std::uint64_t first);
  void keep_log_short();
  void checkpoint_loop();  // a thread of its own

  // journal.cpp: the snapshot thread
  void snapshot_loop();
  void save_snapshot();
  bool wait_durable(std::uint64_t size, std::chrono::milliseconds wait);

  const JournalOptions options;
  Clock& clock;
  Random& random;
  BoundedQueue<Waiting> queue;
  ReadPool readers;
  Snapshots snapshots;
  DiskReserve reserve;
  std::unordered_map<std::string_view, State*> states;
  std::vector<State*> state_list;
  std::vector<std::function<void(std::uint64_t)>> listeners;

  // the writer thread's own
  SeenCommands seen{1 << 20};
  std::int64_t stamp_ms = 0;
  bool clock_is_back = false;

  // Between the two threads. The writer holds the mutex while it fills `filling`; what is in
  // `committing` is changed only under it.
  std::mutex batch_mutex;
  std::condition_variable batch_filled, batch_taken;
  std::unique_ptr<Batch> filling = std::make_unique<Batch>();
  std::unique_ptr<Batch> committing = std::make_unique<Batch>();
  std::int64_t filling_since_ns = 0;
  bool ripe = false;               // filled enough, or nothing else is queued
  bool decided_all_of_it = false;  // the queue is closed and empty

  // The committer thread's own.
  std::unique_ptr<Database> db;
  std::unique_ptr<Batch> spare = std::make_unique<Batch>();  // the one before, to be filled again
  Blocks blocks;
  std::size_t log_asked = 0;  // pages in the log when a checkpoint was last asked for

  std::mutex checkpoint_mutex;
  std::condition_variable checkpoint_asked;
  bool checkpoint_due = false, checkpoints_end = false;

  StateLock state_lock;
  std::uint64_t applied = 0;  // entries in memory; guarded by state_lock
  std::atomic<std::uint64_t> durable{0};
  std::mutex durable_mutex;
  std::condition_variable durable_changed;
  std::mutex snapshot_mutex;
  std::atomic<std::uint64_t> snapshot_at{0};
  std::atomic<std::uint64_t> commits{0}, commands_done{0}, commands_refused{0};
  std::atomic<bool> stopping{false};
  std::thread writer, committer, checkpointer, snapshotter;
};

}  // namespace cw
