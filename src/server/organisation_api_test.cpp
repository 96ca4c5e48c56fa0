#include <gmock/gmock.h>

#include "api_testing.h"
#include "organisation/organisation.h"

// A house's organisation from its file, over HTTP: told first, then done, then nothing left to do.
namespace cw {
namespace {

using testing::HasSubstr;

class OrganisationApi : public CentreApi {
 protected:
  OrganisationApi() {
    // The administrator of the first start, with a password of their own.
    const auto& first = in_->first();
    EXPECT_TRUE(first.has_value());
    auto& access = in_->identity().access();
    auto signed_in = access.sign_in(
        {.login = first->login, .password = first->one_time_password, .address = "127.0.0.1"});
    EXPECT_TRUE(signed_in.ok());
    EXPECT_TRUE(
        access.change_password(signed_in->principal, first->one_time_password, kPassword).ok());
  }
  http::ClientResponse load(const std::string& login, const std::string& text, bool dry_run) {
    return ask(login, "POST", "/organisation", json::object{{"text", text}, {"dry_run", dry_run}});
  }
  static std::vector<std::string> changes(const json::object& answer) {
    std::vector<std::string> out;
    for (const json::value& v : answer.at("steps").as_array()) {
      const json::object& s = v.as_object();
      if (s.at("act") == "same") continue;
      out.push_back(std::string(text_or(s, "act")) + " " + std::string(text_or(s, "what")) + " " +
                    std::string(text_or(s, "id")) + " " + std::string(text_or(s, "org")));
    }
    return out;
  }
};

const std::string kHouse = R"(organisation: house
version: 1
title: {zh: 一家, en: A house}
uses: call-centre
orgs:
  root:
    holders:
      counsel: {holder: tang, deputies: [qian]}
    members:
      technical: [he, sun, tang]
  north:
    title: {zh: 北方中心, en: Northern Centre}
    kind: centre
    queues: {ticket.after-sales: {people: [tang]}}
people:
  tang: {name: 唐宁, staff_no: '7001', role: dpo, org: north, reach: root}
)";

TEST_F(OrganisationApi, IsToldFirstThenDoneAndTheSecondTimeNothingChanges) {
  const std::vector<std::string> expected{"add org north root", "add person tang north",
                                          "change post counsel root", "change team technical root",
                                          "add queue ticket.after-sales north"};
  ask("admin", "GET", "/session");  // signing in is an entry
  const std::uint64_t size = in_->journal().size();
  auto told = load("admin", kHouse, true);
  ASSERT_EQ(told.status, 200) << told.body;
  EXPECT_EQ(changes(body(told)), expected);
  EXPECT_EQ(in_->journal().size(), size) << "a dry run writes nothing";

  auto done = load("admin", kHouse, false);
  ASSERT_EQ(done.status, 200) << done.body;
  EXPECT_EQ(changes(body(done)), expected);
  ASSERT_EQ(body(done).at("issued").as_array().size(), 1u);
  const std::string secret(text_or(body(done).at("issued").as_array()[0].as_object(), "secret"));
  EXPECT_TRUE(in_->identity()
                  .access()
                  .sign_in({.login = "tang", .password = secret, .address = "127.0.0.1"})
                  .ok());
  in_->journal().read([&] {
    const auto tang = in_->identity().person_by_login("tang");
    EXPECT_EQ(in_->identity().post_people("counsel", in_->identity().root()),
              std::vector<std::string>{tang->id});
    EXPECT_EQ(in_->identity().queue_people("ticket.after-sales", tang->org),
              std::vector<std::string>{tang->id});
  });

  const std::uint64_t after = in_->journal().size();
  EXPECT_TRUE(changes(body(load("admin", kHouse, true))).empty());
  EXPECT_TRUE(changes(body(load("admin", kHouse, false))).empty());
  EXPECT_EQ(in_->journal().size(), after);
}

TEST_F(OrganisationApi, MistakesNameLineAndColumnAndNothingIsWritten) {
  ask("admin", "GET", "/session");  // signing in is an entry
  const std::uint64_t size = in_->journal().size();
  auto wrong = load("admin", kHouse + "posts: {x: {title: {zh: 甲}}}\n", false);
  EXPECT_EQ(wrong.status, 422) << wrong.body;
  EXPECT_EQ(code(wrong), "organisation.mistakes");
  EXPECT_THAT(wrong.body, HasSubstr("/text:17:12"));  // the post lacks its duty
  EXPECT_THAT(wrong.body, HasSubstr("/text:17:20"));  // and its title the English
  std::string unknown = kHouse;
  unknown.replace(unknown.find("[qian]"), 6, "[nobody]");
  auto who = load("admin", unknown, false);
  EXPECT_EQ(who.status, 422) << who.body;
  EXPECT_THAT(who.body, HasSubstr("/text:8:7"));
  EXPECT_EQ(in_->journal().size(), size);
  EXPECT_EQ(load("wang", kHouse, true).status, 403);
}

TEST_F(OrganisationApi, TheDemonstrationIsItsFileAndTheTemplateIsWhatIdentityKnowsAlready) {
  std::vector<Mistake> mistakes;
  const FindOrganisation find = templates_in(in_->content());
  auto demonstration = find("demonstration"), house = find("call-centre");
  ASSERT_TRUE(demonstration && house);
  in_->journal().read([&] {
    EXPECT_EQ(plan_organisation(*demonstration, in_->identity(), mistakes).changes(), 0u);
    const auto plan = plan_organisation(*house, in_->identity(), mistakes);
    for (const OrganisationStep& s : plan.steps) EXPECT_EQ(s.act, "same") << s.what << " " << s.id;
    // What the demonstration leaves open is told: fewer deputies than the template asks for.
    EXPECT_FALSE(plan.gaps.empty());
  });
  EXPECT_TRUE(mistakes.empty());
}

// A task is somebody's: what ships names no post, team or level of command that its own template
// does not have, and no step is left to nobody.
TEST_F(OrganisationApi, EveryStepOfEveryShippedProcedureHasAPostOfTheTemplate) {
  const auto house = templates_in(in_->content())("call-centre");
  ASSERT_TRUE(house);
  std::set<std::string> known, headed;
  for (const auto& post : house->posts) {
    known.insert("post:" + post.id);
    headed.insert(post.heads.begin(), post.heads.end());
  }
  for (const auto& group : house->groups)
    if (!group.team.empty()) known.insert("team:" + group.team);
  std::size_t steps = 0;
  const Library library = in_->engine().library();
  for (const auto& [id, d] : library.procedures()) {
    std::vector<bool> nobody;  // by role: the template has no such post, team or head
    for (const RoleDef& role : d->roles) {
      using Kind = RoleDef::Kind;
      const bool post = role.kind == Kind::post, team = role.kind == Kind::team;
      nobody.push_back((post && !known.contains("post:" + role.name)) ||
                       (team && !known.contains("team:" + role.name)));
      EXPECT_FALSE(nobody.back()) << id << ": " << role.id << " is " << role.name;
      if (role.kind == Kind::level_chief)
        for (const std::string& level : d->levels)
          EXPECT_TRUE(headed.contains(level)) << id << ": nobody heads " << level;
    }
    const auto somebody = [&](const std::vector<int>& by) {
      return std::any_of(by.begin(), by.end(), [&](int role) { return !nobody[role]; });
    };
    for (const TaskDef& task : d->tasks) {
      EXPECT_TRUE(somebody(task.by)) << id << ": " << task.id;
      if (!task.approve.roles.empty()) EXPECT_TRUE(somebody(task.approve.roles)) << id << task.id;
    }
    for (const ActionDef& action : d->actions)
      if (action.kind == ActionDef::Kind::person && !action.amend)
        EXPECT_TRUE(somebody(action.by)) << id << ": " << action.id;
    steps += d->tasks.size() + d->actions.size();
  }
  EXPECT_GT(steps, 1'000u);
  for (const auto& [id, scenario] : in_->drills().folder().all())
    for (const std::string& what : scenario->participants)
      EXPECT_TRUE(known.contains(what) || what.starts_with("queue:")) << id << ": " << what;
  for (const auto& [id, source] : in_->roster().templates()) {
    const auto roster = Roster::read(source);
    ASSERT_TRUE(roster.ok()) << id;
    for (const RosterLayer& layer : roster->layers)
      EXPECT_TRUE(layer.holds.empty() || known.contains(layer.holds)) << id << ": " << layer.holds;
  }
}

}  // namespace
}  // namespace cw
