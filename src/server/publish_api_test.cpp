// Publishing over HTTP, on the demonstration centre: the draft in review, its way into force, the
// versions, a migration.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api_testing.h"

namespace cw {
namespace {

using testing::HasSubstr;

class PublishApi : public CentreApi {
 protected:
  json::object first_revision() {
    const json::object all = read("li", "/revisions");
    return all.at("items").as_array().at(0).as_object();
  }
  std::string text(const std::string& at) {
    const json::object o = read("he", "/definitions/procedures/plan.customer-leak/text?at=" + at);
    return std::string(text_or(o, "text"));
  }
  std::string revision_id() { return std::string(text_or(first_revision(), "id")); }
};

TEST_F(PublishApi, TheDemonstrationsRevisionIsReadComparedPassedSimulatedApprovedAndInForce) {
  const std::string id = revision_id(), at = "/revisions/" + id;
  EXPECT_EQ(text_or(first_revision(), "phase"), "in_review");
  const json::object seen = read("qian", at);
  EXPECT_TRUE(seen.at("mistakes").as_array().empty());
  std::string can;
  for (const auto& step : seen.at("steps").as_array())
    if (bool_or(step.as_object(), "can"))
      can += std::string(text_or(step.as_object(), "step")) + " ";
  EXPECT_EQ(can, "comment return pass ");
  EXPECT_EQ(text_or(seen.at("revision").as_object(), "next"), "pass");
  const json::object diff =
      body(ask("qian", "POST", "/definitions/procedures/plan.customer-leak/diff",
               json::object{{"from", "in_force"}, {"to", id}, {"context", 0}}));
  EXPECT_EQ(int_or(diff, "added"), 2) << "the version and the limit";
  EXPECT_THAT(json::serialize(diff.at("parts")), HasSubstr("responding.contain"));
  EXPECT_EQ(code(ask("he", "POST", at + "/pass")), "definition.own");
  EXPECT_EQ(ask("qian", "POST", at + "/pass", json::object{{"remark", "可以"}}).status, 200);
  EXPECT_EQ(code(ask("li", "POST", at + "/approve")), "definition.simulation");
  auto report = ask("he", "POST", at + "/simulate", json::object{{"runs", 100}, {"seed", 3}});
  ASSERT_EQ(report.status, 200) << report.body;
  json::object approval{};
  if (!bool_or(body(report), "pass")) approval["waiver"] = "现场演练已证明可行";
  auto approved = ask("li", "POST", at + "/approve", approval);
  ASSERT_EQ(approved.status, 200) << approved.body;
  EXPECT_EQ(text_or(body(approved), "phase"), "effective") << "at once when no moment is given";
  const json::object history = read("liu", "/definitions/procedures/plan.customer-leak");
  const json::object now = history.at("versions").as_array().at(0).as_object();
  EXPECT_EQ(text_or(now, "origin"), "published");
  EXPECT_EQ(text_or(now.at("reviewed_by").as_object(), "name"), "钱雯");
  EXPECT_EQ(text_or(now.at("approved_by").as_object(), "name"), "李卫东");
  EXPECT_GT(in_->notify().unread(centre_->id("he")), 0u) << "the author learns of it";
  const json::object procedure = read("he", "/procedures/plan.customer-leak");
  EXPECT_EQ(int_or(procedure, "version"), int_or(now, "version"));
}

TEST_F(PublishApi, ATextIsCheckedLiveAndHostileOnesAreRefusedWithTheirPlace) {
  auto check = [&](std::string yaml) {
    json::array documents{json::object{
        {"kind", "procedures"}, {"id", "plan.customer-leak"}, {"text", std::move(yaml)}}};
    return ask("he", "POST", "/definitions/check",
               json::object{{"documents", std::move(documents)}});
  };
  const std::string in_force = text("in_force");  // signing in is an entry
  const std::uint64_t size = in_->journal().size();
  const auto good = check(in_force);
  ASSERT_EQ(good.status, 200) << good.body;
  EXPECT_TRUE(body(good).at("mistakes").as_array().empty());
  std::string wrong = text("in_force");
  wrong.replace(wrong.find("form: triage"), 12, "form: triaje");
  const auto told = check(wrong);
  const json::object first = body(told).at("mistakes").as_array().at(0).as_object();
  EXPECT_EQ(text_or(first, "file"), "procedures/plan.customer-leak.yaml");
  EXPECT_GT(int_or(first, "line"), 1);
  EXPECT_THAT(told.body, HasSubstr("no form 'triaje'"));
  for (const std::string& hostile :
       {std::string(10 << 20, 'a'), std::string("a: &x [1]\nb: *x\n"), std::string(5'000, '['),
        std::string("version: 1\nversion: 2\n"), std::string("x: \"\x01\"")}) {
    const auto refused = check(hostile);
    ASSERT_EQ(refused.status, 200) << refused.body.substr(0, 300);
    EXPECT_GT(int_or(body(refused).at("mistakes").as_array().at(0).as_object(), "line"), 0);
  }
  EXPECT_EQ(in_->journal().size(), size) << "nothing is stored";
  EXPECT_EQ(code(ask("li", "POST", "/definitions/check")), "permission.missing");
}

TEST_F(PublishApi, ANewTextIsSavedWithItsETagAndRunningCasesMoveToIt) {
  auto filed =
      ask("wang", "POST", "/cases",
          {{"procedure", "plan.customer-leak"},
           {"form", json::object{{"discovered_at", "2026-11-22T00:00:00Z"}, {"summary", "x"}}}});
  ASSERT_EQ(filed.status, 201) << filed.body;
  const json::object before = read("he", "/definitions/procedures/plan.customer-leak");
  const std::int64_t version = int_or(before.at("definition").as_object(), "version");
  EXPECT_EQ(int_or(before.at("versions").as_array().at(0).as_object(), "running"), 1);
  std::string yaml = text("in_force");
  const std::string line = "version: " + std::to_string(version);
  yaml.replace(yaml.find(line), line.size(), "version: " + std::to_string(version + 1));
  yaml.replace(yaml.find("limit: 5m"), 9, "limit: 4m");
  json::object saved{
      {"title", "确认时限"},
      {"documents", json::array{json::object{
                        {"kind", "procedures"}, {"id", "plan.customer-leak"}, {"text", yaml}}}}};
  auto made = ask("he", "POST", "/revisions", saved);
  ASSERT_EQ(made.status, 201) << made.body;
  const std::string at = "/revisions/" + std::string(text_or(body(made), "id"));
  ASSERT_EQ(ask("he", "PUT", at, saved).status, 200);
  for (const auto& [login, step, given] :
       {std::tuple{"he", "/submit", json::object{}},
        {"sun", "/pass", json::object{}},
        {"li", "/approve", json::object{{"waiver", "只改一处"}}}}) {
    auto answer = ask(login, "POST", at + step, given);
    ASSERT_EQ(answer.status, 200) << step << answer.body;
  }
  const std::string plan = "/definitions/procedures/plan.customer-leak";
  auto tried = ask("li", "POST", plan + "/migration-plan", json::object{{"from", version}});
  ASSERT_EQ(tried.status, 200) << tried.body;
  EXPECT_EQ(int_or(body(tried), "moves"), 1) << tried.body;
  EXPECT_THAT(tried.body, HasSubstr("task.ack"));
  EXPECT_EQ(code(ask("he", "POST", plan + "/migrations", json::object{{"from", version}})),
            "permission.missing");
  EXPECT_EQ(code(ask("li", "POST", plan + "/migrations",
                     json::object{{"from", version},
                                  {"map", json::object{{"tasks", json::object{{"a.b", 5}}}}}})),
            "migration.map");
  auto begun = ask("li", "POST", plan + "/migrations", json::object{{"from", version}});
  ASSERT_EQ(begun.status, 201) << begun.body;
  in_->advance();
  const json::object run = read("liu", "/migrations/" + std::string(text_or(body(begun), "id")));
  EXPECT_EQ(text_or(run, "phase"), "done");
  EXPECT_EQ(int_or(run, "moved"), 1);
  const json::object moved = read("wang", "/cases/" + std::string(text_or(body(filed), "id")));
  EXPECT_THAT(json::serialize(moved), HasSubstr("\"version\":" + std::to_string(version + 1)));
}

// A notice without a case leads to the screen of what it is about.
TEST_F(PublishApi, WhomARevisionWaitsForIsToldAndLedToItsScreen) {
  const std::string id = revision_id(), path = "/revisions/" + id;
  auto told = [&](const std::string& login) {
    std::string out;
    const json::object inbox = read(login, "/notices");
    for (const auto& n : inbox.at("items").as_array()) {
      const json::object& notice = n.as_object();
      if (text_or(notice, "about") != "revision") continue;
      EXPECT_EQ(text_or(notice, "path"), path) << login;
      EXPECT_FALSE(notice.contains("case_ref"));
      out += std::string(text_or(notice.at("title").as_object(), "en")) + "\n";
    }
    return out;
  };
  EXPECT_EQ(told("qian"), "A revision waits for your review\n");
  EXPECT_EQ(told("li"), "") << "not yet";
  EXPECT_THAT(told("he"), testing::Not(HasSubstr("waits"))) << "never an author";
  ASSERT_EQ(ask("qian", "POST", path + "/pass").status, 200);
  EXPECT_THAT(told("li"), HasSubstr("A revision waits for your approval\n"));
  EXPECT_THAT(told("he"), HasSubstr("The revision passed its review\n"));
  ASSERT_EQ(ask("li", "POST", path + "/return", json::object{{"reason", "再议"}}).status, 200);
  EXPECT_THAT(told("he"), HasSubstr("The revision was returned\n"));
  EXPECT_THAT(told("qian"), HasSubstr("The revision was returned\n"));
}

TEST_F(PublishApi, AProcedureIsRetiredNamedInTheRefusalAndListedAsSuch) {
  const json::array documents{
      json::object{{"kind", "procedures"}, {"id", "plan.fire"}, {"retire", true}}};
  // Every drill of the plan is told, and nothing is hindered by it.
  const json::object checked =
      body(ask("he", "POST", "/definitions/check", json::object{{"documents", documents}}));
  EXPECT_TRUE(checked.at("mistakes").as_array().empty()) << json::serialize(checked);
  EXPECT_THAT(json::serialize(checked.at("warnings")), HasSubstr("\"file\":\"drills/fire.yaml\""));
  auto both = documents;
  both[0].as_object()["text"] = "x";
  EXPECT_EQ(code(ask("he", "POST", "/definitions/check", json::object{{"documents", both}})),
            "definition.text");

  auto made = ask("he", "POST", "/revisions",
                  json::object{{"title", "停用火灾预案"}, {"documents", documents}});
  ASSERT_EQ(made.status, 201) << made.body;
  const std::string at = "/revisions/" + std::string(text_or(body(made), "id"));
  for (const auto& [login, step] :
       {std::pair{"he", "/submit"}, {"qian", "/pass"}, {"li", "/approve"}}) {
    auto answer = ask(login, "POST", at + step);
    ASSERT_EQ(answer.status, 200) << step << answer.body;
  }
  const json::object seen = read("li", at);
  EXPECT_EQ(text_or(seen.at("revision").as_object(), "phase"), "effective");
  auto refused = ask("wang", "POST", "/cases",
                     json::object{{"procedure", "plan.fire"}, {"form", json::object{}}});
  EXPECT_EQ(refused.status, 422);
  EXPECT_EQ(code(refused), "case.retired");
  EXPECT_THAT(refused.body, HasSubstr("已停用"));

  auto listed = [&](const std::string& query) {
    const json::object all = read("wang", "/procedures" + query);
    for (const auto& p : all.at("items").as_array())
      if (text_or(p.as_object(), "id") == "plan.fire") return p.as_object();
    return json::object{};
  };
  EXPECT_TRUE(listed("").empty()) << "no case can start with it";
  EXPECT_GT(int_or(listed("?retired=true"), "retired_at"), 0);
  EXPECT_GT(int_or(read("wang", "/procedures/plan.fire"), "retired_at"), 0);
  const json::object history = read("he", "/definitions/procedures/plan.fire");
  const json::object& last = history.at("versions").as_array().at(0).as_object();
  EXPECT_TRUE(bool_or(last, "retires"));
  EXPECT_EQ(text_or(last.at("approved_by").as_object(), "name"), "李卫东");
  const json::object& now = history.at("definition").as_object();
  EXPECT_EQ(int_or(now, "version_next"), int_or(now, "version") + 1);
  EXPECT_EQ(ask("he", "GET", "/definitions/procedures/plan.fire/text").status, 404);
  const json::object text = read("he", "/definitions/procedures/plan.fire/text?at=latest");
  EXPECT_THAT(std::string(text_or(text, "text")), HasSubstr("procedure: plan.fire\n"));
}

}  // namespace
}  // namespace cw
