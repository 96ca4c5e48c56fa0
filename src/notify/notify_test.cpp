#include "notify.h"

#include "fixture.h"

namespace cw {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kOk = "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n";
std::string status(int code, const std::string& more = "") {
  return "HTTP/1.1 " + std::to_string(code) + " X\r\nContent-Length: 0\r\nConnection: close\r\n" +
         more + "\r\n";
}

class NotifyTest : public testing::Test {
 protected:
  static NotifyOptions loopback() {
    NotifyOptions o;
    o.webhooks_to_loopback = true;
    o.attempts_max = 3;
    o.timeout_ms = 20'000;
    return o;
  }
  NotifyTest() : desk(loopback()) { desk.start(); }
  Issued hook(const std::string& url, std::vector<std::string> events = {}) {
    auto made = desk.notify->set_webhook(Principal::system(), {},
                                         {.url = url, .events = std::move(events)});
    EXPECT_TRUE(made.ok()) << code_of(made);
    return *made;
  }
  void later() {
    desk.clock.advance_ms(desk.options.backoff_max_ms * 2);
    desk.notify->deliver_due();
  }
  Desk desk;
};

TEST_F(NotifyTest, TheInboxShowsNewestFirstInPagesAndCountsTheUnread) {
  auto who = desk.person("wang", ""), other = desk.person("li", "");
  for (int i = 0; i < 5; ++i) {
    auto m = desk.late({who});
    m.name = "task" + std::to_string(i);
    m.text = {"任务" + std::to_string(i), "Task " + std::to_string(i)};
    desk.tell(m);
    desk.clock.advance_ms(1000);
  }
  auto page = desk.notify->inbox(who, {.limit = 3});
  ASSERT_EQ(page.items.size(), 3u);
  EXPECT_EQ(page.total, 5u);
  EXPECT_EQ(page.items[0].title.zh, "CL-2026-0001 任务已超时：任务4");
  EXPECT_EQ(page.items[0].path, "/cases/cas_01");
  auto rest = desk.notify->inbox(who, {.cursor = page.next, .limit = 3});
  ASSERT_EQ(rest.items.size(), 2u);
  EXPECT_EQ(rest.next, "");
  EXPECT_TRUE(desk.notify->inbox(other, {}).items.empty());
  EXPECT_THAT(desk.told, Contains(who));
  EXPECT_THAT(desk.told, Not(Contains(other)));
  ASSERT_TRUE(desk.notify->mark_read(other, {page.items[0].id}).ok());
  EXPECT_EQ(desk.notify->unread(who), 5u) << "nobody reads for another";
  ASSERT_TRUE(desk.notify->mark_read(who, {page.items[0].id}).ok());
  EXPECT_EQ(desk.notify->inbox(who, {.unread = true}).items.size(), 4u);
  ASSERT_TRUE(desk.notify->mark_read(who, {}).ok());
  EXPECT_EQ(desk.notify->unread(who), 0u);
}

TEST_F(NotifyTest, AcknowledgingIsAnEntryOnce) {
  auto who = desk.person("wang", ""), other = desk.person("li", "");
  desk.tell(desk.late({who}));
  auto id = desk.notify->inbox(who, {}).items.at(0).id;
  EXPECT_EQ(code_of(desk.notify->acknowledge(desk.as(other), {}, id)), "notify.no-message");
  ASSERT_TRUE(desk.notify->acknowledge(desk.as(who), {}, id).ok());
  ASSERT_TRUE(desk.notify->acknowledge(desk.as(who), {}, id).ok());
  auto entries = desk.entries("notify.acknowledged");
  ASSERT_EQ(entries.size(), 1u);
  EXPECT_EQ(entries[0].case_id, "cas_01");
  auto item = desk.notify->inbox(who, {}).items.at(0);
  EXPECT_TRUE(item.acknowledged && item.read);
}

TEST_F(NotifyTest, TheSameIsToldOnceHoweverOftenItIsSaid) {
  auto who = desk.person("wang", "");
  auto m = desk.late({who});
  m.org = desk.org;
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(desk.journal
                    ->run({},
                          [&](Draft& d) -> Result<json::object> {
                            desk.notify->tell(d, m);  // the same cause
                            desk.notify->tell(d, m);
                            return json::object{};
                          })
                    .ok());
  }
  EXPECT_EQ(desk.notify->inbox(who, {}).items.size(), 1u);
}

TEST_F(NotifyTest, ARefusedCommandTellsNobody) {
  auto who = desk.person("wang", "");
  auto refused = desk.journal->run({}, [&](Draft&) -> Result<json::object> {
    return problem(Refusal::conflict, "no", {"否", "no"});
  });
  EXPECT_FALSE(refused.ok());
  EXPECT_TRUE(desk.notify->inbox(who, {}).items.empty());
}

TEST_F(NotifyTest, WhenNobodyHoldsThePostItIsADeadLetterNotSilence) {
  desk.tell(desk.late({}));
  desk.notify->deliver_due();
  auto dead = desk.outbox("dead");
  ASSERT_EQ(dead.size(), 1u);
  EXPECT_EQ(dead[0].channel, "nobody");
  EXPECT_EQ(dead[0].error.en, "Nobody holds the post that should have been told");
  EXPECT_EQ(text_or(desk.entries("notify.failed").at(0).body, "error"), "nobody");
}

TEST_F(NotifyTest, AWebhookIsSignedAsTheStandardSays) {
  Receiver receiver({kOk});
  auto made = hook(receiver.url());
  auto who = desk.person("wang", "");
  desk.tell(desk.late({who}));
  EXPECT_EQ(desk.notify->deliver_due(), 1u);
  auto got = receiver.requests();
  ASSERT_EQ(got.size(), 1u);
  auto value = [&](const std::string& name) {
    auto at = got[0].head.find("\r\n" + name + ": ");
    EXPECT_NE(at, std::string::npos) << name;
    at += name.size() + 4;
    return got[0].head.substr(at, got[0].head.find("\r\n", at) - at);
  };
  // Checked by hand, as a receiver does it: HMAC-SHA256 over id.timestamp.body.
  std::string key = *from_base64(made.secret.substr(6));
  std::string text = value("webhook-id") + "." + value("webhook-timestamp") + "." + got[0].body;
  EXPECT_EQ(value("webhook-signature"), "v1," + to_base64(bytes_of(hmac_sha256(key, text))));
  EXPECT_EQ(value("webhook-timestamp"), std::to_string(desk.clock.now_ms() / 1000));
  auto body = parse_json(got[0].body);
  ASSERT_TRUE(body.ok());
  EXPECT_EQ(body->at("type").as_string(), "task_late");
  EXPECT_EQ(body->at("data").at("number").as_string(), "CL-2026-0001");
  EXPECT_THAT(got[0].body, Not(HasSubstr("per_")));
  EXPECT_EQ(desk.entries("notify.sent").size(), 1u);
}

// The example of the Standard Webhooks specification.
TEST(WebhookSignature, AgreesWithTheSpecificationsExample) {
  EXPECT_EQ(
      webhook_signature("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek",
                        1'614'265'330, "{\"test\": 2432232314}"),
      "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
}

TEST_F(NotifyTest, AFailingReceiverIsRetriedUnderTheSameIdAndThenGivenUp) {
  Receiver receiver({status(503), status(429), kOk});
  hook(receiver.url());
  desk.tell(desk.late({desk.person("wang", "")}));
  desk.notify->deliver_due();
  later();
  later();
  auto got = receiver.requests();
  ASSERT_EQ(got.size(), 3u);
  auto id = [](const Receiver::Request& r) {
    return r.head.substr(r.head.find("webhook-id: "), 42);
  };
  EXPECT_EQ(id(got[0]), id(got[2]));
  EXPECT_EQ(int_or(desk.entries("notify.sent").at(0).body, "attempts"), 3);

  Receiver broken({status(500)});
  hook(broken.url());
  auto m = desk.late({desk.person("li", "")});
  desk.tell(m);
  for (int i = 0; i < 5; ++i) later();
  EXPECT_EQ(broken.requests().size(), 3u) << "attempts_max";
  EXPECT_EQ(desk.outbox("dead").at(0).error_code, "http.500");
  EXPECT_EQ(desk.entries("notify.failed").size(), 1u);
}

TEST_F(NotifyTest, NoRedirectIsFollowedAndARefusalIsFinal) {
  Receiver target({kOk}), moved({status(302, "Location: " + target.url() + "\r\n")});
  hook(moved.url());
  desk.tell(desk.late({desk.person("wang", "")}));
  for (int i = 0; i < 3; ++i) later();
  EXPECT_EQ(moved.requests().size(), 1u);
  EXPECT_TRUE(target.requests().empty());
  EXPECT_EQ(desk.outbox("dead").at(0).error_code, "http.302");
}

TEST_F(NotifyTest, AnAnswerWithoutEndIsCutOff) {
  Receiver endless({"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + std::string(1 << 20, 'x')});
  hook(endless.url());
  desk.tell(desk.late({desk.person("wang", "")}));
  desk.notify->deliver_due();
  EXPECT_EQ(desk.entries("notify.sent").size(), 1u)
      << "the status was fine; the body is thrown away";
}

TEST(WebhookAddress, LoopbackMetadataAndOddURLsAreRefused) {
  auto code = [](const std::string& url) {
    return send_webhook({url, "whsec_AAAA", "out_1", "{}", 0, false}, 1000).code;
  };
  for (const char* url : {"http://127.0.0.1:1/", "http://localhost:1/", "http://[::1]:1/",
                          "http://169.254.169.254/latest/meta-data", "http://0.0.0.0:1/",
                          "http://[::ffff:127.0.0.1]:1/", "http://[fe80::1]/", "http://2130706433/",
                          "http://0x7f.1/"}) {
    EXPECT_EQ(code(url), "address") << url;
  }
  for (const char* url : {"file:///etc/passwd", "gopher://x/", "//x", "", "https://",
                          "https://user:pw@host/", "https://a b/", "https://host/\r\nX: y"}) {
    EXPECT_EQ(code_of(check_webhook_url(url, "/url")), "notify.url") << url;
  }
  EXPECT_EQ(code_of(check_webhook_url("https://hooks.example:8443/a?b=c", "/url")), "");
}

TEST_F(NotifyTest, WebhooksTellOnlyTheirEventsAndTheirOrganisationAndNoDrill) {
  Receiver receiver({kOk});
  hook(receiver.url(), {"command"});
  auto child =
      desk.identity->add_org(Principal::system(), {}, desk.org, "centre", {"中心", "Centre"});
  std::string centre(text_or(child->body, "id"));
  Receiver below({kOk});
  ASSERT_TRUE(
      desk.notify->set_webhook(Principal::system(), {}, {.org = centre, .url = below.url()}).ok());
  auto who = desk.person("wang", "");
  desk.tell(desk.late({who}));
  desk.notify->deliver_due();
  EXPECT_TRUE(receiver.requests().empty() && below.requests().empty());
  auto raised = desk.late({who});
  raised.about = "command";
  raised.org = centre;
  desk.tell(raised);
  desk.clock.advance_ms(1000);
  auto drill = raised;
  drill.drill = true;
  desk.tell(drill);
  desk.notify->deliver_due();
  EXPECT_EQ(receiver.requests().size(), 1u);
  EXPECT_EQ(below.requests().size(), 1u);
  EXPECT_THAT(desk.notify->inbox(who, {}).items.at(0).title.zh, HasSubstr("【演练】"));
}

// A restricted case speaks to its readers, a drill's sendings to who takes part: not to machines.
TEST_F(NotifyTest, WhatIsRestrictedOrADrillsSendingLeavesByNoWebhook) {
  Receiver receiver({kOk});
  hook(receiver.url());
  auto who = desk.person("wang", "");
  auto restricted = desk.late({who});
  restricted.restricted = true;
  desk.tell(restricted);
  auto sending = desk.late({who});
  sending.about = "sending";
  sending.drill = true;
  desk.tell(sending);
  sending.people.clear();
  sending.seq += 1;
  desk.tell(sending);
  desk.notify->deliver_due();
  EXPECT_TRUE(receiver.requests().empty());
  EXPECT_EQ(desk.notify->inbox(who, {}).items.size(), 2u);
  EXPECT_EQ(desk.notify->stats().dead, 0u) << "a drill's sending needs no recipient";
}

TEST_F(NotifyTest, WebhookSettingsSurviveARestartAndKeepTheirSecret) {
  Receiver receiver({kOk});
  auto made = hook(receiver.url("/old"));
  EXPECT_EQ(made.secret.substr(0, 6), "whsec_");
  auto changed = desk.notify->set_webhook(Principal::system(), {},
                                          {.id = made.id, .url = receiver.url("/new")});
  ASSERT_TRUE(changed.ok());
  EXPECT_EQ(changed->secret, "");
  desk.stop();
  desk.start();
  auto listed = desk.notify->webhooks(Principal::system());
  ASSERT_EQ(listed.size(), 1u);
  EXPECT_EQ(listed[0].url, receiver.url("/new"));
  ASSERT_TRUE(desk.notify->test(Principal::system(), {}, "webhook", made.id).ok());
  desk.notify->deliver_due();
  ASSERT_EQ(receiver.requests().size(), 1u);
  EXPECT_THAT(receiver.requests()[0].head, HasSubstr("POST /new"));
  auto agent = desk.person(
      "agent", "", "zh",
      {{"agent", "" + std::string(desk.journal->read([&] { return desk.identity->root(); }))}});
  EXPECT_TRUE(desk.notify->webhooks(desk.as(agent)).empty());
  EXPECT_EQ(code_of(desk.notify->set_webhook(desk.as(agent), {}, {.url = "https://x.example/"})),
            "permission.missing");
  for (const auto& bytes : desk.journal->entries(0, 1000)) {
    EXPECT_THAT(bytes, Not(HasSubstr("whsec_")));
    EXPECT_THAT(bytes, Not(HasSubstr("127.0.0.1"))) << "an address may hold a secret";
  }
}

TEST(Wishes, TheQuietDefaultMailsOnlyWhatIsUrgent) {
  NotifyOptions o;
  o.smtp = SmtpOptions{.host = "127.0.0.1", .port = 1, .from = "a@b.example"};
  Desk desk(o);
  desk.start();
  auto who = desk.person("wang", "wang@test.example");
  auto quiet = desk.late({who}), urgent = desk.late({who});
  quiet.urgent = false;
  auto mails = [&] { return desk.outbox("pending").size(); };
  desk.tell(quiet);
  EXPECT_EQ(mails(), 0u);
  desk.tell(urgent);
  EXPECT_EQ(mails(), 1u);
  ASSERT_TRUE(desk.notify->set_email_wish(desk.as(who), {}, EmailWish::all).ok());
  desk.tell(quiet);
  EXPECT_EQ(mails(), 2u);
  ASSERT_TRUE(desk.notify->set_email_wish(desk.as(who), {}, EmailWish::none).ok());
  desk.stop();
  desk.start();
  desk.tell(urgent);
  EXPECT_EQ(mails(), 2u) << "the wish outlives a restart";
  EXPECT_EQ(desk.notify->inbox(who, {}).items.size(), 4u) << "the inbox always has it";
}

TEST_F(NotifyTest, TheWorkersDeliverByThemselves) {
  Receiver receiver({kOk});
  hook(receiver.url());
  desk.notify->start();
  desk.tell(desk.late({desk.person("wang", "")}));
  for (int i = 0; i < 3'000 && desk.entries("notify.sent").empty(); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  EXPECT_EQ(desk.entries("notify.sent").size(), 1u);
  EXPECT_EQ(desk.notify->stats().sent, 1u);
}

TEST_F(NotifyTest, BackoffDoublesWithAFifthOfChance) {
  Notify::Impl impl({*desk.journal, *desk.identity, *desk.sealed, desk.clock, desk.random},
                    desk.options);
  std::set<std::int64_t> seen;
  for (int i = 0; i < 50; ++i) {
    auto first = impl.backoff_ms(1), fourth = impl.backoff_ms(4), last = impl.backoff_ms(60);
    EXPECT_GE(first, 8'000);
    EXPECT_LE(first, 12'000);
    EXPECT_GE(fourth, 64'000);
    EXPECT_LE(fourth, 96'000);
    EXPECT_LE(last, 4'320'000);
    seen.insert(first);
  }
  EXPECT_GT(seen.size(), 10u);
}

TEST(Words, EveryEventHasBothLanguagesAndNoOpenPlaceholder) {
  NotifyOptions o;
  for (const char* about : {"mark", "task_late", "flag", "command", "approval", "assigned",
                            "effect", "sending", "alert", "source_silent", "duty_call", "duty_gap",
                            "duty_not_ready", "handover_due", "revision", "test"}) {
    Sentence s = sentence_of(
        {.about = about, .name = "n", .number = "CL-1", .text = {"事", "Thing"}, .percent = 80}, o);
    for (const auto& text : {s.title.zh, s.title.en, s.body.zh, s.body.en}) {
      EXPECT_FALSE(text.empty()) << about;
      EXPECT_THAT(text, Not(HasSubstr("{"))) << about;
    }
  }
  EXPECT_FALSE(is_known_about("nonsense"));
  EXPECT_EQ(local_time(1'795'305'600'000, 480), "2026-11-22 08:00 (UTC+08:00)");
  EXPECT_EQ(local_time(1'795'305'600'000, -210), "2026-11-21 20:30 (UTC-03:30)");
}

}  // namespace
}  // namespace cw
