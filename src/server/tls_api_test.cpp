// Encrypted as soon as it listens elsewhere than on loopback: the rule, a self-signed certificate
// and one's own, and what a session's cookie is then.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "api_testing.h"
#include "config.h"

namespace cw {
namespace {

using testing::HasSubstr;

TEST(Listen, IsPlainOnLoopbackAndEncryptedElsewhere) {
  auto tls = [](const std::string& text) {
    ServeConfig config;
    const Status read = read_listen(text, config);
    EXPECT_TRUE(read.ok()) << text;
    return config.tls;
  };
  for (const char* loopback : {"127.0.0.1:8080", "127.9.9.9:1", "[::1]:8080", "localhost:8080"})
    EXPECT_FALSE(tls(loopback)) << loopback;
  for (const char* elsewhere :
       {"0.0.0.0:8443", "[::]:8443", "192.0.2.1:443", "[2001:db8::1]:443", "10.0.0.1:80",
        "128.0.0.1:80", "[::ffff:127.0.0.1]:80", "callwarden.example:443"})
    EXPECT_TRUE(tls(elsewhere)) << elsewhere;
  ServeConfig config;
  for (const char* wrong : {"", "8080", ":8080", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536",
                            "127.0.0.1:-1", "127.0.0.1:http"}) {
    const Status read = read_listen(wrong, config);
    ASSERT_FALSE(read.ok()) << wrong;
    EXPECT_EQ(read.problem().code, "args.listen") << wrong;
  }
}

TEST(Listen, TheLastWordOnTheAddressDecides) {
  ServeConfig config;
  ASSERT_TRUE(read_config({{"listen", "127.0.0.1:8080"}}, config).ok());
  EXPECT_FALSE(config.tls);
  ASSERT_TRUE(read_listen("0.0.0.0:8443", config).ok());
  EXPECT_TRUE(config.tls) << "a command line that opens the server encrypts it";
  EXPECT_EQ(config.http.host, "0.0.0.0");
  EXPECT_EQ(config.http.port, 8443);
  // A name that only looks like loopback is served by nobody, so not in the clear either.
  ASSERT_TRUE(read_listen("127.example.org:80", config).ok());
  http::Router router;
  SystemClock clock;
  SystemRandom random;
  http::Server server(config.http, std::move(router), clock, random);
  const Status started = server.start();
  ASSERT_FALSE(started.ok());
  EXPECT_EQ(started.problem().code, "http.listen");
}

class TlsApi : public CentreApi {
 protected:
  // Serves again, encrypted.
  void encrypt() {
    http::ServerOptions options{.port = 0};
    options.tls = http::TlsOptions{certificate_, folder_ + "/tls.key"};
    auto serving = in_->serve(std::move(options), {}, &offset_);
    ASSERT_TRUE(serving.ok()) << serving.problem().text.en;
  }
  http::Client client() {
    return http::Client("127.0.0.1", in_->server()->port(), {.tls = true, .ca_file = certificate_});
  }
  static std::string all_of(const std::string& path) {
    std::stringstream out;
    out << std::ifstream(path).rdbuf();
    return out.str();
  }
  // Signs in and gives the cookie's parts.
  std::vector<std::string> sign_in(http::Client& client) {
    auto in = client.post_json("/api/v1/session", {{"login", "wang"}, {"password", kPassword}});
    EXPECT_TRUE(in.ok() && in->status == 200);
    csrf_ = text_or(body(*in), "csrf");
    EXPECT_TRUE(in->headers.has("Strict-Transport-Security"));
    return parts(in->headers.get_or("Set-Cookie"));
  }
  static std::vector<std::string> parts(std::string_view cookie) {
    std::vector<std::string> out;
    for (auto part : split(cookie, ';')) out.emplace_back(trim(part));
    return out;
  }
  const std::string certificate_ = folder_ + "/tls.crt";
  std::string csrf_;
};

TEST_F(TlsApi, AnswersUnderACertificateItMadeItselfAndTheCookieIsBoundToTheHost) {
  encrypt();
  http::Client c = client();
  auto health = c.get("/api/v1/health");
  ASSERT_TRUE(health.ok()) << health.problem().text.en;
  EXPECT_EQ(health->status, 200);
  EXPECT_TRUE(c.tls_version().starts_with("TLSv1."));

  const auto cookie = sign_in(c);
  ASSERT_FALSE(cookie.empty());
  EXPECT_TRUE(cookie[0].starts_with("__Host-cw=")) << cookie[0];
  const std::string secret = cookie[0].substr(cookie[0].find('=') + 1);
  EXPECT_GE(secret.size(), 43u);
  EXPECT_THAT(std::vector<std::string>(cookie.begin() + 1, cookie.end()),
              testing::UnorderedElementsAre("Path=/", "HttpOnly", "SameSite=Strict", "Secure"))
      << "no Domain: only this host gets it back";

  http::Headers mine;
  mine.set("Cookie", cookie[0]).set("X-CSRF", csrf_);
  EXPECT_EQ(c.get("/api/v1/session", mine)->status, 200);
  // A cookie that another host or plain HTTP could have set is not looked at.
  EXPECT_EQ(c.get("/api/v1/session", http::Headers().set("Cookie", "cw=" + secret))->status, 401);
  EXPECT_EQ(
      c.get("/api/v1/session", http::Headers().set("Cookie", cookie[0] + "; " + cookie[0]))->status,
      401)
      << "twice is neither";

  auto out = c.request("DELETE", "/api/v1/session", mine);
  ASSERT_TRUE(out.ok());
  EXPECT_EQ(out->status, 200);
  EXPECT_THAT(parts(out->headers.get_or("Set-Cookie")),
              testing::UnorderedElementsAre("__Host-cw=", "Path=/", "HttpOnly", "SameSite=Strict",
                                            "Secure", "Max-Age=0"));
  EXPECT_EQ(c.get("/api/v1/session", mine)->status, 401);
}

TEST_F(TlsApi, AnswersUnderOnesOwnCertificateAndLeavesItAsItIs) {
  const std::string command =
      "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 "
      "-subj /CN=callwarden.example -addext subjectAltName=IP:127.0.0.1 -keyout " +
      folder_ + "/tls.key -out " + certificate_ + " 2>/dev/null && chmod 600 " + folder_ +
      "/tls.key";
  ASSERT_EQ(std::system(command.c_str()), 0);
  const std::string before = all_of(certificate_);
  encrypt();
  http::Client c = client();
  auto health = c.get("/api/v1/health");
  ASSERT_TRUE(health.ok()) << health.problem().text.en;
  EXPECT_EQ(health->status, 200);
  EXPECT_TRUE(sign_in(c).at(0).starts_with("__Host-cw="));
  EXPECT_EQ(all_of(certificate_), before);
  // Who trusts only others does not talk to it.
  http::Client stranger("127.0.0.1", in_->server()->port(), {.tls = true});
  EXPECT_FALSE(stranger.get("/api/v1/health").ok());
}

TEST_F(TlsApi, OverPlainLoopbackTheCookieIsCalledOtherwiseAndStillHidden) {
  http::Client c("127.0.0.1", in_->server()->port());
  auto in = c.post_json("/api/v1/session", {{"login", "wang"}, {"password", kPassword}});
  ASSERT_TRUE(in.ok());
  const auto cookie = parts(in->headers.get_or("Set-Cookie"));
  EXPECT_TRUE(cookie.at(0).starts_with("cw="));
  EXPECT_THAT(std::vector<std::string>(cookie.begin() + 1, cookie.end()),
              testing::UnorderedElementsAre("Path=/", "HttpOnly", "SameSite=Strict"));
  EXPECT_FALSE(in->headers.has("Strict-Transport-Security"));
}

}  // namespace
}  // namespace cw
