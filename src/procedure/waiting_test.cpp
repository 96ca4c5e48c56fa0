// Who learns that something waits for them, and on whose workbench it lies.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "world_test.h"

#include "storage/file.h"

namespace cw {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// A report waits for the officer's decision; then two tasks, then the chief's word; a wait ends by
// itself, and nobody is asked meanwhile.
constexpr const char* kReport = R"(
procedure: test.report
version: 1
title: {zh: 测试报告, en: Test report}
calendar: always
roles:
  anybody: {any: true, title: {zh: 任何人, en: Anybody}}
  officer: {post: duty-officer, title: {zh: 值班长, en: Duty officer}}
  crew: {team: technical, title: {zh: 技术组, en: Technical team}}
  chief: {post: chief, title: {zh: 负责人, en: Chief}}
start: {by: anybody, to: reported}
states:
  reported:
    title: {zh: 已报告, en: Reported}
    actions:
      accept: {by: officer, to: working, title: {zh: 受理, en: Accept}}
      reject: {by: officer, to: closed, title: {zh: 不受理, en: Reject}}
  working:
    title: {zh: 处置中, en: Working}
    tasks:
      look: {by: crew, limit: 1h, title: {zh: 查看, en: Look}}
      mend: {by: crew, limit: 2h, title: {zh: 修复, en: Mend}}
    actions:
      release: {by: chief, guard: tasks.done, to: observing, title: {zh: 解除, en: Release}}
  observing:
    title: {zh: 观察, en: Observing}
    actions:
      again: {by: chief, to: working, title: {zh: 重新处置, en: Again}}
      over: {upon: clock.quiet, to: closed, title: {zh: 期满, en: Over}}
  closed: {final: true, title: {zh: 已办结, en: Closed}}
clocks:
  quiet: {run: [observing], limit: 1h, wait: true, title: {zh: 观察期, en: Observation}}
)";

class Waiting : public ::testing::Test {
 protected:
  Waiting() : world(library()) {
    world.people.holds = {{"liu", {}},
                          {"wang", {"post:duty-officer"}},
                          {"chen", {"team:technical"}},
                          {"fang", {"team:technical"}},
                          {"li", {"post:chief"}}};
    auto made = world.run(world.engine->start(
        {.procedure = "test.report", .org = "org_sh", .actor = "liu", .mode = CaseMode::live}));
    EXPECT_TRUE(made.ok()) << (made ? "" : made.problem().text.en);
    if (made) id = text_or(made->body, "case");
  }

  static Library library() {
    std::vector<Mistake> mistakes;
    Library out = Library::from_texts(
        {{"procedures/test.report.yaml", kReport},
         {"calendars/always.yaml",
          *read_file(std::string(CW_SOURCE_DIR) + "/content/calendars/always.yaml")}},
        mistakes);
    for (const Mistake& m : mistakes) ADD_FAILURE() << describe(m, "en");
    return out;
  }

  void act(const std::string& who, const std::string& name) {
    auto done = world.run(world.engine->act({id, who, {}}, name, {}, {}));
    EXPECT_TRUE(done.ok()) << name << (done ? "" : done.problem().text.en);
  }
  void task(const std::string& who, const std::string& name) {
    auto done = world.run(world.engine->do_task({id, who, {}}, name, {}, {}));
    EXPECT_TRUE(done.ok()) << name << (done ? "" : done.problem().text.en);
  }
  // Who was told, since the last time, that something waits for them.
  std::vector<std::vector<std::string>> told() {
    std::vector<std::vector<std::string>> out;
    for (const Notice& n : world.outbox.notices)
      if (n.about == Notice::About::work) out.push_back(n.people);
    world.outbox.notices.clear();
    return out;
  }
  std::vector<std::string> lies_with(const std::string& target) {
    std::vector<std::string> out;
    EXPECT_TRUE(world.views->read(world.journal->size(), [&](Database& db) {
      const auto page = CaseList::work(db, {.targets = {target}, .orgs = {"org_sh"}});
      for (const WorkRow& row : page->rows) out.push_back(row.kind + " " + row.name);
    }));
    return out;
  }

  World world;
  std::string id;
};

TEST_F(Waiting, ADecisionLiesWithWhoeverMustMakeItAndTheyAreTold) {
  EXPECT_THAT(told(), ElementsAre(ElementsAre("wang")));
  EXPECT_THAT(lies_with("post:duty-officer"), ElementsAre("decide "));
  EXPECT_THAT(lies_with("post:chief"), IsEmpty());
}

TEST_F(Waiting, TasksAreToldTogetherAndTheLastOneTellsWhoeverDecidesNext) {
  told();
  act("wang", "accept");
  EXPECT_THAT(told(), ElementsAre(ElementsAre("chen", "fang"))) << "both tasks in one message";
  EXPECT_THAT(lies_with("post:duty-officer"), IsEmpty());
  task("chen", "look");
  EXPECT_THAT(told(), IsEmpty());
  task("chen", "mend");
  EXPECT_THAT(told(), ElementsAre(ElementsAre("li")));
  EXPECT_THAT(lies_with("post:chief"), ElementsAre("action release"));
}

TEST_F(Waiting, WhatEndsByItselfAsksNobody) {
  act("wang", "accept");
  task("chen", "look");
  task("chen", "mend");
  told();
  act("li", "release");
  EXPECT_THAT(told(), IsEmpty());
  EXPECT_THAT(lies_with("post:chief"), IsEmpty());
}

TEST_F(Waiting, WhoeverBroughtItAboutIsNotToldOfIt) {
  world.people.holds["wang"].insert("team:technical");
  told();
  act("wang", "accept");
  EXPECT_THAT(told(), ElementsAre(ElementsAre("chen", "fang")));
}

}  // namespace
}  // namespace cw
