#include <chrono>
#include <mutex>
#include <thread>

#include "fixture.h"

namespace cw {
namespace {

using testing::Contains;
using testing::Not;

constexpr const char* kPassword = "correct horse battery wang!";

class AccessTest : public testing::Test {
 protected:
  AccessTest() {
    wang = c.person("wang", {"duty-officer"});
    c.principal("wang");
  }
  Result<SignedIn> in(const std::string& password = kPassword, const std::string& code = "",
                      const std::string& login = "wang") {
    return c.identity->access().sign_in(
        {.login = login, .password = password, .code = code, .address = "192.0.2.7"});
  }
  // Enrols wang; returns the raw secret, and the recovery codes.
  std::string enrol(std::vector<std::string>* recovery = nullptr) {
    auto who = in()->principal;
    auto begun = c.identity->access().begin_totp(who);
    std::string secret = *from_base32(begun->secret);
    auto codes =
        c.identity->access().confirm_totp(who, totp_code(secret, c.clock.now_ms() / 30'000));
    EXPECT_TRUE(codes.ok()) << code_of(codes);
    if (recovery != nullptr) *recovery = *codes;
    c.clock.advance_ms(30'000);
    return secret;
  }
  std::string code(const std::string& secret) {
    return totp_code(secret, c.clock.now_ms() / 30'000);
  }

  Centre c;
  std::string wang;
  Access& access() { return c.identity->access(); }
};

TEST_F(AccessTest, ASessionEndsAfterHalfAnHourOfSilence) {
  auto cookie = in()->cookie;
  for (int i = 0; i < 4; ++i) {
    c.clock.advance_ms(29 * 60'000);
    ASSERT_TRUE(access().by_cookie(cookie).ok()) << "each request counts as activity";
  }
  c.clock.advance_ms(30 * 60'000);
  EXPECT_EQ(code_of(access().by_cookie(cookie)), "session.expired");
}

TEST_F(AccessTest, AndAfterTwelveHoursInAnyCase) {
  auto cookie = in()->cookie;
  for (int i = 0; i < 35; ++i) {
    c.clock.advance_ms(20 * 60'000);
    ASSERT_TRUE(access().by_cookie(cookie).ok());
  }
  c.clock.advance_ms(20 * 60'000);
  EXPECT_EQ(code_of(access().by_cookie(cookie)), "session.expired");
}

TEST_F(AccessTest, ARestartNeitherEndsASessionNorRevivesAnIdleOne) {
  auto busy = in()->cookie, idle = in()->cookie;
  for (int i = 0; i < 3; ++i) {
    c.clock.advance_ms(12 * 60'000);
    ASSERT_TRUE(access().by_cookie(busy).ok());
  }
  c.restart();
  EXPECT_TRUE(access().by_cookie(busy).ok());
  EXPECT_EQ(code_of(access().by_cookie(idle)), "session.expired");
}

TEST_F(AccessTest, SessionsAreListedAndRevoked) {
  auto one = in(), two = in();
  auto mine = access().sessions(two->principal);
  ASSERT_GE(mine.size(), 2u);
  EXPECT_TRUE(mine[0].current);
  ASSERT_TRUE(access().revoke_session(two->principal, one->principal.session).ok());
  EXPECT_EQ(code_of(access().by_cookie(one->cookie)), "session.expired");
  EXPECT_EQ(code_of(access().revoke_session(two->principal, c.admin.session)), "session.unknown")
      << "not another's";
  ASSERT_TRUE(access().sign_out(two->principal).ok());
  EXPECT_EQ(code_of(access().by_cookie(two->cookie)), "session.expired");
  c.restart();
  EXPECT_EQ(code_of(access().by_cookie(two->cookie)), "session.expired");
}

TEST_F(AccessTest, APersonHasAtMostTenSessions) {
  auto oldest = in()->cookie;
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(in().ok());
  EXPECT_EQ(code_of(access().by_cookie(oldest)), "session.expired");
}

TEST_F(AccessTest, TheCsrfValueBelongsToOneSession) {
  auto one = in(), two = in();
  EXPECT_TRUE(Access::csrf_matches(one->principal, one->principal.csrf));
  EXPECT_FALSE(Access::csrf_matches(one->principal, two->principal.csrf));
  EXPECT_FALSE(Access::csrf_matches(one->principal, ""));
  EXPECT_FALSE(Access::csrf_matches(Principal{.actor = wang, .person = wang}, ""))
      << "no session, no value that matches";
  EXPECT_EQ(access().by_cookie(one->cookie)->csrf, one->principal.csrf);
  EXPECT_FALSE(access().by_cookie(one->principal.csrf).ok())
      << "it does not stand in for the cookie";
}

TEST_F(AccessTest, WrongPasswordsWaitLongerAndLonger) {
  for (int i = 0; i < 4; ++i) EXPECT_EQ(code_of(in("wrong")), "session.refused");
  auto wait = in();
  ASSERT_EQ(code_of(wait), "session.throttled") << "even the right one waits";
  EXPECT_EQ(wait.problem().retry_after_s, 1);
  c.clock.advance_ms(1000);
  EXPECT_EQ(code_of(in("wrong")), "session.refused");
  EXPECT_EQ(in().problem().retry_after_s, 2);
  c.clock.advance_ms(2000);
  EXPECT_TRUE(in().ok());
  EXPECT_EQ(code_of(in("wrong")), "session.refused") << "and then it starts anew";
  EXPECT_TRUE(in().ok());
}

TEST_F(AccessTest, AnUnknownLoginIsTreatedExactlyAlike) {
  for (const char* login : {"wang", "nobody"}) {
    for (int i = 0; i < 4; ++i) EXPECT_EQ(code_of(in("wrong", "", login)), "session.refused");
    EXPECT_EQ(code_of(in("wrong", "", login)), "session.throttled") << login;
  }
}

TEST_F(AccessTest, OneAddressCannotTryManyLogins) {
  int n = 0;
  while (code_of(in("wrong", "", "guess" + std::to_string(n))) == "session.refused")
    ASSERT_LT(++n, 40);
  EXPECT_EQ(n, 21);
  EXPECT_TRUE(
      access().sign_in({.login = "wang", .password = kPassword, .address = "192.0.2.8"}).ok());
}

TEST_F(AccessTest, FailuresAreRecordedAsTheyDouble) {
  for (int i = 0; i < 4; ++i) EXPECT_FALSE(in("wrong").ok());
  c.identity->set_active(c.admin, {}, wang, true).ok();  // waits for what was submitted before
  EXPECT_EQ(c.count("identity.refused"), 3u) << "at 1, 2 and 4";
  for (const auto& e : c.entries()) {
    if (e.kind == "identity.refused") {
      EXPECT_EQ(text_or(e.body, "person"), wang);
    }
  }
}

TEST(SignInTime, TellsNothingAboutWhoExists) {
  AccessOptions costly = Centre::cheap();
  costly.cost = {2, std::size_t{16} << 20};
  Centre c(costly);
  c.person("wang");
  auto gone = c.person("gone");
  ASSERT_TRUE(c.identity->set_active(c.admin, {}, gone, false).ok());
  auto median_us = [&](const std::string& login) {
    std::vector<std::int64_t> times;
    for (int i = 0; i < 7; ++i) {
      auto begin = std::chrono::steady_clock::now();
      EXPECT_EQ(
          code_of(c.identity->access().sign_in({.login = login, .password = "not the password"})),
          "session.refused");
      times.push_back((std::chrono::steady_clock::now() - begin).count() / 1000);
      c.clock.advance_ms(3'700'000);
    }
    std::sort(times.begin(), times.end());
    return times[3];
  };
  auto known = median_us("wang"), unknown = median_us("nobody"), inactive = median_us("gone");
  RecordProperty("known_us", std::to_string(known));
  RecordProperty("unknown_us", std::to_string(unknown));
  EXPECT_GT(unknown * 2, known);
  EXPECT_GT(known * 2, unknown);
  EXPECT_GT(inactive * 2, known);
}

TEST_F(AccessTest, OnceEnrolledTheCodeIsNeededAndEachIsGoodOnce) {
  std::string secret = enrol();
  EXPECT_EQ(code_of(in()), "session.totp-required");
  EXPECT_EQ(code_of(in("wrong")), "session.refused")
      << "a wrong password is not told about the code";
  EXPECT_EQ(code_of(in(kPassword, "000000")), "session.refused");
  std::string first = code(secret);
  EXPECT_TRUE(in(kPassword, first).ok());
  EXPECT_EQ(code_of(in(kPassword, first)), "session.refused") << "a replay";
  c.restart();
  EXPECT_EQ(code_of(in(kPassword, first)), "session.refused") << "a replay after a restart";
  c.clock.advance_ms(30'000);
  EXPECT_TRUE(in(kPassword, code(secret)).ok());
}

TEST_F(AccessTest, TwoAtOnceWithOneCodeAndOnlyOneComesIn) {
  std::string secret = enrol(), now = code(secret);
  int came_in = 0;
  std::vector<std::thread> threads;
  std::mutex mutex;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&] {
      bool ok = in(kPassword, now).ok();
      std::lock_guard lock(mutex);
      came_in += ok;
    });
  }
  for (auto& t : threads) t.join();
  EXPECT_EQ(came_in, 1);
}

TEST_F(AccessTest, RecoveryCodesWorkOnceEach) {
  std::vector<std::string> recovery;
  enrol(&recovery);
  ASSERT_EQ(recovery.size(), 10u);
  EXPECT_TRUE(in(kPassword, recovery[3]).ok());
  EXPECT_EQ(code_of(in(kPassword, recovery[3])), "session.refused");
  c.restart();
  EXPECT_EQ(code_of(in(kPassword, recovery[3])), "session.refused");
  std::string shouted = recovery[4];
  for (char& ch : shouted) ch = static_cast<char>(std::toupper(ch));
  EXPECT_TRUE(in(kPassword, shouted).ok()) << "as people type them";
}

TEST_F(AccessTest, EnrolmentNeedsTheRightCodeAndEndsByItself) {
  auto who = in()->principal;
  EXPECT_EQ(code_of(access().confirm_totp(who, "123456")), "totp.not-begun");
  auto begun = access().begin_totp(who);
  EXPECT_EQ(begun->uri.rfind("otpauth://totp/", 0), 0u);
  auto right = totp_code(*from_base32(begun->secret), c.clock.now_ms() / 30'000);
  EXPECT_EQ(code_of(access().confirm_totp(who, right == "111111" ? "222222" : "111111")),
            "totp.code");
  EXPECT_TRUE(in().ok()) << "not enrolled yet";
  c.clock.advance_ms(11 * 60'000);
  EXPECT_EQ(code_of(access().confirm_totp(who, right)), "totp.not-begun");
}

TEST_F(AccessTest, TheAdministratorOrTheOwnerCanDropTheSecondFactor) {
  std::string secret = enrol();
  auto who = in(kPassword, code(secret))->principal;
  EXPECT_EQ(code_of(access().drop_totp(who, "wrong")), "session.refused");
  EXPECT_TRUE(access().drop_totp(who, kPassword).ok());
  EXPECT_TRUE(in().ok());
}

TEST_F(AccessTest, ANewPasswordEndsTheOtherSessionsAndTheOldHashIsDestroyed) {
  auto one = in(), two = in();
  EXPECT_EQ(code_of(access().change_password(two->principal, "wrong", "another long password")),
            "session.refused");
  EXPECT_EQ(code_of(access().change_password(two->principal, kPassword, "short")),
            "password.too-short");
  EXPECT_EQ(code_of(access().change_password(two->principal, kPassword, kPassword)),
            "password.same");
  EXPECT_EQ(code_of(access().change_password(two->principal, kPassword, "violet kettle orbit 9")),
            "");
  EXPECT_EQ(code_of(access().by_cookie(one->cookie)), "session.expired");
  EXPECT_TRUE(access().by_cookie(two->cookie).ok());
  EXPECT_EQ(code_of(in()), "session.refused");
  std::vector<std::string> hashes;
  for (const auto& e : c.entries()) {
    if (e.kind == "identity.password-set" && text_or(e.body, "person") == wang)
      hashes.push_back(e.content);
  }
  ASSERT_EQ(hashes.size(), 3u);
  EXPECT_EQ(code_of(c.sealed->open(hashes[0])), "sealed.destroyed");
  EXPECT_EQ(code_of(c.sealed->open(hashes[1])), "sealed.destroyed");
  EXPECT_TRUE(c.sealed->open(hashes[2]).ok());
}

TEST_F(AccessTest, AResetGivesAOneTimePasswordThatAges) {
  auto before = in();
  auto reset = c.identity->reset_password(c.admin, {}, wang);
  ASSERT_TRUE(reset.ok());
  EXPECT_EQ(code_of(access().by_cookie(before->cookie)), "session.expired");
  EXPECT_TRUE(in(reset->secret)->principal.must_change_password);
  c.clock.advance_ms(8 * 86'400'000ll);
  EXPECT_EQ(code_of(in(reset->secret)), "session.refused");
}

TEST_F(AccessTest, StepUpMakesASessionFresh) {
  auto first = in();
  c.clock.advance_ms(11 * 60'000);
  auto who = *access().by_cookie(first->cookie);
  EXPECT_EQ(code_of(c.read([&] { return c.identity->recent(who); })), "session.step-up-required");
  EXPECT_EQ(code_of(access().step_up(who, "wrong", "")), "session.refused");
  auto until = access().step_up(who, kPassword, "");
  ASSERT_TRUE(until.ok());
  EXPECT_EQ(*until, c.clock.now_ms() + 10 * 60'000);
  who = *access().by_cookie(first->cookie);
  EXPECT_TRUE(c.read([&] { return c.identity->recent(who); }).ok());
}

TEST_F(AccessTest, ATokenActsWithinItsScopesOrganisationAndTime) {
  auto north = c.org("centre", c.first.org);
  std::int64_t until = c.clock.now_ms() + 86'400'000;
  auto made = c.identity->add_token(c.admin, {},
                                    {.org = north,
                                     .label = "告警平台",
                                     .scopes = {Permission::signals_write},
                                     .expires_at = until});
  ASSERT_TRUE(made.ok());
  EXPECT_EQ(made->secret.substr(0, 4), "cwt_");
  auto who = access().by_token(made->secret);
  ASSERT_TRUE(who.ok());
  auto may = [&](Permission p, const std::string& org) {
    return c.read([&] { return c.identity->may(*who, p, org); }).ok();
  };
  EXPECT_TRUE(may(Permission::signals_write, north));
  EXPECT_FALSE(may(Permission::signals_write, c.first.org));
  EXPECT_FALSE(may(Permission::case_read, north));
  auto listed = c.read([&] { return c.identity->tokens(""); });
  EXPECT_EQ(listed.at(0).label, "告警平台");
  EXPECT_EQ(listed.at(0).used_at, c.clock.now_ms());
  c.restart();
  EXPECT_TRUE(access().by_token(made->secret).ok());
  EXPECT_EQ(c.read([&] { return c.identity->tokens(""); }).at(0).label, "告警平台");
  EXPECT_EQ(code_of(access().by_token(made->secret.substr(0, 46) + "_")), "token.refused");
  c.clock.set_ms(until);
  EXPECT_EQ(code_of(access().by_token(made->secret)), "token.refused");
}

TEST_F(AccessTest, TokensCannotReachFurtherThanTheirMakerNorLiveForEver) {
  auto with = [&](Token t) {
    if (t.label.empty()) t.label = "x";
    if (t.expires_at == 0) t.expires_at = c.clock.now_ms() + 1000;
    return code_of(c.identity->add_token(c.admin, {}, t));
  };
  EXPECT_EQ(with({.scopes = {Permission::case_read}}), "token.beyond-own");
  EXPECT_EQ(with({.scopes = {}}), "token.scopes");
  EXPECT_EQ(with({.scopes = {Permission::wall_read},
                  .expires_at = c.clock.now_ms() + 500ll * 86'400'000}),
            "token.expiry");
  auto made = c.identity->add_token(c.admin, {},
                                    {.label = "t",
                                     .scopes = {Permission::tokens_manage},
                                     .expires_at = c.clock.now_ms() + 9'000});
  auto token = *access().by_token(made->secret);
  EXPECT_EQ(code_of(c.identity->add_token(token, {},
                                          {.label = "t",
                                           .scopes = {Permission::tokens_manage},
                                           .expires_at = c.clock.now_ms() + 9'000})),
            "token.by-token");
  ASSERT_TRUE(c.identity->revoke_token(c.admin, {}, made->id).ok());
  EXPECT_EQ(code_of(access().by_token(made->secret)), "token.refused");
  EXPECT_FALSE(
      c.read([&] { return c.identity->may(token, Permission::tokens_manage, c.first.org); }).ok())
      << "not even under way";
}

TEST(PasswordPolicy, LengthAndCommonOnesAndNothingElse) {
  auto code = [](const char* p) { return code_of(password_policy(p, "wangwei", "/new")); };
  EXPECT_EQ(code("elevenchars"), "password.too-short");
  EXPECT_EQ(code("马到成功一往无前再接再厉"), "") << "code points, not bytes";
  EXPECT_EQ(code("all lower case words"), "") << "no composition rules";
  for (const char* bad : {"password123456", "Qwertyuiop12!", "123456789012", "098765432109",
                          "aaaaaaaaaaaa", "abcabcabcabc", "administrator1", "wangwei20261122"}) {
    EXPECT_EQ(code(bad), "password.common") << bad;
  }
  EXPECT_EQ(code_of(password_policy(std::string(129, 'x') + "y", "a", "/new")),
            "password.too-long");
}

}  // namespace
}  // namespace cw
