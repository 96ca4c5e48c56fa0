// A week of duty, told as it happens.
#include "fixture.h"

namespace cw {
namespace {

class RosterTest : public ::testing::Test {
 protected:
  DutyWorld w;
};

TEST_F(RosterTest, FourTeamsShareThreeShiftsADayInTheRhythmOfThePlan) {
  w.plan();
  EXPECT_EQ(w.who(w.monday, "early") + w.who(w.monday, "late") + w.who(w.monday, "night"), "adb");
  EXPECT_EQ(w.who(w.monday + 1, "early"), "a");
  EXPECT_EQ(w.who(w.monday + 2, "early") + w.who(w.monday + 2, "late"), "ba");
  EXPECT_EQ(w.who(w.monday, "day", "second"), "e");
  EXPECT_EQ(w.who(w.monday + 7, "day", "second"), "f");
  EXPECT_EQ(w.who(w.monday + 14, "day", "commander"), "g");
  const auto shifts =
      w.read([&] { return w.roster->shifts(w.first.org, w.monday, w.monday + 55); });
  ASSERT_EQ(shifts.size(), 56u * 5);
  std::map<std::string, int> turns;
  for (const Shift& s : shifts) {
    ASSERT_EQ(s.people.size(), 1u) << s.ref.key();
    if (s.ref.layer != "first") continue;
    ++turns[w.name(s.people[0].person)];
    for (const Unready& u : s.problems) EXPECT_EQ(u.code, "unreachable") << s.ref.key();
  }
  for (const char* team : {"a", "b", "c", "d"}) EXPECT_EQ(turns[team], 42) << team;
}

// Two technicians take turns by the week; two for power share day and night.
TEST_F(RosterTest, OfATeamWhoIsOnDutyIsToldAndEveryMemberMayAct) {
  w.plan();
  for (const char* login : {"t", "u", "v", "x", "y"}) w.person(login, {"agent"});
  const auto ids = [&](std::vector<std::string> logins) {
    for (std::string& one : logins) one = w.ids[one];
    return logins;
  };
  RosterInput in{.org = w.first.org, .source = duty_source("groups-on-call"), .from_day = w.monday};
  in.layers["technical"] = {{ids({"t"}), {}}, {ids({"u"}), {}}};
  in.layers["facilities"] = {
      {ids({"x"}), {}}, {ids({"y"}), {}}, {ids({"c"}), {}}, {ids({"d"}), {}}};
  EXPECT_EQ(duty_code(w.roster->set(w.boss, {}, in)), "roster.holds") << "there is no such team";
  for (auto& [team, members] : std::map<std::string, std::vector<std::string>>{
           {"technical", {"t", "u", "v"}}, {"facilities", {"x", "y"}}})
    w.ok(w.identity->set_team(w.boss, {}, {w.first.org, team, {team, team}, ids(members)}));
  w.ok(w.roster->set(w.boss, {}, in));
  const auto told = [&](const std::string& team, const std::string& org) {
    std::string out;
    for (const auto& id : w.read([&] { return w.directory->team_people(team, org); }))
      out += w.name(id);
    return out;
  };
  EXPECT_EQ(told("technical", w.first.org), "tuv") << "the plan begins tomorrow";
  w.at("2026-11-23T09:00");
  EXPECT_EQ(told("technical", w.first.org), "t");
  EXPECT_EQ(told("technical", w.branch), "t") << "the branch has no team of its own";
  EXPECT_EQ(told("facilities", w.first.org), "x");
  w.at("2026-11-23T21:00");
  EXPECT_EQ(told("facilities", w.first.org), "d") << "on duty for the team without being in it";
  w.at("2026-11-30T09:00");
  EXPECT_EQ(told("technical", w.first.org), "u") << "the next week";
  w.read([&] {
    for (const char* login : {"t", "u", "v"})
      EXPECT_EQ(w.directory->team_basis(w.ids[login], "technical", w.branch), "team:technical");
    EXPECT_EQ(w.directory->team_basis(w.ids["a"], "technical", w.first.org), "");
  });
  w.ok(
      w.identity->set_team(w.boss, {}, {w.branch, "technical", {"技术", "Technical"}, ids({"v"})}));
  EXPECT_EQ(told("technical", w.branch), "v") << "its own are nearer than the roster above";
  w.ok(w.identity->set_queue(w.boss, {}, {w.first.org, "fault", ids({"a"}), {"technical"}}));
  EXPECT_EQ(w.read([&] { return w.directory->queue_people("fault", w.first.org); }).size(), 2u)
      << "a queue is told through who is on duty in its teams";
  w.ok(w.roster->ask_leave(w.boss, {}, w.ids["u"], "sick", w.clock.now_ms(),
                           w.clock.now_ms() + 3'600'000));
  EXPECT_EQ(told("technical", w.first.org), "tuv") << "a gap: the whole team, never nobody";
  w.restart(false);
  EXPECT_EQ(told("facilities", w.first.org), "d");
  w.read([&] {
    EXPECT_EQ(w.directory->team_basis(w.ids["d"], "facilities", w.first.org), "duty:facilities");
    EXPECT_EQ(w.directory->team_basis(w.ids["c"], "facilities", w.first.org), "") << "day off";
  });
}

TEST_F(RosterTest, APostIsWhoeverIsOnDutyWhereARosterCoversItAndEverybodyOfItElsewhere) {
  w.person("chief", {"duty-officer"});
  w.person("far", {"duty-officer"});
  w.plan();
  w.ok(w.identity->set_post(w.boss, {},
                            {.org = w.first.org, .id = "duty-officer", .holder = w.ids["chief"]}));
  w.ok(w.identity->set_post(w.boss, {},
                            {.org = w.first.org, .id = "counsel", .holder = w.ids["chief"]}));
  EXPECT_EQ(w.now_on("duty-officer"), "chief") << "the plan begins tomorrow";
  w.at("2026-11-23T09:00");
  EXPECT_EQ(w.now_on("duty-officer"), "a");
  EXPECT_EQ(w.now_on("counsel"), "chief") << "no roster covers it";
  EXPECT_EQ(w.now_on("duty-officer", w.branch), "a") << "the branch has nobody of its own";
  w.read([&] {
    EXPECT_EQ(w.directory->post_basis(w.ids["a"], "duty-officer", w.branch), "duty:duty-officer");
    EXPECT_EQ(w.directory->post_basis(w.ids["b"], "duty-officer", w.branch), "") << "off duty";
    EXPECT_EQ(w.directory->post_basis(w.ids["chief"], "duty-officer", w.branch), "");
    EXPECT_EQ(w.directory->post_basis(w.ids["chief"], "counsel", w.branch), "post:counsel");
  });
  w.ok(w.identity->set_post(w.boss, {},
                            {.org = w.branch, .id = "duty-officer", .holder = w.ids["far"]}));
  EXPECT_EQ(w.now_on("duty-officer", w.branch), "far") << "its own is nearer than the roster above";
  w.at("2026-11-24T00:00");
  EXPECT_EQ(w.now_on("duty-officer"), "c") << "the night shift, to the minute";
  w.at("2026-11-23T23:59");
  EXPECT_EQ(w.now_on("duty-officer"), "d");
  w.ok(w.roster->end(w.boss, {}, w.first.org, "duty-24h", w.monday + 1));
  w.at("2026-11-24T09:00");
  EXPECT_EQ(w.now_on("duty-officer"), "chief") << "the roster has ended";
}

TEST_F(RosterTest, LeaveTakesSomebodyOffTheirShiftsAndStandbyStepsIn) {
  w.plan();
  const std::int64_t from = *from_rfc3339("2026-11-24T00:00:00+08:00"), to = from + 86'400'000;
  auto asked = w.roster->ask_leave(w.as("a"), {}, w.ids["a"], "annual", from, to);
  w.ok(asked);
  EXPECT_EQ(w.who(w.monday + 1, "early"), "a") << "asked for is not granted";
  const std::string id = w.read([&] { return w.roster->leaves(w.ids["a"]).at(0).id; });
  EXPECT_EQ(duty_code(w.roster->decide_leave(w.as("a"), {}, id, true)), "roster.own");
  EXPECT_EQ(duty_code(w.roster->decide_leave(w.as("b"), {}, id, true)), "roster.leave");
  w.ok(w.roster->decide_leave(w.as("m"), {}, id, true));
  EXPECT_EQ(w.who(w.monday + 1, "early"), "s");
  const auto shift = *w.read([&] { return w.roster->shift(w.ref(w.monday + 1, "early")); });
  EXPECT_EQ(shift.people[0].why, "standby");
  EXPECT_EQ(w.name(shift.people[0].instead_of), "a");
  EXPECT_EQ(shift.absent[0].code, "leave");
  EXPECT_EQ(w.who(w.monday, "early"), "a") << "the day before they still come";

  w.ok(w.roster->ask_leave(w.boss, {}, w.ids["s"], "sick", from, to));  // a manager's is granted
  EXPECT_EQ(w.who(w.monday + 1, "early"), "");
  const auto gaps = w.read([&] { return w.roster->gaps(w.first.org, w.monday, w.monday + 6); });
  ASSERT_EQ(gaps.size(), 1u) << "shown ahead";
  EXPECT_EQ(gaps[0].ref, w.ref(w.monday + 1, "early"));
  EXPECT_EQ(gaps[0].missing(), 1u);
  w.ok(w.roster->withdraw_leave(w.as("a"), {}, id));
  EXPECT_EQ(w.who(w.monday + 1, "early"), "a");
  EXPECT_EQ(duty_code(w.roster->ask_leave(w.as("a"), {}, w.ids["a"], "annual", to, from)),
            "roster.leave-time");
  EXPECT_EQ(duty_code(w.roster->ask_leave(w.as("a"), {}, w.ids["a"], "mood", from, to)),
            "roster.leave-kind");
  EXPECT_EQ(duty_code(w.roster->ask_leave(w.as("a"), {}, w.ids["b"], "annual", from, to)),
            "permission.missing");
}

TEST_F(RosterTest, LeaveComesInFromACalendarFileOnce) {
  w.plan();
  const std::string ics =
      "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nDTSTART;VALUE=DATE:20261124\r\nDTEND;VALUE=DATE:"
      "20261126\r\n"
      "SUMMARY:private\r\nEND:VEVENT\r\nBEGIN:VEVENT\r\nDTSTART;VALUE=DATE:20250101\r\nEND:"
      "VEVENT\r\n"
      "END:VCALENDAR\r\n";
  w.ok(w.roster->ask_leaves(w.boss, {}, w.ids["a"], "annual", ics));
  const auto leaves = w.read([&] { return w.roster->leaves(w.ids["a"]); });
  ASSERT_EQ(leaves.size(), 1u) << "the past is left out";
  EXPECT_EQ(to_rfc3339(leaves[0].from_ms), "2026-11-23T16:00:00.000Z") << "midnight in Shanghai";
  EXPECT_EQ(leaves[0].to_ms - leaves[0].from_ms, 2 * 86'400'000);
  EXPECT_EQ(duty_code(w.roster->ask_leaves(w.boss, {}, w.ids["a"], "annual", ics)),
            "roster.no-leave");
  EXPECT_EQ(duty_code(w.roster->ask_leaves(w.boss, {}, w.ids["a"], "annual", "x")), "ics.line");
  for (const auto& bytes : w.journal->entries(0, 10'000))
    EXPECT_EQ(bytes.find("private"), std::string::npos) << "what it was for is nobody's business";
}

TEST_F(RosterTest, ASwapNeedsTheOthersConsentAndALeadsApproval) {
  w.plan();
  const ShiftRef mine = w.ref(w.monday, "early"),
                 theirs = w.ref(w.monday + 2, "early");  // a's, b's
  EXPECT_EQ(duty_code(w.roster->ask_swap(w.as("c"), {}, mine, w.ids["b"], theirs)),
            "roster.not-on");
  auto asked = w.roster->ask_swap(w.as("a"), {}, w.ref(w.monday, "late"), w.ids["b"], std::nullopt);
  EXPECT_EQ(duty_code(asked), "roster.not-on");
  // b works the night until 08:00 that morning: no rest, and the refusal says so.
  asked = w.roster->ask_swap(w.as("a"), {}, mine, w.ids["b"], theirs);
  ASSERT_EQ(duty_code(asked), "roster.unready");
  EXPECT_EQ(asked.problem().fields[0].pointer, "/shift");
  EXPECT_EQ(asked.problem().fields[0].text.en, "too little rest between shifts");

  asked = w.roster->ask_swap(w.as("a"), {}, w.ref(w.monday + 1, "early"), w.ids["c"], std::nullopt);
  EXPECT_EQ(duty_code(asked), "roster.unready") << "c has that night";
  const ShiftRef given = w.ref(w.monday + 3, "late");
  ASSERT_EQ(w.who(given.day, "late"), "a");
  asked = w.roster->ask_swap(w.as("a"), {}, given, w.ids["s"], std::nullopt);
  w.ok(asked);
  const std::string id(text_or(asked->body, "id"));
  EXPECT_EQ(duty_code(w.roster->ask_swap(w.as("a"), {}, given, w.ids["s"], std::nullopt)),
            "roster.swap-open");
  EXPECT_EQ(duty_code(w.roster->decide_swap(w.as("m"), {}, id, true)), "roster.swap-state")
      << "consent first";
  EXPECT_EQ(duty_code(w.roster->answer_swap(w.as("b"), {}, id, true)), "roster.swap")
      << "not asked of b";
  w.ok(w.roster->answer_swap(w.as("s"), {}, id, true));
  EXPECT_EQ(w.who(given.day, "late"), "a") << "not approved yet";
  EXPECT_EQ(duty_code(w.roster->decide_swap(w.as("b"), {}, id, true)), "permission.missing");
  w.ok(w.roster->decide_swap(w.as("m"), {}, id, true));
  EXPECT_EQ(w.who(given.day, "late"), "s");
  EXPECT_EQ(w.who(given.day - 1, "late"), "a") << "one shift, nothing else";
  EXPECT_EQ(duty_code(w.roster->decide_swap(w.as("m"), {}, id, true)), "roster.swap-state");

  auto other =
      w.roster->ask_swap(w.as("a"), {}, w.ref(w.monday + 8, "early"), w.ids["s"], std::nullopt);
  w.ok(other);
  w.ok(w.roster->answer_swap(w.as("s"), {}, std::string(text_or(other->body, "id")), false));
  EXPECT_EQ(w.read([&] { return w.roster->swap(text_or(other->body, "id"))->state; }), "declined");
}

TEST_F(RosterTest, OnlyTheQualifiedHoldThePostAndReadinessIsCheckedBeforeEachShift) {
  w.plan();
  const ShiftRef early = w.ref(w.monday, "early");
  auto codes = [&](const ShiftRef& ref) {
    std::string out;
    const auto s = *w.read([&] { return w.roster->shift(ref); });
    for (const Unready& u : s.problems) out += u.code + " ";
    return out;
  };
  EXPECT_EQ(codes(early), "") << "a day ahead nobody is asked to be reachable";
  w.at("2026-11-23T06:30");
  EXPECT_EQ(codes(early), "unreachable ");
  w.ok(w.roster->confirm_reachable(w.as("a"), {}, w.ids["a"]));
  EXPECT_EQ(codes(early), "");
  EXPECT_EQ(duty_code(w.roster->confirm_reachable(w.as("b"), {}, w.ids["a"])),
            "permission.missing");

  // A qualification that ends in the middle of the shift does not carry it.
  w.ok(w.roster->qualify(w.as("m"), {},
                         {w.ids["a"], "duty", *from_rfc3339("2026-11-23T12:00:00+08:00")}, false));
  EXPECT_EQ(w.who(w.monday, "early"), "s");
  const auto early_now = w.read([&] { return w.roster->shift(early); });
  EXPECT_EQ(early_now->absent[0].code, "unqualified");
  w.ok(w.roster->qualify(w.as("m"), {}, {w.ids["a"], "duty", 0}, false));
  EXPECT_EQ(w.who(w.monday, "early"), "a");
  w.ok(w.roster->qualify(w.as("m"), {}, {w.ids["a"], "duty", 0}, true));
  EXPECT_EQ(w.who(w.monday, "early"), "s");
  EXPECT_EQ(duty_code(w.roster->assign(w.as("m"), {}, early, w.ids["s"], w.ids["a"], true)),
            "roster.unready")
      << "nobody overrides a missing qualification";
}

TEST_F(RosterTest, ALeadAssignsAgainstTheRestRuleOnlySayingSoAndTheRecordKeepsIt) {
  w.plan();
  const ShiftRef early = w.ref(w.monday, "early");  // b has the night until 08:00
  const auto refused = w.roster->assign(w.as("m"), {}, early, w.ids["a"], w.ids["b"], false);
  ASSERT_EQ(duty_code(refused), "roster.unready");
  EXPECT_EQ(refused.problem().fields[0].text.zh, "与前后班次间隔不足");
  w.ok(w.roster->assign(w.as("m"), {}, early, w.ids["a"], w.ids["b"], true));
  EXPECT_EQ(w.who(w.monday, "early"), "b");
  const Entry last = *Entry::parse(w.journal->entries(w.journal->size() - 1, 1)[0]);
  EXPECT_EQ(last.kind, "roster.assigned");
  EXPECT_EQ(last.body.at("breaks").as_array()[0].as_string(), "rest");
  w.ok(w.roster->assign(w.as("m"), {}, w.ref(w.monday, "late"), "", w.ids["c"], true));
  EXPECT_EQ(w.who(w.monday, "late"), "dc") << "besides who was planned";
  EXPECT_EQ(duty_code(w.roster->assign(w.as("b"), {}, early, "", w.ids["c"], true)),
            "permission.missing");
  EXPECT_EQ(
      duty_code(w.roster->assign(w.as("m"), {}, w.ref(w.monday, "noon"), "", w.ids["c"], true)),
      "roster.shift");
  w.at("2026-11-23T17:00");
  EXPECT_EQ(duty_code(w.roster->assign(w.as("m"), {}, early, "", w.ids["c"], true)), "roster.past");
}

TEST_F(RosterTest, StrictDeskIsNeverHeldByWhoIsNotReady) {
  for (const char* login : {"x", "y"}) w.person(login, {"agent"});
  RosterInput in{.org = w.first.org, .source = duty_source("office-days"), .from_day = w.monday};
  in.layers["desk"] = {{{w.ids["x"]}, {w.ids["y"]}}};
  w.ok(w.roster->set(w.boss, {}, in));
  auto desk = [&](std::int64_t day) {
    const auto s = w.read([&] {
      return w.roster->shift({w.first.org, "office-days", "desk", "day", day});
    });
    if (!s) return std::string("closed");
    std::string out;
    for (const OnShift& o : s->people) out += w.name(o.person);
    return out;
  };
  EXPECT_EQ(desk(w.monday), "x");
  EXPECT_EQ(desk(w.monday + 5), "closed") << "Saturday";
  w.at("2026-11-23T09:30");
  EXPECT_EQ(desk(w.monday), "") << "neither said they can be reached";
  w.ok(w.roster->confirm_reachable(w.as("y"), {}, w.ids["y"]));
  EXPECT_EQ(desk(w.monday), "y") << "standby is ready";
  w.ok(w.roster->confirm_reachable(w.as("x"), {}, w.ids["x"]));
  EXPECT_EQ(desk(w.monday), "x");
  EXPECT_EQ(w.now_on("service-manager"), "x");
}

}  // namespace
}  // namespace cw
