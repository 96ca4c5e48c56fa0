#include "drills.h"

// Drills written: planned, moved, cancelled, begun, ended, observed, concluded.
namespace cw::api {
namespace {

Result<DrillWritten> drill_did(Call& call, Result<Decide> decide) {
  if (!decide) return std::move(decide).problem();
  auto answer = call.s.journal.run(call.command, std::move(*decide));
  if (!answer) return std::move(answer).problem();
  DrillWritten out{written(*answer).seq, std::string(text_or(answer->body, "drill")), std::nullopt};
  if (std::string id(text_or(answer->body, "case")); !id.empty())
    out.case_ref = CaseRef{id, std::string(text_or(answer->body, "number"))};
  return out;
}

Result<DrillWritten> plan_drill(Call& call, PlanIn& in) {
  const std::string org = in.org.value_or(call.who.org);
  if (auto may = call.may(Permission::procedures_manage, org); !may)
    return std::move(may).problem();
  return drill_did(call, drill_desk(call).plan(
                             {.scenario = in.scenario,
                              .org = org,
                              .actor = call.who.actor,
                              .director = in.director.value_or(""),
                              .on_ms = in.on_at,
                              .invited = in.people.value_or(std::vector<std::string>{}),
                              .evaluators = in.evaluators.value_or(std::vector<std::string>{})}));
}

Result<DrillWritten> move_drill(Call& call, MoveDrillIn& in) {
  if (auto d = drill_for(call, Permission::procedures_manage); !d) return std::move(d).problem();
  return drill_did(call, drill_desk(call).move(call.who.actor, call.id(), in.on_at, in.reason));
}

Result<DrillWritten> cancel_drill(Call& call, CancelDrillIn& in) {
  if (auto d = drill_for(call, Permission::procedures_manage); !d) return std::move(d).problem();
  return drill_did(call, drill_desk(call).cancel(call.who.actor, call.id(), in.reason));
}

Result<DrillWritten> begin_drill(Call& call, Nothing&) {
  if (auto d = drill_for(call, Permission::procedures_manage); !d) return std::move(d).problem();
  return drill_did(
      call, call.s.journal.read([&] { return drill_desk(call).begin(call.who.actor, call.id()); }));
}

Result<DrillOut> end_drill(Call& call, Nothing&) {
  if (auto d = drill_for(call, Permission::procedures_manage); !d) return std::move(d).problem();
  if (auto ended = drill_desk(call).end(call.s.journal, call.who.actor, call.id()); !ended)
    return std::move(ended).problem();
  return one_drill(call);
}

Result<DrillWritten> observe_drill(Call& call, ObserveDrillIn& in) {
  if (auto d = drill_for(call, Permission::case_read); !d) return std::move(d).problem();
  return drill_did(call, drill_desk(call).observe({.actor = call.who.actor,
                                                   .id = call.id(),
                                                   .about = in.about.value_or(""),
                                                   .rating = in.rating,
                                                   .text = in.text}));
}

// Concluding again with the same key opens only the corrective actions that are still lacking.
Result<DrillOut> conclude_drill(Call& call, ConcludeDrillIn& in) {
  if (auto d = drill_for(call, Permission::case_read); !d) return std::move(d).problem();
  Drills& drills = drill_desk(call);
  auto done = drill_did(call, drills.conclude({.actor = call.who.actor,
                                               .id = call.id(),
                                               .grade = in.grade,
                                               .text = in.text,
                                               .revise = in.revise}));
  if (!done) return std::move(done).problem();
  if (Status s = drills.open_findings(call.s.journal, call.who.actor, call.id()); !s)
    return std::move(s).problem();
  return one_drill(call);
}

}  // namespace

void add_drill_acts(Table& t) {
  t.create<PlanIn, DrillWritten>("/drills", {"procedures.manage", "Plan a drill"}, plan_drill);
  t.post<MoveDrillIn, DrillWritten>("/drills/{id}/move",
                                    {"procedures.manage", "Move a planned drill"}, move_drill);
  t.post<CancelDrillIn, DrillWritten>(
      "/drills/{id}/cancel", {"procedures.manage", "Cancel a planned drill"}, cancel_drill);
  t.post<Nothing, DrillWritten>("/drills/{id}/begin",
                                {"procedures.manage", "Begin: its case starts in drill mode"},
                                begin_drill);
  t.post<Nothing, DrillOut>(
      "/drills/{id}/end",
      {"procedures.manage", "End and score; missed limits become corrective actions"}, end_drill);
  t.post<ObserveDrillIn, DrillWritten>(
      "/drills/{id}/observe",
      {"case.read", "Observe a drill that runs or ended; by an evaluator or the director"},
      observe_drill);
  t.post<ConcludeDrillIn, DrillOut>(
      "/drills/{id}/conclude",
      {"case.read",
       "Conclude an ended drill, once, by its director; poor observations and a plan to revise "
       "become corrective actions"},
      conclude_drill);
}

}  // namespace cw::api
