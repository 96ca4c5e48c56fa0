#include "fixture.h"

namespace cw {
namespace {

using testing::HasSubstr;
using testing::Not;

#define NEEDS_A_MAIL_SERVER() \
  if (auto why = MailServer::missing(); !why.empty()) GTEST_SKIP() << why

std::string header(const std::string& mail, const std::string& name) {
  auto at = mail.find("\n" + name + ": ");
  if (at == std::string::npos) return {};
  at += name.size() + 3;
  std::string out;
  while (true) {
    auto end = mail.find('\n', at);
    out += trim(std::string_view(mail).substr(at, end - at));
    at = end + 1;
    if (at >= mail.size() || mail[at] != ' ') return out;
  }
}

std::string decoded_words(std::string text) {
  std::string out;
  for (std::size_t at = 0; (at = text.find("=?UTF-8?B?", at)) != std::string::npos;) {
    auto end = text.find("?=", at + 10);
    out += *from_base64(text.substr(at + 10, end - at - 10));
    at = end;
  }
  return out;
}

std::string body(const std::string& mail) {
  std::string all;
  auto at = mail.find("\n\n");
  for (char c : mail.substr(at)) {
    if (!std::isspace(static_cast<unsigned char>(c))) all += c;
  }
  return from_base64(all).value_or("not base 64: " + mail);
}

class MailTest : public testing::Test {
 protected:
  void open(bool tls, SmtpOptions::Tls wanted) {
    server = std::make_unique<MailServer>(
        std::filesystem::temp_directory_path() / ("exim-" + to_hex(SystemRandom().bytes(6))), tls);
    NotifyOptions o;
    o.smtp = SmtpOptions{.host = "127.0.0.1",
                         .port = server->port,
                         .tls = wanted,
                         .from = "callwarden@test.example"};
    if (tls) o.smtp->ca_file = server->certificate();
    o.base_url = "https://desk.test.example";
    o.attempts_max = 4;
    o.timeout_ms = 30'000;
    desk = std::make_unique<Desk>(o);
    desk->start();
  }
  // Lets the next retry come due, and attempts it.
  void later() {
    desk->clock.advance_ms(desk->options.backoff_max_ms * 2);
    desk->notify->deliver_due();
  }

  std::unique_ptr<MailServer> server;
  std::unique_ptr<Desk> desk;
};

TEST_F(MailTest, ALateTaskReachesTheMailboxInTheReadersLanguage) {
  NEEDS_A_MAIL_SERVER();
  open(false, SmtpOptions::Tls::none);
  ASSERT_TRUE(server->start());
  auto zh = desk->person("wang", "wang@test.example"),
       en = desk->person("smith", "smith@test.example", "en");
  desk->tell(desk->late({zh, en}));
  EXPECT_EQ(desk->notify->deliver_due(), 2u);
  auto mails = server->mails(2);
  ASSERT_EQ(mails.size(), 2u);
  if (mails[0].find("Envelope-to: wang@") == std::string::npos) std::swap(mails[0], mails[1]);
  EXPECT_EQ(decoded_words(header(mails[0], "Subject")), "CL-2026-0001 任务已超时：止损");
  EXPECT_THAT(body(mails[0]), HasSubstr("客户信息泄露应急预案\n到期：2026-11-22 "));
  EXPECT_THAT(body(mails[0]), HasSubstr("https://desk.test.example/cases/cas_01"));
  EXPECT_EQ(decoded_words(header(mails[1], "Subject")), "CL-2026-0001 Task late: Contain");
  EXPECT_EQ(header(mails[1], "Auto-Submitted"), "auto-generated");
  for (const auto& mail : mails) {
    EXPECT_THAT(mail, Not(HasSubstr("王小明")));
    EXPECT_THAT(body(mail), Not(HasSubstr("王小明")))
        << "no personal data, the reader's own included";
  }
  EXPECT_EQ(desk->entries("notify.sent").size(), 2u);
  EXPECT_EQ(desk->notify->deliver_due(), 0u);
}

TEST_F(MailTest, AServerThatWasDownGetsItOnceWhenItIsBack) {
  NEEDS_A_MAIL_SERVER();
  open(false, SmtpOptions::Tls::none);
  auto who = desk->person("wang", "wang@test.example");
  desk->tell(desk->late({who}));
  EXPECT_EQ(desk->notify->deliver_due(), 1u);
  EXPECT_EQ(desk->notify->deliver_due(), 0u) << "not before its backoff";
  later();
  auto waiting = desk->outbox("pending");
  ASSERT_EQ(waiting.size(), 1u);
  EXPECT_EQ(waiting[0].attempts, 2u);
  EXPECT_EQ(waiting[0].error_code, "connect");
  EXPECT_TRUE(desk->entries("notify.sent").empty() && desk->entries("notify.failed").empty())
      << "no entry for a retry";
  ASSERT_TRUE(server->start());
  later();
  EXPECT_EQ(server->mails(1).size(), 1u);
  later();
  EXPECT_EQ(server->mails(2, 20).size(), 1u) << "once";
  auto sent = desk->entries("notify.sent");
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(int_or(sent[0].body, "attempts"), 3);
  EXPECT_EQ(sent[0].case_id, "cas_01");
}

TEST_F(MailTest, ARestartKeepsWhatIsWaiting) {
  NEEDS_A_MAIL_SERVER();
  open(false, SmtpOptions::Tls::none);
  auto who = desk->person("wang", "wang@test.example");
  desk->tell(desk->late({who}));
  desk->notify->deliver_due();
  desk->stop();
  ASSERT_TRUE(server->start());
  desk->start();
  later();
  EXPECT_EQ(server->mails(1).size(), 1u);
  EXPECT_EQ(desk->entries("notify.sent").size(), 1u);
}

TEST_F(MailTest, APermanentRefusalIsADeadLetterAtOnceAndATemporaryOneAfterAllAttempts) {
  NEEDS_A_MAIL_SERVER();
  open(false, SmtpOptions::Tls::none);
  ASSERT_TRUE(server->start());
  auto gone = desk->person("gone", "nosuch@test.example");
  desk->tell(desk->late({gone}));
  desk->notify->deliver_due();
  auto dead = desk->outbox("dead");
  ASSERT_EQ(dead.size(), 1u);
  EXPECT_EQ(dead[0].error_code, "smtp.550");
  EXPECT_EQ(dead[0].error.zh, "邮件服务器应答 550");
  EXPECT_EQ(dead[0].number, "CL-2026-0001");
  auto busy = desk->person("busy", "busy@test.example");
  desk->tell(desk->late({busy}));
  for (int i = 0; i < 3; ++i) later();
  EXPECT_EQ(desk->outbox("pending").at(0).error_code, "smtp.451");
  later();
  EXPECT_TRUE(desk->outbox("pending").empty());
  EXPECT_EQ(desk->outbox("dead").size(), 2u);
  EXPECT_EQ(desk->entries("notify.failed").size(), 2u);
}

TEST_F(MailTest, ADeadLetterIsRetriedOrDismissedByWhoeverMay) {
  NEEDS_A_MAIL_SERVER();
  open(false, SmtpOptions::Tls::none);
  ASSERT_TRUE(server->start());
  auto who = desk->person("wang", "nosuch@test.example");
  auto officer = desk->person("officer", "", "zh", {{"duty-officer", desk->org}}),
       agent = desk->person("agent", "", "zh", {{"agent", desk->org}});
  auto first = desk->late({who}), second = desk->late({who});
  second.name = "preserve";
  desk->tell(first);
  desk->tell(second);
  desk->notify->deliver_due();
  auto dead = desk->notify->outbox(desk->as(officer), {}).items;
  ASSERT_EQ(dead.size(), 2u);
  EXPECT_TRUE(desk->notify->outbox(desk->as(agent), {}).items.empty());
  EXPECT_EQ(code_of(desk->notify->retry(desk->as(agent), {}, dead[0].id)), "notify.no-message")
      << "guessing tells nothing";
  ASSERT_TRUE(
      desk->identity->change_person(Principal::system(), {}, who, {.email = "wang@test.example"})
          .ok());
  ASSERT_TRUE(desk->notify->retry(desk->as(officer), {}, dead[0].id).ok());
  EXPECT_EQ(code_of(desk->notify->retry(desk->as(officer), {}, dead[0].id)), "notify.not-dead");
  desk->notify->deliver_due();
  EXPECT_EQ(server->mails(1).size(), 1u);
  ASSERT_TRUE(desk->notify->dismiss(desk->as(officer), {}, dead[1].id).ok());
  EXPECT_TRUE(desk->outbox("dead").empty());
  EXPECT_EQ(desk->entries("notify.retried").size(), 1u);
  EXPECT_EQ(desk->entries("notify.dismissed").at(0).basis, "role:duty-officer");
}

TEST_F(MailTest, StarttlsIsDemandedAndTheCertificateChecked) {
  NEEDS_A_MAIL_SERVER();
  open(true, SmtpOptions::Tls::starttls);
  ASSERT_TRUE(server->start());
  auto who = desk->person("wang", "wang@test.example");
  desk->tell(desk->late({who}));
  desk->notify->deliver_due();
  ASSERT_EQ(server->mails(1).size(), 1u)
      << (desk->outbox("pending").empty() ? "" : desk->outbox("pending")[0].error_code);
  SmtpOptions strict = *desk->options.smtp;
  strict.ca_file.clear();
  Mail mail{"out_1", "wang@test.example", "主题", "正文", desk->clock.now_ms()};
  EXPECT_EQ(send_mail(mail, strict, 30'000).code, "tls") << "a certificate that nobody vouches for";
}

TEST_F(MailTest, AServerWithoutStarttlsIsNotGivenTheMailInClear) {
  NEEDS_A_MAIL_SERVER();
  open(false, SmtpOptions::Tls::starttls);
  ASSERT_TRUE(server->start());
  auto who = desk->person("wang", "wang@test.example");
  desk->tell(desk->late({who}));
  desk->notify->deliver_due();
  EXPECT_EQ(desk->outbox("pending").at(0).error_code, "tls");
  EXPECT_TRUE(server->mails(0).empty());
}

TEST(MailBytes, LongSubjectsBreakBetweenCodePointsAndLinesStayShort) {
  std::string subject;
  for (int i = 0; i < 60; ++i) subject += i % 7 == 0 ? "🚨" : "泄";
  std::string bytes =
      mail_bytes({"out_1", "a@b.example", subject, std::string(1000, 'x'), 1'795'305'600'123},
                 {.from = "c@d.example"});
  for (auto line : split(bytes, '\n')) EXPECT_LE(line.size(), 100u);
  std::string unix_text;
  for (char c : bytes) {
    if (c != '\r') unix_text += c;
  }
  EXPECT_EQ(decoded_words(header(unix_text, "Subject")), subject);
  for (std::size_t at = 0; (at = bytes.find("=?UTF-8?B?", at)) != std::string::npos; ++at) {
    EXPECT_TRUE(is_utf8(*from_base64(bytes.substr(at + 10, bytes.find("?=", at + 10) - at - 10))));
  }
  EXPECT_EQ(header(unix_text, "Date"), "Sun, 22 Nov 2026 00:00:00 +0000");
  EXPECT_EQ(header(unix_text, "Message-ID"), "<out_1@d.example>");
}

}  // namespace
}  // namespace cw
