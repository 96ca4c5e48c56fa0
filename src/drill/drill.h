// Drills: the yearly plan, drills under way, their scores and how they were evaluated. A drill is a
// case of the real plan on the live engine in `mode: drill`; who does not take part hears nothing
// of it. Every step is an entry `drill.…` (docs/formats/drill.md); the state is whatever the
// entries say.
//
//   Drills drills({identity, sealed, notify, clock, random}, folder);   // also the engine's
//   Outbound Engine engine({…, .outbound = drills, …});  drills.use(engine); auto planned =
//   journal.run({}, drills.plan({.scenario = "customer-leak", .org = org, …})); auto begun =
//   drills.begin(me, id);  journal.run({}, *begun); drills.run_due(journal);            // injects
//   and ends, as often as clocks fire
//
// Thread-safety: the functions that return a Decide and run_due are safe from any thread (run_due
// by one at a time); reading happens inside journal.read(…).
#pragma once

#include <set>

#include "base/clock.h"
#include "base/random.h"
#include "drill/scenario.h"
#include "procedure/engine.h"
#include "sealed/sealed.h"

namespace cw {

enum class DrillPhase : std::uint8_t { planned, running, ended, cancelled };
const char* name_of(DrillPhase phase);

// What an evaluator or the director saw.
struct DrillObservation {
  std::string by;
  std::int64_t at_ms = 0;
  std::string about;   // "" = the whole; an expected act "state.name"; a told "inject:N"
  std::string rating;  // "good", "adequate", "poor"
  std::string text;    // sealed under the drill's id
};

// What the director concluded. Nothing is added to the drill after it.
struct DrillConclusion {
  std::string by;
  std::int64_t at_ms = 0;
  std::string grade;    // "excellent", "good", "pass", "fail"
  bool revise = false;  // the plan must be revised
  std::string text;     // sealed under the drill's id
};

struct Drill {
  std::string id, org, scenario, director;
  int version = 0;  // of the scenario it ran on; 0 before it began
  DrillPhase phase = DrillPhase::planned;
  std::int64_t on_ms = 0, began_ms = 0, ended_ms = 0;
  std::int64_t first_on_ms = 0;         // as it was planned at first; on_ms when it never moved
  std::string reason;                   // sealed: why it was moved or cancelled last; "" = neither
  std::vector<std::string> invited;     // who takes part beside the scenario's posts and teams
  std::vector<std::string> evaluators;  // who watch it and take no part
  std::string case_id;
  std::vector<std::string> people;  // who takes part
  std::size_t injected = 0;         // how many injects were told
  std::string why;                  // ended: "closed", "time", "director"
  DrillScore score;
  std::vector<DrillObservation> observations;
  std::optional<DrillConclusion> conclusion;
  // A missed line, "observation:N" or "revise" → corrective action's case.
  std::map<std::string, std::string> findings;
  std::uint64_t seq = 0;                          // of its last entry
  bool evaluates(std::string_view person) const;  // an evaluator, or the director
};

struct PlanDrill {
  std::string scenario, org, actor;
  std::string director;  // "" = the actor; owns the corrective actions
  std::int64_t on_ms = 0;
  std::vector<std::string> invited;     // people beside those that the scenario names, at most 50
  std::vector<std::string> evaluators;  // at most 10; neither invited nor the director
};

struct ObserveDrill {
  std::string actor, id, about, rating;  // as of a DrillObservation
  std::string text;                      // 1–2,000 characters
};

struct ConcludeDrill {
  std::string actor, id, grade;  // as of a DrillConclusion
  std::string text;              // 1–2,000 characters
  bool revise = false;
};

struct DrillParts {
  Directory& directory;
  Sealed& sealed;
  Outbound& outbound;  // where what participants may see goes
  Clock& clock;
  Random& random;
};

class Drills final : public State, public Outbound {
 public:
  Drills(DrillParts parts, DrillFolder folder);
  void use(Engine& engine) { engine_ = &engine; }  // before the first command
  const DrillFolder& folder() const { return folder_; }

  // Answers have `drill`. Refusals: drill.unknown, drill.scenario, drill.phase, drill.nobody,
  // drill.date, drill.person, drill.evaluator, drill.reason (1–1,000 characters, sealed under the
  // drill's own key).
  Result<Decide> plan(PlanDrill request);
  Result<Decide> move(std::string actor, std::string id, std::int64_t on_ms, std::string reason);
  Result<Decide> cancel(std::string actor, std::string id, std::string reason);
  // Called inside journal.read(…). The answer has also `case` and `number`.
  Result<Decide> begin(std::string actor, std::string id);
  // Scores it and calls open_findings; ending again does only that.
  Status end(Journal& journal, const std::string& actor, const std::string& id,
             const std::string& why = "director");
  // While it runs or once it ended, until it is concluded; by an evaluator or the director, at most
  // 200. Refusals: drill.evaluates, drill.archived, drill.about, drill.rating, drill.text,
  // drill.observations.
  Result<Decide> observe(ObserveDrill request);
  // Once, when it ended, by the director. Refusals: drill.concludes, drill.archived, drill.grade,
  // drill.text. open_findings follows.
  Result<Decide> conclude(ConcludeDrill request);
  // Opens the corrective actions that are still lacking: one for every line missed, and once it is
  // concluded one for every poor observation and one to revise the plan.
  Status open_findings(Journal& journal, const std::string& actor, const std::string& id);
  // Tells the injects that are due; ends what is over. How many of both.
  std::size_t run_due(Journal& journal);

  // ---- reading
  const Drill* find(std::string_view id) const;
  const Drill* of_case(std::string_view case_id) const;  // also of cases that its case opened
  std::vector<const Drill*> all() const;                 // by date
  // Who now holds what a scenario names ("post:…", "team:…", "queue:…").
  std::vector<std::string> held_by(const std::string& what, const std::string& org) const;

  // ---- Outbound: a drill's notices reach its participants; nothing leaves for anybody else.
  void notify(Draft& draft, const Notice& notice) override;
  void send(Draft& draft, const Sending& sending) override;

  // ---- State
  std::string_view prefix() const override { return "drill"; }
  void apply(const Entry& entry) override;
  int version() const override { return 4; }
  std::optional<std::string> save_slice(std::size_t i) const override;
  void load_slice(std::string_view bytes) override;

 private:
  using Body = std::function<Status(Draft&, const Drill&)>;
  static Problem unknown();
  static Entry entry_of(const std::string& actor, const char* kind, const std::string& id);
  Decide on(std::string id, std::vector<DrillPhase> phases, Body body) const;
  std::vector<std::string> people_of(const DrillScenario& s, const Drill& d) const;
  bool inject(Journal& journal, const std::string& id);
  // The same to participants and evaluators; nothing when the drill is over or nobody is left.
  template <typename Telling>
  std::optional<Telling> for_participants(const Telling& telling) const;
  // Whom of them a drill's message may reach; nothing when the drill is over or nobody is left.
  std::optional<std::vector<std::string>> reach(const std::string& case_id,
                                                const std::vector<std::string>& people) const;

  DrillParts p_;
  DrillFolder folder_;
  Engine* engine_ = nullptr;
  std::map<std::string, Drill, std::less<>> drills_;
  std::map<std::string, std::string, std::less<>> cases_;  // case → drill
  const Drill* beginning_ = nullptr;                       // writer thread, while a case starts
};

// What is told of a drill, for reading and for paper.
struct DrillReport {
  Drill drill;
  std::shared_ptr<const DrillScenario> scenario;  // null when it is no longer there
  Text plan_title;
  std::string number;
  std::vector<RealLine> real;
  std::map<std::string, std::string> names;  // person → name, as far as the reader may know
  std::map<std::string, Text> roles;         // "team:technical" → its title
  std::vector<std::string> observed;         // the observations' texts; "" = erased
  std::string concluded;                     // the conclusion's
};
// What an observation is about, for people: the act's title, the inject's number, the whole.
Text about_title(const DrillScenario* scenario, std::string_view about);
std::string to_markdown(const DrillReport& report, std::string_view lang);
// A page of A4 that links the style sheet at `style`.
std::string to_html(const DrillReport& report, std::string_view lang, std::string_view style);

}  // namespace cw
