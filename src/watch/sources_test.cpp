// Sources as they really are: sockets on loopback, files that rotate, senders that fall silent.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fstream>
#include <thread>

#include "bench_fixture.h"
#include "listener.h"
#include "rhythm.h"
#include "tail.h"

namespace cw::watch {
namespace {

namespace fs = std::filesystem;
using Kind = SourceConfig::Kind;

int connect_to(std::uint16_t port, int type = SOCK_STREAM) {
  int fd = socket(AF_INET, type, 0);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof to), 0);
  return fd;
}

void send_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    ssize_t n = send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n <= 0) return;
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
}

SourceConfig syslog_source(std::string id, Kind kind) {
  SourceConfig s = push_source(std::move(id));
  s.kind = kind;
  return s;
}

// ---- framing
// -------------------------------------------------------------------------------------

std::vector<std::string> frames(Framer& f, std::string_view bytes, std::size_t step,
                                bool* ok = nullptr) {
  std::vector<std::string> out;
  bool good = true;
  for (std::size_t i = 0; i < bytes.size() && good; i += step) {
    good = f.feed(bytes.substr(i, step), [&](std::string_view m) { out.emplace_back(m); });
  }
  if (ok) *ok = good;
  return out;
}

TEST(Framer, both_framings_in_any_pieces) {
  std::string stream = "11 <13>one two\n<14>three\r\n\n5 <1>ab2026-11-22 line\n123 not counted\n";
  std::vector<std::string> want{"<13>one two", "<14>three", "<1>ab", "2026-11-22 line",
                                "123 not counted"};
  for (std::size_t step : {1u, 2u, 3u, 7u, 1000u}) {
    Framer f(100);
    EXPECT_EQ(frames(f, stream, step), want) << step;
  }
}

TEST(Framer, long_frames_are_cut_or_skipped_and_the_stream_goes_on) {
  for (std::size_t step : {1u, 5u, 1000u}) {
    Framer f(10);
    EXPECT_EQ(frames(f, "abcdefghijKLMNOP\nshort\n22 <13>456789012345678901<1>x\n", step),
              (std::vector<std::string>{"abcdefghij", "short", "<1>x"}))
        << step;
    EXPECT_EQ(f.counts().refused, 1u);
    EXPECT_EQ(f.counts().cut, 1u);
  }
  bool ok = true;
  Framer f(10);
  frames(f, "9999999 <13>", 1000, &ok);
  EXPECT_TRUE(ok);  // skipped, not yet beyond repair
  Framer g(10);
  frames(g, "99999999 <13>", 1000, &ok);
  EXPECT_FALSE(ok);  // nobody sends a hundred megabytes: close it
  Framer h(10);
  EXPECT_EQ(frames(h, "123456789 <1>\n", 1), std::vector<std::string>{"123456789 "});
}

// ---- sockets
// -------------------------------------------------------------------------------------

TEST(Syslog, an_attack_over_udp_and_one_over_tcp_become_alerts) {
  Centre c({syslog_source("udp", Kind::syslog_udp), syslog_source("tcp", Kind::syslog_tcp)});
  int udp = connect_to(c.watch->port("udp"), SOCK_DGRAM);
  for (int i = 0; i < 8; ++i) {
    send_all(
        udp,
        "<38>Nov 22 04:00:0" + std::to_string(i) +
            " pbx asterisk[32229]: NOTICE[32257]: chan_sip.c:23417 in handle_request_register: "
            "Registration from '<sip:301@e>' failed for '192.0.2.1:36998' - Wrong password");
  }
  int tcp = connect_to(c.watch->port("tcp"));
  for (int i = 0; i < 8; ++i) {
    std::string m =
        "<38>1 2026-11-22T04:00:00Z pbx asterisk 1 - - NOTICE[1]: chan_sip.c: Registration from "
        "'<sip:1@e>' failed for '192.0.2.2' - Wrong password";
    send_all(tcp, i % 2 ? m + "\n" : std::to_string(m.size()) + " " + m);
  }
  for (int i = 0; i < 200 && c.all().size() < 2; ++i) {
    c.watch->drain();
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  close(udp);
  close(tcp);
  ASSERT_EQ(c.all().size(), 2u);
  WatchStats s = c.watch->stats();
  for (const SourceStats& source : s.sources) {
    EXPECT_EQ(source.received.in, 8u) << source.id;
    EXPECT_EQ(source.received.out, 8u) << source.id;
    EXPECT_EQ(source.decoded.out, 8u) << source.id;
    EXPECT_EQ(source.received.refused, 0u) << source.id;
  }
}

TEST(Syslog, too_many_connections_are_refused_and_idle_ones_closed) {
  SourceConfig s = syslog_source("tcp", Kind::syslog_tcp);
  s.connections_max = 2;
  s.idle_ms = 60'000;
  Centre c({s});
  std::vector<int> fds;
  for (int i = 0; i < 4; ++i) fds.push_back(connect_to(c.watch->port("tcp")));
  for (int i = 0; i < 20; ++i) c.watch->drain();
  EXPECT_EQ(c.watch->stats().sources[0].connections, 2u);
  EXPECT_EQ(c.watch->stats().sources[0].connections_refused, 2u);
  c.clock.advance_ms(61'000);
  c.watch->drain();
  int again = connect_to(c.watch->port("tcp"));
  for (int i = 0; i < 20 && c.watch->stats().sources[0].connections < 3; ++i) c.watch->drain();
  EXPECT_EQ(c.watch->stats().sources[0].connections, 3u);
  for (int fd : fds) close(fd);
  close(again);
}

TEST(Syslog, a_port_that_is_taken_is_named) {
  Centre c({syslog_source("first", Kind::syslog_tcp)});
  SourceConfig second = syslog_source("second", Kind::syslog_tcp);
  second.port = c.watch->port("first");
  WatchOptions o{.folder = c.folder.path + "/other", .sources = {second}, .threads = false};
  Watch other(o, c.clock, c.random, *c.journal, *c.alerts, c.rules);
  Status s = other.start();
  ASSERT_FALSE(s.ok());
  EXPECT_EQ(s.problem().code, "source.bind");
  EXPECT_NE(s.problem().text.en.find("second"), std::string::npos);
}

TEST(Syslog, a_sender_that_is_faster_than_we_are_waits_and_nothing_is_lost) {
  WatchLimits limits;
  limits.queue_bytes = 64 * 1024;
  SourceConfig s = syslog_source("tcp", Kind::syslog_tcp);
  Centre c({s}, test_rules(), limits, true);
  int fd = connect_to(c.watch->port("tcp"));
  std::string line = "<13>Nov 22 04:00:00 h app: " + std::string(200, 'x') + "\n";
  std::string block;
  for (int i = 0; i < 1000; ++i) block += line;
  for (int i = 0; i < 20; ++i) send_all(fd, block);
  close(fd);
  for (int i = 0; i < 2000 && c.watch->stats().rules.in < 20'000; ++i) {
    EXPECT_LT(c.watch->stats().queued_bytes, 1u << 20);
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  WatchStats stats = c.watch->stats();
  EXPECT_EQ(stats.rules.in, 20'000u);
  EXPECT_EQ(stats.sources[0].received.refused, 0u);
}

TEST(Push, takes_all_or_nothing_and_says_when_there_is_no_room) {
  WatchLimits limits;
  limits.queue_bytes = 1000;
  Centre c({push_source("app")}, test_rules(), limits);
  ASSERT_TRUE(c.watch->push("app", std::string(2000, 'x')).ok());
  auto full = c.watch->push("app", "one\ntwo\n");
  ASSERT_FALSE(full.ok());
  EXPECT_EQ(full.problem().refusal, Refusal::too_many);
  EXPECT_EQ(full.problem().retry_after_s, 1);
  EXPECT_EQ(c.watch->stats().sources[0].received.refused, 2u);
  c.watch->drain();
  EXPECT_TRUE(c.watch->push("app", "one\ntwo\n").ok());
  EXPECT_EQ(c.watch->push("none", "x").problem().refusal, Refusal::not_found);
  EXPECT_EQ(c.watch->push("app", std::string(5 << 20, 'x')).problem().refusal, Refusal::too_large);
}

// ---- files
// ---------------------------------------------------------------------------------------

struct Tailed {
  TempFolder folder;
  std::string path = folder.path + "/messages";
  std::unique_ptr<FileTail> tail;
  Tailed() { open(); }
  void open(bool from_start = true) { tail = std::make_unique<FileTail>(path, 100, from_start); }
  void append(std::string_view text, const char* name = "messages") {
    std::ofstream(folder.path + "/" + name, std::ios::app | std::ios::binary) << text;
  }
  std::vector<std::string> read() {
    std::vector<std::string> out;
    while (tail->poll([&](std::string_view l) { out.emplace_back(l); }, 1 << 20)) {
    }
    return out;
  }
};

using Lines = std::vector<std::string>;

TEST(FileTail, gives_whole_lines_and_waits_for_the_rest) {
  Tailed t;
  EXPECT_EQ(t.read(), Lines{});
  EXPECT_FALSE(t.tail->stats().reading);  // it does not exist yet
  t.append("one\ntw");
  EXPECT_EQ(t.read(), Lines{"one"});
  t.append("o\n");
  EXPECT_EQ(t.read(), Lines{"two"});
  t.append(std::string(250, 'x') + "\nafter\n");
  Lines got = t.read();
  ASSERT_EQ(got.size(), 2u);
  EXPECT_EQ(got[0].size(), 100u);
  EXPECT_EQ(got[1], "after");
  EXPECT_EQ(t.tail->stats().cut, 1u);
}

TEST(FileTail, follows_rename_and_create) {
  Tailed t;
  t.append("1\n2\n");
  EXPECT_EQ(t.read(), (Lines{"1", "2"}));
  t.append("3\n");
  fs::rename(t.path, t.path + ".1");
  t.append("4\n", "messages.1");  // the writer still holds the old file
  EXPECT_EQ(t.read(), (Lines{"3", "4"}));
  t.append("5\nlast without end", "messages.1");
  t.append("6\n");
  EXPECT_EQ(t.read(), (Lines{"5", "last without end", "6"}));
  EXPECT_EQ(t.tail->stats().rotations, 1u);
}

TEST(FileTail, follows_copy_and_truncate_even_when_the_file_grew_past_the_old_end) {
  Tailed t;
  t.append("1\n2\n");
  t.read();
  fs::resize_file(t.path, 0);
  t.append("3\n");
  EXPECT_EQ(t.read(), Lines{"3"});
  fs::resize_file(t.path, 0);
  t.append("a different beginning\nand much longer than before\n");
  EXPECT_EQ(t.read(), (Lines{"a different beginning", "and much longer than before"}));
  EXPECT_EQ(t.tail->stats().rotations, 2u);
}

TEST(FileTail, a_restart_loses_and_repeats_nothing) {
  Tailed t;
  t.append("1\n2\nhal");
  EXPECT_EQ(t.read(), (Lines{"1", "2"}));
  std::string saved = t.tail->position();
  t.append("f\n4\n");
  t.open();
  t.tail->restore(saved);
  EXPECT_EQ(t.read(), (Lines{"half", "4"}));

  saved = t.tail->position();  // rotated while we were away
  t.append("5\n");
  fs::rename(t.path, t.path + ".1");
  t.append("6\n");
  t.open();
  t.tail->restore(saved);
  EXPECT_EQ(t.read(), (Lines{"5", "6"}));

  saved = t.tail->position();  // replaced by another file of the same length
  fs::remove(t.path);
  t.append("7\n");
  t.open();
  t.tail->restore(saved);
  EXPECT_EQ(t.read(), Lines{"7"});

  t.open(false);  // never seen, and only what is new is wanted
  EXPECT_EQ(t.read(), Lines{});
  t.append("8\n");
  EXPECT_EQ(t.read(), Lines{"8"});
}

TEST(FileTail, nonsense_in_the_saved_position_is_ignored) {
  for (std::string_view bad : {"", "{", "[]", R"({"inode":-1,"head_size":99999,"offset":5})"}) {
    Tailed t;
    t.append("1\n");
    t.tail->restore(bad);
    EXPECT_EQ(t.read(), Lines{"1"}) << bad;
  }
}

TEST(File, an_attack_in_a_log_that_rotates_across_a_restart_is_seen_once) {
  SourceConfig s = push_source("file");
  s.kind = Kind::file;
  TempFolder logs;
  s.path = logs.path + "/messages";
  Centre c({s});
  auto write = [&](const std::string& text) { std::ofstream(s.path, std::ios::app) << text; };
  write(c.attack("203.0.113.9", 5));
  c.watch->drain();
  EXPECT_EQ(c.watch->stats().rules.in, 5u);
  c.restart();
  c.watch->drain();
  EXPECT_EQ(c.watch->stats().rules.in, 0u);  // nothing is read twice
  write(c.attack("203.0.113.9", 4));
  fs::rename(s.path, s.path + ".1");
  write(c.attack("203.0.113.9", 4));
  c.watch->drain();
  c.watch->drain();
  EXPECT_EQ(c.watch->stats().rules.in, 8u);
  EXPECT_EQ(c.all().size(), 1u);
  EXPECT_EQ(c.watch->stats().sources[0].rotations, 1u);
}

// ---- silence
// -------------------------------------------------------------------------------------

TEST(Rhythm, learns_three_times_its_slow_gaps_and_forgives_our_own_absence) {
  Rhythm r({.floor_ms = 60'000});
  std::int64_t t = kStart;
  for (int i = 0; i < 40; ++i) r.heard(t += 60'000);
  EXPECT_EQ(r.limit_ms(), 0);  // too early to judge
  EXPECT_FALSE(r.silent(t + 86'400'000));
  for (int i = 0; i < 60; ++i) r.heard(t += i % 10 == 0 ? 120'000 : 60'000);
  EXPECT_EQ(r.limit_ms(), 360'000);
  EXPECT_FALSE(r.silent(t + 360'000));
  EXPECT_TRUE(r.silent(t + 360'001));
  Rhythm back({.floor_ms = 60'000});
  back.load(r.save());
  EXPECT_EQ(back.limit_ms(), 360'000);
  back.listening_from(t + 3'600'000);
  EXPECT_FALSE(back.silent(t + 3'600'001));
  EXPECT_TRUE(back.silent(t + 3'600'000 + 360'001));
  back.load("short");
  EXPECT_EQ(back.limit_ms(), 360'000);
}

TEST(DeadMan, a_source_that_falls_silent_is_an_alert_and_ends_when_it_speaks) {
  SourceConfig s = push_source("pbx");
  s.silent_floor_ms = 60'000;
  Centre c({s});
  for (int i = 0; i < 100; ++i) {
    c.push("Nov 22 04:00:00 h app: alive\n");
    c.clock.advance_ms(60'000);
    c.watch->tick();
  }
  EXPECT_TRUE(c.all().empty());
  EXPECT_EQ(c.watch->stats().sources[0].silent_after_ms, 180'000);
  c.clock.advance_ms(200'000);
  c.watch->tick();
  c.watch->drain();
  ASSERT_EQ(c.all().size(), 1u);
  Alert a = c.all()[0];
  EXPECT_EQ(a.rule, "watch.source-silent");
  EXPECT_TRUE(c.watch->stats().sources[0].silent);
  EXPECT_EQ(c.content(a.content).entities, (Entities{{"source", "pbx"}}));
  c.clock.advance_ms(3'600'000);  // it stays: silence does not end by itself
  c.watch->tick();
  c.watch->drain();
  EXPECT_TRUE(c.get(a.id).active);
  EXPECT_EQ(c.journal->size(), c.entries("alert.fired").size() + 1);

  c.push("Nov 22 04:00:00 h app: alive\n");
  c.watch->tick();
  c.clock.advance_ms(61'000);
  c.push("Nov 22 04:00:00 h app: alive\n");
  c.watch->tick();
  c.watch->drain();
  EXPECT_FALSE(c.get(a.id).active);
}

TEST(DeadMan, a_stated_rhythm_holds_from_the_first_minute_even_if_nothing_was_ever_heard) {
  SourceConfig s = push_source("heartbeat");
  s.expected_gap_ms = 60'000;
  Centre c({s});
  c.clock.advance_ms(180'000);
  c.watch->tick();
  c.watch->drain();
  EXPECT_TRUE(c.all().empty());
  c.clock.advance_ms(1000);
  c.watch->tick();
  c.watch->drain();
  EXPECT_EQ(c.all().size(), 1u);
  c.restart();  // it was said already
  c.clock.advance_ms(200'000);
  c.watch->tick();
  c.watch->drain();
  EXPECT_EQ(c.all().size(), 1u);
}

}  // namespace
}  // namespace cw::watch
