// The procedure engine: every case of every procedure, held in memory, moved only by commands that
// the journal decides on its writer thread. A call here validates and seals what the person wrote
// on the caller's thread and returns a Decide; running it in the journal judges it against memory
// and appends entries (docs/formats/case-entries.md). Replay applies those entries and never
// judges again.
//
//   Engine engine(parts);  journal.attach(engine);  journal.open();
//   auto decide = engine.act({.case_id = id, .actor = me}, "release", {}, form);
//   if (!decide) return decide.problem();                     // the form is wrong
//   auto answer = journal.run({.id = command_id}, *decide);   // refused, or durable
//   engine.run_due(journal);                                  // clocks, several times a second
//
// Thread-safety: the functions that return a Decide, run_due, next_due_ms and definition are safe
// from any thread. Everything under "reading" is called inside journal.read(…).
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "base/random.h"
#include "base/result.h"
#include "identity/directory.h"
#include "journal/journal.h"
#include "language/definition.h"
#include "sealed/sealed.h"

namespace cw {

enum class CaseMode : std::uint8_t { live, drill };

// Something people must learn. `people` are those who hold the roles now; empty when nobody does
// (the receiver then shows it as undeliverable: silence would be worse).
struct Notice {
  enum class About { mark, task_late, flag, command, approval, assigned, effect, work };
  About about = About::effect;
  std::uint64_t seq = 0;  // of the entry that caused it; with `name` a deduplication key
  std::string case_id, number, procedure, org;
  Text title;  // of the procedure
  CaseMode mode = CaseMode::live;
  std::string name;         // the clock, task, flag, level or approval it is about
  Text text;                // that one's title
  int percent = 0;          // About::mark
  std::int64_t due_ms = 0;  // 0 = none
  std::vector<std::string> roles;
  std::vector<std::string> people;
  bool restricted = false;  // only readers of the case may learn which it is
};

// Something that leaves the house on behalf of a case. In a drill `people` are those who take part,
// and the receiver shows it to them and to nobody else.
struct Sending {
  std::uint64_t seq = 0;
  std::string case_id, number, procedure, org;
  CaseMode mode = CaseMode::live;
  std::string name;     // the task or action that is `outbound`, or "effect"
  std::string content;  // commitment of its form, or empty
  Text text;            // of a `send` effect
  std::vector<std::string> roles, people;
  bool restricted = false;  // as of a Notice
};

// Effects that leave the engine, written as outbox rows in the same commit (Draft::row). Called on
// the writer thread, never during replay; must not fail and must not append to the case's entries.
class Outbound {
 public:
  virtual ~Outbound() = default;
  virtual void notify(Draft& draft, const Notice& notice) = 0;
  virtual void send(Draft& draft, const Sending& sending) = 0;
};

struct EngineParts {
  Library library;  // what new cases run on
  Directory& directory;
  Sealed& sealed;
  Outbound& outbound;
  Clock& clock;
  Random& random;
  std::string path;  // the journal's database: retained versions are read from it
};

// Who does something to which case. `if_seq`: the case's last entry as the caller saw it; any other
// refuses with `stale`.
struct By {
  std::string case_id;
  std::string actor;
  std::optional<std::uint64_t> if_seq;
};

struct StartCase {
  std::string procedure;  // id; the library's version
  std::string org;
  std::string actor;
  json::object form;    // the start form
  json::object facts;   // facts known to a machine (an alert's); the form's win
  std::string subject;  // the customer the case is about: "per_…", "cus_…" or empty
  std::string origin;   // what it came from: "alt_…", "sig_…" or empty; becomes a link
  CaseMode mode = CaseMode::live;
  int compress = 1;  // drill: `wait` clocks run this many times faster, 1–10,000
};

// What a person writes into a case. All of it is sealed; `kind` and the time stay clear.
struct CaseNote {
  bool decision = false;  // a decision log entry, otherwise a comment
  std::string what;       // 1–10,000 code points
  std::string why;        // decisions: the reason
  std::string known;      // decisions: what was known then
};

// A due time that lay beyond what its calendar had announced, and what it is now.
struct MovedDue {
  std::string case_id, clock;  // the clock's name, or "task.<name>"
  std::string calendar;
  int version = 0;  // of the calendar
  std::int64_t old_due_ms = 0, new_due_ms = 0;
};

// How a case of one version goes on under another. What has the same name maps by itself; this
// names the rest, old → new; "" lets it go. Tasks are "state.task".
struct MigrationMap {
  std::map<std::string, std::string> states, tasks, clocks, facts, roles;
};
json::object to_json(const MigrationMap& map);
MigrationMap migration_map(const json::object& o);

struct Migration {
  int from = 0;      // version
  std::string name;  // "plan.customer-leak@4": where to. The same version with other texts will do
  std::string digest;  // of that text: the library's, or kept with the journal
  MigrationMap map;
};

// What a migration does, or would do, to one open case.
struct MigrationOutcome {
  struct Limit {
    std::string name;  // a clock, or "task." + task: as the new version calls it
    std::int64_t old_budget_ms = 0, new_budget_ms = 0;  // of clocks
    std::int64_t old_due_ms = 0, new_due_ms = 0;        // 0 = none
  };
  std::string case_id, number, org, state, to_state;
  std::string code;  // why it stays: "state", "task", "clock", "fact", "value", "level",
                     // "approval", "children", "drill", "size"; "" = it moves
  std::string what;  // the name that has no counterpart
  Text why;
  std::vector<std::string> opens;  // tasks newly required
  std::vector<std::string> drops;  // "task.…", "clock.…", "fact.…", "role.…", "flag.…" let go
  std::vector<std::string> unknown;  // new clocks that do not run: whether what they count from or
                                     // stop at has passed, or when, is not known
  std::vector<Limit> limits;         // those that change
  bool due_at_once = false;          // a limit or a mark that is past already under the new version
  bool moves() const { return code.empty(); }
};

// Some of the cases, in the order of their start.
struct MigrationBatch {
  std::vector<MigrationOutcome> outcomes;
  std::size_t next = 0;  // where the next batch begins
  bool end = false;      // there are no more
};

struct CaseView;  // cases.h
struct ClockStory;
struct Case;

class Engine final : public State {
 public:
  // Tables of this module, for JournalOptions::schemas.
  static const char* schema();

  explicit Engine(EngineParts parts);
  ~Engine() override;

  // ---- commands. Codes of refusals: docs/formats/case-entries.md. The answer's body has `case`,
  // `number`, `state` and `seq` (the case's last entry), and `approval` when one was asked.
  Result<Decide> start(StartCase request);
  Result<Decide> act(By by, std::string action, std::vector<std::string> evidence,
                     json::object form);
  Result<Decide> do_task(By by, std::string task, std::vector<std::string> evidence,
                         json::object form);
  Result<Decide> claim(By by, std::string task);
  // `person` "" gives the task back to its role.
  Result<Decide> assign(By by, std::string task, std::string person);
  Result<Decide> approve(By by, std::uint32_t approval);
  Result<Decide> reject(By by, std::uint32_t approval, std::string reason);
  // The chief of the case's level takes command with a brief (1–10,000 code points).
  Result<Decide> take_command(By by, std::string brief);
  Result<Decide> note(By by, CaseNote note);
  // `person` may act wherever `by.actor` may on this case, until then (UTC ms, in the future).
  Result<Decide> delegate(By by, std::string person, std::int64_t until_ms);
  Result<Decide> undelegate(By by, std::string person);
  Result<Decide> link(By by, std::string other);  // a case or any id
  Result<Decide> merge(By by, std::string into);  // closes this case as part of the other
  Result<Decide> watch(By by, bool on);
  // Lets a person read a restricted case, or no longer by this list; with a sealed reason.
  Result<Decide> set_reader(By by, std::string person, bool on, std::string reason);

  // ---- clocks.
  // Fires at most `count_max` marks and limits that are due, in (due, case) order, and opens what
  // schedules are due.
  Decide tick(std::size_t count_max = 128);
  // Fires everything due through the journal in bounded vital commands by "clock"; how many.
  std::size_t run_due(Journal& journal);
  // One firing, by its key (case, clock or task, generation): does nothing when it is not due, or
  // was done before.
  Decide fire(std::string case_id, std::string clock, std::uint32_t generation);
  // When a procedure's schedule opens it next and what it opened last (UTC ms; 0 = not yet, or
  // never). Read inside journal.read(…). Nothing for a procedure without one.
  struct Slots {
    std::int64_t last_ms = 0, next_ms = 0;
  };
  std::optional<Slots> slots(std::string_view procedure) const;
  std::int64_t next_due_ms() const { return next_due_ms_.load(std::memory_order_relaxed); }

  // ---- calendars. A due time beyond what a calendar has announced is provisional. When the
  // library's calendars are other versions than those in force: which open due times move (inside
  // journal.read), and moving them, each case with an entry that holds old and new. recount is
  // called after open() and after adopt(); it gives how many moved, and does nothing the second
  // time. Due times within what was announced stay.
  std::vector<MovedDue> moved_dues() const;
  Result<std::size_t> recount(Journal& journal);

  // ---- definitions.
  // Puts another library in force for new cases; running cases stay on their version.
  Decide adopt(Library library);
  Library library() const;
  // A definition that some case runs on or ran on: "plan.customer-leak@3". Null when unknown.
  std::shared_ptr<const Definition> definition(std::string_view name_at_version) const;
  // How many open cases each version has, drills included: inside journal.read(…). Looks at every
  // case.
  std::map<std::string, std::size_t> running() const;  // "plan.customer-leak@3" → cases

  // ---- migration of open cases to another version: at most `count_max` of them (and 20,000 looked
  // at) from place `from` on, 0 = the first. plan_migration tells what would happen and changes
  // nothing; migrate does it, one entry a case. A case that cannot move stays as it is.
  Decide plan_migration(Migration migration, std::size_t from, std::size_t count_max,
                        MigrationBatch& out);
  Decide migrate(Migration migration, std::string actor, std::string basis, std::size_t from,
                 std::size_t count_max, MigrationBatch& out);
  // Keeps a definition's text with the journal before its first case, and makes it the latest of
  // its version.
  Decide keep(std::shared_ptr<const Definition> definition);

  // ---- reading: inside journal.read(…).
  bool exists(std::string_view case_id) const;
  std::string org_of(std::string_view case_id) const;      // "" when unknown
  std::string id_of(std::string_view number) const;        // "CL-2026-0001" → "cas_…", or ""
  std::uint64_t last_seq(std::string_view case_id) const;  // its ETag; 0 when unknown
  // Everyone who started, acted, was assigned, watches or was delegated to.
  std::vector<std::string> participants(std::string_view case_id) const;
  // Whether the case's procedure leaves it to `actor` (a person or token) to read it: true wherever
  // the procedure names no readers, false for an unknown case. The permission to read cases of the
  // organisation is another matter, judged by the caller.
  bool may_read(std::string_view case_id, std::string_view actor) const;
  bool restricted(std::string_view case_id) const;  // its procedure names readers
  // Whether there are restricted cases at all, and those that `actor` may read: for lists.
  bool any_restricted() const;
  std::vector<std::string> readable(std::string_view actor) const;
  // The whole record as `viewer` ("" = nobody) may see and act on it now.
  Result<CaseView> view(std::string_view case_id, std::string_view viewer) const;
  // How a clock's or a task's due time came about, stretch by stretch.
  Result<ClockStory> explain(std::string_view case_id, std::string_view clock) const;
  std::size_t size() const;        // cases
  std::size_t open_count() const;  // not in a final state
  std::size_t bytes() const;       // memory held by cases, timers and names, estimated

  // ---- State
  std::string_view prefix() const override { return "case"; }
  void apply(const Entry& entry) override;
  int version() const override { return 4; }
  std::optional<std::string> save_slice(std::size_t i) const override;
  void load_slice(std::string_view bytes) override;
  std::uint64_t slice_changed(std::size_t i) const override;

  struct Impl;

 private:
  void tell_next_due();

  std::unique_ptr<Impl> impl_;
  std::atomic<std::int64_t> next_due_ms_;
};

// "sha256:…" of a definition's text and its forms' texts: what its cases run on.
std::string digest_of(const Definition& definition);

// `callwarden bench engine`: durable transitions/s over `cases` open cases with three clocks each,
// beside a raw SQLite append of the same bytes at the same batch size in the same run. `folder` is
// made, used and removed. Fields: cases, transitions, transitions_per_s, raw_append_per_s,
// ratio_to_raw, replay_s, restart_s, rss_bytes (after it), bytes_per_case; then, while a person
// works, `due_in_one_second` (100,000 appointments among all the other clocks: also `appointed`,
// `in_order`) and `all_due`, each with fired, fired_per_s, user_commands and user_wait_ms_….
json::object bench_engine(std::size_t cases, const std::string& folder);

}  // namespace cw
