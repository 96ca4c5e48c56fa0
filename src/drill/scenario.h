// A drill's scenario (docs/formats/drill.md) and its score. A scenario says which plan is started
// with what, who takes part, what is told to them when, and what they are expected to do. The score
// sets every limit of the plan and every expected act against what happened; it is a pure function
// of the record, so the same scenario with the same acts scores the same. Thread-safe.
//
//   DrillFolder drills = DrillFolder::load(content, library, mistakes);
//   auto scenario = drills.find("customer-leak");
//   DrillScore s = score(*scenario, *plan, view, entries, {began_ms, ended_ms, injected, closed});
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "journal/journal.h"
#include "language/definition.h"
#include "procedure/cases.h"

namespace cw {

struct DrillInject {
  std::int64_t at_ms = 0;       // after the drill began
  Text text;                    // what the participants are told
  std::vector<std::string> to;  // "post:duty-officer", "team:technical", "queue:…"
  json::object facts;           // what is now true, for the forms that they fill
  std::string signal;           // a line as a machine would write it, shown word for word
};

struct DrillAct {
  std::string state, name;  // a task or an action of the plan
  Text title;
  std::int64_t within_ms = 0;
  int after = 0;  // the inject it answers, from 1; 0 = the beginning
};

struct DrillScenario {
  std::string id;
  int version = 0;
  Text title, goal;
  std::string plan;
  json::object form;  // "@-5m" in a time field: five minutes before the beginning
  std::vector<std::string> participants;
  int compress = 1;                  // `wait` clocks run so many times faster
  std::int64_t ends_ms = 0;          // at the latest, after the beginning
  std::vector<DrillInject> injects;  // by time
  std::vector<DrillAct> expected;
  std::string source;
};

// Reads and checks a scenario against the library's plan. Null when there was a mistake.
std::shared_ptr<const DrillScenario> read_drill(std::string_view text, const std::string& file,
                                                const Library& library,
                                                std::vector<Mistake>& mistakes);
// The start form's contents at a moment.
json::object form_at(const DrillScenario& scenario, const Form& form, std::int64_t now_ms);

class DrillFolder {
 public:
  // content/drills/*.yaml; a missing folder is an empty one.
  static DrillFolder load(const std::filesystem::path& content, const Library& library,
                          std::vector<Mistake>& mistakes);
  void add(std::shared_ptr<const DrillScenario> scenario) {
    scenarios_[scenario->id] = std::move(scenario);
  }
  std::shared_ptr<const DrillScenario> find(std::string_view id) const;  // null when unknown
  const std::map<std::string, std::shared_ptr<const DrillScenario>, std::less<>>& all() const {
    return scenarios_;
  }

 private:
  std::map<std::string, std::shared_ptr<const DrillScenario>, std::less<>> scenarios_;
};

// What the scenarios whose plan differs between the two libraries lack in the second: each mistake
// at its place in "drills/ID.yaml".
std::vector<Mistake> broken_drills(const DrillFolder& folder, const Library& now,
                                   const Library& next);

struct DrillLine {
  enum class Kind { clock, task, act };
  Kind kind = Kind::act;
  std::string id;  // clock; "state.task"; "state.act#2" (the inject it answers)
  Text title;
  std::int64_t limit_ms = 0;
  std::int64_t took_ms = -1;  // -1 = never done
  bool met = false;
  bool operator==(const DrillLine&) const = default;
};

struct DrillScore {
  // Of the lines, how many were met, rounded down; nothing where no expected act was judged.
  std::optional<int> percent;
  int unjudged = 0;  // expected acts that the drill gave no occasion to judge
  std::vector<DrillLine> lines;
  int expected() const;  // acts: judged and unjudged
  bool operator==(const DrillScore&) const = default;
};

// How a drill ended.
struct DrillEnd {
  std::int64_t began_ms = 0, ended_ms = 0;
  std::size_t injected = 0;  // how many injects were told
  bool closed = false;       // because its case closed: nothing can be done any more
};

// `view`: the drill's case when it ended; `entries`: that case's, in order. A limit that was not
// due by the end does not count. An expected act that was not done is missed when its time was over
// or the case closed, and not judged when its inject was never told or the drill was ended before.
// Clocks marked `wait` are compressed and measure nothing.
DrillScore score(const DrillScenario& scenario, const Definition& plan, const CaseView& view,
                 const std::vector<Entry>& entries, const DrillEnd& end);

// The same limits in closed real incidents of the plan.
struct RealLine {
  std::string id;
  std::int64_t met = 0, of = 0, median_ms = -1;
};
std::vector<RealLine> real_lines(const Definition& plan, const std::vector<CaseView>& incidents);

// `percent`, `unjudged` and the lines without their titles, as entries hold them, and back; and the
// titles, as the plan and nothing else gives them.
json::object score_json(const DrillScore& score);
DrillScore score_of(const json::object& body);
void entitle(DrillScore& score, const Definition& plan);

}  // namespace cw
