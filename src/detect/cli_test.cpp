// `callwarden rules`: check, test and replay, as people and scripts use them.
#include "detect/cli.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace cw::detect {
namespace {

namespace fs = std::filesystem;

class RulesCommand : public testing::Test {
 protected:
  void SetUp() override {
    folder_ =
        fs::temp_directory_path() / ("cw-rules-" + std::to_string(::getpid()) + "-" +
                                     testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::create_directories(folder_ / "below");
  }
  void TearDown() override { fs::remove_all(folder_); }

  std::string write(const std::string& name, const std::string& text) {
    std::ofstream(folder_ / name) << text;
    return (folder_ / name).string();
  }
  int run(std::vector<std::string> args, const std::string& input = {}) {
    std::istringstream in(input);
    std::ostringstream out, err;
    int code = rules_main(args, in, out, err);
    out_ = out.str();
    err_ = err.str();
    return code;
  }
  json::object answer() const { return json::parse(out_).as_object(); }

  fs::path folder_;
  std::string out_, err_;
};

const std::string kGood =
    "title: guessing\nid: g\nlevel: high\nlogsource: {product: pbx}\ndetection: {s: {outcome: "
    "fail}, condition: s}\n"
    "callwarden:\n  entities: [ip]\n  tests: {fires: [{event: {outcome: fail}}], silent: [{event: "
    "{outcome: ok}}]}\n";
const std::string kBad =
    "title: broken\nid: b\nlogsource: {product: pbx}\ndetection:\n  s: {f|nope: a}\n  condition: "
    "s\n";

TEST_F(RulesCommand, check_counts_and_gives_every_refusal_its_file_line_and_reason) {
  write("good.yml", kGood);
  std::string bad = write("below/bad.yaml", kBad);
  write("notes.txt", "not a rule");
  EXPECT_EQ(run({"check", "--json", folder_.string()}), 1);
  json::object a = answer();
  EXPECT_EQ(a["compiled"], 1);
  EXPECT_EQ(a["degraded"], 0);
  EXPECT_EQ(a["rejected"], 1);
  ASSERT_EQ(a["rules"].as_array().size(), 2u);
  const json::object& refusal = a["rules"].as_array()[0].as_object();
  EXPECT_EQ(refusal.at("file").as_string(), bad);
  EXPECT_EQ(refusal.at("outcome").as_string(), "rejected");
  const json::object& reason = refusal.at("reasons").as_array().at(0).as_object();
  EXPECT_EQ(reason.at("line"), 5);
  EXPECT_EQ(reason.at("code").as_string(), "modifier.unknown");
  EXPECT_FALSE(reason.at("zh").as_string().empty());

  EXPECT_EQ(run({"check", "--lang", "en", folder_.string()}), 1);
  EXPECT_THAT(out_, testing::HasSubstr(bad + ":5:7: unknown modifier 'nope'"));
}

TEST_F(RulesCommand, check_of_sound_rules_succeeds) {
  EXPECT_EQ(run({"check", write("good.yml", kGood)}), 0);
  EXPECT_THAT(out_, testing::HasSubstr("compiled 1  degraded 0  rejected 0"));
}

TEST_F(RulesCommand, test_runs_the_examples_and_fails_when_one_does_not_hold) {
  EXPECT_EQ(run({"test", "--json", write("good.yml", kGood)}), 0);
  EXPECT_EQ(answer()["examples"], 2);
  std::string wrong = kGood;
  wrong.replace(wrong.find("outcome: ok"), 11, "outcome: FAIL");
  EXPECT_EQ(run({"test", "--json", write("good.yml", wrong)}), 1);
  EXPECT_EQ(answer()["failed"], 1);
}

TEST_F(RulesCommand, replay_counts_firings_and_names_their_entities) {
  std::string rule = write("good.yml", kGood);
  std::string events =
      "{\"logsource\":{\"product\":\"pbx\"},\"time\":\"2026-01-01T00:00:00Z\",\"outcome\":\"fail\","
      "\"ip\":\"A\"}\n"
      "{\"logsource\":{\"product\":\"pbx\"},\"time\":\"2026-01-01T00:00:09Z\",\"outcome\":\"FAIL\","
      "\"ip\":\"A\"}\n"
      "{\"outcome\":\"fail\"}\n"
      "broken\n";
  EXPECT_EQ(run({"replay", rule, "--events", "-", "--json"}, events), 0);
  json::object a = answer();
  EXPECT_EQ(a["events"], 3);
  EXPECT_EQ(a["refused"], 1);
  EXPECT_EQ(a["without_logsource"], 1);
  EXPECT_EQ(a["firings"], 2);
  const json::object& fired = a["rules"].as_array().at(0).as_object();
  EXPECT_EQ(fired.at("id").as_string(), "g");
  EXPECT_EQ(fired.at("last").as_string(), "2026-01-01T00:00:09.000Z");
  EXPECT_EQ(fired.at("entities").as_array().at(0).as_object().at("ip").as_string(), "A");
  EXPECT_EQ(fired.at("entities").as_array().at(0).as_object().at("count"), 2);

  std::string file = write("events.json", "{\"outcome\":\"fail\"}");
  EXPECT_EQ(run({"replay", rule, "--events", file, "--json", "--logsource", "product=pbx"}), 0);
  EXPECT_EQ(answer()["firings"], 1);
}

TEST_F(RulesCommand, a_wrong_command_line_is_told_apart_from_wrong_rules) {
  EXPECT_EQ(run({}), 2);
  EXPECT_EQ(run({"check"}), 2);
  EXPECT_EQ(run({"check", "--lang"}), 2);
  EXPECT_EQ(run({"check", "--colour", "x", folder_.string()}), 2);
  EXPECT_EQ(run({"replay", folder_.string()}), 2);
  EXPECT_EQ(run({"check", (folder_ / "gone.yml").string()}), 2);
  EXPECT_THAT(err_, testing::HasSubstr("gone.yml"));
}

}  // namespace
}  // namespace cw::detect
