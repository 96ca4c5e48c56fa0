// What machines report over HTTP with a token of their own: our form, and Alertmanager's webhook.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api_testing.h"

namespace cw {
namespace {

class SignalsApi : public CentreApi {
 protected:
  SignalsApi() : root_(in_->journal().read([&] { return in_->identity().root(); })) {}

  // The secret of a new token, made as an administrator makes it.
  std::string token(std::vector<Permission> scopes, std::string* id = nullptr) {
    Token wanted;
    wanted.org = root_;
    wanted.label = "Monitoring";
    for (Permission p : scopes) wanted.scopes.add(p);
    wanted.expires_at = clock_.now_ms() + 86'400'000;
    auto made = in_->identity().add_token(Principal::system(), {}, wanted);
    EXPECT_TRUE(made.ok());
    if (id) *id = made->id;
    return made->secret;
  }
  http::ClientResponse report(const std::string& secret, const std::string& path,
                              const json::value& in) {
    http::Client client("127.0.0.1", in_->server()->port());
    http::Headers headers;
    if (!secret.empty()) headers.set("Authorization", "Bearer " + secret);
    auto answer = client.post_json("/api/v1/signals" + path, in, headers);
    EXPECT_TRUE(answer.ok());
    return answer ? std::move(*answer) : http::ClientResponse{};
  }
  // Of the only alert that an answer names.
  std::pair<std::string, std::string> alert_of(const http::ClientResponse& answer) {
    EXPECT_EQ(answer.status, 200) << answer.body;
    const json::object all = body(answer);
    if (!all.contains("alerts") || all.at("alerts").as_array().size() != 1) return {};
    const json::object& one = all.at("alerts").as_array()[0].as_object();
    return {std::string(text_or(one, "alert")), std::string(text_or(one, "state"))};
  }
  json::object brief(const std::string& alert) {
    return read("wang", "/alerts/" + alert).at("brief").as_object();
  }
  std::int64_t alerts() { return int_or(read("wang", "/alerts"), "total"); }

  const std::string root_;
  const json::object disk_{
      {"key", "disk sda1"}, {"severity", "high"}, {"title", "The disk is nearly full"}};
  const json::object alertmanager_{
      {"version", "4"},
      {"status", "firing"},
      {"alerts",
       {{{"status", "firing"},
         {"labels", {{"alertname", "TrunkDown"}, {"severity", "critical"}}},
         {"annotations", {{"summary", "Trunk 2 is down"}}},
         {"startsAt", "2026-11-21T23:59:00Z"},
         {"fingerprint", "c0ffee"}}}}};
};

TEST_F(SignalsApi, ATokensSignalBecomesAnAlertAndItsRepetitionFoldsIntoIt) {
  const std::string secret = token({Permission::signals_write});
  const std::int64_t before = alerts();
  const auto [first, fired] = alert_of(report(secret, "", disk_));
  EXPECT_EQ(fired, "fired");
  EXPECT_EQ(int_or(brief(first), "count"), 1);
  EXPECT_EQ(text_or(brief(first), "rule"), "signal.monitoring") << "named after the token";
  EXPECT_EQ(text_or(brief(first), "level"), "high");
  EXPECT_EQ(text_or(brief(first), "org"), root_);
  clock_.advance_ms(1'000);
  const auto [second, folded] = alert_of(report(secret, "", disk_));
  EXPECT_EQ(second, first);
  EXPECT_EQ(folded, "folded");
  EXPECT_EQ(int_or(brief(first), "count"), 2);
  EXPECT_EQ(alerts(), before + 1);
  EXPECT_EQ(ask("wang", "POST", "/alerts/" + first + "/take").status, 200) << "it can be worked on";
}

TEST_F(SignalsApi, AlertmanagersWebhookDoesTheSame) {
  const std::string secret = token({Permission::signals_write});
  const std::int64_t before = alerts();
  const auto [first, fired] = alert_of(report(secret, "/alertmanager", alertmanager_));
  EXPECT_EQ(fired, "fired");
  EXPECT_EQ(text_or(brief(first).at("title").as_object(), "en"), "Trunk 2 is down");
  EXPECT_EQ(text_or(brief(first), "level"), "critical");
  clock_.advance_ms(1'000);
  const auto [second, folded] = alert_of(report(secret, "/alertmanager", alertmanager_));
  EXPECT_EQ(second, first);
  EXPECT_EQ(folded, "folded");
  EXPECT_EQ(int_or(brief(first), "count"), 2);
  EXPECT_EQ(alerts(), before + 1);
}

TEST_F(SignalsApi, WithoutTheScopeOrATokenNothingIsTaken) {
  std::string id;
  const std::string reader = token({Permission::alert_read, Permission::case_read});
  const std::string ended = token({Permission::signals_write}, &id);
  ASSERT_EQ(alert_of(report(ended, "", disk_)).second, "fired");
  ASSERT_TRUE(in_->identity().revoke_token(Principal::system(), {}, id).ok());
  const std::int64_t before = alerts();
  const std::uint64_t size = in_->journal().size();
  for (const auto& [path, in] : {std::pair{"", disk_}, {"/alertmanager", alertmanager_}}) {
    EXPECT_EQ(report(reader, path, in).status, 403) << path;
    EXPECT_EQ(code(report(reader, path, in)), "permission.missing") << path;
    EXPECT_EQ(code(report("", path, in)), "session.required") << path;
    EXPECT_EQ(code(report("cwt_guessed", path, in)), "token.refused") << path;
    EXPECT_EQ(code(report(ended, path, in)), "token.refused") << path;
    EXPECT_EQ(report(ended, path, in).status, 401) << path;
  }
  EXPECT_EQ(alerts(), before);
  EXPECT_EQ(in_->journal().size(), size);
}

TEST_F(SignalsApi, AWrongSignalIsRefusedWithEveryFieldAtFaultNamed) {
  const std::string secret = token({Permission::signals_write});
  const auto wrong =
      report(secret, "", {{"key", "x"}, {"severity", "loud"}, {"title", "t"}, {"extra", 1}});
  EXPECT_EQ(wrong.status, 422) << wrong.body;
  EXPECT_THAT(wrong.body,
              testing::AllOf(testing::HasSubstr("/severity"), testing::HasSubstr("/extra")));
  EXPECT_EQ(report(secret, "/alertmanager", {{"version", "3"}}).status, 422);
}

}  // namespace
}  // namespace cw
