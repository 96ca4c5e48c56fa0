// Drills and simulation over HTTP, on the demonstration centre.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "centre.h"
#include "http/client.h"

namespace cw {
namespace {

using testing::HasSubstr;

class DrillApi : public ::testing::Test {
 protected:
  DrillApi() {
    char name[] = "/tmp/cw-drills-XXXXXX";
    folder_ = ::mkdtemp(name);
    InstallationOptions options{.data = folder_,
                                .content = std::filesystem::path(CW_SOURCE_DIR) / "content",
                                .version = "test",
                                .threads = false,
                                .reserve_bytes = 1 << 20};
    options.access.cost = PasswordCost{.passes = 1, .memory_bytes = 8 << 10};
    in_ = std::make_unique<Installation>(options, clock_, random_);
    auto opened = in_->open();
    EXPECT_TRUE(opened.ok()) << (opened ? "" : opened.problem().text.en);
    auto made = Centre::make(*in_, "a long password 1");
    EXPECT_TRUE(made.ok()) << (made ? "" : made.problem().text.en);
    EXPECT_TRUE(in_->serve({.port = 0}, {}, &offset_).ok());
  }
  ~DrillApi() override {
    in_.reset();
    std::filesystem::remove_all(folder_);
  }

  http::ClientResponse ask(const std::string& login, std::string_view method,
                           const std::string& path, const json::value& body = json::object{}) {
    http::Client client("127.0.0.1", in_->server()->port());
    auto& headers = sessions_[login];
    if (!headers.get("Cookie")) {
      auto in = client.post_json("/api/v1/session",
                                 {{"login", login}, {"password", "a long password 1"}});
      EXPECT_TRUE(in.ok() && in->status == 200) << login;
      std::string line(in->headers.get_or("Set-Cookie"));
      headers.set("Cookie", line.substr(0, line.find(';')));
      headers.set("X-CSRF", std::string(text_or(parse_json(in->body)->get_object(), "csrf")));
      headers.set("Content-Type", "application/json");
    }
    auto answer = client.request(method, "/api/v1" + path, headers,
                                 method == "GET" ? "" : json::serialize(body));
    EXPECT_TRUE(answer.ok()) << path;
    return answer ? std::move(*answer) : http::ClientResponse{};
  }
  json::object body(const http::ClientResponse& answer) {
    auto parsed = parse_json(answer.body, {.size_max = 8 << 20});
    return parsed && parsed->is_object() ? parsed->get_object() : json::object{};
  }

  std::string folder_;
  ManualClock clock_{1'795'305'600'000};  // Sunday 2026-11-22, 08:00 in Shanghai
  OffsetClock offset_;
  SystemRandom random_;
  std::unique_ptr<Installation> in_;
  std::map<std::string, http::Headers> sessions_;
};

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
