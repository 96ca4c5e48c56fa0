#include <list>

#include "http_testing.h"

namespace cw::http {
namespace {

// A small feed as the api has one: numbered entries, live senders, resume after a number.
class Feed {
 public:
  void append(std::string data) {
    std::lock_guard lock(mutex_);
    entries_.push_back(std::move(data));
    std::erase_if(streams_, [&](auto& s) { return !s->send(event(entries_.size())); });
  }
  void join(std::shared_ptr<EventStream> stream, std::size_t after) {
    std::lock_guard lock(mutex_);
    for (std::size_t n = after + 1; n <= entries_.size(); ++n) {
      if (!stream->send(event(n))) return;
    }
    streams_.push_back(std::move(stream));
  }
  std::size_t listeners() {
    std::lock_guard lock(mutex_);
    return streams_.size();
  }
  void end() {
    std::lock_guard lock(mutex_);
    streams_.clear();
  }

 private:
  Event event(std::size_t n) { return {std::to_string(n), "entry", entries_[n - 1]}; }
  std::mutex mutex_;
  std::vector<std::string> entries_;
  std::list<std::shared_ptr<EventStream>> streams_;
};

Router feed_router(Feed& feed) {
  Router router = small_router();
  router.add("GET", "/events", [&](Request& r) {
    const std::size_t after = std::strtoul(std::string(r.last_event_id()).c_str(), nullptr, 10);
    Response response;
    response.events = [&feed, after](std::shared_ptr<EventStream> s) {
      feed.join(std::move(s), after);
    };
    return response;
  });
  return router;
}

TEST(Events, ArriveInOrderAndResumeWhereTheyStopped) {
  Feed feed;
  Running server({}, feed_router(feed));
  Client c = server.client();
  auto opened = c.open_events("/events");
  ASSERT_TRUE(opened);
  EXPECT_EQ(opened->headers.get("Content-Type"), "text/event-stream");
  EXPECT_EQ(opened->headers.get("Cache-Control"), "no-store");
  ASSERT_TRUE(eventually([&] { return feed.listeners() == 1; }));
  feed.append("one");
  feed.append("two\nlines");
  auto first = c.next_event(2000);
  ASSERT_TRUE(first);
  EXPECT_EQ(first->id, "1");
  EXPECT_EQ(first->event, "entry");
  EXPECT_EQ(first->data, "one");
  EXPECT_EQ(c.next_event(2000)->data, "two\nlines");
  c.close();
  feed.append("three");
  feed.append("four");
  Client again = server.client();
  ASSERT_TRUE(again.open_events("/events", Headers().set("Last-Event-ID", "2")));
  EXPECT_EQ(again.next_event(2000)->data, "three");
  EXPECT_EQ(again.next_event(2000)->id, "4");
  feed.end();
  EXPECT_FALSE(again.next_event(2000));
  EXPECT_FALSE(again.connected()) << "the last sender gone, the stream ends";
}

TEST(Events, ASilentStreamHasAHeartbeat) {
  Feed feed;
  ServerOptions o;
  o.heartbeat_ms = 40;
  Running server(o, feed_router(feed));
  Client c = server.client();
  ASSERT_TRUE(c.open_events("/events"));
  EXPECT_FALSE(c.next_event(100));
  EXPECT_TRUE(eventually([&] {
    c.next_event(20);
    return c.heartbeats() >= 3;
  }));
  EXPECT_TRUE(c.connected());
}

TEST(Events, ALeavingClientIsNoticed) {
  Feed feed;
  Running server({}, feed_router(feed));
  {
    Client c = server.client();
    ASSERT_TRUE(c.open_events("/events"));
    ASSERT_TRUE(eventually([&] { return server.server.stats().streams == 1; }));
  }
  EXPECT_TRUE(eventually([&] { return server.server.stats().streams == 0; }));
  EXPECT_TRUE(eventually([&] {
    feed.append("x");
    return feed.listeners() == 0;
  }));
}

TEST(Events, ASlowReaderIsDisconnectedAndResumesWithoutLoss) {
  Feed feed;
  ServerOptions o;
  o.event_buffer_max = 64 * 1024;
  o.write_ms = 300;
  Running server(o, feed_router(feed));
  Client slow = server.client();
  ASSERT_TRUE(slow.open_events("/events"));
  ASSERT_TRUE(eventually([&] { return feed.listeners() == 1; }));
  const std::string line(1000, 'x');
  int appended = 0;
  while (feed.listeners() == 1 && appended < 20'000) feed.append(line), ++appended;
  EXPECT_LT(appended, 20'000) << "the sender is never blocked, and told to forget it";
  ASSERT_TRUE(eventually([&] { return server.server.stats().streams == 0; }, 15'000));
  std::size_t seen = 0;
  while (auto e = slow.next_event(300)) ASSERT_EQ(e->id, std::to_string(++seen));
  EXPECT_GT(seen, 0u);
  while (seen < static_cast<std::size_t>(appended)) {  // as a browser does, again and again
    Client next = server.client();
    ASSERT_TRUE(next.open_events("/events", Headers().set("Last-Event-ID", std::to_string(seen))));
    const std::size_t before = seen;
    while (seen < static_cast<std::size_t>(appended)) {
      auto e = next.next_event(2000);
      if (!e) break;
      ASSERT_EQ(e->id, std::to_string(++seen));
    }
    ASSERT_GT(seen, before);
  }
}

TEST(Events, BeyondTheLimitOfStreamsIs503AndHeadOpensNone) {
  Feed feed;
  ServerOptions o;
  o.streams_max = 1;
  Running server(o, feed_router(feed));
  Client head = server.client();
  EXPECT_EQ(head.request("HEAD", "/events")->status, 200);
  Client one = server.client(), two = server.client();
  EXPECT_EQ(one.open_events("/events")->status, 200);
  EXPECT_EQ(two.open_events("/events")->status, 503);
  EXPECT_EQ(server.server.stats().streams, 1u);
}

TEST(Events, StopEndsTheStreamsAndSendersMayOutliveTheServer) {
  Feed feed;
  {
    Running server({}, feed_router(feed));
    Client c = server.client();
    ASSERT_TRUE(c.open_events("/events"));
    ASSERT_TRUE(eventually([&] { return feed.listeners() == 1; }));
    feed.append("last");
    server.server.stop();
    EXPECT_EQ(c.next_event(1000)->data, "last");
    EXPECT_FALSE(c.next_event(1000));
  }
  feed.append("nobody hears");
  EXPECT_EQ(feed.listeners(), 0u);
}

TEST(Events, ManyStreamsAndSendersAtOnce) {
  Feed feed;
  Running server({}, feed_router(feed));
  constexpr int kClients = 8, kEvents = 200;
  std::vector<std::thread> readers;
  std::atomic<int> complete{0};
  for (int i = 0; i < kClients; ++i) {
    readers.emplace_back([&] {
      Client c = server.client();
      if (!c.open_events("/events?last_event_id=0")) return;
      for (int n = 1; n <= kEvents; ++n) {
        auto e = c.next_event(5000);
        if (!e || e->id != std::to_string(n)) return;
      }
      ++complete;
    });
  }
  std::vector<std::thread> senders;
  for (int s = 0; s < 4; ++s) {
    senders.emplace_back([&] {
      for (int n = 0; n < kEvents / 4; ++n) feed.append("e");
    });
  }
  for (auto& t : senders) t.join();
  for (auto& t : readers) t.join();
  EXPECT_EQ(complete, kClients);
}

}  // namespace
}  // namespace cw::http
