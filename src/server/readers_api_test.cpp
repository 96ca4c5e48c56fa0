// Cases that only their readers may see: what an administrator, an auditor and another organisation
// learn of one over HTTP is what they learn of a case that does not exist.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/api.h"
#include "api_testing.h"

namespace cw {
namespace {

class ReadersApi : public CentreApi {
 protected:
  ReadersApi() {
    // An administrator who also holds a role that reads every case of every organisation.
    const Principal system = Principal::system();
    const std::string root = in_->journal().read([&] { return in_->identity().root(); });
    EXPECT_TRUE(
        in_->identity().grant(system, {}, centre_->id("sun"), {"administrator", root}).ok());
    auto made = ask("zheng", "POST", "/cases",
                    {{"procedure", "whistle-blower"},
                     {"form",
                      {{"kind", "leak"},
                       {"anonymous", true},
                       {"content", "有人倒卖客户名单"},
                       {"channel", "web"}}}});
    EXPECT_EQ(made.status, 201) << made.body;
    id_ = text_or(body(made), "id");
    number_ = text_or(body(made), "number");
    EXPECT_EQ(number_, "WB-2026-0001");
  }

  static std::string path_of(const api::EndpointInfo& e, const std::string& case_id) {
    std::string path = e.path.substr(std::string("/api/v1").size());
    for (const auto& [what, with] : {std::pair<std::string, std::string>{"{id}", case_id},
                                     {"{name}", "accept"},
                                     {"{approval}", "1"},
                                     {"{content}", "hmac-sha256:00"},
                                     {"{form}", "start"},
                                     {"{person}", "per_00000000000000000000000000"}})
      if (auto at = path.find(what); at != std::string::npos) path.replace(at, what.size(), with);
    return path;
  }

  std::string id_, number_;
  const std::vector<const char*> outsiders_{"sun", "liu", "wang", "han", "he", "feng"};
};

TEST_F(ReadersApi, EveryEndpointAnswersAnOutsiderAsIfTheCaseWereNone) {
  int checked = 0;
  for (const char* login : outsiders_) {
    for (const auto& e : api::endpoints()) {
      if (e.path.find("/cases/{id}") == std::string::npos) continue;
      for (const std::string& name : {id_, number_}) {
        const std::string none = name == id_ ? "cas_00000000000000000000000000" : "WB-2026-0099";
        auto real = ask(login, e.method, path_of(e, name));
        auto made_up = ask(login, e.method, path_of(e, none));
        EXPECT_GE(real.status, 400) << login << " " << e.method << " " << e.path;
        EXPECT_NE(real.status, 500) << login << " " << e.method << " " << e.path;
        EXPECT_EQ(real.status, made_up.status) << login << " " << e.method << " " << e.path;
        EXPECT_EQ(code(real), code(made_up)) << login << " " << e.method << " " << e.path;
        ++checked;
      }
    }
    // To act on it through another case or an alert is no way in either.
    auto other = ask(login, "POST", "/cases/" + id_ + "/links", {{"other", id_}});
    EXPECT_GE(other.status, 400) << login;
  }
  EXPECT_GT(checked, 200);
  EXPECT_EQ(ask("sun", "GET", "/cases?mode=all").status, 200) << "who reads all other cases";
}

TEST_F(ReadersApi, NoListCountSearchMessageOrLedgerNamesItToAnOutsider) {
  // One more entry that the ledger will show: the receiver asks for approval to refuse.
  auto asked =
      ask("wu", "POST", "/cases/" + id_ + "/actions/refuse",
          {{"form", {{"answered_at", "2026-11-22T00:00:00Z"}, {"way", "code"}, {"text", "-"}}}});
  ASSERT_EQ(asked.status, 200) << asked.body;
  const auto size = static_cast<std::int64_t>(in_->journal().size());
  std::vector<std::string> lists{"/cases?mode=all",
                                 "/cases?mode=all&procedure=whistle-blower",
                                 "/cases?q=WB",
                                 "/cases?starter=me",
                                 "/workbench",
                                 "/search?q=WB-2026",
                                 "/search?q=" + std::string("%E4%B8%BE%E6%8A%A5"),
                                 "/alerts?case=" + id_,
                                 "/notices",
                                 "/drills",
                                 "/ledger/entries?limit=500"};
  for (const char* state : {"dead", "pending", "sent"})
    lists.push_back(std::string("/outbox?state=") + state);
  for (std::int64_t seq = size - 6; seq < size; ++seq)
    lists.push_back("/ledger/entries/" + std::to_string(seq));
  for (const char* login : outsiders_)
    for (const std::string& list : lists) {
      auto answer = ask(login, "GET", list);
      EXPECT_TRUE(answer.status == 200 || answer.status == 403) << login << " " << list;
      EXPECT_EQ(answer.body.find(id_), std::string::npos) << login << " " << list;
      EXPECT_EQ(answer.body.find(number_), std::string::npos) << login << " " << list;
      EXPECT_EQ(answer.body.find(centre_->id("zheng") + "\",\"basis\":\"any"), std::string::npos)
          << login << " " << list;
    }
  EXPECT_EQ(int_or(read("liu", "/cases?mode=all&open=true&procedure=whistle-blower"), "total"), 0);
  EXPECT_EQ(int_or(read("wu", "/cases?mode=all&open=true&procedure=whistle-blower"), "total"), 1);
  // The ledger still counts, hashes and proves the entry.
  const std::string entry = "/ledger/entries/" + std::to_string(size - 1);
  const json::object hidden = read("liu", entry), shown = read("wu", entry);
  EXPECT_EQ(text_or(hidden, "canonical"), "");
  EXPECT_EQ(text_or(hidden.at("row").as_object(), "kind"), "restricted");
  EXPECT_EQ(text_or(hidden.at("row").as_object(), "hash"),
            text_or(shown.at("row").as_object(), "hash"));
  EXPECT_NE(text_or(shown, "canonical").find(id_), std::string::npos);
  auto proof = ask("liu", "GET", entry + "/proof");
  EXPECT_EQ(proof.status, 200);
  EXPECT_EQ(proof.body.find("\nextra "), std::string::npos) << "the entry stands in that line";
  EXPECT_NE(ask("wu", "GET", entry + "/proof").body.find("\nextra "), std::string::npos);
  // Bundles hold whole entries.
  EXPECT_EQ(ask("liu", "GET", "/ledger/log/checkpoint").status, 200);
  const std::int64_t number = (size - 1) / 256, filled = size - number * 256;
  std::string digits = std::to_string(number);
  digits.insert(0, 3 - digits.size(), '0');
  const std::string bundle =
      "/ledger/log/tile/entries/" + digits + (filled < 256 ? ".p/" + std::to_string(filled) : "");
  auto refused = ask("liu", "GET", bundle);
  EXPECT_EQ(refused.status, 404) << bundle;
}

TEST_F(ReadersApi, EventsOfItReachItsReadersAlone) {
  http::Client outsider("127.0.0.1", in_->server()->port());
  http::Client reader("127.0.0.1", in_->server()->port());
  read("sun", "/session");
  read("wu", "/session");
  ASSERT_TRUE(outsider.open_events("/api/v1/events", sessions_["sun"]));
  ASSERT_TRUE(reader.open_events("/api/v1/events", sessions_["wu"]));
  ASSERT_EQ(outsider.next_event(5000)->event, "hello") << "both listen";
  ASSERT_EQ(reader.next_event(5000)->event, "hello");
  ask("zheng", "POST", "/cases/" + id_ + "/notes", {{"text", "补充"}});
  ask("wang", "POST", "/cases",
      {{"procedure", "plan.customer-leak"},
       {"form", {{"discovered_at", "2026-11-22T00:00:00Z"}, {"summary", "x"}}}});
  auto cases = [&](http::Client& client) {
    std::vector<std::string> out;
    for (int i = 0; i < 40 && out.size() < 2; ++i)
      if (auto e = client.next_event(250); e && e->event == "case") {
        const bool it = e->data.find(id_) != std::string::npos;
        if (out.empty() || out.back() != (it ? "it" : "other")) out.push_back(it ? "it" : "other");
        if (!it) break;
      }
    return out;
  };
  EXPECT_EQ(cases(reader), (std::vector<std::string>{"it", "other"}));
  EXPECT_EQ(cases(outsider), (std::vector<std::string>{"other"}));
}

TEST_F(ReadersApi, AMigrationCountsItWithoutItsName) {
  const std::string at = "/definitions/procedures/whistle-blower";
  const std::int64_t version = int_or(read("li", at).at("definition").as_object(), "version");
  std::string text(text_or(read("he", at + "/text"), "text"));
  const std::string line = "version: " + std::to_string(version) + "\n";
  ASSERT_NE(text.find(line), std::string::npos);
  text.replace(text.find(line), line.size(), "version: " + std::to_string(version + 1) + "\n");
  const json::object it{{"kind", "procedures"}, {"id", "whistle-blower"}, {"text", text}};
  auto made = ask("he", "POST", "/revisions", {{"title", "x"}, {"documents", json::array{it}}});
  const std::string revision = "/revisions/" + std::string(text_or(body(made), "id"));
  EXPECT_EQ(ask("he", "POST", revision + "/submit").status, 200) << made.body;
  EXPECT_EQ(ask("sun", "POST", revision + "/pass").status, 200);
  EXPECT_EQ(ask("li", "POST", revision + "/approve", {{"waiver", "x"}}).status, 200);
  const auto planned = ask("li", "POST", at + "/migration-plan", {{"from", version}});
  ASSERT_EQ(planned.status, 200) << planned.body;
  EXPECT_EQ(int_or(body(planned), "cases"), 1);
  EXPECT_TRUE(body(planned).at("items").as_array().empty());
  EXPECT_EQ(planned.body.find(id_), std::string::npos) << planned.body;
  EXPECT_EQ(planned.body.find(number_), std::string::npos) << planned.body;
}

TEST_F(ReadersApi, TheListOfReadersIsChangedByANamedRoleWithAReason) {
  const std::string readers = "/cases/" + id_ + "/readers", record = "/cases/" + id_;
  auto let_in = [&](const char* by, const char* whom, bool on, const char* reason) {
    return ask(by, "POST", readers,
               {{"person", centre_->id(whom)}, {"on", on}, {"reason", reason}});
  };
  EXPECT_EQ(let_in("zheng", "li", true, "请帮忙").status, 403) << "the reporter may not";
  EXPECT_EQ(code(let_in("wu", "li", true, "")), "text.required");
  EXPECT_EQ(ask("wang", "GET", record).status, 404);
  EXPECT_EQ(let_in("wu", "wang", true, "核实当班记录").status, 200);
  const json::object seen = read("wang", record);
  EXPECT_TRUE(bool_or(seen, "restricted"));
  EXPECT_FALSE(bool_or(seen, "can_admit"));
  EXPECT_EQ(seen.at("readers").as_array().size(), 1u);
  EXPECT_NE(ask("wang", "GET", "/search?q=" + number_).body.find(number_), std::string::npos);
  EXPECT_EQ(let_in("wang", "he", true, "一起看").status, 403) << "a reader lets nobody in";
  EXPECT_EQ(let_in("wu", "wang", false, "核实完毕").status, 200);
  EXPECT_EQ(ask("wang", "GET", record).status, 404);
  // A case of another kind has no such list.
  auto open = ask("wang", "POST", "/cases",
                  {{"procedure", "plan.customer-leak"},
                   {"form", {{"discovered_at", "2026-11-22T00:00:00Z"}, {"summary", "x"}}}});
  EXPECT_EQ(
      code(ask("wang", "POST", "/cases/" + std::string(text_or(body(open), "id")) + "/readers",
               {{"person", centre_->id("he")}, {"on", true}, {"reason", "x"}})),
      "reader.open");
}

// Whoever manages posts and people holds the keys to every post and every account, and none to a
// restricted case: what they arrange after it began does not open it.
TEST_F(ReadersApi, NeitherAPostGivenLaterNorAResetPasswordOpensIt) {
  const std::string record = "/cases/" + id_, readers = record + "/readers";
  const Principal system = Principal::system();
  Identity& identity = in_->identity();
  const std::string root = in_->journal().read([&] { return identity.root(); });
  const std::string org =
      in_->journal().read([&] { return identity.person(centre_->id("zheng")); })->org;
  const auto let_in = [&](const char* by, const char* whom) {
    return ask(by, "POST", readers,
               {{"person", centre_->id(whom)}, {"on", true}, {"reason", "新任"}})
        .status;
  };
  ASSERT_EQ(ask("wu", "GET", record).status, 200);
  for (const std::string& where : {root, org})
    for (const char* post : {"investigator", "leader"})
      ASSERT_TRUE(
          identity.set_post(system, {}, {.org = where, .id = post, .holder = centre_->id("sun")})
              .ok());
  EXPECT_EQ(ask("sun", "GET", record).status, 404) << "made leader and receiver by themselves";
  EXPECT_EQ(let_in("sun", "sun"), 404);
  EXPECT_EQ(ask("wu", "GET", record).status, 404) << "who lost the post reads no more";
  const auto give_back = [&](const char* post, const char* holder) {
    for (const std::string& where : {root, org})
      ASSERT_TRUE(
          identity.set_post(system, {}, {.org = where, .id = post, .holder = centre_->id(holder)})
              .ok());
  };
  give_back("investigator", "wu");
  give_back("leader", "chen");
  EXPECT_EQ(ask("wu", "GET", record).status, 200) << "stood in it from the beginning";
  // A reset password would let its giver sign in as the reader, or as the reporter.
  const auto reads = [&](const char* who) {
    return in_->journal().read([&] { return in_->engine().may_read(id_, centre_->id(who)); });
  };
  clock_.advance_ms(1'000);
  for (const char* who : {"wu", "zheng"}) {
    EXPECT_TRUE(reads(who)) << who;
    ASSERT_TRUE(identity.reset_password(system, {}, centre_->id(who)).ok());
    EXPECT_FALSE(reads(who)) << who;
  }
  clock_.advance_ms(1'000);
  EXPECT_EQ(let_in("chen", "wu"), 200) << "another reader knows that it is them";
  EXPECT_TRUE(reads("wu"));
}

}  // namespace
}  // namespace cw
