// Plays every tests/scenarios/*.scenario (docs/formats/scenario.md) against the real engine and
// compares what happened with what the file says. CALLWARDEN_RECORD=1 writes the file anew.
#include "player_test.h"

namespace cw {
namespace {

class Scenario : public ::testing::TestWithParam<std::string> {};

struct Played {
  std::string expected, actual;
  Ends ends;
};

fs::path scenario_file(const std::string& name) {
  return fs::path(CW_SOURCE_DIR) / "tests" / "scenarios" / (name + ".scenario");
}

// Plays a story once, whoever asks.
const Played& played(const std::string& name) {
  static std::map<std::string, Played> done;
  auto [it, fresh] = done.try_emplace(name);
  if (!fresh) return it->second;
  it->second.expected = *read_file(scenario_file(name).string());
  std::vector<std::string> lines;
  std::stringstream in(it->second.expected);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  Player player(std::move(lines));
  it->second.actual = player.play();
  it->second.ends = player.ends();
  return it->second;
}

TEST_P(Scenario, PlaysAsWritten) {
  const auto& [expected, actual, ends] = played(GetParam());
  fs::path file = scenario_file(GetParam());
  if (std::getenv("CALLWARDEN_RECORD")) {
    write_file_atomic(file.string(), actual);
    return;
  }
  EXPECT_EQ(actual, expected) << "CALLWARDEN_RECORD=1 procedure_test records " << file;
}

std::vector<std::string> scenario_names() {
  std::vector<std::string> out;
  for (const auto& e : fs::directory_iterator(fs::path(CW_SOURCE_DIR) / "tests" / "scenarios"))
    if (e.path().extension() == ".scenario") out.push_back(e.path().stem().string());
  std::sort(out.begin(), out.end());
  return out;
}

INSTANTIATE_TEST_SUITE_P(All, Scenario, ::testing::ValuesIn(scenario_names()), [](const auto& p) {
  std::string name = p.param;
  std::replace_if(
      name.begin(), name.end(), [](char c) { return !std::isalnum(c); }, '_');
  return name;
});
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(Scenario);

// Each way a procedure may end is the end of some story: nothing ships that was never run.
TEST(Scenarios, ReachEveryEndOfEveryProcedure) {
  Ends reached;
  for (const std::string& name : scenario_names())
    for (const auto& [procedure, states] : played(name).ends)
      reached[procedure].insert(states.begin(), states.end());
  for (const auto& [id, definition] : shipped().procedures())
    for (const StateDef& state : definition->states)
      EXPECT_TRUE(!state.final || reached[id].count(state.id) != 0)
          << id << " never comes to " << state.id;
}

}  // namespace
}  // namespace cw
