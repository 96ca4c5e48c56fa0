// Shift change, calls that go up, what the roster says ahead, and that a restart forgets nothing.
#include "definition.h"
#include "fixture.h"

namespace cw {
namespace {

class DutyTest : public ::testing::Test {
 protected:
  void tick(const std::string& answered_by = "") {
    w.roster->tick(
        [&](Draft&, std::uint64_t seq, const DutyNotice& n) {
          EXPECT_GT(seq, 0u);
          EXPECT_FALSE(n.text.zh.empty() || n.text.en.empty() || n.people.empty());
          std::string line = n.about + ":";
          for (const auto& id : n.people) line += w.name(id);
          told.push_back(line);
        },
        [&](const std::string&) { return answered_by; });
  }
  void call(const std::string& about) {
    w.ok(w.journal->run({}, [&](Draft& d) -> Result<json::object> {
      w.roster->open_call(d, about, w.branch, {"电话攻击", "Telephone attack"},
                          [&](Draft&, std::uint64_t, const DutyNotice& n) {
                            for (const auto& id : n.people)
                              told.push_back(n.about + ":" + w.name(id));
                          });
      return json::object{};
    }));
  }
  DutyCall last_call() {
    return w.read([&] { return w.roster->calls("").at(0); });
  }
  DutyWorld w;
  std::vector<std::string> told;
};

TEST_F(DutyTest, AShiftIsHandedOverWithItsOpenItemsAndTwoSignatures) {
  w.plan();
  const ShiftRef early = w.ref(w.monday, "early");  // a, then d has late
  const std::vector<std::string> items{"cas_01abc", "cas_01abc/contain"};
  EXPECT_EQ(duty_code(w.roster->write_handover(w.as("a"), {}, early, items, "x")),
            "roster.handover-time");
  w.at("2026-11-23T15:50");
  EXPECT_EQ(duty_code(w.roster->write_handover(w.as("b"), {}, early, items, "x")), "roster.not-on");
  EXPECT_EQ(duty_code(w.roster->write_handover(w.as("a"), {}, early, items, "  ")), "roster.text");
  EXPECT_EQ(duty_code(w.roster->write_handover(w.as("a"), {}, early, {"a b"}, "x")), "roster.item");
  w.ok(w.roster->write_handover(w.as("a"), {}, early, items, "中继 2 号线路待恢复"));
  auto kept = *w.read([&] { return w.roster->handover(early); });
  EXPECT_EQ(kept.items, items);
  EXPECT_EQ(*w.sealed->open(kept.content), "中继 2 号线路待恢复");
  for (const auto& bytes : w.journal->entries(0, 10'000))
    EXPECT_EQ(bytes.find("中继"), std::string::npos) << "what people write is sealed";

  const std::uint64_t read = kept.seq;
  w.ok(w.roster->write_handover(w.as("a"), {}, early, items, "已恢复"));
  EXPECT_EQ(duty_code(w.roster->sign_handover(w.as("d"), {}, early, read)),
            "roster.handover-changed");
  kept = *w.read([&] { return w.roster->handover(early); });
  EXPECT_EQ(duty_code(w.roster->sign_handover(w.as("a"), {}, early, kept.seq)), "roster.not-next");
  EXPECT_EQ(duty_code(w.roster->sign_handover(w.as("b"), {}, early, kept.seq)), "roster.not-next");
  w.ok(w.roster->sign_handover(w.as("d"), {}, early, kept.seq));
  kept = *w.read([&] { return w.roster->handover(early); });
  EXPECT_EQ(w.name(kept.outgoing) + w.name(kept.incoming), "ad");
  EXPECT_EQ(duty_code(w.roster->write_handover(w.as("a"), {}, early, items, "x")),
            "roster.handed-over");
}

TEST_F(DutyTest, WhoDidNotSignIsRemindedOnceAndSoIsWhoIsNotReady) {
  w.plan();
  w.at("2026-11-23T06:30");
  tick();
  EXPECT_THAT(told, testing::Contains("duty_not_ready:a"));
  told.clear();
  w.clock.advance_ms(61'000);
  tick();
  EXPECT_TRUE(told.empty()) << "once";
  w.at("2026-11-23T16:29");
  tick();
  EXPECT_THAT(told, testing::Not(testing::Contains("handover_due:ad")));
  w.at("2026-11-23T16:31");
  tick();
  EXPECT_THAT(told, testing::Contains("handover_due:ad"));
}

TEST_F(DutyTest, AGapOfTheNextDayIsSaidToWhoIsOnDuty) {
  w.plan();
  w.at("2026-11-23T09:00");
  const std::int64_t from = *from_rfc3339("2026-11-23T16:00:00+08:00");
  for (const char* login : {"d", "s"})
    w.ok(w.roster->ask_leave(w.boss, {}, w.ids[login], "sick", from, from + 8 * 3'600'000));
  tick();
  EXPECT_THAT(told, testing::Contains("duty_gap:a"));
  w.at("2026-11-23T17:00");
  EXPECT_EQ(w.now_on("duty-officer"), "") << "nobody at all: the post has no holder either";
}

TEST_F(DutyTest, ACallGoesUpLayerByLayerUntilSomebodyAnswers) {
  w.plan();
  w.at("2026-11-23T09:00");
  const auto steps = w.read([&] { return w.roster->escalation(w.branch, w.clock.now_ms()); });
  ASSERT_EQ(steps.size(), 3u);
  EXPECT_EQ(steps[0].layer + steps[1].layer + steps[2].layer, "firstsecondcommander");
  call("alt_1");
  call("alt_1");
  EXPECT_EQ(told, std::vector<std::string>{"duty_call:a"}) << "one call for one alert";
  auto calls_told = [&] {
    std::string out;
    for (const auto& t : told)
      if (t.starts_with("duty_call:")) out += t.substr(10);
    return out;
  };
  w.clock.advance_ms(4 * 60'000);
  tick();
  EXPECT_EQ(calls_told(), "a") << "five minutes are not over";
  w.clock.advance_ms(60'000);
  tick();
  EXPECT_EQ(calls_told(), "ae");
  w.clock.advance_ms(10 * 60'000);
  tick();
  EXPECT_EQ(calls_told(), "aeg");
  EXPECT_EQ(duty_code(w.roster->acknowledge(w.as("b"), {}, last_call().id)), "roster.call");
  w.ok(w.roster->acknowledge(w.as("e"), {}, last_call().id));
  EXPECT_EQ(last_call().state, "acknowledged");
  w.clock.advance_ms(60 * 60'000);
  tick();
  EXPECT_EQ(calls_told(), "aeg") << "it stops";

  call("alt_2");
  tick(w.ids["a"]);
  EXPECT_EQ(last_call().state, "acknowledged") << "whoever takes the alert has answered";
  w.clock.advance_ms(1000);
  call("alt_3");
  for (int i = 0; i < 4; ++i) {
    w.clock.advance_ms(20 * 60'000);
    tick();
  }
  EXPECT_EQ(last_call().state, "exhausted");
  EXPECT_EQ(last_call().told.size(), 3u);
}

TEST_F(DutyTest, ARestartAndAReplayKnowTheSame) {
  w.plan();
  const std::int64_t from = *from_rfc3339("2026-11-24T00:00:00+08:00");
  w.ok(w.roster->ask_leave(w.boss, {}, w.ids["a"], "annual", from, from + 86'400'000));
  w.ok(w.roster->assign(w.as("m"), {}, w.ref(w.monday + 3, "late"), w.ids["a"], w.ids["s"], true));
  w.at("2026-11-23T15:50");
  call("alt_1");
  w.ok(w.roster->confirm_reachable(w.as("d"), {}, w.ids["d"]));
  w.ok(w.roster->write_handover(w.as("a"), {}, w.ref(w.monday, "early"), {}, "无"));
  auto slices = [&] {
    return w.read([&] {
      std::vector<std::string> out;
      for (std::size_t i = 0; auto s = w.roster->save_slice(i); ++i) out.push_back(*s);
      return out;
    });
  };
  const auto before = slices();
  ASSERT_EQ(before.size(), 2u);
  w.journal->snapshot();
  w.restart(true);
  EXPECT_EQ(slices(), before);
  w.restart(false);
  EXPECT_EQ(slices(), before);
  w.ok(w.roster->assign(w.as("m"), {}, w.ref(w.monday + 4, "early"), "", w.ids["s"], true));
  const auto more = slices();
  w.restart(true);  // an old snapshot and entries after it
  EXPECT_EQ(slices(), more);
  EXPECT_EQ(w.who(w.monday + 3, "late"), "s");
}

TEST_F(DutyTest, ANewPlanFromADayLeavesThePastAndDuePlansAreChecked) {
  w.plan();
  RosterInput in{.org = w.first.org, .source = duty_source("duty-24h"), .from_day = w.monday + 7};
  in.anchor_day = w.monday;
  for (const char* login : {"b", "a", "c", "d"}) in.layers["first"].push_back({{w.ids[login]}, {}});
  in.layers["second"] = {{{w.ids["e"]}, {}}};
  in.layers["commander"] = {{{w.ids["g"]}, {}}};
  w.ok(w.roster->set(w.boss, {}, in));
  EXPECT_EQ(w.who(w.monday, "early"), "a");
  EXPECT_EQ(w.who(w.monday + 8, "early"), "b");
  auto refused = [&](auto change) {
    RosterInput other = in;
    change(other);
    return duty_code(w.roster->set(w.boss, {}, other));
  };
  EXPECT_EQ(refused([&](auto& o) { o.from_day = w.monday - 2; }), "roster.past");
  EXPECT_EQ(refused([&](auto& o) { o.layers["first"].pop_back(); }), "roster.rhythm");
  EXPECT_EQ(refused([&](auto& o) { o.layers.erase("second"); }), "roster.layer");
  EXPECT_EQ(refused([&](auto& o) { o.layers["third"] = {}; }), "roster.layer");
  EXPECT_EQ(refused([&](auto& o) { o.layers["second"] = {{{"per_x"}, {}}}; }), "roster.person");
  EXPECT_EQ(refused([&](auto& o) {
              o.layers["second"] = {{{w.ids["a"], w.ids["a"]}, {}}};
            }),
            "roster.twice");
  EXPECT_EQ(refused([&](auto& o) { o.org = "org_x"; }), "roster.org");
  EXPECT_EQ(refused([&](auto& o) { o.source = "roster: x\nversion: 0\n"; }), "roster.definition");
  EXPECT_EQ(duty_code(w.roster->set(w.as("a"), {}, in)), "permission.missing");
}

TEST_F(DutyTest, ShiftsLeaveAsACalendarFile) {
  w.plan();
  const auto mine = w.read([&] { return w.roster->shifts_of(w.ids["a"], w.monday, w.monday + 7); });
  ASSERT_EQ(mine.size(), 6u);
  const auto events = w.read([&] { return w.roster->events(mine, "zh", false); });
  EXPECT_EQ(events[0].summary, "一线值班，早班");
  const auto back = read_ics(write_ics("值班", events, w.clock.now_ms()));
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(back->size(), 6u);
  EXPECT_EQ((*back)[0].from_ms, mine[0].from_ms);
  EXPECT_EQ(w.read([&] { return w.roster->events(mine, "en", true)[0].summary; }),
            "First line, Early: 测试 a");
}

TEST(RosterDefinition, EveryTemplateReadsAndMistakesAreNamedAtTheirPlace) {
  std::vector<Mistake> mistakes;
  const auto templates = roster_templates(duty_content, mistakes);
  for (const Mistake& m : mistakes) ADD_FAILURE() << describe(m, "en");
  EXPECT_GE(templates.size(), 2u);
  const std::string head = "roster: t\nversion: 1\ntitle: {zh: 测, en: T}\ncalendar: always\n";
  const std::string layer =
      "layers:\n  one:\n    title: {zh: 一, en: One}\n    shifts: {d: {title: {zh: 日, en: D}, "
      "hours: ";
  struct Case {
    std::string text, expected;
  };
  const Case cases[] = {
      {head + "rest: long\n" + layer + "08:00-16:00}}\n    pattern: turns\n", "5:7 roster.span"},
      {head + layer + "8-16}}\n    pattern: turns\n", "8:48 roster.hours"},
      {head + layer + "08:00-16:00}}\n    pattern: [d, x]\n", "9:18 roster.pattern"},
      {head + layer + "08:00-16:00}}\n    pattern: turns\n    each: month\n",
       "10:11 roster.choice"},
      {head + "layers: {}\n", "5:9 roster.layers"},
      {head + layer + "08:00-16:00}}\n    pattern: turns\n    colour: red\n", "10:5 yaml.unknown"},
  };
  for (const Case& c : cases) {
    mistakes.clear();
    EXPECT_EQ(read_roster(c.text, "t", mistakes), nullptr) << c.expected;
    ASSERT_FALSE(mistakes.empty()) << c.expected;
    EXPECT_EQ(std::to_string(mistakes[0].line) + ":" + std::to_string(mistakes[0].column) + " " +
                  mistakes[0].code,
              c.expected);
  }
}

}  // namespace
}  // namespace cw
