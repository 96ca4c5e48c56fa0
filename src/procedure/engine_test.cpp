// What the scenarios do not tell: machinery under load, ids, timers, versions, refusals.
#include <gtest/gtest.h>

#include <thread>

#include "base/id.h"

#include "player_test.h"
#include "state.h"
#include "timers.h"

namespace cw {
namespace {

constexpr const char* kTicket = R"(
procedure: test.ticket
version: 1
title: {zh: 测试工单, en: Test ticket}
calendar: always
levels: {agent: {zh: 坐席, en: Agent}, lead: {zh: 班长, en: Lead}}
roles:
  agent: {team: agents, title: {zh: 坐席, en: Agent}}
data: {people: {type: integer, minimum: 0, title: {zh: 人数, en: People}}}
flags: {late: {zh: 超时, en: Late}}
start: {by: agent, to: new}
states:
  new:
    title: {zh: 新建, en: New}
    actions:
      go: {by: agent, to: working, title: {zh: 开始, en: Go}}
  working:
    title: {zh: 处理中, en: Working}
    actions:
      back: {by: agent, to: new, title: {zh: 退回, en: Back}}
      done: {by: agent, to: closed, title: {zh: 完成, en: Done}}
  closed: {final: true, title: {zh: 已办结, en: Closed}}
clocks:
  whole:
    from: start
    limit: 1h
    at: {50: [{notify: agent}], 100: [{flag: late}, {raise: 1}]}
    title: {zh: 全程, en: Whole}
)";

Library ticket_library(const std::string& procedure = kTicket) {
  std::vector<Mistake> mistakes;
  Library library = Library::from_texts(
      {{"procedures/test.ticket.yaml", procedure},
       {"calendars/always.yaml",
        *read_file(std::string(CW_SOURCE_DIR) + "/content/calendars/always.yaml")}},
      mistakes);
  for (const Mistake& m : mistakes) ADD_FAILURE() << describe(m, "en");
  return library;
}

class EngineTest : public ::testing::Test {
 protected:
  EngineTest() : world(ticket_library()) { world.people.holds["chen"] = {"team:agents"}; }

  std::string start() {
    Result<Answer> a = world.run(
        world.engine->start({.procedure = "test.ticket", .org = "org_sh", .actor = "chen"}));
    EXPECT_TRUE(a.ok()) << (a ? "" : a.problem().text.en);
    return a ? std::string(text_or(a->body, "case")) : "";
  }
  Result<Answer> act(const std::string& id, const std::string& action,
                     const std::string& actor = "chen") {
    return world.run(world.engine->act({id, actor, {}}, action, {}, {}));
  }
  World world;
};

TEST(CaseKey, KeepsEveryIdInSixteenBytes) {
  SeededRandom random(3);
  for (int i = 0; i < 1000; ++i) {
    std::string id = new_id("cas", 1'772'413'200'000 + i * 977, random);
    ASSERT_TRUE(case_key(id));
    EXPECT_EQ(case_id(*case_key(id)), id);
  }
  EXPECT_FALSE(case_key("cas_short"));
  EXPECT_FALSE(case_key("per_00000000000000000000000000"));
  EXPECT_FALSE(case_key("cas_zzzzzzzzzz0000000000000000"));  // later than 48 bits of time
  EXPECT_FALSE(case_key("cas_0000000000000000000000000u"));
}

// Against a plain sorted list: the same order whatever is put, moved and taken out.
TEST(TimersTest, FiresInExactOrder) {
  SeededRandom random(5);
  Timers timers;
  std::map<std::uint32_t, std::int64_t> plain;
  for (int i = 0; i < 20'000; ++i) {
    auto slot = static_cast<std::uint32_t>(random.below(500));
    std::int64_t due =
        random.below(4) == 0 ? never_ms : static_cast<std::int64_t>(random.below(300));
    timers.set(slot, due);
    if (due == never_ms)
      plain.erase(slot);
    else
      plain[slot] = due;
    ASSERT_EQ(timers.size(), plain.size());
    if (plain.empty()) continue;
    auto least = std::min_element(plain.begin(), plain.end(), [](auto& a, auto& b) {
      return std::tie(a.second, a.first) < std::tie(b.second, b.first);
    });
    ASSERT_EQ(timers.top().slot, least->first);
    ASSERT_EQ(timers.top().due_ms, least->second);
  }
}

TEST_F(EngineTest, RefusesWhatNobodyMayDoAndWritesNothing) {
  std::string id = start();
  std::uint64_t size = world.journal->size();
  EXPECT_EQ(act(id, "go", "stranger").problem().code, "case.role");
  EXPECT_EQ(act(id, "done").problem().code, "case.moved");
  EXPECT_EQ(act(id, "fly").problem().code, "case.action");
  EXPECT_EQ(act("cas_00000000000000000000000000", "go").problem().code, "case.unknown");
  EXPECT_EQ(world.run(world.engine->act({id, "chen", 12'345}, "go", {}, {})).problem().refusal,
            Refusal::stale);
  EXPECT_EQ(world.run(world.engine->act({id, "chen", {}}, "go", {}, {{"x", 1}})).problem().code,
            "case.no_form");
  EXPECT_EQ(
      world.run(world.engine->start({.procedure = "no.such", .org = "org_sh", .actor = "chen"}))
          .problem()
          .code,
      "case.procedure");
  EXPECT_EQ(
      world.run(world.engine->start({.procedure = "test.ticket", .org = "org_xx", .actor = "chen"}))
          .problem()
          .code,
      "case.org");
  Result<Decide> facts = world.engine->start({.procedure = "test.ticket",
                                              .org = "org_sh",
                                              .actor = "chen",
                                              .facts = {{"people", "many"}}});
  EXPECT_EQ(facts.problem().fields.at(0).pointer, "/facts/people");
  EXPECT_EQ(world.journal->size(), size);
}

TEST_F(EngineTest, FiresOnceHoweverOftenItIsAsked) {
  std::string id = start();
  world.clock.advance_ms(31 * 60'000);
  ClockView clock = world.view(id).clocks.at(0);
  std::uint64_t size = world.journal->size();
  for (int i = 0; i < 3; ++i)
    ASSERT_TRUE(world.run(world.engine->fire(id, "whole", clock.generation)).ok());
  EXPECT_EQ(world.journal->size(), size + 1);
  EXPECT_EQ(world.engine->run_due(*world.journal), 0u);
  world.clock.advance_ms(30 * 60'000);
  EXPECT_EQ(world.engine->run_due(*world.journal), 1u);
  EXPECT_EQ(world.view(id).flags, std::vector<std::string>{"late"});
  EXPECT_EQ(world.view(id).level, "lead");
}

// Many cases due within one moment: in (due, case) order, in bounded commands.
TEST_F(EngineTest, FiresABacklogInOrder) {
  std::atomic<int> started{0};
  for (int i = 0; i < 600; ++i) {
    if (i % 3 == 0) world.clock.advance_ms(1);
    auto decide =
        world.engine->start({.procedure = "test.ticket", .org = "org_sh", .actor = "chen"});
    world.journal->submit({}, *decide, [&](Result<Answer> a) { started += a.ok(); });
  }
  ASSERT_TRUE(act(start(), "go").ok());  // queued behind them all
  ASSERT_EQ(started, 600);
  world.clock.advance_ms(86'400'000);
  std::uint64_t from = world.journal->size();
  EXPECT_EQ(world.engine->run_due(*world.journal), 1202u);
  std::int64_t due = 0;
  std::size_t fired = 0;
  for (const std::string& bytes : world.journal->entries(from, 5000)) {
    Result<Entry> e = Entry::parse(bytes);
    std::int64_t at = e->body.at("fired").at(0).at("due_at").as_int64();
    EXPECT_GE(at, due);
    EXPECT_EQ(e->actor, "clock");
    due = at;
    ++fired;
  }
  EXPECT_EQ(fired, 1202u);
}

TEST_F(EngineTest, ACaseStaysOnItsVersionEvenWhenTheTextIsGone) {
  std::string id = start();
  std::string next = kTicket;
  next.replace(next.find("version: 1"), 10, "version: 2");
  next.replace(next.find("done: {by: agent, to: closed"), 28, "over: {by: agent, to: closed");
  Library library = ticket_library(next);
  ASSERT_TRUE(world.run(world.engine->adopt(library)).ok());
  std::string second = start();
  EXPECT_EQ(world.view(id).version, 1);
  EXPECT_EQ(world.view(second).version, 2);
  // After a restart the content holds version 2 only; version 1 comes from the journal's keeping.
  world.use(library);
  for (bool snapshot : {true, false}) {
    if (snapshot) world.journal->snapshot();
    world.restart(snapshot);
    EXPECT_EQ(world.view(id).version, 1);
    EXPECT_EQ(world.engine->definition("test.ticket@1")->version, 1);
  }
  ASSERT_TRUE(act(id, "go").ok());
  ASSERT_TRUE(act(second, "go").ok());
  EXPECT_TRUE(act(id, "done").ok());
  EXPECT_EQ(act(second, "done").problem().code, "case.action");
  EXPECT_TRUE(act(second, "over").ok());
}

// A changed text under the same version is another text: each case keeps the one it began on.
TEST_F(EngineTest, TellsTwoTextsOfOneVersionApart) {
  std::string a = start();
  std::string other = kTicket;
  other.replace(other.find("limit: 1h"), 9, "limit: 2h");
  ASSERT_TRUE(world.run(world.engine->adopt(ticket_library(other))).ok());
  std::string b = start();
  ASSERT_TRUE(world.run(world.engine->adopt(ticket_library())).ok());
  std::string c = start();
  world.restart(false);
  EXPECT_EQ(world.view(a).clocks.at(0).limit, "1h");
  EXPECT_EQ(world.view(b).clocks.at(0).limit, "2h");
  EXPECT_EQ(world.view(c).clocks.at(0).limit, "1h");
}

// What ships changes with a release: running cases go on on the text they began on, whatever it
// opens and whichever law its limits come from.
TEST(Kept, ARunningCaseOutlivesANewVersionOfWhatShips) {
  auto shipped_as = [](const std::string& version) {
    std::vector<std::pair<std::string, std::string>> files = content_files();
    for (auto& [name, text] : files)
      for (const char* id : {"plan.customer-leak", "data-incident"})
        if (name == "procedures/" + std::string(id) + ".yaml")
          text.replace(text.find("\nversion: ") + 1, std::string("version: 1").size(), version);
    std::vector<Mistake> mistakes;
    Library made = Library::from_texts(files, mistakes);
    for (const Mistake& m : mistakes) ADD_FAILURE() << describe(m, "en");
    return made;
  };
  World world(shipped_as("version: 8"));
  world.people.holds["xin"] = {};
  std::vector<std::string> ids;
  for (const auto& [procedure, form] :
       {std::pair<std::string, json::object>{
            "plan.customer-leak", {{"discovered_at", "2026-03-02T00:50:00Z"}, {"summary", "x"}}},
        {"data-incident",
         {{"discovered_at", "2026-03-02T00:50:00Z"}, {"kind", "leak"}, {"summary", "x"}}}}) {
    auto made = world.run(world.engine->start(
        {.procedure = procedure, .org = "org_sh", .actor = "xin", .form = form}));
    ASSERT_TRUE(made.ok()) << made.problem().text.en
                           << (made.problem().fields.empty() ? ""
                                                             : made.problem().fields[0].pointer);
    ids.push_back(std::string(text_or(made->body, "case")));
  }
  const auto state = world.state();
  world.use(shipped_as("version: 9"));
  for (bool snapshot : {false, true}) {
    world.restart(snapshot);
    EXPECT_EQ(world.state(), state);
    for (const std::string& id : ids) EXPECT_EQ(world.view(id).version, 8);
    world.journal->snapshot();
  }
}

TEST_F(EngineTest, NumbersCountByYearAndDrillsApart) {
  std::string a = start(), b = start();
  Result<Answer> drill = world.run(world.engine->start(
      {.procedure = "test.ticket", .org = "org_sh", .actor = "chen", .mode = CaseMode::drill}));
  world.clock.set_ms(*from_rfc3339("2026-12-31T16:30:00Z"));  // already 2027 in Shanghai
  std::string next = start();
  EXPECT_EQ(world.view(a).number, "T-2026-0001");
  EXPECT_EQ(world.view(b).number, "T-2026-0002");
  EXPECT_EQ(text_or(drill->body, "number"), "D-T-2026-0001");
  EXPECT_EQ(world.view(next).number, "T-2027-0001");
  EXPECT_EQ(world.engine->id_of("T-2026-0002"), b);
  EXPECT_EQ(world.engine->id_of("T-2026-0003"), "");
}

TEST_F(EngineTest, WhatPeopleWriteIsSealedAndErasable) {
  std::string id = start();
  Result<Answer> note = world.run(world.engine->note(
      {id, "chen", {}}, {true, "call 13800138000 back", "asked to", "three calls"}));
  ASSERT_TRUE(note.ok());
  for (const std::string& bytes : world.journal->entries(0, 100))
    EXPECT_EQ(bytes.find("13800138000"), std::string::npos);
  Result<Entry> e = Entry::parse(world.journal->entries(note->first, 1).at(0));
  EXPECT_NE(world.sealed->open(e->content)->find("13800138000"), std::string::npos);
}

TEST_F(EngineTest, MergesIntoAnotherCase) {
  std::string a = start(), b = start();
  ASSERT_TRUE(world.run(world.engine->merge({a, "chen", {}}, b)).ok());
  EXPECT_TRUE(world.view(a).closed);
  EXPECT_EQ(world.view(b).links.at(0).id, a);
  EXPECT_EQ(act(a, "go").problem().code, "case.closed");
  EXPECT_EQ(world.engine->open_count(), 1u);
}

// A drill counts apart, closes nothing real, and what it would send stays with who takes part.
TEST_F(EngineTest, ADrillKeepsToItself) {
  std::string sends = kTicket;
  const std::string go = "      go: {by: agent, to: working,";
  sends.replace(
      sends.find(go), go.size(),
      "      go: {by: agent, outbound: true, do: [{send: boss, text: {zh: 出, en: Out}}], "
      "to: working,");
  const std::string roles = "  agent: {team: agents,";
  sends.insert(sends.find(roles), "  boss: {post: boss, title: {zh: 主管, en: Boss}}\n");
  world.people.holds["wang"] = {"post:boss"};
  ASSERT_TRUE(world.run(world.engine->adopt(ticket_library(sends))).ok());
  std::string real = start();
  Result<Answer> drill = world.run(world.engine->start(
      {.procedure = "test.ticket", .org = "org_sh", .actor = "chen", .mode = CaseMode::drill}));
  const std::string id(text_or(drill->body, "case"));
  EXPECT_EQ(world.run(world.engine->merge({real, "chen", {}}, id)).problem().code,
            "case.merge_target");
  EXPECT_EQ(world.run(world.engine->merge({id, "chen", {}}, real)).problem().code,
            "case.merge_target");
  ASSERT_TRUE(act(real, "go").ok());
  ASSERT_TRUE(act(id, "go").ok());
  std::map<CaseMode, std::set<std::vector<std::string>>> sent;
  for (const Sending& s : world.outbox.sendings) sent[s.mode].insert(s.people);
  EXPECT_EQ(sent[CaseMode::live], (std::set<std::vector<std::string>>{{}, {"wang"}}));
  EXPECT_EQ(sent[CaseMode::drill], (std::set<std::vector<std::string>>{{"chen"}}));
  std::int64_t counted = 0;
  EXPECT_TRUE(world.views->read(world.journal->size(), [&](Database& db) {
    for (const auto& [state, n] : CaseList::counts(db, {.orgs = {"org_sh"}})) counted += n;
  }));
  EXPECT_EQ(counted, 1) << "figures leave drills out";
}

TEST_F(EngineTest, ManyWritersAndReadersAgree) {
  std::vector<std::string> ids;
  for (int i = 0; i < 4; ++i) ids.push_back(start());
  std::vector<std::thread> threads;
  std::atomic<int> done_count{0};
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      for (int i = 0; i < 25; ++i) {
        if (act(ids[static_cast<std::size_t>(t)], i % 2 == 0 ? "go" : "back").ok()) ++done_count;
        (void)world.view(ids[static_cast<std::size_t>(i) % 4], "chen");
      }
    });
  for (std::thread& t : threads) t.join();
  EXPECT_EQ(done_count, 100);
  std::vector<std::string> before = world.state();
  world.restart(false);
  EXPECT_EQ(world.state(), before);
}

TEST_F(EngineTest, ListsPageWithoutGapsWhileThingsChange) {
  std::vector<std::string> ids;
  for (int i = 0; i < 25; ++i) {
    world.clock.advance_ms(1000);
    ids.push_back(start());
  }
  ASSERT_TRUE(act(ids[3], "go").ok());
  ASSERT_TRUE(act(ids[3], "done").ok());
  std::set<std::string> seen;
  CaseFilter f{.orgs = {"org_sh"}, .open = 1, .sort = "opened", .limit = 7};
  for (int pages = 0; pages < 10; ++pages) {
    CasePage page;
    ASSERT_TRUE(
        world.views
            ->read(world.journal->size(), [&](Database& db) { page = *CaseList::find(db, f); })
            .ok());
    for (const CaseRow& r : page.rows) EXPECT_TRUE(seen.insert(r.id).second);
    if (page.next.empty()) break;
    f.cursor = page.next;
    start();  // newcomers do not shift the pages
  }
  for (std::size_t i = 0; i < ids.size(); ++i) EXPECT_EQ(seen.count(ids[i]), i == 3 ? 0u : 1u);
  ASSERT_TRUE(
      world.views
          ->read(
              world.journal->size(),
              [&](Database& db) {
                EXPECT_TRUE(CaseList::find(db, {.orgs = {"org_bj"}})->rows.empty());
                EXPECT_TRUE(CaseList::find(db, {})->rows.empty());  // no organisation, nothing
                EXPECT_EQ(CaseList::find(db, {.orgs = {"org_sh"}, .cursor = "?"}).problem().code,
                          "list.cursor");
                EXPECT_EQ(
                    CaseList::find(db, {.orgs = {"org_sh"}, .sort = "state; DROP"}).problem().code,
                    "list.sort");
                std::vector<std::uint64_t> line = CaseList::timeline(db, ids[3], 0, 10);
                EXPECT_EQ(line.size(), 3u);
                EXPECT_EQ(timeline_rows(*world.journal, line).at(0).name, "done");
              })
          .ok());
}

TEST(EngineBenchTest, MeasuresItselfBesideSqlite) {
  char name[] = "/tmp/cw-bench-XXXXXX";
  json::object out = bench_engine(300, ::mkdtemp(name));
  EXPECT_EQ(out.at("transitions").as_int64(), 900);
  EXPECT_GT(out.at("transitions_per_s").as_int64(), 0);
  EXPECT_GT(out.at("raw_append_per_s").as_int64(), 0);
  const json::object& second = out.at("due_in_one_second").as_object();
  EXPECT_EQ(second.at("appointed").as_int64(), 300);
  EXPECT_TRUE(second.at("in_order").as_bool());
  EXPECT_EQ(out.at("all_due").as_object().at("fired").as_int64() % 300, 0);
}

}  // namespace
}  // namespace cw
