// Records in entries' bodies and snapshots, and the small rules their members obey.
#include <algorithm>

#include "base/text.h"
#include "state.h"

namespace cw {

json::array to_array(const std::vector<std::string>& list) {
  json::array out;
  out.reserve(list.size());
  for (const auto& s : list) out.emplace_back(s);
  return out;
}

std::vector<std::string> strings_of(const json::object& o, std::string_view key) {
  std::vector<std::string> out;
  if (const auto* list = o.if_contains(key); list != nullptr && list->is_array()) {
    for (const auto& v : list->get_array()) {
      if (v.is_string()) out.emplace_back(v.get_string());
    }
  }
  return out;
}

json::object text_object(const Text& text) { return {{"en", text.en}, {"zh", text.zh}}; }

Text text_of(const json::object& o, std::string_view key) {
  const auto* v = o.if_contains(key);
  if (v == nullptr || !v->is_object()) return {};
  return {std::string(text_or(v->get_object(), "zh")), std::string(text_or(v->get_object(), "en"))};
}

namespace {

std::string string_of(const json::object& o, std::string_view key) {
  return std::string(text_or(o, key));
}

PermissionSet permissions_from(const json::object& o, std::string_view key) {
  PermissionSet set;
  for (const auto& name : strings_of(o, key)) {
    if (auto p = permission_named(name))
      set.add(*p);  // one that a later version dropped allows nothing
  }
  return set;
}

}  // namespace

json::object body_of(const Org& org) {
  return {
      {"org", org.id}, {"parent", org.parent}, {"kind", org.kind}, {"name", text_object(org.name)}};
}

Org org_from(const json::object& b) {
  return {string_of(b, "org"), string_of(b, "parent"), string_of(b, "kind"), text_of(b, "name")};
}

json::object body_of(const Role& role) {
  return {{"role", role.id},
          {"title", text_object(role.title)},
          {"allow", to_array(role.allow.names())},
          {"deny", to_array(role.deny.names())}};
}

Role role_from(const json::object& b) {
  return {string_of(b, "role"), text_of(b, "title"), permissions_from(b, "allow"),
          permissions_from(b, "deny"), false};
}

json::object body_of(const Post& post) {
  return {{"org", post.org},
          {"post", post.id},
          {"title", text_object(post.title)},
          {"holder", post.holder},
          {"deputies", to_array(post.deputies)},
          {"chief_of", to_array(post.chief_of)},
          {"absent_from", post.absent_from},
          {"absent_until", post.absent_until}};
}

Post post_from(const json::object& b) {
  Post p;
  p.org = string_of(b, "org");
  p.id = string_of(b, "post");
  p.title = text_of(b, "title");
  p.holder = string_of(b, "holder");
  p.deputies = strings_of(b, "deputies");
  p.chief_of = strings_of(b, "chief_of");
  p.absent_from = int_or(b, "absent_from");
  p.absent_until = int_or(b, "absent_until");
  return p;
}

json::object body_of(const Team& team) {
  return {{"org", team.org},
          {"team", team.id},
          {"title", text_object(team.title)},
          {"members", to_array(team.members)}};
}

Team team_from(const json::object& b) {
  return {string_of(b, "org"), string_of(b, "team"), text_of(b, "title"), strings_of(b, "members")};
}

json::object body_of(const Queue& q) {
  return {{"org", q.org},
          {"procedure", q.procedure},
          {"people", to_array(q.people)},
          {"teams", to_array(q.teams)}};
}

Queue queue_from(const json::object& b) {
  return {string_of(b, "org"), string_of(b, "procedure"), strings_of(b, "people"),
          strings_of(b, "teams")};
}

json::object body_of(const TokenRecord& t) {
  return {{"token", t.facts.id},
          {"org", t.facts.org},
          {"made_by", t.facts.made_by},
          {"hash", t.hash},
          {"scopes", to_array(t.facts.scopes.names())},
          {"added_at", t.facts.added_at},
          {"expires_at", t.facts.expires_at},
          {"revoked", t.facts.revoked},
          {"label", t.label}};
}

TokenRecord token_from(const json::object& b) {
  TokenRecord t;
  t.facts.id = string_of(b, "token");
  t.facts.org = string_of(b, "org");
  t.facts.made_by = string_of(b, "made_by");
  t.facts.scopes = permissions_from(b, "scopes");
  t.facts.added_at = int_or(b, "added_at");
  t.facts.expires_at = int_or(b, "expires_at");
  t.facts.revoked = bool_or(b, "revoked");
  t.hash = string_of(b, "hash");
  t.label = string_of(b, "label");
  return t;
}

// Without what is sealed: a snapshot holds no personal data either.
json::object body_of(const PersonRecord& p) {
  json::array grants, used;
  for (const auto& g : p.facts.grants)
    grants.push_back(json::object{{"role", g.role}, {"org", g.org}});
  for (auto i : p.recovery_used) used.emplace_back(i);
  return {{"person", p.facts.id},
          {"org", p.facts.org},
          {"staff_no", p.facts.staff_no},
          {"lang", p.facts.lang},
          {"active", p.facts.active},
          {"must_change", p.facts.must_change_password},
          {"grants", grants},
          {"added_at", p.facts.added_at},
          {"signed_in_at", p.facts.signed_in_at},
          {"profile", p.profile},
          {"password", p.password},
          {"password_owner", p.password_owner},
          {"one_time_until", p.one_time_until},
          {"reset_at", p.reset_ms},
          {"totp", p.totp},
          {"totp_owner", p.totp_owner},
          {"totp_step", p.totp_step},
          {"recovery_used", used},
          {"erased", p.erased}};
}

PersonRecord person_from(const json::object& b) {
  PersonRecord p;
  p.facts.id = string_of(b, "person");
  p.facts.org = string_of(b, "org");
  p.facts.staff_no = string_of(b, "staff_no");
  p.facts.lang = string_of(b, "lang");
  p.facts.active = bool_or(b, "active", true);
  p.facts.must_change_password = bool_or(b, "must_change");
  p.facts.added_at = int_or(b, "added_at");
  p.facts.signed_in_at = int_or(b, "signed_in_at");
  if (const auto* list = b.if_contains("grants"); list != nullptr && list->is_array()) {
    for (const auto& g : list->get_array()) {
      p.facts.grants.push_back({string_of(g.as_object(), "role"), string_of(g.as_object(), "org")});
    }
  }
  if (const auto* list = b.if_contains("recovery_used"); list != nullptr && list->is_array()) {
    for (const auto& i : list->get_array()) p.recovery_used.push_back(i.to_number<std::int64_t>());
  }
  p.profile = string_of(b, "profile");
  p.password = string_of(b, "password");
  p.password_owner = string_of(b, "password_owner");
  p.one_time_until = int_or(b, "one_time_until");
  p.reset_ms = int_or(b, "reset_at");
  p.totp = string_of(b, "totp");
  p.totp_owner = string_of(b, "totp_owner");
  p.totp_step = int_or(b, "totp_step");
  p.erased = bool_or(b, "erased");
  p.facts.has_password = !p.password.empty();
  p.facts.totp = !p.totp.empty();
  return p;
}

bool is_slug(std::string_view s) {
  if (s.empty() || s.size() > 64 || s[0] < 'a' || s[0] > 'z') return false;
  return std::all_of(s.begin(), s.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
  });
}

bool fits(std::string_view s, std::size_t points_min, std::size_t points_max) {
  if (!is_utf8(s)) return false;
  std::size_t n = code_points(s);
  bool plain =
      std::none_of(s.begin(), s.end(), [](unsigned char c) { return c < 0x20 || c == 0x7F; });
  return plain && n >= points_min && n <= points_max;
}

Status check_title(const Text& title, std::string_view pointer) {
  for (const auto& [part, text] : {std::pair{"/zh", &title.zh}, std::pair{"/en", &title.en}}) {
    if (!fits(*text, 1, 100) || trim(*text).empty()) {
      return invalid("identity.title", std::string(pointer) + part,
                     {"请用中文和英文各填写 1–100 个字的名称",
                      "Give a name of 1–100 characters in Chinese and in English"});
    }
  }
  return done();
}

Problem unknown_person(std::string_view pointer) {
  return invalid(
      "identity.unknown-person", std::string(pointer),
      {"没有这个人员，或已停用；请重新选择", "There is no such active person; choose again"});
}

Problem unknown_org(std::string_view pointer) {
  return invalid("identity.unknown-org", std::string(pointer),
                 {"没有这个组织；请重新选择", "There is no such organisation; choose again"});
}

}  // namespace cw
