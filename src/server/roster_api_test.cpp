// The duty roster over HTTP, on the demonstration centre: the grid, a swap that waits, a gap, who
// is on duty, a call that an alert opens, a calendar file.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "api_testing.h"
#include "calendar/ics.h"
#include "story.h"

namespace cw {
namespace {

class RosterApi : public CentreApi {
 protected:
  RosterApi() : root_(in_->journal().read([&] { return in_->identity().root(); })) {}
  json::object call_where(const char* member, std::string_view value) {
    const auto calls = read("wang", "/roster/calls");
    for (const auto& one : calls.at("items").as_array())
      if (text_or(one.as_object(), member) == value) return one.as_object();
    return json::object{};
  }
  std::string start_fire() {
    const auto made = ask("zheng", "POST", "/cases",
                          {{"procedure", "plan.fire"},
                           {"form",
                            {{"discovered_at", to_rfc3339(clock_.now_ms())},
                             {"summary", "一号机房烟感报警"},
                             {"oral_to", "值班长"}}}});
    EXPECT_EQ(made.status, 201) << made.body;
    return std::string(text_or(body(made), "id"));
  }
  bool has_work(const std::string& login, const std::string& id, std::string_view task) {
    const auto bench = read(login, "/workbench");
    for (const auto& item : bench.at("work").as_array()) {
      const json::object& x = item.as_object();
      if (text_or(x.at("case_ref").as_object(), "id") == id && text_or(x, "name") == task)
        return true;
    }
    return false;
  }
  const std::string root_;
};

TEST_F(RosterApi, TheDemonstrationsWeekHasAGapAndASwapThatWaits) {
  const auto grid = read("wang", "/roster?days=14");
  EXPECT_EQ(text_or(grid, "today"), "2026-11-22");
  EXPECT_TRUE(bool_or(grid, "may_manage"));
  const auto& layers = grid.at("rosters").as_array().at(0).as_object().at("layers").as_array();
  ASSERT_EQ(layers.size(), 3u);
  int cells = 0, missing = 0;
  for (const auto& layer : layers)
    for (const auto& shift : layer.as_object().at("shifts").as_array()) {
      const auto& days = shift.as_object().at("days").as_array();
      EXPECT_EQ(days.size(), 14u);
      for (const auto& cell : days) {
        if (!cell.is_object()) continue;
        ++cells;
        missing += int_or(cell.as_object(), "missing") > 0 ? 1 : 0;
      }
    }
  EXPECT_EQ(cells, 14 * 5);
  EXPECT_EQ(missing, 1);
  const auto gaps = read("wang", "/roster/gaps");
  ASSERT_GE(gaps.at("items").as_array().size(), 1u);

  const auto now = read("wang", "/roster/now");
  EXPECT_EQ(now.at("items").as_array().size(), 3u);
  const auto waiting = read("wang", "/roster/swaps?state=consented");
  ASSERT_EQ(waiting.at("items").as_array().size(), 1u);
  const json::object swap = waiting.at("items").as_array()[0].as_object();
  EXPECT_TRUE(bool_or(swap, "may_decide"));
  const std::string path = "/roster/swaps/" + std::string(text_or(swap, "id")) + "/decide";
  EXPECT_EQ(code(ask("zheng", "POST", path, {{"yes", true}})), "permission.missing");
  EXPECT_EQ(ask("wang", "POST", path, {{"yes", true}}).status, 200);
  const std::string key(text_or(swap.at("shift").as_object(), "key"));
  const auto taken = read("wang", "/roster/handover?shift=" + key);
  EXPECT_EQ(text_or(taken.at("shift").as_object().at("people").as_array()[0].as_object(), "why"),
            "swap");
  EXPECT_EQ(read("wang", "/roster/handovers").at("items").as_array().size(), 1u);
}

TEST_F(RosterApi, APersonSeesTheirShiftsAsksForLeaveAndTakesThemAlongAsACalendar) {
  const auto mine = read("zheng", "/roster/mine");
  EXPECT_GT(mine.at("shifts").as_array().size(), 10u);
  EXPECT_EQ(mine.at("swaps").as_array().size(), 1u);
  EXPECT_GT(int_or(mine, "confirmed_at"), 0);
  const auto file = ask("zheng", "GET", "/roster/calendar.ics");
  EXPECT_EQ(file.status, 200);
  const auto events = read_ics(file.body);
  ASSERT_TRUE(events.ok()) << events.problem().text.en;
  EXPECT_GE(events->size(), mine.at("shifts").as_array().size());

  const std::int64_t from = clock_.now_ms() + 86'400'000;
  const json::object leave{{"kind", "annual"}, {"from_at", from}, {"to_at", from + 3'600'000}};
  EXPECT_EQ(ask("zheng", "POST", "/roster/leaves", leave).status, 200);
  const auto asked = read("wang", "/roster/leaves?state=asked").at("items").as_array();
  ASSERT_EQ(asked.size(), 1u);
  const std::string id(text_or(asked[0].as_object(), "id"));
  EXPECT_EQ(ask("wang", "POST", "/roster/leaves/" + id + "/decide", {{"yes", true}}).status, 200);
  EXPECT_EQ(text_or(read("zheng", "/roster/leaves").at("items").as_array()[0].as_object(), "state"),
            "approved");
  const auto bad = ask("zheng", "POST", "/roster/leaves/import",
                       {{"kind", "annual"}, {"ics", "BEGIN:VCALENDAR\nnonsense\n"}});
  EXPECT_EQ(bad.status, 422);
  EXPECT_EQ(code(bad), "ics.line");
  // Another centre's officer sees nothing of it.
  EXPECT_EQ(code(ask("han", "GET", "/roster?org=" + root_)), "permission.missing");
}

TEST_F(RosterApi, WhoIsOnDutyNowCanBeReachedAndWhoCouldTakeAShiftIsSaid) {
  const auto now = read("zheng", "/roster/now").at("items").as_array();
  ASSERT_EQ(now.size(), 3u) << "an agent of the centre is covered by the headquarters";
  const json::object officer = now[0].as_object();
  EXPECT_EQ(text_or(officer, "layer"), "officer");
  EXPECT_EQ(text_or(officer.at("holds_title").as_object(), "en"), "Duty officer");
  const json::object first = officer.at("people").as_array()[0].as_object();
  EXPECT_EQ(text_or(first.at("person").as_object(), "id"), centre_->id("wang"));
  EXPECT_FALSE(text_or(first, "phone").empty());
  EXPECT_GT(int_or(officer, "next_at"), int_or(officer, "to_at") - 1);
  EXPECT_FALSE(bool_or(officer, "stand_in"));

  const auto grid = read("zheng", "/roster?days=7");
  EXPECT_EQ(text_or(grid, "org"), root_) << "the roster that names them";
  EXPECT_EQ(code(ask("lin", "GET", "/roster?org=" + root_)), "permission.missing");
  EXPECT_EQ(read("lin", "/roster?days=7").at("rosters").as_array().size(), 0u);

  const auto gaps = read("wang", "/roster/gaps").at("items").as_array();
  std::string key;
  for (const auto& gap : gaps)
    if (int_or(gap.as_object(), "missing") > 0) key = text_or(gap.as_object(), "key");
  const auto detail = read("wang", "/roster/shift?shift=" + key);
  ASSERT_FALSE(detail.at("candidates").as_array().empty());
  const json::object best = detail.at("candidates").as_array()[0].as_object();
  EXPECT_TRUE(best.at("against").as_array().empty());
  const std::string in(text_or(best.at("person").as_object(), "id"));
  EXPECT_EQ(ask("wang", "POST", "/roster/assign",
                {{"org", root_}, {"shift", key}, {"in", in}, {"out", centre_->id("gao")}})
                .status,
            200);
  EXPECT_EQ(int_or(read("wang", "/roster/shift?shift=" + key).at("shift").as_object(), "missing"),
            0);
}

TEST_F(RosterApi, AHandoverIsFilledInWithWhatIsOpenAndWhoMaySignIsTold) {
  // 21:00: the late shift ends at midnight and may write.
  clock_.advance_ms(13 * 3'600'000);
  std::string key;
  for (const char* login : {"zheng", "feng", "ma", "gao"}) {
    const json::object mine = read(login, "/roster/mine");
    for (const auto& shift : mine.at("shifts").as_array()) {
      const json::object& x = shift.as_object();
      if (!bool_or(x, "now") || text_or(x, "handover") != "none") continue;
      key = text_or(x, "key");
      const auto page = read(login, "/roster/handover?shift=" + key);
      EXPECT_TRUE(bool_or(page, "may_write"));
      EXPECT_FALSE(page.at("next").as_array().empty());
      json::array items;
      for (const auto& item : page.at("open").as_array())
        items.push_back(item.as_object().at("item"));
      EXPECT_EQ(ask(login, "POST", "/roster/handover",
                    {{"org", root_}, {"shift", key}, {"text", "无"}, {"items", items}})
                    .status,
                200);
    }
  }
  ASSERT_FALSE(key.empty());
  int may_sign = 0;
  for (const char* login : {"zheng", "feng", "ma", "gao"})
    may_sign += bool_or(read(login, "/roster/handover?shift=" + key), "may_sign");
  EXPECT_EQ(may_sign, 1) << "the next shift's, and not who wrote it";
}

TEST_F(RosterApi, ADefinitionsMistakesAreNamedAndACalendarProgramFollowsALink) {
  const auto bad = ask("wang", "POST", "/roster/definition", {{"source", "roster: x\n"}});
  EXPECT_EQ(bad.status, 422);
  EXPECT_EQ(code(bad), "roster.definition");
  const auto templates = read("wang", "/roster/templates").at("items").as_array();
  ASSERT_EQ(templates.size(), 4u);
  const auto good = ask("wang", "POST", "/roster/definition",
                        {{"source", templates[0].as_object().at("source")}});
  EXPECT_EQ(body(good).at("layers").as_array().size(), 3u);
  const auto plans = read("wang", "/roster/plans").at("items").as_array();
  ASSERT_EQ(plans.size(), 1u);
  EXPECT_GE(plans[0].as_object().at("people").as_array().size(), 8u);

  const auto made = ask("zheng", "POST", "/roster/calendar-link");
  const std::string path(text_or(body(made), "path"));
  ASSERT_TRUE(path.starts_with("/api/v1/roster/feed/")) << made.body;
  http::Client program("127.0.0.1", in_->server()->port());
  const auto file = program.request("GET", path, {}, "");
  ASSERT_TRUE(file.ok());
  EXPECT_EQ(file->status, 200);
  EXPECT_GT(read_ics(file->body)->size(), 10u);
  EXPECT_EQ(ask("zheng", "DELETE", "/roster/calendar-link").status, 200);
  EXPECT_EQ(program.request("GET", path, {}, "")->status, 404);
}

TEST_F(RosterApi, AnUrgentAlertCallsWhoIsOnDutyAndGoesUpUntilSomebodyTakesIt) {
  std::ostringstream told;
  auto pushed = in_->watch().push("pbx", asterisk_attack(clock_.now_ms(), 20, "198.51.100.77"));
  ASSERT_TRUE(pushed.ok());
  in_->advance();
  auto all = read("wang", "/roster/calls").at("items").as_array();
  ASSERT_FALSE(all.empty());
  const std::string id(text_or(all[0].as_object(), "id"));
  auto call = [&] { return call_where("id", id); };
  EXPECT_EQ(text_or(call(), "state"), "calling");
  EXPECT_GT(in_->notify().unread(centre_->id("wang")), 0u);
  EXPECT_EQ(in_->notify().unread(centre_->id("zhao")), 0u) << "the deputy is not on duty";
  clock_.advance_ms(5 * 60'000);
  in_->advance();
  EXPECT_EQ(call().at("told").as_array().size(), 2u) << "the line is next";
  EXPECT_EQ(ask("wang", "POST", "/roster/calls/" + id + "/acknowledge").status, 200);
  EXPECT_EQ(text_or(call(), "state"), "acknowledged");
}

TEST_F(RosterApi, AFireCallsWhoIsOnDutyAndLiesOnTheirWorkbenchUntilTheyTakeIt) {
  const std::string fire = start_fire();
  in_->advance();
  auto call = [&] { return call_where("about", fire); };
  EXPECT_EQ(text_or(call(), "state"), "calling");
  EXPECT_TRUE(has_work("wang", fire, "ack"));
  EXPECT_GE(in_->notify().unread(centre_->id("wang")), 2u) << "the call, and what waits";
  EXPECT_EQ(ask("wang", "POST", "/cases/" + fire + "/tasks/ack").status, 200);
  clock_.advance_ms(5 * 60'000);
  in_->advance();
  EXPECT_EQ(text_or(call(), "state"), "acknowledged");
  EXPECT_EQ(call().at("told").as_array().size(), 1u) << "nobody above was called";
}

TEST_F(RosterApi, ATicketThatCountsOfficeHoursRingsNobody) {
  const auto made = ask("zheng", "POST", "/cases",
                        {{"procedure", "ticket.after-sales"},
                         {"form", {{"subject", "掉线"}, {"content", "每晚"}, {"priority", "P2"}}}});
  ASSERT_EQ(made.status, 201) << made.body;
  in_->advance();
  EXPECT_TRUE(call_where("about", text_or(body(made), "id")).empty());
}

TEST_F(RosterApi, ARestartDoesNotCallAgainWhoeverAnswered) {
  const std::string fire = start_fire();
  in_->advance();
  const std::string id(text_or(call_where("about", fire), "id"));
  EXPECT_EQ(ask("wang", "POST", "/roster/calls/" + id + "/acknowledge").status, 200);
  in_.reset();
  sessions_.clear();
  in_ = std::make_unique<Installation>(options_for_tests(folder_), clock_, random_);
  ASSERT_TRUE(in_->open().ok());
  ASSERT_TRUE(in_->serve({.port = 0}, {}, &offset_).ok());
  in_->advance();
  EXPECT_EQ(text_or(call_where("about", fire), "id"), id) << "the newest is the one that was";
  EXPECT_EQ(text_or(call_where("about", fire), "state"), "acknowledged");
}

TEST_F(RosterApi, TheWorkbenchFollowsTheDuty) {
  const auto on_duty = [&] {
    return in_->journal().read([&] {
      return in_->roster().on_duty("post:duty-officer", root_, clock_.now_ms())->people.at(0);
    });
  };
  for (int day = 0; on_duty() == centre_->id("wang"); ++day) {
    ASSERT_LT(day, 30) << "the roster turns";
    clock_.advance_ms(86'400'000);
  }
  const std::string fire = start_fire();
  std::string officer;
  for (const char* login : {"zhao", "li", "zheng", "feng", "ma", "gao"})
    if (centre_->id(login) == on_duty()) officer = login;
  ASSERT_FALSE(officer.empty());
  EXPECT_TRUE(has_work(officer, fire, "ack"));
  EXPECT_FALSE(has_work("wang", fire, "ack")) << "holds the post, but another is on duty";
}

}  // namespace
}  // namespace cw
