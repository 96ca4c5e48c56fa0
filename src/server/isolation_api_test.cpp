// The axis of organisations in the authorisation matrix: whoever works in one centre learns nothing
// of another's things, not even that they are, whatever their role. Made from the table of
// endpoints, so that a new one is in it by itself.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "two_centres_testing.h"

namespace cw {
namespace {

using IsolationApi = TwoCentres;

// What has no organisation: definitions, roles and the ledger are the house's, and the calendar's
// link is its own key. Everything else with an id in its path belongs to a centre.
bool of_the_house(std::string_view path) {
  for (std::string_view at : {"/procedures/", "/definitions/", "/revisions/", "/migrations/",
                              "/roles/", "/ledger/", "/roster/feed/"})
    if (path.starts_with(at)) return true;
  return false;
}

std::string below_v1(const api::EndpointInfo& e) {
  return e.path.substr(std::string_view("/api/v1").size());
}

// The path with the ids of these things.
std::string path_of(const std::string& pattern, const Things& things) {
  std::string path = pattern;
  auto put = [&](const std::string& what, const std::string& with) {
    if (auto at = path.find(what); at != std::string::npos) path.replace(at, what.size(), with);
  };
  put("{org}", things.at("orgs"));
  put("{person}", things.at("people"));
  put("{name}", "ack");
  put("{approval}", "1");
  put("{content}", "hmac-sha256:00");
  put("{form}", "start");
  if (auto at = path.find("{id}"); at != std::string::npos) {
    std::string before = path.substr(0, at - 1);
    before = before.substr(before.rfind('/') + 1);
    auto found = things.find(before);
    // Below an organisation or a person the id is a name: a post's, a team's, a qualification's.
    put("{id}", found != things.end() ? found->second : "duty-officer");
  }
  if (path.ends_with("/evidence")) path += "?name=a.txt";
  return path;
}

// A body that is read without complaint, in which everything named is the caller's own.
json::object body_of(const api::EndpointInfo& e, const Things& own, std::int64_t now_ms) {
  const std::string path = below_v1(e);
  auto ends = [&](std::string_view with) { return path.ends_with(with); };
  if (ends("/assign")) return {{"person", own.at("people")}};
  if (ends("/approvals/{approval}")) return {{"decision", "approve"}};
  if (ends("/notes")) return {{"text", "x"}};
  if (ends("/command")) return {{"brief", "x"}};
  if (ends("/watch")) return {{"on", true}};
  if (ends("/readers")) return {{"person", own.at("people")}, {"reason", "x"}, {"on", true}};
  if (ends("/{id}/delegations"))
    return {{"person", own.at("people")}, {"until_at", now_ms + 60'000}};
  if (ends("/links") || ends("/cases/{id}/merge")) return {{"other", own.at("cases")}};
  if (ends("/alerts/{id}/merge")) return {{"case_id", own.at("cases")}};
  if (ends("/promote")) return {{"procedure", "plan.system-attack"}, {"form", json::object{}}};
  if (ends("/alerts/{id}/dismiss")) return {{"disposition", "expected"}, {"reason", "x"}};
  if (ends("/grants") || ends("/withdraw"))
    if (path.starts_with("/people")) return {{"role", "agent"}, {"org", own.at("orgs")}};
  if (path.starts_with("/orgs")) return {{"name", {{"zh", "x"}, {"en", "x"}}}};
  if (path.starts_with("/people") && e.method == "PATCH") return {{"name", "x"}};
  if (path.starts_with("/teams"))
    return {{"title", {{"zh", "x"}, {"en", "x"}}}, {"members", json::array{}}};
  if (path.starts_with("/queues")) return {{"people", json::array{}}, {"teams", json::array{}}};
  if (path.starts_with("/roster/plans") && e.method == "PUT")
    return {{"source", "x"}, {"from_day", "2026-11-23"}, {"layers", json::array{}}};
  if (path.starts_with("/roster/plans")) return {{"from_day", "2026-11-23"}};
  if (ends("/answer") || ends("/decide")) return {{"yes", true}};
  if (ends("/drills/{id}/move")) return {{"on_at", now_ms + 86'400'000}, {"reason", "x"}};
  if (ends("/drills/{id}/cancel")) return {{"reason", "x"}};
  if (ends("/drills/{id}/observe")) return {{"rating", "good"}, {"text", "x"}};
  if (ends("/drills/{id}/conclude")) return {{"grade", "pass"}, {"text", "x"}, {"revise", false}};
  if (path.starts_with("/webhooks"))
    return {{"org", own.at("orgs")}, {"url", "https://hooks.example/y"}};
  return {};
}

// What an answer says, without what names the thing asked for or the request.
std::string said(const http::ClientResponse& answer, const Things& things) {
  std::string out = std::to_string(answer.status) + " " + answer.body;
  if (auto at = out.find("\"request_id\":\""); at != std::string::npos)
    out.erase(at, out.find('"', at + 14) + 1 - at);
  for (const auto& [where, id] : things)
    for (std::size_t at; (at = out.find(id)) != std::string::npos;)
      out.replace(at, id.size(), "ID");
  return out;
}

TEST_F(IsolationApi, AThingOfAnotherCentreAnswersAsOneThatNeverWas) {
  const Things none = made_up_things();
  int checked = 0;
  for (const std::string centre : kCentres)
    for (const auto& e : api::endpoints()) {
      const std::string pattern = below_v1(e);
      if (pattern.find('{') == std::string::npos || of_the_house(pattern)) continue;
      for (const std::string& stranger : logins(other(centre))) {
        const json::object in = body_of(e, things_[other(centre)], clock_.now_ms());
        const auto real = ask(stranger, e.method, path_of(pattern, things_[centre]), in);
        const auto made_up = ask(stranger, e.method, path_of(pattern, none), in);
        const std::string what = stranger + " " + e.method + " " + pattern;
        EXPECT_TRUE(real.status == 403 || real.status == 404) << what << " " << real.body;
        EXPECT_EQ(said(real, things_[centre]), said(made_up, none)) << what;
        ++checked;
      }
    }
  std::cout << "organisations: " << checked << " requests for another centre's things\n";
  EXPECT_GT(checked, 1000);
}

// Else the test above would compare nothing with nothing.
TEST_F(IsolationApi, EachOfThoseThingsIsThereForSomebodyOfItsOwnCentre) {
  const Things none = made_up_things();
  const std::string centre = "east";
  for (const std::string& own : logins(centre)) read(own, "/session");  // one gets a new password
  for (const auto& e : api::endpoints()) {
    const std::string pattern = below_v1(e);
    if (pattern.find('{') == std::string::npos || of_the_house(pattern)) continue;
    const json::object in = body_of(e, things_[centre], clock_.now_ms());
    bool there = false;
    for (const std::string& own : logins(centre)) {
      const auto made_up = ask(own, e.method, path_of(pattern, none), in);
      const auto real = ask(own, e.method, path_of(pattern, things_[centre]), in);
      EXPECT_NE(code(real), "api.fields") << e.method << " " << pattern << " " << real.body;
      there = said(real, things_[centre]) != said(made_up, none);
      if (there) break;
    }
    EXPECT_TRUE(there) << "nobody of its centre reaches " << e.method << " " << pattern;
  }
}

TEST_F(IsolationApi, NoListNamesAThingOfAnotherCentre) {
  int checked = 0;
  for (const auto& e : api::endpoints()) {
    const std::string path = below_v1(e);
    if (e.method != "GET" || path.find('{') != std::string::npos || path == "/events") continue;
    for (const std::string& stranger : logins("west")) {
      for (const char* query : {"", "?state=pending&mode=all&limit=200"}) {
        const auto answer = ask(stranger, "GET", path + query);
        if (answer.status != 200) continue;
        for (const auto& [where, id] : things_["east"])
          EXPECT_EQ(answer.body.find(id), std::string::npos)
              << stranger << " " << path << query << " names one of " << where;
        ++checked;
      }
    }
  }
  EXPECT_GT(checked, 200);
}

// An installation has one ledger, which anybody may verify as a whole; what an entry says is for
// its own organisation.
TEST_F(IsolationApi, TheLedgerCountsAnotherCentresEntriesAndTellsNothingOfThem) {
  std::set<std::string> kinds;
  for (std::uint64_t seq = 0; seq < in_->journal().size(); ++seq) {
    const auto entry = Entry::parse(in_->journal().entries(seq, 1).at(0));
    ASSERT_TRUE(entry.ok());
    const bool of_case = entry->case_id == things_["east"]["cases"];
    const bool of_alert = text_or(entry->body, "alert") == things_["east"]["alerts"];
    const bool of_drill = text_or(entry->body, "drill") == things_["east"]["drills"];
    if (!of_case && !of_alert && !of_drill) continue;
    kinds.insert(entry->kind);
    const std::string at = "/ledger/entries/" + std::to_string(seq);
    for (const char* role : {"duty-officer", "auditor", "administrator"}) {
      const json::object theirs = read(login(role, "west"), at);
      EXPECT_EQ(text_or(theirs, "canonical"), "") << entry->kind;
      EXPECT_EQ(text_or(theirs.at("row").as_object(), "kind"), "restricted") << entry->kind;
      EXPECT_FALSE(theirs.at("row").as_object().contains("case_ref"));
      const json::object own = read(login(role, "east"), at);
      EXPECT_EQ(text_or(own.at("row").as_object(), "kind"), entry->kind);
      EXPECT_EQ(text_or(own.at("row").as_object(), "hash"),
                text_or(theirs.at("row").as_object(), "hash"));
    }
    const auto proof = ask(login("dpo", "west"), "GET", at + "/proof");
    EXPECT_EQ(proof.status, 200);
    EXPECT_EQ(proof.body.find("\nextra "), std::string::npos);
  }
  EXPECT_GE(kinds.size(), 3u);
  // Bundles hold whole entries.
  EXPECT_EQ(ask(login("dpo", "west"), "GET", "/ledger/log/checkpoint").status, 200);
  EXPECT_EQ(ask(login("dpo", "west"), "GET", "/ledger/log/tile/entries/000").status, 404);
}

TEST_F(IsolationApi, EventsOfACaseAreHeardInItsCentreByWhoMayReadCases) {
  std::map<std::string, std::unique_ptr<http::Client>> ears;
  for (const char* centre : kCentres)
    for (const char* role : kRoles) {
      const std::string who = login(role, centre);
      read(who, "/session");
      auto& ear = ears[who] = std::make_unique<http::Client>("127.0.0.1", in_->server()->port());
      auto opened = ear->open_events("/api/v1/events", sessions_[who]);
      ASSERT_TRUE(opened.ok() && opened->status == 200) << who;
      auto hello = ear->next_event(5'000);
      ASSERT_TRUE(hello && hello->event == "hello") << who;
    }
  const std::string id = things_["east"]["cases"];
  ASSERT_EQ(ask("duty-officer-east", "POST", "/cases/" + id + "/notes", {{"text", "x"}}).status,
            200);
  // Then something that everybody hears: whose last event it is has missed nothing before.
  const std::int64_t from = clock_.now_ms() + 2 * 86'400'000;
  ASSERT_EQ(ask("two-east", "POST", "/roster/leaves",
                {{"kind", "annual"}, {"from_at", from}, {"to_at", from + 3'600'000}})
                .status,
            200);
  for (const auto& [who, ear] : ears) {
    bool heard = false;
    for (std::optional<http::Event> e; (e = ear->next_event(10'000)) && e->event != "roster";)
      heard = heard || e->data.find(id) != std::string::npos;
    const bool may = who.ends_with("-east") && !who.starts_with("administrator");
    EXPECT_EQ(heard, may) << who;
  }
}

// What anybody may ask, and what only needs a session, is written down here once more: an endpoint
// that is declared so by mistake fails this test, whatever it answers.
TEST(ApiAccess, WhatIsPublicOrNeedsOnlyASessionIsThisAndNothingElse) {
  const std::set<std::string> open = {
      "POST /api/v1/session",  "GET /api/v1/roster/feed/{key}", "GET /api/v1/health",
      "GET /api/v1/print.css", "POST /api/v1/test/clock",  // in servers started for tests alone
  };
  const std::set<std::string> session = {
      "GET /api/v1/session",
      "DELETE /api/v1/session",
      "POST /api/v1/session/password",
      "POST /api/v1/session/totp",
      "POST /api/v1/session/totp/confirm",
      "POST /api/v1/session/totp/drop",
      "POST /api/v1/session/step-up",
      "PUT /api/v1/session/lang",
      "GET /api/v1/sessions",
      "DELETE /api/v1/sessions/{id}",
      "GET /api/v1/delegations",
      "POST /api/v1/delegations",
      "DELETE /api/v1/delegations/{id}",
      "GET /api/v1/notices",
      "POST /api/v1/notices/read",
      "POST /api/v1/notices/{id}/acknowledge",
      "GET /api/v1/notices/wish",
      "PUT /api/v1/notices/wish",
      "GET /api/v1/events",
  };
  std::set<std::string> found_open, found_session;
  for (const auto& e : api::endpoints()) {
    if (e.access == "public") found_open.insert(e.method + " " + e.path);
    if (e.access == "session") found_session.insert(e.method + " " + e.path);
  }
  EXPECT_EQ(found_open, open);
  EXPECT_EQ(found_session, session);
}

}  // namespace
}  // namespace cw
