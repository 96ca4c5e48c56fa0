// The call-centre pack: every rule's own examples hold, and other people's attacks fire it while
// their harmless lines stay silent.
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "base/clock.h"
#include "corpus.h"
#include "detect/cli.h"
#include "watch.h"

namespace cw::watch {
namespace {

std::shared_ptr<const detect::RuleSet> pack() {
  static const auto rules = [] {
    auto files =
        detect::read_rule_files({std::string(CW_SOURCE_DIR) + "/content/rules/call-centre"});
    CW_CHECK(files.ok());
    return detect::RuleSet::load(*files);
  }();
  return rules;
}

// Feeds lines through decoder and rules; remembers which rule fired for which address.
struct Bench {
  Decoder decoder;
  detect::Engine engine{pack()};
  detect::Correlator correlator{pack()};
  std::int64_t base_ms = *from_rfc3339("2026-11-22T00:00:00Z");
  std::map<std::string, std::set<std::string>> fired;  // rule → entities

  explicit Bench(std::string name) : decoder({.source = std::move(name), .utc_offset_min = 0}) {}

  // As if it had happened `at_ms` into the test, or at its own time when that is negative.
  void feed(std::string_view line, std::int64_t at_ms = -1) {
    decoder.decode({line, base_ms, ""}, [&](const detect::Event& e) {
      detect::Event event = e;
      if (at_ms >= 0) event.time_ms = base_ms + at_ms;
      std::vector<detect::Firing> out;
      auto matched = engine.evaluate(event);
      correlator.feed(event, matched, base_ms + 86'400'000, out);
      for (const detect::Firing& f : out) {
        for (const auto& [field, value] : f.entities)
          fired[pack()->rules()[f.rule].id].insert(value);
      }
    });
  }
  bool any() const { return !fired.empty(); }
};

TEST(CallCentreRules, all_compile_and_their_examples_hold) {
  for (const detect::RuleReport& r : pack()->reports()) {
    EXPECT_EQ(r.outcome, detect::Outcome::compiled)
        << r.path << ":" << r.line << " " << r.title << " "
        << (r.reasons.empty() ? "" : r.reasons[0].text.en);
  }
  int examples = 0;
  for (const detect::ExampleResult& e : detect::run_examples(pack())) {
    ++examples;
    const detect::RuleInfo& rule = pack()->rules()[e.rule];
    EXPECT_TRUE(e.held) << rule.id << ": " << rule.examples[e.example].name << " fired "
                        << e.firings;
  }
  EXPECT_GE(examples, 20);
}

TEST(CallCentreRules, speak_both_languages_and_state_their_thresholds) {
  for (const detect::RuleInfo& r : pack()->rules()) {
    EXPECT_FALSE(r.title.zh.empty()) << r.id;
    EXPECT_FALSE(r.title.en.empty()) << r.id;
    EXPECT_FALSE(r.description.zh.empty()) << r.id;
    if (r.kind != detect::RuleKind::correlation) continue;
    EXPECT_EQ(r.parameters.size(), 2u) << r.id;
    EXPECT_FALSE(r.entities.empty()) << r.id;
    bool fires = false, silent = false;
    for (const detect::Example& e : r.examples) (e.fires ? fires : silent) = true;
    EXPECT_TRUE(fires && silent) << r.id;
  }
}

// Each line labelled an attack, repeated as an attacker repeats, fires a rule for its host; each
// harmless line, repeated alike, fires none. Lines that need an earlier one of their connection are
// fed after it, so a whole section is a story.
void replay(const std::string& name, const std::string& path) {
  std::vector<LabelledLine> lines = fail2ban_lines(slurp(path));
  int attacks = 0, fired = 0, harmless = 0, silent = 0;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const LabelledLine& l = lines[i];
    // The story of this line: those before it of the same connection.
    auto connection = [](const std::string& s) {
      std::size_t open = s.find("sshd[");
      return open == std::string::npos ? s : s.substr(open, s.find(']', open) - open);
    };
    std::vector<std::string> story;
    for (std::size_t k = i > 4 ? i - 4 : 0; k < i; ++k) {
      if (name == "sshd" && connection(lines[k].line) == connection(l.line))
        story.push_back(lines[k].line);
    }
    bool attack = l.normal == 1 || l.aggressive == 1;
    // Harmless to the normal filter only: may still count as a probe.
    std::string allowed = l.aggressive == 0 ? "" : "call-centre-ssh-probing";
    Bench bench(name);
    for (int n = 0; n < 40; ++n) {
      if (attack) {
        for (const std::string& before : story) bench.feed(before, n * 50);
      }
      bench.feed(l.line, n * 50);
    }
    if (attack) {
      ++attacks;
      bool hit = false;
      for (const auto& [rule, entities] : bench.fired) {
        hit = hit || (l.host.empty() ? !entities.empty() : entities.count(l.host) > 0);
      }
      fired += hit;
      EXPECT_TRUE(hit) << name << ":" << l.number << " " << l.line;
    } else {
      ++harmless;
      bench.fired.erase(allowed);
      silent += !bench.any();
      EXPECT_FALSE(bench.any()) << name << ":" << l.number << " " << l.line;
    }
  }
  printf("%s: fired %d/%d labelled attacks, silent %d/%d harmless lines\n", name.c_str(), fired,
         attacks, silent, harmless);
  EXPECT_GT(attacks, 5);
}

TEST(CallCentreRules, fail2ban_attacks_fire_and_harmless_lines_do_not) {
  std::string folder = corpora_folder() + "/phone/fail2ban/";
  if (slurp(folder + "sshd.log").empty()) GTEST_SKIP() << "the corpora are not here: " << folder;
  for (std::string name : {"asterisk", "freeswitch", "sshd"}) replay(name, folder + name + ".log");
}

// CrowdSec's scenario.assert names the address and how many overflows; its logs are played as they
// are, at their own times.
TEST(CallCentreRules, crowdsec_scenarios_fire_the_matching_rule) {
  std::string folder = corpora_folder() + "/phone/crowdsec/";
  if (slurp(folder + "asterisk-bf/asterisk-bf.log").empty())
    GTEST_SKIP() << "the corpora are not here";
  struct Case {
    std::string name, log, rule;
  };
  int fired = 0, labelled = 0;
  for (const Case& c :
       {Case{"asterisk-bf", "asterisk-bf.log", "call-centre-15-sip-burst"},
        {"asterisk-user-enum", "asterisk-user-enum.log", "call-centre-16-extension-enumeration"},
        {"freeswitch-acl-reject", "freeswitch.log", "call-centre-15-sip-brute-force"},
        {"freeswitch-bf", "freeswitch.log", "call-centre-15-sip-burst"}}) {
    std::string assertion = slurp(folder + c.name + "/scenario.assert");
    std::size_t at = assertion.find("GetValue() == \"");
    ASSERT_NE(at, std::string::npos);
    std::string host = assertion.substr(at + 15, assertion.find('"', at + 15) - at - 15);
    Bench bench(c.name);
    std::vector<std::string> lines = lines_of(slurp(folder + c.name + "/" + c.log));
    for (const std::string& l : lines) bench.feed(l);
    ++labelled;
    fired += bench.fired[c.rule].count(host) > 0;
    EXPECT_EQ(bench.fired[c.rule].count(host), 1u) << c.name << " " << host;
  }
  for (std::string quiet : {"asterisk-logs", "freeswitch"}) {  // no scenario is asserted of these
    Bench bench(quiet);
    for (const std::string& l : lines_of(slurp(folder + quiet + "/" + quiet + ".log")))
      bench.feed(l);
    EXPECT_FALSE(bench.any()) << quiet;
  }
  printf("crowdsec: fired %d/%d scenarios\n", fired, labelled);
}

}  // namespace
}  // namespace cw::watch
