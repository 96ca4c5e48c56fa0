#include "drill/drill.h"

#include "common.h"

// Drills: scenarios, the yearly plan, drills under way, scores and reports.
namespace cw::api {
namespace {

struct DrillLineOut {
  std::string id, kind;
  Text title;
  std::int64_t limit_ms = 0;
  std::optional<std::int64_t> took_ms;
  bool met = false;
  std::int64_t real_met = 0, real_of = 0;
  std::optional<std::int64_t> real_median_ms;
  std::optional<CaseRef> finding;
};
BOOST_DESCRIBE_STRUCT(DrillLineOut, (),
                      (id, kind, title, limit_ms, took_ms, met, real_met, real_of, real_median_ms,
                       finding))

struct DrillInjectOut {
  std::int64_t n = 0, at_ms = 0;
  bool told = false;
  Text text;
  std::vector<std::string> to;
  json::object facts;
  std::string signal;
};
BOOST_DESCRIBE_STRUCT(DrillInjectOut, (), (n, at_ms, told, text, to, facts, signal))

struct DrillOut {
  std::string id, scenario, phase;
  Text title, plan_title;
  std::string plan;
  OrgRef org;
  PersonRef director;
  std::int64_t on_at = 0;
  std::optional<std::int64_t> began_at, ended_at, percent;
  std::optional<CaseRef> case_ref;
  std::string why;
  std::vector<PersonRef> people;
  std::vector<DrillLineOut> lines;
  std::vector<DrillInjectOut> injects;
};
BOOST_DESCRIBE_STRUCT(DrillOut, (),
                      (id, scenario, phase, title, plan_title, plan, org, director, on_at, began_at,
                       ended_at, percent, case_ref, why, people, lines, injects))

struct PlanIn {
  std::string scenario;
  std::int64_t on_at = 0;
  std::optional<std::string> org, director;
};
BOOST_DESCRIBE_STRUCT(PlanIn, (), (scenario, on_at, org, director))
struct MoveDrillIn {
  std::int64_t on_at = 0;
};
BOOST_DESCRIBE_STRUCT(MoveDrillIn, (), (on_at))
struct DrillWritten {
  std::int64_t seq = 0;
  std::string id;
  std::optional<CaseRef> case_ref;
};
BOOST_DESCRIBE_STRUCT(DrillWritten, (), (seq, id, case_ref))

Drills& desk(Call& call) {
  CW_CHECK(call.s.drills != nullptr);
  return *call.s.drills;
}

// A drill that the caller may see; one elsewhere is as absent as one that never was.
Result<Drill> drill_for(Call& call, Permission permission) {
  std::optional<Drill> found;
  call.s.journal.read([&] {
    if (const Drill* d = desk(call).find(call.id())) found = *d;
  });
  if (!found || !call.may(permission, found->org)) return no_such({"这次演练", "such a drill"});
  return *found;
}

// Closed real incidents of the plan where the caller may read, the newest 200.
std::vector<RealLine> real_of(Call& call, const Definition& plan) {
  const std::vector<std::string> orgs = call.orgs(Permission::case_read);
  Result<CasePage> page = CasePage{};
  auto read = call.s.views.read(call.s.journal.size(), [&](Database& db) {
    page = CaseList::find(db, {.orgs = orgs, .procedures = {plan.id}, .open = 0, .limit = 200});
  });
  if (!read || !page) return {};
  std::vector<CaseView> incidents;
  call.s.journal.read([&] {
    for (const CaseRow& row : page->rows)
      if (auto view = call.s.engine.view(row.id, "")) incidents.push_back(std::move(*view));
  });
  return real_lines(plan, incidents);
}

DrillReport report_of(Call& call, Drill drill) {
  DrillReport r{.drill = std::move(drill), .scenario = {}, .plan_title = {}, .number = {}};
  r.scenario = desk(call).folder().find(r.drill.scenario);
  auto plan = r.scenario ? call.s.engine.library().procedure(r.scenario->plan) : nullptr;
  if (plan) {
    r.plan_title = plan->title;
    entitle(r.drill.score, *plan);
    r.real = real_of(call, *plan);
  }
  call.s.journal.read([&] {
    auto number_of = [&](const std::string& id) {
      return case_ref(call.s, call.who, id).value_or(CaseRef{}).number;
    };
    r.number = number_of(r.drill.case_id);
    r.names[r.drill.director] = person_ref(call.s, r.drill.director).name;
    for (const auto& person : r.drill.people) r.names[person] = person_ref(call.s, person).name;
    for (auto& [line, id] : r.drill.findings) id = number_of(id);
  });
  return r;
}

DrillOut drill_out(const Call& call, const Drill& d, const DrillScenario* scenario) {
  const Services& s = call.s;
  DrillOut out{.id = d.id,
               .scenario = d.scenario,
               .phase = name_of(d.phase),
               .title = scenario ? scenario->title : Text{d.scenario, d.scenario},
               .director = person_ref(s, d.director),
               .on_at = d.on_ms,
               .why = d.why};
  out.org.id = d.org;
  for (const auto& org : s.identity.orgs())
    if (org.id == d.org) out.org.name = org.name;
  if (scenario) {
    out.plan = scenario->plan;
    if (auto plan = s.engine.library().procedure(scenario->plan)) out.plan_title = plan->title;
  }
  if (d.began_ms != 0) out.began_at = d.began_ms;
  if (d.ended_ms != 0) out.ended_at = d.ended_ms;
  if (d.phase == DrillPhase::ended) out.percent = d.score.percent;
  out.case_ref = case_ref(s, call.who, d.case_id);
  return out;
}

Result<Page<DrillOut>> list_drills(Call& call) {
  auto year = call.number("year", 0, 0, 9999);
  if (!year) return std::move(year).problem();
  const std::vector<std::string> orgs = call.orgs(Permission::case_read);
  Page<DrillOut> page;
  call.s.journal.read([&] {
    for (const Drill* d : desk(call).all()) {
      if (std::find(orgs.begin(), orgs.end(), d->org) == orgs.end()) continue;
      const std::string at = to_rfc3339(d->on_ms + 8 * 3'600'000).substr(0, 4);
      if (*year != 0 && at != std::to_string(*year)) continue;
      page.items.push_back(drill_out(call, *d, desk(call).folder().find(d->scenario).get()));
    }
  });
  return page;
}

Result<DrillOut> one_drill(Call& call) {
  auto drill = drill_for(call, Permission::case_read);
  if (!drill) return std::move(drill).problem();
  const DrillReport r = report_of(call, *drill);
  DrillOut out;
  call.s.journal.read([&] {
    out = drill_out(call, *drill, r.scenario.get());
    for (const auto& person : drill->people) out.people.push_back(person_ref(call.s, person));
    for (const DrillLine& l : r.drill.score.lines) {
      constexpr const char* kinds[] = {"clock", "task", "act"};
      DrillLineOut line{.id = l.id,
                        .kind = kinds[static_cast<int>(l.kind)],
                        .title = l.title,
                        .limit_ms = l.limit_ms,
                        .met = l.met};
      if (l.took_ms >= 0) line.took_ms = l.took_ms;
      for (const RealLine& real : r.real)
        if (real.id == l.id) {
          line.real_met = real.met, line.real_of = real.of;
          if (real.median_ms >= 0) line.real_median_ms = real.median_ms;
        }
      if (auto f = drill->findings.find(l.id); f != drill->findings.end())
        line.finding = case_ref(call.s, call.who, f->second);
      out.lines.push_back(std::move(line));
    }
  });
  // What is still to come is told to those who prepare drills, to nobody who takes part.
  const bool director = call.may(Permission::procedures_manage, drill->org).ok();
  if (r.scenario)
    for (std::size_t i = 0; i < r.scenario->injects.size(); ++i) {
      const DrillInject& inject = r.scenario->injects[i];
      if (i >= drill->injected && !director) break;
      out.injects.push_back({static_cast<std::int64_t>(i + 1), inject.at_ms, i < drill->injected,
                             inject.text, inject.to, inject.facts, inject.signal});
    }
  return out;
}

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
  auto out = drill_did(call, desk(call).plan({.scenario = in.scenario,
                                              .org = org,
                                              .actor = call.who.actor,
                                              .director = in.director.value_or(""),
                                              .on_ms = in.on_at}));
  if (out) call.status = 201;
  return out;
}

Result<DrillWritten> move_drill(Call& call, MoveDrillIn& in) {
  if (auto d = drill_for(call, Permission::procedures_manage); !d) return std::move(d).problem();
  return drill_did(call, desk(call).move(call.who.actor, call.id(), in.on_at));
}

Result<DrillWritten> cancel_drill(Call& call, Nothing&) {
  if (auto d = drill_for(call, Permission::procedures_manage); !d) return std::move(d).problem();
  return drill_did(call, desk(call).cancel(call.who.actor, call.id()));
}

Result<DrillWritten> begin_drill(Call& call, Nothing&) {
  if (auto d = drill_for(call, Permission::procedures_manage); !d) return std::move(d).problem();
  return drill_did(
      call, call.s.journal.read([&] { return desk(call).begin(call.who.actor, call.id()); }));
}

Result<DrillOut> end_drill(Call& call, Nothing&) {
  if (auto d = drill_for(call, Permission::procedures_manage); !d) return std::move(d).problem();
  if (auto ended = desk(call).end(call.s.journal, call.who.actor, call.id()); !ended)
    return std::move(ended).problem();
  return one_drill(call);
}

Result<http::Response> print_drill(Call& call) {
  auto drill = drill_for(call, Permission::case_read);
  if (!drill) return std::move(drill).problem();
  const std::string lang = call.query("lang") == "en" ? "en" : "zh";
  const DrillReport report = report_of(call, std::move(*drill));
  if (call.query("format") == "markdown")
    return http::text_response(200, to_markdown(report, lang), "text/markdown; charset=utf-8");
  return http::text_response(200, to_html(report, lang, "/api/v1/print.css"),
                             "text/html; charset=utf-8");
}

Result<Page<json::object>> list_scenarios(Call& call) {
  Page<json::object> page;
  for (const auto& [id, scenario] : desk(call).folder().all())
    page.items.push_back(to_json(*scenario));
  return page;
}

}  // namespace

void add_drills(Table& t) {
  t.tag("drills");
  t.get<Page<json::object>>("/drill-scenarios",
                            {"procedures.manage", "Scenarios with their injects and expected acts"},
                            list_scenarios);
  t.get<Page<DrillOut>>("/drills",
                        {"case.read", "The plan of drills by date", {{"year", "of the plan"}}},
                        list_drills);
  t.post<PlanIn, DrillWritten>("/drills", {"procedures.manage", "Plan a drill"}, plan_drill);
  t.get<DrillOut>(
      "/drills/{id}",
      {"case.read", "One drill: participants, injects told, score beside real incidents"},
      one_drill);
  t.post<MoveDrillIn, DrillWritten>("/drills/{id}/move",
                                    {"procedures.manage", "Move a planned drill"}, move_drill);
  t.post<Nothing, DrillWritten>("/drills/{id}/cancel",
                                {"procedures.manage", "Cancel a planned drill"}, cancel_drill);
  t.post<Nothing, DrillWritten>("/drills/{id}/begin",
                                {"procedures.manage", "Begin: its case starts in drill mode"},
                                begin_drill);
  t.post<Nothing, DrillOut>(
      "/drills/{id}/end",
      {"procedures.manage", "End and score; missed limits become corrective actions"}, end_drill);
  t.raw("GET", "/drills/{id}/print",
        {"case.read",
         "The report on A4, or as Markdown",
         {{"format", "markdown"}, {"lang", "zh or en"}},
         256 << 10,
         "text/html"},
        print_drill);
}

}  // namespace cw::api
