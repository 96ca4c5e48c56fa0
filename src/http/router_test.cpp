#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/text.h"
#include "http.h"

namespace cw::http {
namespace {

using testing::ElementsAre;
using testing::Pair;

std::vector<std::string> path(std::string_view text) {
  std::vector<std::string> out;
  for (auto s : split(text.substr(1), '/')) out.emplace_back(s);
  return out;
}

Handler nothing() {
  return [](Request&) { return empty_response(); };
}

Router sample() {
  Router r;
  r.add("GET", "/", nothing());
  r.add("GET", "/api/v1/cases", nothing());
  r.add("POST", "/api/v1/cases", nothing());
  r.add("GET", "/api/v1/cases/{id}", nothing());
  r.add("GET", "/api/v1/cases/mine", nothing());
  r.add("POST", "/api/v1/cases/{id}/act/{name}", nothing());
  r.add("GET", "/ledger/{file*}", nothing(), {.body_max = 1, .access = "public"});
  return r;
}

TEST(Router, FindsTheRouteAndItsParameters) {
  Router r = sample();
  EXPECT_EQ(r.match("GET", path("/")).route->pattern, "/");
  auto m = r.match("GET", path("/api/v1/cases/cas_1"));
  ASSERT_TRUE(m.route);
  EXPECT_EQ(m.route->pattern, "/api/v1/cases/{id}");
  EXPECT_THAT(m.params, ElementsAre(Pair("id", "cas_1")));
  m = r.match("POST", path("/api/v1/cases/cas_1/act/raise"));
  EXPECT_THAT(m.params, ElementsAre(Pair("id", "cas_1"), Pair("name", "raise")));
}

TEST(Router, LiteralWinsOverParameterAndTailTakesTheRest) {
  Router r = sample();
  EXPECT_EQ(r.match("GET", path("/api/v1/cases/mine")).route->pattern, "/api/v1/cases/mine");
  auto m = r.match("GET", path("/ledger/tile/0/x001/234"));
  EXPECT_THAT(m.params, ElementsAre(Pair("file", "tile/0/x001/234")));
  EXPECT_EQ(m.route->options.access, "public");
  EXPECT_FALSE(r.match("GET", path("/ledger")).route);
}

TEST(Router, HeadGoesToGet) {
  Router r = sample();
  EXPECT_EQ(r.match("HEAD", path("/api/v1/cases")).route->method, "GET");
}

TEST(Router, AnotherMethodIsToldWhichOnesWork) {
  Router r = sample();
  auto m = r.match("DELETE", path("/api/v1/cases"));
  EXPECT_FALSE(m.route);
  EXPECT_EQ(m.allow, "GET, HEAD, OPTIONS, POST");
  EXPECT_EQ(r.match("GET", path("/api/v1/cases/x/act/y")).allow, "OPTIONS, POST");
  EXPECT_EQ(r.match("GET", path("/api/v2")).allow, "");
  EXPECT_FALSE(r.match("GET", path("/api/v1/cases/")).route) << "a trailing slash is another path";
}

TEST(Router, ALiteralWithoutTheMethodDoesNotHideTheParameter) {
  Router r;
  r.add("GET", "/a/b", nothing());
  r.add("POST", "/a/{x}", nothing());
  EXPECT_EQ(r.match("POST", path("/a/b")).route->pattern, "/a/{x}");
  EXPECT_EQ(r.match("PUT", path("/a/b")).allow, "GET, HEAD, OPTIONS, POST");
}

TEST(Router, FallbackServesOnlyGetOfUnknownPaths) {
  Router r = sample();
  r.fallback(nothing());
  EXPECT_TRUE(r.match("GET", path("/console/cases")).route);
  EXPECT_EQ(r.match("POST", path("/console/cases")).allow, "GET, HEAD, OPTIONS");
  EXPECT_EQ(r.match("DELETE", path("/api/v1/cases")).allow, "GET, HEAD, OPTIONS, POST");
}

TEST(Router, ListsItsRoutesInOrder) {
  Router r = sample();
  EXPECT_EQ(r.routes().size(), 7u);
  EXPECT_EQ(r.routes()[2]->method, "POST");
}

TEST(RateLimiter, RefusesBeyondTheBurstAndRefills) {
  ManualClock clock(0);
  RateLimiter limiter({.per_s = 2, .burst = 3, .keys_max = 10}, clock);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(limiter.take("a"), 0);
  EXPECT_EQ(limiter.take("a"), 1);
  EXPECT_EQ(limiter.take("b"), 0) << "another key has its own bucket";
  clock.advance_ms(500);
  EXPECT_EQ(limiter.take("a"), 0);
  EXPECT_GT(limiter.take("a"), 0);
  EXPECT_EQ(limiter.take("a", 3), 2) << "1.5 s for three tokens at two a second";
}

TEST(RateLimiter, NeverHoldsMoreKeysThanItsTable) {
  ManualClock clock(0);
  RateLimiter limiter({.per_s = 1, .burst = 1, .keys_max = 100}, clock);
  for (int i = 0; i < 10'000; ++i) limiter.take("key" + std::to_string(i));
  EXPECT_EQ(limiter.keys(), 100u);
  EXPECT_GT(limiter.take("key9999"), 0) << "a key used lately is remembered";
}

class Files : public testing::Test {
 protected:
  Response get(std::string p, Headers headers = {}) {
    Request r;
    r.method = "GET";
    r.path = p;
    r.segments = path(p);
    r.headers = std::move(headers);
    return files(r);
  }
  Handler files = static_files({
      {"/index.html", "text/html; charset=utf-8", "<!doctype html>", "", "\"i1\""},
      {"/assets/app-4f.js", "text/javascript", "let a = 1", "GZ", "\"a1\"", true},
  });
};

TEST_F(Files, HashedFilesAreCachedForAYearAndCompressed) {
  Response r = get("/assets/app-4f.js", Headers().set("Accept-Encoding", "br, gzip"));
  EXPECT_EQ(r.body, "GZ");
  EXPECT_EQ(r.headers.get("Content-Encoding"), "gzip");
  EXPECT_EQ(r.headers.get("Cache-Control"), "public, max-age=31536000, immutable");
  EXPECT_EQ(r.headers.get("Vary"), "Accept-Encoding");
  r = get("/assets/app-4f.js", Headers().set("Accept-Encoding", "gzip;q=0"));
  EXPECT_EQ(r.body, "let a = 1");
  EXPECT_EQ(r.headers.get("ETag"), "\"a1\"");
}

TEST_F(Files, AMatchingTagIs304) {
  EXPECT_EQ(get("/index.html", Headers().set("If-None-Match", "\"x\", W/\"i1\"")).status, 304);
  EXPECT_EQ(get("/index.html", Headers().set("If-None-Match", "\"x\"")).status, 200);
}

TEST_F(Files, TheConsolesOwnPathsGetThePageAndNothingElseDoes) {
  EXPECT_EQ(get("/").body, "<!doctype html>");
  EXPECT_EQ(get("/incidents/cas_1").body, "<!doctype html>");
  EXPECT_EQ(get("/procedures/plan.system-attack").body, "<!doctype html>");
  EXPECT_EQ(get("/favicon.ico").status, 404);
  EXPECT_EQ(get("/assets/gone.js").status, 404);
  EXPECT_EQ(get("/api/v1/nothing").status, 404);
}

TEST(Message, CookiesAreFoundAndDoublesDistrusted) {
  Request r;
  r.headers.set("Cookie", "a=1; __Host-session=abc=; b=2;b=3");
  EXPECT_EQ(r.cookie("__Host-session"), "abc=");
  EXPECT_EQ(r.cookie("b"), std::nullopt);
  EXPECT_EQ(r.cookie("c"), std::nullopt);
}

TEST(Message, AProblemSpeaksTheCallersLanguageAndNamesTheFields) {
  Request r;
  r.id = "req_1";
  r.lang = "en";
  const Problem required = invalid("form.required", "/form/level", {"必填", "Required"});
  Response answer = problem_response(r, required);
  EXPECT_EQ(answer.status, 422);
  EXPECT_EQ(answer.headers.get("content-type"), "application/problem+json");
  auto body = parse_json(answer.body);
  ASSERT_TRUE(body);
  const auto& o = body->as_object();
  EXPECT_EQ(text_or(o, "code"), "form.required");
  EXPECT_EQ(text_or(o, "detail"), "Required");
  EXPECT_EQ(text_or(o.at("fields").at(0).as_object(), "pointer"), "/form/level");
  r.lang = "zh";
  EXPECT_THAT(problem_response(r, problem(Refusal::too_many, "x", {"太快", "Too fast"})).body,
              testing::HasSubstr("太快"));
}

}  // namespace
}  // namespace cw::http
