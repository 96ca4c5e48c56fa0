// For tests of this module: the demonstration centre behind HTTP, and its people asking.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <memory>
#include <string>

#include "api/api.h"
#include "base/text.h"
#include "centre.h"
#include "http/client.h"

namespace cw {

constexpr PasswordCost kTestCost{.passes = 1, .memory_bytes = 8 << 10};

inline InstallationOptions options_for_tests(const std::string& folder) {
  watch::SourceConfig source;
  source.id = "pbx";
  source.format = watch::Format::asterisk;
  InstallationOptions options{.data = folder,
                              .content = std::filesystem::path(CW_SOURCE_DIR) / "content",
                              .version = "test",
                              .sources = {source},
                              .threads = false,
                              .reserve_bytes = 1 << 20};
  options.access.cost = kTestCost;
  return options;
}

class CentreApi : public ::testing::Test {
 protected:
  CentreApi() {
    char name[] = "/tmp/cw-centre-XXXXXX";
    folder_ = ::mkdtemp(name);
    in_ = std::make_unique<Installation>(options_for_tests(folder_), clock_, random_);
    auto opened = in_->open();
    EXPECT_TRUE(opened.ok()) << (opened ? "" : opened.problem().text.en);
    auto made = Centre::make(*in_, kPassword);
    EXPECT_TRUE(made.ok()) << (made ? "" : made.problem().text.en);
    centre_ = std::make_unique<Centre>(std::move(*made));
    EXPECT_TRUE(in_->serve({.port = 0}, {}, &offset_).ok());
  }
  ~CentreApi() override {
    in_.reset();
    std::filesystem::remove_all(folder_);
  }

  // `login` asks /api/v1 + path, signed in at the first time. What the answer is was declared.
  http::ClientResponse ask(const std::string& login, std::string_view method,
                           const std::string& path, const json::value& body = json::object{},
                           const http::Headers& more = {}) {
    http::Client client("127.0.0.1", in_->server()->port());
    auto& headers = sessions_[login];
    if (!headers.get("Cookie")) {
      auto in = client.post_json("/api/v1/session", {{"login", login}, {"password", kPassword}});
      EXPECT_TRUE(in.ok() && in->status == 200) << login;
      std::string line(in->headers.get_or("Set-Cookie"));
      headers.set("Cookie", line.substr(0, line.find(';')));
      headers.set("X-CSRF", text_or(parse_json(in->body)->get_object(), "csrf"));
      headers.set("Content-Type", "application/json");
    }
    http::Headers all = headers;
    for (const auto& [name, value] : more.all()) all.set(name, value);
    auto answer =
        client.request(method, "/api/v1" + path, all, method == "GET" ? "" : json::serialize(body));
    EXPECT_TRUE(answer.ok()) << path;
    if (!answer) return {};
    if (auto e = declared(method, path); e && answer->status < 300) {
      EXPECT_EQ(answer->status, e->status) << method << " " << path;
      EXPECT_EQ(answer->headers.has("ETag"), e->gives_etag) << method << " " << path;
    }
    return std::move(*answer);
  }
  // The line of the table that a request comes to.
  static std::optional<api::EndpointInfo> declared(std::string_view method, std::string_view path) {
    const auto asked = split(path.substr(0, path.find('?')), '/');
    std::optional<api::EndpointInfo> found;
    for (const auto& e : api::endpoints()) {
      const auto parts = split(std::string_view(e.path).substr(7), '/');
      bool fits = e.method == method && parts.size() == asked.size(), literal = true;
      for (std::size_t i = 0; fits && i < parts.size(); ++i) {
        const bool any = parts[i].starts_with('{');
        literal = literal && !any;
        fits = any || parts[i] == asked[i];
      }
      if (fits && (!found || literal)) found = e;
    }
    return found;
  }
  static json::object body(const http::ClientResponse& answer) {
    auto parsed = parse_json(answer.body, {.size_max = 8 << 20});
    return parsed && parsed->is_object() ? parsed->get_object() : json::object{};
  }
  json::object read(const std::string& login, const std::string& path) {
    auto answer = ask(login, "GET", path);
    EXPECT_EQ(answer.status, 200) << path << " " << answer.body;
    return body(answer);
  }
  static std::string code(const http::ClientResponse& answer) {
    return std::string(text_or(body(answer), "code"));
  }

  static constexpr const char* kPassword = "a long password 1";
  std::string folder_;
  ManualClock clock_{1'795'305'600'000};  // Sunday 2026-11-22, 08:00 in Shanghai
  OffsetClock offset_;                    // lifts the limit on sign-ins
  SystemRandom random_;
  std::unique_ptr<Installation> in_;
  std::unique_ptr<Centre> centre_;
  std::map<std::string, http::Headers> sessions_;
};

}  // namespace cw
