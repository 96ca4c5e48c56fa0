// Drills and simulation over HTTP, on the demonstration centre.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api_testing.h"

namespace cw {
namespace {

using testing::HasSubstr;

using DrillApi = CentreApi;

TEST_F(DrillApi, a_drill_is_planned_begun_ended_scored_and_printed) {
  auto scenarios = ask("he", "GET", "/drill-scenarios");
  ASSERT_EQ(scenarios.status, 200) << scenarios.body;
  EXPECT_GE(body(scenarios).at("items").as_array().size(), 4u);
  auto planned = ask("he", "POST", "/drills",
                     json::object{{"scenario", "system-attack"}, {"on_at", clock_.now_ms()}});
  ASSERT_EQ(planned.status, 201) << planned.body;
  const std::string at = "/drills/" + std::string(text_or(body(planned), "id"));
  auto begun = ask("he", "POST", at + "/begin");
  ASSERT_EQ(begun.status, 200) << begun.body;
  EXPECT_THAT(begun.body, HasSubstr("\"D-"));
  clock_.advance_ms(9 * 60'000);
  in_->advance();
  // Who takes part sees what was told, and nothing of what is still to come.
  const json::object seen = body(ask("wang", "GET", at));
  EXPECT_EQ(seen.at("injects").as_array().size(), 1u);
  EXPECT_EQ(text_or(seen, "phase"), "running");
  EXPECT_EQ(ask("zheng", "POST", at + "/end").status, 403);
  auto ended = ask("he", "POST", at + "/end");
  ASSERT_EQ(ended.status, 200) << ended.body;
  const json::object drill = body(ended);
  EXPECT_EQ(text_or(drill, "phase"), "ended");
  EXPECT_EQ(int_or(drill, "percent", -1), 33);  // reported in time; then nobody did anything
  ASSERT_FALSE(drill.at("lines").as_array().empty());
  EXPECT_THAT(ended.body, HasSubstr("\"finding\":{"));
  std::int64_t opened = 0;
  for (const std::string& entry : in_->journal().entries(0, 10'000))
    opened += entry.find("\"drill.finding\"") != std::string::npos ? 1 : 0;
  EXPECT_EQ(int_or(drill, "findings"), opened)
      << "what was missed as a task and as an expected act is corrected once";
  EXPECT_THAT(ask("wang", "GET", at + "/print?lang=en").body, HasSubstr("Drill report"));
  EXPECT_THAT(ask("wang", "GET", at + "/print?format=markdown").body, HasSubstr("# 演练报告"));
  EXPECT_EQ(body(ask("wang", "GET", "/drills?year=2026")).at("items").as_array().size(), 1u);
  EXPECT_EQ(body(ask("wang", "GET", "/drills?year=2025")).at("items").as_array().size(), 0u);
}

TEST_F(DrillApi, the_years_plan_is_moved_and_cancelled_with_a_reason_and_shows_what_is_missing) {
  const json::object scenarios = body(ask("he", "GET", "/drill-scenarios"));
  const json::object& first = scenarios.at("items").as_array()[0].as_object();
  const json::object& role = first.at("participants").as_array()[0].as_object();
  EXPECT_EQ(text_or(role, "what"), "post:duty-officer");
  EXPECT_EQ(text_or(role.at("title").as_object(), "zh"), "值班长");
  EXPECT_FALSE(role.at("people").as_array().empty());
  EXPECT_EQ(ask("wang", "GET", "/drill-scenarios").status, 403);

  const std::string guest(
      text_or(body(ask("zheng", "GET", "/session")).at("person").as_object(), "id"));
  auto plan = [&](const json::array& people) {
    return ask(
        "he", "POST", "/drills",
        json::object{
            {"scenario", "trunk"}, {"on_at", clock_.now_ms() + 86'400'000}, {"people", people}});
  };
  auto nobody = plan({"per_nobody"});
  EXPECT_EQ(nobody.status, 422);
  EXPECT_THAT(nobody.body, HasSubstr("/people/0"));
  auto planned = plan({json::string(guest)});
  ASSERT_EQ(planned.status, 201) << planned.body;
  const std::string at = "/drills/" + std::string(text_or(body(planned), "id"));
  auto line = [&](const std::string& id) {
    const json::object all = body(ask("wang", "GET", "/drill-coverage?year=2026"));
    for (const auto& v : all.at("items").as_array())
      if (text_or(v.as_object(), "plan") == id) return v.as_object();
    ADD_FAILURE() << id;
    return json::object{};
  };
  EXPECT_EQ(text_or(line("plan.trunk"), "state"), "planned");
  EXPECT_EQ(text_or(line("plan.system-attack"), "state"), "unplanned");
  const json::object all = body(ask("wang", "GET", "/drill-coverage?year=2026"));
  EXPECT_GE(all.at("items").as_array().size(), 21u);
  for (const auto& v : all.at("items").as_array())
    EXPECT_NE(text_or(v.as_object(), "state"), "no-scenario") << text_or(v.as_object(), "plan");

  auto silent = ask("he", "POST", at + "/move", json::object{{"on_at", clock_.now_ms()}});
  EXPECT_EQ(silent.status, 422);
  EXPECT_THAT(silent.body, HasSubstr("/reason"));
  EXPECT_EQ(ask("zheng", "POST", at + "/cancel", json::object{{"reason", "x"}}).status, 403);
  const std::int64_t later = clock_.now_ms() + 3 * 86'400'000ll;
  EXPECT_EQ(
      ask("he", "POST", at + "/move", json::object{{"on_at", later}, {"reason", "与割接冲突"}})
          .status,
      200);
  json::object drill = body(ask("wang", "GET", at));
  EXPECT_EQ(int_or(drill, "on_at"), later);
  EXPECT_EQ(int_or(drill, "moved_from"), clock_.now_ms() + 86'400'000);
  EXPECT_EQ(text_or(drill, "reason"), "与割接冲突");
  EXPECT_EQ(int_or(drill, "injects_total"), 6) << "as the scenario of trunk says";
  EXPECT_TRUE(drill.at("injects").as_array().empty()) << "wang takes part";
  EXPECT_EQ(text_or(drill.at("participants").as_array().back().as_object(), "what"), "people");
  EXPECT_EQ(ask("he", "POST", at + "/cancel", json::object{{"reason", "真实故障优先"}}).status,
            200);
  drill = body(ask("wang", "GET", "/drills?year=2026")).at("items").as_array()[0].as_object();
  EXPECT_EQ(text_or(drill, "phase"), "cancelled");
  EXPECT_EQ(text_or(drill, "reason"), "真实故障优先");
  EXPECT_EQ(text_or(line("plan.trunk"), "state"), "unplanned");
}

TEST_F(DrillApi, one_that_is_broken_off_is_not_scored_and_does_not_cover_its_plan) {
  auto planned = ask("he", "POST", "/drills",
                     json::object{{"scenario", "system-attack"}, {"on_at", clock_.now_ms()}});
  ASSERT_EQ(planned.status, 201) << planned.body;
  const std::string id(text_or(body(planned), "id"));
  ask("he", "POST", "/drills/" + id + "/begin");
  const json::object ended = body(ask("he", "POST", "/drills/" + id + "/end"));
  EXPECT_FALSE(ended.contains("percent"));
  EXPECT_EQ(int_or(ended, "expected"), 6) << "as the scenario of system-attack says";
  EXPECT_EQ(int_or(ended, "unjudged"), 6);
  const json::object all = body(ask("wang", "GET", "/drill-coverage"));
  for (const auto& v : all.at("items").as_array())
    if (text_or(v.as_object(), "plan") == "plan.system-attack") {
      EXPECT_EQ(text_or(v.as_object(), "state"), "broken-off");
      EXPECT_EQ(text_or(v.as_object(), "last"), id);
      EXPECT_EQ(int_or(v.as_object(), "ended"), 0);
      EXPECT_FALSE(v.as_object().contains("percent"));
    }
}

TEST_F(DrillApi, a_case_names_its_drill_and_an_ended_one_covers_its_plan) {
  auto planned = ask("he", "POST", "/drills",
                     json::object{{"scenario", "system-attack"}, {"on_at", clock_.now_ms()}});
  ASSERT_EQ(planned.status, 201) << planned.body;
  const std::string id(text_or(body(planned), "id"));
  const json::object begun = body(ask("he", "POST", "/drills/" + id + "/begin"));
  const std::string c(text_or(begun.at("case_ref").as_object(), "id"));
  auto of = [&](const std::string& case_id) {
    return body(ask("wang", "GET", "/drills?case=" + case_id)).at("items").as_array();
  };
  ASSERT_EQ(of(c).size(), 1u);
  EXPECT_EQ(text_or(of(c)[0].as_object(), "id"), id);
  EXPECT_EQ(int_or(of(c)[0].as_object(), "compress"), 120);
  EXPECT_EQ(int_or(of(c)[0].as_object(), "ends_at"), clock_.now_ms() + 3 * 3'600'000);
  EXPECT_TRUE(of("cas_none").empty());
  for (int minutes = 0; minutes < 181; minutes += 10) {  // to its latest time
    clock_.advance_ms(600'000);
    in_->advance();
  }
  sessions_.clear();  // hours later everybody signs in again
  const json::object ended = body(ask("he", "GET", "/drills/" + id));
  EXPECT_EQ(text_or(ended, "why"), "time");
  EXPECT_EQ(int_or(ended, "unjudged", -1), 0);
  EXPECT_GT(int_or(ended, "findings_open"), 0);
  for (const auto& v : ended.at("lines").as_array())
    if (v.as_object().contains("finding")) {
      EXPECT_FALSE(v.as_object().at("finding_closed").as_bool());
      EXPECT_TRUE(v.as_object().contains("finding_state"));
    }
  const json::object all = body(ask("wang", "GET", "/drill-coverage"));
  for (const auto& v : all.at("items").as_array())
    if (text_or(v.as_object(), "plan") == "plan.system-attack") {
      EXPECT_EQ(text_or(v.as_object(), "state"), "drilled");
      EXPECT_EQ(text_or(v.as_object(), "last"), id);
      EXPECT_EQ(int_or(v.as_object(), "ended"), 1);
    }
}

TEST_F(DrillApi, a_procedure_is_simulated_with_assumed_and_with_real_people) {
  auto house = ask("he", "POST", "/procedures/corrective-action/simulate",
                   json::object{{"runs", 10}, {"seed", 3}});
  ASSERT_EQ(house.status, 200) << house.body;
  EXPECT_EQ(int_or(body(house), "runs"), 10);
  EXPECT_TRUE(body(house).contains("limits"));
  auto real = ask("he", "POST", "/procedures/corrective-action/simulate",
                  json::object{{"runs", 5}, {"people", "real"}});
  EXPECT_EQ(real.status, 200) << real.body;
  EXPECT_EQ(ask("he", "POST", "/procedures/none/simulate").status, 404);
  EXPECT_EQ(
      ask("he", "POST", "/procedures/corrective-action/simulate", json::object{{"runs", 1'001}})
          .status,
      422);
  auto wrong = ask("he", "POST", "/procedures/corrective-action/simulate",
                   json::object{{"text", "procedure: x"}});
  EXPECT_EQ(wrong.status, 422);
  EXPECT_THAT(wrong.body, HasSubstr("procedure.mistakes"));
}

}  // namespace
}  // namespace cw
