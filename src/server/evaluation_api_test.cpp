// A drill's evaluation over HTTP, on the demonstration centre.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api_testing.h"

namespace cw {
namespace {

using testing::HasSubstr;
using testing::Not;

class EvaluationApi : public CentreApi {
 protected:
  // A drill that runs, its first inject told; liu evaluates it.
  EvaluationApi() {
    auto planned = ask("he", "POST", "/drills",
                       json::object{{"scenario", "system-attack"},
                                    {"on_at", clock_.now_ms()},
                                    {"evaluators", json::array{json::string(person("liu"))}}});
    EXPECT_EQ(planned.status, 201) << planned.body;
    id_ = std::string(text_or(body(planned), "id"));
    at_ = "/drills/" + id_;
    EXPECT_EQ(ask("he", "POST", at_ + "/begin").status, 200);
    clock_.advance_ms(9 * 60'000);
    in_->advance();
  }
  std::string person(const std::string& login) {
    return std::string(text_or(read(login, "/session").at("person").as_object(), "id"));
  }
  std::size_t count(const std::string& login, const char* what) {
    return read(login, at_).at(what).as_array().size();
  }
  http::ClientResponse observe(const std::string& login, const char* about, const char* rating,
                               const char* text) {
    return ask(login, "POST", at_ + "/observe",
               json::object{{"about", about}, {"rating", rating}, {"text", text}});
  }

  std::string id_, at_;
};

TEST_F(EvaluationApi, evaluators_see_what_is_to_come_and_participants_do_not) {
  EXPECT_EQ(count("liu", "injects"), 2u);
  EXPECT_EQ(count("liu", "expect"), 6u);
  EXPECT_EQ(count("wang", "injects"), 1u);
  EXPECT_EQ(count("wang", "expect"), 0u);
  EXPECT_EQ(count("wang", "evaluators"), 1u);
  EXPECT_THAT(ask("liu", "GET", "/notices").body, HasSubstr("注册成功")) << "the inject";
  const json::object running = read("liu", at_);
  for (const auto& p : running.at("people").as_array())
    EXPECT_NE(text_or(p.as_object(), "id"), person("liu"));
  EXPECT_EQ(observe("wang", "", "good", "x").status, 403);
  EXPECT_EQ(observe("liu", "reported.ack", "good", "值班长两分钟内接报").status, 200);
  EXPECT_EQ(count("liu", "observations"), 1u);
  EXPECT_EQ(count("wang", "observations"), 0u) << "they would tell what is expected";
  EXPECT_THAT(ask("wang", "GET", at_ + "/print").body, Not(HasSubstr("两分钟")));
  for (const auto& [about, rating, text, field] :
       {std::tuple("inject:2", "good", "x", "/about"), std::tuple("", "best", "x", "/rating"),
        std::tuple("", "good", "", "/text")}) {
    auto wrong = observe("liu", about, rating, text);
    EXPECT_EQ(wrong.status, 422);
    EXPECT_THAT(wrong.body, HasSubstr(field));
  }
  auto planned = ask("he", "POST", "/drills",
                     json::object{{"scenario", "system-attack"},
                                  {"on_at", clock_.now_ms()},
                                  {"evaluators", json::array{json::string(person("he"))}}});
  EXPECT_EQ(planned.status, 422);
  EXPECT_THAT(planned.body, HasSubstr("/evaluators/0"));
}

TEST_F(EvaluationApi, is_concluded_by_the_director_corrected_printed_and_archived) {
  EXPECT_EQ(observe("liu", "inject:1", "poor", "无人核对来源地址").status, 200);
  const json::object verdict{{"grade", "pass"}, {"text", "通知及时，处置偏慢"}, {"revise", true}};
  EXPECT_EQ(code(ask("he", "POST", at_ + "/conclude", verdict)), "drill.phase");
  EXPECT_EQ(ask("he", "POST", at_ + "/end").status, 200);
  EXPECT_EQ(ask("liu", "POST", at_ + "/conclude", verdict).status, 403);
  const http::Headers once = [] {
    http::Headers h;
    h.set("Idempotency-Key", "conclude-once-01");
    return h;
  }();
  auto concluded = ask("he", "POST", at_ + "/conclude", verdict, once);
  ASSERT_EQ(concluded.status, 200) << concluded.body;
  const std::int64_t findings = int_or(body(concluded), "findings");
  EXPECT_EQ(int_or(body(ask("he", "POST", at_ + "/conclude", verdict, once)), "findings"), findings)
      << "the same once more";
  EXPECT_EQ(code(ask("he", "POST", at_ + "/conclude", verdict)), "drill.archived");
  EXPECT_EQ(code(observe("liu", "", "good", "x")), "drill.archived");

  const json::object drill = read("wang", at_);
  const json::object& seen = drill.at("observations").as_array().at(0).as_object();
  EXPECT_EQ(text_or(seen, "text"), "无人核对来源地址");
  EXPECT_EQ(text_or(seen.at("about_title").as_object(), "zh"), "情况注入 1");
  EXPECT_TRUE(seen.contains("finding"));
  const json::object& conclusion = drill.at("conclusion").as_object();
  EXPECT_EQ(text_or(conclusion, "grade"), "pass");
  EXPECT_TRUE(conclusion.contains("finding"));
  const std::string paper = ask("wang", "GET", at_ + "/print").body;
  for (const char* words : {"评估人", "无人核对来源地址", "通知及时，处置偏慢", "须修订"})
    EXPECT_THAT(paper, HasSubstr(words));

  auto destroyed = in_->journal().run({}, [&](Draft& draft) -> Result<json::object> {
    draft.row(in_->sealed().destroy(id_), 1'000);
    return json::object{};
  });
  ASSERT_TRUE(destroyed.ok());
  const json::object after = read("wang", at_);
  EXPECT_EQ(text_or(after.at("observations").as_array().at(0).as_object(), "text", "?"), "");
  EXPECT_EQ(text_or(after.at("conclusion").as_object(), "text", "?"), "");
  EXPECT_THAT(ask("wang", "GET", at_ + "/print").body, HasSubstr("内容已依法销毁"));
}

}  // namespace
}  // namespace cw
