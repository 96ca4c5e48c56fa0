// Reading cases: the whole record of one (CaseView, from memory) and lists over all (CaseList, a
// read model). Plain structures; thread-safe as plain values. Contents stay sealed: a view names
// them by commitment and the reader opens what they may see.
//
//   auto view = journal.read([&] { return engine.view(id, me); });
//   CaseList list(engine);  views.attach(list);  views.start();
//   views.read(seen, [&](Database& db) { page = CaseList::find(db, {.mine = targets}); });
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "journal/views.h"
#include "procedure/engine.h"

namespace cw {

struct FactView {
  std::string id;
  Text title;
  FieldType type = FieldType::integer;
  json::value value;      // null = unset; times in UTC ms; enumerations and references as text
  Text word;              // an enumeration's word in both languages
  std::uint64_t seq = 0;  // the entry that set it
  std::int64_t at_ms = 0;
  std::string actor;
};

enum class TaskPhase : std::uint8_t { open, asked, done, withdrawn };

struct TaskView {
  std::string id;
  Text title;
  std::string state;
  TaskPhase phase = TaskPhase::open;
  std::string form;  // id, or ""
  std::string when;  // the condition's source, or ""
  std::string why;   // withdrawn: "condition", "state", "closed"
  std::vector<std::string> roles;
  std::vector<Text> role_titles;
  bool late = false, outbound = false, required = false;
  bool reason_due = false;  // done now it is late, and its form has a field for the reason
  int evidence = 0, evidence_given = 0;
  std::int64_t opened_ms = 0, due_ms = 0, done_ms = 0;  // 0 = none
  std::string assignee, doer;
  std::uint64_t seq = 0;  // the entry that made it so
  bool can = false;       // the viewer may do it now
  std::string basis;      // why they may
  Text why_not;           // or why not
};

struct ActionView {
  std::string id;
  Text title;
  std::string form, to;  // "" = none; the state is kept
  Text to_title;
  std::vector<std::string> roles, approvers;
  std::string guard;  // source
  bool outbound = false, repeat = false, can = false;
  bool amend = false;       // the correction of the record
  bool reason_due = false;  // taken now it is late, and its form has a field for the reason
  std::string basis;
  Text why_not;
  std::vector<std::string> missing;  // tasks still to be done, when that is why
  std::vector<std::string> lets_in;  // of a restricted case: people who will read it from then on
};

enum class ClockPhase : std::uint8_t { counting, still, stopped, lifted };

struct MarkView {
  int percent = 0;
  std::int64_t at_ms = 0;  // when it is, or was, due; 0 while the clock stands still
  bool fired = false;
};

struct ClockView {
  std::string id;
  Text title;
  bool anchored = false, wait = false, provisional = false, natural = false;
  ClockPhase phase = ClockPhase::counting;
  std::int64_t since_ms = 0;  // its start, or the start of the present stretch
  std::int64_t used_ms = 0;  // up to now (up to the stop when stopped), in the limit's kind of time
  std::int64_t budget_ms = 0;
  std::int64_t due_ms = 0;  // 0 while it stands still
  std::int64_t stopped_ms = 0;
  int percent = 0;  // used of budget, rounded down
  bool missed = false;
  std::string limit;  // "4h"
  std::string calendar;
  std::vector<MarkView> marks;
  std::uint32_t generation = 0;
};

struct ClockStory {
  ClockView clock;
  Text sentence;                  // "4 h of calendar cn-office from …, 1 h 20 min used before"
  std::int64_t before_ms = 0;     // used in earlier stretches, which the timeline shows
  std::vector<Segment> segments;  // of the present stretch, from its start to the due time
  int calendar_version = 0;
};

struct ApprovalView {
  std::uint32_t id = 0;
  bool task = false;
  std::string name;  // the task or action
  Text title;
  std::string asker;
  std::int64_t at_ms = 0;
  std::uint64_t seq = 0;  // the entry that asks; its content is what is to be approved
  std::string content;
  json::object facts;  // what will change
  std::string to;      // a correction: the state to move to, or ""
  std::vector<std::string> granted;
  std::vector<std::string> roles;  // whose turn it is
  int quorum = 1;
  bool can = false;
  Text why_not;
};

struct LinkView {
  std::string kind;                          // "child", "parent", "link", "merged", "origin"
  std::string as;                            // children: the name they were opened under
  std::string id, number, procedure, state;  // the last three empty when it is no case
  Text title, state_title;
  bool closed = false;
};

struct DelegationView {
  std::string from, to;
  std::int64_t until_ms = 0;
};

struct CaseView {
  std::string id, number, procedure, org, state, starter, subject;
  int version = 0;
  Text title, state_title;
  CaseMode mode = CaseMode::live;
  int compress = 1;
  bool closed = false;
  std::int64_t opened_ms = 0, entered_ms = 0, closed_ms = 0;
  std::uint64_t first_seq = 0, last_seq = 0;
  int retain_days = 0;

  std::string level, held_level;  // ids; "" when the procedure has no levels
  Text level_title, held_title;
  std::string chief_post;  // of the level that holds command
  std::string commander;   // who took command with a brief, or ""
  bool brief_due = false;  // the level moved: its chief must take command
  bool can_take = false;   // the viewer may

  std::vector<FactView> facts;
  std::vector<TaskView> tasks;
  std::vector<ActionView> actions;
  std::vector<ClockView> clocks;
  std::vector<std::string> flags;
  std::vector<Text> flag_titles;
  std::vector<ApprovalView> approvals;
  std::vector<LinkView> links;
  std::vector<DelegationView> delegations;
  std::vector<std::string> watchers, participants;
  bool restricted = false;           // only readers see it
  std::vector<std::string> readers;  // let in by name
  bool can_admit = false;            // the viewer may change that list
};

// ---- lists ----------------------------------------------------------------------------------

struct CaseFilter {
  std::vector<std::string> orgs;  // whose cases; empty = none (deny by default)
  bool every_org = false;
  std::vector<std::string> procedures, states, levels, flags;
  std::string procedure_prefix;  // "plan."
  std::string number;            // starts with
  std::string starter, subject, parent;
  int open = -1;                   // 1 open, 0 closed, -1 both
  int drill = 0;                   // 1 drills, 0 live, -1 both
  std::int64_t due_before_ms = 0;  // 0 = any
  std::string sort = "-updated";   // updated, opened, due, number; "-" = descending
  std::string cursor;              // from the page before
  std::size_t limit = 50;          // 1–200
  // Which restricted cases the caller may see (Engine::readable); all others are left out.
  std::vector<std::string> restricted;
};

struct CaseRow {
  std::string id, number, procedure, org, state, level, starter;
  int version = 0;
  bool drill = false, closed = false;
  std::int64_t opened_ms = 0, updated_ms = 0, due_ms = 0;  // due: the earliest; 0 = none
  std::uint64_t seq = 0;
  std::string content;  // of the start form
  std::vector<std::string> flags;
  int tasks_open = 0;
};

struct CasePage {
  std::vector<CaseRow> rows;
  std::string next;  // cursor, or ""
};

// What one person can do: posts, teams, queues, levels they head, and themselves.
// Written "post:duty-officer", "team:technical", "queue:ticket.after-sales", "chief:command",
// "person:per_…".
struct WorkFilter {
  std::vector<std::string> targets;
  std::vector<std::string> orgs;  // where
  bool every_org = false;
  int drill = 0;
  std::size_t limit = 50;  // 1–500
  std::string cursor;
  std::vector<std::string> restricted;  // as of CaseFilter
};

struct WorkRow {
  std::string case_id, number, procedure, org, state, level;
  std::string kind;  // "task", "approval", "command", "queue", "owner", "action", "decide"
  std::string name, assignee;
  std::int64_t due_ms = 0;
  bool drill = false, late = false;
};

struct WorkPage {
  std::vector<WorkRow> rows;  // earliest due first, then those without
  std::string next;
};

// One line of a case's timeline.
struct TimelineRow {
  std::uint64_t seq = 0;
  std::int64_t at_ms = 0;
  std::string kind, name, actor, basis, content;
  json::object body;
};

class CaseList final : public Projector {
 public:
  explicit CaseList(const Engine& engine) : engine_(engine) {}

  static Result<CasePage> find(Database& db, const CaseFilter& filter);
  static Result<WorkPage> work(Database& db, const WorkFilter& filter);
  // Entry numbers of a case, newest first, before `before` (0 = from the newest).
  static std::vector<std::uint64_t> timeline(Database& db, std::string_view case_id,
                                             std::uint64_t before, std::size_t limit);
  // The latest content of a form's kind: ("task" or "action" or "start", name) → commitment.
  static std::string content_of(Database& db, std::string_view case_id, std::string_view name);
  // How many open cases there are per state of a procedure, for the navigation's counts.
  static std::vector<std::pair<std::string, std::int64_t>> counts(Database& db,
                                                                  const CaseFilter& filter);

  std::string_view name() const override { return "case_list"; }
  int version() const override { return 5; }
  const char* schema() const override;
  void drop(Database& db) const override;
  void project(const Entry& entry, Database& db) override;

 private:
  const Engine& engine_;
};

// The entries of a timeline page, read from the journal.
std::vector<TimelineRow> timeline_rows(const Journal& journal,
                                       const std::vector<std::uint64_t>& seqs);

}  // namespace cw
