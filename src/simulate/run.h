// One run: a case of the procedure from its start to its end, with the engine in memory and people
// who take work, earliest due first, and do one thing at a time. One thread.
#pragma once

#include <map>
#include <set>

#include "base/clock.h"
#include "procedure/cases.h"
#include "procedure/engine.h"
#include "simulate/simulate.h"

namespace cw {

// What all runs share.
struct Stage {
  Library library;  // the definition and what it opens
  std::shared_ptr<const Definition> definition;
  Staffing roster;
  Pace pace;
  Sealed& sealed;
  Database& contents;  // where sealed contents go when a later `each` reads them
  bool keep_contents = false;
  std::string path;
  std::uint64_t seed = 1;
  std::map<std::string, int> taken;  // "procedure/state.action": how often, in all runs so far
  std::map<const Definition*, std::vector<int>> distance;  // per state: steps to a final one
};

// best: everyone is free for everything and every step takes its least time. explore: people do
// what was done least often so far. sample: as the pace says.
enum class RunKind { best, explore, sample };

struct PostTally {
  std::int64_t items = 0, waited = 0, late_by_wait = 0, busy_ms = 0;
  std::vector<std::int64_t> waits_ms;
};

struct LimitOutcome {
  bool met = true;
  int used = 0;  // percent of the limit; below 100 exactly when it was met
};

struct Outcome {
  enum class End { closed, stuck, unfinished };
  End end = End::closed;
  std::string final_state;                     // closed
  std::int64_t duration_ms = 0;                // closed
  std::int64_t active_ms = 0;                  // somebody worked on it
  std::set<std::string> states;                // of the main case, ever entered
  std::map<std::string, LimitOutcome> limits;  // by clock, or "state.task"
  std::map<std::string, std::string> facts;    // the main case's enumerations at the end
  std::map<std::string, PostTally> posts;
  std::map<std::string, Text> unanswered;  // "state.step" whose question nobody could answer
  std::string stuck_procedure, stuck_state;
  Text stuck_title, why;
};

// Draws and appends into the engine: what a journal does, without keeping anything.
class MemoryDraft final : public Draft {
 public:
  MemoryDraft(Stage& stage, Clock& clock, Random& random)
      : stage_(stage), clock_(clock), random_(random) {}
  std::int64_t now_ms() const override { return clock_.now_ms(); }
  Random& random() override { return random_; }
  const std::string& command() const override { return command_; }
  json::storage_ptr memory() override { return &*memory_; }
  void begin() { memory_.emplace(buffer_, sizeof buffer_); }  // another command
  std::uint64_t append(Entry entry) override;
  void row(std::function<void(Database&)> write, std::size_t bytes) override;

  Engine* engine = nullptr;
  std::function<void(const Entry&)> seen;

 private:
  Stage& stage_;
  Clock& clock_;
  Random& random_;
  std::string command_;
  std::uint64_t seq_ = 0;
  unsigned char buffer_[4096];
  std::optional<json::monotonic_resource> memory_;
};

class NoOutbound final : public Outbound {
 public:
  void notify(Draft&, const Notice&) override {}
  void send(Draft&, const Sending&) override {}
};

class Run {
 public:
  Run(Stage& stage, RunKind kind, std::size_t number);
  Outcome go();

 private:
  struct Item {  // something a person can do
    enum class Kind { command, approval, task, act };
    Kind kind = Kind::task;
    std::string case_id, key, name, label;
    std::shared_ptr<const Definition> definition;
    int index = -1;  // of the task or action
    std::uint32_t approval = 0;
    std::int64_t due_ms = 0;  // 0 = none
  };
  struct Working {
    Item item;
    std::string person;
    std::int64_t waited_ms = 0;
  };
  struct Pick {
    std::string person, label;  // "" = nobody is free
    bool able = false;          // somebody may, but is busy
  };
  struct Reading {
    std::uint64_t seq = 0;
    CaseView view;
  };

  // run.cpp
  bool start(Outcome& out);
  void see(const Entry& entry);
  Result<json::object> command(Result<Decide> decide);
  void complete(const Working& done);
  Result<json::object> do_task(const Working& w);
  Result<json::object> act(const Working& w);
  json::object fill(const Definition& d, int form, int attempt);
  std::string refusal(const Item& item, const std::string& person) const;
  void learn(const json::object& form);
  void look_for_answer(const Working& asked, std::uint32_t approval);
  void finish(Outcome& out);
  void stuck(Outcome& out);
  Text why_not(Item item, const CaseView& v);
  std::string wanted_value(std::size_t fact);

  // work.cpp
  void assign();
  void find_work(const std::string& case_id, std::vector<Item>& items);
  void decide(const std::string& case_id);
  std::optional<Item> choose(const CaseView& v, const std::shared_ptr<const Definition>& d);
  int weight(const CaseView& v, const Definition& d, const std::string& option, int to) const;
  static bool interrupts(const Item& item) {
    return item.kind == Item::Kind::approval || item.kind == Item::Kind::command;
  }
  Pick pick(const Item& item, const CaseView& v);
  std::vector<std::pair<std::string, std::string>> candidates(const Item& item, const CaseView& v);
  bool may(const Item& item, const std::string& person);
  void begin(Item item, const Pick& pick, std::int64_t waited_ms);
  struct Length {
    Spread spread;
    bool natural = false;  // around the clock, not in the calendar's open time
  };
  Length time_of(const Item& item, const CaseView& v) const;
  std::int64_t due_of(const CaseView& v, const Definition& d, const TaskView& t) const;
  const Calendar& calendar_of(const Item& item) const;
  std::shared_ptr<const Definition> definition_of(const CaseView& v) const {
    return stage_.library.procedure(v.procedure);
  }
  const CaseView& view(const std::string& case_id, const std::string& viewer);

  Stage& stage_;
  const RunKind kind_;
  const std::size_t number_;
  SeededRandom random_;
  ManualClock clock_;
  NoOutbound outbound_;
  MemoryDraft draft_;
  Engine engine_;

  std::vector<std::string> cases_;                // [0] is the main one
  std::vector<std::string> open_;                 // those that are not closed
  json::object wanted_;                           // what is true in this run: fact → value
  std::map<std::string, std::int64_t> busy_;      // person → until
  std::multimap<std::int64_t, Working> working_;  // by when it is done
  std::set<std::string> under_way_, refused_;     // keys
  std::map<std::string, std::int64_t> waiting_;   // key → since
  std::map<std::string, std::string> decided_;    // case → action chosen, waiting for a person
  std::map<std::string, std::int64_t> patient_;   // case → the stay in which people wait
  std::map<std::string, int> used_;               // option → how often in this run
  std::map<std::string, int> filled_;             // form → how often in this run
  std::map<std::string, Text> unanswered_;
  std::map<std::pair<std::string, std::string>, Reading> readings_;
  std::set<std::string> states_, missed_;
  std::map<std::string, PostTally> posts_;
  std::string last_state_;
  Text last_refusal_{"没有人去做", "nobody does it"};
  bool hurried_ = false;  // waiting led nowhere: somebody must act
};

}  // namespace cw
