#include <set>

#include "common.h"
#include "words.h"

// What is mine to do now, and finding things by words.
namespace cw::api {
namespace {

struct WorkItem {
  std::string kind, name, state;  // kind as of a WorkRow
  CaseRef case_ref;
  std::string procedure, org;
  Text title, procedure_title, state_title;
  std::optional<LevelOut> level;
  std::optional<std::int64_t> due_at;
  bool late = false, drill = false;
  std::optional<PersonRef> assignee;
};
BOOST_DESCRIBE_STRUCT(WorkItem, (),
                      (kind, name, state, case_ref, procedure, org, title, procedure_title,
                       state_title, level, due_at, late, drill, assignee))

struct AlertTotals {
  std::int64_t open = 0, critical = 0, high = 0;
};
BOOST_DESCRIBE_STRUCT(AlertTotals, (), (open, critical, high))

struct Workbench {
  std::int64_t now_ms = 0, open_cases = 0;
  std::vector<WorkItem> work;
  std::optional<std::string> next;
  std::vector<CaseBrief> responses;  // plans in force
  AlertTotals alerts;
};
BOOST_DESCRIBE_STRUCT(Workbench, (), (now_ms, open_cases, work, next, responses, alerts))

struct ProcedureRef {
  std::string id;
  Text title;
};
BOOST_DESCRIBE_STRUCT(ProcedureRef, (), (id, title))
struct Found {
  std::vector<CaseBrief> cases;
  std::vector<PersonRef> people;
  std::vector<ProcedureRef> procedures;
};
BOOST_DESCRIBE_STRUCT(Found, (), (cases, people, procedures))

// Everything through which this person can be called to act.
std::vector<std::string> targets_of(const Services& s, const Principal& who) {
  std::set<std::string> out{"person:" + who.person};
  for (const auto& post : s.duty.posts_of(who.person)) {
    out.insert("post:" + post.id);
    for (const auto& level : post.chief_of) out.insert("chief:" + level);
  }
  for (const auto& team : s.identity.teams(""))
    if (!s.duty.team_basis(who.person, team.id, team.org).empty()) out.insert("team:" + team.id);
  Library library = s.engine.library();
  for (const auto* all : {&library.procedures(), &library.retired()})  // whose cases go on
    for (const auto& [id, procedure] : *all)
      if (!s.duty.queue_basis(who.person, id, who.org).empty()) out.insert("queue:" + id);
  return {out.begin(), out.end()};
}

WorkItem work_item(const Services& s, const WorkRow& row) {
  WorkItem item;
  item.kind = row.kind;
  item.name = row.name;
  item.state = row.state;
  item.case_ref = {row.case_id, row.number};
  item.procedure = row.procedure;
  item.org = row.org;
  item.title = {row.name, row.name};
  if (row.due_ms > 0) item.due_at = row.due_ms;
  item.late = row.late || (row.due_ms > 0 && row.due_ms < s.clock.now_ms());
  item.drill = row.drill;
  auto d = s.engine.library().remembered(row.procedure);
  if (auto view = s.engine.view(row.case_id, ""))
    d = s.engine.definition(view->procedure + "@" + std::to_string(view->version));
  if (d) {
    item.procedure_title = d->title;
    if (int state = d->state(row.state); state >= 0)
      item.state_title = d->states[static_cast<std::size_t>(state)].title;
    for (const auto& t : d->tasks)
      if (t.id == row.name) item.title = t.title;
    for (const auto& a : d->actions)
      if (a.id == row.name && row.kind != "task") item.title = a.title;
    for (std::size_t i = 0; i < d->levels.size(); ++i)
      if (d->levels[i] == row.level)
        item.level = LevelOut{row.level, d->level_titles[i], static_cast<std::int64_t>(i)};
  }
  if (row.kind == "command") item.title = {"接任指挥", "Take command"};
  if (row.kind == "queue" || row.kind == "owner") item.title = item.state_title;
  if (row.kind == "decide")
    item.title = {"等待决定：" + item.state_title.zh, "To decide: " + item.state_title.en};
  if (!row.assignee.empty()) item.assignee = person_ref(s, row.assignee);
  return item;
}

Result<Workbench> workbench(Call& call) {
  auto limit = call.number("limit", 100, 1, 500);
  if (!limit) return std::move(limit).problem();
  WorkFilter filter;
  let_see(call, filter);
  filter.limit = static_cast<std::size_t>(*limit);
  filter.cursor = call.query("cursor");
  filter.drill = -1;
  filter.targets = call.s.journal.read([&] { return targets_of(call.s, call.who); });
  CaseFilter open{.orgs = filter.orgs, .open = 1, .restricted = filter.restricted};
  CaseFilter in_force = open;
  in_force.procedure_prefix = "plan.";
  in_force.sort = "due";
  in_force.limit = 20;
  Result<WorkPage> work = WorkPage{};
  Result<CasePage> plans = CasePage{};
  Workbench out;
  watch::AlertCounts alerts;
  auto alert_orgs = call.orgs(Permission::alert_read);
  auto status = call.s.views.read(call.s.journal.size(), [&](Database& db) {
    work = CaseList::work(db, filter);
    plans = CaseList::find(db, in_force);
    for (const auto& [state, n] : CaseList::counts(db, open)) out.open_cases += n;
    alerts = watch::AlertList::counts(db, alert_orgs);
  });
  if (!status) return std::move(status).problem();
  if (!work) return std::move(work).problem();
  if (!plans) return std::move(plans).problem();
  out.now_ms = call.s.clock.now_ms();
  for (const auto& [level, n] : alerts.by_level) {
    out.alerts.open += n;
    if (level == "critical") out.alerts.critical = n;
    if (level == "high") out.alerts.high = n;
  }
  call.s.journal.read([&] {
    for (const auto& row : work->rows) out.work.push_back(work_item(call.s, row));
  });
  for (const auto& row : plans->rows) out.responses.push_back(case_brief(call.s, row));
  if (!work->next.empty()) out.next = work->next;
  return out;
}

Result<Found> search(Call& call) {
  std::string q(trim(call.query("q")));
  Found out;
  if (q.empty()) return out;
  CaseFilter filter{.number = q, .drill = -1, .limit = 10};
  let_see(call, filter);
  Result<CasePage> cases = CasePage{}, recent = CasePage{};
  auto status = call.s.views.read(call.s.journal.size(), [&](Database& db) {
    cases = CaseList::find(db, filter);
    filter.number.clear();
    filter.limit = 200;  // titles are sealed: they are looked through in the newest records only
    recent = CaseList::find(db, filter);
  });
  if (!status) return std::move(status).problem();
  std::set<std::string> seen;
  if (cases)
    for (const auto& row : cases->rows)
      if (seen.insert(row.id).second) out.cases.push_back(case_brief(call.s, row));
  std::string wanted = fold(q);
  if (recent) {
    for (const auto& row : recent->rows) {
      if (out.cases.size() >= 10 || seen.contains(row.id)) continue;
      auto brief = case_brief(call.s, row);
      if (fold(brief.title + " " + brief.procedure_title.zh + " " + brief.procedure_title.en)
              .find(wanted) != std::string::npos)
        out.cases.push_back(std::move(brief));
    }
  }
  call.s.journal.read([&] {
    if (call.s.identity.may(call.who, Permission::people_read, call.who.org).ok())
      for (const auto& p :
           call.s.identity.people({.q = q, .org = call.who.org, .active = true, .limit = 10}).items)
        out.people.push_back(person_ref(call.s, p.id));
  });
  auto library = call.s.engine.library();
  for (const auto& [id, p] : library.procedures())
    if (out.procedures.size() < 10 &&
        fold(id + " " + p->title.zh + " " + p->title.en).find(wanted) != std::string::npos)
      out.procedures.push_back({id, p->title});
  return out;
}

}  // namespace

void add_work(Table& t) {
  t.tag("work");
  t.get<Workbench>("/workbench",
                   {"case.read",
                    "What is mine to do, earliest due first",
                    {{"org", ""}, {"cursor", ""}, {"limit", "1–500"}}},
                   workbench);
  t.get<Found>("/search", {"case.read", "Cases, people and procedures by words", {{"q", ""}}},
               search);
}

}  // namespace cw::api
