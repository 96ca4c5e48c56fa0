// Signals, the event store, replay, and what happens when the journal cannot write.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bench_fixture.h"
#include "store.h"

namespace cw::watch {
namespace {

const SignalSender kSender{"monitor", "org_a"};

json::value signal_json(std::string_view key, std::string_view severity = "high") {
  return {{"key", key},
          {"title", "UPS on battery"},
          {"severity", severity},
          {"entities", {{"device", "ups-1"}}}};
}

TEST(Signal, the_same_key_is_the_same_alert) {
  Centre c({push_source("pbx")});
  auto first = c.watch->signal(kSender, signal_json("ups-1"));
  ASSERT_TRUE(first.ok());
  EXPECT_EQ(first->state, "fired");
  auto again = c.watch->signal(kSender, signal_json("ups-1"));
  EXPECT_EQ(again->alert, first->alert);
  EXPECT_EQ(again->state, "folded");
  auto other = c.watch->signal(kSender, signal_json("ups-2"));
  EXPECT_NE(other->alert, first->alert);
  auto stranger = c.watch->signal({"monitor", "org_b"}, signal_json("ups-1"));
  EXPECT_NE(stranger->alert, first->alert);
  EXPECT_EQ(c.watch->tally(first->alert)->firings, 2);
  Alert a = c.get(first->alert);
  EXPECT_EQ(a.rule, "signal.monitor");
  EXPECT_EQ(a.level, Level::high);
  AlertContent content = c.content(a.content);
  EXPECT_EQ(content.title.zh, "UPS on battery");
  EXPECT_EQ(content.entities, (Entities{{"device", "ups-1"}}));
  ASSERT_EQ(content.samples.size(), 1u);
}

TEST(Signal, a_higher_severity_is_an_entry_and_a_dismissed_alert_opens_again) {
  Centre c({push_source("pbx")});
  std::string id = c.watch->signal(kSender, signal_json("k", "low"))->alert;
  ASSERT_TRUE(c.journal
                  ->run({}, c.alerts->dismiss({.alert = id, .actor = "per_1"},
                                              Disposition::harmless, "小事"))
                  .ok());
  ASSERT_TRUE(c.watch->signal(kSender, signal_json("k", "low")).ok());
  EXPECT_EQ(c.get(id).triage, Triage::dismissed);
  ASSERT_TRUE(c.watch->signal(kSender, signal_json("k", "critical")).ok());
  c.watch->drain();
  EXPECT_EQ(c.entries("alert.level").size(), 1u);
  EXPECT_EQ(c.get(id).level, Level::critical);
  EXPECT_EQ(c.get(id).triage, Triage::open);
}

TEST(Signal, resolved_must_last_before_it_counts) {
  Centre c({push_source("pbx")});
  std::string id = c.watch->signal(kSender, signal_json("k"))->alert;
  json::value over{{"key", "k"}, {"status", "resolved"}};
  EXPECT_EQ(c.watch->signal(kSender, over)->state, "resolved");
  c.clock.advance_ms(4 * 60'000);
  c.watch->tick();
  ASSERT_TRUE(c.watch->signal(kSender, signal_json("k")).ok());  // it flapped
  c.clock.advance_ms(2 * 60'000);
  c.watch->tick();
  c.watch->drain();
  EXPECT_TRUE(c.get(id).active);
  EXPECT_EQ(c.watch->signal(kSender, over)->alert, id);
  c.clock.advance_ms(5 * 60'000);
  c.watch->tick();
  c.watch->drain();
  EXPECT_FALSE(c.get(id).active);
  EXPECT_EQ(c.watch->signal(kSender, over)->state, "unknown");
}

TEST(Signal, what_is_wrong_is_named) {
  Centre c({push_source("pbx")});
  auto wrong = [&](json::value v) {
    auto r = c.watch->signal(kSender, v);
    EXPECT_FALSE(r.ok());
    return r.ok() || r.problem().fields.empty() ? "" : r.problem().fields[0].pointer;
  };
  EXPECT_EQ(wrong({{"title", "x"}}), "/key");
  EXPECT_EQ(wrong({{"key", "k"}}), "/title");
  EXPECT_EQ(wrong({{"key", "k"}, {"title", "x"}, {"severity", "bad"}}), "/severity");
  EXPECT_EQ(wrong({{"key", "k"}, {"title", "x"}, {"entities", {{"a", 1}}}}), "/entities");
  EXPECT_EQ(wrong({{"key", "k"}, {"title", "x"}, {"at", "yesterday"}}), "/at");
  EXPECT_EQ(wrong({{"key", "k"}, {"title", "x"}, {"quiet_s", 1}}), "/quiet_s");
  EXPECT_EQ(wrong({{"key", "k"}, {"title", "x"}, {"surprise", 1}}), "/surprise");
  EXPECT_EQ(wrong({{"key", "k"}, {"title", {{"zh", 1}}}}), "/title");
  EXPECT_EQ(c.watch->signal(kSender, 7).problem().refusal, Refusal::malformed);
  EXPECT_EQ(c.journal->size(), 1u);
}

TEST(Alertmanager, its_webhook_fires_and_resolves) {
  Centre c({push_source("pbx")});
  auto body = json::parse(
      R"({"version":"4","groupKey":"{}:{alertname=\"Down\"}","status":"firing","receiver":"cw",
    "alerts":[{"status":"firing","labels":{"alertname":"Down","instance":"db1","severity":"critical"},
      "annotations":{"summary":"Database db1 is down","description":"no answer for 5 m"},
      "startsAt":"2026-11-22T03:55:00Z","endsAt":"0001-01-01T00:00:00Z","fingerprint":"a1b2"},
     {"status":"firing","labels":{"alertname":"Slow","instance":"db2","severity":"warning"},"annotations":{},
      "startsAt":"2026-11-22T03:55:00Z","fingerprint":"c3d4"}]})");
  auto fired = c.watch->alertmanager(kSender, body);
  ASSERT_TRUE(fired.ok()) << fired.problem().text.en;
  ASSERT_EQ(fired->size(), 2u);
  Alert a = c.get((*fired)[0].alert);
  EXPECT_EQ(a.level, Level::critical);
  EXPECT_EQ(a.first_ms, kStart - 300'000);
  EXPECT_EQ(c.content(a.content).title.en, "Database db1 is down");
  EXPECT_EQ(c.content(c.get((*fired)[1].alert).content).title.en, "Slow");
  EXPECT_EQ((*c.watch->alertmanager(kSender, body))[0].state, "folded");
  body.as_object()["alerts"].as_array()[0].as_object()["status"] = "resolved";
  auto over = c.watch->alertmanager(kSender, body);
  EXPECT_EQ((*over)[0].state, "resolved");
  EXPECT_EQ((*over)[0].alert, a.id);
  EXPECT_EQ((*over)[1].state, "folded");
  auto wrong =
      c.watch->alertmanager(kSender, json::parse(R"({"version":"4","alerts":[{"status":"x"}]})"));
  EXPECT_EQ(wrong.problem().fields[0].pointer, "/alerts/0");
  EXPECT_FALSE(c.watch->alertmanager(kSender, json::parse(R"({"version":"3","alerts":[]})")).ok());
}

TEST(Store, search_finds_by_time_source_field_and_text) {
  Centre c({push_source("pbx"), push_source("app")});
  c.push(c.attack("203.0.113.9", 20));
  c.push(c.attack("198.51.100.1", 5));
  c.push(R"({"logsource":{"category":"application"},"event":{"action":"login"},"account":"li"})",
         "app");
  auto count = [&](EventQuery q) {
    if (q.to_ms == 0) q.to_ms = kStart + 86'400'000;
    std::size_t n = 0;
    std::int64_t last = q.newest_first ? INT64_MAX : 0;
    Status s = c.watch->search(q, [&](const StoredEvent& e) {
      EXPECT_TRUE(q.newest_first ? e.received_ms <= last : e.received_ms >= last);
      last = e.received_ms;
      ++n;
      return true;
    });
    EXPECT_TRUE(s.ok());
    return n;
  };
  EXPECT_EQ(count({}), 26u);
  EXPECT_EQ(count({.fields = {{"source.address", "203.0.113.9"}}}), 20u);
  EXPECT_EQ(count({.fields = {{"source.address", "203.0.113.9"}}, .limit = 7}), 7u);
  EXPECT_EQ(count({.fields = {{"source.address", "203.0.113.9"}, {"account", "302"}}}), 0u);
  EXPECT_EQ(count({.source = "app"}), 1u);
  EXPECT_EQ(count({.text = "198.51"}), 5u);
  EXPECT_EQ(count({.from_ms = kStart + 10'000, .to_ms = kStart + 15'000}), 5u);
  EXPECT_EQ(count({.newest_first = false}), 26u);
  EXPECT_EQ(c.watch->search({.from_ms = 2, .to_ms = 1}, nullptr).problem().code, "events.range");
}

TEST(Store, keeps_days_apart_and_lets_old_ones_go) {
  WatchLimits limits;
  limits.retention_days = 2;
  Centre c({push_source("pbx")}, test_rules(), limits);
  auto days = [&] {
    std::size_t n = 0;
    for (const auto& f : std::filesystem::directory_iterator(c.folder.path + "/watch/events")) {
      n += f.path().extension() == ".db";
    }
    return n;
  };
  for (int day = 0; day < 5; ++day) {
    c.push(c.attack("203.0.113.9", 1));
    c.clock.advance_ms(86'400'000);
    c.watch->tick();
  }
  EXPECT_EQ(days(), 2u);
  c.restart();
  std::size_t n = 0;
  EXPECT_TRUE(
      c.watch
          ->search({.from_ms = 0, .to_ms = INT64_MAX}, [&](const StoredEvent&) { return ++n > 0; })
          .ok());
  EXPECT_EQ(n, 2u);
}

TEST(Replay, tells_what_a_rule_would_have_done_before_it_is_switched_on) {
  auto nothing = detect::RuleSet::load({});
  Centre c({push_source("pbx")}, nothing);
  for (int i = 0; i < 4; ++i) c.push(c.attack("203.0.113.9", 8));
  c.push(c.attack("198.51.100.1", 8));
  EXPECT_TRUE(c.all().empty());
  auto report = c.watch->replay(test_rules(), 0, INT64_MAX);
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(report->events, 40u);
  ASSERT_EQ(report->rules.size(), 1u);
  EXPECT_EQ(report->rules[0].id, "brute");
  EXPECT_EQ(report->rules[0].firings, 5u);
  EXPECT_EQ(report->rules[0].entities, 2u);
  EXPECT_EQ(report->rules[0].alerts, 2u);
  c.watch->rules(test_rules());
  c.push(c.attack("198.51.100.1", 8));
  EXPECT_EQ(c.all().size(), 1u);
}

TEST(Watch, single_event_rules_alert_and_their_sample_shows_what_matched) {
  Centre c({push_source("app")});
  c.push(
      R"({"logsource":{"category":"application"},"event":{"action":"export"},"account":"li","rows":900})",
      "app");
  ASSERT_EQ(c.all().size(), 1u);
  AlertContent content = c.content(c.all()[0].content);
  EXPECT_EQ(content.entities, (Entities{{"account", "li"}}));
  ASSERT_EQ(content.samples.size(), 1u);
  EXPECT_EQ(content.samples[0].matched, (std::vector<std::string>{"event.action"}));
}

TEST(Watch, bytes_that_are_not_text_neither_stop_it_nor_reach_the_record_as_such) {
  Centre c({push_source("pbx")});
  std::string junk;
  SeededRandom random(3);
  for (int i = 0; i < 200; ++i) junk += random.bytes(64) + "\n";
  c.push(junk);
  std::string lines = c.attack("203.0.113.9", 8, "3\xff\xfe");
  c.push(lines);
  ASSERT_EQ(c.all().size(), 1u);
  AlertContent content = c.content(c.all()[0].content);
  EXPECT_EQ(content.samples.size(), 5u);
  EXPECT_THAT(content.samples[0].line, testing::HasSubstr("\xEF\xBF\xBD"));
}

TEST(Source, configuration_says_which_member_is_wrong) {
  auto ok = source_from_json(
      json::parse(
          R"({"id":"pbx-1","kind":"syslog-udp","org":"org_a","owner":"it","bind":"0.0.0.0","port":5514,"expected_gap_s":60})")
          .as_object());
  ASSERT_TRUE(ok.ok());
  EXPECT_EQ(ok->port, 5514);
  EXPECT_EQ(ok->expected_gap_ms, 60'000);
  auto pointer = [](std::string_view text) {
    auto r = source_from_json(json::parse(text).as_object());
    return r.ok() ? std::string("ok") : r.problem().fields[0].pointer;
  };
  EXPECT_EQ(pointer(R"({"id":"Pbx 1","kind":"push","org":"o"})"), "/id");
  EXPECT_EQ(pointer(R"({"id":"a","kind":"carrier-pigeon","org":"o"})"), "/kind");
  EXPECT_EQ(pointer(R"({"id":"a","kind":"file","org":"o"})"), "/path");
  EXPECT_EQ(pointer(R"({"id":"a","kind":"push","org":"o","port":70000})"), "/port");
  EXPECT_EQ(pointer(R"({"id":"a","kind":"push","org":"o","colour":"red"})"), "/colour");
}

}  // namespace
}  // namespace cw::watch
