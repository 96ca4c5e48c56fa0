#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "api_testing.h"
#include "story.h"

// The whole installation: the main job, the authorisation matrix, what outsiders may not learn.
namespace cw {
namespace {

class ServerTest : public ::testing::Test {
 protected:
  ServerTest() {
    char name[] = "/tmp/cw-server-XXXXXX";
    folder_ = ::mkdtemp(name);
  }
  ~ServerTest() override {
    in_.reset();
    std::filesystem::remove_all(folder_);
  }

  void open() {
    in_.reset();
    in_ = std::make_unique<Installation>(options_for_tests(folder_), clock_, random_);
    auto opened = in_->open();
    ASSERT_TRUE(opened.ok()) << opened.problem().text.en;
  }

  void serve() {
    OffsetClock* many = &test_clock_;  // also lifts the limit on sign-ins, which this test exceeds
    auto serving = in_->serve({.port = 0}, {}, many);
    ASSERT_TRUE(serving.ok()) << serving.problem().text.en;
  }

  struct Who {
    std::string cookie, csrf;
  };

  Who sign_in(const std::string& login, const std::string& password) {
    http::Client client("127.0.0.1", in_->server()->port());
    auto answer = client.post_json("/api/v1/session", {{"login", login}, {"password", password}});
    EXPECT_TRUE(answer.ok() && answer->status == 200) << login << (answer ? answer->body : "");
    Who who;
    std::string line(answer->headers.get_or("Set-Cookie"));
    who.cookie = line.substr(0, line.find(';'));
    who.csrf = text_or(parse_json(answer->body)->get_object(), "csrf");
    return who;
  }

  http::ClientResponse ask(const Who* who, std::string_view method, const std::string& path,
                           std::string_view body = "{}") {
    http::Client client("127.0.0.1", in_->server()->port());
    http::Headers headers;
    if (who) headers.set("Cookie", who->cookie).set("X-CSRF", who->csrf);
    if (method != "GET") headers.set("Content-Type", "application/json");
    auto answer = client.request(method, path, headers, method == "GET" ? "" : body);
    EXPECT_TRUE(answer.ok()) << method << " " << path;
    return answer ? std::move(*answer) : http::ClientResponse{};
  }

  static std::string code_of(const http::ClientResponse& answer) {
    auto body = parse_json(answer.body, {.size_max = 64 << 20});
    return body && body->is_object() ? std::string(text_or(body->get_object(), "code")) : "";
  }

  std::string folder_;
  ManualClock clock_{1'795'305'600'000};
  OffsetClock test_clock_;
  SystemRandom random_;
  std::unique_ptr<Installation> in_;
};

TEST_F(ServerTest, AnAttackBecomesAClosedIncidentThatVerifies) {
  open();
  auto centre = Centre::make(*in_, "a long password 1");
  ASSERT_TRUE(centre.ok()) << centre.problem().text.en;
  std::ostringstream told;
  Story story(*in_, clock_, *centre, told);
  EXPECT_TRUE(story.attack() && story.respond() && story.recover() && story.verify()) << told.str();
  EXPECT_EQ(told.str().find("✗"), std::string::npos);
  std::string id = story.case_id();
  std::uint64_t size = in_->journal().size();
  open();
  EXPECT_EQ(in_->journal().size(), size);
  in_->journal().read([&] { EXPECT_TRUE(in_->engine().view(id, "")->closed); });
}

// A path with made-up but well-formed ids, for endpoints that need one.
std::string path_of(const api::EndpointInfo& e, const std::string& case_id,
                    const std::string& alert_id) {
  std::string path = e.path;
  auto put = [&](const std::string& what, const std::string& with) {
    if (auto at = path.find(what); at != std::string::npos) path.replace(at, what.size(), with);
  };
  put("{id}", path.find("/cases/") != std::string::npos    ? case_id
              : path.find("/alerts/") != std::string::npos ? alert_id
                                                           : "x-0");
  put("{kind}", "procedures");
  put("{name}", "ack");
  put("{approval}", "1");
  put("{content}", "hmac-sha256:00");
  put("{form}", "start");
  put("{person}", "per_00000000000000000000000000");
  put("{org}", "org_00000000000000000000000000");
  put("{path*}", "checkpoint");
  return path;
}

TEST_F(ServerTest, EveryEndpointDeniesWhomeverItsPermissionDoesNotName) {
  open();
  auto centre = Centre::make(*in_, "a long password 1");
  ASSERT_TRUE(centre.ok());
  serve();
  std::map<std::string, std::string> logins = {
      {"agent", "zheng"}, {"lead", "shen"}, {"duty-officer", "wang"}, {"commander", "li"},
      {"security", "he"}, {"dpo", "qian"},  {"auditor", "liu"},       {"administrator", "admin"}};
  // The administrator of the first start, with a password of their own.
  auto& access = in_->identity().access();
  const std::string once = in_->first()->one_time_password;
  auto first = access.sign_in({.login = "admin", .password = once, .address = "127.0.0.1"});
  ASSERT_TRUE(first.ok());
  ASSERT_TRUE(access.change_password(first->principal, once, "a long password 1").ok());
  std::map<std::string, std::set<std::string>> allowed;
  in_->journal().read([&] {
    for (const auto& role : in_->identity().roles())
      for (const auto& p : role.allow.names()) allowed[role.id].insert(p);
  });
  int checked = 0, denied = 0;
  for (const auto& e : api::endpoints()) {
    if (e.path.starts_with("/api/v1/test/")) continue;
    std::string path =
        path_of(e, "cas_00000000000000000000000000", "alt_00000000000000000000000000");
    if (e.access == "public") continue;
    auto nobody = ask(nullptr, e.method, path);
    EXPECT_EQ(nobody.status, 401) << e.method << " " << path;
    ++checked;
  }
  EXPECT_EQ(logins.size(), allowed.size()) << "every role has somebody here";
  for (const auto& [role, login] : logins) {
    Who who = sign_in(login, "a long password 1");
    for (const auto& e : api::endpoints()) {
      bool last = e.path == "/api/v1/session" && e.method == "DELETE";
      if (e.access == "public" || last || e.path == "/api/v1/events") continue;
      std::string path =
          path_of(e, "cas_00000000000000000000000000", "alt_00000000000000000000000000");
      auto answer = ask(&who, e.method, path);
      std::string code = code_of(answer);
      ++checked;
      EXPECT_NE(answer.status, 401) << role << " " << e.method << " " << path;
      EXPECT_NE(answer.status, 500) << role << " " << e.method << " " << path << " " << answer.body;
      if (e.access != "session" && !allowed[role].contains(e.access)) {
        EXPECT_EQ(answer.status, 403)
            << role << " " << e.method << " " << path << " " << answer.body;
        EXPECT_EQ(code, "permission.missing") << role << " " << e.method << " " << path;
        ++denied;
      } else {
        EXPECT_NE(code, "permission.missing") << role << " " << e.method << " " << path;
      }
    }
    http::Client ear("127.0.0.1", in_->server()->port());
    auto opened = ear.open_events("/api/v1/events", http::Headers().set("Cookie", who.cookie));
    EXPECT_TRUE(opened.ok() && opened->status == 200) << role;
    auto hello = ear.next_event(5'000);
    EXPECT_TRUE(hello && hello->event == "hello") << role;
    EXPECT_EQ(ask(&who, "DELETE", "/api/v1/session").status, 200) << role;
    EXPECT_EQ(ask(&who, "GET", "/api/v1/session").status, 401) << role << " signed out";
  }
  std::cout << "matrix: " << checked << " requests, " << denied
            << " denied for want of a permission\n";
  EXPECT_GT(denied, 100);
}

TEST_F(ServerTest, NobodyReadsAnotherOrganisationsCaseOrAlertByItsId) {
  open();
  auto centre = Centre::make(*in_, "a long password 1");
  ASSERT_TRUE(centre.ok());
  std::ostringstream told;
  Story story(*in_, clock_, *centre, told);
  ASSERT_TRUE(story.attack()) << told.str();
  serve();
  Who stranger = sign_in("han", "a long password 1");  // duty officer of another centre
  std::string alert;
  in_->journal().read([&] { in_->alerts().each([&](const watch::Alert& a) { alert = a.id; }); });
  ASSERT_FALSE(alert.empty());
  int checked = 0;
  for (const auto& e : api::endpoints()) {
    bool by_id = e.path.find("/cases/{id}") != std::string::npos ||
                 e.path.find("/alerts/{id}") != std::string::npos;
    if (!by_id) continue;
    std::string real = path_of(e, story.case_id(), alert);
    std::string made_up =
        path_of(e, "cas_00000000000000000000000000", "alt_00000000000000000000000000");
    auto a = ask(&stranger, e.method, real), b = ask(&stranger, e.method, made_up);
    EXPECT_GE(a.status, 400) << e.method << " " << real;
    EXPECT_NE(a.status, 500) << e.method << " " << real;
    EXPECT_EQ(a.status, b.status) << "an id that exists is told from one that does not: "
                                  << e.method << " " << real;
    EXPECT_EQ(code_of(a), code_of(b)) << e.method << " " << real;
    ++checked;
  }
  EXPECT_GT(checked, 20);
  for (const char* list : {"/api/v1/cases?mode=all", "/api/v1/alerts", "/api/v1/workbench"}) {
    auto answer = ask(&stranger, "GET", list);
    EXPECT_EQ(answer.status, 200) << list;
    EXPECT_EQ(answer.body.find(story.case_id()), std::string::npos) << list;
    EXPECT_EQ(answer.body.find(alert), std::string::npos) << list;
  }
}

TEST_F(ServerTest, AWriteNeedsTheSessionsOwnCsrfAndIsDoneOnceForOneKey) {
  open();
  auto centre = Centre::make(*in_, "a long password 1");
  ASSERT_TRUE(centre.ok());
  serve();
  Who wang = sign_in("wang", "a long password 1");
  std::string body =
      R"({"procedure":"plan.customer-leak","form":{"discovered_at":"2026-11-22T00:00:00Z","summary":"x"}})";
  Who forged = wang;
  forged.csrf = "guess";
  EXPECT_EQ(code_of(ask(&forged, "POST", "/api/v1/cases", body)), "session.csrf");
  http::Client client("127.0.0.1", in_->server()->port());
  http::Headers headers;
  headers.set("Cookie", wang.cookie)
      .set("X-CSRF", wang.csrf)
      .set("Content-Type", "application/json")
      .set("Idempotency-Key", "one");
  auto first = client.request("POST", "/api/v1/cases", headers, body);
  std::uint64_t size = in_->journal().size();
  auto again = client.request("POST", "/api/v1/cases", headers, body);
  ASSERT_TRUE(first.ok() && again.ok());
  EXPECT_EQ(first->status, 201) << first->body;
  EXPECT_EQ(first->body, again->body);
  EXPECT_EQ(in_->journal().size(), size);
  auto wrong = ask(&wang, "POST", "/api/v1/cases",
                   R"({"procedure":"plan.customer-leak","form":{"summary":5},"extra":1})");
  EXPECT_EQ(wrong.status, 422) << wrong.body;
  EXPECT_THAT(wrong.body, testing::HasSubstr("/extra"));
}

TEST(ApiDocument, IsTheCommittedOne) {
  std::ifstream in(std::string(CW_SOURCE_DIR) + "/api/openapi.json");
  std::stringstream committed;
  committed << in.rdbuf();
  EXPECT_TRUE(committed.str() == api::api_document())
      << "run ./run openapi and commit api/openapi.json";
}

}  // namespace
}  // namespace cw
