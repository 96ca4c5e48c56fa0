// Open cases under another version: what maps by itself, what must be named, what stays.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "world_test.h"

namespace cw {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

constexpr std::int64_t kMinute = 60'000;

std::string plan(int version, const std::string& states, const std::string& clocks) {
  return "procedure: plan.x\nversion: " + std::to_string(version) +
         "\ntitle: {zh: 预案, en: Plan}\ncalendar: always\nlevels: [duty, command]\nroles:\n"
         "  anyone: {any: true}\n  duty: {post: duty-officer}\n"
         "data:\n  people: {type: integer, minimum: 0}\n  severity: {enum: [III, II]}\n"
         "start: {by: anyone, form: report, to: " +
         (states.find("  handling:") == std::string::npos ? "open" : "handling") + "}\nstates:\n" +
         states + "  done: {final: true, retain: 1y}\nclocks:\n" + clocks;
}

const std::string kOld =
    plan(1,
         "  open:\n    tasks:\n      look: {by: duty, limit: 60m, late: [{raise: 1}]}\n"
         "      tell: {by: duty}\n"
         "    actions: {close: {by: duty, guard: tasks.done, to: done}}\n",
         "  all: {run: [open], limit: 4h, at: {100: [{notify: duty}]}}\n"
         "  law: {from: start, stop: close, limit: 8h}\n");
const std::string kNew =
    plan(2,
         "  open:\n    tasks:\n      look: {by: duty, limit: 30m, late: [{raise: 1}]}\n"
         "      inform: {by: duty}\n      count: {by: duty, limit: 2h, when: \"people > 0\"}\n"
         "    actions: {close: {by: duty, guard: tasks.done, to: done}}\n",
         "  all: {run: [open], limit: 2h, at: {50: [{notify: duty}], 100: [{notify: duty}]}}\n"
         "  law: {from: start, stop: close, limit: 8h}\n"
         "  first: {from: start, stop: task.look, limit: 1h}\n");

std::string form() {
  return "form: report\nversion: 1\ntitle: {zh: 报告, en: Report}\ntype: object\n"
         "required: [people, severity]\nproperties:\n"
         "  people: {title: {zh: 人数, en: People}, type: integer, minimum: 0}\n"
         "  severity: {title: {zh: 等级, en: Severity}, enum: [III, II]}\n";
}

Library library(const std::string& text) {
  std::ifstream in(CW_SOURCE_DIR "/content/calendars/always.yaml");
  std::ostringstream always;
  always << in.rdbuf();
  std::vector<Mistake> mistakes;
  Library out = Library::from_texts({{"calendars/always.yaml", always.str()},
                                     {"forms/report.yaml", form()},
                                     {"procedures/plan.x.yaml", text}},
                                    mistakes);
  for (const Mistake& m : mistakes) ADD_FAILURE() << describe(m, "en");
  return out;
}

class Migrating : public ::testing::Test {
 protected:
  explicit Migrating(const std::string& before = kOld) : w(library(before)) {
    w.people.holds["per_d"] = {"post:duty-officer"};
    w.people.holds["per_a"] = {};
  }
  std::string start(int people = 0) {
    auto answer = w.run(w.engine->start({.procedure = "plan.x",
                                         .org = "org_cn",
                                         .actor = "per_a",
                                         .form = {{"people", people}, {"severity", "III"}}}));
    EXPECT_TRUE(answer.ok());
    return std::string(text_or(answer->body, "case"));
  }
  Migration to(const std::string& text, MigrationMap map = {}) {
    Library next = library(text);
    const auto d = next.procedure("plan.x");
    EXPECT_TRUE(w.journal->run({}, w.engine->adopt(next)).ok());
    w.use(next);
    return {.from = 1,
            .name = "plan.x@" + std::to_string(d->version),
            .digest = digest_of(*d),
            .map = std::move(map)};
  }
  std::vector<MigrationOutcome> tried(const Migration& m) {
    MigrationBatch batch;
    const std::uint64_t size = w.journal->size();
    EXPECT_TRUE(w.journal->run({}, w.engine->plan_migration(m, 0, 100, batch)).ok());
    EXPECT_EQ(w.journal->size(), size) << "a trial writes nothing";
    EXPECT_TRUE(batch.end);
    return batch.outcomes;
  }
  std::vector<MigrationOutcome> moved(const Migration& m) {
    MigrationBatch batch;
    EXPECT_TRUE(w.journal->run({}, w.engine->migrate(m, "per_boss", "role:x", 0, 100, batch)).ok());
    return batch.outcomes;
  }
  void same_after_restarts() {
    const auto state = w.state();
    w.restart(true);
    EXPECT_EQ(w.state(), state);
    w.restart(false);
    EXPECT_EQ(w.state(), state);
  }
  static const ClockView* clock(const CaseView& v, const std::string& id) {
    for (const ClockView& k : v.clocks)
      if (k.id == id) return &k;
    return nullptr;
  }
  static const TaskView* task(const CaseView& v, const std::string& id) {
    for (const TaskView& t : v.tasks)
      if (t.id == id) return &t;
    return nullptr;
  }

  World w;
  const MigrationMap kTell{.states = {},
                           .tasks = {{"open.tell", "open.inform"}},
                           .clocks = {},
                           .facts = {},
                           .roles = {}};
};

TEST_F(Migrating, WhatIsNamedAlikeMapsByItselfAndTheRestMustBeNamed) {
  const std::string id = start(3);
  w.clock.advance_ms(10 * kMinute);
  auto outcomes = tried(to(kNew));
  ASSERT_THAT(outcomes, SizeIs(1));
  EXPECT_EQ(outcomes[0].code, "task");
  EXPECT_EQ(outcomes[0].what, "open.tell");
  EXPECT_FALSE(outcomes[0].why.zh.empty());
  EXPECT_EQ(moved(to(kNew))[0].code, "task");
  EXPECT_EQ(w.view(id).version, 1) << "what cannot move stays as it is";

  const Migration good = to(kNew, kTell);
  outcomes = tried(good);
  ASSERT_TRUE(outcomes[0].moves());
  EXPECT_EQ(outcomes[0].to_state, "open");
  EXPECT_THAT(outcomes[0].opens, ElementsAre("count"));
  EXPECT_FALSE(outcomes[0].due_at_once);
  std::string limits;
  for (const auto& l : outcomes[0].limits)
    limits += l.name + " " + std::to_string(l.old_budget_ms / kMinute) + ">" +
              std::to_string(l.new_budget_ms / kMinute) + " " +
              std::to_string((l.old_due_ms == 0 ? 0 : l.old_due_ms - w.clock.now_ms()) / kMinute) +
              ">" + std::to_string((l.new_due_ms - w.clock.now_ms()) / kMinute) + "\n";
  EXPECT_EQ(limits, "all 240>120 230>110\nfirst 0>60 0>50\ntask.look 0>0 50>20\n");

  const auto done = moved(good);
  ASSERT_TRUE(done[0].moves());
  const CaseView v = w.view(id, "per_d");
  EXPECT_EQ(v.version, 2);
  EXPECT_EQ(v.state, "open");
  EXPECT_EQ(task(v, "look")->due_ms, w.clock.now_ms() + 20 * kMinute);
  EXPECT_EQ(clock(v, "all")->due_ms, w.clock.now_ms() + 110 * kMinute)
      << "what was used stays used";
  EXPECT_EQ(clock(v, "law")->due_ms, w.clock.now_ms() + 470 * kMinute) << "what is alike stays";
  ASSERT_NE(task(v, "inform"), nullptr);
  EXPECT_EQ(task(v, "tell"), nullptr);
  ASSERT_TRUE(w.run(w.engine->do_task({.case_id = id, .actor = "per_d"}, "inform", {}, {})).ok());
  EXPECT_THAT(moved(good), SizeIs(0)) << "done twice it does nothing";
  same_after_restarts();
  // Lists follow: a search by the new task finds it.
  WorkPage page;
  EXPECT_TRUE(w.views->read(w.journal->size(), [&](Database& db) {
    page = *CaseList::work(db, {.targets = {"post:duty-officer"}, .orgs = {"org_cn"}});
  }));
  std::string names;
  for (const WorkRow& row : page.rows) names += row.name + " ";
  EXPECT_EQ(names, "look count ");
}

TEST_F(Migrating, ALimitThatIsPastUnderTheNewVersionIsLateAtOnceAndWasToldBefore) {
  const std::string id = start();
  w.clock.advance_ms(45 * kMinute);
  const Migration m = to(kNew, kTell);
  EXPECT_TRUE(tried(m)[0].due_at_once);
  moved(m);
  const CaseView v = w.view(id);
  EXPECT_TRUE(task(v, "look")->late);
  EXPECT_EQ(v.level, "command") << "its effects ran";
  same_after_restarts();
}

TEST_F(Migrating, WhatWasDueUnderTheOldVersionIsLateBeforeItMoves) {
  const std::string id = start();
  w.clock.advance_ms(61 * kMinute);  // nobody fired it yet
  moved(to(kNew, kTell));
  std::string kinds;
  for (const std::string& bytes : w.journal->entries(0, 100)) {
    const Entry e = *Entry::parse(bytes);
    if (e.case_id == id) kinds += e.kind + " " + e.procedure + "\n";
  }
  EXPECT_THAT(kinds, HasSubstr("case.clock plan.x@1\ncase.migrate plan.x@2\n"));
}

TEST_F(Migrating, AStateOfAnotherNameIsMappedAndDoneTasksGoAlong) {
  const std::string id = start();
  ASSERT_TRUE(w.run(w.engine->do_task({.case_id = id, .actor = "per_d"}, "tell", {}, {})).ok());
  const std::string renamed =
      plan(2,
           "  handling:\n    tasks:\n      look: {by: duty, limit: 60m, late: [{raise: 1}]}\n"
           "      tell: {by: duty}\n"
           "    actions: {close: {by: duty, guard: tasks.done, to: done}}\n",
           "  all: {run: [handling], limit: 4h}\n");
  EXPECT_EQ(tried(to(renamed))[0].code, "state");
  MigrationMap map{
      .states = {{"open", "handling"}}, .tasks = {}, .clocks = {}, .facts = {}, .roles = {}};
  EXPECT_EQ(tried(to(renamed, map))[0].code, "clock")
      << "a clock that counts is not dropped silently";
  map.clocks["law"] = "";
  const auto outcomes = moved(to(renamed, map));
  ASSERT_TRUE(outcomes[0].moves()) << outcomes[0].code;
  EXPECT_THAT(outcomes[0].drops, ElementsAre("clock.law"));
  const CaseView v = w.view(id, "per_d");
  EXPECT_EQ(v.state, "handling");
  EXPECT_EQ(task(v, "tell")->phase, TaskPhase::done);
  EXPECT_EQ(clock(v, "law"), nullptr);
  CasePage page;
  EXPECT_TRUE(w.views->read(w.journal->size(), [&](Database& db) {
    page = *CaseList::find(db, {.orgs = {"org_cn"}, .states = {"handling"}});
  }));
  ASSERT_THAT(page.rows, SizeIs(1));
  EXPECT_EQ(page.rows[0].version, 2);
  same_after_restarts();
}

TEST_F(Migrating, AValueThatTheNewVersionDoesNotHaveKeepsTheCaseWhereItIs) {
  start();
  std::string narrow = kNew;
  narrow.replace(narrow.find("enum: [III, II]"), 15, "enum: [II, I]");
  // The form's own values must be the fact's.
  EXPECT_THAT(narrow, HasSubstr("[II, I]"));
  std::string text = form();
  text.replace(text.find("enum: [III, II]"), 15, "enum: [II, I]");
  std::vector<Mistake> mistakes;
  Library next = library(kOld).with(
      {{"forms/report.yaml", text}, {"procedures/plan.x.yaml", narrow}}, mistakes);
  ASSERT_TRUE(mistakes.empty()) << describe(mistakes[0], "en");
  ASSERT_TRUE(w.journal->run({}, w.engine->adopt(next)).ok());
  Migration m{
      .from = 1, .name = "plan.x@2", .digest = digest_of(*next.procedure("plan.x")), .map = kTell};
  EXPECT_EQ(tried(m)[0].code, "value");
  EXPECT_EQ(tried(m)[0].what, "severity");
  m.map.facts["severity"] = "";
  const auto outcomes = moved(m);
  ASSERT_TRUE(outcomes[0].moves());
  EXPECT_THAT(outcomes[0].drops, ElementsAre("fact.severity"));
}

TEST_F(Migrating, AFormPreparedUnderTheOldVersionIsNotTakenForOneOfTheNew) {
  const std::string id = start();
  auto decide = w.engine->do_task({.case_id = id, .actor = "per_d"}, "look", {}, {});
  ASSERT_TRUE(decide.ok());
  moved(to(kNew, kTell));
  auto answer = w.journal->run({}, *decide);
  ASSERT_FALSE(answer.ok());
  EXPECT_EQ(answer.problem().code, "case.moved");
}

// A case goes open → working → waiting; the new version has clocks from what has passed.
const std::string kStates =
    "  open:\n    tasks: {look: {by: duty}}\n    actions:\n"
    "      begin: {by: duty, to: working}\n      note: {by: duty, repeat: true}\n"
    "  working:\n    tasks: {mend: {by: duty}}\n    actions:\n"
    "      halt: {by: duty, to: waiting}\n      skip: {by: duty, to: waiting}\n"
    "  waiting:\n    actions:\n      again: {by: duty, to: working}\n"
    "      close: {by: duty, to: done}\n";
const std::string kAll = "  all: {run: [open, working, waiting], limit: 40h}\n";

class Passing : public Migrating {
 protected:
  Passing() : Migrating(plan(1, kStates, kAll)) {}
  void act(const std::string& id, const std::string& action) {
    w.clock.advance_ms(10 * kMinute);
    auto decide = w.engine->act({.case_id = id, .actor = "per_d"}, action, {}, {});
    ASSERT_TRUE(decide.ok()) << decide.problem().code;
    ASSERT_TRUE(w.run(*decide).ok());
  }
  Migration with(const std::string& clocks) { return to(plan(2, kStates, kAll + clocks)); }
  // Minutes since the clock began; -1: it is not there, -2: it stands.
  std::int64_t runs(const std::string& id, const std::string& name) {
    const CaseView v = w.view(id, "per_d");
    const ClockView* k = clock(v, name);
    if (!k) return -1;
    return k->phase == ClockPhase::counting ? (w.clock.now_ms() - k->due_ms) / kMinute + 240 : -2;
  }
};

TEST_F(Passing, ANewClockBeginsWhenAStateThatHasPassedWasEntered) {
  const std::string id = start(), fresh = start();
  act(id, "begin");
  act(id, "halt");
  w.clock.advance_ms(5 * kMinute);
  const Migration m = with(
      "  first: {from: open, limit: 4h}\n  mended: {from: working, limit: 4h}\n"
      "  waits: {from: waiting, limit: 4h}\n  begun: {from: begin, stop: close, limit: 4h}\n"
      "  over: {from: start, stop: begin, limit: 4h}\n");
  const auto outcomes = tried(m);
  ASSERT_THAT(outcomes, SizeIs(2));
  EXPECT_THAT(outcomes[0].unknown, ElementsAre("begun", "over"))
      << "two ways lead into 'working': when the first was taken is not known";
  EXPECT_THAT(outcomes[1].unknown, ElementsAre()) << "nothing has passed";
  moved(m);
  EXPECT_EQ(runs(id, "first"), 25);
  EXPECT_EQ(runs(id, "mended"), 15);
  EXPECT_EQ(runs(id, "waits"), 5);
  EXPECT_EQ(runs(id, "begun"), -1) << "it begins when its moment comes again";
  EXPECT_EQ(runs(id, "over"), -1) << "and what may be over does not run";
  EXPECT_EQ(runs(fresh, "first"), 25);
  EXPECT_EQ(runs(fresh, "mended"), -1);
  same_after_restarts();
  act(fresh, "begin");
  EXPECT_EQ(runs(fresh, "mended"), 0);
}

TEST_F(Passing, AnActionHasPassedWhenOnlyItLeadsWhereTheCaseIs) {
  const std::string id = start();
  act(id, "begin");
  w.clock.advance_ms(5 * kMinute);
  const Migration m = with(
      "  noted: {from: note, limit: 4h}\n"
      "  begun: {from: begin, limit: 4h}\n"
      "  halted: {from: halt, limit: 4h}\n"
      "  look: {from: task.look, limit: 4h}\n"
      "  to-halt: {from: open, stop: halt, limit: 4h}\n");
  const auto outcomes = tried(m);
  EXPECT_THAT(outcomes[0].unknown, ElementsAre("noted"));
  moved(m);
  EXPECT_EQ(runs(id, "begun"), 5);
  EXPECT_EQ(runs(id, "halted"), -1) << "not yet";
  EXPECT_EQ(runs(id, "look"), -1) << "the task was left undone";
  EXPECT_EQ(runs(id, "to-halt"), 15);
  act(id, "halt");
  EXPECT_EQ(runs(id, "halted"), 0);
  EXPECT_EQ(runs(id, "to-halt"), -2);
  same_after_restarts();
}

}  // namespace
}  // namespace cw
