// The engine's memory: cases packed for a million of them, names as numbers. Values only; changed
// on the writer thread, read under the journal's shared lock.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "cases.h"
#include "timers.h"

namespace cw {

using Name = std::uint32_t;  // an interned text; 0 is ""
using Slot = std::uint32_t;  // a case's place, in the order of their start
inline constexpr Slot no_slot = UINT32_MAX;

class Names {
 public:
  Names() { add(""); }
  Name add(std::string_view text) {
    if (auto it = index_.find(text); it != index_.end()) return it->second;
    texts_.emplace_back(text);
    auto name = static_cast<Name>(texts_.size() - 1);
    index_.emplace(texts_.back(), name);
    return name;
  }
  std::optional<Name> find(std::string_view text) const {
    auto it = index_.find(text);
    return it == index_.end() ? std::nullopt : std::optional(it->second);
  }
  const std::string& text(Name name) const { return texts_[name]; }
  std::size_t bytes() const { return texts_.size() * 140; }  // string, its heap, and the map's node

 private:
  std::deque<std::string> texts_;
  std::unordered_map<std::string_view, Name> index_;
};

// "cas_…" in 16 bytes.
struct CaseKey {
  std::uint64_t high = 0, low = 0;
  bool operator==(const CaseKey&) const = default;
};
std::optional<CaseKey> case_key(std::string_view id);
std::string case_id(CaseKey key);

struct FactMark {  // who set a fact
  std::uint64_t seq = 0;
  std::int64_t at_ms = 0;
  Name actor = 0;
};

enum class Why : std::uint8_t { none, condition, state, closed };  // a task was withdrawn

struct TaskState {
  std::int64_t opened_ms = 0;
  std::int64_t due_ms = never_ms;
  std::int64_t done_ms = 0;
  std::uint64_t seq = 0;  // of the entry that made it so
  Name assignee = 0, doer = 0;
  std::uint32_t generation = 0;
  std::uint16_t task = 0;  // index in the definition
  std::uint16_t evidence = 0;
  TaskPhase phase = TaskPhase::open;
  Why why = Why::none;
  bool late = false, required = false;  // required: by an effect, whatever `when` says

  bool pending() const { return phase == TaskPhase::open || phase == TaskPhase::asked; }
  std::int64_t timer() const { return pending() && !late ? due_ms : never_ms; }
  // What an entry says of it; seq and generation follow from the entries.
  bool same(const TaskState& o) const {
    return opened_ms == o.opened_ms && due_ms == o.due_ms && done_ms == o.done_ms &&
           assignee == o.assignee && doer == o.doer && task == o.task && evidence == o.evidence &&
           phase == o.phase && why == o.why && late == o.late && required == o.required;
  }
};

struct ClockState {
  std::int64_t since_ms = 0;         // counting since; an anchored clock's start
  std::int64_t used_ms = 0;          // before `since`, in open time
  std::int64_t used_natural_ms = 0;  // the same around the clock: a changed limit may count either
  std::int64_t budget_ms = 0;
  std::int64_t due_ms = never_ms;   // when all of it is used
  std::int64_t next_ms = never_ms;  // when the next step is due
  std::int64_t stopped_ms = 0;
  std::uint32_t generation = 0;
  std::uint8_t clock = 0;  // index in the definition
  std::uint8_t step = 0;   // the next of Installed::steps
  ClockPhase phase = ClockPhase::counting;
  bool natural = false;  // the budget is around the clock

  std::int64_t used() const { return natural ? used_natural_ms : used_ms; }
  bool same(const ClockState& o) const {
    return since_ms == o.since_ms && used_ms == o.used_ms && used_natural_ms == o.used_natural_ms &&
           budget_ms == o.budget_ms && due_ms == o.due_ms && next_ms == o.next_ms &&
           stopped_ms == o.stopped_ms && clock == o.clock && step == o.step && phase == o.phase &&
           natural == o.natural;
  }
};

struct Acted {
  Name person;
  std::uint16_t role;
  bool operator==(const Acted&) const = default;
};

struct Asked {  // an approval that waits
  std::uint32_t id = 0;
  bool task = false;
  std::uint16_t index = 0;  // of the task or action
  Name asker = 0;
  std::uint64_t seq = 0;  // follows from the entry
  std::int64_t at_ms = 0;
  std::string content;
  std::uint16_t evidence = 0;
  int to = -1;                                         // a correction: the state to move to
  std::vector<std::pair<std::uint16_t, Value>> facts;  // what it will set
  std::vector<Name> granted;
  std::vector<Name> stood;  // asker and granters, and for whom they acted: none answers (again)
  bool same(const Asked& o) const { return id == o.id && granted == o.granted; }
};

struct Child {
  std::uint16_t as = 0;
  CaseKey key;
};
struct Link {
  Name kind = 0, to = 0;
  bool operator==(const Link&) const = default;
};
struct Delegation {
  Name from = 0, to = 0;
  std::int64_t until_ms = 0;
  bool operator==(const Delegation&) const = default;
};
struct LatestForm {  // of a form that an `each` reads
  std::uint16_t form = 0;
  std::string content;
  bool operator==(const LatestForm&) const = default;
};

struct Admitted {  // to a restricted case
  Name person = 0;
  std::int64_t since_ms = 0;
  bool operator==(const Admitted&) const = default;
};

struct Rare {                   // what few cases have
  std::uint32_t approvals = 0;  // how many were asked: the last one's id
  std::vector<Asked> asked;
  std::vector<Child> children;
  std::vector<Link> links;
  std::vector<Delegation> delegations;
  std::vector<Name> watchers;
  std::vector<Admitted> readers;  // let in by name
  std::vector<Admitted> seated;   // stood in a role that reads when it began to read
  std::vector<LatestForm> forms;
};

struct Case {
  CaseKey key;
  Slot parent = no_slot;
  Name org = 0, starter = 0, subject = 0, commander = 0, series = 0;
  std::uint32_t number = 0;
  std::uint32_t entries = 0;  // how many states were entered
  std::uint16_t definition = 0, state = 0, compress = 1;
  std::uint8_t level = 0, raised = 0, held = 0;
  bool drill = false, closed = false;
  std::int64_t opened_ms = 0, entered_ms = 0, closed_ms = 0;
  std::uint64_t first_seq = 0, last_seq = 0;
  std::uint64_t flags = 0;         // by index in the definition
  std::uint64_t taken = 0;         // actions taken since the state was entered, by place in it
  std::vector<Value> facts;        // by index in the definition
  std::vector<FactMark> marks;     // as many
  std::vector<TaskState> tasks;    // those that were ever open
  std::vector<ClockState> clocks;  // those that ever existed
  std::vector<Acted> acted;
  std::unique_ptr<Rare> rare;

  Case() = default;
  Case(Case&&) = default;
  Case& operator=(Case&&) = default;
  Case(const Case& o) { *this = o; }
  Case& operator=(const Case& o);

  Rare& extra() {
    if (!rare) rare = std::make_unique<Rare>();
    return *rare;
  }
  TaskState* task(int index);
  ClockState* clock(int index);
  // A new one at its place: tasks and clocks lie in the definition's order, however they came.
  TaskState& add_task(int index);
  ClockState& add_clock(int index);
  const TaskState* task(int index) const { return const_cast<Case*>(this)->task(index); }
  const ClockState* clock(int index) const { return const_cast<Case*>(this)->clock(index); }
  std::int64_t next_ms() const;  // its earliest timer
  std::size_t bytes() const;
};

// From a case's id to its slot: open addressing, 8 bytes a place: the slot, and 32 bits of the key
// so that only the right case is looked at.
class CaseIndex {
 public:
  Slot find(CaseKey key, const std::deque<Case>& cases) const;
  void add(Slot slot, const std::deque<Case>& cases);
  std::size_t bytes() const { return places_.capacity() * sizeof(Place); }

 private:
  struct Place {
    Slot slot = no_slot;
    std::uint32_t tag = 0;
  };
  static std::uint64_t hash(CaseKey key) {
    std::uint64_t h = (key.low ^ key.high * 0x9E3779B97F4A7C15ull) * 0xBF58476D1CE4E5B9ull;
    return h ^ h >> 32;
  }
  static std::uint32_t tag_of(std::uint64_t hash) { return static_cast<std::uint32_t>(hash >> 32); }
  void put(Place place, std::uint64_t hash);
  std::vector<Place> places_;  // a power of two
  std::size_t count_ = 0;
};

// A definition that cases run on, with what the engine derives from it once.
struct ClockStep {
  int percent = 100;
  int mark = -1;  // index in ClockDef::marks; -1 = the clock expires (`upon`)
};

struct Installed {
  std::shared_ptr<const Definition> definition;
  std::shared_ptr<const Calendar> calendar;
  std::string name;                                              // "plan.customer-leak@3"
  std::string digest;                                            // of its text and its forms' texts
  std::vector<std::vector<ClockStep>> steps;                     // per clock
  std::vector<std::shared_ptr<const Calendar>> task_calendars;   // per task
  std::vector<std::shared_ptr<const Calendar>> clock_calendars;  // per clock
  std::vector<bool> each_form;                                   // per form: some `each` reads it
  std::vector<std::vector<int>> automatic;                       // per state: actions
};

}  // namespace cw
