// Hostile JSON over real HTTP: a clear 4xx in both languages, the server alive, memory bounded.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "api_testing.h"

namespace cw {
namespace {

using testing::HasSubstr;

// The most memory that this process, server and client in one, ever held; KiB.
std::int64_t most_kib() {
  std::ifstream in("/proc/self/status");
  for (std::string word; in >> word;)
    if (word == "VmHWM:") {
      std::int64_t kib = 0;
      in >> kib;
      return kib;
    }
  return 0;
}

class HostileApi : public CentreApi {
 protected:
  HostileApi() {
    read("he", "/session");
    as_he_ = sessions_["he"];
  }

  http::ClientResponse post(const std::string& path, std::string_view bytes, const char* lang) {
    http::Client client("127.0.0.1", in_->server()->port(), {.timeout_ms = 60'000});
    http::Headers headers = as_he_;
    headers.set("Accept-Language", lang);
    auto answer = client.request("POST", "/api/v1" + path, headers, bytes);
    EXPECT_TRUE(answer.ok()) << path << (answer ? "" : answer.problem().text.en);
    return answer ? std::move(*answer) : http::ClientResponse{};
  }

  // Refused in either language, as a problem that says `zh` or `en`.
  void refuses(const std::string& path, std::string_view bytes, int status, const char* problem,
               const char* zh, const char* en) {
    for (const auto& [lang, text] : {std::pair{"zh", zh}, {"en", en}}) {
      const auto answer = post(path, bytes, lang);
      EXPECT_EQ(answer.status, status) << path << " " << bytes.substr(0, 40) << answer.body;
      EXPECT_EQ(answer.headers.get_or("Content-Type"), "application/problem+json");
      EXPECT_EQ(code(answer), problem) << path << " " << bytes.substr(0, 40);
      EXPECT_THAT(answer.body, HasSubstr(text)) << bytes.substr(0, 40);
      EXPECT_LT(answer.body.size(), 2'000u) << "nothing of it is repeated back";
    }
  }

  bool alive() {
    http::Client client("127.0.0.1", in_->server()->port());
    const auto answer = client.get("/api/v1/health");
    return answer && answer->status == 200;
  }

  http::Headers as_he_;
};

constexpr std::size_t kLargest = 10 << 20;  // of a body, where a revision is saved
constexpr std::size_t kUsual = 256 << 10;

TEST_F(HostileApi, JsonAsDeepAsABodyMayBeIsRefusedWithoutBeingFollowedDown) {
  ASSERT_EQ(post("/revisions", "{}", "en").status, 422) << "the way there is open";
  const std::string ten_million(10'000'000, '['), deepest(kLargest, '[');
  std::string objects;
  while (objects.size() + 5 <= kLargest) objects += "{\"a\":";
  const std::string usual(kUsual, '[');
  const std::uint64_t size = in_->journal().size();
  refuses("/revisions", ten_million, 400, "json.malformed", "不是有效的 JSON", "not valid JSON");
  const std::int64_t before = most_kib();
  ASSERT_GT(before, 0);
  for (int i = 0; i < 5; ++i) {
    refuses("/revisions", ten_million, 400, "json.malformed", "不是有效的 JSON", "not valid JSON");
    refuses("/revisions", deepest, 400, "json.malformed", "不是有效的 JSON", "not valid JSON");
    refuses("/revisions", objects, 400, "json.malformed", "不是有效的 JSON", "not valid JSON");
    refuses("/cases", usual, 400, "json.malformed", "不是有效的 JSON", "not valid JSON");
    refuses("/session", usual, 400, "json.malformed", "不是有效的 JSON", "not valid JSON");
  }
  EXPECT_TRUE(alive());
  EXPECT_EQ(in_->journal().size(), size);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  EXPECT_LT(most_kib() - before, 48 << 10) << "30 bodies of 10 MiB, one at a time";
#endif
}

TEST_F(HostileApi, ABodyBeyondTheLimitIsRefusedBeforeItIsRead) {
  const std::int64_t before = most_kib();
  for (const auto& [path, length] : {std::pair{"/cases", std::size_t{10'000'000}},
                                     {"/session", std::size_t{10'000'000}},
                                     {"/revisions", kLargest + 1}}) {
    http::Client client("127.0.0.1", in_->server()->port());
    ASSERT_TRUE(client.connect());
    std::string head = "POST /api/v1" + std::string(path) + " HTTP/1.1\r\nHost: h\r\n";
    for (const auto& [name, value] : as_he_.all()) head += name + ": " + value + "\r\n";
    client.write(head + "Content-Length: " + std::to_string(length) + "\r\n\r\n" +
                 std::string(4096, '['));
    auto answer = client.read_response();
    ASSERT_TRUE(answer.ok()) << path;
    EXPECT_EQ(answer->status, 413) << path;
    EXPECT_EQ(answer->headers.get_or("Content-Type"), "application/problem+json");
  }
  EXPECT_TRUE(alive());
  EXPECT_LT(most_kib() - before, 8 << 10);
}

TEST_F(HostileApi, WhatIsNotUtf8OrHasTwoReadingsIsRefused) {
  const std::uint64_t size = in_->journal().size();
  for (const char* path : {"/session", "/cases", "/revisions"}) {
    for (std::string_view bytes :
         {"{\"login\":\"\xff\xfe\"}", "{\"login\":\"\xc3\x28\"}", "{\"login\":\"\xed\xa0\x80\"}",
          "{\"login\":\"\xc0\xaf\"}", "{\"log\xf8in\":1}", "{\"login\":\"\xe5\x8d\"}", "\xff\xfe{}",
          "{\"login\":\"\\ud800\"}", "{\"login\":\"a", "{\"login\":1}}", "{,}", "nul", "[1,]",
          "{\"login\":\"\x01\"}", "{'login':1}", "{\"login\":01}", "{\"login\":NaN}"})
      refuses(path, bytes, 400, "json.malformed", "JSON", "JSON");
    for (std::string_view bytes :
         {"{\"login\":\"a\",\"login\":\"b\"}", "{\"login\":\"a\",\"log\\u0069n\":\"b\"}",
          "{\"x\":{\"y\":1,\"y\":2}}", "{\"x\":[{\"y\":1,\"y\":1}]}"})
      refuses(path, bytes, 400, "json.duplicate-key", "重复的键", "duplicate key");
  }
  refuses("/cases", std::string_view("{\"login\":\"a\0\"}", 14), 400, "json.malformed", "JSON",
          "JSON");
  // Read without doubt, and no object that the endpoint takes.
  for (std::string_view bytes : {"[]", "7", "null", "\"x\"", "{\"login\":1e999}", "{\"x\":1}"}) {
    const auto answer = post("/cases", bytes, "en");
    EXPECT_TRUE(answer.status == 400 || answer.status == 422) << bytes << answer.body;
    EXPECT_EQ(answer.headers.get_or("Content-Type"), "application/problem+json") << bytes;
  }
  EXPECT_TRUE(alive());
  EXPECT_EQ(in_->journal().size(), size) << "nothing was written";
}

}  // namespace
}  // namespace cw
