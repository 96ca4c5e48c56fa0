// The world's rules and events: every public Sigma rule is read, and every event that its authors
// recorded fires it. Read at test time from ../shared/corpora or CALLWARDEN_CORPORA.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>

#include "detect/cli.h"
#include "json_stream.h"

namespace cw::detect {
namespace {

namespace fs = std::filesystem;

std::string corpora() {
  const char* set = std::getenv("CALLWARDEN_CORPORA");
  return set != nullptr ? set : std::string(CW_SOURCE_DIR) + "/../shared/corpora";
}

// The value of the first `key:` line at any depth; enough for info.yml.
std::vector<std::string> lines_of(const fs::path& file, const std::string& key) {
  std::vector<std::string> out;
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) {
    std::size_t at = line.find(key + ": ");
    if (at != std::string::npos) out.push_back(line.substr(at + key.size() + 2));
  }
  return out;
}

class SigmaCorpus : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    std::string sigma = corpora() + "/sigma";
    if (!fs::exists(sigma + "/rules")) return;
    auto files =
        read_rule_files({sigma + "/rules", sigma + "/rules-compliance",
                         sigma + "/rules-emerging-threats", sigma + "/rules-threat-hunting"});
    ASSERT_TRUE(files.ok());
    rules = RuleSet::load(*files);
  }
  static void TearDownTestSuite() { rules.reset(); }
  void SetUp() override {
    if (!rules) GTEST_SKIP() << "the Sigma corpus is not beside the project: nothing to read";
  }
  static std::shared_ptr<const RuleSet> rules;
};
std::shared_ptr<const RuleSet> SigmaCorpus::rules;

TEST_F(SigmaCorpus, at_least_ninety_five_of_a_hundred_rules_compile_and_the_rest_give_reasons) {
  std::size_t total = rules->reports().size();
  std::size_t compiled = rules->count(Outcome::compiled);
  RecordProperty("compiled", std::to_string(compiled) + "/" + std::to_string(total));
  std::cout << "compiled " << compiled << ", degraded " << rules->count(Outcome::degraded)
            << ", rejected " << rules->count(Outcome::rejected) << " of " << total << "\n";
  EXPECT_GE(total, 3700u);
  EXPECT_GE(static_cast<double>(compiled), 0.95 * static_cast<double>(total));
  for (const RuleReport& r : rules->reports()) {
    EXPECT_EQ(r.reasons.empty(), r.outcome == Outcome::compiled) << r.path;
    for (const Mistake& m : r.reasons) {
      EXPECT_FALSE(m.text.zh.empty() || m.text.en.empty() || m.line < 1) << r.path;
    }
  }
}

TEST_F(SigmaCorpus, every_recorded_event_fires_the_rule_it_was_recorded_for) {
  Engine engine(rules);
  EventBuilder builder;
  std::size_t cases = 0, events = 0;
  for (const auto& folder : fs::directory_iterator(corpora() + "/sigma/regression")) {
    fs::path info = folder.path() / "info.yml";
    if (!fs::exists(info)) continue;
    std::vector<std::string> ids = lines_of(info, "- id"), counts = lines_of(info, "match_count");
    std::size_t wanted = counts.empty() ? 1 : std::stoul(counts[0]);
    ASSERT_FALSE(ids.empty()) << info;
    const RuleInfo* rule = rules->find(ids[0]);
    if (rule == nullptr) continue;  // not compiled: reported by the test above
    auto number = static_cast<std::uint32_t>(rule - rules->rules().data());
    std::size_t fired = 0;
    for (const auto& file : fs::directory_iterator(folder.path())) {
      if (file.path().extension() != ".json") continue;
      std::ifstream in(file.path(), std::ios::binary);
      JsonStream stream(in, 1 << 20);
      for (std::string text; stream.next(text); ++events) {
        auto event = builder.read(text);
        ASSERT_TRUE(event.ok()) << file.path() << ": " << event.problem().text.en;
        auto matched = engine.evaluate(*event);
        fired += std::binary_search(matched.begin(), matched.end(), number);
      }
    }
    EXPECT_GE(fired, wanted) << folder.path().filename() << " (" << rule->title.en << ")";
    ++cases;
  }
  std::cout << cases << " cases, " << events << " events\n";
  EXPECT_GE(cases, 100u);
}

}  // namespace
}  // namespace cw::detect
