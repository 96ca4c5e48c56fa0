#include "fixture.h"

namespace cw {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::Not;

class MayTest : public testing::Test {
 protected:
  Centre c;
  std::string hq = c.first.org, north = c.org("province", hq), centre = c.org("centre", north),
              south = c.org("province", hq);

  std::string may(const Principal& who, Permission p, const std::string& org) {
    return c.read([&] {
      auto r = c.identity->may(who, p, org);
      return r ? *r : r.problem().code;
    });
  }
};

TEST_F(MayTest, ARoleReachesItsOrganisationAndWhatIsBelow) {
  c.person("wang", {"duty-officer"}, north);
  auto who = c.principal("wang");
  EXPECT_EQ(may(who, Permission::case_act, north), "role:duty-officer");
  EXPECT_EQ(may(who, Permission::case_act, centre), "role:duty-officer");
  EXPECT_EQ(may(who, Permission::case_act, hq), "permission.missing");
  EXPECT_EQ(may(who, Permission::case_act, south), "permission.missing");
  EXPECT_EQ(may(who, Permission::case_act, "org_guessed"), "permission.missing");
  EXPECT_EQ(may(who, Permission::people_manage, north), "permission.missing");
  EXPECT_EQ(may(who, Permission::case_act, ""), "permission.missing")
      << "the installation is the root";
  auto where = c.read([&] { return c.identity->orgs_where(who, Permission::case_read); });
  std::vector<std::string> expected{north, centre};
  std::sort(expected.begin(), expected.end());
  EXPECT_EQ(where, expected);
}

TEST_F(MayTest, ADenyWinsOverEveryAllow) {
  c.person("both", {"security", "auditor"}, hq);
  auto who = c.principal("both");
  EXPECT_EQ(may(who, Permission::ledger_export, hq), "role:auditor");
  EXPECT_EQ(may(who, Permission::case_read, hq), "role:security");
  EXPECT_EQ(may(who, Permission::case_act, hq), "permission.denied");
  EXPECT_EQ(may(who, Permission::rules_manage, centre), "permission.denied");
}

TEST_F(MayTest, ADenyReachesOnlyItsOwnSubtree) {
  auto id = c.person("split", {"security"}, hq);
  ASSERT_TRUE(c.identity->grant(c.admin, {}, id, {"auditor", south}).ok());
  auto who = c.principal("split");
  EXPECT_EQ(may(who, Permission::case_act, north), "role:security");
  EXPECT_EQ(may(who, Permission::case_act, south), "permission.denied");
}

TEST_F(MayTest, WithoutARoleNothing) {
  c.person("none");
  auto who = c.principal("none");
  for (const auto& p : permissions()) EXPECT_EQ(may(who, p.id, hq), "permission.missing") << p.name;
  EXPECT_TRUE(c.read([&] { return c.identity->permissions_of(who); }).empty());
  EXPECT_EQ(may(Principal{}, Permission::case_read, hq), "permission.missing");
}

TEST_F(MayTest, ACustomRoleIsAnEntryAndChangesAtOnce) {
  auto id = c.person("guest");
  ASSERT_TRUE(
      c.identity->set_role(c.admin, {}, {"guest", {"访客", "Guest"}, {Permission::wall_read}, {}})
          .ok());
  ASSERT_TRUE(c.identity->grant(c.admin, {}, id, {"guest", hq}).ok());
  auto who = c.principal("guest");
  EXPECT_EQ(may(who, Permission::wall_read, centre), "role:guest");
  ASSERT_TRUE(
      c.identity
          ->set_role(c.admin, {},
                     {"guest", {"访客", "Guest"}, {Permission::wall_read}, {Permission::wall_read}})
          .ok());
  EXPECT_EQ(may(who, Permission::wall_read, centre), "permission.denied");
  EXPECT_EQ(code_of(c.identity->set_role(c.admin, {}, {"agent", {"坐席", "Agent"}, {}, {}})),
            "identity.builtin-role");
}

TEST_F(MayTest, NobodyGivesMoreThanTheyHave) {
  ASSERT_TRUE(
      c.identity
          ->set_role(c.admin, {},
                     {"hr",
                      {"人事", "Personnel"},
                      {Permission::people_manage, Permission::people_read, Permission::case_read,
                       Permission::case_start, Permission::case_act, Permission::roster_read},
                      {}})
          .ok());
  c.person("hr", {"hr"}, north);
  auto hr = c.principal("hr");
  auto add = [&](std::vector<Grant> grants, const std::string& org) {
    static int n = 0;
    return code_of(c.identity->add_person(
        hr, {},
        {.name = "新", .login = "new" + std::to_string(n++), .org = org, .grants = grants}));
  };
  EXPECT_EQ(add({{"agent", centre}}, centre), "");
  EXPECT_EQ(add({{"administrator", centre}}, centre), "identity.grant-beyond-own");
  EXPECT_EQ(add({{"agent", south}}, centre), "permission.missing");
  EXPECT_EQ(add({}, south), "permission.missing");
  EXPECT_EQ(add({{"nonsense", centre}}, centre), "identity.unknown-role");
  auto self = c.read([&] { return c.identity->person_by_login("hr")->id; });
  EXPECT_EQ(code_of(c.identity->grant(hr, {}, self, {"administrator", north})),
            "identity.grant-beyond-own");
}

TEST_F(MayTest, AnAuditorsDenyIsNotTheirsToLift) {
  auto id = c.person("aud", {"auditor"}, hq);
  auto who = c.principal("aud");
  EXPECT_EQ(code_of(c.identity->withdraw(who, {}, id, {"auditor", hq})), "permission.denied");
}

TEST_F(MayTest, DangerousActsNeedAFreshProof) {
  auto id = c.person("wang");
  c.clock.advance_ms(11 * 60'000);
  EXPECT_EQ(code_of(c.identity->reset_password(c.admin, {}, id)), "session.step-up-required");
  EXPECT_EQ(code_of(c.identity->grant(c.admin, {}, id, {"agent", hq})), "session.step-up-required");
  EXPECT_EQ(code_of(c.identity->change_person(c.admin, {}, id, {.phone = "1"})), "")
      << "others do not";
}

TEST(Permissions, TheTableAndTheEnumerationAgree) {
  std::set<std::string> names;
  for (std::size_t i = 0; i < permission_count; ++i) {
    EXPECT_EQ(static_cast<std::size_t>(permissions()[i].id), i);
    EXPECT_EQ(permission_named(permissions()[i].name), permissions()[i].id);
    names.insert(permissions()[i].name);
    EXPECT_FALSE(permissions()[i].title.zh.empty() || permissions()[i].title.en.empty());
  }
  EXPECT_EQ(names.size(), permission_count);
  EXPECT_EQ(code_of(PermissionSet::parse({"case.read", "case.fly"}, "/scopes")),
            "permission.unknown");
}

}  // namespace
}  // namespace cw
