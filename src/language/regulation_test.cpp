// Regulations: what is read, what is refused, and which edition a clock takes.
#include <gtest/gtest.h>

#include "base/clock.h"
#include "language/definition.h"
#include "test_place.h"

namespace cw {
namespace {

namespace fs = std::filesystem;

const char* const head = R"(regulation: R-1
version: 1
title: {zh: 首报, en: First report}
instrument: {zh: 办法, en: Measures}
duty: report
who: {zh: 运营者, en: Operator}
when: {zh: 较大, en: Larger}
base: [discovery]
key: operator
)";

TEST(Regulations, WhatShipsIsReadAndSaysHowSureItIs) {
  std::vector<Mistake> mistakes;
  const Library library = Library::load(fs::path(CW_SOURCE_DIR) / "content", mistakes);
  for (const Mistake& m : mistakes) ADD_FAILURE() << describe(m, "en");
  EXPECT_GE(library.regulations().size(), 12u);
  const auto first = library.regulation("CAC-2025-4");
  ASSERT_NE(first, nullptr);
  EXPECT_EQ(first->editions[0].within[0], (std::pair<std::string, Span>{"cii", {1, Unit::hour}}));
  EXPECT_EQ(first->editions[0].from_ms, from_rfc3339("2025-11-01T00:00:00+08:00"));
  EXPECT_EQ(first->editions[0].certainty, "read");
  EXPECT_EQ(library.regulation("CAC-2025-loss")->editions[0].certainty, "secondary");
  for (const auto& [id, regulation] : library.regulations()) {
    EXPECT_TRUE(regulation->form.empty() || library.form(regulation->form)) << id;
  }
}

// Every clock whose table is split by the kind of operator states what the law says, whether it
// refers to the regulation or writes the table itself.
TEST(Regulations, StatutoryClocksAgreeWithThem) {
  std::vector<Mistake> mistakes;
  const Library library = Library::load(fs::path(CW_SOURCE_DIR) / "content", mistakes);
  const auto law = library.regulation("CAC-2025-4");
  ASSERT_NE(law, nullptr);
  int seen = 0;
  for (const auto& [id, definition] : library.procedures()) {
    for (const ClockDef& clock : definition->clocks) {
      if (clock.limit.key < 0 || definition->facts[clock.limit.key].id != law->key) continue;
      ++seen;
      for (const auto& [value, span] : law->editions.back().within) {
        const int at = definition->facts[clock.limit.key].ordinal(value);
        EXPECT_EQ(clock.limit.spans[at], span) << id << " " << clock.id << " " << value;
      }
    }
  }
  EXPECT_GT(seen, 0);
}

TEST(Regulations, MistakesAreToldAtTheirPlace) {
  const std::pair<const char*, const char*> cases[] = {
      {"editions: @[]\n", "regulation.edition"},
      {"editions: [{certainty: @maybe, within: 4h}]\n", "regulation.word"},
      {"editions: [@{certainty: read}]\n", "regulation.edition"},
      {"editions: [@{certainty: read, within: 4h, keep: 3y}]\n", "regulation.edition"},
      {"editions: [{certainty: read, within: @soon}]\n", "regulation.edition"},
      {"editions: [{certainty: read, keep: @3h}]\n", "regulation.edition"},
      {"editions: [{certainty: read, from: @2025-13-01, within: 4h}]\n", "regulation.edition"},
      {"editions: [{certainty: read, within: 4h}, @{certainty: read, within: 2h}]\n",
       "regulation.edition"},
      {"editions: [{certainty: read, from: 2026-01-01, within: 4h}, @{certainty: read, from: "
       "2025-01-01, within: 2h}]\n",
       "regulation.edition"},
      {"editions: [{certainty: read, within: {cii: 1h}, to: {@other: {zh: 甲, en: A}}}]\n",
       "regulation.edition"},
      {"fact: people\neditions: [{certainty: read, thresholds: {larger: 5, major: @5}}]\n",
       "regulation.edition"},
  };
  for (const auto& [rest, code] : cases) {
    std::string text = std::string(head) + rest;
    const std::string place = take_place(text);
    std::vector<Mistake> mistakes;
    EXPECT_EQ(read_regulation(text, "r.yaml", mistakes), nullptr) << rest;
    ASSERT_FALSE(mistakes.empty()) << rest;
    EXPECT_EQ(mistakes[0].code, code) << rest;
    EXPECT_EQ(std::to_string(mistakes[0].line) + ":" + std::to_string(mistakes[0].column), place)
        << rest;
  }
}

class LimitOfRegulation : public ::testing::Test {
 protected:
  std::shared_ptr<const Definition> read(const std::string& limit, const std::string& editions) {
    const std::string procedure = R"(procedure: p
version: 1
title: {zh: 测, en: Test}
calendar: always
roles: {anyone: {any: true}}
data: {operator: {enum: [cii, other]}, seen: {type: string, format: date-time}}
start: {by: anyone, to: open}
states:
  open: {actions: {end: {by: anyone, to: closed}}}
  closed: {final: true}
clocks:
  report: {)" + limit + "}\n";
    mistakes.clear();
    library = Library::from_texts(
        {{"calendars/always.yaml",
          "calendar: always\nversion: 1\ntitle: {zh: 全, en: Always}\nzone: Asia/Shanghai\nopen: "
          "always\nworkday: 24h\n"},
         {"regulations/r.yaml", std::string(head) + editions},
         {"procedures/p.yaml", procedure}},
        mistakes);
    return library.procedure("p");
  }
  Library library;
  std::vector<Mistake> mistakes;
};

TEST_F(LimitOfRegulation, OldCasesKeepTheOldLimit) {
  const auto d = read("from: seen, limit: {regulation: R-1}",
                      "editions:\n"
                      "  - {from: 2025-11-01, certainty: read, within: {cii: 1h, other: 4h}}\n"
                      "  - {from: 2027-01-01, certainty: read, within: {cii: 30m, other: 2h}}\n");
  for (const Mistake& m : mistakes) ADD_FAILURE() << describe(m, "en");
  ASSERT_NE(d, nullptr);
  const Limit& limit = d->clocks[0].limit;
  const Calendar& calendar = *library.calendar("always");
  EXPECT_EQ(limit.regulation, "R-1");
  EXPECT_EQ(d->facts[limit.key].id, "operator");
  auto at = [&](const char* base, Value value) {
    const std::vector<Value> facts{value, null_value};
    return to_string(span_for(limit, facts, calendar, *from_rfc3339(base)));
  };
  EXPECT_EQ(at("2026-12-31T23:59:59+08:00", 1), "4h");
  EXPECT_EQ(at("2027-01-01T00:00:00+08:00", 1), "2h");
  EXPECT_EQ(at("2020-01-01T00:00:00+08:00", 1), "4h");           // before there was such a duty
  EXPECT_EQ(at("2026-06-01T00:00:00+08:00", null_value), "1h");  // not knowing loosens nothing
}

TEST_F(LimitOfRegulation, RefusesWhatCannotBeALimit) {
  const std::string four = "editions: [{certainty: read, within: 4h}]\n";
  EXPECT_NE(read("from: seen, limit: {regulation: R-1}", four), nullptr);
  const std::pair<const char*, std::string> cases[] = {
      {"from: seen, limit: {regulation: R-2}", four},
      {"run: [open], limit: {regulation: R-1}", four},
      {"from: seen, limit: {regulation: R-1}", "editions: [{certainty: read, at_once: true}]\n"},
      {"from: seen, limit: {regulation: R-1}",
       "editions: [{certainty: read, within: {cii: 1h, central: 2h}}]\n"},
  };
  for (const auto& [limit, editions] : cases) {
    EXPECT_EQ(read(limit, editions), nullptr) << limit;
    ASSERT_FALSE(mistakes.empty()) << limit;
    EXPECT_EQ(mistakes[0].code, "procedure.regulation") << limit;
  }
}

}  // namespace
}  // namespace cw
