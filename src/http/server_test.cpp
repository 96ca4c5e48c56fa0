#include <sys/resource.h>
#include <sys/stat.h>

#include <atomic>
#include <latch>
#include <semaphore>

#include "http_testing.h"

namespace cw::http {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(Server, KeepsTheConnectionAliveBetweenRequests) {
  Running server;
  Client c = server.client();
  for (int i = 0; i < 20; ++i) {
    auto answer = c.get("/ping");
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->body, "pong");
  }
  EXPECT_EQ(server.server.stats().connections, 1u);
  EXPECT_EQ(server.server.stats().requests, 20u);
}

TEST(Server, EveryAnswerCarriesTheSecurityHeaders) {
  Running server;
  Client c = server.client();
  for (const char* target : {"/ping", "/none", "/fail", "/cases/%00"}) {
    auto a = c.get(target);
    ASSERT_TRUE(a) << target;
    EXPECT_THAT(std::string(a->headers.get_or("Content-Security-Policy")),
                HasSubstr("default-src 'self'"));
    EXPECT_THAT(std::string(a->headers.get_or("Content-Security-Policy")),
                HasSubstr("frame-ancestors 'none'"));
    EXPECT_EQ(a->headers.get("X-Content-Type-Options"), "nosniff");
    EXPECT_EQ(a->headers.get("Referrer-Policy"), "no-referrer");
    EXPECT_EQ(a->headers.get("Cross-Origin-Opener-Policy"), "same-origin");
    EXPECT_EQ(a->headers.get("Cross-Origin-Resource-Policy"), "same-origin");
    EXPECT_EQ(a->headers.get("Cache-Control"), "no-store");
    EXPECT_FALSE(a->headers.has("Strict-Transport-Security")) << "only over TLS";
    EXPECT_THAT(std::string(a->headers.get_or("X-Request-Id")), testing::StartsWith("req_"));
    EXPECT_TRUE(a->headers.has("Date"));
  }
}

TEST(Server, AFailingHandlerIsA500ThatTellsNothing) {
  Running server;
  Client c = server.client();
  auto a = c.get("/fail", Headers().set("Accept-Language", "en"));
  ASSERT_TRUE(a);
  EXPECT_EQ(a->status, 500);
  EXPECT_THAT(a->body, Not(HasSubstr("secret")));
  EXPECT_THAT(a->body, HasSubstr(std::string(a->headers.get_or("X-Request-Id"))));
  EXPECT_TRUE(server.alive());
}

TEST(Server, UnknownPathsAndMethods) {
  Running server;
  Client c = server.client();
  EXPECT_EQ(c.get("/none")->status, 404);
  auto wrong = c.request("PUT", "/cases/c1", {}, "x");
  EXPECT_EQ(wrong->status, 405);
  EXPECT_EQ(wrong->headers.get("Allow"), "DELETE, GET, HEAD, OPTIONS");
  auto options = c.request("OPTIONS", "/cases/c1");
  EXPECT_EQ(options->status, 204);
  EXPECT_EQ(options->headers.get("Allow"), "DELETE, GET, HEAD, OPTIONS");
  auto head = c.request("HEAD", "/cases/c1");
  EXPECT_EQ(head->status, 200);
  EXPECT_EQ(head->body, "");
  EXPECT_NE(head->headers.get("Content-Length"), "0");
  EXPECT_EQ(c.request("DELETE", "/cases/c1")->status, 204);
  EXPECT_EQ(c.get("/ping")->body, "pong") << "the connection is still in step";
}

TEST(Server, ExpectContinueIsAnsweredBeforeTheBody) {
  Running server;
  Client c = server.client();
  ASSERT_TRUE(c.connect());
  c.write("POST /echo HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
  EXPECT_THAT(c.read(100, 2000), testing::StartsWith("HTTP/1.1 100 Continue\r\n"));
  c.write("hello");
  EXPECT_EQ(c.read_response()->body, "hello");
  EXPECT_EQ(server.status_of_raw("POST /echo HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\n"
                                 "Content-Length: 5000000\r\n\r\n"),
            413);
}

TEST(Server, AHeaderThatWouldSplitTheAnswerIsA500) {
  Router router;
  router.add("GET", "/split", [](Request&) {
    Response r = text_response(200, "x");
    r.headers.set("Location", "/a\r\nSet-Cookie: stolen=1");
    return r;
  });
  Running server({}, std::move(router));
  auto a = server.client().get("/split");
  ASSERT_TRUE(a);
  EXPECT_EQ(a->status, 500);
  EXPECT_FALSE(a->headers.has("Set-Cookie"));
}

TEST(Server, TheGateAnswersBeforeTheBodyIsRead) {
  ServerOptions o;
  o.gate = [](Request& r) -> std::optional<Response> {
    if (!r.headers.has("Authorization")) {
      return problem_response(
          r, problem(Refusal::unauthenticated, "auth.needed", {"请登录", "Sign in"}));
    }
    r.context = std::string("per_1");
    return std::nullopt;
  };
  Router router;
  router.add("POST", "/who",
             [](Request& r) { return text_response(200, std::any_cast<std::string>(r.context)); });
  Running server(o, std::move(router));
  EXPECT_EQ(server.status_of_raw("POST /who HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\n"),
            401);
  auto a = server.client().request("POST", "/who", Headers().set("Authorization", "x"), "body");
  EXPECT_EQ(a->body, "per_1");
}

TEST(Server, OnlyItsOwnNamesAreServed) {
  ServerOptions o;
  o.hosts = {"cw.example", "::1"};
  Running server(o);
  auto with_host = [&](const std::string& host) {
    return server.status_of_raw("GET /ping HTTP/1.1\r\nHost: " + host + "\r\n\r\n");
  };
  EXPECT_EQ(with_host("CW.example:8443"), 200);
  EXPECT_EQ(with_host("[::1]:80"), 200);
  EXPECT_EQ(with_host("evil.example"), 421);
}

TEST(Server, ForwardedAddressesCountOnlyFromTrustedProxies) {
  auto peer_seen = [](std::vector<std::string> trusted, const std::string& fields) {
    Router router;
    router.add("GET", "/peer",
               [](Request& r) { return text_response(200, r.peer + (r.tls ? " tls" : "")); });
    ServerOptions o;
    o.trusted_proxies = std::move(trusted);
    Running server(o, std::move(router));
    ClientResponse answer;
    server.status_of_raw("GET /peer HTTP/1.1\r\nHost: h\r\n" + fields + "\r\n", &answer);
    return answer.body;
  };
  const std::string spoofed = "X-Forwarded-For: 6.6.6.6\r\n";
  EXPECT_EQ(peer_seen({}, spoofed), "127.0.0.1");
  EXPECT_EQ(peer_seen({"127.0.0.1"}, spoofed + "X-Forwarded-For: 192.0.2.7\r\n"
                                               "X-Forwarded-Proto: https\r\n"),
            "192.0.2.7 tls");
  EXPECT_EQ(
      peer_seen({"127.0.0.1", "10.0.0.1"}, "X-Forwarded-For: 6.6.6.6, 192.0.2.7, 10.0.0.1\r\n"),
      "192.0.2.7");
  EXPECT_EQ(peer_seen({"127.0.0.1"}, "X-Forwarded-For: <script>\r\n"), "127.0.0.1");
}

TEST(Server, AFullQueueIs503AtOnceAndRecovers) {
  std::counting_semaphore<64> release(0);
  std::atomic<int> started{0};
  Router router = small_router();
  router.add("GET", "/slow", [&](Request&) {
    ++started;
    release.acquire();
    return text_response(200, "done");
  });
  ServerOptions o;
  o.workers = 1;
  o.queue_max = 2;
  Running server(o, std::move(router));
  std::vector<std::thread> callers;
  std::atomic<int> good{0};
  auto call = [&] {
    auto a = server.client().get("/slow");
    if (a && a->status == 200) ++good;
  };
  callers.emplace_back(call);
  ASSERT_TRUE(eventually([&] { return started == 1; }));
  callers.emplace_back(call);
  callers.emplace_back(call);
  ASSERT_TRUE(eventually([&] { return server.server.stats().queued == 2; }));
  auto refused = server.client().get("/ping");
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->status, 503);
  EXPECT_EQ(refused->headers.get("Retry-After"), "1");
  release.release(3);
  for (auto& t : callers) t.join();
  EXPECT_EQ(good, 3);
  EXPECT_TRUE(server.alive());
}

TEST(Server, StopsGracefully) {
  std::latch entered(1);
  Router router = small_router();
  router.add("GET", "/slow", [&](Request&) {
    entered.count_down();
    std::this_thread::sleep_for(std::chrono::milliseconds(150));
    return text_response(200, "finished");
  });
  Running server({}, std::move(router));
  Client idle = server.client();
  ASSERT_TRUE(idle.get("/ping"));
  std::string body;
  std::thread caller([&] {
    auto a = server.client().get("/slow");
    if (a) body = a->body;
  });
  entered.wait();
  const auto port = server.server.port();
  server.server.stop();
  caller.join();
  EXPECT_EQ(body, "finished") << "a request under way is answered";
  EXPECT_EQ(idle.read(10, 1000), "") << "an idle connection ends";
  EXPECT_FALSE(Client("127.0.0.1", port).connect()) << "nobody listens any more";
}

TEST(Server, StopsAtAnyMomentWithoutWaiting) {
  ServerOptions o;
  o.workers = 1;
  o.header_ms = o.idle_ms = 20;  // a timer every 5 ms, so that stop meets it at every moment
  const SystemClock clock;
  const std::int64_t begin = clock.monotonic_ns();
  for (int i = 0; i < 100; ++i) {
    Running server(o);
    std::this_thread::sleep_for(std::chrono::microseconds(4'600 + 10 * i));
  }
  EXPECT_LT((clock.monotonic_ns() - begin) / 1'000'000, 9'000);
}

TEST(Server, AUsedPortOrABadAddressIsAClearRefusal) {
  Running first;
  SystemClock clock;
  SystemRandom random;
  Server second({.port = first.server.port()}, small_router(), clock, random);
  auto started = second.start();
  ASSERT_FALSE(started);
  EXPECT_EQ(started.problem().code, "http.listen");
  Server third({.host = "not-an-address"}, small_router(), clock, random);
  EXPECT_EQ(third.start().problem().code, "http.listen");
}

TEST(ServerDeathTest, ConnectionsNeverTakeTheDescriptorsThatOthersNeed) {
  auto allowed = [](rlim_t descriptors) {
    const rlimit limit{descriptors, descriptors};
    setrlimit(RLIMIT_NOFILE, &limit);
    Running server;
    std::_Exit(server.server.stats().connections_max == descriptors / 2 ? 0 : 1);
  };
  EXPECT_EXIT(allowed(128), testing::ExitedWithCode(0), "");
}

TEST(Bench, MeasuresBothServersInOneRun) {
  json::object r = bench_http({.connections = 2, .seconds_per_run = 1});
  EXPECT_GT(int_or(r, "requests_per_s"), 10);
  EXPECT_GT(int_or(r, "baseline_requests_per_s"), int_or(r, "requests_per_s") / 2);
  EXPECT_LE(int_or(r, "p50_us"), int_or(r, "p99_us"));
}

class Tls : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "cw_http_XXXXXX").string();
    ASSERT_TRUE(mkdtemp(name.data()));
    folder = name;
    options.tls = TlsOptions{folder / "cert.pem", folder / "key.pem"};
  }
  void TearDown() override { std::filesystem::remove_all(folder); }
  std::string read_certificate() const {
    const std::string command = "openssl x509 -noout -text -in " + (folder / "cert.pem").string();
    FILE* pipe = popen(command.c_str(), "r");
    std::string out(8192, '\0');
    out.resize(fread(out.data(), 1, out.size(), pipe));
    pclose(pipe);
    return out;
  }
  std::filesystem::path folder;
  ServerOptions options;
};

TEST_F(Tls, MakesItsOwnCertificateOnFirstStartAndKeepsIt) {
  std::string fingerprint;
  {
    Running server(options);
    fingerprint = server.server.certificate_fingerprint();
    EXPECT_EQ(fingerprint.size(), 95u);
    struct stat info {};
    ASSERT_EQ(stat((folder / "key.pem").c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777, 0600u);
    const std::string text = read_certificate();
    EXPECT_THAT(text, HasSubstr("DNS:localhost"));
    EXPECT_THAT(text, HasSubstr("IP Address:127.0.0.1"));
    Client c("127.0.0.1", server.server.port(), {.tls = true, .ca_file = folder / "cert.pem"});
    auto a = c.get("/ping");
    ASSERT_TRUE(a) << a.problem().text.en;
    EXPECT_EQ(a->body, "pong");
    EXPECT_EQ(c.tls_version(), "TLSv1.3");
    EXPECT_TRUE(a->headers.has("Strict-Transport-Security"));
    EXPECT_EQ(c.get("/ping")->body, "pong");
    auto large = c.request("POST", "/echo", {}, std::string(60'000, 'x'));
    EXPECT_EQ(large->body.size(), 60'000u);
  }
  Running again(options);
  EXPECT_EQ(again.server.certificate_fingerprint(), fingerprint);
}

TEST_F(Tls, OldVersionsAndStrangersAreRefused) {
  Running server(options);
  const std::string port = std::to_string(server.server.port());
  auto s_client = [&](const std::string& flags) {
    return std::system(
        ("echo | openssl s_client -connect 127.0.0.1:" + port + " " + flags + " >/dev/null 2>&1")
            .c_str());
  };
  EXPECT_EQ(s_client("-tls1_2"), 0);
  EXPECT_EQ(s_client("-tls1_3"), 0);
  EXPECT_NE(s_client("-tls1_1 -cipher DEFAULT@SECLEVEL=0"), 0);
  EXPECT_NE(s_client("-tls1_2 -cipher AES128-SHA@SECLEVEL=0"), 0);
  Client stranger("127.0.0.1", server.server.port(), {.tls = true});
  EXPECT_FALSE(stranger.get("/ping")) << "a self-signed certificate is not trusted by itself";
}

TEST_F(Tls, PlainHttpIsToldToUseHttps) {
  Running server(options);
  ClientResponse answer;
  EXPECT_EQ(server.status_of_raw("GET / HTTP/1.1\r\nHost: h\r\n\r\n", &answer), 400);
  EXPECT_THAT(answer.body, HasSubstr("HTTPS"));
}

TEST_F(Tls, HostileBytesInsideTlsAreRefusedTheSameWay) {
  options.header_ms = 300;
  Running server(options);
  Client c("127.0.0.1", server.server.port(), {.tls = true, .verify = false});
  ASSERT_TRUE(c.connect());
  c.write("GET / HTTP/1.1\r\n\r\n");
  EXPECT_EQ(c.read_response()->status, 400);
  ASSERT_TRUE(c.connect());
  c.write("GET / HTT");
  EXPECT_EQ(c.read_response()->status, 408);
  Client half("127.0.0.1", server.server.port());  // never says hello
  ASSERT_TRUE(half.connect());
  EXPECT_EQ(half.read(10, 3000), "");
  EXPECT_FALSE(half.connected());
}

TEST_F(Tls, ACertificateCanBeRenewedWithoutARestart) {
  Running server(options);
  const std::string before = server.server.certificate_fingerprint();
  std::filesystem::remove(folder / "cert.pem");
  EXPECT_EQ(server.server.reload_tls().problem().code, "http.tls") << "a key without certificate";
  EXPECT_EQ(server.server.certificate_fingerprint(), before);
  std::filesystem::remove(folder / "key.pem");
  ASSERT_TRUE(server.server.reload_tls());
  EXPECT_NE(server.server.certificate_fingerprint(), before);
  Client c("127.0.0.1", server.server.port(), {.tls = true, .ca_file = folder / "cert.pem"});
  ASSERT_TRUE(c.get("/ping"));
}

TEST_F(Tls, AKeyOpenToEveryoneIsRefused) {
  { Running once(options); }
  chmod((folder / "key.pem").c_str(), 0644);
  SystemClock clock;
  SystemRandom random;
  Server server(options, small_router(), clock, random);
  auto started = server.start();
  ASSERT_FALSE(started);
  EXPECT_THAT(started.problem().text.en, HasSubstr("0600"));
}

}  // namespace
}  // namespace cw::http
