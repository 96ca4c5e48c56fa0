// From a firing to a decision: what is recorded, what is only counted, what people do about it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "bench_fixture.h"

namespace cw::watch {
namespace {

using testing::HasSubstr;
using testing::Not;

AlertAct by(const std::string& person, const std::string& alert) {
  return {.alert = alert, .actor = person, .basis = "post:duty-officer"};
}

std::string first_alert(Centre& c, const std::string& address = "203.0.113.9") {
  c.push(c.attack(address, 8));
  for (const Alert& a : c.all()) {
    for (const auto& [field, hash] : a.entities) {
      if (hash == c.alerts->entity_hash("source.address", address)) return a.id;
    }
  }
  ADD_FAILURE() << "no alert for " << address;
  return "";
}

TEST(Alert, the_first_firing_is_recorded_at_once_with_its_evidence_sealed) {
  Centre c({push_source("pbx")});
  c.push(c.attack("203.0.113.9", 7));
  EXPECT_TRUE(c.all().empty());
  c.clock.advance_ms(7000);
  c.push(c.attack("203.0.113.9", 1));
  ASSERT_EQ(c.all().size(), 1u);
  Alert a = c.all()[0];
  EXPECT_EQ(a.rule, "brute");
  EXPECT_EQ(a.org, "org_a");
  EXPECT_EQ(a.source, "pbx");
  EXPECT_EQ(a.level, Level::high);
  EXPECT_EQ(a.events, 8);
  EXPECT_EQ(a.triage, Triage::open);
  EXPECT_TRUE(a.active);

  AlertContent content = c.content(a.content);
  EXPECT_EQ(content.entities, (Entities{{"source.address", "203.0.113.9"}}));
  ASSERT_EQ(content.samples.size(), 5u);  // the first five of the eight
  EXPECT_THAT(content.samples[0].line, HasSubstr("Wrong password"));
  EXPECT_EQ(content.samples[0].at_ms, kStart);
  EXPECT_EQ(content.samples[0].matched, (std::vector<std::string>{"event.outcome"}));

  // The record names no address, no account and no line.
  ASSERT_EQ(c.entries("alert.fired").size(), 1u);
  std::string entry = c.entries("alert.fired")[0].canonical();
  EXPECT_THAT(entry, Not(HasSubstr("203.0.113.9")));
  EXPECT_THAT(entry, Not(HasSubstr("Wrong password")));
  EXPECT_THAT(entry, HasSubstr("\"actor\":\"rule:brute\""));
}

TEST(Alert, repeats_are_counted_and_no_entity_hides_another) {
  Centre c({push_source("pbx")});
  std::string a = first_alert(c, "203.0.113.9");
  for (int i = 0; i < 10; ++i) c.push(c.attack("203.0.113.9", 8));
  std::string b = first_alert(c, "198.51.100.7");
  EXPECT_NE(a, b);
  EXPECT_EQ(c.all().size(), 2u);
  EXPECT_EQ(c.entries("alert.fired").size(), 2u);
  std::optional<Tally> t = c.watch->tally(a);
  ASSERT_TRUE(t);
  EXPECT_EQ(t->firings, 11);
  EXPECT_EQ(t->events, 88);
  EXPECT_EQ(t->last.size(), 5u);
}

TEST(Alert, a_flood_of_a_hundred_thousand_lines_is_not_a_flood_of_entries) {
  Centre c({push_source("pbx")});
  std::string lines;
  for (int i = 0; i < 1000; ++i) lines += c.attack("203.0.113." + std::to_string(i % 4), 1);
  for (int i = 0; i < 100; ++i) c.push(lines);
  WatchStats s = c.watch->stats();
  EXPECT_EQ(s.sources[0].decoded.in, 100'000u);
  EXPECT_EQ(s.rules.in, 100'000u);
  EXPECT_EQ(s.alerts.in, 12'500u);  // eight events make a firing
  EXPECT_EQ(c.all().size(), 4u);
  EXPECT_LE(c.journal->size(), 6u);
  std::int64_t counted = 0;
  for (const Alert& a : c.all()) counted += c.watch->tally(a.id)->events;
  EXPECT_EQ(counted, 100'000);
}

TEST(Alert, a_flood_of_addresses_ends_in_one_alert_for_the_rest) {
  WatchLimits limits;
  limits.new_per_rule = 50;
  Centre c({push_source("pbx")}, test_rules(), limits);
  for (int i = 0; i < 500; ++i) {
    c.push(c.attack("10.0." + std::to_string(i / 250) + "." + std::to_string(i % 250), 8));
  }
  EXPECT_EQ(c.all().size(), 51u);
  std::size_t further = 0;
  for (const Alert& a : c.all()) {
    if (!a.overflow) continue;
    ++further;
    EXPECT_EQ(c.watch->tally(a.id)->firings, 450);
  }
  EXPECT_EQ(further, 1u);
  EXPECT_EQ(c.watch->stats().overflowed, 450u);
  // An address that has its own alert keeps being counted there.
  c.push(c.attack("10.0.0.0", 8));
  EXPECT_EQ(c.watch->stats().overflowed, 450u);
}

TEST(Alert, a_quiet_alert_ends_and_comes_back_as_itself_until_someone_decided) {
  Centre c({push_source("pbx")});
  std::string id = first_alert(c);
  c.clock.advance_ms(14 * 60'000);
  c.watch->tick();
  c.watch->drain();
  EXPECT_TRUE(c.get(id).active);
  c.clock.advance_ms(2 * 60'000);
  c.watch->tick();
  c.watch->drain();
  EXPECT_FALSE(c.get(id).active);
  EXPECT_EQ(c.entries("alert.quieted").size(), 1u);
  EXPECT_EQ(c.entries("alert.quieted")[0].actor, "clock");

  EXPECT_EQ(first_alert(c), id);  // nobody had looked yet: the same alert again
  EXPECT_TRUE(c.get(id).active);
  EXPECT_EQ(c.entries("alert.refired").size(), 1u);
  EXPECT_EQ(c.get(id).events, 16);
  EXPECT_EQ(c.watch->tally(id)->events, 16);

  ASSERT_TRUE(
      c.journal->run({}, c.alerts->dismiss(by("per_1", id), Disposition::expected, "演练")).ok());
  c.push(c.attack("203.0.113.9", 8));  // it goes on: still the dismissed one
  EXPECT_EQ(c.all().size(), 1u);
  c.clock.advance_ms(16 * 60'000);
  c.watch->tick();
  c.watch->drain();
  c.push(c.attack("203.0.113.9", 8));  // a new episode is a new alert
  EXPECT_EQ(c.all().size(), 2u);
}

TEST(Alert, counts_and_decisions_survive_a_restart) {
  Centre c({push_source("pbx")});
  std::string id = first_alert(c);
  c.push(c.attack("203.0.113.9", 8));
  ASSERT_TRUE(c.journal->run({}, c.alerts->take(by("per_1", id))).ok());
  c.restart();
  Alert a = c.get(id);
  EXPECT_EQ(a.triage, Triage::taken);
  EXPECT_EQ(a.owner, "per_1");
  EXPECT_EQ(c.watch->tally(id)->firings, 2);
  c.push(c.attack("203.0.113.9", 8));
  EXPECT_EQ(c.all().size(), 1u);
  EXPECT_EQ(c.watch->tally(id)->firings, 3);
}

TEST(Alert, a_snapshot_holds_what_replay_would_say) {
  Centre c({push_source("pbx")});
  std::string a = first_alert(c, "203.0.113.1");
  std::string b = first_alert(c, "203.0.113.2");
  ASSERT_TRUE(
      c.journal->run({}, c.alerts->dismiss(by("per_1", a), Disposition::false_positive, "测试"))
          .ok());
  Alerts::NewSilence s{.actor = "per_1",
                       .basis = "post:x",
                       .org = "org_a",
                       .rule = "brute",
                       .reason = "维护",
                       .expires_ms = kStart + 3'600'000};
  ASSERT_TRUE(c.journal->run({}, c.alerts->silence(s)).ok());
  std::vector<std::string> slices;
  for (std::size_t i = 0; auto slice = c.alerts->save_slice(i); ++i) slices.push_back(*slice);
  SecretBytes key = SecretBytes::copy(std::string(32, 'k'));
  Alerts loaded(std::move(key), *c.sealed);
  for (const std::string& slice : slices) loaded.load_slice(slice);
  // Entries that the slices already hold change nothing when they are applied again.
  for (const std::string& e : c.journal->entries(0, c.journal->size())) {
    Entry entry = *Entry::parse(e);
    if (entry.kind.starts_with("alert.")) loaded.apply(entry);
  }
  for (std::size_t i = 0; i < slices.size(); ++i) EXPECT_EQ(*loaded.save_slice(i), slices[i]);
  EXPECT_EQ(loaded.rules().at("brute").fired, 2u);
  EXPECT_EQ(loaded.find(b)->triage, Triage::open);
}

TEST(Triage, promoting_makes_the_case_in_the_same_commit) {
  Centre c({push_source("pbx")});
  std::string id = first_alert(c);
  c.push(c.attack("203.0.113.9", 8));
  auto refuse = [](Draft&, const Alert&) -> Result<std::string> {
    return problem(Refusal::forbidden, "case.no", {"不行。", "No."});
  };
  std::uint64_t before = c.journal->size();
  EXPECT_FALSE(c.journal->run({}, c.alerts->promote(by("per_1", id), refuse)).ok());
  EXPECT_EQ(c.journal->size(), before);
  EXPECT_EQ(c.get(id).triage, Triage::open);

  auto make = [](Draft& d, const Alert& a) -> Result<std::string> {
    EXPECT_EQ(a.rule, "brute");
    std::string made = new_id("cas", d.now_ms(), d.random());
    return made;
  };
  auto answer = c.journal->run({}, c.alerts->promote(by("per_1", id), make));
  ASSERT_TRUE(answer.ok());
  Alert a = c.get(id);
  EXPECT_EQ(a.triage, Triage::promoted);
  EXPECT_EQ(a.case_id, text_or(answer->body, "case"));
  EXPECT_EQ(a.events, 16);
  EXPECT_EQ(c.content(a.closing).samples.size(), 2u);  // the last ones, frozen with the decision
  auto again = c.journal->run({}, c.alerts->promote(by("per_1", id), make));
  ASSERT_FALSE(again.ok());
  EXPECT_EQ(again.problem().code, "alert.closed");
}

TEST(Triage, dismissing_needs_a_reason_which_is_sealed_and_feeds_the_rules_precision) {
  Centre c({push_source("pbx")});
  std::string a = first_alert(c, "203.0.113.1");
  std::string b = first_alert(c, "203.0.113.2");
  std::string d = first_alert(c, "203.0.113.3");
  auto empty = c.journal->run({}, c.alerts->dismiss(by("per_1", a), Disposition::harmless, "  "));
  ASSERT_FALSE(empty.ok());
  EXPECT_EQ(empty.problem().fields[0].pointer, "/reason");
  EXPECT_FALSE(c.journal->run({}, c.alerts->dismiss(by("per_1", a), Disposition::none, "x")).ok());

  ASSERT_TRUE(c.journal
                  ->run({}, c.alerts->dismiss(by("per_1", a), Disposition::false_positive,
                                              "王工在测试线路"))
                  .ok());
  EXPECT_EQ(c.content(c.get(a).closing).reason, "王工在测试线路");
  EXPECT_THAT(c.entries("alert.dismissed")[0].canonical(), Not(HasSubstr("王工")));
  auto check = [](const std::string& id, const Alert&) -> Status {
    EXPECT_EQ(id, "cas_x");
    return done();
  };
  ASSERT_TRUE(c.journal->run({}, c.alerts->merge(by("per_1", b), "cas_x", check)).ok());
  ASSERT_TRUE(
      c.journal->run({}, c.alerts->dismiss(by("per_1", d), Disposition::expected, "演练")).ok());
  c.journal->read([&] {
    const RuleRecord& r = c.alerts->rules().at("brute");
    EXPECT_EQ(r.fired, 3u);
    EXPECT_EQ(r.merged, 1u);
    EXPECT_EQ(r.precision_permille(), 500);  // one of two judged; "expected" says nothing
    return 0;
  });
}

TEST(Triage, two_people_do_not_overwrite_each_other) {
  Centre c({push_source("pbx")});
  std::string id = first_alert(c);
  AlertAct stale = by("per_2", id);
  stale.seen = c.get(id).seq;
  ASSERT_TRUE(c.journal->run({}, c.alerts->take(by("per_1", id))).ok());
  auto refused = c.journal->run({}, c.alerts->take(stale));
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.problem().refusal, Refusal::stale);
  auto unknown = c.journal->run({}, c.alerts->take(by("per_1", "alt_nothing")));
  ASSERT_FALSE(unknown.ok());
  EXPECT_EQ(unknown.problem().refusal, Refusal::not_found);
}

TEST(Silence, needs_a_reason_and_an_expiry_and_covers_only_what_it_names) {
  Centre c({push_source("pbx")});
  Alerts::NewSilence s{.actor = "per_1",
                       .basis = "post:x",
                       .org = "org_a",
                       .rule = "brute",
                       .entities = {{"source.address", "203.0.113.9"}},
                       .reason = "渗透测试",
                       .expires_ms = kStart + 3'600'000};
  auto wrong = [&](auto change, std::string_view pointer) {
    Alerts::NewSilence x = s;
    change(x);
    auto r = c.journal->run({}, c.alerts->silence(x));
    ASSERT_FALSE(r.ok());
    EXPECT_EQ(r.problem().fields[0].pointer, pointer);
  };
  wrong([](auto& x) { x.reason = ""; }, "/reason");
  wrong([](auto& x) { x.expires_ms = 0; }, "/expires_at");
  wrong([](auto& x) { x.expires_ms = kStart + 31ll * 86'400'000; }, "/expires_at");
  wrong(
      [](auto& x) {
        x.rule = "";
        x.entities.clear();
      },
      "/rule");

  first_alert(c, "198.51.100.1");
  auto preview = c.journal->read([&] { return c.alerts->preview(s, kStart, c.clock.now_ms()); });
  EXPECT_EQ(preview->active, 0u);
  auto made = c.journal->run({}, c.alerts->silence(s));
  ASSERT_TRUE(made.ok());
  std::string id(text_or(made->body, "silence"));
  std::string silenced = first_alert(c, "203.0.113.9");  // recorded all the same
  std::string heard = first_alert(c, "203.0.113.10");
  EXPECT_EQ(c.get(silenced).silence, id);
  EXPECT_EQ(c.get(heard).silence, "");
  c.journal->read([&] {
    EXPECT_EQ(c.alerts->find_silence(id)->hits, 1u);
    return 0;
  });
  EXPECT_THAT(c.entries("alert.silenced")[0].canonical(), Not(HasSubstr("203.0.113.9")));
  preview = c.journal->read([&] { return c.alerts->preview(s, kStart, c.clock.now_ms()); });
  EXPECT_EQ(preview->active, 1u);

  c.clock.advance_ms(2 * 3'600'000);  // expired: the next episode is not silenced
  c.watch->tick();
  c.watch->drain();
  first_alert(c, "203.0.113.9");
  EXPECT_EQ(c.get(silenced).silence, "");
}

TEST(Silence, what_fires_on_when_it_is_lifted_is_heard) {
  Centre c({push_source("pbx")});
  Alerts::NewSilence s{.actor = "per_1",
                       .basis = "post:x",
                       .org = "org_a",
                       .rule = "brute",
                       .reason = "维护",
                       .expires_ms = kStart + 86'400'000};
  auto made = c.journal->run({}, c.alerts->silence(s));
  std::string alert = first_alert(c);
  EXPECT_NE(c.get(alert).silence, "");
  c.clock.advance_ms(60'000);
  c.watch->tick();
  EXPECT_EQ(c.entries("alert.refired").size(), 0u);
  std::string id(text_or(made->body, "silence"));
  ASSERT_TRUE(c.journal->run({}, c.alerts->unsilence(id, "per_2", "post:x")).ok());
  c.clock.advance_ms(60'000);
  c.watch->tick();
  ASSERT_TRUE(c.journal->run({}, c.alerts->unsilence(id, "per_2", "post:x")).ok());  // in order
  EXPECT_EQ(c.entries("alert.refired").size(), 1u);
  EXPECT_EQ(c.get(alert).silence, "");
  c.clock.advance_ms(60'000);
  c.watch->tick();
  EXPECT_EQ(c.entries("alert.refired").size(), 1u);
}

TEST(AlertList, filters_pages_and_counts_by_organisation) {
  Centre c({push_source("pbx")});
  AlertList list;
  Views views(c.folder.path + "/views.db", *c.journal);
  views.attach(list);
  views.start();
  std::vector<std::string> ids;
  for (int i = 0; i < 5; ++i) ids.push_back(first_alert(c, "203.0.113." + std::to_string(i)));
  ASSERT_TRUE(
      c.journal->run({}, c.alerts->dismiss(by("per_1", ids[0]), Disposition::duplicate, "重复"))
          .ok());
  ASSERT_TRUE(c.journal->run({}, c.alerts->take(by("per_1", ids[1]))).ok());
  Status read = views.read(c.journal->size(), [&](Database& db) {
    EXPECT_TRUE(AlertList::page(db, {})->alerts.empty());  // no organisation, nothing
    EXPECT_TRUE(AlertList::page(db, {.org = {"org_b"}})->alerts.empty());
    auto page = AlertList::page(db, {.org = {"org_a"}, .limit = 2});
    ASSERT_EQ(page->alerts.size(), 2u);
    EXPECT_EQ(page->alerts[0].id, ids[4]);  // newest first
    auto next = AlertList::page(db, {.org = {"org_a"}, .cursor = page->next, .limit = 200});
    EXPECT_EQ(next->alerts.size(), 3u);
    EXPECT_EQ(next->next, "");
    EXPECT_EQ(AlertList::page(db, {.org = {"org_a"}, .triage = {Triage::open}})->alerts.size(), 3u);
    EXPECT_EQ(AlertList::page(db, {.org = {"org_a"}, .level_min = Level::critical})->alerts.size(),
              0u);
    EXPECT_EQ(
        AlertList::page(db, {.org = {"org_a"}, .rule = "brute", .owner = "per_1"})->alerts.size(),
        2u);
    EXPECT_EQ(AlertList::page(db, {.org = {"org_a"}, .cursor = "x"}).problem().code, "page.cursor");
    EXPECT_EQ(AlertList::page(db, {.org = {"org_a"}, .limit = 201}).problem().code, "page.limit");
    AlertCounts n = AlertList::counts(db, {"org_a"});
    EXPECT_EQ(n.by_triage["dismissed"], 1);
    EXPECT_EQ(n.by_level["high"], 4);
    // The list says exactly what the state says.
    for (const std::string& id : ids) {
      EXPECT_EQ(AlertList::find(db, id)->to_json(), c.get(id).to_json());
    }
  });
  EXPECT_TRUE(read.ok());
  views.stop();
}

TEST(Fingerprint, is_of_the_rule_its_entities_in_any_order_and_the_organisation) {
  Centre c({push_source("pbx")});
  Alerts& a = *c.alerts;
  Entities e{{"a", "1"}, {"b", "2"}};
  EXPECT_EQ(a.fingerprint("o", "r", e), a.fingerprint("o", "r", {{"b", "2"}, {"a", "1"}}));
  EXPECT_NE(a.fingerprint("o", "r", e), a.fingerprint("p", "r", e));
  EXPECT_NE(a.fingerprint("o", "r", e), a.fingerprint("o", "s", e));
  EXPECT_NE(a.fingerprint("o", "r", {{"a", "12"}}), a.fingerprint("o", "r", {{"a1", "2"}}));
  EXPECT_NE(a.entity_hash("a", "1"), a.entity_hash("b", "1"));
}

}  // namespace
}  // namespace cw::watch
