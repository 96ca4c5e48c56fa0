// Drills: the yearly plan, drills under way and their scores. A drill is a case of the real plan on
// the live engine in `mode: drill`; who does not take part hears nothing of it. Every step is an
// entry `drill.…` (docs/formats/drill.md); the state is whatever the entries say.
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

struct Drill {
  std::string id, org, scenario, director;
  int version = 0;  // of the scenario it ran on; 0 before it began
  DrillPhase phase = DrillPhase::planned;
  std::int64_t on_ms = 0, began_ms = 0, ended_ms = 0;
  std::int64_t first_on_ms = 0;      // as it was planned at first; on_ms when it never moved
  std::string reason;                // sealed: why it was moved or cancelled last; "" = neither
  std::vector<std::string> invited;  // who takes part beside the scenario's posts and teams
  std::string case_id;
  std::vector<std::string> people;  // who takes part
  std::size_t injected = 0;         // how many injects were told
  std::string why;                  // ended: "closed", "time", "director"
  DrillScore score;
  std::map<std::string, std::string> findings;  // line → corrective action's case
  std::uint64_t seq = 0;                        // of its last entry
};

struct PlanDrill {
  std::string scenario, org, actor;
  std::string director;  // "" = the actor; owns the corrective actions
  std::int64_t on_ms = 0;
  std::vector<std::string> invited;  // people beside those that the scenario names, at most 50
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
  // drill.date, drill.person, drill.reason (1–1,000 characters, sealed under the drill's own key).
  Result<Decide> plan(PlanDrill request);
  Result<Decide> move(std::string actor, std::string id, std::int64_t on_ms, std::string reason);
  Result<Decide> cancel(std::string actor, std::string id, std::string reason);
  // Called inside journal.read(…). The answer has also `case` and `number`.
  Result<Decide> begin(std::string actor, std::string id);
  // Scores it and opens a corrective action for every limit that was missed. Ending again opens
  // only those that are still lacking.
  Status end(Journal& journal, const std::string& actor, const std::string& id,
             const std::string& why = "director");
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
  int version() const override { return 3; }
  std::optional<std::string> save_slice(std::size_t i) const override;
  void load_slice(std::string_view bytes) override;

 private:
  using Body = std::function<Status(Draft&, const Drill&)>;
  Decide on(std::string id, std::vector<DrillPhase> phases, Body body) const;
  std::vector<std::string> people_of(const DrillScenario& s, const Drill& d) const;
  bool inject(Journal& journal, const std::string& id);
  Status open_findings(Journal& journal, const std::string& actor, const std::string& id);
  // The same to participants alone; nothing when the drill is over or nobody is left.
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
  const std::vector<std::string>* beginning_ = nullptr;    // writer thread, while a case starts
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
};
std::string to_markdown(const DrillReport& report, std::string_view lang);
// A page of A4 that links the style sheet at `style`.
std::string to_html(const DrillReport& report, std::string_view lang, std::string_view style);

}  // namespace cw
