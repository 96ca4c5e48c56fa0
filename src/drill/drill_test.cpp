#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "house_test.h"

namespace cw {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;

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

TEST(Drill, one_that_is_ended_at_once_is_not_scored_and_says_what_was_not_judged) {
  House h;
  const std::string id = h.plan();
  h.begin(id);
  EXPECT_TRUE(h.drills->end(*h.journal, "per_boss", id).ok());
  const Drill d = h.drill(id);
  EXPECT_EQ(d.why, "director");
  EXPECT_FALSE(d.score.percent) << "neither 100 nor 0";
  EXPECT_EQ(d.score.unjudged, 2);
  EXPECT_EQ(d.score.expected(), 2);
  const std::string zh = to_markdown({.drill = d}, "zh"), en = to_markdown({.drill = d}, "en");
  EXPECT_THAT(zh, HasSubstr("得分：未评分"));
  EXPECT_THAT(zh, HasSubstr("2 项，其中 2 项未评"));
  EXPECT_THAT(en, HasSubstr("Expected acts: 2, 2 not judged"));
}

TEST(Drill, what_a_closed_case_left_undone_is_missed_and_what_was_never_told_is_not_judged) {
  House early, late;
  for (House* h : {&early, &late}) {
    const std::string id = h->plan(), c = h->begin(id);
    h->pass(h == &early ? 3 : 12);  // the inject is told in the tenth minute
    h->act(c, "per_duty", "dismiss");
    h->pass(1);
    const Drill d = h->drill(id);
    EXPECT_EQ(d.why, "closed");
    const DrillLine& activate = line(d.score, "reported.activate", DrillLine::Kind::act);
    EXPECT_FALSE(activate.met);
    EXPECT_EQ(activate.took_ms, -1);
    EXPECT_EQ(d.score.unjudged, h == &early ? 1 : 0);
    EXPECT_EQ(d.score.expected(), 2);
    if (h == &late) {
      EXPECT_FALSE(line(d.score, "responding.mend#1", DrillLine::Kind::act).met);
    }
    EXPECT_EQ(d.score.percent, h == &early ? 50 : 25) << "closing met the clock that it stops";
    EXPECT_THAT(d.findings, SizeIs(h == &early ? 1 : 3)) << "each is to be corrected";
    h->restart();
    EXPECT_EQ(h->drill(id).score, d.score);
  }
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
  const Library library = house();
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
  EXPECT_EQ(told(kDrill, "within: 15m", "within: 171m"), "drill.late");
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
