// Signing in, sessions, API tokens, and proving oneself again.
#include <algorithm>

#include "access_impl.h"
#include "base/id.h"
#include "base/text.h"

namespace cw {
namespace {

constexpr ThrottleRule kLoginRule{3, 5 * 60'000};
constexpr ThrottleRule kAddressRule{20, 15 * 60'000};
constexpr std::size_t kSessionsPerPerson = 10;
constexpr std::int64_t kSeenEveryMs = 5 * 60'000;
constexpr std::int64_t kTokenSeenEveryMs = 3'600'000;

Problem refused() {
  return problem(Refusal::unauthenticated, "session.refused",
                 {"登录名、密码或验证码不正确", "The login, password or code is not right"});
}

std::string login_key(std::string_view login) {
  return "login:" + token_hash(is_utf8(login) ? fold(login) : std::string(login));
}

}  // namespace

Problem session_expired() {
  return problem(Refusal::unauthenticated, "session.expired",
                 {"登录已过期，请重新登录", "The session is over; sign in again"});
}

Access::Impl::Impl(Identity::Impl& identity)
    : id(identity), decoy(password_decoy(identity.random, identity.options.cost)) {}

Access::Access(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Access::~Access() = default;

Identity::Identity(Journal& journal, Sealed& sealed, Clock& clock, Random& random,
                   AccessOptions options)
    : impl_(std::make_unique<Impl>(journal, sealed, clock, random, std::move(options))) {
  impl_->access = std::make_unique<Access>(std::make_unique<Access::Impl>(*impl_));
}
Identity::~Identity() = default;
Access& Identity::access() { return *impl_->access; }

std::optional<Access::Impl::Candidate> Access::Impl::candidate(std::string_view key,
                                                               bool by_login) {
  return id.journal.read([&]() -> std::optional<Candidate> {
    const PersonRecord* p = by_login ? id.find_login(key) : id.find(key);
    if (p == nullptr) return std::nullopt;
    return Candidate{p->facts.id,
                     p->facts.login,
                     p->facts.org,
                     p->facts.lang,
                     p->password,
                     p->totp,
                     p->one_time_until,
                     p->totp_step,
                     p->recovery_used,
                     p->facts.active,
                     p->facts.must_change_password};
  });
}

// Whatever is missing, one hash of the same cost is computed, so that time tells nothing.
Result<bool> Access::Impl::password_right(const std::optional<Candidate>& who,
                                          std::string_view password) {
  std::string phc = decoy;
  bool real = false;
  if (who && who->active && !who->password.empty()) {
    if (auto text = id.sealed.open(who->password)) {
      phc = *text;
      real = who->one_time_until == 0 || id.clock.now_ms() < who->one_time_until;
    }
  }
  auto right = id.check_password(phc, password.substr(0, 1024));
  wipe(phc);
  if (!right) return right.problem();
  return *right && real;
}

Status Access::Impl::wait_over(const std::string& login, const std::string& address) {
  std::int64_t now = id.clock.now_ms();
  std::int64_t wait =
      std::max(throttle.wait_ms(login, now), address.empty() ? 0 : throttle.wait_ms(address, now));
  if (wait == 0) return done();
  Problem p = problem(Refusal::too_many, "session.throttled",
                      {"尝试次数过多，请稍后再试", "Too many attempts; wait before you try again"});
  p.retry_after_s = static_cast<int>((wait + 999) / 1000);
  return p;
}

// Every doubling of failures is recorded, not each: a guesser must not fill the ledger.
Problem Access::Impl::refuse(const std::string& login, const std::string& address,
                             const std::string& person) {
  std::int64_t now = id.clock.now_ms();
  auto by_login = throttle.fail(login, kLoginRule, now);
  if (!address.empty()) throttle.fail(address, kAddressRule, now);
  bool doubled = (by_login.count & (by_login.count - 1)) == 0;
  bool locked = by_login.wait_ms == kLoginRule.wait_max_ms;
  if (doubled || locked) {
    json::object body{{"count", by_login.count}};
    if (!person.empty()) body["person"] = person;
    if (locked) body["until"] = now + by_login.wait_ms;
    id.journal.submit(
        {.vital = true},
        [body, locked](Draft& d) -> Result<json::object> {
          d.append(entry_by(Principal::system(), "", locked ? "locked" : "refused", body));
          return json::object{};
        },
        [](const Result<Answer>&) {});
  }
  return refused();
}

bool Access::Impl::still_fresh(const PersonRecord& p, const Factor& f) const {
  if (f.step > 0) return f.step > p.totp_step;
  const auto& used = p.recovery_used;
  return f.index < 0 || std::find(used.begin(), used.end(), f.index) == used.end();
}

Principal Access::Impl::principal_of(const SessionRecord& s, const PersonRecord& p,
                                     std::string csrf) const {
  Principal who;
  who.actor = who.person = p.facts.id;
  who.org = p.facts.org;
  who.lang = p.facts.lang;
  who.session = s.id;
  who.csrf = std::move(csrf);
  who.authenticated_at = s.authenticated_at;
  who.expires_at = s.expires_at;
  who.must_change_password = p.facts.must_change_password;
  return who;
}

Result<SignedIn> Access::sign_in(const SignIn& in) {
  Identity::Impl& id = impl_->id;
  std::string login = login_key(in.login),
              address = in.address.empty() ? "" : "address:" + in.address;
  if (auto s = impl_->wait_over(login, address); !s) return s.problem();
  auto who = impl_->candidate(in.login, true);
  auto right = impl_->password_right(who, in.password);
  if (!right) return right.problem();
  if (!*right) return impl_->refuse(login, address, who ? who->person : "");
  Impl::Factor factor{.ok = true};
  if (!who->totp.empty()) {
    if (in.code.empty()) {
      return problem(Refusal::unauthenticated, "session.totp-required",
                     {"请输入动态验证码", "Give the one-time code"});
    }
    factor = impl_->second_factor(*who, in.code, id.clock.now_ms());
    if (!factor.ok) return impl_->refuse(login, address, who->person);
  }
  SignedIn out;
  out.cookie = to_base64url(id.random.bytes(32));
  const char* basis = factor.step > 0     ? "password+totp"
                      : factor.index >= 0 ? "password+recovery"
                                          : "password";
  auto answer = id.change({.vital = true}, [&](Draft& d) -> Result<json::object> {
    const PersonRecord* p = id.find(who->person);
    if (!p->facts.active || p->password != who->password || p->totp != who->totp) return refused();
    if (!impl_->still_fresh(*p, factor)) return refused();
    Principal self;
    self.actor = p->facts.id;
    if (auto of = id.sessions_of.find(p->facts.id);
        of != id.sessions_of.end() && of->second.size() >= kSessionsPerPerson) {
      d.append(entry_by(self, basis, "signed-out",
                        {{"session", of->second.front()}, {"cause", "limit"}}));
    }
    if (factor.index >= 0) {
      d.append(entry_by(self, basis, "recovery-used",
                        {{"person", p->facts.id}, {"index", factor.index}}));
    }
    std::string session = new_id("ses", d.now_ms(), d.random());
    json::object body{{"person", p->facts.id},
                      {"session", session},
                      {"hash", token_hash(out.cookie)},
                      {"expires_at", d.now_ms() + id.options.absolute_ms}};
    if (factor.step > 0) body["step"] = factor.step;
    d.append(entry_by(self, basis, "signed-in", std::move(body)));
    out.principal = impl_->principal_of(*id.live_session(session), *p, csrf_of(out.cookie));
    return json::object{};
  });
  if (!answer) return answer.problem();
  impl_->throttle.forgive(login);
  if (in.lang == "zh" || in.lang == "en") out.principal.lang = in.lang;
  return out;
}

Result<Principal> Access::by_cookie(std::string_view cookie) {
  if (cookie.size() != 43) return session_expired();
  Identity::Impl& id = impl_->id;
  std::int64_t now = id.clock.now_ms();
  return id.journal.read([&]() -> Result<Principal> {
    auto found = id.session_by_hash.find(token_hash(cookie));
    if (found == id.session_by_hash.end()) return session_expired();
    const SessionRecord& s = id.sessions.at(found->second);
    const PersonRecord* p = id.find(s.person);
    bool over = now >= s.expires_at || now - s.seen.at >= id.options.idle_ms;
    if (over || p == nullptr || !p->facts.active) return session_expired();
    id.touch(s.id, s.seen, now, kSeenEveryMs, s.expires_at);
    return impl_->principal_of(s, *p, csrf_of(cookie));
  });
}

Result<Principal> Access::by_token(std::string_view secret) {
  Problem no = problem(Refusal::unauthenticated, "token.refused",
                       {"令牌无效、已过期或已吊销", "The token is unknown, expired or revoked"});
  if (secret.size() != 47 || !secret.starts_with("cwt_")) return no;
  Identity::Impl& id = impl_->id;
  std::int64_t now = id.clock.now_ms();
  return id.journal.read([&]() -> Result<Principal> {
    auto found = id.token_by_hash.find(token_hash(secret));
    if (found == id.token_by_hash.end()) return no;
    const TokenRecord& t = id.tokens.at(found->second);
    if (t.facts.revoked || now >= t.facts.expires_at) return no;
    id.touch(t.facts.id, t.used, now, kTokenSeenEveryMs, t.facts.expires_at);
    Principal who;
    who.actor = t.facts.id;
    who.org = t.facts.org;
    who.scopes = t.facts.scopes;
    who.authenticated_at = t.facts.added_at;
    who.expires_at = t.facts.expires_at;
    return who;
  });
}

bool Access::csrf_matches(const Principal& who, std::string_view header) {
  return who.is_token() || (!who.csrf.empty() && equal_constant_time(who.csrf, header));
}

namespace {

Status end_session(Identity::Impl& id, const Principal& who, const std::string& session,
                   const char* cause) {
  auto answer = id.change({.vital = true}, [&](Draft& d) -> Result<json::object> {
    const SessionRecord* s = id.live_session(session);
    if (s == nullptr || s->person != who.person) {
      return problem(Refusal::not_found, "session.unknown",
                     {"没有这个登录会话", "There is no such session"});
    }
    d.append(entry_by(who, "", "signed-out", {{"session", session}, {"cause", cause}}));
    return json::object{};
  });
  if (!answer) return answer.problem();
  return done();
}

}  // namespace

Status Access::sign_out(const Principal& who) {
  return end_session(impl_->id, who, who.session, "self");
}

Status Access::revoke_session(const Principal& who, std::string_view session) {
  return end_session(impl_->id, who, std::string(session), "revoked");
}

std::vector<Session> Access::sessions(const Principal& who) {
  Identity::Impl& id = impl_->id;
  std::int64_t now = id.clock.now_ms();
  return id.journal.read([&] {
    std::vector<Session> out;
    auto of = id.sessions_of.find(who.person);
    if (of == id.sessions_of.end()) return out;
    for (auto it = of->second.rbegin(); it != of->second.rend(); ++it) {
      const SessionRecord& s = id.sessions.at(*it);
      if (now >= s.expires_at || now - s.seen.at >= id.options.idle_ms) continue;
      out.push_back({s.id, s.person, s.since, s.seen.at, s.expires_at, s.id == who.session});
    }
    return out;
  });
}

Result<Access::Impl::Factor> Access::Impl::prove(const Candidate& who, std::string_view password,
                                                 std::string_view code, bool with_code,
                                                 std::string_view pointer) {
  std::string login = login_key(who.login);
  if (auto s = wait_over(login, ""); !s) return s.problem();
  auto right = password_right(who, password);
  if (!right) return right.problem();
  Factor factor{.ok = *right};
  if (*right && with_code && !who.totp.empty())
    factor = second_factor(who, code, id.clock.now_ms());
  if (factor.ok) return factor;
  Problem p = refuse(login, "", who.person);
  p.refusal = Refusal::invalid;
  p.fields.push_back(
      {std::string(pointer), {"密码或验证码不正确", "The password or code is not right"}});
  return p;
}

Result<std::int64_t> Access::step_up(const Principal& who, std::string_view password,
                                     std::string_view code) {
  Identity::Impl& id = impl_->id;
  auto person = impl_->candidate(who.person, false);
  if (!person || who.session.empty()) return session_expired();
  auto factor = impl_->prove(*person, password, code, true, "/password");
  if (!factor) return factor.problem();
  std::int64_t until = 0;
  auto answer = id.change({.vital = true}, [&](Draft& d) -> Result<json::object> {
    const PersonRecord* p = id.find(who.person);
    if (id.live_session(who.session) == nullptr) return session_expired();
    if (!impl_->still_fresh(*p, *factor)) return refused();
    if (factor->index >= 0)
      d.append(
          entry_by(who, "", "recovery-used", {{"person", who.person}, {"index", factor->index}}));
    json::object body{{"person", who.person}, {"session", who.session}};
    if (factor->step > 0) body["step"] = factor->step;
    d.append(entry_by(who, factor->step > 0 ? "password+totp" : "password", "stepped-up",
                      std::move(body)));
    until = d.now_ms() + id.options.recent_ms;
    return json::object{};
  });
  if (!answer) return answer.problem();
  impl_->throttle.forgive(login_key(person->login));
  return until;
}

Status Access::change_password(const Principal& who, std::string_view old_password,
                               std::string_view new_password) {
  Identity::Impl& id = impl_->id;
  auto person = impl_->candidate(who.person, false);
  if (!person || who.session.empty()) return session_expired();
  if (auto s = impl_->prove(*person, old_password, "", false, "/old"); !s) return s.problem();
  if (auto s = password_policy(new_password, person->login, "/new"); !s) return s.problem();
  if (old_password == new_password) {
    return invalid("password.same", "/new",
                   {"新密码不能与旧密码相同", "The new password must differ from the old one"});
  }
  auto phc = id.hash_password(new_password);
  if (!phc) return phc.problem();
  auto answer = id.change({.vital = true}, [&](Draft& d) -> Result<json::object> {
    const PersonRecord* p = id.find(who.person);
    if (p->password != person->password || !p->facts.active) return refused();
    id.set_password(d, entry_by(who, "self", "password-set", {}), who.person, *phc,
                    {{"one_time", false}, {"session", who.session}});
    return json::object{};
  });
  if (!answer) return answer.problem();
  return done();
}

Status Access::set_language(const Principal& who, std::string_view lang) {
  if (lang != "zh" && lang != "en")
    return invalid("session.lang", "/lang", {"语言为 zh 或 en", "The language is zh or en"});
  auto answer = impl_->id.change({}, [&](Draft& d) -> Result<json::object> {
    const PersonRecord* p = impl_->id.find(who.person);
    if (p == nullptr) return session_expired();
    if (p->facts.lang != lang)
      d.append(entry_by(who, "self", "person-changed",
                        {{"person", who.person}, {"lang", std::string(lang)}}));
    return json::object{};
  });
  if (!answer) return answer.problem();
  return done();
}

}  // namespace cw
