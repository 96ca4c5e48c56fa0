// One-time codes (TOTP) and recovery codes: enrolment, confirmation, checking.
#include <algorithm>

#include "access_impl.h"
#include "base/id.h"
#include "base/text.h"

namespace cw {
namespace {

constexpr std::int64_t kEnrolMs = 10 * 60'000;
constexpr std::size_t kRecoveryCodes = 10;

std::string plain_recovery(std::string_view code) {
  std::string out;
  for (char c : to_lower(code)) {
    if (c != '-' && c != ' ') out += c;
  }
  return out;
}

// 50 bits each, sealed as hashes: "k7dqx-2m4ab".
std::vector<std::string> make_recovery_codes(Random& random) {
  std::vector<std::string> codes;
  for (std::size_t i = 0; i < kRecoveryCodes; ++i) {
    std::string c = to_lower(to_base32(random.bytes(7))).substr(0, 10);
    codes.push_back(c.substr(0, 5) + "-" + c.substr(5));
  }
  return codes;
}

std::string sealed_factor(std::string_view secret, const std::vector<std::string>& codes) {
  json::array hashes;
  for (const auto& c : codes) hashes.emplace_back(token_hash(plain_recovery(c)));
  return json::serialize(
      json::object{{"secret", to_base64(secret)}, {"recovery", std::move(hashes)}});
}

}  // namespace

Access::Impl::Factor Access::Impl::second_factor(const Candidate& who, std::string_view code,
                                                 std::int64_t now_ms) {
  auto text = id.sealed.open(who.totp);
  if (!text) return {};
  auto parsed = parse_json(*text);
  wipe(*text);
  if (!parsed || !parsed->is_object() || code.size() > 64) return {};
  const auto& o = parsed->get_object();
  auto secret = from_base64(text_or(o, "secret"));
  if (!secret) return {};
  auto step = totp_match(*secret, trim(code), now_ms);
  wipe(*secret);
  if (step) return {.ok = *step > who.totp_step, .step = *step};  // each code is good once
  std::string hash = token_hash(plain_recovery(code));
  auto hashes = strings_of(o, "recovery");
  for (std::size_t i = 0; i < hashes.size(); ++i) {
    if (!equal_constant_time(hashes[i], hash)) continue;
    auto index = static_cast<std::int64_t>(i);
    bool used = std::find(who.recovery_used.begin(), who.recovery_used.end(), index) !=
                who.recovery_used.end();
    return {.ok = !used, .index = index};
  }
  return {};
}

Result<Access::Enrolment> Access::begin_totp(const Principal& who) {
  Identity::Impl& id = impl_->id;
  auto person = impl_->candidate(who.person, false);
  if (!person) return session_expired();
  if (auto s = id.recent(who); !s) return s.problem();
  SecretBytes secret = SecretBytes::random(20, id.random);
  Enrolment out{to_base32(secret.view()),
                totp_uri(id.options.issuer, person->login, secret.view())};
  std::int64_t now = id.clock.now_ms();
  std::lock_guard lock(impl_->enrolling_mutex);
  std::erase_if(impl_->enrolling, [&](const auto& e) { return e.second.until_ms <= now; });
  impl_->enrolling.insert_or_assign(who.person, Impl::Enrolling{std::move(secret), now + kEnrolMs});
  return out;
}

Result<std::vector<std::string>> Access::confirm_totp(const Principal& who, std::string_view code) {
  Identity::Impl& id = impl_->id;
  std::int64_t now = id.clock.now_ms();
  SecretBytes secret;
  {
    std::lock_guard lock(impl_->enrolling_mutex);
    auto it = impl_->enrolling.find(who.person);
    if (it == impl_->enrolling.end() || it->second.until_ms <= now) {
      return problem(Refusal::conflict, "totp.not-begun",
                     {"请重新开始绑定验证器", "Begin the enrolment again"});
    }
    secret = it->second.secret.clone();
  }
  auto step = totp_match(secret.view(), trim(code), now);
  if (!step) {
    return invalid("totp.code", "/code",
                   {"验证码不正确；请核对手机时间后重试",
                    "The code is not right; check the phone's time and try again"});
  }
  std::vector<std::string> codes = make_recovery_codes(id.random);
  auto answer = id.change({.vital = true}, [&](Draft& d) -> Result<json::object> {
    const PersonRecord* p = id.find(who.person);
    if (p == nullptr || !p->facts.active) return session_expired();
    std::string old_owner = p->totp_owner, owner = new_id("crd", d.now_ms(), d.random());
    Entry e = entry_by(who, "self", "totp-set",
                       {{"person", who.person}, {"credential", owner}, {"step", *step}});
    e.content = id.seal(d, owner, sealed_factor(secret.view(), codes));
    d.append(std::move(e));
    id.destroy(d, old_owner);
    return json::object{};
  });
  if (!answer) return answer.problem();
  std::lock_guard lock(impl_->enrolling_mutex);
  impl_->enrolling.erase(who.person);
  return codes;
}

Status Access::drop_totp(const Principal& who, std::string_view password) {
  Identity::Impl& id = impl_->id;
  auto person = impl_->candidate(who.person, false);
  if (!person) return session_expired();
  if (auto s = impl_->prove(*person, password, "", false, "/password"); !s) return s.problem();
  auto answer = id.change({.vital = true}, [&](Draft& d) -> Result<json::object> {
    const PersonRecord* p = id.find(who.person);
    if (!p->facts.totp) return json::object{};
    std::string owner = p->totp_owner;
    d.append(entry_by(who, "self", "totp-removed", {{"person", who.person}}));
    id.destroy(d, owner);
    return json::object{};
  });
  if (!answer) return answer.problem();
  return done();
}

}  // namespace cw
