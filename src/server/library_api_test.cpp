// The library over HTTP: sources of limits, playbooks out and in, due times explained.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api_testing.h"

namespace cw {
namespace {

using testing::HasSubstr;

class LibraryApi : public CentreApi {
 protected:
  // Sends a playbook as a person would hand in a file: the bytes as they are.
  http::ClientResponse import(const std::string& login, const std::string& playbook) {
    ask(login, "GET", "/session");
    http::Headers headers = sessions_[login];
    http::Client client("127.0.0.1", in_->server()->port());
    auto answer = client.request("POST", "/api/v1/procedures/import-cacao", headers, playbook);
    EXPECT_TRUE(answer.ok());
    return answer ? std::move(*answer) : http::ClientResponse{};
  }
};

TEST_F(LibraryApi, a_limit_that_comes_from_law_names_its_article_and_how_certain_it_is) {
  const json::object plan = read("wang", "/procedures/data-incident");
  bool found = false;
  for (const json::value& clock : plan.at("clocks").as_array())
    found |= text_or(clock.as_object(), "regulation") == "CAC-2025-4";
  EXPECT_TRUE(found);
  const json::object& law = plan.at("regulations").as_object().at("CAC-2025-4").as_object();
  EXPECT_EQ(text_or(law, "article"), "4");
  const json::object& edition = law.at("editions").as_array().at(0).as_object();
  EXPECT_EQ(text_or(edition, "certainty"), "read");
  EXPECT_EQ(text_or(edition.at("within").as_object(), "cii"), "1h");
  // A limit of law without a table names it, too.
  const json::object request = read("wang", "/procedures/subject-request");
  EXPECT_TRUE(request.at("regulations").as_object().contains("GBT-35273-8.7"));
}

TEST_F(LibraryApi, a_procedure_goes_out_as_a_playbook_and_comes_home_unchanged) {
  auto out = ask("wang", "GET", "/procedures/plan.customer-leak/cacao?lang=zh");
  ASSERT_EQ(out.status, 200) << out.body;
  EXPECT_THAT(std::string(out.headers.get_or("Content-Disposition")),
              HasSubstr("plan.customer-leak.cacao.json"));
  EXPECT_THAT(out.body, HasSubstr("\"spec_version\":\"cacao-2.0\""));
  auto home = import("he", out.body);
  ASSERT_EQ(home.status, 200) << home.body;
  EXPECT_TRUE(bool_or(body(home), "exact"));
  EXPECT_EQ(text_or(body(home), "procedure"), "plan.customer-leak");
  EXPECT_EQ(ask("wang", "GET", "/procedures/none/cacao").status, 404);
  EXPECT_EQ(ask("wang", "GET", "/procedures/plan.fire/cacao?lang=fr").status, 422);
}

TEST_F(LibraryApi, a_strange_playbook_becomes_a_draft_with_a_report_and_stores_nothing) {
  const std::string playbook = R"({"type":"playbook","spec_version":"cacao-2.0",
    "id":"playbook--a0777575-5c4c-4710-9f01-15776103837f","name":"Block an address",
    "created_by":"identity--b7c3a1ad-6f4f-4d5f-8a3c-0d5a1e1f2a3b",
    "created":"2026-01-01T00:00:00.000Z","modified":"2026-01-01T00:00:00.000Z","labels":["x"],
    "workflow_start":"start--a1e2a1b0-8f6e-4c53-9d4a-1f2e3d4c5b6a",
    "workflow":{
     "start--a1e2a1b0-8f6e-4c53-9d4a-1f2e3d4c5b6a":{"type":"start",
       "on_completion":"action--b2e2a1b0-8f6e-4c53-9d4a-1f2e3d4c5b6a"},
     "action--b2e2a1b0-8f6e-4c53-9d4a-1f2e3d4c5b6a":{"type":"TYPE","name":"Block it",
       "commands":[{"type":"manual","command":"Block it"}],
       "agent":"individual--d4e2a1b0-8f6e-4c53-9d4a-1f2e3d4c5b6a",
       "on_completion":"end--c3e2a1b0-8f6e-4c53-9d4a-1f2e3d4c5b6a"},
     "end--c3e2a1b0-8f6e-4c53-9d4a-1f2e3d4c5b6a":{"type":"end"}},
    "agent_definitions":{"individual--d4e2a1b0-8f6e-4c53-9d4a-1f2e3d4c5b6a":
      {"type":"individual","name":"Analyst"}}})";
  auto with_type = [&](const std::string& type) {
    std::string text = playbook;
    return text.replace(text.find("TYPE"), 4, type);
  };
  ask("he", "GET", "/session");  // signing in is an entry
  const std::uint64_t before = in_->journal().size();
  auto draft = import("he", with_type("action"));
  ASSERT_EQ(draft.status, 200) << draft.body;
  EXPECT_FALSE(bool_or(body(draft), "exact"));
  EXPECT_FALSE(body(draft).at("files").as_array().empty());
  EXPECT_THAT(draft.body, HasSubstr("\"kind\":\"lost\""));
  EXPECT_EQ(in_->journal().size(), before);
  EXPECT_EQ(ask("he", "GET", "/procedures/cacao.block-an-address").status, 404);
  // An unknown step is refused by its name, at its place.
  auto refused = import("he", with_type("teleport"));
  EXPECT_EQ(refused.status, 422);
  EXPECT_THAT(refused.body, HasSubstr("teleport"));
  EXPECT_THAT(refused.body,
              HasSubstr("/workflow/action--b2e2a1b0-8f6e-4c53-9d4a-1f2e3d4c5b6a/type"));
  EXPECT_EQ(import("he", "{").status, 400);
  EXPECT_EQ(import("wang", with_type("action")).status, 403);
}

TEST_F(LibraryApi, the_due_time_of_a_task_says_how_it_came_about) {
  const auto started = ask("wang", "POST", "/cases",
                           json::object{{"procedure", "plan.customer-leak"},
                                        {"form",
                                         {{"discovered_at", to_rfc3339(clock_.now_ms() - 60'000)},
                                          {"summary", "外呼名单在网上出售"},
                                          {"affected", "营销外呼平台"},
                                          {"impact", "可能被用于诈骗"},
                                          {"source", "customer"}}}});
  ASSERT_EQ(started.status, 201) << started.body;
  const std::string id(text_or(body(started), "id"));
  int explained = 0;
  const json::object record = read("wang", "/cases/" + id);
  for (const json::value& one : record.at("tasks").as_array()) {
    const json::object& task = one.as_object();
    if (text_or(task, "state") != "open" || !task.contains("due_at")) continue;
    const json::object& how = task.at("explain").as_object();
    EXPECT_FALSE(how.at("segments").as_array().empty());
    EXPECT_EQ(how.at("segments").as_array().back().at("to_at").as_int64(),
              task.at("due_at").as_int64());
    EXPECT_THAT(std::string(text_or(how.at("sentence").as_object(), "zh")), HasSubstr("时限"));
    ++explained;
  }
  EXPECT_GT(explained, 0);
}

}  // namespace
}  // namespace cw
