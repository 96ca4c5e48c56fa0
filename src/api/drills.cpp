#include "drills.h"

// Drills read: scenarios, the yearly plan, drills under way, scores, evaluations and reports.
namespace cw::api {

Drills& drill_desk(Call& call) {
  CW_CHECK(call.s.drills != nullptr);
  return *call.s.drills;
}

Result<Drill> drill_for(Call& call, Permission permission) {
  std::optional<Drill> found;
  call.s.journal.read([&] {
    if (const Drill* d = drill_desk(call).find(call.id())) found = *d;
  });
  if (!found || !call.may(permission, found->org)) return no_such({"这次演练", "such a drill"});
  return *found;
}

namespace {

// What is still to come, what is expected and what was observed so far are for those who prepare or
// evaluate a drill, and for nobody who takes part.
bool may_see_all(const Call& call, const Drill& d) {
  return d.evaluates(call.who.actor) || call.may(Permission::procedures_manage, d.org).ok();
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

// Under the state lock.
Text role_title(const Services& s, const std::string& what, const std::string& org) {
  const std::string name = what.substr(what.find(':') + 1);
  if (what.starts_with("post:"))
    for (const Post& post : s.identity.posts(org))
      if (post.id == name) return post.title;
  if (what.starts_with("team:"))
    for (const Team& team : s.identity.teams(""))
      if (team.id == name) return team.title;
  if (what.starts_with("queue:"))
    if (auto procedure = s.engine.library().remembered(name)) return procedure->title;
  return {name, name};
}

DrillReport report_of(Call& call, Drill drill) {
  if (drill.phase == DrillPhase::running && !may_see_all(call, drill)) drill.observations.clear();
  DrillReport r{.drill = std::move(drill), .scenario = {}, .plan_title = {}, .number = {}};
  r.scenario = drill_desk(call).folder().find(r.drill.scenario);
  auto plan = r.scenario ? call.s.engine.library().remembered(r.scenario->plan) : nullptr;
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
    std::vector<std::string> people = r.drill.people;
    people.push_back(r.drill.director);
    for (const auto& person : r.drill.evaluators) people.push_back(person);
    for (const auto& person : people) r.names[person] = person_ref(call.s, person).name;
    for (auto& [line, id] : r.drill.findings) id = number_of(id);
    if (r.scenario)
      for (const DrillInject& inject : r.scenario->injects)
        for (const std::string& to : inject.to) r.roles[to] = role_title(call.s, to, r.drill.org);
  });
  for (const DrillObservation& o : r.drill.observations)
    r.observed.push_back(text_of(call.s, o.text));
  if (r.drill.conclusion) r.concluded = text_of(call.s, r.drill.conclusion->text);
  return r;
}

// ---- under the state lock

std::vector<DrillRoleOut> roles_out(Call& call, const DrillScenario& scenario,
                                    const std::string& org,
                                    const std::vector<std::string>& invited) {
  std::vector<DrillRoleOut> out;
  auto add = [&](const std::string& what, Text title, const std::vector<std::string>& people) {
    DrillRoleOut role{what, std::move(title), {}};
    for (const auto& person : people) role.people.push_back(person_ref(call.s, person));
    out.push_back(std::move(role));
  };
  for (const std::string& what : scenario.participants)
    add(what, role_title(call.s, what, org), drill_desk(call).held_by(what, org));
  if (!invited.empty()) add("people", {"另邀人员", "Invited beside"}, invited);
  return out;
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
    out.goal = scenario->goal;
    out.compress = scenario->compress;
    out.ends_ms = scenario->ends_ms;
    out.injects_total = static_cast<std::int64_t>(scenario->injects.size());
    if (auto plan = s.engine.library().remembered(scenario->plan)) out.plan_title = plan->title;
    if (d.phase == DrillPhase::running) out.ends_at = d.began_ms + scenario->ends_ms;
  }
  if (d.first_on_ms != d.on_ms) out.moved_from = d.first_on_ms;
  if (d.began_ms != 0) out.began_at = d.began_ms;
  if (d.ended_ms != 0) out.ended_at = d.ended_ms;
  if (d.phase == DrillPhase::ended) {
    if (d.score.percent) out.percent = *d.score.percent;
    out.expected = d.score.expected();
    out.unjudged = d.score.unjudged;
  }
  if (!d.case_id.empty()) out.case_ref = case_ref(s, call.who, d.case_id);
  for (const auto& [line, id] : d.findings) {
    auto view = s.engine.view(id, "");
    out.findings++;
    if (view && !view->closed) out.findings_open++;
  }
  return out;
}

DrillInjectOut inject_out(const DrillInject& inject, std::size_t i, bool told) {
  return {static_cast<std::int64_t>(i + 1),
          inject.at_ms,
          told,
          inject.text,
          inject.to,
          inject.facts,
          inject.signal};
}

// The corrective action that was opened for a line, an observation or the conclusion.
template <typename Out>
void tell_finding(const Call& call, const Drill& drill, const std::string& line, Out& out) {
  auto f = drill.findings.find(line);
  if (f == drill.findings.end()) return;
  out.finding = case_ref(call.s, call.who, f->second);
  if (auto view = call.s.engine.view(f->second, "")) {
    out.finding_state = view->state_title;
    out.finding_closed = view->closed;
  }
}

DrillLineOut line_out(const Call& call, const DrillReport& r, const Drill& drill,
                      const DrillLine& l) {
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
  tell_finding(call, drill, l.id, line);
  return line;
}

DrillActOut act_out(const DrillAct& act) {
  return {act.state + "." + act.name, act.title, act.within_ms, act.after};
}

void evaluation_out(const Call& call, const DrillReport& r, const Drill& drill, DrillOut& out) {
  for (std::size_t i = 0; i < r.drill.observations.size(); ++i) {
    const DrillObservation& o = r.drill.observations[i];
    DrillObservationOut one{.n = static_cast<std::int64_t>(i + 1),
                            .at_ms = o.at_ms,
                            .by = person_ref(call.s, o.by),
                            .about = o.about,
                            .about_title = about_title(r.scenario.get(), o.about),
                            .rating = o.rating,
                            .text = r.observed[i]};
    tell_finding(call, drill, "observation:" + std::to_string(i + 1), one);
    out.observations.push_back(std::move(one));
  }
  if (const auto& c = drill.conclusion) {
    out.conclusion = {.at_ms = c->at_ms,
                      .by = person_ref(call.s, c->by),
                      .grade = c->grade,
                      .text = r.concluded,
                      .revise = c->revise};
    tell_finding(call, drill, "revise", *out.conclusion);
  }
}

// ---- outside it

std::string year_of(std::int64_t ms) {  // in Beijing
  return to_rfc3339(ms + 8 * 3'600'000).substr(0, 4);
}

// The drills where the caller may read, by date.
std::vector<Drill> drills_for(Call& call, const std::string& year) {
  const std::vector<std::string> orgs = call.orgs(Permission::case_read);
  std::vector<Drill> out;
  call.s.journal.read([&] {
    for (const Drill* d : drill_desk(call).all())
      if (std::find(orgs.begin(), orgs.end(), d->org) != orgs.end() &&
          (year.empty() || year_of(d->on_ms) == year))
        out.push_back(*d);
  });
  return out;
}

Result<Page<DrillOut>> list_drills(Call& call) {
  auto year = call.number("year", 0, 0, 9999);
  if (!year) return std::move(year).problem();
  std::vector<Drill> drills = drills_for(call, *year == 0 ? "" : std::to_string(*year));
  if (const std::string of = call.query("case"); !of.empty()) {
    const std::string id = call.s.journal.read([&] {
      const Drill* d = drill_desk(call).of_case(of);
      return d ? d->id : std::string();
    });
    std::erase_if(drills, [&](const Drill& d) { return d.id != id; });
  }
  Page<DrillOut> page;
  for (const Drill& d : drills) {
    call.s.journal.read([&] {
      page.items.push_back(drill_out(call, d, drill_desk(call).folder().find(d.scenario).get()));
    });
    if (!d.reason.empty()) page.items.back().reason = text_of(call.s, d.reason);
  }
  return page;
}

}  // namespace

Result<DrillOut> one_drill(Call& call) {
  auto drill = drill_for(call, Permission::case_read);
  if (!drill) return std::move(drill).problem();
  const DrillReport r = report_of(call, *drill);
  DrillOut out;
  call.s.journal.read([&] {
    out = drill_out(call, *drill, r.scenario.get());
    if (r.scenario) out.participants = roles_out(call, *r.scenario, drill->org, drill->invited);
    for (const auto& person : drill->people) out.people.push_back(person_ref(call.s, person));
    for (const auto& person : drill->evaluators)
      out.evaluators.push_back(person_ref(call.s, person));
    evaluation_out(call, r, *drill, out);
    for (const DrillLine& l : r.drill.score.lines)
      out.lines.push_back(line_out(call, r, *drill, l));
  });
  if (!drill->reason.empty()) out.reason = text_of(call.s, drill->reason);
  if (!r.scenario) return out;
  const bool all = may_see_all(call, *drill);
  for (std::size_t i = 0; i < r.scenario->injects.size(); ++i)
    if (i < drill->injected || all)
      out.injects.push_back(inject_out(r.scenario->injects[i], i, i < drill->injected));
  if (all || drill->phase == DrillPhase::ended)
    for (const DrillAct& act : r.scenario->expected) out.expect.push_back(act_out(act));
  return out;
}

namespace {

// What one drill adds to its plan's line. The last one is the last that was judged as a whole,
// where there is one.
void count_in(DrillCoverageOut& line, const Drill& d) {
  if (d.phase == DrillPhase::ended) {
    const bool whole = d.score.unjudged == 0;
    const bool better = whole && line.ended == 0;
    const bool as_good = whole == (line.ended > 0);
    if (better || (as_good && d.ended_ms > line.last_at.value_or(0))) {
      line.last_at = d.ended_ms;
      line.last = d.id;
      line.percent = d.score.percent;
    }
    line.ended += whole ? 1 : 0;
  } else if (d.phase != DrillPhase::cancelled && (!line.next_at || d.on_ms < *line.next_at)) {
    line.next_at = d.on_ms;
    line.next = d.id;
  }
}

Result<Page<DrillCoverageOut>> coverage(Call& call) {
  auto year = call.number("year", 0, 0, 9999);
  if (!year) return std::move(year).problem();
  const std::vector<Drill> drills =
      drills_for(call, *year == 0 ? year_of(call.s.clock.now_ms()) : std::to_string(*year));
  const auto& scenarios = drill_desk(call).folder().all();
  Page<DrillCoverageOut> page;
  const Library library = call.s.engine.library();
  for (const auto& [id, plan] : library.procedures()) {
    if (!id.starts_with("plan.")) continue;
    DrillCoverageOut line{.plan = id, .title = plan->title, .version = plan->version};
    bool running = false;
    for (const auto& [name, scenario] : scenarios) {
      if (scenario->plan != id) continue;
      line.scenarios.push_back(name);
      for (const Drill& d : drills) {
        if (d.scenario != name) continue;
        count_in(line, d);
        running = running || d.phase == DrillPhase::running;
      }
    }
    line.state = running                  ? "running"
                 : line.ended > 0         ? "drilled"
                 : line.next              ? "planned"
                 : line.last              ? "broken-off"
                 : line.scenarios.empty() ? "no-scenario"
                                          : "unplanned";
    page.items.push_back(std::move(line));
  }
  return page;
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

Result<Page<DrillScenarioOut>> list_scenarios(Call& call) {
  const std::string asked = call.query("org");
  const std::string org = asked.empty() ? call.who.org : asked;
  if (auto may = call.may(Permission::procedures_manage, org); !may)
    return std::move(may).problem();
  Page<DrillScenarioOut> page;
  for (const auto& [id, scenario] : drill_desk(call).folder().all()) {
    DrillScenarioOut out{.id = id,
                         .version = scenario->version,
                         .title = scenario->title,
                         .goal = scenario->goal,
                         .plan = scenario->plan,
                         .compress = scenario->compress,
                         .ends_ms = scenario->ends_ms};
    if (auto plan = call.s.engine.library().remembered(scenario->plan))
      out.plan_title = plan->title;
    call.s.journal.read([&] { out.participants = roles_out(call, *scenario, org, {}); });
    for (std::size_t i = 0; i < scenario->injects.size(); ++i)
      out.injects.push_back(inject_out(scenario->injects[i], i, false));
    for (const DrillAct& act : scenario->expected) out.expect.push_back(act_out(act));
    page.items.push_back(std::move(out));
  }
  return page;
}

}  // namespace

void add_drills(Table& t) {
  t.tag("drills");
  t.get<Page<DrillScenarioOut>>(
      "/drill-scenarios",
      {"procedures.manage",
       "Scenarios with their injects and expected acts, and who would take part",
       {{"org", "whose posts and teams; the caller's when absent"}}},
      list_scenarios);
  t.get<Page<DrillOut>>("/drills",
                        {"case.read",
                         "The plan of drills by date",
                         {{"year", "of the plan"}, {"case", "the drill that a case belongs to"}}},
                        list_drills);
  t.get<Page<DrillCoverageOut>>(
      "/drill-coverage",
      {"case.read",
       "Every emergency plan: drilled, planned or missing in a year",
       {{"year", "this one when absent"}, {"org", "this organisation and below"}}},
      coverage);
  t.get<DrillOut>(
      "/drills/{id}",
      {"case.read",
       "One drill: participants, injects told, score beside real incidents, evaluation"},
      one_drill);
  t.raw("GET", "/drills/{id}/print",
        {"case.read",
         "The report on A4, or as Markdown",
         {{"format", "markdown"}, {"lang", "zh or en"}},
         256 << 10,
         "text/html"},
        print_drill);
  add_drill_acts(t);
}

}  // namespace cw::api
