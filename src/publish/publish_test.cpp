#include "publish_test.h"

namespace cw {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST_F(PublishTest, ARevisionGoesFromAuthorToReviewerToApproverAndIntoForceAtItsMoment) {
  const std::string id = save({{plan(), plan_text(2, "20m")}});
  EXPECT_EQ(phase(id), RevisionPhase::draft);
  ASSERT_TRUE(publish->submit(as("per_author"), {}, id).ok());
  ASSERT_TRUE(publish
                  ->comment(as("per_reviewer"), {},
                            {.revision = id, .text = "why?", .path = plan().path(), .line = 10})
                  .ok());
  ASSERT_TRUE(publish->give_back(as("per_reviewer"), {}, id, "say why").ok());
  EXPECT_EQ(phase(id), RevisionPhase::draft);
  save({{plan(), plan_text(2, "15m")}}, id);
  ASSERT_TRUE(publish->submit(as("per_author"), {}, id).ok());
  ASSERT_TRUE(publish->pass(as("per_reviewer"), {}, id, "good").ok());
  const std::int64_t at = clock.now_ms() + 3'600'000;
  ApproveRevision approval{.revision = id, .from_ms = at, .waiver = ""};
  EXPECT_EQ(code(publish->approve(as("per_boss"), {}, approval)), "definition.simulation");
  auto report = publish->simulate(as("per_author"), id, {.runs = 100, .seed = 5}, "house");
  ASSERT_TRUE(report.ok());
  EXPECT_TRUE(report->pass);
  ASSERT_TRUE(publish->approve(as("per_boss"), {}, approval).ok());
  EXPECT_EQ(publish->run_due(), 0u);
  EXPECT_EQ(version(plan()), 1);
  const std::string before = start();
  clock.advance_ms(3'600'000);
  told.clear();
  EXPECT_EQ(publish->run_due(), 1u);
  EXPECT_EQ(phase(id), RevisionPhase::effective);
  EXPECT_EQ(version(plan()), 2);
  EXPECT_EQ(engine->library().procedure("plan.small")->version, 2);
  const std::string after = start();
  journal->read([&] {
    EXPECT_EQ(engine->view(before, "")->version, 1) << "a running case stays on its version";
    EXPECT_EQ(engine->view(after, "")->version, 2);
    const Revision& r = *publish->find(id);
    EXPECT_EQ(r.saves.size(), 2u);
    EXPECT_EQ(r.simulation->runs, 100);
    EXPECT_EQ(r.reviewer, "per_reviewer");
    EXPECT_EQ(r.approver, "per_boss");
    EXPECT_EQ(publish->history(plan()).size(), 2u);
  });
  ASSERT_EQ(told.size(), 1u);
  EXPECT_THAT(told[0].people,
              testing::UnorderedElementsAre("per_author", "per_boss", "per_reviewer"));
}

TEST_F(PublishTest, NobodyReviewsOrApprovesWhatTheyWroteOrApprovesWhatTheyReviewed) {
  const std::string id = save({{plan(), plan_text(2)}});
  EXPECT_EQ(code(publish->submit(as("per_other"), {}, id)), "definition.author");
  ASSERT_TRUE(publish->submit(as("per_author"), {}, id).ok());
  EXPECT_EQ(code(publish->pass(as("per_author"), {}, id, "")), "definition.own");
  EXPECT_EQ(code(publish->give_back(as("per_author"), {}, id, "x")), "definition.own");
  EXPECT_EQ(code(publish->pass(as("per_auditor"), {}, id, "")), "permission.missing");
  Principal token;
  token.actor = "tok_x";
  EXPECT_EQ(code(publish->pass(token, {}, id, "")), "token.person-only");
  const ApproveRevision approval{.revision = id, .from_ms = 0, .waiver = "because"};
  EXPECT_EQ(code(publish->approve(as("per_boss"), {}, approval)), "definition.phase");
  ASSERT_TRUE(publish->pass(as("per_reviewer"), {}, id, "").ok());
  EXPECT_EQ(code(publish->approve(as("per_author"), {}, approval)), "definition.own");
  EXPECT_EQ(code(publish->approve(as("per_reviewer"), {}, approval)), "definition.own");
  const std::uint64_t size = journal->size();
  EXPECT_EQ(code(publish->approve(as("per_boss"), {}, approval, 1)), "definition.stale");
  EXPECT_EQ(journal->size(), size) << "a refusal writes nothing";
  EXPECT_TRUE(publish->approve(as("per_boss"), {}, approval).ok());
  EXPECT_TRUE(publish->withdraw(as("per_boss"), {}, id, "not now").ok());
  EXPECT_EQ(publish->run_due(), 0u);
  EXPECT_EQ(version(plan()), 1);
}

TEST_F(PublishTest, VersionsAreDenseAndMistakesHaveTheirPlace) {
  const std::string id = save({{plan(), plan_text(3)}});
  auto sent = publish->submit(as("per_author"), {}, id);
  ASSERT_EQ(code(sent), "definition.mistakes");
  EXPECT_EQ(sent.problem().fields[0].pointer, "/procedures/plan.small.yaml:2:10");
  save({{plan(), plan_text(2, "30m", "none")}}, id);
  sent = publish->submit(as("per_author"), {}, id);
  ASSERT_EQ(code(sent), "definition.mistakes");
  EXPECT_THAT(sent.problem().fields[0].pointer, HasSubstr("/procedures/plan.small.yaml:8:"));
  save({{{DefinitionKind::procedure, "plan.other"}, plan_text(1)}}, id);
  sent = publish->submit(as("per_author"), {}, id);
  ASSERT_EQ(code(sent), "definition.mistakes");
  EXPECT_EQ(sent.problem().fields[0].pointer, "/procedures/plan.other.yaml:1:12");
}

TEST_F(PublishTest, WhoMayTakeTheNextStepIsToldThatItWaitsAndTheOthersWhatBecameOfIt) {
  holders = {"per_author", "per_reviewer", "per_boss", "per_other"};
  auto said = [&] {
    std::string out;
    for (const RevisionNotice& n : told) {
      out += n.text.en + ":";
      for (const std::string& person : n.people) out += " " + person;
      out += "\n";
    }
    told.clear();
    return out;
  };
  const std::string id = save({{plan(), plan_text(2)}});
  EXPECT_EQ(said(), "");
  ASSERT_TRUE(publish->submit(as("per_author"), {}, id).ok());
  EXPECT_EQ(said(), "A revision waits for your review: per_boss per_other per_reviewer\n");
  ASSERT_TRUE(publish->pass(as("per_reviewer"), {}, id, "").ok());
  EXPECT_EQ(said(),
            "The revision passed its review: per_author\n"
            "A revision waits for your approval: per_boss per_other\n");
  ASSERT_TRUE(publish->give_back(as("per_boss"), {}, id, "not yet").ok());
  EXPECT_EQ(said(), "The revision was returned: per_author per_reviewer\n");
}

// A form may not change under a procedure that it would break.
TEST_F(PublishTest, TheWholeLibraryMustStillCheckOut) {
  content[1].second = plan_text(1, "30m") + "clocks:\n  all: {from: start, limit: 1h}\n";
  content.push_back(
      {"procedures/parent.yaml",
       "procedure: parent\nversion: 1\ntitle: {zh: 父, en: Parent}\ncalendar: always\n"
       "roles: {anyone: {any: true}}\nstart: {by: anyone, form: list, to: open}\nstates:\n"
       "  open:\n    enter: [{open: plan.small, each: list.items, as: parts}]\n"
       "    actions: {end: {by: anyone, to: done}}\n  done: {final: true, retain: 1y}\n"});
  content.push_back(
      {"forms/list.yaml",
       "form: list\nversion: 1\ntitle: {zh: 清单, en: List}\ntype: object\nproperties:\n"
       "  items:\n    title: {zh: 项, en: Items}\n    type: array\n    items:\n"
       "      type: object\n      required: [what]\n      properties:\n"
       "        what: {title: {zh: 内容, en: What}, type: string}\n"});
  restart();
  const std::string id = save({{form(), form_text(2, "other")}});
  auto sent = publish->submit(as("per_author"), {}, id);
  ASSERT_EQ(code(sent), "definition.mistakes");
  EXPECT_THAT(sent.problem().fields[0].pointer, HasSubstr("/procedures/parent.yaml:"));
  // Together with the form of the parent it fits.
  std::string list = content[3].second;
  for (std::size_t at; (at = list.find("what")) != std::string::npos;) list.replace(at, 4, "other");
  list.replace(list.find("version: 1"), 10, "version: 2");
  in_force({{form(), form_text(2, "other")}, {{DefinitionKind::form, "list"}, list}});
  EXPECT_EQ(version(form()), 2);
  EXPECT_EQ(engine->library().procedure("plan.small")->forms[0].form->version, 2)
      << "a procedure that rests on it has the new form";
}

TEST_F(PublishTest, WhatIsPublishedIsInForceAfterARestartAndReplayEqualsTheSnapshot) {
  in_force({{plan(), plan_text(2)}, {form(), form_text(2)}});
  const std::string draft = save({{plan(), plan_text(3, "5m")}});
  start();
  const auto before = slices();
  const std::uint64_t size = journal->size();
  for (const bool keep : {true, false}) {
    restart(keep);
    EXPECT_EQ(journal->size(), size) << "nothing is recorded twice";
    EXPECT_EQ(slices(), before);
    EXPECT_EQ(engine->library().procedure("plan.small")->version, 2);
    EXPECT_EQ(engine->library().form("report")->version, 2);
    EXPECT_EQ(phase(draft), RevisionPhase::draft);
    EXPECT_EQ(*publish->text(publish->find(draft)->documents()[0].digest), plan_text(3, "5m"));
  }
}

TEST_F(PublishTest, AnUpgradeWithAHigherVersionComesIntoForceAndTheRecordSaysSo) {
  in_force({{plan(), plan_text(2)}});
  content[1].second = plan_text(2, "45m");  // shipped with the same number: the house's own stays
  restart();
  EXPECT_EQ(engine->library().procedure("plan.small")->tasks[0].limit.spans[0].amount, 30);
  EXPECT_EQ(publish->shipped(plan()), 2);
  told.clear();
  content[1].second = plan_text(3, "45m");
  restart();
  EXPECT_EQ(engine->library().procedure("plan.small")->version, 3);
  ASSERT_EQ(told.size(), 1u) << "whoever published learns of it";
  journal->read([&] {
    const auto history = publish->history(plan());
    ASSERT_EQ(history.size(), 3u);
    EXPECT_EQ(history[0].why, "newer");
    EXPECT_FALSE(history[0].published);
    EXPECT_NE(history[1].until_ms, 0);
  });
  in_force({{plan(), plan_text(4)}});
  EXPECT_EQ(version(plan()), 4);
}

// An upgrade that no longer fits what was published: the server starts on what was shipped.
TEST_F(PublishTest, WhatNoLongerChecksOutWithAnUpgradeGivesWay) {
  in_force({{plan(), plan_text(2, "30m", "report")},
            {{DefinitionKind::form, "extra"},
             "form: extra\nversion: 1\ntitle: {zh: 附, en: Extra}\ntype: object\nproperties:\n"
             "  a: {title: {zh: 甲, en: A}, type: string}\n"}});
  content[0] = {"forms/other.yaml",
                "form: other\nversion: 1\ntitle: {zh: 附, en: Other}\ntype: object\nproperties:\n"
                "  a: {title: {zh: 甲, en: A}, type: string}\n"};
  content[1].second = plan_text(1, "30m", "other");
  told.clear();
  restart();
  EXPECT_EQ(engine->library().procedure("plan.small")->version, 1);
  EXPECT_EQ(engine->library().form("report"), nullptr);
  EXPECT_NE(engine->library().form("extra"), nullptr) << "what still checks out stays";
  journal->read([&] {
    EXPECT_EQ(publish->in_force(plan())->why, "mistakes");
    EXPECT_EQ(publish->in_force(form()), nullptr);
  });
  EXPECT_EQ(told.size(), 1u);
}

TEST_F(PublishTest, WhatNoLongerChecksOutAtItsMomentGoesBackToItsAuthor) {
  const std::string first = reviewed({{plan(), plan_text(2, "20m")}});
  const std::string second = reviewed({{plan(), plan_text(2, "10m")}});
  for (const std::string& id : {first, second})
    ASSERT_TRUE(
        publish->approve(as("per_boss"), {}, {.revision = id, .from_ms = 0, .waiver = "y"}).ok());
  EXPECT_EQ(publish->run_due(), 2u);
  EXPECT_EQ(phase(first), RevisionPhase::effective);
  EXPECT_EQ(phase(second), RevisionPhase::draft);
  EXPECT_EQ(journal->read([&] { return publish->find(second)->halted; }), "definition.mistakes");
  EXPECT_EQ(version(plan()), 2);
}

TEST_F(PublishTest, NoEntryHoldsATextOrATitleAndAWaiverIsSealed) {
  in_force({{plan(), plan_text(2)}});
  for (const std::string& entry : journal->entries(0, 1'000)) {
    EXPECT_THAT(entry, Not(HasSubstr("Shorter")));
    EXPECT_THAT(entry, Not(HasSubstr("nobody is hurt")));
    EXPECT_THAT(entry, Not(HasSubstr("小预案")));
  }
}

TEST_F(PublishTest, HostileTextsAreRefusedWithTheirPlaceAndInBoundedTime) {
  auto first = [&](const std::string& text) {
    const auto mistakes = publish->check({{plan(), text}});
    return mistakes.empty() ? "" : describe(mistakes[0], "en");
  };
  EXPECT_THAT(first(std::string(10 << 20, 'a')), HasSubstr("plan.small.yaml:1:1: "));
  // Mistakes go by their place: the unknown key 'a' comes before its anchor, at 1:4.
  EXPECT_THAT(first("a: &a [x]\nb: *a\n"), HasSubstr("plan.small.yaml:1:1: unknown key 'a'"));
  EXPECT_THAT(first(plan_text(1) + "states: {}\n"), HasSubstr("plan.small.yaml:14:1"));
  // yaml-cpp takes a list that never closes for a map's key: each bracket is two levels. Of those
  // that close, the seventeenth is one too many.
  EXPECT_THAT(first(std::string(1'000, '[')), HasSubstr("plan.small.yaml:1:9: nested"));
  EXPECT_THAT(first(std::string(20, '[') + std::string(20, ']')),
              HasSubstr("plan.small.yaml:1:17: nested"));
  EXPECT_THAT(first(""), HasSubstr("plan.small.yaml:1:1"));
  EXPECT_THAT(first("procedure: \x01"), HasSubstr("plan.small.yaml:1:"));
  const std::uint64_t size = journal->size();
  EXPECT_EQ(code(publish->save(as("per_author"), {},
                               {.revision = {},
                                .title = "x",
                                .why = {},
                                .documents = {{plan(), std::string(2 << 20, 'a')}},
                                .if_seq = {}})),
            "definition.size");
  EXPECT_EQ(journal->size(), size);
}

}  // namespace
}  // namespace cw
