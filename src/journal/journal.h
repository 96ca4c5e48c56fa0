// The one write path. A command is decided on the writer thread against memory, appended with
// everything that must be atomic with it, made durable by group commit on the committer thread,
// and only then answered.
// State in memory is whatever the entries say: live and at start the same apply() runs.
//
//   Journal journal(options, clock, random);
//   journal.attach(identity); journal.attach(engine);   // States, before open()
//   journal.open();                                     // snapshot + replay, then accepts commands
//   auto answer = journal.run({.id = command_id}, [&](Draft& d) -> Result<json::object> {
//     if (!allowed) return problem(...);                // refuse before the first append
//     d.append({.actor = who, .kind = "case.act", .name = "activate", .case_id = id, .body =
//     facts}); return json::object{{"case", id}};
//   });
//
// Thread-safety: run, submit, read, entries, wait_for, size are safe from any thread. decide
// functions run on the writer thread, one at a time, and may read any State without a lock.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "base/random.h"
#include "base/result.h"
#include "storage/storage.h"

namespace cw {

// One thing that happened. Canonical form: RFC 8785 JSON of the non-empty members (contents as
// "content"), at most 65,535 bytes. `body` holds facts only: ids, times, numbers, enumerations;
// never a name, a free text or a secret.
struct Entry {
  std::uint64_t seq = 0;  // dense from 0; also the index of the ledger's leaf; set by append
  std::int64_t at_ms =
      0;              // the command's stamp, never smaller than the entry before; set by append
  std::string actor;  // "per_…", "clock", "system", "rule:<id>"
  std::string basis;  // why the actor could act: "post:duty-officer", "delegate:per_…"
  std::string kind;   // "<prefix>.<verb>": the prefix picks the State ("case.act")
  std::string name;   // what of its kind: the action, task or clock
  std::string case_id;
  std::string procedure;  // "plan.customer-leak@3"
  std::string command;    // set by append
  json::object body;
  std::string content;  // a sealed content's commitment, or empty

  std::string canonical() const;
  // Appends it; throws std::length_error when it is too long.
  void canonical_to(std::string& out) const;
  static Result<Entry> parse(std::string_view canonical);
};

// What one command wants written. Lives on the writer thread during decide.
class Draft {
 public:
  virtual ~Draft() = default;
  virtual std::int64_t now_ms() const = 0;
  virtual Random& random() = 0;
  virtual const std::string& command() const = 0;
  // For entries' bodies, which live until the commit: freed in one piece after it.
  virtual json::storage_ptr memory() { return {}; }
  // Numbers the entry, applies it to its State at once, and returns its seq. After the first
  // append the decide function must succeed.
  virtual std::uint64_t append(Entry entry) = 0;
  // A row to be written in the same transaction, on the committer thread; dropped when the command
  // is refused. May run again after a refused commit (disk full), so it must only depend on what it
  // captured. `bytes`: about how many it writes beyond a few. What may be over a megabyte comes
  // before the first append: when the disk cannot surely take it, the command is refused here.
  virtual void row(std::function<void(Database&)> write, std::size_t bytes = 0) = 0;
};

using Decide = std::function<Result<json::object>(Draft&)>;

// The answer to a command, given only after its entries are durable.
struct Answer {
  std::uint64_t first = 0, count = 0;  // its entries; count 0: it found nothing to do
  json::object body;                   // what decide returned (for a repeated command: see run)
  bool repeated = false;
};

// The state of one module, held in memory, rebuilt from entries.
class State {
 public:
  virtual ~State() = default;
  virtual std::string_view prefix() const = 0;  // owns the kinds "<prefix>.…"; also its name
  // Must not judge: what is in the journal happened. Entries whose effect is already in a loaded
  // slice are to be ignored (keep the last seq per object, or one for the whole state).
  virtual void apply(const Entry& entry) = 0;

  // Snapshots, in slices so that no one waits long: save_slice(i) is called for i = 0,1,… until it
  // returns nothing, each under a shared lock of its own; entries may be applied in between.
  // Bump version() when the format changes: older snapshots are then ignored and replay does all.
  virtual int version() const { return 1; }
  virtual std::optional<std::string> save_slice(std::size_t i) const = 0;
  // The last entry that changed slice i, so that one that did not change is not written again.
  virtual std::uint64_t slice_changed(std::size_t) const { return UINT64_MAX; }  // not known
  virtual void load_slice(std::string_view bytes) = 0;
};

struct Command {
  std::string id;  // chosen by the client (8–64 of A–Z a–z 0–9 _ - : .), or made when empty
  bool vital = false;  // audit, alerts, clocks: never shed under overload
};

struct JournalOptions {
  std::string path;                        // the database file
  std::string origin;                      // the ledger's origin, recorded in entry 0
  std::size_t batch_max = 4096;            // commands in one commit
  std::size_t queue_max = 65'536;          // commands waiting; more are refused with 503
  std::int64_t reserve_bytes = 32 << 20;   // kept free on the disk, so that a full one is survived
  std::uint64_t snapshot_every = 200'000;  // entries
  bool full_sync = true;             // false only to show that the fault harness can see losses
  std::vector<const char*> schemas;  // other modules' tables in the same database (sealed, outbox)
};

class Journal {
 public:
  Journal(JournalOptions options, Clock& clock, Random& random);
  ~Journal();

  void attach(State& state);  // before open()
  void open();                // throws StorageError; a broken journal is never opened half

  // Decides, commits, then answers. A command id seen before is not decided again: its answer has
  // the first one's entries and body (the body is kept as long as the journal).
  Result<Answer> run(Command command, Decide decide);
  // The same without waiting: `done` is called on the committer thread after the commit. It must be
  // quick, and must not wait for another command.
  void submit(Command command, Decide decide, std::function<void(Result<Answer>)> done);

  // Runs `f` while no state changes, and returns only when all it could see is durable.
  template <typename F>
  auto read(F&& f) {
    ReadGuard guard(*this);
    return f();
  }

  std::uint64_t size() const;  // durable entries; seqs 0 … size()-1
  bool wait_for(std::uint64_t size, std::chrono::milliseconds wait) const;  // until size() >= it
  // Canonical bytes of entries from … (at most `count`); safe from any thread.
  std::vector<std::string> entries(std::uint64_t from, std::size_t count) const;
  // Called after each commit with the new size, on the committer thread; must be quick.
  void on_commit(std::function<void(std::uint64_t size)> listener);

  // Writes a snapshot now (also done by itself every `snapshot_every` entries and at close).
  void snapshot();
  void close();  // no further commands; waits for those under way

  struct Stats {
    std::uint64_t commits = 0, commands = 0, refused = 0, queue = 0;
    bool disk_full = false;
  };
  Stats stats() const;
  const std::string& path() const;

  class ReadGuard {
   public:
    explicit ReadGuard(const Journal& journal);
    ~ReadGuard();

   private:
    const Journal& journal_;
    std::uint64_t seen_ = 0;
  };

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace cw
