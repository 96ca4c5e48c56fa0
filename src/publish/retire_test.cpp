// A procedure is retired by a revision: no new case, no schedule, none may open it; what runs goes
// on, and a later revision puts it in force again.
#include "publish_test.h"

namespace cw {
namespace {

using testing::HasSubstr;

constexpr std::int64_t kDay = 86'400'000;

class RetireTest : public PublishTest {
 protected:
  static DefinitionText gone(const std::string& id = "plan.small") {
    return {.of = {DefinitionKind::procedure, id}, .text = {}, .retires = true};
  }
  // As far as its moment; needs no simulation and no waiver.
  std::string retire(const std::string& id = "plan.small", std::int64_t from_ms = 0) {
    const std::string revision = reviewed({gone(id)});
    auto answer = publish->approve(as("per_boss"), {}, {.revision = revision, .from_ms = from_ms});
    EXPECT_TRUE(answer.ok()) << (answer.ok() ? "" : answer.problem().code);
    publish->run_due();
    return revision;
  }
  bool retired(const std::string& id = "plan.small") const {
    return journal->read([&] {
      return publish->retirement({DefinitionKind::procedure, id}) != nullptr;
    });
  }
  Problem refused() {
    auto decide = engine->start(
        {.procedure = "plan.small", .org = "org_cn", .actor = "per_a", .form = {{"what", "x"}}});
    EXPECT_FALSE(decide.ok());
    return decide ? Problem{} : decide.problem();
  }
  void parent() {
    content.push_back({"procedures/parent.yaml",
                       "procedure: parent\nversion: 1\ntitle: {zh: 父, en: Parent}\n"
                       "calendar: always\nroles: {anyone: {any: true}}\n"
                       "start: {by: anyone, to: open}\nstates:\n  open:\n"
                       "    actions:\n      call: {by: anyone, do: [{open: plan.small, as: x}]}\n"
                       "      end: {by: anyone, to: done}\n  done: {final: true, retain: 1y}\n"});
    restart();
  }
  static std::string daily(int version) {
    std::string text = plan_text(version);
    text.insert(text.find("states:"),
                "schedule: {every: 1d, at: \"08:00\", from: 2026-01-01, start: {what: x}}\n");
    return text;
  }
};

TEST_F(RetireTest, NoNewCaseStartsRunningOnesGoOnAndTheHistoryKeepsIt) {
  const std::string running = start();
  const std::int64_t moment = clock.now_ms() + kDay;
  const std::string revision = retire("plan.small", moment);
  EXPECT_FALSE(retired()) << "not before its moment";
  start();
  clock.advance_ms(kDay);
  told.clear();
  EXPECT_EQ(publish->run_due(), 1u);
  EXPECT_EQ(phase(revision), RevisionPhase::effective);
  ASSERT_TRUE(retired());
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0].text.en, "The procedure is retired");
  EXPECT_EQ(told[0].title.en, "Small plan");

  const Problem p = refused();
  EXPECT_EQ(p.code, "case.retired");
  EXPECT_THAT(p.text.en, HasSubstr("'Small plan' is retired"));
  EXPECT_THAT(p.text.zh, HasSubstr("“小预案”已停用"));
  EXPECT_EQ(version(plan()), 0);
  journal->read([&] {
    EXPECT_EQ(engine->running(), (std::map<std::string, std::size_t>{{"plan.small@1", 2}}));
    const auto history = publish->history(plan());
    ASSERT_EQ(history.size(), 2u);
    EXPECT_TRUE(history[0].retires);
    EXPECT_EQ(history[0].version, 1);
    EXPECT_EQ(history[0].revision, revision);
    EXPECT_EQ(history[1].until_ms, history[0].from_ms);
  });
  const auto before = slices();
  const std::uint64_t size = journal->size();
  for (const bool keep : {true, false}) {
    restart(keep);
    EXPECT_EQ(journal->size(), size);
    EXPECT_EQ(slices(), before);
    EXPECT_EQ(refused().code, "case.retired");
  }
  for (const char* step : {"look", "close"}) {
    const By by{.case_id = running, .actor = "per_a"};
    auto decide = std::string(step) == "look" ? engine->do_task(by, step, {}, {})
                                              : engine->act(by, step, {}, {});
    ASSERT_TRUE(decide.ok()) << decide.problem().code;
    ASSERT_TRUE(journal->run({}, *decide).ok()) << step;
  }
  journal->read([&] { EXPECT_EQ(engine->running().at("plan.small@1"), 1u); });
}

TEST_F(RetireTest, ALaterRevisionPutsItInForceAgainWithTheNextNumber) {
  in_force({{plan(), plan_text(2)}});
  retire();
  ASSERT_TRUE(retired());
  EXPECT_EQ(journal->read([&] { return publish->next_version(plan()); }), 3);
  const std::string again = save({{plan(), plan_text(2)}});
  EXPECT_EQ(code(publish->submit(as("per_author"), {}, again)), "definition.mistakes");
  in_force({{plan(), plan_text(3, "20m")}});
  EXPECT_FALSE(retired());
  EXPECT_EQ(version(plan()), 3);
  start();
  for (const bool keep : {true, false}) {
    restart(keep);
    EXPECT_EQ(engine->library().procedure("plan.small")->version, 3);
    EXPECT_TRUE(engine->library().retired().empty());
  }
}

TEST_F(RetireTest, WhatAnotherOpensIsNotRetiredAndWhatIsRetiredNobodyOpens) {
  parent();
  const std::string id = save({gone()});
  auto sent = publish->submit(as("per_author"), {}, id);
  ASSERT_EQ(code(sent), "definition.mistakes");
  ASSERT_EQ(sent.problem().fields.size(), 1u);
  EXPECT_EQ(sent.problem().fields[0].pointer, "/procedures/parent.yaml:10:38");
  EXPECT_THAT(sent.problem().fields[0].text.en, HasSubstr("'plan.small' is retired"));
  EXPECT_EQ(publish->check({gone()})[0].code, "procedure.retired");
  // The parent goes first; then a text that opens it is refused at the same place.
  const std::string opens = content.back().second;
  retire("parent");
  retire();
  ASSERT_TRUE(retired());
  std::string fresh = opens;
  fresh.replace(fresh.find("version: 1"), 10, "version: 2");
  const auto mistakes = publish->mistakes_of({{{DefinitionKind::procedure, "parent"}, fresh}});
  ASSERT_EQ(mistakes.size(), 1u);
  EXPECT_THAT(describe(mistakes[0], "zh"), HasSubstr("procedures/parent.yaml:10:38: 流程"));
}

// Begun before, a parent opens the child that its version promises.
TEST_F(RetireTest, ACaseBegunBeforeOpensWhatWasRetiredSince) {
  parent();
  auto begun =
      journal->run({}, *engine->start({.procedure = "parent", .org = "org_cn", .actor = "per_a"}));
  ASSERT_TRUE(begun.ok());
  retire("parent");
  retire();
  restart(false);
  auto act = engine->act({.case_id = std::string(text_or(begun->body, "case")), .actor = "per_a"},
                         "call", {}, {});
  ASSERT_TRUE(act.ok()) << act.problem().code;
  ASSERT_TRUE(journal->run({}, *act).ok());
  journal->read([&] { EXPECT_EQ(engine->running().at("plan.small@1"), 1u); });
}

TEST_F(RetireTest, ItsScheduleRestsAndMissesNothingMeanwhile) {
  content[1].second = daily(1);
  restart();
  engine->run_due(*journal);
  clock.advance_ms(kDay);
  engine->run_due(*journal);
  auto opened = [&] {
    return journal->read([&] {
      std::size_t sum = 0;
      for (const auto& [name, n] : engine->running()) sum += n;
      return sum;
    });
  };
  EXPECT_EQ(opened(), 1u);
  retire();
  clock.advance_ms(10 * kDay);
  engine->run_due(*journal);
  EXPECT_EQ(opened(), 1u);
  EXPECT_FALSE(engine->slots("plan.small"));
  in_force({{plan(), daily(2)}});
  engine->run_due(*journal);
  EXPECT_EQ(opened(), 1u) << "what it would have opened while it was retired was not missed";
  clock.advance_ms(kDay);
  engine->run_due(*journal);
  EXPECT_EQ(opened(), 2u);
  const auto state = slices();
  restart(false);
  EXPECT_EQ(slices(), state);
}

TEST_F(RetireTest, ARevisionRetiresOneProcedureAloneAndWhatIsInForce) {
  auto saved = [&](std::vector<DefinitionText> documents) {
    return code(publish->save(as("per_author"), {},
                              {.revision = {},
                               .title = "x",
                               .why = {},
                               .documents = std::move(documents),
                               .if_seq = {}}));
  };
  EXPECT_EQ(saved({gone(), {form(), form_text(2)}}), "definition.retire");
  EXPECT_EQ(saved({{.of = form(), .text = {}, .retires = true}}), "definition.retire");
  const std::string none = save({gone("nothing")});
  EXPECT_EQ(code(publish->submit(as("per_author"), {}, none)), "definition.mistakes");
  const std::string id = save({gone()});
  EXPECT_EQ(publish->simulate(as("per_author"), id, {}, "house").problem().code,
            "definition.retires");
  // Another version came into force in between: it is looked at again.
  const std::string late = reviewed({gone()});
  in_force({{plan(), plan_text(2)}});
  EXPECT_EQ(code(publish->approve(as("per_boss"), {}, {.revision = late, .from_ms = 0})),
            "definition.mistakes");
  EXPECT_FALSE(retired());
}

// A shipped procedure that opens it takes it back; what was shipped in a higher version does not.
TEST_F(RetireTest, AnUpgradeThatNeedsItPutsItInForceAgainAndItsPeopleLearnOfIt) {
  retire();
  content[1].second = plan_text(5);
  restart();
  EXPECT_TRUE(retired()) << "the house's decision stays";
  EXPECT_EQ(refused().code, "case.retired");
  EXPECT_EQ(journal->read([&] { return publish->next_version(plan()); }), 6);
  told.clear();
  parent();
  EXPECT_FALSE(retired());
  EXPECT_EQ(version(plan()), 5);
  EXPECT_EQ(told.size(), 1u);
  start();
}

}  // namespace
}  // namespace cw
