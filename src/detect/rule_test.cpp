// Sigma's language, rule by rule: what fires, what stays silent, what is refused and where.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "detect/cli.h"

namespace cw::detect {
namespace {

const std::string kHead = "title: t\nid: r\nlogsource: {product: test}\n";

std::shared_ptr<const RuleSet> load(const std::string& text, const LoadOptions& options = {}) {
  return RuleSet::load({{"r.yml", text}}, options);
}

std::string why(const RuleSet& rules) {
  std::string out;
  for (const RuleReport& r : rules.reports()) {
    for (const Mistake& m : r.reasons) {
      out += m.code + "@" + std::to_string(m.line) + ":" + std::to_string(m.column) + " ";
    }
  }
  return out;
}

// Does a rule with this detection fire on this event?
bool fires(const std::string& detection, std::string_view json, const LoadOptions& options = {}) {
  auto rules = load(kHead + "detection:\n" + detection, options);
  EXPECT_EQ(rules->count(Outcome::compiled), 1u) << why(*rules) << "\n" << detection;
  if (rules->rules().empty()) return false;
  EventBuilder builder;
  auto status = builder.add_json(json);
  EXPECT_TRUE(status.ok()) << json;
  Engine engine(rules);
  return !engine.evaluate(builder.event("s", {"test", "", ""}, 0)).empty();
}

// The same for one field with one value, given as YAML and as JSON.
bool item(const std::string& key, const std::string& value, const std::string& json_value) {
  return fires("  s:\n    " + key + ": " + value + "\n  condition: s\n",
               R"({"f":)" + json_value + "}");
}

TEST(Rule, values_are_compared_without_case_unless_the_rule_says_so) {
  EXPECT_TRUE(item("f", "PowerShell", R"("POWERshell")"));
  EXPECT_TRUE(item("f", "Кошка", R"("КОШКА")"));
  EXPECT_FALSE(item("f|cased", "PowerShell", R"("POWERshell")"));
  EXPECT_TRUE(item("f|contains|cased", "rShe", R"("PowerShell")"));
  EXPECT_FALSE(item("f", "PowerShell", R"("PowerShell ")"));
}

TEST(Rule, places_and_wildcards) {
  EXPECT_TRUE(item("f|startswith", "'C:\\Win'", R"("c:\\windows")"));
  EXPECT_FALSE(item("f|startswith", "'Win'", R"("c:\\windows")"));
  EXPECT_TRUE(item("f|endswith", "'\\cmd.exe'", R"("C:\\CMD.EXE")"));
  EXPECT_FALSE(item("f|endswith", "'\\cmd.exe'", R"("C:\\cmd.exe.bak")"));
  EXPECT_TRUE(item("f|contains", "'a*d'", R"("xxAbcDxx")"));
  EXPECT_TRUE(item("f", "'坐?员*'", R"("坐席员一号")"));
  EXPECT_FALSE(item("f",
                    "'坐?"
                    "?员*'",
                    R"("坐席员一号")"));
  EXPECT_TRUE(item("f", "'*'", R"("")"));
  EXPECT_TRUE(item("f",
                   "'?"
                   "?"
                   "?'",
                   R"("中文字")"));
}

TEST(Rule, lists_are_or_and_all_makes_them_and) {
  EXPECT_TRUE(item("f", "[a, b, null]", R"("b")"));
  EXPECT_TRUE(item("f|contains|all", "[ab, cd]", R"("xcdab")"));
  EXPECT_FALSE(item("f|contains|all", "[ab, cd]", R"("ab")"));
}

TEST(Rule, any_element_of_an_array_may_hold_and_a_negation_means_none_does) {
  EXPECT_TRUE(item("f", "b", R"(["a","b"])"));
  EXPECT_FALSE(item("f|neq", "b", R"(["a","b"])"));
  EXPECT_TRUE(item("f|neq", "c", R"(["a","b"])"));
  EXPECT_TRUE(item("f|neq", "c", "null"));
}

TEST(Rule, null_empty_and_missing_are_three_things) {
  EXPECT_TRUE(item("f", "null", "null"));
  EXPECT_FALSE(item("f", "null", R"("")"));
  EXPECT_FALSE(fires("  s:\n    f: null\n  condition: s\n", R"({"g":1})"));
  EXPECT_TRUE(item("f", "''", R"("")"));
  EXPECT_FALSE(item("f", "''", "null"));
  EXPECT_TRUE(item("f|exists", "true", "null"));
  EXPECT_FALSE(item("f|exists", "false", R"("")"));
  EXPECT_TRUE(fires("  s:\n    f|exists: false\n  condition: s\n", R"({"g":1})"));
}

TEST(Rule, numbers_are_compared_as_text_unless_asked_to_be_numbers) {
  EXPECT_TRUE(item("f", "4625", "4625"));
  EXPECT_TRUE(item("f", "4625", R"("4625")"));
  EXPECT_FALSE(item("f", "10", "10.0"));
  EXPECT_TRUE(item("f", "true", "true"));
  EXPECT_TRUE(item("f|gte", "10", R"("10.0")"));
  EXPECT_FALSE(item("f|gt", "10", "10"));
  EXPECT_TRUE(item("f|lt", "-1.5", "-2"));
  EXPECT_FALSE(item("f|lte", "5", R"("five")"));
}

TEST(Rule, expressions_are_searched_for_with_case_unless_flagged) {
  EXPECT_TRUE(item("f|re", "'ab+c'", R"("xxabbcxx")"));
  EXPECT_FALSE(item("f|re", "'ab+c'", R"("xxABBCxx")"));
  EXPECT_TRUE(item("f|re|i", "'ab+c'", R"("xxABBCxx")"));
  EXPECT_TRUE(item("f|re|i", "'привет'", R"("ПРИВЕТ")"));
  EXPECT_FALSE(item("f|re", "'a.c'", R"("a\nc")"));
  EXPECT_TRUE(item("f|re|s", "'a.c'", R"("a\nc")"));
  EXPECT_FALSE(item("f|re", "'^second'", R"("first\nsecond")"));
  EXPECT_TRUE(item("f|re|m", "'^second'", R"("first\nsecond")"));
  EXPECT_TRUE(item("f|re", "'^.{3}$'", R"("中国人")"));
  EXPECT_TRUE(item("f|re", "'^$'", R"("")"));
  EXPECT_TRUE(item("f|re", "'(\\w)\\1(?=x)'", R"("aabbx")"));
  EXPECT_TRUE(item("f|re", "'[0-9]'", R"("a1")"));
}

TEST(Rule, encodings) {
  EXPECT_TRUE(item("f|base64", "foobar", R"("Zm9vYmFy")"));
  EXPECT_FALSE(item("f|base64", "foobar", R"("zm9vymfy")"));
  EXPECT_TRUE(item("f|base64offset|contains", "http://", R"("eHhodHRwOi8vZXZpbA==")"));
  EXPECT_FALSE(item("f|base64offset|contains", "http://", R"("EHHODHRWOI8VZXZPBA==")"));
  EXPECT_TRUE(item("f|wide|base64offset|contains", "ping", R"("cABpAG4AZwA=")"));
  EXPECT_TRUE(item("f|utf16be|base64", "ab", R"("AGEAYg==")"));
  EXPECT_TRUE(item("f|utf16|base64", "ab", R"("//5hAGIA")"));
  EXPECT_TRUE(item("f|wide", "ab", R"("a\u0000b\u0000")"));
  EXPECT_TRUE(item("f|windash|contains", "' -enc '", R"("x ―ENC y")"));
  EXPECT_TRUE(item("f|contains|windash", "' /enc '", R"("x -enc y")"));
  EXPECT_FALSE(item("f|windash|contains", "' in-built '", R"("x in/built y")"));
}

TEST(Rule, networks) {
  EXPECT_TRUE(item("f|cidr", "10.0.0.0/8", R"("10.255.0.1")"));
  EXPECT_FALSE(item("f|cidr", "10.0.0.0/8", R"("11.0.0.1")"));
  EXPECT_TRUE(item("f|cidr", "192.168.4.0/23", R"("::ffff:192.168.5.9")"));
  EXPECT_TRUE(item("f|cidr", "'2001:db8::/33'", R"("2001:db8:7fff::1")"));
  EXPECT_FALSE(item("f|cidr", "'2001:db8::/33'", R"("2001:db8:8000::1")"));
  EXPECT_FALSE(item("f|cidr", "10.0.0.0/8", R"("10.1.1.1.evil")"));
}

TEST(Rule, parts_of_a_time) {
  EXPECT_TRUE(item("f|hour|gte", "22", R"("2026-01-31T23:59:01+08:00")"));
  EXPECT_TRUE(item("f|minute", "59", R"("2026-01-31 23:59:01")"));
  EXPECT_TRUE(item("f|day", "[30, 31]", R"("2026-01-31")"));
  EXPECT_TRUE(item("f|week", "53", R"("2027-01-01")"));
  EXPECT_TRUE(item("f|month", "1", "1767225600"));
  EXPECT_FALSE(item("f|year", "2025", "1767225600000"));
  EXPECT_FALSE(item("f|hour", "1", R"("yesterday")"));
}

TEST(Rule, one_field_may_refer_to_another) {
  const std::string same = "  s:\n    a|fieldref: b\n  condition: s\n";
  EXPECT_TRUE(fires(same, R"({"a":"X","b":["y","x"]})"));
  EXPECT_FALSE(fires(same, R"({"a":"X"})"));
  EXPECT_FALSE(fires("  s:\n    a|fieldref|neq: b\n  condition: s\n", R"({"a":"x","b":"X"})"));
  EXPECT_TRUE(fires("  s:\n    a|fieldref|endswith: b\n  condition: s\n",
                    R"({"a":"C:\\t.exe","b":"T.exe"})"));
}

TEST(Rule, keywords_search_every_value_of_the_event) {
  const std::string any = "  k: [mimikatz, 'a*z', '|']\n  condition: k\n";
  EXPECT_TRUE(fires(any, R"({"deep":{"x":["-- MIMIKATZ --"]}})"));
  EXPECT_TRUE(fires(any, R"({"other":"xx a..z xx"})"));
  EXPECT_FALSE(fires(any, R"({"mimikatz":"the name is not a value"})"));
  const std::string all = "  k:\n    '|all': [one, two]\n  condition: k\n";
  EXPECT_TRUE(fires(all, R"({"a":"one","b":"two"})"));
  EXPECT_FALSE(fires(all, R"({"a":"one"})"));
  EXPECT_TRUE(fires("  k:\n    '|re': '\\d{4}$'\n  condition: k\n", R"({"a":"x 1234"})"));
}

TEST(Rule, conditions) {
  const std::string three =
      "  sel_a: {f: a}\n  sel_b: {g: b}\n  _hidden: {h: c}\n  not_me: {h: d}\n";
  auto holds = [&](const std::string& condition, std::string_view json) {
    return fires(three + "  condition: " + condition + "\n", json);
  };
  EXPECT_TRUE(holds("sel_a or sel_b and not_me", R"({"f":"a"})"));
  EXPECT_FALSE(holds("(sel_a or sel_b) and not_me", R"({"f":"a"})"));
  EXPECT_TRUE(holds("not sel_a and sel_b", R"({"g":"b"})"));
  EXPECT_TRUE(holds("NOT (sel_a AND sel_b)", R"({"f":"a"})"));
  EXPECT_TRUE(holds("all of sel_*", R"({"f":"a","g":"b"})"));
  EXPECT_FALSE(holds("all of sel_*", R"({"f":"a"})"));
  EXPECT_TRUE(holds("1 of sel* and not 1 of not*", R"({"g":"b"})"));
  EXPECT_FALSE(holds("1 of them", R"({"h":"c"})"));
  EXPECT_TRUE(holds("1 of _*", R"({"h":"c"})"));
  EXPECT_TRUE(holds("any of them", R"({"h":"d"})"));
  EXPECT_TRUE(holds("[sel_a, sel_b]", R"({"g":"b"})"));
}

TEST(Rule, a_rule_with_nothing_positive_is_still_tried) {
  EXPECT_TRUE(fires("  s: {f: a}\n  condition: not s\n", R"({"g":1})"));
  EXPECT_FALSE(fires("  s: {f: a}\n  condition: not s\n", R"({"f":"a"})"));
}

TEST(Rule, placeholders_take_the_values_of_the_settings) {
  LoadOptions options{.placeholders = {{"admins", {"root", "adm_*"}}}};
  const std::string rule = "  s: {user|expand: '%admins%'}\n  condition: s\n";
  EXPECT_TRUE(fires(rule, R"({"user":"ADM_zhang"})", options));
  EXPECT_FALSE(fires(rule, R"({"user":"zhang"})", options));
  EXPECT_TRUE(fires("  s: {user|expand: '\\%a%admins%'}\n  condition: s\n", R"({"user":"%aroot"})",
                    options));
  EXPECT_EQ(why(*load(kHead + "detection:\n" + rule)), "value.placeholder@5:20 ");
}

TEST(Rule, applies_only_to_the_log_source_it_names) {
  auto rules =
      RuleSet::load({{"a.yml",
                      "title: a\nid: a\nlogsource: {product: windows, category: registry_event}\n"
                      "detection: {s: {f: x}, condition: s}\n"},
                     {"b.yml",
                      "title: b\nid: b\nlogsource: {category: webserver}\ndetection: {s: {f: x}, "
                      "condition: s}\n"}});
  Engine engine(rules);
  EventBuilder builder;
  builder.add("f", "x");
  auto ids = [&](LogSource source) {
    std::string out;
    for (std::uint32_t r : engine.evaluate(builder.event("s", source, 0)))
      out += rules->rules()[r].id;
    return out;
  };
  EXPECT_EQ(ids({"windows", "sysmon", "registry_set"}), "a");
  EXPECT_EQ(ids({"Windows", "", "registry_add"}), "a");
  EXPECT_EQ(ids({"windows", "", "process_creation"}), "");
  EXPECT_EQ(ids({"nginx", "", "webserver"}), "b");
  EXPECT_EQ(ids({"", "", ""}), "");
}

TEST(Rule, says_which_fields_made_it_fire_and_who_it_is_about) {
  auto rules =
      load(kHead +
           "detection:\n  s: {user: root, cmd|contains: rm}\n  o: {x: y}\n"
           "  k: [needle]\n  condition: (s or o) and k\ncallwarden: {entities: [user, host]}\n");
  ASSERT_EQ(rules->count(Outcome::compiled), 1u) << why(*rules);
  Detector detector(rules);
  EventBuilder builder;
  for (auto [n, v] :
       {std::pair{"user", "root"}, {"cmd", "rm -rf"}, {"m", "a needle"}, {"host", "h1"}})
    builder.add(n, v);
  std::vector<Firing> fired;
  detector.feed(builder.event("s", {"test", "", ""}, 5), 5, fired);
  ASSERT_EQ(fired.size(), 1u);
  EXPECT_THAT(fired[0].fields, testing::ElementsAre("cmd", "m", "user"));
  EXPECT_THAT(fired[0].entities,
              testing::ElementsAre(testing::Pair("user", "root"), testing::Pair("host", "h1")));
}

TEST(Rule, a_filter_is_laid_over_a_rule_without_touching_it) {
  const std::string rule = kHead + "detection: {s: {f: a}, condition: s}\n";
  const std::string filter =
      "title: ours\nid: f1\nlogsource: {product: test}\nfilter:\n  rules: [r, gone]\n"
      "  ok: {user|startswith: adm_}\n  condition: not ok\n";
  auto rules = RuleSet::load({{"r.yml", rule}, {"f.yml", filter}});
  EXPECT_EQ(why(*rules), "filter.rule@5:14 ");
  EXPECT_EQ(rules->count(Outcome::degraded), 1u);
  Engine engine(rules);
  EventBuilder builder;
  builder.add("f", "a");
  EXPECT_EQ(engine.evaluate(builder.event("s", {"test", "", ""}, 0)).size(), 1u);
  builder.add("user", "adm_li");
  EXPECT_EQ(engine.evaluate(builder.event("s", {"test", "", ""}, 0)).size(), 0u);
}

TEST(Rule, mistakes_are_named_with_their_line_and_column) {
  auto refused = [](const std::string& text) {
    auto rules = load(text);
    EXPECT_EQ(rules->count(Outcome::rejected), 1u) << text;
    return why(*rules);
  };
  const std::string d = kHead + "detection:\n";
  EXPECT_EQ(refused(d + "  s: {f: a}\n  condition: s and typo\n"), "condition.identifier@6:20 ");
  EXPECT_EQ(refused(d + "  s: {f: a}\n  condition: (s\n"), "condition.syntax@6:16 ");
  EXPECT_EQ(refused(d + "  s: {f: a}\n  condition: s | count() > 5\n"),
            "condition.aggregation@6:16 ");
  EXPECT_EQ(refused(d + "  s: {f: a}\n  condition: 2 of s*\n"), "condition.quantity@6:14 ");
  EXPECT_EQ(refused(d + "  s: {f|contians: a}\n  condition: s\n"), "modifier.unknown@5:7 ");
  EXPECT_EQ(refused(d + "  s: {f|cidr|contains: a}\n  condition: s\n"), "modifier.clash@5:7 ");
  EXPECT_EQ(refused(d + "  s: {f|re: '('}\n  condition: s\n"), "value.regex@5:13 ");
  EXPECT_EQ(refused(d + "  s: {f|cidr: 10.0.0.0/33}\n  condition: s\n"), "value.cidr@5:15 ");
  EXPECT_EQ(refused(d + "  s: {f: a, f: b}\n  condition: s\n"), "yaml.duplicate@5:13 ");
  EXPECT_EQ(refused(d + "  s: &x {f: a}\n  condition: s\n"), "yaml.anchor@5:6 ");
  EXPECT_EQ(refused("title: t\ndetection: {s: {f: a}, condition: s}\n").substr(0, 12),
            "yaml.missing");
  EXPECT_EQ(refused(kHead + "detection: {s: {f: a}, condition: s}\ncallwarden: {entity: x}\n"),
            "yaml.unknown@5:14 ");
}

TEST(Rule, an_unknown_level_degrades_and_a_second_rule_of_one_id_is_refused) {
  const std::string rule = kHead + "detection: {s: {f: a}, condition: s}\n";
  EXPECT_EQ(why(*load(rule + "level: apocalyptic\n")), "rule.level@5:8 ");
  auto two = load(rule + "---\n" + rule);
  EXPECT_EQ(why(*two), "rule.duplicate@6:1 ");
  EXPECT_EQ(two->count(Outcome::compiled), 1u);
}

TEST(Rule, hostile_yaml_is_refused_and_nothing_grows_with_it) {
  std::string deep = kHead + "detection:\n  s: " + std::string(5'000, '[') + "\n";
  EXPECT_EQ(load(deep)->count(Outcome::rejected), 1u);
  std::string condition =
      kHead + "detection:\n  s: {f: a}\n  condition: " + std::string(5'000, '(') + "s\n";
  EXPECT_EQ(load(condition)->count(Outcome::rejected), 1u);
  std::string many = kHead + "detection:\n  s: {f: a}\n  condition: s\n";
  for (int i = 0; i < 300; ++i) many += "---\ntitle: x\n";
  EXPECT_EQ(load(many)->reports().size(), 1u);
  EXPECT_EQ(load("")->count(Outcome::rejected), 1u);
  EXPECT_EQ(load("\xff\xfe")->count(Outcome::rejected), 1u);
}

TEST(Rule, its_parameters_can_be_set_without_touching_the_file) {
  const std::string text =
      kHead +
      "detection: {s: {rows|gte: 500}, condition: s}\ncallwarden:\n  parameters:\n"
      "    rows: {at: /detection/s/rows|gte, text: {zh: 行数, en: rows}}\n";
  EXPECT_EQ(load(text)->rules()[0].parameters[0].value, "500");
  auto rules = load(text, {.parameters = {{"r", {{"rows", "10"}}}}});
  ASSERT_EQ(rules->count(Outcome::compiled), 1u) << why(*rules);
  EXPECT_EQ(rules->rules()[0].parameters[0].value, "10");
  EventBuilder builder;
  builder.add("rows", "12");
  Engine engine(rules);
  EXPECT_EQ(engine.evaluate(builder.event("s", {"test", "", ""}, 0)).size(), 1u);
  EXPECT_EQ(load(text, {.parameters = {{"r", {{"rows", "many"}}}}})->count(Outcome::rejected), 1u);
  EXPECT_EQ(load(text, {.parameters = {{"r", {{"row", "1"}}}}})->count(Outcome::rejected), 1u);
}

TEST(Rule, examples_show_what_must_fire_and_what_must_not) {
  auto rules =
      load(kHead +
           "detection: {s: {user.name: root}, condition: s}\ncallwarden:\n  tests:\n"
           "    fires: [{event: {user: {name: ROOT}}}, {name: wrong, event: {user: {name: li}}}]\n"
           "    silent: [{event: {user: {name: null}}}]\n");
  ASSERT_EQ(rules->count(Outcome::compiled), 1u) << why(*rules);
  std::vector<bool> held;
  for (const ExampleResult& r : run_examples(rules)) held.push_back(r.held);
  EXPECT_THAT(held, testing::ElementsAre(true, false, true));
}

}  // namespace
}  // namespace cw::detect
