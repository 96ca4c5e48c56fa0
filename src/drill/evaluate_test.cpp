#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "house_test.h"

namespace cw {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::Key;
using testing::Not;
using testing::SizeIs;

std::string code_of(const Result<Answer>& answer) {
  return answer ? "done" : answer.problem().code;
}

class Evaluation : public testing::Test {
 protected:
  Result<Answer> observe(const std::string& who, const std::string& about,
                         const std::string& rating = "good", const std::string& text = "看到") {
    return h.run(h.drills->observe(
        {.actor = who, .id = id, .about = about, .rating = rating, .text = text}));
  }
  Result<Answer> conclude(const std::string& who, bool revise = false,
                          const std::string& text = "总体有序") {
    return h.run(h.drills->conclude(
        {.actor = who, .id = id, .grade = "pass", .text = text, .revise = revise}));
  }

  House h;
  std::string id;
};

TEST_F(Evaluation, evaluators_take_no_part_and_hear_what_participants_hear) {
  id = h.plan({"per_eye", "per_other"});  // who is of the technical team evaluates this time
  const std::string c = h.begin(id);
  EXPECT_THAT(h.drill(id).people, testing::ElementsAre("per_duty", "per_tech", "per_boss"));
  h.pass(11);
  ASSERT_FALSE(h.told.notices.empty());
  EXPECT_EQ(h.told.notices.back().text.en, "The spare fails too");
  EXPECT_THAT(h.told.notices.back().people,
              testing::ElementsAre("per_tech", "per_eye", "per_other"));
  const std::size_t told = h.told.notices.size();
  EXPECT_TRUE(h.drills->end(*h.journal, "per_boss", id).ok());
  h.act(c, "per_duty", "activate", {{"severity", "II"}});
  for (std::size_t i = told; i < h.told.notices.size(); ++i)
    EXPECT_THAT(h.told.notices[i].people, Not(Contains("per_eye"))) << "after the end";
}

TEST_F(Evaluation, evaluators_are_at_most_ten_other_people_than_director_and_participants) {
  auto planned = [&](std::vector<std::string> evaluators, std::vector<std::string> invited = {}) {
    auto made = h.run(h.drills->plan({.scenario = "outage",
                                      .org = "org_cn",
                                      .actor = "per_boss",
                                      .on_ms = kMonday,
                                      .invited = std::move(invited),
                                      .evaluators = std::move(evaluators)}));
    return made ? "done" : made.problem().code + " " + made.problem().fields.at(0).pointer;
  };
  EXPECT_EQ(planned({"per_eye", "per_ear"}), "done");
  EXPECT_EQ(planned({"per_eye", "per_boss"}), "drill.evaluator /evaluators/1");
  EXPECT_EQ(planned({"per_guest"}, {"per_guest"}), "drill.evaluator /evaluators/0");
  EXPECT_EQ(planned({"per_eye", "per_eye"}), "drill.evaluator /evaluators/0");
  EXPECT_EQ(planned(std::vector<std::string>(11, "per_eye")), "drill.evaluator /evaluators");
}

TEST_F(Evaluation, is_observed_by_evaluators_and_the_director_of_acts_and_of_what_was_told) {
  id = h.plan({"per_eye"});
  EXPECT_EQ(code_of(observe("per_eye", "")), "drill.phase") << "not begun";
  h.begin(id);
  EXPECT_EQ(code_of(observe("per_eye", "inject:1")), "drill.about") << "not told";
  h.pass(11);
  EXPECT_EQ(code_of(observe("per_eye", "inject:1")), "done");
  EXPECT_EQ(code_of(observe("per_eye", "responding.mend", "poor", "没有戴手套")), "done");
  EXPECT_EQ(code_of(observe("per_boss", "")), "done");
  EXPECT_EQ(code_of(observe("per_tech", "")), "drill.evaluates");
  for (const char* about : {"inject:2", "inject:01", "inject:", "responding.fly", "responding"})
    EXPECT_EQ(code_of(observe("per_eye", about)), "drill.about") << about;
  EXPECT_EQ(code_of(observe("per_eye", "", "fine")), "drill.rating");
  for (const std::string& text : {std::string(" "), std::string(2'001, 'x'), std::string("\xff")})
    EXPECT_EQ(code_of(observe("per_eye", "", "good", text)), "drill.text");
  EXPECT_EQ(code_of(conclude("per_boss")), "drill.phase") << "it runs";
  const Drill d = h.drill(id);
  ASSERT_THAT(d.observations, SizeIs(3));
  EXPECT_EQ(d.observations[1].rating, "poor");
  EXPECT_EQ(*h.sealed->open(d.observations[1].text), "没有戴手套");
  for (const std::string& bytes : h.journal->entries(0, 1'000))
    EXPECT_THAT(bytes, Not(HasSubstr("手套"))) << "what people write is sealed";
}

TEST_F(Evaluation, has_at_most_two_hundred_observations) {
  id = h.plan({"per_eye"});
  h.begin(id);
  for (int i = 0; i < 200; ++i) ASSERT_TRUE(observe("per_eye", "").ok());
  EXPECT_EQ(code_of(observe("per_eye", "")), "drill.observations");
}

TEST_F(Evaluation, is_concluded_once_by_the_director_and_what_was_poor_is_to_be_corrected_once) {
  id = h.played({"per_eye"});
  ASSERT_THAT(h.drill(id).findings, SizeIs(1)) << "the late mending";
  ASSERT_TRUE(observe("per_eye", "", "adequate").ok());
  ASSERT_TRUE(observe("per_eye", "responding.mend", "poor", "备件清单过期").ok());
  EXPECT_EQ(code_of(conclude("per_eye")), "drill.concludes");
  EXPECT_EQ(code_of(h.run(
                h.drills->conclude({.actor = "per_boss", .id = id, .grade = "best", .text = "x"}))),
            "drill.grade");
  EXPECT_EQ(code_of(conclude("per_boss", true, " ")), "drill.text");
  ASSERT_EQ(code_of(conclude("per_boss", true)), "done");
  for (int i = 0; i < 2; ++i) EXPECT_TRUE(h.drills->open_findings(*h.journal, "per_boss", id).ok());
  EXPECT_TRUE(h.drills->end(*h.journal, "per_boss", id).ok());
  const Drill d = h.drill(id);
  EXPECT_THAT(d.findings, SizeIs(3));
  EXPECT_THAT(d.findings, Contains(Key("observation:2")));
  EXPECT_THAT(d.findings, Contains(Key("revise")));
  const CaseView action =
      h.journal->read([&] { return *h.engine->view(d.findings.at("observation:2"), ""); });
  EXPECT_EQ(action.procedure, "corrective-action");
  EXPECT_EQ(action.mode, CaseMode::live);
  EXPECT_EQ(code_of(observe("per_eye", "")), "drill.archived");
  EXPECT_EQ(code_of(conclude("per_boss")), "drill.archived");
}

TEST_F(Evaluation, that_finds_nothing_opens_no_corrective_action) {
  id = h.played({"per_eye"});
  ASSERT_TRUE(observe("per_eye", "", "good").ok());
  ASSERT_TRUE(conclude("per_boss").ok());
  EXPECT_TRUE(h.drills->open_findings(*h.journal, "per_boss", id).ok());
  EXPECT_THAT(h.drill(id).findings, SizeIs(1)) << "the late mending";
}

TEST_F(Evaluation, comes_back_after_a_restart_by_replay_and_from_a_snapshot) {
  id = h.played({"per_eye"});
  ASSERT_TRUE(observe("per_eye", "inject:1", "poor", "通知太慢").ok());
  ASSERT_TRUE(conclude("per_boss", true).ok());
  ASSERT_TRUE(h.drills->open_findings(*h.journal, "per_boss", id).ok());
  const std::string before = *h.journal->read([&] { return h.drills->save_slice(0); });
  for (const bool snapshot : {false, true}) {
    if (snapshot) h.journal->snapshot();
    h.restart();
    EXPECT_EQ(*h.journal->read([&] { return h.drills->save_slice(0); }), before);
  }
  const Drill d = h.drill(id);
  ASSERT_THAT(d.observations, SizeIs(1));
  EXPECT_EQ(d.observations[0].by, "per_eye");
  EXPECT_EQ(d.observations[0].about, "inject:1");
  EXPECT_GT(d.observations[0].at_ms, kMonday);
  ASSERT_TRUE(d.conclusion);
  EXPECT_EQ(d.conclusion->grade, "pass");
  EXPECT_TRUE(d.conclusion->revise);
  EXPECT_THAT(d.evaluators, testing::ElementsAre("per_eye"));
}

TEST_F(Evaluation, stands_in_the_report_and_says_what_was_destroyed) {
  id = h.played({"per_eye"});
  ASSERT_TRUE(observe("per_eye", "responding.mend", "poor", "备件|清单过期").ok());
  ASSERT_TRUE(conclude("per_boss", true, "须改进").ok());
  DrillReport report{.drill = h.drill(id),
                     .scenario = h.drills->folder().find("outage"),
                     .names = {{"per_eye", "秦雨"}, {"per_boss", "贺峰"}},
                     .observed = {"备件|清单过期"},
                     .concluded = "须改进"};
  report.drill.findings["observation:1"] = "CA-2026-0002";
  const std::string zh = to_markdown(report, "zh"), en = to_markdown(report, "en");
  EXPECT_THAT(zh, HasSubstr("评估人：秦雨"));
  EXPECT_THAT(zh, HasSubstr("| 差 | 备件\\|清单过期 | CA-2026-0002 |"));
  EXPECT_THAT(zh, HasSubstr("| 贺峰 | 合格 | 须改进 | 须修订 |"));
  EXPECT_THAT(en, HasSubstr("## Conclusion"));
  EXPECT_THAT(en, HasSubstr("| Poor |"));
  EXPECT_THAT(to_html(report, "en", "/print.css"), HasSubstr("<h2>Observations</h2>"));
  report.observed = {""};
  EXPECT_THAT(to_markdown(report, "zh"), HasSubstr("| 差 | 内容已依法销毁 |"));
}

}  // namespace
}  // namespace cw
