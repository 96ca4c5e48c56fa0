#include "drill/drill.h"

#include <algorithm>

#include "base/id.h"
#include "base/log.h"
#include "base/text.h"

namespace cw {
namespace {

constexpr const char* kPhases[] = {"planned", "running", "ended", "cancelled"};
constexpr int kParents = 8;                // how deep a case that a drill's case opened may lie
constexpr std::size_t kReasonMax = 1'000;  // characters
constexpr std::size_t kInvitedMax = 50, kEvaluatorsMax = 10;  // people
constexpr std::int64_t kLatest_ms = 4'102'444'800'000ll;      // the year 2100

Problem wrong_phase() {
  return problem(Refusal::conflict, "drill.phase",
                 {"演练的状态不允许这一步，请刷新；本次没有写入任何内容",
                  "The drill is not in a state for this; nothing was written. Reload it"});
}

Status date_ok(std::int64_t on_ms) {
  if (on_ms > 0 && on_ms < kLatest_ms) return done();
  return invalid("drill.date", "/on_at", {"请给出演练时间", "Give the drill's time"});
}

Status reason_ok(std::string_view reason) {
  if (is_utf8(reason) && !trim(reason).empty() && code_points(reason) <= kReasonMax) return done();
  return invalid("drill.reason", "/reason",
                 {"请写明理由，最多 1,000 字", "Give the reason, at most 1,000 characters"});
}

bool holds(const std::vector<std::string>& people, const std::string& person) {
  return std::find(people.begin(), people.end(), person) != people.end();
}

// Evaluators watch and take no part.
Status evaluators_ok(const PlanDrill& r, const Directory& directory) {
  for (std::size_t i = 0; i < r.evaluators.size(); ++i) {
    const std::string &one = r.evaluators[i], at = "/evaluators/" + std::to_string(i);
    if (!directory.is_active_person(one))
      return invalid("drill.evaluator", at,
                     {"没有这个人，或已停用", "No such person, or not active"});
    if (one == r.director || holds(r.invited, one))
      return invalid(
          "drill.evaluator", at,
          {"组织人和参演人不能兼任评估人", "The director and who takes part cannot be evaluators"});
    if (std::count(r.evaluators.begin(), r.evaluators.end(), one) > 1)
      return invalid("drill.evaluator", at, {"重复", "Named twice"});
  }
  return done();
}

}  // namespace

Problem Drills::unknown() {
  return problem(Refusal::not_found, "drill.unknown", {"没有这次演练", "There is no such drill"});
}

Entry Drills::entry_of(const std::string& actor, const char* kind, const std::string& id) {
  Entry e{.actor = actor, .basis = "permission:procedures.manage", .kind = kind, .body = {}};
  e.body["drill"] = id;
  return e;
}

const char* name_of(DrillPhase phase) { return kPhases[static_cast<int>(phase)]; }

Drills::Drills(DrillParts parts, DrillFolder folder)
    : p_(std::move(parts)), folder_(std::move(folder)) {}

Decide Drills::on(std::string id, std::vector<DrillPhase> phases, Body body) const {
  return [this, id = std::move(id), phases = std::move(phases),
          body = std::move(body)](Draft& draft) -> Result<json::object> {
    const Drill* d = find(id);
    if (!d) return unknown();
    if (std::find(phases.begin(), phases.end(), d->phase) == phases.end()) return wrong_phase();
    if (Status s = body(draft, *d); !s) return std::move(s).problem();
    return json::object{{"drill", id}};
  };
}

Result<Decide> Drills::plan(PlanDrill r) {
  if (!folder_.find(r.scenario))
    return invalid("drill.scenario", "/scenario",
                   {"没有这个演练脚本", "There is no such scenario"});
  if (Status s = date_ok(r.on_ms); !s) return std::move(s).problem();
  if (r.invited.size() > kInvitedMax)
    return invalid("drill.people", "/people", {"最多 50 人", "At most 50 people"});
  if (r.evaluators.size() > kEvaluatorsMax)
    return invalid("drill.evaluator", "/evaluators", {"最多 10 人", "At most 10 people"});
  if (r.director.empty()) r.director = r.actor;
  std::string id = new_id("drl", p_.clock.now_ms(), p_.random);
  return Decide([this, id, r = std::move(r)](Draft& draft) -> Result<json::object> {
    if (!p_.directory.is_org(r.org))
      return invalid("drill.org", "/org", {"没有这个单位", "There is no such organisation"});
    if (!p_.directory.is_active_person(r.director))
      return invalid("drill.director", "/director",
                     {"没有这个人，或已停用", "No such person, or not active"});
    for (std::size_t i = 0; i < r.invited.size(); ++i)
      if (!p_.directory.is_active_person(r.invited[i]))
        return invalid("drill.person", "/people/" + std::to_string(i),
                       {"没有这个人，或已停用", "No such person, or not active"});
    if (Status s = evaluators_ok(r, p_.directory); !s) return std::move(s).problem();
    Entry e = entry_of(r.actor, "drill.planned", id);
    e.body["scenario"] = r.scenario;
    e.body["org"] = r.org;
    e.body["director"] = r.director;
    e.body["on"] = r.on_ms;
    if (!r.invited.empty()) e.body["invited"] = json::value_from(r.invited);
    if (!r.evaluators.empty()) e.body["evaluators"] = json::value_from(r.evaluators);
    draft.append(std::move(e));
    return json::object{{"drill", id}};
  });
}

Result<Decide> Drills::move(std::string actor, std::string id, std::int64_t on_ms,
                            std::string reason) {
  if (Status s = date_ok(on_ms); !s) return std::move(s).problem();
  if (Status s = reason_ok(reason); !s) return std::move(s).problem();
  const SealedContent why = p_.sealed.seal(id, reason);
  return on(std::move(id), {DrillPhase::planned},
            [actor, on_ms, why](Draft& draft, const Drill& d) {
              draft.row(why.write, why.bytes);
              Entry e = entry_of(actor, "drill.moved", d.id);
              e.content = why.commitment;
              e.body["on"] = on_ms;
              draft.append(std::move(e));
              return done();
            });
}

Result<Decide> Drills::cancel(std::string actor, std::string id, std::string reason) {
  if (Status s = reason_ok(reason); !s) return std::move(s).problem();
  const SealedContent why = p_.sealed.seal(id, reason);
  return on(std::move(id), {DrillPhase::planned}, [actor, why](Draft& draft, const Drill& d) {
    draft.row(why.write, why.bytes);
    Entry e = entry_of(actor, "drill.cancelled", d.id);
    e.content = why.commitment;
    draft.append(std::move(e));
    return done();
  });
}

std::vector<std::string> Drills::held_by(const std::string& what, const std::string& org) const {
  const std::string name = what.substr(what.find(':') + 1);
  return what[0] == 'p'   ? p_.directory.post_people(name, org)
         : what[0] == 't' ? p_.directory.team_people(name, org)
                          : p_.directory.queue_people(name, org);
}

std::vector<std::string> Drills::people_of(const DrillScenario& s, const Drill& d) const {
  std::vector<std::string> out;
  auto add = [&](const std::vector<std::string>& people) {
    for (const std::string& person : people)
      if (!holds(out, person) && !holds(d.evaluators, person)) out.push_back(person);
  };
  for (const std::string& what : s.participants) add(held_by(what, d.org));
  if (out.empty()) return out;  // nobody holds anything: there is no drill
  add(d.invited);
  return out;
}

// The case starts as any other, filed by who begins the drill.
Result<Decide> Drills::begin(std::string actor, std::string id) {
  CW_CHECK(engine_ != nullptr);
  std::string org, name;
  if (const Drill* d = find(id)) org = d->org, name = d->scenario;
  if (org.empty()) return unknown();
  std::shared_ptr<const DrillScenario> s = folder_.find(name);
  std::shared_ptr<const Definition> plan = s ? engine_->library().procedure(s->plan) : nullptr;
  if (!plan)
    return problem(Refusal::conflict, "drill.scenario",
                   {"演练脚本或它的预案已不存在", "The scenario or its plan is no longer there"});
  json::object form;
  if (plan->start_form >= 0)
    form = form_at(*s, *plan->forms[plan->start_form].form, p_.clock.now_ms());
  Result<Decide> start = engine_->start({.procedure = s->plan,
                                         .org = org,
                                         .actor = actor,
                                         .form = std::move(form),
                                         .origin = id,
                                         .mode = CaseMode::drill,
                                         .compress = s->compress});
  if (!start) return std::move(start).problem();
  return Decide(
      [this, id, actor, s, start = std::move(*start)](Draft& draft) -> Result<json::object> {
        const Drill* d = find(id);
        if (!d) return unknown();
        if (d->phase != DrillPhase::planned) return wrong_phase();
        Drill begun_now = *d;
        std::vector<std::string>& people = begun_now.people = people_of(*s, *d);
        if (people.empty())
          return problem(
              Refusal::conflict, "drill.nobody",
              {"参加岗位目前都无人担任，不能开始", "Nobody holds any of the posts that take part"});
        for (const std::string& one : {actor, d->director})
          if (!holds(people, one) && !holds(d->evaluators, one)) people.push_back(one);
        beginning_ = &begun_now;
        Result<json::object> begun = start(draft);
        beginning_ = nullptr;
        if (!begun) return begun;
        Entry e = entry_of(actor, "drill.began", id);
        e.body["case"] = (*begun)["case"];
        e.body["version"] = s->version;
        e.body["people"] = json::value_from(people);
        draft.append(std::move(e));
        (*begun)["drill"] = id;
        return begun;
      });
}

// ---- under way

bool Drills::inject(Journal& journal, const std::string& id) {
  auto answer =
      journal.run({.vital = true},
                  on(id, {DrillPhase::running}, [this](Draft& draft, const Drill& d) -> Status {
                    std::shared_ptr<const DrillScenario> s = folder_.find(d.scenario);
                    const std::size_t n = d.injected;
                    if (!s || n >= s->injects.size()) return done();
                    const DrillInject& inject = s->injects[n];
                    if (d.began_ms + inject.at_ms > draft.now_ms()) return done();
                    Notice notice{.about = Notice::About::effect,
                                  .case_id = d.case_id,
                                  .procedure = s->plan,
                                  .org = d.org,
                                  .title = s->title,
                                  .mode = CaseMode::drill,
                                  .name = "inject." + std::to_string(n + 1),
                                  .text = inject.text,
                                  .roles = inject.to};
                    for (const std::string& what : inject.to)
                      for (const std::string& person : held_by(what, d.org))
                        notice.people.push_back(person);
                    Entry e = entry_of("clock", "drill.injected", d.id);
                    e.basis = "due";
                    e.body["n"] = static_cast<std::int64_t>(n + 1);
                    e.body["due_at"] = d.began_ms + inject.at_ms;
                    notice.seq = draft.append(std::move(e));
                    notify(draft, notice);
                    return done();
                  }));
  return answer.ok() && answer->count > 0;
}

std::size_t Drills::run_due(Journal& journal) {
  struct Due {
    std::string id, why;
    bool inject = false;
  };
  std::size_t sum = 0;
  for (int round = 0; round < 200; ++round) {
    std::optional<Due> due;
    journal.read([&] {
      const std::int64_t now = p_.clock.now_ms();
      for (const auto& [id, d] : drills_) {
        if (d.phase != DrillPhase::running || due) continue;
        std::shared_ptr<const DrillScenario> s = folder_.find(d.scenario);
        Result<CaseView> view = engine_->view(d.case_id, "");
        if (view && view->closed) {
          due = Due{id, "closed", false};
        } else if (!s || now >= d.began_ms + s->ends_ms) {
          due = Due{id, "time", false};
        } else if (d.injected < s->injects.size() &&
                   now >= d.began_ms + s->injects[d.injected].at_ms) {
          due = Due{id, "", true};
        }
      }
    });
    if (!due) return sum;
    if (due->inject ? !inject(journal, due->id) : !end(journal, "clock", due->id, due->why).ok())
      return sum;  // a full disk: tried again at the next call
    ++sum;
  }
  return sum;
}

Status Drills::end(Journal& journal, const std::string& actor, const std::string& id,
                   const std::string& why) {
  std::optional<Drill> drill;
  CaseView view;
  journal.read([&] {
    if (const Drill* d = find(id)) drill = *d;
    if (drill && !drill->case_id.empty()) view = *engine_->view(drill->case_id, "");
  });
  if (!drill) return unknown();
  if (drill->phase == DrillPhase::ended) return open_findings(journal, actor, id);
  if (drill->phase != DrillPhase::running) return wrong_phase();
  std::shared_ptr<const DrillScenario> s = folder_.find(drill->scenario);
  std::shared_ptr<const Definition> plan =
      engine_->definition(view.procedure + "@" + std::to_string(view.version));
  CW_CHECK(plan);
  std::vector<Entry> entries;
  for (std::uint64_t at = view.first_seq; at <= view.last_seq;) {
    const std::vector<std::string> batch = journal.entries(at, 1'000);
    if (batch.empty()) break;
    for (const std::string& bytes : batch) {
      if (bytes.find(drill->case_id) == std::string::npos) continue;
      Result<Entry> e = Entry::parse(bytes);
      if (e && e->case_id == drill->case_id && e->seq <= view.last_seq)
        entries.push_back(std::move(*e));
    }
    at += batch.size();
  }
  const DrillEnd over{.began_ms = drill->began_ms,
                      .ended_ms = view.closed ? view.closed_ms : p_.clock.now_ms(),
                      .injected = drill->injected,
                      .closed = view.closed};
  const DrillScenario nothing;
  const DrillScore result = score(s ? *s : nothing, *plan, view, entries, over);
  auto answer = journal.run({.vital = actor == "clock"},
                            on(id, {DrillPhase::running}, [&](Draft& draft, const Drill& d) {
                              Entry e = entry_of(actor, "drill.ended", d.id);
                              if (actor == "clock") e.basis = "due";
                              e.body["why"] = over.closed ? "closed" : why;
                              e.body["ended"] = over.ended_ms;
                              for (auto& [key, value] : score_json(result)) e.body[key] = value;
                              draft.append(std::move(e));
                              return done();
                            }));
  if (!answer) return std::move(answer).problem();
  return open_findings(journal, actor, id);
}

// ---- reading

const Drill* Drills::find(std::string_view id) const {
  auto it = drills_.find(id);
  return it == drills_.end() ? nullptr : &it->second;
}

const Drill* Drills::of_case(std::string_view case_id) const {
  std::string at(case_id);
  for (int i = 0; i < kParents && !at.empty(); ++i) {
    if (auto it = cases_.find(at); it != cases_.end()) return find(it->second);
    Result<CaseView> view = engine_->view(at, "");
    at.clear();
    if (view)
      for (const LinkView& l : view->links)
        if (l.kind == "parent") at = l.id;
  }
  return nullptr;
}

std::vector<const Drill*> Drills::all() const {
  std::vector<const Drill*> out;
  for (const auto& [id, d] : drills_) out.push_back(&d);
  std::stable_sort(out.begin(), out.end(),
                   [](const Drill* a, const Drill* b) { return a->on_ms < b->on_ms; });
  return out;
}

// ---- Outbound

std::optional<std::vector<std::string>> Drills::reach(
    const std::string& case_id, const std::vector<std::string>& people) const {
  const Drill* d = beginning_ ? beginning_ : of_case(case_id);
  if (!d) return people;  // a case that somebody started in drill mode without a scenario
  if (!beginning_ && d->phase != DrillPhase::running) return std::nullopt;
  std::vector<std::string> out;
  for (const std::string& person : people)
    if (holds(d->people, person)) out.push_back(person);
  if (out.empty()) return people.empty() ? std::optional(out) : std::nullopt;
  for (const std::string& person : d->evaluators) out.push_back(person);
  return out;
}

template <typename Telling>
std::optional<Telling> Drills::for_participants(const Telling& telling) const {
  if (telling.mode == CaseMode::live) return telling;
  auto people = reach(telling.case_id, telling.people);
  if (!people) return std::nullopt;
  Telling copy = telling;
  copy.people = std::move(*people);
  return copy;
}

void Drills::notify(Draft& draft, const Notice& notice) {
  if (auto told = for_participants(notice)) p_.outbound.notify(draft, *told);
}

void Drills::send(Draft& draft, const Sending& sending) {
  if (auto sent = for_participants(sending)) p_.outbound.send(draft, *sent);
}

}  // namespace cw
