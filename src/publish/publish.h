// Publishing procedures and forms in the running system. A revision is a set of drafts (one
// procedure and the forms it changes, or forms alone) that goes from its author to a reviewer, an
// approver and, at its moment, into force; each step is an entry "definition.…" and the state is
// whatever the entries say (docs/formats/publishing.md). content/ is the base; what was published
// lies over it. Texts are kept in the journal's database under their digests.
//
//   Publish publish({journal, engine, sealed, clock, random, path, simulation, may, tell});
//   journal.attach(publish);  journal.open();  publish.open();      // in force again
//   auto saved = publish.save(me, {}, {.title = "…", .documents = {{id, yaml}}});
//   publish.submit(me, {}, revision);  publish.pass(reviewer, {}, revision, "");
//   publish.simulate(approver, revision, options);
//   publish.approve(approver, {}, {.revision = revision, .from_ms = 0});
//   publish.run_due();                                   // as often as clocks fire
//
// Thread-safety: everything but apply and what stands under "reading" is safe from any thread and
// must not be called under the state lock; reading happens inside journal.read(…).
#pragma once

#include <compare>
#include <set>

#include "base/clock.h"
#include "base/random.h"
#include "identity/identity.h"
#include "journal/journal.h"
#include "procedure/engine.h"
#include "sealed/sealed.h"
#include "simulate/simulate.h"

namespace cw {

enum class DefinitionKind : std::uint8_t { procedure, form };
const char* name_of(DefinitionKind kind);  // "procedures", "forms": as in paths
std::optional<DefinitionKind> definition_kind(std::string_view name);

struct DefinitionId {
  DefinitionKind kind = DefinitionKind::procedure;
  std::string id;
  auto operator<=>(const DefinitionId&) const = default;
  std::string path() const;  // "procedures/plan.customer-leak.yaml"
};

struct DefinitionText {
  DefinitionId of;
  std::string text;      // YAML
  bool retires = false;  // a procedure is taken out of force; no text
  int base = 0;          // of what retires: the version it was written on; 0 = not said
};

struct DraftDocument {
  DefinitionId of;
  int base = 0;             // the version in force when it was first saved; 0 = a new one
  std::string base_digest;  // of that version's text
  std::string digest;       // "sha256:…" of the draft's text; "" when it retires
  bool retires = false;
};

enum class RevisionPhase : std::uint8_t {
  draft,
  in_review,
  reviewed,
  approved,
  effective,
  withdrawn
};
const char* name_of(RevisionPhase phase);

struct RevisionEvent {
  std::uint64_t seq = 0;
  std::int64_t at_ms = 0;
  std::string kind;     // the entry's verb: "saved", "submitted", "commented", "returned", …
  std::string actor;    // "clock" when its moment came
  std::string content;  // commitment of what was written, or ""
  std::string path;     // commented: which draft, or ""
  int line = 0;         // commented: where in it; 0 = all of it
  int save = 0;         // saved: its number
};

struct RevisionSave {
  int n = 0;
  std::uint64_t seq = 0;
  std::int64_t at_ms = 0;
  std::string actor;
  std::vector<DraftDocument> documents;
};

struct SimulationRecord {
  std::uint64_t seq = 0, seed = 0;
  std::int64_t at_ms = 0, runs = 0;
  std::string actor, people;  // "house", "real"
  std::string digest;         // of the procedure and its forms: see digest_of
  int threshold = 0;          // percent
  bool pass = false;
};

struct Revision {
  std::string id;  // "rev_…"
  RevisionPhase phase = RevisionPhase::draft;
  std::string about;  // commitment of {"title", "why"}
  std::vector<RevisionSave> saves;
  std::set<std::string> authors;  // everyone who saved
  std::string reviewer, approver;
  std::int64_t from_ms = 0;                    // approved: when it comes into force
  std::int64_t effective_ms = 0;               // when it did
  std::optional<SimulationRecord> simulation;  // the last one of what is drafted now
  std::string waiver;  // commitment of the reason why it was approved without one
  std::string halted;  // code: why it did not come into force and went back to its author
  std::vector<RevisionEvent> events;
  std::uint64_t seq = 0;  // of its last entry: its ETag

  const std::vector<DraftDocument>& documents() const { return saves.back().documents; }
  const DraftDocument* procedure() const;  // null: forms alone
  const DraftDocument* find(const DefinitionId& of) const;
  bool retires() const { return documents().front().retires; }  // its one procedure
  bool open() const { return phase < RevisionPhase::effective; }
};

json::object document_json(const DraftDocument& document);  // as entries and slices hold it

// A version that is or was in force; or, with `retires`, that it was taken out of force.
struct VersionRecord {
  int version = 0;  // retires: the version that was in force last
  bool retires = false;
  std::string digest;      // of its text
  bool published = false;  // otherwise it came with content/
  std::string revision;    // that published it
  std::string why;         // of content/: "first", "newer", "changed", "mistakes"
  std::uint64_t seq = 0;
  std::int64_t from_ms = 0, until_ms = 0;  // 0 = still in force
};

struct SaveRevision {
  std::string revision;                   // "" = a new one
  std::string title, why;                 // 1–200 and at most 10,000 code points
  std::vector<DefinitionText> documents;  // 1–32, at most one procedure, 4 MiB together; what
                                          // retires is alone
  std::optional<std::uint64_t> if_seq;
};

struct RevisionComment {
  std::string revision, text;  // 1–10,000 code points
  std::string path;            // a draft of it, or ""
  int line = 0;
};

struct ApproveRevision {
  std::string revision;
  std::int64_t from_ms = 0;  // 0, or the past = now; at most a year ahead
  std::string waiver;        // why without a simulation that passed; "" = there is one
};

// Something that people who had a hand in a revision should learn.
struct RevisionNotice {
  std::uint64_t seq = 0;
  std::string revision;
  Text title, text;  // of the procedure or form; what happened
  std::vector<std::string> people;
};

// A migration of running cases to the version in force, batch by batch.
struct MigrationRun {
  enum class Phase : std::uint8_t { running, done, stopped };
  struct Stayed {
    std::string case_id, code, what;
  };
  static constexpr std::size_t stayed_max = 1'000;  // remembered one by one

  std::string id;  // "mig_…"
  std::string procedure, actor, basis, digest;
  int from = 0, to = 0;  // versions
  MigrationMap map;
  Phase phase = Phase::running;
  std::int64_t began_ms = 0, ended_ms = 0;
  std::uint64_t seq = 0;
  std::size_t next = 0;             // the place where the next batch begins
  std::size_t moved = 0, left = 0;  // cases: moved, and stayed where they were
  std::vector<Stayed> stayed;
};
const char* name_of(MigrationRun::Phase phase);

// A migration tried on all cases without changing anything.
struct MigrationPlan {
  struct Group {
    std::string code, what;  // why they stay; or what is let go ("drops", "task.open.look"); or
                             // a new clock that cannot be rebuilt ("unknown", "law")
    std::size_t cases = 0;
  };
  std::string procedure;
  int from = 0, to = 0;
  std::size_t cases = 0, moves = 0, stays = 0, due_at_once = 0;
  std::vector<Group> groups;
  std::vector<MigrationOutcome> items;  // a page of them
};

struct PublishParts {
  Journal& journal;
  Engine& engine;
  Sealed& sealed;
  Clock& clock;
  Random& random;
  std::string path;  // the journal's database
  const SimulationFolder* simulation = nullptr;
  // Whether they may, for all organisations: the basis.
  std::function<Result<std::string>(const Principal&, Permission)> may;
  std::function<void(Draft&, const RevisionNotice&)> tell;  // writer thread
  // The people who may, for all organisations: whom a revision waits for. Writer thread.
  std::function<std::vector<std::string>(Permission)> holders = {};
  // What would no longer serve if the second library took the first one's place: drills' scenarios.
  std::function<std::vector<Mistake>(const Library&, const Library&)> warn = {};
};

class Publish final : public State {
 public:
  static constexpr std::size_t text_max = 1 << 20;       // bytes of one draft
  static constexpr std::size_t all_texts_max = 4 << 20;  // of a revision
  static constexpr std::size_t documents_max = 32;
  static constexpr std::size_t saves_max = 1'000, events_max = 5'000, open_max = 500;
  static constexpr std::size_t map_max = 500;    // names of a migration's map
  static constexpr std::int64_t runs_min = 100;  // of a simulation that counts for an approval

  static const char* schema();  // for JournalOptions::schemas
  explicit Publish(PublishParts parts);

  // After journal.open(): puts in force what was published over content/ (the engine's library),
  // and records what came into force with content/ since the last start. Refused when the disk is
  // full.
  Status open();

  // ---- the way of a revision. Answers have `revision`. Refusals: docs/formats/publishing.md.
  Result<Answer> save(const Principal& who, Command command, const SaveRevision& in);
  Result<Answer> submit(const Principal& who, Command command, const std::string& revision,
                        std::optional<std::uint64_t> if_seq = {});
  Result<Answer> comment(const Principal& who, Command command, const RevisionComment& in);
  Result<Answer> give_back(const Principal& who, Command command, const std::string& revision,
                           const std::string& reason);
  Result<Answer> pass(const Principal& who, Command command, const std::string& revision,
                      const std::string& remark, std::optional<std::uint64_t> if_seq = {});
  Result<Answer> approve(const Principal& who, Command command, const ApproveRevision& in,
                         std::optional<std::uint64_t> if_seq = {});
  Result<Answer> withdraw(const Principal& who, Command command, const std::string& revision,
                          const std::string& reason);
  // Runs its procedure many times and records the result. `options.threshold` is the pace's.
  Result<SimulationReport> simulate(const Principal& who, const std::string& revision,
                                    SimulationOptions options, const std::string& people);
  // Puts in force what is approved and due; how many revisions. One that no longer checks out goes
  // back to its author with the reason. Then goes on with migrations.
  std::size_t run_due();

  // ---- running cases (all need definitions.approve)
  // Tries it on every open case of that version; `items` from the `skip`-th on, at most `limit`
  // (up to 500). Refused when a name of the map is not there, or two facts or clocks become one.
  Result<MigrationPlan> plan_migration(const Principal& who, const std::string& procedure, int from,
                                       const MigrationMap& map, std::size_t skip,
                                       std::size_t limit);
  // Begins it; run_due does it in batches of 100 cases, each in one commit with the place where the
  // next begins, so that an end in between repeats and loses nothing. The answer has `migration`.
  Result<Answer> begin_migration(const Principal& who, Command command,
                                 const std::string& procedure, int from, const MigrationMap& map);
  Result<Answer> stop_migration(const Principal& who, Command command, const std::string& id);

  // ---- texts
  std::optional<std::string> text(const std::string& digest) const;
  // What `procedure check` says of these texts in the library now in force, and of every procedure
  // that rests on them. Nothing is stored.
  std::vector<Mistake> check(const std::vector<DefinitionText>& texts) const;
  // What these texts would break outside the library; tells and hinders nothing. Empty while they
  // have mistakes.
  std::vector<Mistake> warnings_of(const std::vector<DefinitionText>& texts) const;
  // The same as check, and whether their ids and versions are those that may come into force next.
  std::vector<Mistake> mistakes_of(const std::vector<DefinitionText>& texts) const;
  std::vector<DefinitionText> texts_of(const Revision& revision) const;

  // ---- reading
  const Revision* find(std::string_view id) const;
  const MigrationRun* migration(std::string_view id) const;
  std::vector<const MigrationRun*> migrations() const;  // newest first
  std::vector<const Revision*> all() const;             // newest first
  const VersionRecord* in_force(const DefinitionId& of) const;
  const VersionRecord* retirement(const DefinitionId& of) const;  // null: it is not retired
  // The version in force, or the last that was; null when there was none.
  const VersionRecord* latest(const DefinitionId& of) const;
  int next_version(const DefinitionId& of) const;  // the number that a draft has to have
  std::vector<DefinitionId> retired() const;
  std::vector<VersionRecord> history(const DefinitionId& of) const;  // newest first
  // The version that content/ holds, whether in force or not; 0 = none.
  int shipped(const DefinitionId& of) const;
  // Why they may not take that step ("save", "submit", "comment", "return", "pass", "simulate",
  // "approve", "withdraw") on it now; nothing when they may.
  std::optional<Problem> why_not(const Principal& who, const Revision& revision,
                                 std::string_view step) const;

  // ---- State
  std::string_view prefix() const override { return "definition"; }
  void apply(const Entry& entry) override;
  std::optional<std::string> save_slice(std::size_t i) const override;
  void load_slice(std::string_view bytes) override;

 private:
  using Body = std::function<Status(Draft&, const Revision&, const std::string& basis)>;
  struct Snapshot {  // what a check outside the writer's thread rests on
    Revision revision;
    std::uint64_t changed_seq = 0;
  };
  Result<Snapshot> snapshot(const std::string& revision) const;
  Result<Answer> step(const Principal& who, Command command, std::string_view step,
                      const std::string& revision, std::optional<std::uint64_t> if_seq,
                      const Body& body);
  Result<std::string> basis_for(const Principal& who, const Revision& revision,
                                std::string_view step) const;
  void version_mistakes(const std::vector<DefinitionText>& texts,
                        std::vector<Mistake>& mistakes) const;
  Library as_it_would_be(const std::vector<DefinitionText>& texts,
                         std::vector<Mistake>& mistakes) const;
  Result<Library> checked(const Revision& revision) const;
  Status simulated(const Revision& revision, const Library& library) const;
  std::vector<DraftDocument> drafts_of(const SaveRevision& in, const Revision* before) const;
  void keep(Draft& draft, const std::string& digest, const std::string& text) const;
  // `also`: who had a hand in it before the step.
  void tell(Draft& draft, const Revision& revision, std::uint64_t seq, Text text,
            std::string_view except, const std::set<std::string>& also = {}) const;
  // Tells those who may take that step now that it waits for them.
  void ask(Draft& draft, const Revision& revision, std::uint64_t seq, Permission permission,
           std::string_view step, Text text) const;
  std::optional<Problem> refusal(const Revision& revision, std::string_view step,
                                 std::string_view person) const;
  bool put_in_force(const std::string& revision);  // false: the journal refused
  Result<Migration> migration_of(const std::string& procedure, int from, const MigrationMap& map,
                                 int& to) const;
  bool run_batch(const std::string& id);  // false: it is over, or the journal refused
  void run_migrations();
  void apply_migration(const Entry& entry);
  // force.cpp: at a start
  struct Start {
    Library library;
    std::set<DefinitionId> published, left_out;
    std::set<std::string> retired;  // procedures
  };
  std::vector<DefinitionText> published_over(const Library& content, const Start& start) const;
  static bool give_way(Start& start);  // false: no retirement stood in the way
  void remember_retired(Start& start) const;
  Start overlay(const Library& content) const;
  Status record_start(const Start& start);

  struct History {
    std::vector<VersionRecord> versions;  // oldest first
    std::uint64_t seq = 0;                // the last entry that it knows
  };
  void change_history(const Entry& entry);
  void apply_step(Revision& revision, const Entry& entry);

  PublishParts p_;
  std::map<std::string, Revision, std::less<>> revisions_;
  std::map<DefinitionId, History> history_;
  std::map<std::string, MigrationRun, std::less<>> migrations_;
  std::map<DefinitionId, int> shipped_;  // of content/, as it was read; set before others look
  std::uint64_t changed_seq_ = 0;        // of the last entry that changed what is in force
};

}  // namespace cw
