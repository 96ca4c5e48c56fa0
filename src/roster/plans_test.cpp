// What people ask about a roster before they change it.
#include "fixture.h"

namespace cw {
namespace {

class PlansTest : public ::testing::Test {
 protected:
  DutyWorld w;
};

TEST_F(PlansTest, WhoCouldTakeAShiftIsSaidWithWhatSpeaksAgainstIt) {
  w.plan();
  w.ok(w.roster->ask_leave(w.boss, {}, w.ids["b"], "sick",
                           *from_rfc3339("2026-11-23T00:00:00+08:00"),
                           *from_rfc3339("2026-11-24T00:00:00+08:00")));
  const auto found = w.read([&] { return w.roster->candidates(w.ref(w.monday, "early")); });
  std::string order;
  std::map<std::string, std::string> against;
  for (const Candidate& c : found) {
    order += w.name(c.person);
    for (const Unready& u : c.against) against[w.name(c.person)] += u.code + " ";
  }
  EXPECT_EQ(order.front(), 's') << order << ": nothing speaks against who is on standby";
  EXPECT_EQ(order.find('a'), std::string::npos) << "who has it is no candidate";
  EXPECT_EQ(order.find('e'), std::string::npos) << "nor who is not qualified";
  EXPECT_EQ(against["s"], "");
  EXPECT_NE(against["b"].find("leave"), std::string::npos) << against["b"];
  EXPECT_NE(against["d"].find("rest"), std::string::npos) << "the late shift follows at once";
  EXPECT_TRUE(w.read([&] { return w.roster->candidates(w.ref(w.monday - 9, "early")); }).empty());
}

TEST_F(PlansTest, APlanThatEndsOrBeginsLaterIsListedWithItsDays) {
  w.plan();
  w.ok(w.roster->end(w.boss, {}, w.first.org, "duty-24h", w.monday + 14));
  auto plans = w.read([&] { return w.roster->plans(w.first.org, w.monday - 1); });
  ASSERT_EQ(plans.size(), 1u) << "it begins tomorrow";
  EXPECT_EQ(plans[0].from_day, w.monday);
  EXPECT_EQ(plans[0].anchor_day, w.monday);
  EXPECT_EQ(plans[0].until_day, w.monday + 14);
  EXPECT_EQ(plans[0].layers[0].teams.size(), 4u);
  EXPECT_TRUE(w.read([&] { return w.roster->plans(w.first.org, w.monday + 14); }).empty());
  EXPECT_TRUE(w.read([&] { return w.roster->names(w.first.org, w.ids["s"]); }));
  EXPECT_FALSE(w.read([&] { return w.roster->names(w.first.org, w.ids["m"]); }));
  EXPECT_FALSE(w.read([&] { return w.roster->names(w.branch, w.ids["s"]); }));
}

TEST_F(PlansTest, ADefinitionIsReadWithoutPuttingItInForceOrItsMistakesAreNamedByLine) {
  const auto read = Roster::read(duty_source("duty-24h"));
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(read->layers[0].steps, 8u);
  EXPECT_TRUE(read->layers[0].even);
  EXPECT_EQ(read->layers[1].steps, 0u) << "teams take turns";
  EXPECT_TRUE(read->layers[1].on_call);
  EXPECT_EQ(read->rest_ms, 8 * 3'600'000);
  const auto wrong = Roster::read("roster: x\nversion: 0\n");
  ASSERT_FALSE(wrong.ok());
  EXPECT_EQ(wrong.problem().code, "roster.definition");
  EXPECT_THAT(wrong.problem().fields,
              ::testing::Contains(::testing::Field(&FieldProblem::pointer, "/source/2:10")));
}

TEST_F(PlansTest, ACalendarLinkOpensOnesOwnShiftsUntilItIsReplacedOrEnded) {
  w.plan();
  auto made = w.roster->link_calendar(w.as("a"), {}, false);
  ASSERT_TRUE(made.ok());
  auto opens = [&](const std::string& secret) {
    return w.read([&] { return w.roster->linked_person(secret); });
  };
  EXPECT_EQ(opens(made->secret), w.ids["a"]);
  EXPECT_EQ(opens(made->secret + "x"), "");
  EXPECT_EQ(opens(""), "");
  w.restart(true);
  EXPECT_EQ(opens(made->secret), w.ids["a"]) << "out of the snapshot";
  w.restart(false);
  EXPECT_EQ(opens(made->secret), w.ids["a"]) << "out of the entries";
  for (const auto& bytes : w.journal->entries(0, 10'000))
    EXPECT_EQ(bytes.find(made->secret), std::string::npos) << "the secret is nowhere";
  auto second = w.roster->link_calendar(w.as("a"), {}, false);
  ASSERT_TRUE(second.ok());
  EXPECT_EQ(opens(made->secret), "") << "the new one replaces it";
  EXPECT_EQ(opens(second->secret), w.ids["a"]);
  ASSERT_TRUE(w.roster->link_calendar(w.as("a"), {}, true).ok());
  EXPECT_EQ(opens(second->secret), "");
  EXPECT_EQ(w.read([&] { return w.roster->linked_at(w.ids["a"]); }), 0);
}

}  // namespace
}  // namespace cw
