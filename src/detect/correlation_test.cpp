// Correlations: counting in event time, each with its own windows.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "detect/cli.h"

namespace cw::detect {
namespace {

using testing::ElementsAre, testing::IsEmpty, testing::Pair;

const std::string kLogin =
    "title: failed\nname: failed\nlogsource: {product: pbx}\n"
    "detection: {s: {outcome: fail}, condition: s}\n"
    "---\n"
    "title: worked\nname: worked\nlogsource: {product: pbx}\n"
    "detection: {s: {outcome: ok}, condition: s}\n";

std::string correlation(const std::string& body, const std::string& name = "c") {
  return "---\ntitle: " + name + "\nname: " + name + "\ncorrelation:\n" + body;
}

using Fields = std::vector<std::pair<std::string, std::string>>;

// A detector and the shortest way to feed it: what fired is read as "rule@time:value".
struct Story {
  std::shared_ptr<const RuleSet> rules;
  Detector detector;
  EventBuilder builder;
  std::vector<Firing> fired;

  explicit Story(const std::string& text, CorrelatorLimits limits = {})
      : rules(RuleSet::load({{"c.yml", text}})), detector(rules, limits) {
    for (const RuleReport& r : rules->reports()) {
      for (const Mistake& m : r.reasons) ADD_FAILURE() << describe(m, "en");
    }
  }
  void at(std::int64_t second, const Fields& fields, std::int64_t now_second = -1) {
    builder.clear();
    builder.add(fields);
    std::int64_t now = (now_second < 0 ? second : now_second) * 1000;
    detector.feed(builder.event("pbx-1", {"pbx", "", ""}, second * 1000), now, fired);
  }
  void fail(std::int64_t second, const std::string& ip, const std::string& user = "100") {
    at(second, {{"outcome", "fail"}, {"ip", ip}, {"user", user}});
  }
  std::vector<std::string> said() const {
    std::vector<std::string> out;
    for (const Firing& f : fired) {
      out.push_back(rules->rules()[f.rule].id + "@" + std::to_string(f.time_ms / 1000) + ":" +
                    std::to_string(static_cast<int>(f.value)));
    }
    return out;
  }
};

const std::string kThree =
    "  type: event_count\n  rules: [failed]\n  group-by: [ip]\n  timespan: 10s\n  condition: {gte: "
    "3}\n";

TEST(Correlation, counts_events_of_one_group_within_the_timespan) {
  Story s(kLogin + correlation(kThree));
  s.fail(0, "A"), s.fail(1, "B"), s.fail(5, "A"), s.fail(11, "A");
  EXPECT_THAT(s.said(), IsEmpty()) << "A's first is 11 s back, and B is another group";
  s.fail(14, "a");
  ASSERT_THAT(s.said(), ElementsAre("c@14:3")) << "names of groups are compared without case";
  EXPECT_THAT(s.fired[0].entities, ElementsAre(Pair("ip", "a")));
  EXPECT_EQ(s.fired[0].first_ms, 5000);
  EXPECT_EQ(s.fired[0].events, 3);
}

TEST(Correlation, an_event_counts_towards_one_firing_of_its_group) {
  Story s(kLogin + correlation(kThree));
  for (int i = 0; i < 7; ++i) s.fail(i, "A");
  EXPECT_THAT(s.said(), ElementsAre("c@2:3", "c@5:3"));
}

TEST(Correlation, an_event_exactly_one_timespan_back_is_outside) {
  Story s(kLogin + correlation(kThree));
  s.fail(0, "A"), s.fail(5, "A"), s.fail(10, "A");
  EXPECT_THAT(s.said(), IsEmpty());
}

TEST(Correlation, two_over_the_same_events_never_starve_each_other) {
  Story s(
      kLogin + correlation(kThree) +
      correlation("  type: event_count\n  rules: [failed]\n  group-by: [user]\n  timespan: 60s\n"
                  "  condition: {gt: 3}\n",
                  "d"));
  for (int i = 0; i < 4; ++i) s.fail(i, "A");
  EXPECT_THAT(s.said(), ElementsAre("c@2:3", "d@3:4"));
}

TEST(Correlation, value_count_counts_distinct_values) {
  Story s(kLogin +
          correlation("  type: value_count\n  rules: [failed]\n  group-by: [ip]\n  timespan: 1m\n"
                      "  condition: {field: user, gte: 3}\n"));
  for (const char* user : {"100", "100", "bob", "BOB", "100"}) s.fail(1, "A", user);
  EXPECT_THAT(s.said(), IsEmpty());
  s.at(2, {{"outcome", "fail"}, {"ip", "A"}});
  EXPECT_THAT(s.said(), IsEmpty()) << "an event without the field has no value to count";
  s.fail(3, "A", "102");
  EXPECT_THAT(s.said(), ElementsAre("c@3:3"));
}

TEST(Correlation, a_value_leaves_the_count_with_its_last_event) {
  Story s(kLogin +
          correlation("  type: value_count\n  rules: [failed]\n  group-by: [ip]\n  timespan: 10s\n"
                      "  condition: {field: user, gte: 3}\n"));
  s.fail(0, "A", "1"), s.fail(5, "A", "2"), s.fail(6, "A", "1"), s.fail(14, "A", "3");
  EXPECT_THAT(s.said(), ElementsAre("c@14:3")) << "1 was seen again at 6";
  s.fail(20, "A", "1"), s.fail(25, "A", "2"), s.fail(31, "A", "3");
  EXPECT_EQ(s.fired.size(), 1u);
}

TEST(Correlation, event_time_rules_even_when_events_come_out_of_order) {
  Story s(kLogin + correlation(kThree));
  s.fail(100, "A"), s.fail(130, "A"), s.fail(105, "A");
  EXPECT_THAT(s.said(), IsEmpty());
  s.fail(103, "A");
  EXPECT_THAT(s.said(), ElementsAre("c@105:3"));
}

TEST(Correlation, what_is_too_late_is_counted_and_what_is_from_the_future_is_taken_as_now) {
  Story s(kLogin + correlation(kThree), {.lateness_max_ms = 5'000, .future_max_ms = 1'000});
  s.fail(100, "A");
  s.fail(80, "A");
  EXPECT_EQ(s.detector.stats().late, 1u);
  s.at(999'999, {{"outcome", "fail"}, {"ip", "A"}}, 101);
  s.at(102, {{"outcome", "fail"}, {"ip", "A"}});
  EXPECT_THAT(s.said(), ElementsAre("c@102:3")) << "a clock gone wrong must not blind the rule";
}

TEST(Correlation, an_event_without_the_grouping_field_joins_no_group) {
  Story s(kLogin + correlation(kThree));
  for (int i = 0; i < 5; ++i) s.at(i, {{"outcome", "fail"}});
  EXPECT_THAT(s.said(), IsEmpty()) << "missing never equals missing";
}

TEST(Correlation, without_group_by_all_events_are_one_group) {
  Story s(kLogin + correlation("  type: event_count\n  rules: [failed, worked]\n  timespan: 10s\n"
                               "  condition: {gte: 3}\n"));
  s.fail(1, "A"), s.at(2, {{"outcome", "ok"}}), s.fail(3, "B");
  EXPECT_THAT(s.said(), ElementsAre("c@3:3"));
}

TEST(Correlation, groups_and_their_events_are_capped_and_what_is_lost_is_counted) {
  Story s(kLogin + correlation(kThree), {.groups_max = 2, .group_events_max = 2});
  s.fail(1, "A"), s.fail(2, "B"), s.fail(3, "A"), s.fail(4, "C");
  EXPECT_EQ(s.detector.stats().evicted_groups, 1u) << "B was the idlest";
  EXPECT_EQ(s.detector.stats().groups, 2u);
  s.fail(5, "A");
  EXPECT_THAT(s.said(), ElementsAre("c@5:3")) << "a group always holds what its threshold needs";
}

TEST(Correlation, idle_groups_are_forgotten_as_time_passes) {
  Story s(kLogin + correlation(kThree));
  for (int i = 0; i < 100; ++i) s.fail(i % 2, "ip" + std::to_string(i));
  EXPECT_EQ(s.detector.stats().groups, 100u);
  s.detector.tick(200'000, s.fired);
  EXPECT_EQ(s.detector.stats().groups, 0u);
  EXPECT_EQ(s.detector.stats().evicted_groups, 0u);
}

TEST(Correlation, an_upper_bound_is_judged_when_the_window_closes) {
  Story s(kLogin +
          correlation("  type: event_count\n  rules: [failed]\n  group-by: [ip]\n  timespan: 10s\n"
                      "  condition: {gte: 2, lt: 4}\n"));
  for (int i = 0; i < 3; ++i) s.fail(i, "A");
  for (int i = 0; i < 5; ++i) s.fail(i, "B");
  s.fail(0, "C");
  EXPECT_THAT(s.said(), IsEmpty());
  s.fail(12, "A");
  EXPECT_THAT(s.said(), ElementsAre("c@2:3")) << "A's next event closes its first window";
  s.detector.tick(500'000, s.fired);
  EXPECT_EQ(s.fired.size(), 1u) << "B had five, C and A's second window one";
}

TEST(Correlation, sums_averages_and_percentiles) {
  auto run = [](const std::string& type, const std::string& condition) {
    Story s(kLogin + correlation("  type: " + type +
                                 "\n  rules: [failed]\n  group-by: [ip]\n  timespan: 10s\n"
                                 "  condition: " +
                                 condition + "\n"));
    for (int i = 1; i <= 10; ++i)
      s.at(i / 2, {{"outcome", "fail"}, {"ip", "A"}, {"rows", std::to_string(i * 10)}});
    s.at(5, {{"outcome", "fail"}, {"ip", "A"}, {"rows", "many"}});
    s.detector.tick(900'000, s.fired);
    return s.said();
  };
  EXPECT_THAT(run("value_sum", "{field: rows, gte: 200}"), ElementsAre("c@3:210", "c@4:240"));
  EXPECT_THAT(run("value_avg", "{field: rows, gte: 55}"), ElementsAre("c@5:55"));
  EXPECT_THAT(run("value_avg", "{field: rows, gt: 55}"), IsEmpty());
  EXPECT_THAT(run("value_percentile", "{field: rows, gte: 90, percentile: 90}"),
              ElementsAre("c@5:90"));
  EXPECT_THAT(run("value_percentile", "{field: rows, lt: 50, percentile: 50}"), IsEmpty());
}

const std::string kPair = "  rules: [failed, worked]\n  group-by: [ip]\n  timespan: 10s\n";

TEST(Correlation, temporal_wants_every_rule_in_any_order) {
  Story s(kLogin + correlation("  type: temporal\n" + kPair));
  s.at(1, {{"outcome", "ok"}, {"ip", "A"}});
  s.at(2, {{"outcome", "ok"}, {"ip", "A"}});
  EXPECT_THAT(s.said(), IsEmpty());
  s.fail(3, "A");
  EXPECT_THAT(s.said(), ElementsAre("c@3:2"));
}

TEST(Correlation, temporal_ordered_wants_them_in_their_order) {
  Story s(kLogin + correlation("  type: temporal_ordered\n" + kPair));
  s.at(1, {{"outcome", "ok"}, {"ip", "A"}});
  s.fail(2, "A");
  EXPECT_THAT(s.said(), IsEmpty());
  s.at(20, {{"outcome", "ok"}, {"ip", "A"}});
  EXPECT_THAT(s.said(), IsEmpty()) << "too long after";
  s.fail(25, "A");
  s.at(26, {{"outcome", "ok"}, {"ip", "A"}});
  EXPECT_THAT(s.said(), ElementsAre("c@26:2"));
}

TEST(Correlation, one_may_build_on_another_and_aliases_join_fields_of_different_names) {
  Story s(
      kLogin + correlation(kThree, "many") +
      correlation(
          "  type: temporal_ordered\n  rules: [many, called]\n  group-by: [who]\n  timespan: 1h\n"
          "  aliases:\n    who: {many: user, called: caller}\n",
          "chain") +
      "---\ntitle: called\nname: called\nlogsource: {product: pbx}\ndetection: {s: {kind: call}, "
      "condition: s}\n");
  s.at(0, {{"kind", "call"}, {"caller", "100"}});
  for (int i = 1; i <= 3; ++i) s.fail(i, "A");
  EXPECT_THAT(s.said(), IsEmpty()) << "a rule that feeds a correlation does not alert by itself";
  s.at(60, {{"kind", "call"}, {"caller", "200"}});
  EXPECT_THAT(s.said(), IsEmpty());
  s.at(61, {{"kind", "call"}, {"caller", "100"}});
  ASSERT_THAT(s.said(), ElementsAre("chain@61:2"));
  EXPECT_THAT(s.fired[0].entities, ElementsAre(Pair("who", "100")));
}

TEST(Correlation, generate_lets_the_rules_it_refers_to_alert_too) {
  Story s(kLogin + correlation(kThree + "  generate: true\n"));
  s.fail(1, "A");
  EXPECT_THAT(s.said(), ElementsAre("failed@1:1"));
}

std::string refused(const std::string& text) {
  auto rules = RuleSet::load({{"c.yml", text}});
  std::string out;
  for (const RuleReport& r : rules->reports()) {
    if (r.outcome != Outcome::rejected) continue;
    for (const Mistake& m : r.reasons) out += m.code + "@" + std::to_string(m.line) + " ";
  }
  return out;
}

TEST(Correlation, mistakes_are_refused_with_their_place) {
  auto with = [](std::string body) { return refused(kLogin + correlation(body)); };
  EXPECT_EQ(
      with("  type: event_count\n  rules: [failed, gone]\n  timespan: 1m\n  condition: {gte: 1}\n"),
      "correlation.rule@15 ");
  EXPECT_EQ(with("  type: count\n  rules: [failed]\n  timespan: 1m\n  condition: {gte: 1}\n"),
            "correlation.type@14 ");
  EXPECT_EQ(with("  type: event_count\n  rules: [failed]\n  timespan: 1y\n  condition: {gte: 1}\n"),
            "correlation.timespan@16 ");
  EXPECT_EQ(
      with("  type: event_count\n  rules: [failed]\n  timespan: 1m\n  condition: {gte: 100001}\n"),
      "correlation.number@17 ");
  EXPECT_EQ(with("  type: value_count\n  rules: [failed]\n  timespan: 1m\n  condition: {gte: 1}\n"),
            "correlation.field@17 ");
  EXPECT_EQ(with("  type: temporal\n  rules: [c]\n  timespan: 1m\n"),
            "correlation.cycle@11 correlation.rule@15 ");
}

TEST(Correlation, its_threshold_is_a_parameter_and_its_examples_are_sequences_in_time) {
  const std::string text =
      kLogin + correlation(kThree) +
      "callwarden:\n"
      "  parameters:\n"
      "    failures: {at: /correlation/condition/gte, text: {zh: 次数, en: failures}}\n"
      "    window: {at: /correlation/timespan, text: {zh: 时长, en: window}}\n"
      "  tests:\n"
      "    fires:\n"
      "      - name: five in eight seconds\n"
      "        events: [{event: {outcome: fail, ip: 10.0.0.1, user: 'u{n}'}, repeat: 5, every: "
      "2s}]\n"
      "    silent:\n"
      "      - name: slower\n"
      "        events: [{event: {outcome: fail, ip: 10.0.0.1}, repeat: 20, every: 5s}]\n"
      "      - name: from many addresses\n"
      "        events: [{event: {outcome: fail, ip: '10.0.0.{n}'}, repeat: 20}, {event: {outcome: "
      "ok}, at: 1s}]\n";
  auto held = [&](const LoadOptions& options) {
    auto rules = RuleSet::load({{"c.yml", text}}, options);
    EXPECT_EQ(rules->count(Outcome::rejected), 0u);
    std::vector<bool> out;
    for (const ExampleResult& r : run_examples(rules)) out.push_back(r.held);
    return out;
  };
  EXPECT_THAT(held({}), ElementsAre(true, true, true));
  EXPECT_THAT(held({.parameters = {{"c", {{"failures", "6"}}}}}), ElementsAre(false, true, true));
  EXPECT_THAT(held({.parameters = {{"c", {{"window", "1m"}}}}}), ElementsAre(true, false, true));
}

}  // namespace
}  // namespace cw::detect
