// A small house for tests of drills: a plan with one outage, a scenario of it, a table of people,
// the real journal and engine in a folder of its own, a clock that tests set.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "drill/drill.h"

namespace cw {

inline constexpr std::int64_t kMinute = 60'000;
inline constexpr std::int64_t kMonday = 1'772'413'200'000;  // 2026-03-02 09:00 in Shanghai

class PostTable final : public Directory {
 public:
  std::map<std::string, std::vector<std::string>> held;  // "post:duty-officer" → people

  std::vector<std::string> who(const std::string& what) const {
    auto it = held.find(what);
    return it == held.end() ? std::vector<std::string>{} : it->second;
  }
  std::string basis(std::string_view person, const std::string& what) const {
    for (const auto& one : who(what))
      if (one == person) return what;
    return {};
  }
  std::string post_basis(std::string_view p, std::string_view post,
                         std::string_view) const override {
    return basis(p, "post:" + std::string(post));
  }
  std::string team_basis(std::string_view p, std::string_view t, std::string_view) const override {
    return basis(p, "team:" + std::string(t));
  }
  std::string queue_basis(std::string_view p, std::string_view q, std::string_view) const override {
    return basis(p, "queue:" + std::string(q));
  }
  std::string chief_post(std::string_view level, std::string_view) const override {
    return level == "duty" ? "duty-officer" : level == "leadership" ? "leader" : "commander";
  }
  std::vector<std::string> post_people(std::string_view p, std::string_view) const override {
    return who("post:" + std::string(p));
  }
  std::vector<std::string> team_people(std::string_view t, std::string_view) const override {
    return who("team:" + std::string(t));
  }
  std::vector<std::string> queue_people(std::string_view q, std::string_view) const override {
    return who("queue:" + std::string(q));
  }
  bool is_active_person(std::string_view) const override { return true; }
  bool is_org(std::string_view org) const override { return org == "org_cn"; }
  std::vector<std::string> orgs_of(std::string_view) const override { return {"org_cn"}; }
  bool within(std::string_view a, std::string_view b) const override { return a == b; }
};

class Told final : public Outbound {
 public:
  void notify(Draft&, const Notice& n) override { notices.push_back(n); }
  void send(Draft&, const Sending& s) override { sendings.push_back(s); }
  std::set<std::string> people() const {
    std::set<std::string> out;
    for (const Notice& n : notices) out.insert(n.people.begin(), n.people.end());
    return out;
  }
  std::vector<Notice> notices;
  std::vector<Sending> sendings;
};

inline std::string file_text(const std::string& path) {
  std::ifstream in(CW_SOURCE_DIR "/content/" + path);
  std::ostringstream all;
  all << in.rdbuf();
  return all.str();
}

inline constexpr const char* kPlan = R"(procedure: plan.outage
version: 1
title: {zh: 中断预案, en: Outage plan}
calendar: always
levels: [duty, command]
roles: {anyone: {any: true}, duty: {post: duty-officer}, tech: {team: technical}}
data: {severity: {enum: [III, II]}}
start: {by: anyone, form: report, to: reported}
states:
  reported:
    tasks: {ack: {by: duty, limit: 5m, late: [{notify: duty}]}}
    actions:
      activate: {by: duty, form: report, to: responding}
      dismiss: {by: duty, to: closed}
  responding:
    tasks: {mend: {by: tech, limit: 30m, late: [{notify: tech}]}}
    actions: {close: {by: duty, guard: tasks.done, to: watching}}
  watching:
    actions: {calm: {upon: clock.calm, to: closed}}
  closed: {final: true, retain: 1y}
clocks:
  all: {from: start, stop: close, limit: 40m, at: {100: [{notify: duty}]}}
  calm: {run: [watching], limit: 2h, wait: true}
)";
inline constexpr const char* kReport = R"(form: report
version: 1
title: {zh: 报告, en: Report}
type: object
required: [severity]
properties:
  severity: {title: {zh: 等级, en: Severity}, enum: [III, II]}
  seen: {title: {zh: 发现, en: Seen}, type: string, format: date-time}
)";
inline constexpr const char* kDrill = R"(drill: outage
version: 1
title: {zh: 中断演练, en: Outage drill}
goal: {zh: 看时限, en: To see limits}
plan: plan.outage
participants: [post:duty-officer, team:technical]
compress: 60
ends: 3h
form: {severity: III, seen: '@-5m'}
injects:
  - {at: 10m, to: [team:technical], text: {zh: 备用也断了, en: The spare fails too}, facts: {severity: II}}
expect:
  - {act: reported.activate, within: 10m}
  - {act: responding.mend, within: 15m, after: 1}
)";

inline Library house() {
  std::vector<Mistake> mistakes;
  Library library = Library::from_texts(
      {{"calendars/always.yaml", file_text("calendars/always.yaml")},
       {"calendars/cn-office.yaml", file_text("calendars/cn-office.yaml")},
       {"calendars/holidays-cn.yaml", file_text("calendars/holidays-cn.yaml")},
       {"forms/report.yaml", kReport},
       {"forms/corrective.yaml", file_text("forms/corrective.yaml")},
       {"forms/action-plan.yaml", file_text("forms/action-plan.yaml")},
       {"forms/action-done.yaml", file_text("forms/action-done.yaml")},
       {"forms/effect-check.yaml", file_text("forms/effect-check.yaml")},
       {"forms/handover.yaml", file_text("forms/handover.yaml")},
       {"procedures/corrective-action.yaml", file_text("procedures/corrective-action.yaml")},
       {"procedures/plan.outage.yaml", kPlan}},
      mistakes);
  for (const Mistake& m : mistakes) ADD_FAILURE() << describe(m, "en");
  return library;
}

inline DrillFolder outage(const Library& library) {
  std::vector<Mistake> mistakes;
  DrillFolder out;
  out.add(read_drill(kDrill, "outage.yaml", library, mistakes));
  for (const Mistake& m : mistakes) ADD_FAILURE() << describe(m, "en");
  return out;
}

class House {
 public:
  House() : House(house()) {}
  explicit House(const Library& library) : House(library, outage(library)) {
    people.held = {{"post:duty-officer", {"per_duty"}},
                   {"post:commander", {"per_chief"}},
                   {"team:technical", {"per_tech", "per_other"}},
                   {"post:investigator", {"per_checker"}}};
  }
  House(Library library, DrillFolder scenarios)
      : clock(kMonday), library_(std::move(library)), scenarios_(std::move(scenarios)) {
    char name[] = "/tmp/cw-drill-XXXXXX";
    folder_ = ::mkdtemp(name);
    open();
  }
  ~House() {
    shut();
    std::filesystem::remove_all(folder_);
  }

  void open() {
    JournalOptions options;
    options.path = folder_ + "/journal.db";
    options.origin = "callwarden.example/drill";
    options.reserve_bytes = 1 << 20;
    options.full_sync = false;
    options.schemas = {Sealed::schema(), Engine::schema()};
    journal = std::make_unique<Journal>(options, clock, random);
    sealed =
        std::make_unique<Sealed>(options.path, SecretBytes::copy(std::string(32, 'k')), random);
    drills = std::make_unique<Drills>(DrillParts{people, *sealed, told, clock, random}, scenarios_);
    engine = std::make_unique<Engine>(
        EngineParts{library_, people, *sealed, *drills, clock, random, options.path});
    drills->use(*engine);
    journal->attach(*engine);
    journal->attach(*drills);
    journal->open();
  }
  void shut() {
    journal.reset();
    engine.reset();
    drills.reset();
    sealed.reset();
  }
  void restart() { shut(), open(); }

  Result<Answer> run(Result<Decide> decide) {
    if (!decide) return decide.problem();
    return journal->run({}, *decide);
  }
  std::string plan(std::vector<std::string> evaluators = {}, std::string scenario = "outage") {
    auto made = run(drills->plan({.scenario = std::move(scenario),
                                  .org = "org_cn",
                                  .actor = "per_boss",
                                  .on_ms = kMonday + kMinute,
                                  .evaluators = std::move(evaluators)}));
    EXPECT_TRUE(made.ok());
    return std::string(text_or(made->body, "drill"));
  }
  std::string begin(const std::string& id) {
    auto begun = run(journal->read([&] { return drills->begin("per_boss", id); }));
    EXPECT_TRUE(begun.ok()) << (begun.ok() ? "" : begun.problem().text.en);
    return begun ? std::string(text_or(begun->body, "case")) : "";
  }
  void advance(std::int64_t ms) {
    clock.advance_ms(ms);
    engine->run_due(*journal);
    drills->run_due(*journal);
  }
  void pass(std::int64_t minutes) {
    for (std::int64_t i = 0; i < minutes; ++i) advance(kMinute);
  }
  void act(const std::string& id, const std::string& who, const std::string& what,
           json::object form = {}) {
    auto done = run(engine->act({id, who, {}}, what, {}, std::move(form)));
    EXPECT_TRUE(done.ok()) << what << " " << (done.ok() ? "" : done.problem().text.en);
  }
  void task(const std::string& id, const std::string& who, const std::string& what) {
    auto done = run(engine->do_task({id, who, {}}, what, {}, {}));
    EXPECT_TRUE(done.ok()) << what << " " << (done.ok() ? "" : done.problem().text.en);
  }
  Drill drill(const std::string& id) const {
    return journal->read([&] { return *drills->find(id); });
  }
  // A drill in which only the mending is late.
  std::string played(std::vector<std::string> evaluators = {}) {
    const std::string id = plan(std::move(evaluators)), c = begin(id);
    pass(3);
    task(c, "per_duty", "ack");
    pass(3);
    act(c, "per_duty", "activate", {{"severity", "II"}});
    pass(29);
    task(c, "per_tech", "mend");
    act(c, "per_duty", "close");
    pass(3);
    return id;
  }

  ManualClock clock;
  SeededRandom random{9};
  PostTable people;
  Told told;
  std::unique_ptr<Journal> journal;
  std::unique_ptr<Sealed> sealed;
  std::unique_ptr<Drills> drills;
  std::unique_ptr<Engine> engine;

 private:
  std::string folder_;
  Library library_;
  DrillFolder scenarios_;
};

inline const DrillLine& line(const DrillScore& s, const std::string& id, DrillLine::Kind kind) {
  for (const DrillLine& l : s.lines)
    if (l.id == id && l.kind == kind) return l;
  ADD_FAILURE() << "no line " << id;
  static const DrillLine none;
  return none;
}

}  // namespace cw
