// API tokens: for programs, with scopes, an organisation and an end.
#include "base/id.h"
#include "base/text.h"
#include "state.h"

namespace cw {
namespace {
constexpr std::int64_t kTokenLifeMaxMs = 400ll * 86'400'000;
constexpr std::size_t kTokensMax = 10'000;
}  // namespace

Result<Issued> Identity::add_token(const Principal& who, Command command, const Token& wanted) {
  std::string secret = "cwt_" + to_base64url(impl_->random.bytes(32));
  auto answer = impl_->change(std::move(command), [&](Draft& d) -> Result<json::object> {
    std::string org = wanted.org.empty() ? impl_->root : wanted.org;
    auto basis = impl_->may_in(who, Permission::tokens_manage, org, "/org");
    if (!basis) return basis.problem();
    if (who.is_token() && !who.is_system()) {
      return problem(Refusal::forbidden, "token.by-token",
                     {"令牌不能再签发令牌", "A token cannot make tokens"});
    }
    if (auto s = impl_->recent(who); !s) return s.problem();
    if (!fits(wanted.label, 1, 64))
      return invalid("token.label", "/label",
                     {"用途说明为 1–64 个字", "A label has 1–64 characters"});
    if (wanted.scopes.empty())
      return invalid("token.scopes", "/scopes",
                     {"请至少选择一项权限", "Choose at least one permission"});
    if (!impl_->allowed_at(who, org).includes(wanted.scopes)) {
      return problem(Refusal::forbidden, "token.beyond-own",
                     {"令牌的权限不能超出您自己的权限；什么也没有改变",
                      "A token cannot allow more than you may; nothing was changed"});
    }
    if (wanted.expires_at <= d.now_ms() || wanted.expires_at > d.now_ms() + kTokenLifeMaxMs) {
      return invalid("token.expiry", "/expires_at",
                     {"到期时间须在今后 400 天内", "The expiry lies within the next 400 days"});
    }
    if (impl_->tokens.size() >= kTokensMax) {
      return problem(Refusal::conflict, "token.max",
                     {"令牌数量已达上限 10,000", "The limit of 10,000 tokens is reached"});
    }
    TokenRecord t;
    t.facts = {.id = new_id("tok", d.now_ms(), d.random()),
               .org = org,
               .made_by = who.actor,
               .scopes = wanted.scopes,
               .expires_at = wanted.expires_at};
    t.hash = token_hash(secret);
    json::object body = body_of(t);
    for (const char* derived : {"label", "added_at", "revoked"}) body.erase(derived);
    Entry e = entry_by(who, *basis, "token-added", std::move(body));
    e.content = impl_->seal(d, t.facts.id, wanted.label);
    d.append(std::move(e));
    return json::object{{"id", t.facts.id}};
  });
  if (!answer) return answer.problem();
  return Issued{*answer, std::string(text_or(answer->body, "id")),
                answer->repeated ? std::string() : secret};
}

Result<Answer> Identity::revoke_token(const Principal& who, Command command,
                                      std::string_view token) {
  return impl_->change(std::move(command), [&](Draft& d) -> Result<json::object> {
    auto unknown =
        problem(Refusal::not_found, "token.unknown", {"没有这个令牌", "There is no such token"});
    auto it = impl_->tokens.find(std::string(token));
    if (it == impl_->tokens.end()) return unknown;
    auto basis = impl_->may(who, Permission::tokens_manage, it->second.facts.org);
    if (!basis) return unknown;  // guessing an id tells nothing
    if (!it->second.facts.revoked)
      d.append(entry_by(who, *basis, "token-revoked", {{"token", it->first}}));
    return json::object{};
  });
}

}  // namespace cw
