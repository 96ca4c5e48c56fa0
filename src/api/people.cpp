#include "common.h"

// The organisation's tree, people, posts with deputies, teams, queues, roles, API tokens.
namespace cw::api {
namespace {

struct OrgOut {
  std::string id, parent, kind;
  Text name;
};
BOOST_DESCRIBE_STRUCT(OrgOut, (), (id, parent, kind, name))
struct OrgIn {
  std::string parent, kind;
  Text name;
};
BOOST_DESCRIBE_STRUCT(OrgIn, (), (parent, kind, name))
struct NameIn {
  Text name;
};
BOOST_DESCRIBE_STRUCT(NameIn, (), (name))
struct GrantIo {
  std::string role, org;
};
BOOST_DESCRIBE_STRUCT(GrantIo, (), (role, org))

struct PersonOut {
  std::string id, org, staff_no, lang, name, login, email, phone;
  bool active = false, totp = false, must_change_password = false;
  std::vector<GrantIo> grants;
  std::int64_t added_at = 0;
  std::optional<std::int64_t> signed_in_at;
};
BOOST_DESCRIBE_STRUCT(PersonOut, (),
                      (id, org, staff_no, lang, name, login, email, phone, active, totp,
                       must_change_password, grants, added_at, signed_in_at))

struct PersonIn {
  std::string name, login, staff_no, org;
  std::optional<std::string> email, phone, lang;
  std::optional<std::vector<GrantIo>> grants;
};
BOOST_DESCRIBE_STRUCT(PersonIn, (), (name, login, staff_no, org, email, phone, lang, grants))
struct PersonPatch {
  std::optional<std::string> name, login, staff_no, org, email, phone, lang;
  std::optional<bool> active;
};
BOOST_DESCRIBE_STRUCT(PersonPatch, (), (name, login, staff_no, org, email, phone, lang, active))
struct IssuedOut {
  std::int64_t seq = 0;
  std::string id, secret;
};
BOOST_DESCRIBE_STRUCT(IssuedOut, (), (seq, id, secret))

struct PostOut {
  std::string org, id;
  Text title;
  std::optional<PersonRef> holder;
  std::vector<PersonRef> deputies, acting;
  std::string acting_org;
  std::vector<std::string> chief_of;
  std::optional<std::int64_t> absent_from, absent_until;
};
BOOST_DESCRIBE_STRUCT(PostOut, (),
                      (org, id, title, holder, deputies, acting, acting_org, chief_of, absent_from,
                       absent_until))
struct PostIn {
  std::optional<Text> title;
  std::optional<std::string> holder;
  std::optional<std::vector<std::string>> deputies, chief_of;
  std::optional<std::int64_t> absent_from, absent_until;
};
BOOST_DESCRIBE_STRUCT(PostIn, (), (title, holder, deputies, chief_of, absent_from, absent_until))

struct TeamOut {
  std::string org, id;
  Text title;
  std::vector<PersonRef> members;
};
BOOST_DESCRIBE_STRUCT(TeamOut, (), (org, id, title, members))
struct TeamIn {
  std::optional<Text> title;
  std::vector<std::string> members;
};
BOOST_DESCRIBE_STRUCT(TeamIn, (), (title, members))
struct QueueOut {
  std::string org, procedure;
  std::vector<PersonRef> people;
  std::vector<std::string> teams;
};
BOOST_DESCRIBE_STRUCT(QueueOut, (), (org, procedure, people, teams))
struct QueueIn {
  std::vector<std::string> people, teams;
};
BOOST_DESCRIBE_STRUCT(QueueIn, (), (people, teams))

struct RoleOut {
  std::string id;
  Text title;
  std::vector<std::string> allow, deny;
  bool builtin = false;
};
BOOST_DESCRIBE_STRUCT(RoleOut, (), (id, title, allow, deny, builtin))
struct RoleIn {
  Text title;
  std::vector<std::string> allow;
  std::optional<std::vector<std::string>> deny;
};
BOOST_DESCRIBE_STRUCT(RoleIn, (), (title, allow, deny))
struct PermissionOut {
  std::string id;
  Text title;
};
BOOST_DESCRIBE_STRUCT(PermissionOut, (), (id, title))

struct TokenOut {
  std::string id, org, label;
  PersonRef made_by;
  std::vector<std::string> scopes;
  std::int64_t added_at = 0, expires_at = 0;
  std::optional<std::int64_t> used_at;
  bool revoked = false;
};
BOOST_DESCRIBE_STRUCT(TokenOut, (),
                      (id, org, label, made_by, scopes, added_at, expires_at, used_at, revoked))
struct TokenIn {
  std::string org, label;
  std::vector<std::string> scopes;
  std::int64_t expires_at = 0;
};
BOOST_DESCRIBE_STRUCT(TokenIn, (), (org, label, scopes, expires_at))

std::optional<std::int64_t> unless_zero(std::int64_t v) {
  return v == 0 ? std::nullopt : std::optional(v);
}

PersonOut person_out(const Person& p) {
  PersonOut out{p.id,
                p.org,
                p.staff_no,
                p.lang,
                p.name,
                p.login,
                p.email,
                p.phone,
                p.active,
                p.totp,
                p.must_change_password,
                {},
                p.added_at,
                unless_zero(p.signed_in_at)};
  for (const auto& g : p.grants) out.grants.push_back({g.role, g.org});
  return out;
}

Result<IssuedOut> issued(Result<Issued> result) {
  if (!result) return std::move(result).problem();
  return IssuedOut{written(result->answer).seq, result->id, result->secret};
}

Result<Page<PersonOut>> list_people(Call& call) {
  auto limit = call.number("limit", 50, 1, 500);
  if (!limit) return std::move(limit).problem();
  PeopleQuery query{.q = call.query("q"),
                    .org = call.query("org"),
                    .post = call.query("post"),
                    .role = call.query("role"),
                    .cursor = call.query("cursor"),
                    .limit = static_cast<std::size_t>(*limit)};
  if (auto active = call.query("active"); !active.empty()) query.active = active == "true";
  return call.s.journal.read([&]() -> Result<Page<PersonOut>> {
    if (query.org.empty()) {
      // A list is cut to one subtree; whoever may read several asks for each.
      auto orgs = call.s.identity.orgs_where(call.who, Permission::people_read);
      bool all = std::find(orgs.begin(), orgs.end(), call.s.identity.root()) != orgs.end();
      query.org = all ? "" : call.who.org;
    }
    auto basis = call.s.identity.may(call.who, Permission::people_read, query.org);
    if (!basis) return std::move(basis).problem();
    auto found = call.s.identity.people(query);
    auto page = page_of<PersonOut>(found.items, found.next, person_out);
    page.total = static_cast<std::int64_t>(found.total);
    return page;
  });
}

Result<PersonOut> one_person(Call& call) {
  return call.s.journal.read([&]() -> Result<PersonOut> {
    auto p = call.s.identity.person(call.id());
    if (!p || !call.s.identity.may(call.who, Permission::people_read, p->org).ok())
      return no_such({"这个人员", "such a person"});
    return person_out(*p);
  });
}

Result<IssuedOut> add_person(Call& call, PersonIn& in) {
  PersonInput input{in.name,
                    in.login,
                    in.staff_no,
                    in.org,
                    in.email.value_or(""),
                    in.phone.value_or(""),
                    in.lang.value_or("zh"),
                    {}};
  for (const auto& g : in.grants.value_or(std::vector<GrantIo>{}))
    input.grants.push_back({g.role, g.org});
  return issued(call.s.identity.add_person(call.who, call.command, input));
}

Result<Written> change_person(Call& call, PersonPatch& in) {
  PersonChange change{in.name, in.login, in.staff_no, in.org, in.email, in.phone, in.lang};
  bool other = in.name || in.login || in.staff_no || in.org || in.email || in.phone || in.lang;
  if (in.active && other)
    return invalid("people.one-change", "/active",
                   {"启用或停用须单独提交", "Activate or deactivate in a request of its own"});
  if (in.active)
    return written(call.s.identity.set_active(call.who, call.command, call.id(), *in.active));
  return written(call.s.identity.change_person(call.who, call.command, call.id(), change));
}

// Everything in one organisation, or in each the caller may read.
template <typename T, typename F>
Result<Page<T>> by_org(Call& call, F&& each) {
  std::string only = call.query("org");
  return call.s.journal.read([&]() -> Result<Page<T>> {
    Page<T> out;
    for (const auto& org : call.s.identity.orgs_where(call.who, Permission::people_read))
      if (only.empty() || only == org) each(org, out.items);
    return out;
  });
}

std::vector<PersonRef> refs(const Services& s, const std::vector<std::string>& ids) {
  std::vector<PersonRef> out;
  for (const auto& id : ids) out.push_back(person_ref(s, id));
  return out;
}

PostOut post_out(const Services& s, const Post& p) {
  PostOut out{p.org,
              p.id,
              p.title,
              std::nullopt,
              refs(s, p.deputies),
              refs(s, p.acting),
              p.acting_org,
              p.chief_of,
              unless_zero(p.absent_from),
              unless_zero(p.absent_until)};
  if (!p.holder.empty()) out.holder = person_ref(s, p.holder);
  return out;
}

Result<Written> set_post(Call& call, PostIn& in) {
  return written(
      call.s.identity.set_post(call.who, call.command,
                               {call.http.param("org"), call.id(), in.title, in.holder.value_or(""),
                                in.deputies.value_or(std::vector<std::string>{}), in.chief_of,
                                in.absent_from.value_or(0), in.absent_until.value_or(0)}));
}

Result<Written> set_role(Call& call, RoleIn& in) {
  auto allow = PermissionSet::parse(in.allow, "/allow");
  if (!allow) return std::move(allow).problem();
  auto deny = PermissionSet::parse(in.deny.value_or(std::vector<std::string>{}), "/deny");
  if (!deny) return std::move(deny).problem();
  return written(call.s.identity.set_role(call.who, call.command,
                                          {call.id(), in.title, *allow, *deny, false}));
}

Result<IssuedOut> add_token(Call& call, TokenIn& in) {
  auto scopes = PermissionSet::parse(in.scopes, "/scopes");
  if (!scopes) return std::move(scopes).problem();
  Token wanted;
  wanted.org = in.org;
  wanted.label = in.label;
  wanted.scopes = *scopes;
  wanted.expires_at = in.expires_at;
  return issued(call.s.identity.add_token(call.who, call.command, wanted));
}

void add_structure(Table& t) {
  t.get<Page<OrgOut>>("/orgs", {"people.read", "The organisation's tree"}, [](Call& c) {
    return by_org<OrgOut>(c, [&](const std::string& id, auto& out) {
      if (auto o = c.s.identity.org(id)) out.push_back({o->id, o->parent, o->kind, o->name});
    });
  });
  t.post<OrgIn, Written>("/orgs", {"people.manage", "Add an organisation"}, [](Call& c, OrgIn& in) {
    return written(c.s.identity.add_org(c.who, c.command, in.parent, in.kind, in.name));
  });
  t.patch<NameIn, Written>(
      "/orgs/{id}", {"people.manage", "Rename an organisation"}, [](Call& c, NameIn& in) {
        return written(c.s.identity.rename_org(c.who, c.command, c.id(), in.name));
      });
  t.get<Page<PostOut>>(
      "/posts",
      {"people.read", "Posts, who holds them and who acts", {{"org", "only this organisation"}}},
      [](Call& c) {
        return by_org<PostOut>(c, [&](const std::string& org, auto& out) {
          for (const auto& p : c.s.identity.posts(org)) out.push_back(post_out(c.s, p));
        });
      });
  t.put<PostIn, Written>("/posts/{org}/{id}",
                         {"posts.manage", "Holder, deputies and absence of a post"}, set_post);
  t.get<Page<TeamOut>>("/teams", {"people.read", "Teams", {{"org", "only this organisation"}}},
                       [](Call& c) {
                         return by_org<TeamOut>(c, [&](const std::string& org, auto& out) {
                           for (const auto& x : c.s.identity.teams(org))
                             out.push_back({x.org, x.id, x.title, refs(c.s, x.members)});
                         });
                       });
  t.put<TeamIn, Written>(
      "/teams/{org}/{id}", {"posts.manage", "A team's members"}, [](Call& c, TeamIn& in) {
        return written(c.s.identity.set_team(
            c.who, c.command,
            {c.http.param("org"), c.id(), in.title.value_or(Text{}), in.members}));
      });
  t.get<Page<QueueOut>>(
      "/queues",
      {"people.read", "Who takes which procedure's cases", {{"org", "only this organisation"}}},
      [](Call& c) {
        return by_org<QueueOut>(c, [&](const std::string& org, auto& out) {
          for (const auto& q : c.s.identity.queues(org))
            out.push_back({q.org, q.procedure, refs(c.s, q.people), q.teams});
        });
      });
  t.put<QueueIn, Written>(
      "/queues/{org}/{id}", {"posts.manage", "Who takes a procedure's cases (id *: any)"},
      [](Call& c, QueueIn& in) {
        return written(c.s.identity.set_queue(c.who, c.command,
                                              {c.http.param("org"), c.id(), in.people, in.teams}));
      });
}

void add_rights(Table& t) {
  t.get<Page<RoleOut>>(
      "/roles", {"people.read", "Roles and what they allow"}, [](Call& c) -> Result<Page<RoleOut>> {
        return c.s.journal.read([&] {
          return page_of<RoleOut>(c.s.identity.roles(), "", [](const Role& r) {
            return RoleOut{r.id, r.title, r.allow.names(), r.deny.names(), r.builtin};
          });
        });
      });
  t.put<RoleIn, Written>("/roles/{id}", {"roles.manage", "Make or change a role"}, set_role);
  t.get<Page<PermissionOut>>("/permissions", {"people.read", "Every permission"},
                             [](Call&) -> Result<Page<PermissionOut>> {
                               Page<PermissionOut> out;
                               for (const auto& p : permissions())
                                 out.items.push_back({p.name, p.title});
                               return out;
                             });
  t.post<GrantIo, Written>(
      "/people/{id}/grants", {"people.manage", "Give a role"}, [](Call& c, GrantIo& in) {
        return written(c.s.identity.grant(c.who, c.command, c.id(), {in.role, in.org}));
      });
  t.post<GrantIo, Written>(
      "/people/{id}/grants/withdraw", {"people.manage", "Withdraw a role"},
      [](Call& c, GrantIo& in) {
        return written(c.s.identity.withdraw(c.who, c.command, c.id(), {in.role, in.org}));
      });
  t.get<Page<TokenOut>>(
      "/tokens", {"tokens.manage", "API tokens"}, [](Call& c) -> Result<Page<TokenOut>> {
        return c.s.journal.read([&] {
          Page<TokenOut> out;
          for (const auto& x : c.s.identity.tokens(""))
            if (c.s.identity.may(c.who, Permission::tokens_manage, x.org).ok())
              out.items.push_back({x.id, x.org, x.label, person_ref(c.s, x.made_by),
                                   x.scopes.names(), x.added_at, x.expires_at,
                                   unless_zero(x.used_at), x.revoked});
          return out;
        });
      });
  t.create<TokenIn, IssuedOut>(
      "/tokens", {"tokens.manage", "Make an API token; its secret is told once"}, add_token);
  t.remove<Written>("/tokens/{id}", {"tokens.manage", "Revoke an API token"}, [](Call& c) {
    return written(c.s.identity.revoke_token(c.who, c.command, c.id()));
  });
}

}  // namespace

void add_people(Table& t) {
  t.tag("people");
  t.get<Page<PersonOut>>("/people",
                         {"people.read",
                          "People",
                          {{"q", "part of name, login or staff number"},
                           {"org", "with everything below"},
                           {"post", ""},
                           {"role", ""},
                           {"active", "true or false"},
                           {"cursor", ""},
                           {"limit", "1–500"}}},
                         list_people);
  t.get<PersonOut>("/people/{id}", {"people.read", "One person"}, one_person);
  t.create<PersonIn, IssuedOut>(
      "/people", {"people.manage", "Add a person; the one-time password is told once"}, add_person);
  t.patch<PersonPatch, Written>("/people/{id}",
                                {"people.manage", "Change a person, or activate and deactivate"},
                                change_person);
  t.create<Nothing, IssuedOut>(
      "/people/{id}/password-reset", {"people.manage", "A new one-time password"},
      [](Call& c, Nothing&) {
        return issued(c.s.identity.reset_password(c.who, c.command, c.id()));
      });
  t.post<Nothing, Written>("/people/{id}/totp-remove",
                           {"people.manage", "Remove a lost second factor"}, [](Call& c, Nothing&) {
                             return written(c.s.identity.remove_totp(c.who, c.command, c.id()));
                           });
  t.post<Nothing, Written>("/people/{id}/erase",
                           {"people.manage", "Destroy the personal data of somebody who left"},
                           [](Call& c, Nothing&) {
                             return written(c.s.identity.erase_person(c.who, c.command, c.id()));
                           });
  add_structure(t);
  add_rights(t);
}

}  // namespace cw::api
