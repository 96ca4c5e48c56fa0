// Changes to people: adding, changing, deactivating, erasing, credentials reset, roles given.
#include <algorithm>

#include "base/id.h"
#include "base/text.h"
#include "state.h"

namespace cw {
namespace {

constexpr std::size_t kPeopleMax = 200'000;
constexpr std::size_t kGrantsMax = 32;

bool is_login(std::string_view s) {
  return fits(s, 2, 64) && s.find_first_of(" \t@/\\:\"'<>") == std::string_view::npos;
}

bool is_staff_no(std::string_view s) {
  return s.size() <= 32 && std::all_of(s.begin(), s.end(), [](unsigned char c) {
           return std::isalnum(c) || c == '-' || c == '_' || c == '.';
         });
}

bool is_email(std::string_view s) {
  if (s.empty()) return true;
  auto at = s.find('@');
  bool plain = std::none_of(s.begin(), s.end(), [](unsigned char c) {
    return c <= 0x20 || c >= 0x7F || c == '<' || c == '>';
  });
  return plain && s.size() <= 254 && at != 0 && at != std::string_view::npos &&
         s.rfind('@') == at && at + 1 < s.size();
}

bool is_phone(std::string_view s) {
  return s.size() <= 32 && std::all_of(s.begin(), s.end(), [](unsigned char c) {
           return std::isdigit(c) || c == '+' || c == '-' || c == ' ';
         });
}

Status check_profile(const Person& p) {
  std::vector<FieldProblem> bad;
  if (!fits(p.name, 1, 64))
    bad.push_back({"/name", {"姓名为 1–64 个字", "A name has 1–64 characters"}});
  if (!is_login(p.login)) {
    bad.push_back({"/login",
                   {"登录名为 2–64 个字符，不含空格和 @ / \\ : 引号",
                    "A login has 2–64 characters without spaces, @ / \\ : or quotes"}});
  }
  if (!is_staff_no(p.staff_no))
    bad.push_back({"/staff_no",
                   {"工号为至多 32 个字母、数字或 - _ .",
                    "A staff number has at most 32 letters, digits or - _ ."}});
  if (!is_email(p.email))
    bad.push_back(
        {"/email", {"请填写完整的邮箱地址，或留空", "Give a whole e-mail address, or none"}});
  if (!is_phone(p.phone))
    bad.push_back({"/phone",
                   {"电话为至多 32 位数字，可含 + - 和空格",
                    "A telephone number has at most 32 digits, +, - or spaces"}});
  if (p.lang != "zh" && p.lang != "en")
    bad.push_back({"/lang", {"语言为 zh 或 en", "The language is zh or en"}});
  if (bad.empty()) return done();
  return problem(
      Refusal::invalid, "identity.person-invalid",
      {"有些字段需要更正；什么也没有保存", "Some fields need correcting; nothing was saved"},
      std::move(bad));
}

std::string profile_json(const Person& p) {
  return json::serialize(
      json::object{{"name", p.name}, {"login", p.login}, {"email", p.email}, {"phone", p.phone}});
}

Problem no_such_person() {
  return problem(Refusal::not_found, "identity.no-person",
                 {"没有这个人员", "There is no such person"});
}

Problem taken(const char* pointer, Text text) {
  Problem p = invalid("identity.taken", pointer, std::move(text));
  p.refusal = Refusal::conflict;
  return p;
}

Status check_unique(const Identity::Impl& s, const Person& p) {
  const PersonRecord* same = s.find_login(p.login);
  if (same != nullptr && same->facts.id != p.id) {
    return taken("/login", {"登录名已被使用，请换一个", "The login is taken; choose another"});
  }
  auto it = s.person_by_staff_no.find(p.staff_no);
  if (it != s.person_by_staff_no.end() && it->second->facts.id != p.id) {
    return taken("/staff_no", {"工号已被使用，请核对", "The staff number is taken; check it"});
  }
  return done();
}

}  // namespace

Result<std::string> Identity::Impl::may_person(const Principal& who,
                                               const PersonRecord& person) const {
  auto basis = may(who, Permission::people_manage, person.facts.org);
  if (!basis && !may(who, Permission::people_read, person.facts.org)) return no_such_person();
  return basis;
}

// Whoever holds everything a role allows there may pass it on; roles.manage may give any.
Status Identity::Impl::may_grant(const Principal& who, const Grant& grant,
                                 std::string_view pointer) const {
  const Role* r = role(grant.role);
  if (r == nullptr) {
    return invalid("identity.unknown-role", std::string(pointer) + "/role",
                   {"没有这个角色；请重新选择", "There is no such role; choose again"});
  }
  if (!orgs.contains(grant.org)) return unknown_org(std::string(pointer) + "/org");
  if (may(who, Permission::roles_manage, grant.org).ok()) return done();
  auto people_too = may(who, Permission::people_manage, grant.org);
  if (!people_too) return people_too.problem();
  if (allowed_at(who, grant.org).includes(r->allow)) return done();
  return problem(Refusal::forbidden, "identity.grant-beyond-own",
                 {"不能授予超出自己权限的角色；什么也没有改变",
                  "You cannot give a role that allows more than you may; nothing was changed"});
}

Result<Issued> Identity::add_person(const Principal& who, Command command, const PersonInput& in) {
  Person p{.org = in.org,
           .staff_no = in.staff_no,
           .lang = in.lang,
           .name = in.name,
           .login = in.login,
           .email = in.email,
           .phone = in.phone};
  auto allowed =
      impl_->journal.read([&] { return impl_->may(who, Permission::people_manage, in.org); });
  if (!allowed) return allowed.problem();
  if (auto s = check_profile(p); !s) return s.problem();
  if (in.grants.size() > kGrantsMax) {
    return invalid("identity.grants", "/grants",
                   {"一个人最多 32 个角色", "A person has at most 32 roles"});
  }
  std::string secret = make_one_time_password(impl_->random);
  auto phc = impl_->hash_password(secret);
  if (!phc) return phc.problem();
  p.id = new_id("per", impl_->clock.now_ms(), impl_->random);
  auto answer = impl_->change(std::move(command), [&](Draft& d) -> Result<json::object> {
    auto basis = impl_->may(who, Permission::people_manage, in.org);
    if (!basis) return basis.problem();
    if (!impl_->orgs.contains(in.org)) return unknown_org("/org");
    if (auto s = check_unique(*impl_, p); !s) return s.problem();
    for (std::size_t i = 0; i < in.grants.size(); ++i) {
      if (auto s = impl_->may_grant(who, in.grants[i], "/grants/" + std::to_string(i)); !s)
        return s.problem();
    }
    if (impl_->people.size() >= kPeopleMax) {
      return problem(Refusal::conflict, "identity.people-max",
                     {"人员数量已达上限 200,000", "The limit of 200,000 people is reached"});
    }
    Entry e =
        entry_by(who, *basis, "person-added",
                 {{"person", p.id}, {"org", p.org}, {"staff_no", p.staff_no}, {"lang", p.lang}});
    Entry by = e;
    e.content = impl_->seal(d, p.id, profile_json(p));
    d.append(std::move(e));
    for (const auto& g : in.grants) {
      d.append(
          entry_by(who, *basis, "granted", {{"person", p.id}, {"role", g.role}, {"org", g.org}}));
    }
    impl_->set_password(d, by, p.id, *phc,
                        {{"one_time", true}, {"until", d.now_ms() + impl_->options.one_time_ms}});
    return json::object{{"id", p.id}};
  });
  if (!answer) return answer.problem();
  return Issued{*answer, std::string(text_or(answer->body, "id")),
                answer->repeated ? std::string() : secret};
}

Result<Answer> Identity::change_person(const Principal& who, Command command,
                                       std::string_view person, const PersonChange& change) {
  return impl_->change(std::move(command), [&](Draft& d) -> Result<json::object> {
    const PersonRecord* now = impl_->find(person);
    if (now == nullptr || now->erased) return no_such_person();
    Person p = now->facts;
    auto basis = impl_->may_person(who, *now);
    if (!basis) return basis.problem();
    auto take = [](std::string& into, const std::optional<std::string>& from) {
      if (from) into = *from;
    };
    take(p.name, change.name);
    take(p.login, change.login);
    take(p.email, change.email);
    take(p.phone, change.phone);
    take(p.staff_no, change.staff_no);
    take(p.lang, change.lang);
    take(p.org, change.org);
    if (auto s = check_profile(p); !s) return s.problem();
    if (auto s = check_unique(*impl_, p); !s) return s.problem();
    json::object body{{"person", p.id}};
    if (p.org != now->facts.org) {
      if (!impl_->orgs.contains(p.org)) return unknown_org("/org");
      auto there = impl_->may(who, Permission::people_manage, p.org);
      if (!there) return there.problem();
      body["org"] = p.org;
    }
    if (p.staff_no != now->facts.staff_no) body["staff_no"] = p.staff_no;
    if (p.lang != now->facts.lang) body["lang"] = p.lang;
    Entry e = entry_by(who, *basis, "person-changed", std::move(body));
    if (profile_json(p) != profile_json(now->facts))
      e.content = impl_->seal(d, p.id, profile_json(p));
    if (e.body.size() > 1 || !e.content.empty()) d.append(std::move(e));
    return json::object{{"id", p.id}};
  });
}

Result<Answer> Identity::set_active(const Principal& who, Command command, std::string_view person,
                                    bool active) {
  return impl_->change(std::move(command), [&](Draft& d) -> Result<json::object> {
    const PersonRecord* p = impl_->find(person);
    if (p == nullptr || p->erased) return no_such_person();
    auto basis = impl_->may_person(who, *p);
    if (!basis) return basis.problem();
    if (!active && who.person == person) {
      return problem(Refusal::conflict, "identity.own-account",
                     {"不能停用自己的账号；请由另一位管理员操作",
                      "You cannot deactivate your own account; ask another administrator"});
    }
    if (p->facts.active != active) {
      d.append(
          entry_by(who, *basis, "person-active", {{"person", p->facts.id}, {"active", active}}));
    }
    return json::object{};
  });
}

Result<Answer> Identity::erase_person(const Principal& who, Command command,
                                      std::string_view person) {
  return impl_->change(std::move(command), [&](Draft& d) -> Result<json::object> {
    const PersonRecord* p = impl_->find(person);
    if (p == nullptr) return no_such_person();
    auto basis = impl_->may_person(who, *p);
    if (!basis) return basis.problem();
    if (auto s = impl_->recent(who); !s) return s.problem();
    if (p->facts.active) {
      return problem(Refusal::conflict, "identity.still-active",
                     {"请先停用此人员，再删除其个人信息",
                      "Deactivate this person first, then erase their personal data"});
    }
    if (p->erased) return json::object{};
    std::vector<std::string> owners{p->facts.id, p->password_owner, p->totp_owner};
    d.append(entry_by(who, *basis, "person-erased", {{"person", p->facts.id}}));
    for (const auto& owner : owners) impl_->destroy(d, owner);
    return json::object{};
  });
}

Result<Issued> Identity::reset_password(const Principal& who, Command command,
                                        std::string_view person) {
  auto check = [&]() -> Result<std::string> {
    const PersonRecord* p = impl_->find(person);
    if (p == nullptr || p->erased) return no_such_person();
    auto basis = impl_->may_person(who, *p);
    if (!basis) return basis.problem();
    if (auto s = impl_->recent(who); !s) return s.problem();
    return basis;
  };
  if (auto allowed = impl_->journal.read(check); !allowed) return allowed.problem();
  std::string secret = make_one_time_password(impl_->random);
  auto phc = impl_->hash_password(secret);
  if (!phc) return phc.problem();
  auto answer = impl_->change(std::move(command), [&](Draft& d) -> Result<json::object> {
    auto basis = check();
    if (!basis) return basis.problem();
    impl_->set_password(d, entry_by(who, *basis, "password-set", {}), std::string(person), *phc,
                        {{"one_time", true}, {"until", d.now_ms() + impl_->options.one_time_ms}});
    return json::object{};
  });
  if (!answer) return answer.problem();
  return Issued{*answer, std::string(person), answer->repeated ? std::string() : secret};
}

Result<Answer> Identity::remove_totp(const Principal& who, Command command,
                                     std::string_view person) {
  return impl_->change(std::move(command), [&](Draft& d) -> Result<json::object> {
    const PersonRecord* p = impl_->find(person);
    if (p == nullptr) return no_such_person();
    auto basis = impl_->may_person(who, *p);
    if (!basis) return basis.problem();
    if (auto s = impl_->recent(who); !s) return s.problem();
    if (!p->facts.totp) return json::object{};
    std::string owner = p->totp_owner;
    d.append(entry_by(who, *basis, "totp-removed", {{"person", p->facts.id}}));
    impl_->destroy(d, owner);
    return json::object{};
  });
}

Result<Answer> Identity::grant(const Principal& who, Command command, std::string_view person,
                               const Grant& grant) {
  return impl_->change(std::move(command), [&](Draft& d) -> Result<json::object> {
    const PersonRecord* p = impl_->find(person);
    if (p == nullptr || p->erased) return no_such_person();
    auto basis = impl_->may_person(who, *p);
    if (!basis) return basis.problem();
    if (auto s = impl_->may_grant(who, grant, ""); !s) return s.problem();
    if (auto s = impl_->recent(who); !s) return s.problem();
    const auto& have = p->facts.grants;
    bool same = std::any_of(have.begin(), have.end(), [&](const Grant& g) {
      return g.role == grant.role && g.org == grant.org;
    });
    if (same) return json::object{};
    if (have.size() >= kGrantsMax) {
      return invalid("identity.grants", "/role",
                     {"一个人最多 32 个角色", "A person has at most 32 roles"});
    }
    d.append(entry_by(who, *basis, "granted",
                      {{"person", p->facts.id}, {"role", grant.role}, {"org", grant.org}}));
    return json::object{};
  });
}

Result<Answer> Identity::withdraw(const Principal& who, Command command, std::string_view person,
                                  const Grant& grant) {
  return impl_->change(std::move(command), [&](Draft& d) -> Result<json::object> {
    const PersonRecord* p = impl_->find(person);
    if (p == nullptr) return no_such_person();
    auto basis = impl_->may_person(who, *p);
    if (!basis) return basis.problem();
    // The same right as for giving: else withdrawing an auditor's deny would widen one's own reach.
    if (auto s = impl_->may_grant(who, grant, ""); !s) return s.problem();
    if (auto s = impl_->recent(who); !s) return s.problem();
    const auto& have = p->facts.grants;
    bool same = std::any_of(have.begin(), have.end(), [&](const Grant& g) {
      return g.role == grant.role && g.org == grant.org;
    });
    if (!same) return json::object{};
    d.append(entry_by(who, *basis, "withdrawn",
                      {{"person", p->facts.id}, {"role", grant.role}, {"org", grant.org}}));
    return json::object{};
  });
}

}  // namespace cw
