// For tests of what one organisation learns of another: in each of two centres somebody of every
// role, and one of everything that has an id.
#pragma once

#include "api/api.h"
#include "api_testing.h"

namespace cw {

// Ids of one centre's things, by the segment of the path before them ("cases" → "cas_…").
using Things = std::map<std::string, std::string>;

inline Things made_up_things() {
  Things out;
  for (const auto& [where, kind] : {std::pair{"cases", "cas"},
                                    {"alerts", "alt"},
                                    {"silences", "sil"},
                                    {"people", "per"},
                                    {"orgs", "org"},
                                    {"tokens", "tok"},
                                    {"delegations", "dlg"},
                                    {"sessions", "ses"},
                                    {"calls", "cal"},
                                    {"swaps", "swp"},
                                    {"leaves", "lea"},
                                    {"drills", "drl"},
                                    {"notices", "msg"},
                                    {"outbox", "out"},
                                    {"webhooks", "whk"}})
    out[where] = std::string(kind) + "_00000000000000000000000000";
  return out;
}

class TwoCentres : public CentreApi {
 protected:
  static constexpr const char* kRoles[] = {"agent",    "lead", "duty-officer", "commander",
                                           "security", "dpo",  "auditor",      "administrator"};
  // More agents of each: they have shifts, and what belongs to a person.
  static constexpr const char* kAgents[] = {"one", "two", "three", "spare"};
  static constexpr const char* kCentres[] = {"east", "west"};

  TwoCentres() {
    for (const char* centre : kCentres) {
      people_of(centre);
      if (!HasFatalFailure()) duty_of(centre);
      if (!HasFatalFailure()) work_of(centre);
    }
    for (const char* centre : kCentres) hooks_of(centre);  // last: nothing here is ever sent
  }

  static std::string login(std::string_view role, std::string_view centre) {
    return std::string(role) + "-" + std::string(centre);
  }
  // People of a centre, whoever they are.
  static std::vector<std::string> logins(const std::string& centre) {
    std::vector<std::string> out;
    for (const char* role : kRoles) out.push_back(login(role, centre));
    for (const char* agent : kAgents) out.push_back(login(agent, centre));
    return out;
  }
  static const char* other(const std::string& centre) { return centre == "east" ? "west" : "east"; }

  Principal as(const std::string& login) {
    Principal p;
    p.actor = p.person =
        in_->journal().read([&] { return in_->identity().person_by_login(login)->id; });
    p.org = things_[login.substr(login.rfind('-') + 1)]["orgs"];
    return p;
  }

  std::map<std::string, Things> things_;  // by centre

 private:
  static std::string id_in(const Result<Answer>& answer, const char* member = "id") {
    EXPECT_TRUE(answer.ok()) << (answer ? "" : answer.problem().text.en);
    return answer ? std::string(text_or(answer->body, member)) : std::string();
  }

  void people_of(const std::string& centre) {
    Identity& identity = in_->identity();
    const Principal system = Principal::system();
    Things& t = things_[centre];
    const std::string root = in_->journal().read([&] { return identity.root(); });
    t["orgs"] = id_in(identity.add_org(system, {}, root, "centre", {centre, centre}));
    int n = centre == "east" ? 8100 : 8200;
    auto add = [&](const std::string& name, const char* role) {
      const std::string whole = login(name, centre);
      auto made = identity.add_person(system, {},
                                      {.name = whole,
                                       .login = whole,
                                       .staff_no = std::to_string(n++),
                                       .org = t["orgs"],
                                       .email = {},
                                       .phone = {},
                                       .grants = {{role, t["orgs"]}}});
      ASSERT_TRUE(made.ok()) << made.problem().text.en;
      auto in = identity.access().sign_in({.login = whole,
                                           .password = made->secret,
                                           .code = {},
                                           .address = "127.0.0.1",
                                           .lang = {}});
      ASSERT_TRUE(in.ok()) << in.problem().text.en;
      ASSERT_TRUE(identity.access().change_password(in->principal, made->secret, kPassword).ok());
      if (name == "three") t["people"] = made->id;  // nothing else here is theirs
      if (name == "one") t["sessions"] = in->principal.session;
    };
    for (const char* role : kRoles) add(role, role);
    for (const char* agent : kAgents) add(agent, "agent");
    Token token;
    token.org = t["orgs"];
    token.label = "probe " + centre;
    token.scopes = {Permission::case_read};
    token.expires_at = clock_.now_ms() + 86'400'000;
    auto made = identity.add_token(system, {}, token);
    ASSERT_TRUE(made.ok()) << made.problem().text.en;
    t["tokens"] = made->id;
    ASSERT_TRUE(identity
                    .set_post(system, {},
                              {.org = t["orgs"],
                               .id = "duty-officer",
                               .title = {},
                               .holder = as(login("duty-officer", centre)).person,
                               .deputies = {},
                               .chief_of = {}})
                    .ok());
  }

  void duty_of(const std::string& centre) {
    Roster& roster = in_->roster();
    const Principal system = Principal::system();
    Things& t = things_[centre];
    auto id = [&](const char* who) { return as(login(who, centre)).person; };
    const std::int64_t today = in_->journal().read([&] { return roster.today(t["orgs"]); });
    for (const char* agent : {"agent", "one", "two", "three", "spare"})
      ASSERT_TRUE(roster.qualify(system, {}, {id(agent), "duty", 0}, false).ok());
    RosterInput plan{.org = t["orgs"],
                     .source = roster.templates().at("headquarters"),
                     .from_day = today - 7,
                     .anchor_day = today,
                     .layers = {}};
    plan.layers["officer"] = {{{id("duty-officer")}, {}}, {{id("lead")}, {}}};
    plan.layers["commander"] = {{{id("commander")}, {}}, {{id("security")}, {}}};
    for (const char* agent : {"agent", "one", "two", "three"})
      plan.layers["line"].push_back({{id(agent)}, {}});
    id_in(roster.set(system, {}, plan));
    auto shifts =
        in_->journal().read([&] { return roster.shifts_of(id("one"), today + 1, today + 12); });
    for (const Shift& s : shifts) {
      auto asked = roster.ask_swap(as(login("one", centre)), {}, s.ref, id("spare"), std::nullopt);
      if (asked) t["swaps"] = text_or(asked->body, "id");
      if (asked) break;
    }
    const std::int64_t from = clock_.now_ms() + 86'400'000;
    auto leave =
        roster.ask_leave(as(login("one", centre)), {}, id("one"), "annual", from, from + 3'600'000);
    ASSERT_TRUE(leave.ok()) << leave.problem().text.en;
    t["leaves"] = leave->body.at("ids").as_array().at(0).as_string();
  }

  void work_of(const std::string& centre) {
    Things& t = things_[centre];
    const std::string officer = login("duty-officer", centre);
    const std::int64_t tomorrow = clock_.now_ms() + 86'400'000;
    auto post = [&](const std::string& who, const char* path, const json::object& in) {
      auto answer = ask(who, "POST", path, in);
      EXPECT_LT(answer.status, 300) << path << answer.body;
      return std::string(text_or(body(answer), "id"));
    };
    t["cases"] = post(officer, "/cases",
                      {{"procedure", "plan.customer-leak"},
                       {"form", {{"discovered_at", "2026-11-22T00:00:00Z"}, {"summary", "x"}}}});
    auto fired = in_->watch().signal(
        {"probe", t["orgs"]},
        json::object{
            {"key", "k"}, {"title", "An attack"}, {"severity", "critical"}, {"warning", "red"}});
    ASSERT_TRUE(fired.ok()) << fired.problem().text.en;
    t["alerts"] = fired->alert;
    in_->advance();
    auto calls = in_->journal().read([&] { return in_->roster().calls(t["orgs"]); });
    ASSERT_FALSE(calls.empty()) << "an urgent alert calls who is on duty";
    t["calls"] = calls[0].id;
    t["silences"] = post(
        officer, "/silences",
        {{"org", t["orgs"]}, {"rule", "signal.other"}, {"reason", "x"}, {"expires_at", tomorrow}});
    t["delegations"] = post(officer, "/delegations",
                            {{"to", as(login("lead", centre)).person}, {"until_at", tomorrow}});
    auto inbox = in_->notify().inbox(as(login("lead", centre)).person, {});
    ASSERT_FALSE(inbox.items.empty());
    t["notices"] = inbox.items[0].id;
    t["drills"] = post(login("security", centre), "/drills",
                       {{"scenario", "system-attack"}, {"on_at", tomorrow}});
  }

  void hooks_of(const std::string& centre) {
    Things& t = things_[centre];
    Principal system = Principal::system();
    Webhook hook;
    hook.org = t["orgs"];
    hook.url = "https://hooks.example/x";
    auto made = in_->notify().set_webhook(system, {}, hook);
    ASSERT_TRUE(made.ok()) << made.problem().text.en;
    t["webhooks"] = made->id;
    ASSERT_TRUE(in_->notify().test(system, {}, "webhook", made->id).ok());
    for (const auto& item : in_->notify().outbox(system, {.state = "pending", .cursor = {}}).items)
      if (item.org == t["orgs"] && item.channel == "webhook") t["outbox"] = item.id;
    for (const auto& [where, made_up] : made_up_things())
      EXPECT_GT(t[where].size(), 4u) << centre << " has nothing in " << where;
  }
};

}  // namespace cw
