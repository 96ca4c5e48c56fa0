#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "drill/drill.h"

namespace cw {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;

constexpr std::int64_t kMinute = 60'000;
constexpr std::int64_t kMonday = 1'772'413'200'000;  // 2026-03-02 09:00 in Shanghai

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
    return level == "duty" ? "duty-officer" : "commander";
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

std::string file_text(const std::string& path) {
  std::ifstream in(CW_SOURCE_DIR "/content/" + path);
  std::ostringstream all;
  all << in.rdbuf();
  return all.str();
}

constexpr const char* kPlan = R"(procedure: plan.outage
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
    actions: {activate: {by: duty, form: report, to: responding}}
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
constexpr const char* kReport = R"(form: report
version: 1
title: {zh: 报告, en: Report}
type: object
required: [severity]
properties:
  severity: {title: {zh: 等级, en: Severity}, enum: [III, II]}
  seen: {title: {zh: 发现, en: Seen}, type: string, format: date-time}
)";
constexpr const char* kDrill = R"(drill: outage
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

Library house(std::vector<Mistake>& mistakes) {
  return Library::from_texts(
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
}

class House {
 public:
  House() : clock(kMonday) {
    char name[] = "/tmp/cw-drill-XXXXXX";
    folder_ = ::mkdtemp(name);
    library_ = house(mistakes_);
    for (const Mistake& m : mistakes_) ADD_FAILURE() << describe(m, "en");
    auto scenario = read_drill(kDrill, "outage.yaml", library_, mistakes_);
    for (const Mistake& m : mistakes_) ADD_FAILURE() << describe(m, "en");
    scenarios_.add(scenario);
    people.held = {{"post:duty-officer", {"per_duty"}},
                   {"post:commander", {"per_chief"}},
                   {"team:technical", {"per_tech", "per_other"}},
                   {"post:investigator", {"per_checker"}}};
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
  std::string plan() {
    auto made = run(drills->plan(
        {.scenario = "outage", .org = "org_cn", .actor = "per_boss", .on_ms = kMonday + kMinute}));
    EXPECT_TRUE(made.ok());
    return std::string(text_or(made->body, "drill"));
  }
  std::string begin(const std::string& id) {
    auto begun = run(journal->read([&] { return drills->begin("per_boss", id); }));
    EXPECT_TRUE(begun.ok()) << (begun.ok() ? "" : begun.problem().text.en);
    return begun ? std::string(text_or(begun->body, "case")) : "";
  }
  void pass(std::int64_t minutes) {
    for (std::int64_t i = 0; i < minutes; ++i) {
      clock.advance_ms(kMinute);
      engine->run_due(*journal);
      drills->run_due(*journal);
    }
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
  std::string played() {
    const std::string id = plan(), c = begin(id);
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
  std::vector<Mistake> mistakes_;
  Library library_;
  DrillFolder scenarios_;
};

const DrillLine& line(const DrillScore& s, const std::string& id, DrillLine::Kind kind) {
  for (const DrillLine& l : s.lines)
    if (l.id == id && l.kind == kind) return l;
  ADD_FAILURE() << "no line " << id;
  static const DrillLine none;
  return none;
}

TEST(Drill, runs_on_the_live_engine_in_its_own_number_range_and_is_scored_when_its_case_closes) {
  House h;
  const std::string id = h.played();
  const Drill d = h.drill(id);
  EXPECT_EQ(d.phase, DrillPhase::ended);
  EXPECT_EQ(d.why, "closed");  // the wait of two hours took two minutes
  EXPECT_THAT(h.journal->read([&] { return h.engine->view(d.case_id, "")->number; }),
              HasSubstr("D-"));
  EXPECT_TRUE(line(d.score, "reported.ack", DrillLine::Kind::task).met);
  EXPECT_EQ(line(d.score, "reported.ack", DrillLine::Kind::task).took_ms, 3 * kMinute);
  EXPECT_TRUE(line(d.score, "responding.mend", DrillLine::Kind::task).met);
  EXPECT_TRUE(line(d.score, "all", DrillLine::Kind::clock).met);
  EXPECT_TRUE(line(d.score, "reported.activate", DrillLine::Kind::act).met);
  // 25 minutes after the inject of the tenth minute; 15 were allowed.
  const DrillLine& late = line(d.score, "responding.mend#1", DrillLine::Kind::act);
  EXPECT_FALSE(late.met);
  EXPECT_EQ(late.took_ms, 25 * kMinute);
  EXPECT_EQ(d.score.percent, 80);
}

TEST(Drill, the_same_scenario_with_the_same_acts_scores_the_same) {
  House one, two;
  two.clock.advance_ms(26 * 3'600'000);  // another day
  EXPECT_EQ(one.drill(one.played()).score, two.drill(two.played()).score);
}

TEST(Drill, who_does_not_take_part_hears_nothing_and_participants_hear_the_injects_in_time) {
  House h;
  const std::string id = h.plan();
  h.begin(id);
  h.pass(9);
  EXPECT_EQ(h.drill(id).injected, 0u);
  h.pass(2);
  EXPECT_EQ(h.drill(id).injected, 1u);
  ASSERT_FALSE(h.told.notices.empty());
  const Notice& inject = h.told.notices.back();
  EXPECT_EQ(inject.text.en, "The spare fails too");
  EXPECT_EQ(inject.mode, CaseMode::drill);
  EXPECT_THAT(inject.people, ElementsAre("per_tech", "per_other"));
  h.pass(60);  // limits pass, levels stay: notices to the duty officer and the team
  for (const std::string& person : h.told.people()) EXPECT_NE(person, "per_chief");
  for (const Notice& n : h.told.notices) EXPECT_EQ(n.mode, CaseMode::drill);
}

TEST(Drill, a_missed_limit_becomes_one_live_corrective_action_however_often_it_is_ended) {
  House h;
  const std::string id = h.played();
  ASSERT_THAT(h.drill(id).findings, SizeIs(1));
  const std::string action = h.drill(id).findings.at("responding.mend#1");
  const CaseView v = h.journal->read([&] { return *h.engine->view(action, ""); });
  EXPECT_EQ(v.procedure, "corrective-action");
  EXPECT_EQ(v.mode, CaseMode::live);
  EXPECT_TRUE(h.drills->end(*h.journal, "per_boss", id).ok());
  EXPECT_THAT(h.drill(id).findings, SizeIs(1));
}

TEST(Drill, it_ends_by_itself_at_its_latest_time_and_what_was_never_done_is_missed) {
  House h;
  const std::string id = h.plan();
  const std::string c = h.begin(id);
  h.pass(181);
  const Drill d = h.drill(id);
  EXPECT_EQ(d.phase, DrillPhase::ended);
  EXPECT_EQ(d.why, "time");
  EXPECT_EQ(line(d.score, "reported.activate", DrillLine::Kind::act).took_ms, -1);
  EXPECT_EQ(d.score.percent, 0);
  const std::size_t told = h.told.notices.size();
  h.act(c, "per_duty", "activate", {{"severity", "II"}});
  h.pass(60);  // its case goes on, but nobody is told any more
  for (std::size_t i = told; i < h.told.notices.size(); ++i)
    EXPECT_EQ(h.told.notices[i].mode, CaseMode::live);
}

TEST(Drill, the_plan_of_the_year_is_moved_and_cancelled_and_a_drill_begins_once) {
  House h;
  const std::string first = h.plan(), second = h.plan();
  EXPECT_TRUE(h.run(h.drills->move("per_boss", second, kMonday + 30 * kMinute, "机房检修")).ok());
  EXPECT_EQ(h.drill(second).first_on_ms, kMonday + kMinute);
  EXPECT_EQ(*h.sealed->open(h.drill(second).reason), "机房检修");
  for (const std::string& wrong : {std::string(" "), std::string(1'001, 'x')}) {
    auto refused = h.run(h.drills->cancel("per_boss", second, wrong));
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.problem().code, "drill.reason");
  }
  EXPECT_TRUE(h.run(h.drills->cancel("per_boss", second, "真实事件优先")).ok());
  EXPECT_EQ(*h.sealed->open(h.drill(second).reason), "真实事件优先");
  for (const std::string& bytes : h.journal->entries(0, 100))
    EXPECT_THAT(bytes, Not(HasSubstr("检修"))) << "what people write is sealed";
  auto gone = h.run(h.drills->begin("per_boss", second));
  ASSERT_FALSE(gone.ok());
  EXPECT_EQ(gone.problem().code, "drill.phase");
  h.begin(first);
  auto again = h.run(h.drills->begin("per_boss", first));
  ASSERT_FALSE(again.ok());
  EXPECT_EQ(again.problem().code, "drill.phase");
  EXPECT_THAT(h.journal->read([&] { return h.drills->all().size(); }), 2u);
  auto unknown = h.drills->plan({.scenario = "none", .org = "org_cn", .on_ms = 1});
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.problem().code, "drill.scenario");
}

TEST(Drill, who_was_invited_takes_part_beside_those_whom_the_scenario_names) {
  House h;
  auto made = h.run(h.drills->plan({.scenario = "outage",
                                    .org = "org_cn",
                                    .actor = "per_boss",
                                    .on_ms = kMonday,
                                    .invited = {"per_guest", "per_tech"}}));
  ASSERT_TRUE(made.ok());
  const std::string id(text_or(made->body, "drill"));
  h.restart();
  h.begin(id);
  EXPECT_THAT(h.drill(id).people,
              ElementsAre("per_duty", "per_tech", "per_other", "per_guest", "per_boss"));
  auto many = h.drills->plan({.scenario = "outage",
                              .org = "org_cn",
                              .on_ms = kMonday,
                              .invited = std::vector<std::string>(51, "per_guest")});
  ASSERT_FALSE(many);
  EXPECT_EQ(many.problem().code, "drill.people");
}

TEST(Drill, a_restart_changes_nothing) {
  House h;
  const std::string id = h.played(), moved = h.plan();
  EXPECT_TRUE(h.run(h.drills->move("per_boss", moved, kMonday + 9 * kMinute, "改期")).ok());
  const Drill before = h.drill(id), changed = h.drill(moved);
  h.restart();
  const Drill after = h.drill(id);
  EXPECT_EQ(h.drill(moved).on_ms, changed.on_ms);
  EXPECT_EQ(h.drill(moved).first_on_ms, changed.first_on_ms);
  EXPECT_EQ(h.drill(moved).reason, changed.reason);
  EXPECT_EQ(before.score, after.score);
  EXPECT_EQ(before.findings, after.findings);
  EXPECT_EQ(before.people, after.people);
  EXPECT_EQ(before.phase, after.phase);
}

TEST(Drill, a_live_case_is_told_to_everyone_as_before) {
  House h;
  auto started = h.run(h.engine->start({.procedure = "plan.outage",
                                        .org = "org_cn",
                                        .actor = "per_boss",
                                        .form = {{"severity", "III"}}}));
  ASSERT_TRUE(started.ok());
  h.pass(6);
  EXPECT_TRUE(h.told.people().contains("per_duty"));
}

TEST(Drill, the_report_names_limits_times_and_what_real_incidents_took) {
  House h;
  const std::string id = h.played();
  DrillReport report{.drill = h.drill(id),
                     .scenario = h.drills->folder().find("outage"),
                     .plan_title = {"中断预案", "Outage plan"},
                     .number = "D-O-2026-0001",
                     .real = {{"responding.mend", 3, 4, 25 * kMinute}},
                     .names = {{"per_tech", "何|涛"}},
                     .roles = {{"team:technical", {"技术组", "Technical team"}}}};
  const std::string zh = to_markdown(report, "zh"), en = to_markdown(report, "en");
  EXPECT_THAT(zh, HasSubstr("演练报告：中断演练"));
  EXPECT_THAT(zh, HasSubstr("80 / 100"));
  EXPECT_THAT(zh, HasSubstr("何\\|涛"));
  EXPECT_THAT(en, HasSubstr("| 25 min | missed |"));
  EXPECT_THAT(en, HasSubstr("| 3/4 | 25 min |"));
  EXPECT_THAT(en, HasSubstr("The spare fails too | Technical team |"));
  EXPECT_THAT(zh, HasSubstr("| 技术组 |"));
  EXPECT_THAT(to_html(report, "en", "/print.css"), HasSubstr("<td class=\"short\">missed</td>"));
}

TEST(Scenario, mistakes_are_told_at_their_place_and_a_file_with_one_is_not_run) {
  std::vector<Mistake> mistakes;
  const Library library = house(mistakes);
  auto told = [&](std::string text, const std::string& from, const std::string& to) {
    text.replace(text.find(from), from.size(), to);
    mistakes.clear();
    EXPECT_EQ(read_drill(text, "d.yaml", library, mistakes), nullptr) << to;
    return mistakes.empty() ? std::string("none") : mistakes[0].code;
  };
  EXPECT_EQ(told(kDrill, "plan: plan.outage", "plan: plan.none"), "drill.plan");
  EXPECT_EQ(told(kDrill, "severity: III,", "severity: IX,"), "drill.form");
  EXPECT_EQ(told(kDrill, "facts: {severity: II}", "facts: {severity: V}"), "drill.fact");
  EXPECT_EQ(told(kDrill, "act: reported.activate", "act: reported.fly"), "drill.act");
  EXPECT_EQ(told(kDrill, "to: [team:technical], text", "to: [post:pilot], text"), "drill.to");
  EXPECT_EQ(told(kDrill, "at: 10m", "at: 4h"), "drill.late");
  EXPECT_EQ(told(kDrill, "ends: 3h", "ends: 3wd"), "drill.span");
}

TEST(Content, every_scenario_fits_its_plan) {
  std::vector<Mistake> mistakes;
  const Library library = Library::load(CW_SOURCE_DIR "/content", mistakes);
  const DrillFolder folder = DrillFolder::load(CW_SOURCE_DIR "/content", library, mistakes);
  for (const Mistake& m : mistakes) ADD_FAILURE() << describe(m, "en");
  EXPECT_GE(folder.all().size(), 4u);
}

}  // namespace
}  // namespace cw
