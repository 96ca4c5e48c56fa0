#include "fixture.h"

namespace cw {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class DirectoryTest : public testing::Test {
 protected:
  Centre c;
  std::string hq = c.first.org;
  std::string province = c.org("province", hq);
  std::string centre = c.org("centre", province);

  std::string post_basis(const std::string& person, const char* post, const std::string& org) {
    return c.read([&] { return c.identity->post_basis(person, post, org); });
  }
  std::vector<std::string> post_people(const char* post, const std::string& org) {
    return c.read([&] { return c.identity->post_people(post, org); });
  }
};

TEST_F(DirectoryTest, ACentreWithoutACounselUsesTheProvinces) {
  auto counsel = c.person("counsel", {}, province);
  c.post({.org = province, .id = "counsel", .holder = counsel});
  EXPECT_EQ(post_basis(counsel, "counsel", centre), "post:counsel");
  EXPECT_EQ(post_basis(counsel, "counsel", province), "post:counsel");
  EXPECT_EQ(post_basis(counsel, "counsel", hq), "") << "a province's post says nothing upwards";
  auto own = c.person("own", {}, centre);
  c.post({.org = centre, .id = "counsel", .holder = own});
  EXPECT_EQ(post_basis(counsel, "counsel", centre), "") << "the nearer one acts";
  EXPECT_THAT(post_people("counsel", centre), ElementsAre(own));
}

TEST_F(DirectoryTest, DeputiesActWhileTheHolderIsAwayOrTheChairIsEmpty) {
  auto holder = c.person("holder"), deputy = c.person("deputy");
  std::int64_t now = c.clock.now_ms();
  c.post({.org = hq,
          .id = "duty-officer",
          .holder = holder,
          .deputies = {deputy},
          .absent_from = now + 3'600'000,
          .absent_until = now + 7'200'000});
  EXPECT_EQ(post_basis(holder, "duty-officer", hq), "post:duty-officer");
  EXPECT_EQ(post_basis(deputy, "duty-officer", hq), "");
  c.clock.advance_ms(3'600'000);
  EXPECT_EQ(post_basis(holder, "duty-officer", hq), "");
  EXPECT_EQ(post_basis(deputy, "duty-officer", hq), "deputy:duty-officer");
  c.clock.advance_ms(3'600'000);
  EXPECT_EQ(post_basis(holder, "duty-officer", hq), "post:duty-officer") << "back by itself";
  c.post({.org = hq, .id = "duty-officer", .deputies = {deputy}});
  EXPECT_EQ(post_basis(deputy, "duty-officer", hq), "deputy:duty-officer") << "vacant";
}

TEST_F(DirectoryTest, AHolderDelegatesPostsForATimeAndItEndsByItself) {
  auto wang = c.person("wang"), li = c.person("li"), deputy = c.person("deputy");
  c.post({.org = hq, .id = "counsel", .holder = wang, .deputies = {deputy}});
  c.post({.org = centre, .id = "dpo", .holder = wang});
  Principal who;
  who.actor = who.person = wang;
  const std::int64_t now = c.clock.now_ms(), hour = 3'600'000;
  auto give = [&](PostDelegation d) { return c.identity->delegate_posts(who, {}, std::move(d)); };
  EXPECT_EQ(give({.to = wang, .until_at = now + hour}).problem().code, "delegation.person");
  EXPECT_EQ(give({.to = li, .until_at = now}).problem().code, "delegation.until");
  EXPECT_EQ(give({.to = li, .until_at = now + 91 * 24 * hour}).problem().code, "delegation.until");
  EXPECT_EQ(give({.to = li, .from_at = now - hour, .until_at = now + hour}).problem().code,
            "delegation.from");
  EXPECT_EQ(give({.to = li, .posts = {"counsel", "leader"}, .until_at = now + hour})
                .problem()
                .fields[0]
                .pointer,
            "/posts/1");
  std::uint64_t told = 0;
  auto made = c.identity->delegate_posts(
      who, {}, {.to = li, .posts = {"counsel"}, .from_at = now + hour, .until_at = now + 3 * hour},
      [&](Draft&, std::uint64_t seq) { told = seq; });
  ASSERT_TRUE(made.ok()) << made.problem().text.en;
  EXPECT_EQ(told, made->first);
  EXPECT_EQ(post_basis(li, "counsel", centre), "") << "it has not begun";
  c.clock.advance_ms(hour);
  EXPECT_EQ(post_basis(li, "counsel", centre), "delegate:" + wang);
  EXPECT_EQ(post_basis(wang, "counsel", centre), "post:counsel") << "the holder still may";
  EXPECT_EQ(post_basis(li, "dpo", centre), "") << "only the post named";
  EXPECT_THAT(post_people("counsel", centre), ElementsAre(wang, li));
  EXPECT_EQ(c.read([&] { return c.identity->posts_of(li); }).size(), 1u) << "it is on their list";

  // A delegate hands nothing on, and while the holder is away stands before the deputies.
  Principal second;
  second.actor = second.person = li;
  EXPECT_EQ(c.identity->delegate_posts(second, {}, {.to = deputy, .until_at = now + 2 * hour})
                .problem()
                .code,
            "delegation.no-post");
  c.post({.org = hq,
          .id = "counsel",
          .holder = wang,
          .deputies = {deputy},
          .absent_from = now + hour,
          .absent_until = now + 9 * hour});
  EXPECT_THAT(post_people("counsel", centre), ElementsAre(li));
  const auto id = std::string(text_or(made->body, "id"));
  EXPECT_EQ(c.read([&] { return c.identity->delegations(li); }).at(0).id, id);

  c.restart();
  EXPECT_EQ(post_basis(li, "counsel", centre), "delegate:" + wang) << "replayed";
  c.clock.advance_ms(2 * hour);
  EXPECT_EQ(post_basis(li, "counsel", centre), "") << "ended by itself, no entry needed";
  EXPECT_EQ(post_basis(deputy, "counsel", centre), "deputy:counsel");
  EXPECT_TRUE(c.read([&] { return c.identity->delegations(""); }).empty());
  EXPECT_EQ(c.identity->end_delegation(who, {}, id).problem().code, "delegation.unknown");
}

TEST_F(DirectoryTest, EitherSideEndsADelegationAndAStrangerDoesNot) {
  auto wang = c.person("wang"), li = c.person("li"), stranger = c.person("stranger");
  c.post({.org = hq, .id = "counsel", .holder = wang});
  auto as = [](const std::string& person) {
    Principal p;
    p.actor = p.person = person;
    return p;
  };
  auto give = [&] {
    auto made = c.identity->delegate_posts(as(wang), {},
                                           {.to = li, .until_at = c.clock.now_ms() + 86'400'000});
    return made ? std::string(text_or(made->body, "id")) : made.problem().code;
  };
  const std::string first = give();
  EXPECT_EQ(c.identity->end_delegation(as(stranger), {}, first).problem().code,
            "delegation.unknown");
  EXPECT_FALSE(c.identity
                   ->delegate_posts(
                       as(stranger), {},
                       {.from = wang, .to = stranger, .until_at = c.clock.now_ms() + 86'400'000})
                   .ok())
      << "another's posts need the permission";
  EXPECT_TRUE(c.identity->end_delegation(as(li), {}, first).ok());
  EXPECT_EQ(post_basis(li, "counsel", hq), "");
  const std::string second = give();
  EXPECT_EQ(post_basis(li, "counsel", hq), "delegate:" + wang) << "the whole of what they hold";
  ASSERT_TRUE(c.identity->set_active(c.admin, {}, li, false).ok());
  EXPECT_EQ(post_basis(li, "counsel", hq), "");
  EXPECT_TRUE(c.identity->end_delegation(c.admin, {}, second).ok());
}

TEST_F(DirectoryTest, WhoeverLeftHoldsNothing) {
  auto holder = c.person("holder"), above = c.person("above");
  c.post({.org = centre, .id = "counsel", .holder = holder});
  c.post({.org = hq, .id = "counsel", .holder = above});
  EXPECT_THAT(post_people("counsel", centre), ElementsAre(holder));
  ASSERT_TRUE(c.identity->set_active(c.admin, {}, holder, false).ok());
  EXPECT_THAT(post_people("counsel", centre), ElementsAre(above));
  EXPECT_FALSE(c.read([&] { return c.identity->is_active_person(holder); }));
}

TEST_F(DirectoryTest, TheTemplateNamesWhoHeadsEachLevelAndAnOrganisationMayDiffer) {
  auto chief = [&](const char* level, const std::string& org) {
    return c.read([&] { return c.identity->chief_post(level, org); });
  };
  EXPECT_EQ(chief("duty", centre), "duty-officer");
  EXPECT_EQ(chief("command", centre), "commander");
  EXPECT_EQ(chief("leadership", centre), "leader");
  EXPECT_EQ(chief("lead", centre), "shift-lead");
  EXPECT_EQ(chief("nonsense", centre), "");
  EXPECT_EQ(chief("duty", "org_unknown"), "");
  c.post({.org = province,
          .id = "night-chief",
          .title = Text{"夜班主任", "Night chief"},
          .chief_of = {{"duty"}}});
  EXPECT_EQ(chief("duty", centre), "night-chief");
  EXPECT_EQ(chief("duty", hq), "duty-officer");
  auto twice = c.identity->set_post(
      c.admin, {},
      {.org = province, .id = "other", .title = Text{"另", "Other"}, .chief_of = {{"duty"}}});
  ASSERT_FALSE(twice.ok());
  EXPECT_EQ(twice.problem().fields[0].pointer, "/chief_of/0");
}

TEST_F(DirectoryTest, TeamsAndQueuesClimbTheTreeToo) {
  auto a = c.person("a1"), b = c.person("b1");
  ASSERT_TRUE(
      c.identity->set_team(c.admin, {}, {hq, "technical", {"技术组", "Technical"}, {a}}).ok());
  ASSERT_TRUE(
      c.identity->set_queue(c.admin, {}, {centre, "ticket.after-sales", {b}, {"technical"}}).ok());
  c.read([&] {
    const Identity& i = *c.identity;
    EXPECT_EQ(i.team_basis(a, "technical", centre), "team:technical");
    EXPECT_EQ(i.team_basis(b, "technical", centre), "");
    EXPECT_EQ(i.queue_basis(a, "ticket.after-sales", centre), "queue:ticket.after-sales")
        << "through the team";
    EXPECT_EQ(i.queue_basis(b, "ticket.after-sales", centre), "queue:ticket.after-sales");
    EXPECT_EQ(i.queue_basis(b, "plan.customer-leak", centre), "");
    EXPECT_EQ(i.queue_people("ticket.after-sales", centre).size(), 2u);
    EXPECT_THAT(i.queue_people("ticket.after-sales", hq), IsEmpty());
  });
  ASSERT_TRUE(c.identity->set_queue(c.admin, {}, {hq, "*", {a}, {}}).ok());
  c.read([&] {
    EXPECT_EQ(c.identity->queue_basis(a, "plan.customer-leak", centre), "queue:plan.customer-leak");
  });
}

TEST_F(DirectoryTest, BadPostsAreRefusedWithTheFieldNamed) {
  auto a = c.person("a1");
  auto refused = [&](PostInput in) {
    auto r = c.identity->set_post(c.admin, {}, in);
    return r                            ? std::string("accepted")
           : r.problem().fields.empty() ? r.problem().code
                                        : r.problem().fields[0].pointer;
  };
  EXPECT_EQ(refused({.org = "org_x", .id = "counsel"}), "/org");
  EXPECT_EQ(refused({.org = hq, .id = "Counsel"}), "/id");
  EXPECT_EQ(refused({.org = hq, .id = "own-post"}), "/title/zh");
  EXPECT_EQ(refused({.org = hq, .id = "counsel", .holder = "per_x"}), "/holder");
  EXPECT_EQ(refused({.org = hq, .id = "counsel", .holder = a, .deputies = {a}}), "/deputies");
  EXPECT_EQ(refused({.org = hq, .id = "counsel", .deputies = {a, a}}), "/deputies/1");
  EXPECT_EQ(refused({.org = hq, .id = "counsel", .absent_from = 10, .absent_until = 5}),
            "/absent_until");
}

}  // namespace
}  // namespace cw
