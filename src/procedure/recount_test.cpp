// A year's holidays become known: what was promised stays, what was provisional moves.
#include <gtest/gtest.h>

#include "calendar/calendar.h"
#include "world_test.h"

namespace cw {
namespace {

std::string holidays(bool with_2027) {
  std::string list =
      "holidays: cn\nversion: " + std::string(with_2027 ? "2" : "1") +
      "\ntitle: {zh: 假, en: Holidays}\nannounced: " + (with_2027 ? "2027" : "2026") +
      "-12-31\ndays:\n  - {name: {zh: 元旦, en: New Year}, off: [2026-01-01]}\n";
  if (with_2027) list += "  - {name: {zh: 元旦, en: New Year}, off: [2027-01-01..2027-01-05]}\n";
  return list;
}

std::string office(int version) {
  return "calendar: office\nversion: " + std::to_string(version) +
         "\ntitle: {zh: 办公, en: Office}\nzone: Asia/Shanghai\nopen: [09:00-17:00]\n"
         "week: [mon, tue, wed, thu, fri]\nworkday: 8h\nholidays: cn\n";
}

constexpr const char* kAlways =
    "calendar: always\nversion: 1\ntitle: {zh: 全天, en: Always}\nzone: Asia/Shanghai\n"
    "open: always\nworkday: 24h\n";

constexpr const char* kProcedure = R"(
procedure: test.review
version: 1
title: {zh: 测试复核, en: Test review}
calendar: office
roles: {owner: {team: agents, title: {zh: 负责人, en: Owner}}}
flags: {soon: {zh: 将到期, en: Soon}, late: {zh: 超时, en: Late}}
start: {by: owner, to: open}
states:
  open:
    title: {zh: 进行中, en: Open}
    tasks:
      reply: {by: owner, limit: 4wd, title: {zh: 答复, en: Reply}}
    actions:
      end: {by: owner, to: closed, title: {zh: 结束, en: End}}
  closed: {final: true, title: {zh: 已办结, en: Closed}}
clocks:
  near: {run: [open], limit: 1wd, at: {100: [{flag: soon}]}, title: {zh: 近, en: Near}}
  far: {run: [open], limit: 5wd, at: {20: [{flag: soon}], 100: [{flag: late}]}, title: {zh: 远, en: Far}}
  close: {from: start, limit: 2cob, at: {100: [{flag: soon}]}, title: {zh: 下班前, en: By closing}}
  days: {from: start, limit: 30d, at: {100: [{flag: late}]}, title: {zh: 天, en: Days}}
)";

Library library(bool with_2027) {
  std::vector<Mistake> mistakes;
  Library made = Library::from_texts({{"procedures/test.review.yaml", kProcedure},
                                      {"calendars/holidays.yaml", holidays(with_2027)},
                                      {"calendars/office.yaml", office(with_2027 ? 2 : 1)},
                                      {"calendars/always.yaml", kAlways}},
                                     mistakes);
  for (const Mistake& m : mistakes) ADD_FAILURE() << describe(m, "en");
  return made;
}

std::string shanghai(const Library& all, std::int64_t at_ms) {
  return all.calendar("office")->local(at_ms).substr(0, 16);
}

std::int64_t due_of(const World& world, const std::string& id, const std::string& clock) {
  return world.journal->read([&] { return world.engine->explain(id, clock)->clock.due_ms; });
}

TEST(Recount, ANewCalendarVersionMovesOnlyWhatWasProvisionalAndRecordsOldAndNew) {
  const Library before = library(false), after = library(true);
  // Wed 2026-12-30, 10:00 in Shanghai.
  World world(before, *before.calendar("office")->from_local("2026-12-30T10:00"));
  world.people.holds["chen"] = {"team:agents"};
  ASSERT_EQ(*world.engine->recount(*world.journal), 0u) << "the first time there is no before";
  auto started = world.run(
      world.engine->start({.procedure = "test.review", .org = "org_sh", .actor = "chen"}));
  ASSERT_TRUE(started.ok()) << started.problem().text.en;
  const std::string id(text_or(started->body, "case"));
  EXPECT_EQ(shanghai(before, due_of(world, id, "near")), "2026-12-31T10:00");
  EXPECT_EQ(shanghai(before, due_of(world, id, "far")), "2027-01-06T10:00");
  EXPECT_EQ(shanghai(before, due_of(world, id, "task.reply")), "2027-01-05T10:00");
  EXPECT_TRUE(world.journal->read([&] { return world.engine->moved_dues(); }).empty());

  world.use(after);
  world.restart(true);
  const auto moves = world.journal->read([&] { return world.engine->moved_dues(); });
  ASSERT_EQ(moves.size(), 3u);
  EXPECT_EQ(moves[0].clock, "far");
  EXPECT_EQ(moves[0].version, 2);
  EXPECT_EQ(shanghai(after, moves[0].old_due_ms), "2027-01-06T10:00");
  EXPECT_EQ(shanghai(after, moves[0].new_due_ms), "2027-01-11T10:00");
  EXPECT_EQ(moves[1].clock, "close");
  EXPECT_EQ(shanghai(after, moves[1].old_due_ms), "2027-01-01T17:00");
  EXPECT_EQ(shanghai(after, moves[1].new_due_ms), "2027-01-06T17:00");
  EXPECT_EQ(moves[2].clock, "task.reply");

  const std::uint64_t size = world.journal->size();
  ASSERT_EQ(*world.engine->recount(*world.journal), 3u);
  EXPECT_EQ(shanghai(after, due_of(world, id, "near")), "2026-12-31T10:00") << "it was announced";
  EXPECT_EQ(shanghai(after, due_of(world, id, "far")), "2027-01-11T10:00");
  EXPECT_EQ(shanghai(after, due_of(world, id, "task.reply")), "2027-01-08T10:00");
  EXPECT_EQ(shanghai(after, due_of(world, id, "days")), "2027-01-29T10:00") << "natural days";
  const auto entries = world.journal->entries(size, 10);
  ASSERT_EQ(entries.size(), 1u) << "one entry for the case";
  const Entry entry = *Entry::parse(entries[0]);
  EXPECT_EQ(entry.kind, "case.recount");
  const json::object& first = entry.body.at("recounted").as_array()[0].as_object();
  EXPECT_EQ(text_or(first, "calendar"), "office");
  EXPECT_EQ(int_or(first, "old"), moves[0].old_due_ms);
  EXPECT_EQ(int_or(first, "new"), moves[0].new_due_ms);

  EXPECT_EQ(*world.engine->recount(*world.journal), 0u) << "the second time nothing moves";
  const auto state = world.state();
  world.restart(false);  // replay alone gives the same, whatever calendar is in content/
  EXPECT_EQ(world.state(), state);

  // The clock fires at its new time and not at the old one.
  auto late = [&] {
    const auto flags = world.view(id).flags;
    return std::find(flags.begin(), flags.end(), "late") != flags.end();
  };
  world.clock.set_ms(moves[0].old_due_ms + 1000);
  world.engine->run_due(*world.journal);
  EXPECT_FALSE(late());
  world.clock.set_ms(moves[0].new_due_ms);
  world.engine->run_due(*world.journal);
  EXPECT_TRUE(late());
}

}  // namespace
}  // namespace cw
