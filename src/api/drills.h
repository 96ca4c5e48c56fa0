// Wire types of drills: scenarios, the yearly plan, drills under way, scores, evaluations,
// coverage; and what reading and writing them share.
#pragma once

#include "common.h"
#include "drill/drill.h"

namespace cw::api {

struct DrillLineOut {
  std::string id, kind;
  Text title;
  std::int64_t limit_ms = 0;
  std::optional<std::int64_t> took_ms;
  bool met = false;
  std::int64_t real_met = 0, real_of = 0;
  std::optional<std::int64_t> real_median_ms;
  std::optional<CaseRef> finding;
  std::optional<Text> finding_state;
  bool finding_closed = false;
};
BOOST_DESCRIBE_STRUCT(DrillLineOut, (),
                      (id, kind, title, limit_ms, took_ms, met, real_met, real_of, real_median_ms,
                       finding, finding_state, finding_closed))

// A post, team or queue that takes part, and who holds it now; "people": who was invited beside.
struct DrillRoleOut {
  std::string what;
  Text title;
  std::vector<PersonRef> people;
};
BOOST_DESCRIBE_STRUCT(DrillRoleOut, (), (what, title, people))

struct DrillInjectOut {
  std::int64_t n = 0, at_ms = 0;
  bool told = false;
  Text text;
  std::vector<std::string> to;
  json::object facts;
  std::string signal;
};
BOOST_DESCRIBE_STRUCT(DrillInjectOut, (), (n, at_ms, told, text, to, facts, signal))

struct DrillActOut {
  std::string act;
  Text title;
  std::int64_t within_ms = 0, after = 0;
};
BOOST_DESCRIBE_STRUCT(DrillActOut, (), (act, title, within_ms, after))

// What an evaluator or the director saw; `text` is empty once it was destroyed.
struct DrillObservationOut {
  std::int64_t n = 0, at_ms = 0;
  PersonRef by;
  std::string about;  // "" = the whole, "state.name", "inject:N"
  Text about_title;
  std::string rating;  // good, adequate, poor
  std::string text;
  std::optional<CaseRef> finding;
  std::optional<Text> finding_state;
  bool finding_closed = false;
};
BOOST_DESCRIBE_STRUCT(DrillObservationOut, (),
                      (n, at_ms, by, about, about_title, rating, text, finding, finding_state,
                       finding_closed))

struct DrillConclusionOut {
  std::int64_t at_ms = 0;
  PersonRef by;
  std::string grade;  // excellent, good, pass, fail
  std::string text;
  bool revise = false;  // the plan must be revised
  std::optional<CaseRef> finding;
  std::optional<Text> finding_state;
  bool finding_closed = false;
};
BOOST_DESCRIBE_STRUCT(DrillConclusionOut, (),
                      (at_ms, by, grade, text, revise, finding, finding_state, finding_closed))

struct DrillOut {
  std::string id, scenario, phase;
  Text title, goal, plan_title;
  std::string plan;
  OrgRef org;
  PersonRef director;
  std::int64_t on_at = 0;
  std::optional<std::int64_t> moved_from, began_at, ended_at, ends_at, percent;
  std::optional<std::string> reason;  // why it was moved or cancelled last
  std::optional<CaseRef> case_ref;
  std::string why;
  std::int64_t compress = 1, ends_ms = 0, findings = 0, findings_open = 0;
  std::int64_t expected = 0, unjudged = 0;  // ended: expected acts, and how many were not judged
  std::vector<DrillRoleOut> participants;
  std::vector<PersonRef> people, evaluators;
  std::vector<DrillLineOut> lines;
  std::vector<DrillInjectOut> injects;
  std::int64_t injects_total = 0;
  std::vector<DrillActOut> expect;  // for who prepares or evaluates it; for all once it ended
  std::vector<DrillObservationOut> observations;  // likewise
  std::optional<DrillConclusionOut> conclusion;
};
BOOST_DESCRIBE_STRUCT(DrillOut, (),
                      (id, scenario, phase, title, goal, plan_title, plan, org, director, on_at,
                       moved_from, began_at, ended_at, ends_at, percent, reason, case_ref, why,
                       compress, ends_ms, findings, findings_open, expected, unjudged, participants,
                       people, evaluators, lines, injects, injects_total, expect, observations,
                       conclusion))

struct DrillScenarioOut {
  std::string id;
  std::int64_t version = 0;
  Text title, goal, plan_title;
  std::string plan;
  std::vector<DrillRoleOut> participants;
  std::int64_t compress = 1, ends_ms = 0;
  std::vector<DrillInjectOut> injects;
  std::vector<DrillActOut> expect;
};
BOOST_DESCRIBE_STRUCT(DrillScenarioOut, (),
                      (id, version, title, goal, plan_title, plan, participants, compress, ends_ms,
                       injects, expect))

// How a plan stands in a year: GB/T 35273-2020 10.1 asks for a drill at least once a year. One with
// expected acts that were not judged was broken off and does not count as drilled.
struct DrillCoverageOut {
  std::string plan, state;  // drilled, running, planned, broken-off, unplanned, no-scenario
  Text title;
  std::int64_t version = 0, ended = 0;  // ended: drills with every expected act judged
  std::vector<std::string> scenarios;
  std::optional<std::int64_t> last_at, percent, next_at;
  std::optional<std::string> last, next;  // drills
};
BOOST_DESCRIBE_STRUCT(DrillCoverageOut, (),
                      (plan, state, title, version, ended, scenarios, last_at, percent, next_at,
                       last, next))

struct PlanIn {
  std::string scenario;
  std::int64_t on_at = 0;
  std::optional<std::string> org, director;
  std::optional<std::vector<std::string>> people, evaluators;
};
BOOST_DESCRIBE_STRUCT(PlanIn, (), (scenario, on_at, org, director, people, evaluators))
struct MoveDrillIn {
  std::int64_t on_at = 0;
  std::string reason;
};
BOOST_DESCRIBE_STRUCT(MoveDrillIn, (), (on_at, reason))
struct CancelDrillIn {
  std::string reason;
};
BOOST_DESCRIBE_STRUCT(CancelDrillIn, (), (reason))
struct ObserveDrillIn {
  std::optional<std::string> about;
  std::string rating, text;
};
BOOST_DESCRIBE_STRUCT(ObserveDrillIn, (), (about, rating, text))
struct ConcludeDrillIn {
  std::string grade, text;
  bool revise = false;
};
BOOST_DESCRIBE_STRUCT(ConcludeDrillIn, (), (grade, text, revise))
struct DrillWritten {
  std::int64_t seq = 0;
  std::string id;
  std::optional<CaseRef> case_ref;
};
BOOST_DESCRIBE_STRUCT(DrillWritten, (), (seq, id, case_ref))

Drills& drill_desk(Call& call);
// The drill of the path, where the caller has the permission; one elsewhere is as absent as one
// that never was.
Result<Drill> drill_for(Call& call, Permission permission);
// The drill of the path, for GET and for what answers with it.
Result<DrillOut> one_drill(Call& call);
void add_drill_acts(Table& t);

}  // namespace cw::api
