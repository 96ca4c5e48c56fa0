// Hostile bytes against a running server: a clear 4xx, bounded memory, and alive afterwards.
#include <sys/resource.h>
#include <unistd.h>

#include <fstream>

#include "http_testing.h"

namespace cw::http {
namespace {

using testing::HasSubstr;

ServerOptions impatient() {
  ServerOptions o;
  o.workers = 2;
  o.header_ms = 300;
  o.body_ms = 300;
  o.idle_ms = 400;
  o.write_ms = 500;
  return o;
}

std::string post_with(const std::string& fields, const std::string& body = "") {
  return "POST /echo HTTP/1.1\r\nHost: h\r\n" + fields + "\r\n" + body;
}

TEST(HostileWire, AmbiguousMessagesGetAClearRefusalAndTheServerLives) {
  Running server(impatient());
  const std::string smuggled = "GET /cases/smuggled HTTP/1.1\r\nHost: h\r\n\r\n";
  const std::string cases[] = {
      post_with("Content-Length: 4\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n" + smuggled),
      post_with("Content-Length: 0\r\nContent-Length: 44\r\n", smuggled),
      post_with("Transfer-Encoding: xchunked\r\n", "0\r\n\r\n" + smuggled),
      post_with("Transfer-Encoding: chunked, identity\r\n", "0\r\n\r\n" + smuggled),
      post_with("X: y\r\n Transfer-Encoding: chunked\r\n", smuggled),
      post_with("X: y\nTransfer-Encoding: chunked\r\n", smuggled),
      "GET /ping HTTP/1.1\r\n\r\n" + smuggled,
      "GET /ping HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n" + smuggled,
      "GET /ping?q=%ff HTTP/1.1\r\nHost: h\r\n\r\n" + smuggled,
      post_with("Transfer-Encoding: chunked\r\n", "5;x=\ny\r\nhello\r\n0\r\n\r\n" + smuggled),
      post_with("Transfer-Encoding: chunked\r\n", "0\r\nX: y\r\n\r\n" + smuggled),
  };
  for (const std::string& bytes : cases) {
    Client c = server.client();
    ASSERT_TRUE(c.connect());
    c.write(bytes);
    auto answer = c.read_response();
    ASSERT_TRUE(answer) << bytes;
    EXPECT_EQ(answer->status, 400) << bytes;
    EXPECT_EQ(answer->headers.get("Content-Type"), "application/problem+json");
    EXPECT_EQ(answer->headers.get("Connection"), "close");
    EXPECT_EQ(c.read(1000, 100), "") << "nothing after a refusal is ever parsed";
  }
  EXPECT_TRUE(server.alive());
  EXPECT_EQ(server.server.stats().requests, 3u) << "two whose bodies were bad, and the last";
  EXPECT_EQ(server.server.stats().refused_wire, std::size(cases));
}

TEST(HostileWire, TheRefusalSpeaksTheCallersLanguageEvenWhenUnparsed) {
  Running server(impatient());
  ClientResponse answer;
  server.status_of_raw("GET / HTTP/1.1\r\nAccept-Language: en\r\nBad\nHost: h\r\n\r\n", &answer);
  EXPECT_THAT(answer.body, HasSubstr("stray LF"));
  server.status_of_raw("GET / HTTP/1.1\r\nAccept-Language: zh-CN\r\n\r\n", &answer);
  EXPECT_THAT(answer.body, HasSubstr("Host 缺失"));
  EXPECT_THAT(answer.body, HasSubstr("req_"));
}

TEST(HostileWire, HugeHeadersStopAtTheLimit) {
  Running server(impatient());
  EXPECT_EQ(server.status_of_raw(
                "GET /ping HTTP/1.1\r\nHost: h\r\nX: " + std::string(100 * 1024, 'x') + "\r\n\r\n"),
            431);
  EXPECT_EQ(server.status_of_raw("GET /" + std::string(100 * 1024, 'x')), 414);
  std::string many = "GET /ping HTTP/1.1\r\nHost: h\r\n";
  for (int i = 0; i < 200; ++i) many += "A" + std::to_string(i) + ": b\r\n";
  EXPECT_EQ(server.status_of_raw(many + "\r\n"), 431);
  EXPECT_TRUE(server.alive());
}

TEST(HostileWire, SlowHeadersTimeOutHoweverSteadilyTheyDrip) {
  Running server(impatient());
  Client c = server.client();
  ASSERT_TRUE(c.connect());
  c.write("GET /ping HTTP/1.1\r\nHost: h\r\n");
  std::string got;
  for (int i = 0; i < 60 && got.empty(); ++i) {
    c.write("X");
    got = c.read(4096, 20);
  }
  EXPECT_THAT(got, testing::StartsWith("HTTP/1.1 408 "));
  EXPECT_TRUE(server.alive());
}

TEST(HostileWire, SlowBodiesTimeOut) {
  Running server(impatient());
  ClientResponse answer;
  EXPECT_EQ(server.status_of_raw(post_with("Content-Length: 10\r\n", "abc"), &answer), 408);
  EXPECT_EQ(server.status_of_raw(post_with("Transfer-Encoding: chunked\r\n", "5\r\nab")), 408);
  EXPECT_TRUE(server.alive());
}

TEST(HostileWire, ASilentConnectionIsClosedWithoutAWord) {
  Running server(impatient());
  Client c = server.client();
  ASSERT_TRUE(c.connect());
  EXPECT_EQ(c.read(100, 2000), "");
  EXPECT_FALSE(c.connected());
}

TEST(HostileWire, OversizeBodiesAreRefusedBeforeTheyAreRead) {
  Running server(impatient());
  EXPECT_EQ(server.status_of_raw(post_with("Content-Length: 10000000000\r\n")), 413);
  EXPECT_EQ(server.status_of_raw(post_with("Transfer-Encoding: chunked\r\n", "fffffff\r\n")), 413);
  // A client that keeps sending still gets to read its answer: no reset.
  EXPECT_EQ(
      server.status_of_raw(post_with("Content-Length: 2000000\r\n", std::string(2'000'000, 'x'))),
      413);
  EXPECT_TRUE(server.alive());
}

TEST(HostileWire, PipelinedRequestsAreAnsweredInOrder) {
  Running server(impatient());
  Client c = server.client();
  ASSERT_TRUE(c.connect());
  std::string all;
  for (int i = 0; i < 50; ++i) {
    all += post_with("Transfer-Encoding: chunked\r\n", "2\r\nab\r\n0\r\n\r\n");
    all += "GET /cases/c" + std::to_string(i) + " HTTP/1.1\r\nHost: h\r\n\r\n";
  }
  std::thread writer([&] { c.write(all); });
  for (int i = 0; i < 50; ++i) {
    auto echo = c.read_response();
    ASSERT_TRUE(echo);
    EXPECT_EQ(echo->body, "ab");
    auto got = c.read_response();
    ASSERT_TRUE(got);
    EXPECT_THAT(got->body, HasSubstr("\"c" + std::to_string(i) + "\""));
  }
  writer.join();
}

long resident_kib() {
  std::ifstream statm("/proc/self/statm");
  long total = 0, resident = 0;
  statm >> total >> resident;
  return resident * (sysconf(_SC_PAGESIZE) / 1024);
}

TEST(HostileWire, ManyHalfRequestsHoldLittleMemory) {
  ServerOptions o = impatient();
  o.header_ms = o.body_ms = 20'000;
  o.bodies_bytes_max = 1 << 20;
  Running server(o);
  const long before = resident_kib();
  std::vector<std::unique_ptr<Client>> held;
  int refused_room = 0;
  for (int i = 0; i < 200; ++i) {
    held.push_back(std::make_unique<Client>("127.0.0.1", server.server.port()));
    if (!held.back()->connect()) continue;
    held.back()->write(post_with("Content-Length: 60000\r\n", std::string(59'999, 'x')));
  }
  EXPECT_TRUE(eventually([&] { return server.server.stats().refused_busy > 100; }));
  for (auto& c : held) {
    refused_room += c->read(100, 2).starts_with("HTTP/1.1 503") ? 1 : 0;
  }
  EXPECT_GT(refused_room, 0) << "bodies beyond the budget get 503";
  EXPECT_TRUE(eventually([&] { return server.server.stats().body_bytes <= (1 << 20); }));
  EXPECT_LT(resident_kib() - before, 64 * 1024) << "KiB for 200 hostile clients";
  EXPECT_TRUE(server.alive());
  held.clear();
  EXPECT_TRUE(eventually([&] { return server.server.stats().body_bytes == 0; }));
}

TEST(HostileWire, BeyondTheConnectionLimitThoseNotServedGiveWay) {
  ServerOptions o;
  o.workers = 1;
  o.connections_max = 8;
  Running server(o);
  std::vector<std::unique_ptr<Client>> idle;
  for (int i = 0; i < 20; ++i) {
    idle.push_back(std::make_unique<Client>("127.0.0.1", server.server.port()));
    auto answer = idle.back()->get("/ping");
    ASSERT_TRUE(answer) << i;
  }
  EXPECT_LE(server.server.stats().connections, 8u);
  for (int i = 0; i < 20; ++i) {  // nor do half-sent headers keep anyone out
    idle.push_back(std::make_unique<Client>("127.0.0.1", server.server.port()));
    ASSERT_TRUE(idle.back()->connect());
    idle.back()->write("GET /ping HTTP/1.1\r\nHo");
  }
  EXPECT_TRUE(server.alive());
  EXPECT_LE(server.server.stats().connections, 8u);
}

TEST(HostileWire, RandomBytesNeverHurt) {
  Running server(impatient());
  SeededRandom random(7);
  const std::string seed = post_with("Transfer-Encoding: chunked\r\n", "5\r\nhello\r\n0\r\n\r\n");
  for (int i = 0; i < 150; ++i) {
    std::string bytes = seed;
    for (int k = 0; k < 3; ++k) {
      bytes[random.below(bytes.size())] = static_cast<char>(random.below(256));
    }
    Client c = server.client();
    if (!c.connect()) continue;
    c.write(bytes);
    if (i % 3 == 0) c.read(100, 5);
  }
  EXPECT_TRUE(server.alive());
}

}  // namespace
}  // namespace cw::http
