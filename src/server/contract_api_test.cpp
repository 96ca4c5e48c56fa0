// What the document promises of every answer: its status, ETag and If-Match, the language of a
// refusal, and 429 for who asks too fast.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "api_testing.h"

namespace cw {
namespace {

using testing::HasSubstr;

class ContractApi : public CentreApi {
 protected:
  std::string etag(const std::string& login, const std::string& path) {
    const auto answer = ask(login, "GET", path);
    EXPECT_EQ(answer.status, 200) << path << answer.body;
    return std::string(answer.headers.get_or("ETag"));
  }

  // `login` writes on the condition that what `path` tells is as it was: refused when it is not, or
  // when the condition cannot be read, and nothing is written then.
  http::ClientResponse write_if_unchanged(const std::string& login, const std::string& path,
                                          const std::string& act, const json::object& in,
                                          const std::string& stale) {
    auto write = [&](const std::string& condition) {
      return ask(login, "POST", path + act, in, http::Headers().set("If-Match", condition));
    };
    const std::string now = etag(login, path);
    EXPECT_THAT(now, testing::MatchesRegex("\"[0-9]+\""));
    const std::uint64_t size = in_->journal().size();
    for (const char* malformed : {"7", "\"", "\"\"", "\"7", "7\"", "\"x\"", "\"-1\"", "W/\"7\"",
                                  "\"1\", \"2\"", "\"18446744073709551616\""}) {
      const auto answer = write(malformed);
      EXPECT_EQ(answer.status, 400) << act << " " << malformed;
      EXPECT_EQ(code(answer), "api.if-match") << act << " " << malformed;
    }
    const auto refused = write("\"0\"");
    EXPECT_EQ(refused.status, 412) << act << refused.body;
    EXPECT_EQ(code(refused), stale) << act;
    EXPECT_EQ(refused.headers.get_or("Content-Type"), "application/problem+json");
    EXPECT_EQ(in_->journal().size(), size) << act << ": nothing is written";
    auto done = write(now);
    EXPECT_EQ(done.status, 200) << act << done.body;
    EXPECT_NE(etag(login, path), now) << act;
    const auto late = write(now);
    EXPECT_EQ(late.status, 412) << act << ": what was true before the write is not after it";
    return done;
  }
};

TEST_F(ContractApi, AnActOnACaseCanAskThatNobodyActedMeanwhile) {
  const auto made = ask("wang", "POST", "/cases",
                        {{"procedure", "plan.customer-leak"},
                         {"form", {{"discovered_at", "2026-11-22T00:00:00Z"}, {"summary", "x"}}}});
  const std::string path = "/cases/" + std::string(text_or(body(made), "id"));
  const auto done = write_if_unchanged("wang", path, "/notes", {{"text", "x"}}, "case.stale");
  EXPECT_EQ(done.headers.get_or("ETag"), etag("wang", path)) << "the write tells the new one";
  EXPECT_EQ(
      ask("wang", "POST", path + "/notes", {{"text", "y"}}, http::Headers().set("If-Match", "*"))
          .status,
      200)
      << "in any case";
  const auto same =
      ask("wang", "GET", path, {}, http::Headers().set("If-None-Match", etag("wang", path)));
  EXPECT_EQ(same.status, 304);
  EXPECT_EQ(same.body, "");
}

TEST_F(ContractApi, AnAlertIsTakenOnlyAsItWasSeen) {
  const std::string root = in_->journal().read([&] { return in_->identity().root(); });
  const auto fired = in_->watch().signal(
      {"probe", root}, json::object{{"key", "k"}, {"title", "An attack"}, {"severity", "high"}});
  ASSERT_TRUE(fired.ok());
  write_if_unchanged("wang", "/alerts/" + fired->alert, "/take", {}, "alert.stale");
}

TEST_F(ContractApi, ARevisionPassesOnlyAsItWasRead) {
  const json::object all = read("li", "/revisions");
  const std::string path =
      "/revisions/" + std::string(text_or(all.at("items").as_array().at(0).as_object(), "id"));
  const auto done = write_if_unchanged("qian", path, "/pass", {}, "definition.stale");
  EXPECT_EQ(done.headers.get_or("ETag"), etag("qian", path));
}

TEST_F(ContractApi, ARefusalSpeaksTheLanguageAskedForElseThePersonsOwn) {
  auto refused = [&](const char* accepted) {
    http::Headers more;
    if (accepted) more.set("Accept-Language", accepted);
    return ask("wang", "GET", "/cases/none", {}, more).body;
  };
  EXPECT_THAT(refused("en"), HasSubstr("you may not see it"));
  EXPECT_THAT(refused("zh-CN,en;q=0.5"), HasSubstr("没有这个案件"));
  EXPECT_THAT(refused(nullptr), HasSubstr("没有这个案件"));
  ASSERT_EQ(ask("wang", "PUT", "/session/lang", {{"lang", "en"}}).status, 200);
  EXPECT_THAT(refused(nullptr), HasSubstr("you may not see it"));
}

// CentreApi::ask compares every answer of these tests with the table; here the document with it.
TEST(ApiContract, TheDocumentDeclaresStatusesConditionsAndLanguage) {
  const json::object document = parse_json(api::api_document(), {.size_max = 8 << 20})->as_object();
  std::set<std::string> made, checked, tagged;
  for (const auto& [path, item] : document.at("paths").as_object())
    for (const auto& [method, value] : item.as_object()) {
      const std::string name = std::string(method) + " " + std::string(path).substr(7);
      const json::object& operation = value.as_object();
      const json::object& responses = operation.at("responses").as_object();
      EXPECT_NE(responses.contains("200"), responses.contains("201")) << name;
      EXPECT_TRUE(responses.contains("default")) << name;
      if (responses.contains("201")) made.insert(name);
      if (responses.contains("412")) checked.insert(name);
      const json::object& good =
          responses.at(responses.contains("201") ? "201" : "200").as_object();
      if (good.contains("headers")) tagged.insert(name);
      const std::string parameters = json::serialize(operation.at("parameters"));
      EXPECT_THAT(parameters, HasSubstr("#/components/parameters/Accept-Language")) << name;
      EXPECT_EQ(parameters.find("#/components/parameters/If-Match") != std::string::npos,
                responses.contains("412"))
          << name;
    }
  EXPECT_EQ(made, (std::set<std::string>{"post /cases", "post /cases/{id}/evidence", "post /people",
                                         "post /people/{id}/password-reset", "post /tokens",
                                         "post /delegations", "post /drills", "post /revisions",
                                         "post /definitions/{kind}/{id}/migrations"}));
  for (const char* name : {"get /cases/{id}", "get /alerts/{id}", "get /revisions/{id}",
                           "post /cases/{id}/notes", "put /revisions/{id}"})
    EXPECT_TRUE(tagged.contains(name)) << name;
  for (const char* name :
       {"post /cases/{id}/notes", "post /cases/{id}/actions/{name}", "post /alerts/{id}/take",
        "post /alerts/{id}/dismiss", "put /revisions/{id}", "post /revisions/{id}/approve"})
    EXPECT_TRUE(checked.contains(name)) << name;
  EXPECT_FALSE(checked.contains("post /cases"));
}

// As a server is started for people: the limits are not lifted.
class LimitedApi : public CentreApi {
 protected:
  LimitedApi() { EXPECT_TRUE(in_->serve({.port = 0}, {}).ok()); }
  static void is_too_many(const http::ClientResponse& answer, const char* text) {
    EXPECT_EQ(answer.status, 429) << answer.body;
    EXPECT_EQ(code(answer), "api.too-many");
    EXPECT_EQ(answer.headers.get_or("Content-Type"), "application/problem+json");
    EXPECT_GE(std::atoi(std::string(answer.headers.get_or("Retry-After")).c_str()), 1);
    EXPECT_THAT(answer.body, HasSubstr(text));
  }
};

TEST_F(LimitedApi, WhoAsksTooFastIsToldHowLongToWait) {
  http::Client client("127.0.0.1", in_->server()->port());
  int served = 0;
  http::ClientResponse last;
  for (; served < 2'000; ++served) {
    auto answer = client.get("/api/v1/health");
    ASSERT_TRUE(answer.ok());
    last = std::move(*answer);
    if (last.status != 200) break;
  }
  EXPECT_EQ(served, 600) << "three seconds' worth at once, while the clock stands";
  is_too_many(last, "请求过于频繁");
  const auto in_english = client.get("/api/v1/cases", http::Headers().set("Accept-Language", "en"));
  is_too_many(*in_english, "Too many requests");
  clock_.advance_ms(1'000);
  EXPECT_EQ(client.get("/api/v1/health")->status, 200) << "after the wait it goes on";
}

TEST_F(LimitedApi, SignInsOfOneAddressAreFewAndTheRestOfTheApiGoesOn) {
  http::Client client("127.0.0.1", in_->server()->port());
  auto sign_in = [&] {
    return *client.post_json("/api/v1/session", {{"login", "wang"}, {"password", kPassword}});
  };
  int done = 0;
  while (done < 100 && sign_in().status == 200) ++done;
  EXPECT_EQ(done, 30);
  is_too_many(sign_in(), "请求过于频繁");
  EXPECT_EQ(client.get("/api/v1/health")->status, 200);
  clock_.advance_ms(2'000);
  EXPECT_EQ(sign_in().status, 200) << "one every two seconds";
  is_too_many(sign_in(), "请求过于频繁");
}

}  // namespace
}  // namespace cw
