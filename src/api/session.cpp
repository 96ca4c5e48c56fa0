#include "common.h"

// Signing in and out, one's own password, second factor, sessions and language.
namespace cw::api {
namespace {

struct SignInIn {
  std::string login, password;
  std::optional<std::string> code;
};
BOOST_DESCRIBE_STRUCT(SignInIn, (), (login, password, code))

struct PostRef {
  std::string id;
  Text title;
  std::string org;
};
BOOST_DESCRIBE_STRUCT(PostRef, (), (id, title, org))

struct MeOut {
  std::string id, name, staff_no, login;
};
BOOST_DESCRIBE_STRUCT(MeOut, (), (id, name, staff_no, login))

struct SessionOut {
  MeOut person;
  OrgRef org;
  std::string lang, csrf;
  bool must_change_password = false, totp_enrolled = false;
  std::vector<std::string> permissions;
  std::vector<PostRef> posts;
  std::int64_t expires_at = 0, authenticated_at = 0, now_ms = 0;
  std::string version;
};
BOOST_DESCRIBE_STRUCT(SessionOut, (),
                      (person, org, lang, csrf, must_change_password, totp_enrolled, permissions,
                       posts, expires_at, authenticated_at, now_ms, version))

struct PasswordIn {
  std::string old_password, new_password;
};
BOOST_DESCRIBE_STRUCT(PasswordIn, (), (old_password, new_password))
struct CodeIn {
  std::string code;
};
BOOST_DESCRIBE_STRUCT(CodeIn, (), (code))
struct DropTotpIn {
  std::string password;
};
BOOST_DESCRIBE_STRUCT(DropTotpIn, (), (password))
struct StepUpIn {
  std::string password;
  std::optional<std::string> code;
};
BOOST_DESCRIBE_STRUCT(StepUpIn, (), (password, code))
struct StepUpOut {
  std::int64_t until = 0;
};
BOOST_DESCRIBE_STRUCT(StepUpOut, (), (until))
struct LangIn {
  std::string lang;
};
BOOST_DESCRIBE_STRUCT(LangIn, (), (lang))
struct TotpOut {
  std::string secret, uri;
};
BOOST_DESCRIBE_STRUCT(TotpOut, (), (secret, uri))
struct RecoveryOut {
  std::vector<std::string> recovery_codes;
};
BOOST_DESCRIBE_STRUCT(RecoveryOut, (), (recovery_codes))
struct SessionItem {
  std::string id;
  std::int64_t since = 0, seen_at = 0, expires_at = 0;
  bool current = false;
};
BOOST_DESCRIBE_STRUCT(SessionItem, (), (id, since, seen_at, expires_at, current))

std::string cookie_line(const Call& call, std::string_view secret, bool ends) {
  // __Host- demands Secure, which a browser keeps only over TLS; plain HTTP exists on loopback
  // alone.
  std::string line = call.http.tls ? "__Host-cw=" : "cw=";
  line += secret;
  line += "; Path=/; HttpOnly; SameSite=Strict";
  if (call.http.tls) line += "; Secure";
  if (ends) line += "; Max-Age=0";
  return line;
}

Result<SessionOut> session_of(Call& call, const Principal& who) {
  return call.s.journal.read([&]() -> Result<SessionOut> {
    auto person = call.s.identity.person(who.person);
    auto org = call.s.identity.org(who.org);
    if (!person || !org) return no_such({"这个人员", "such a person"});
    SessionOut out{{person->id, person->name, person->staff_no, person->login},
                   {org->id, org->name},
                   who.lang,
                   who.csrf,
                   who.must_change_password,
                   person->totp,
                   call.s.identity.permissions_of(who),
                   {},
                   who.expires_at,
                   who.authenticated_at,
                   call.s.clock.now_ms(),
                   call.s.version};
    for (const auto& post : call.s.duty.posts_of(who.person))
      out.posts.push_back({post.id, post.title, post.org});
    return out;
  });
}

Result<SessionOut> sign_in(Call& call, SignInIn& in) {
  auto result = call.s.identity.access().sign_in(
      {in.login, in.password, in.code.value_or(""), call.http.peer,
       call.http.headers.has("Accept-Language") ? call.http.lang : ""});
  wipe(in.password);
  if (!result) return std::move(result).problem();
  call.answer.add("Set-Cookie", cookie_line(call, result->cookie, false));
  return session_of(call, result->principal);
}

Result<Nothing> nothing_after(Status status) {
  if (!status) return std::move(status).problem();
  return Nothing{};
}

}  // namespace

void add_session(Table& t) {
  t.tag("session");
  t.post<SignInIn, SessionOut>("/session", {"public", "Sign in; sets the session's cookie"},
                               sign_in);
  t.get<SessionOut>("/session", {"session", "Who I am and what I may"},
                    [](Call& c) { return session_of(c, c.who); });
  t.remove<Nothing>("/session", {"session", "Sign out"}, [](Call& c) -> Result<Nothing> {
    c.answer.add("Set-Cookie", cookie_line(c, "", true));
    return nothing_after(c.s.identity.access().sign_out(c.who));
  });
  t.post<PasswordIn, Nothing>(
      "/session/password", {"session", "Change my password"}, [](Call& c, PasswordIn& in) {
        auto status =
            c.s.identity.access().change_password(c.who, in.old_password, in.new_password);
        wipe(in.old_password);
        wipe(in.new_password);
        return nothing_after(std::move(status));
      });
  t.post<Nothing, TotpOut>("/session/totp", {"session", "Begin to enrol a second factor"},
                           [](Call& c, Nothing&) -> Result<TotpOut> {
                             auto enrolment = c.s.identity.access().begin_totp(c.who);
                             if (!enrolment) return std::move(enrolment).problem();
                             return TotpOut{enrolment->secret, enrolment->uri};
                           });
  t.post<CodeIn, RecoveryOut>("/session/totp/confirm", {"session", "Confirm it with a code"},
                              [](Call& c, CodeIn& in) -> Result<RecoveryOut> {
                                auto codes = c.s.identity.access().confirm_totp(c.who, in.code);
                                if (!codes) return std::move(codes).problem();
                                return RecoveryOut{std::move(*codes)};
                              });
  t.post<DropTotpIn, Nothing>(
      "/session/totp/drop", {"session", "Give the second factor up"}, [](Call& c, DropTotpIn& in) {
        return nothing_after(c.s.identity.access().drop_totp(c.who, in.password));
      });
  t.post<StepUpIn, StepUpOut>(
      "/session/step-up", {"session", "Prove oneself again before a dangerous act"},
      [](Call& c, StepUpIn& in) -> Result<StepUpOut> {
        auto until = c.s.identity.access().step_up(c.who, in.password, in.code.value_or(""));
        wipe(in.password);
        if (!until) return std::move(until).problem();
        return StepUpOut{*until};
      });
  t.put<LangIn, Nothing>("/session/lang", {"session", "My language: zh or en"},
                         [](Call& c, LangIn& in) {
                           return nothing_after(c.s.identity.access().set_language(c.who, in.lang));
                         });
  t.get<Page<SessionItem>>(
      "/sessions", {"session", "My sessions"}, [](Call& c) -> Result<Page<SessionItem>> {
        return page_of<SessionItem>(
            c.s.identity.access().sessions(c.who), "", [](const Session& s) {
              return SessionItem{s.id, s.since, s.seen_at, s.expires_at, s.current};
            });
      });
  t.remove<Nothing>("/sessions/{id}", {"session", "End one of my sessions"}, [](Call& c) {
    return nothing_after(c.s.identity.access().revoke_session(c.who, c.id()));
  });
}

}  // namespace cw::api
