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
  EXPECT_THAT(ask("wang", "GET", at + "/print?lang=en").body, HasSubstr("Drill report"));
  EXPECT_THAT(ask("wang", "GET", at + "/print?format=markdown").body, HasSubstr("# 演练报告"));
  EXPECT_EQ(body(ask("wang", "GET", "/drills?year=2026")).at("items").as_array().size(), 1u);
  EXPECT_EQ(body(ask("wang", "GET", "/drills?year=2025")).at("items").as_array().size(), 0u);
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
