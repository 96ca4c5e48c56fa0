#include "publish_test.h"

namespace cw {
namespace {

class MigrateTest : public PublishTest {
 protected:
  // The second version calls the task by another name.
  static std::string renamed() {
    std::string text = plan_text(2);
    text.replace(text.find("look:"), 5, "see:");
    return text;
  }
  static MigrationMap map() {
    return {
        .states = {}, .tasks = {{"open.look", "open.see"}}, .clocks = {}, .facts = {}, .roles = {}};
  }
  std::string begin(const MigrationMap& m) {
    auto answer = publish->begin_migration(as("per_boss"), {}, "plan.small", 1, m);
    EXPECT_TRUE(answer.ok()) << (answer.ok() ? "" : answer.problem().code);
    return answer ? std::string(text_or(answer->body, "migration")) : "";
  }
  MigrationRun run(const std::string& id) const {
    return journal->read([&] { return *publish->migration(id); });
  }
};

TEST_F(MigrateTest, ItIsTriedOnEveryCaseAndThenDoneInBatches) {
  for (int i = 0; i < 250; ++i) start();
  in_force({{plan(), renamed()}});
  const std::string late = start();  // already on the new version
  auto tried = publish->plan_migration(as("per_boss"), "plan.small", 1, {}, 0, 10);
  ASSERT_TRUE(tried.ok());
  EXPECT_EQ(tried->cases, 250u);
  EXPECT_EQ(tried->stays, 250u);
  EXPECT_EQ(tried->items.size(), 10u);
  ASSERT_EQ(tried->groups.size(), 1u);
  EXPECT_EQ(tried->groups[0].code, "task");
  EXPECT_EQ(tried->groups[0].what, "open.look");
  EXPECT_EQ(tried->groups[0].cases, 250u);
  tried = publish->plan_migration(as("per_boss"), "plan.small", 1, map(), 245, 100);
  ASSERT_TRUE(tried.ok());
  EXPECT_EQ(tried->moves, 250u);
  EXPECT_EQ(tried->items.size(), 5u);

  const std::string id = begin(map());
  EXPECT_EQ(code(publish->begin_migration(as("per_boss"), {}, "plan.small", 1, map())),
            "migration.running");
  const std::uint64_t before = journal->size();
  publish->run_due();
  const MigrationRun done = run(id);
  EXPECT_EQ(done.phase, MigrationRun::Phase::done);
  EXPECT_EQ(done.moved, 250u);
  EXPECT_EQ(done.left, 0u);
  EXPECT_EQ(journal->size() - before, 250u + 3u) << "one entry a case and one a batch";
  publish->run_due();
  EXPECT_EQ(journal->size() - before, 253u);
  journal->read([&] {
    EXPECT_EQ(engine->running(), (std::map<std::string, std::size_t>{{"plan.small@2", 251}}));
  });
  const auto state = slices();
  for (const bool keep : {true, false}) {
    restart(keep);
    EXPECT_EQ(slices(), state);
  }
}

// Ended in the middle: it goes on where it was, and no case moves twice.
TEST_F(MigrateTest, AnEndInBetweenLosesNothingAndRepeatsNothing) {
  for (int i = 0; i < 30; ++i) start();
  in_force({{plan(), renamed()}});
  const std::string id = begin(map());
  restart(false);
  EXPECT_EQ(run(id).phase, MigrationRun::Phase::running);
  publish->run_due();
  EXPECT_EQ(run(id).moved, 30u);
  restart(false);
  publish->run_due();
  EXPECT_EQ(run(id).moved, 30u);
}

TEST_F(MigrateTest, ItCanBeStoppedAndWhatStayedIsNamed) {
  const std::string one = start();
  in_force({{plan(), renamed()}});
  const std::string stopped = begin(map());
  ASSERT_TRUE(publish->stop_migration(as("per_boss"), {}, stopped).ok());
  publish->run_due();
  EXPECT_EQ(run(stopped).moved, 0u);
  EXPECT_EQ(code(publish->stop_migration(as("per_boss"), {}, stopped)), "migration.over");
  const std::string id = begin({});
  publish->run_due();
  ASSERT_EQ(run(id).stayed.size(), 1u);
  EXPECT_EQ(run(id).stayed[0].case_id, one);
  EXPECT_EQ(run(id).stayed[0].code, "task");
}

TEST_F(MigrateTest, NamesThatAreNotThereAreRefusedAndSoIsWhoMayNot) {
  start();
  in_force({{plan(), renamed()}});
  MigrationMap wrong = map();
  wrong.clocks["none"] = "";
  auto refused = publish->begin_migration(as("per_boss"), {}, "plan.small", 1, wrong);
  ASSERT_EQ(code(refused), "migration.name");
  EXPECT_EQ(refused.problem().fields[0].pointer, "/map/clocks/none");
  EXPECT_EQ(code(publish->begin_migration(as("per_boss"), {}, "plan.small", 7, {})),
            "migration.version");
  EXPECT_EQ(code(publish->begin_migration(as("per_auditor"), {}, "plan.small", 1, map())),
            "permission.missing");
}

}  // namespace
}  // namespace cw
