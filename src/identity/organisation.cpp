// Changes to the organisation: its tree, posts, teams, queues and roles.
#include <algorithm>
#include <set>

#include "base/id.h"
#include "state.h"

namespace cw {
namespace {

constexpr std::size_t kOrgsMax = 2'000;
constexpr std::size_t kOrgDepthMax = 8;
constexpr std::size_t kDeputiesMax = 8;
constexpr std::size_t kMembersMax = 1'500;  // so that the entry stays below 65,535 bytes
constexpr std::size_t kRolesMax = 200;

Problem slug_problem(std::string_view pointer) {
  return invalid(
      "identity.name", std::string(pointer),
      {"标识须为 1–64 个小写字母、数字、- 或 .，以字母开头",
       "An identifier has 1–64 lower-case letters, digits, - or ., and starts with a letter"});
}

// Everyone in `list` is an active person, once.
Status check_people(const Identity::Impl& s, const std::vector<std::string>& list,
                    std::size_t count_max, std::string_view pointer) {
  if (list.size() > count_max) {
    std::string n = std::to_string(count_max);
    return invalid("identity.too-many", std::string(pointer),
                   {"最多 " + n + " 人", "At most " + n + " people"});
  }
  std::set<std::string_view> once;
  for (std::size_t i = 0; i < list.size(); ++i) {
    std::string at = std::string(pointer) + "/" + std::to_string(i);
    if (!s.active(list[i])) return unknown_person(at);
    if (!once.insert(list[i]).second)
      return invalid("identity.twice", at,
                     {"同一个人出现了两次", "The same person stands here twice"});
  }
  return done();
}

const PostTemplate* template_of(std::string_view id) {
  for (const auto& t : post_template()) {
    if (t.id == id) return &t;
  }
  return nullptr;
}

// Who else heads `level` in this organisation, by its own choice.
const Post* head_of(const Identity::Impl& s, const std::string& org, const std::string& level,
                    const std::string& but) {
  for (auto it = s.posts.lower_bound({org, ""}); it != s.posts.end() && it->first.first == org;
       ++it) {
    const auto& levels = it->second.chief_of;
    if (it->second.id != but && std::find(levels.begin(), levels.end(), level) != levels.end())
      return &it->second;
  }
  return nullptr;
}

Result<std::vector<std::string>> levels_for(const Identity::Impl& s, const PostInput& in) {
  std::vector<std::string> out;
  if (!in.chief_of) {
    if (const auto* t = template_of(in.id)) {
      for (const auto& level : t->chief_of) {
        if (head_of(s, in.org, level, in.id) == nullptr) out.push_back(level);
      }
    }
    return out;
  }
  for (std::size_t i = 0; i < in.chief_of->size(); ++i) {
    const std::string& level = (*in.chief_of)[i];
    std::string at = "/chief_of/" + std::to_string(i);
    if (!is_slug(level) || i >= 16) return slug_problem(at);
    if (head_of(s, in.org, level, in.id) != nullptr) {
      return invalid("identity.level-taken", at,
                     {"此级别已由另一岗位指挥；请先从该岗位移除",
                      "Another post heads this level; take it from that post first"});
    }
    out.push_back(level);
  }
  return out;
}

Status check_absence(const PostInput& in) {
  if (in.absent_from == 0 && in.absent_until == 0) return done();
  if (in.absent_from <= 0 || in.absent_until <= in.absent_from) {
    return invalid("identity.absence", "/absent_until",
                   {"离岗的结束时间须晚于开始时间", "An absence ends after it begins"});
  }
  return done();
}

}  // namespace

Result<Answer> Identity::add_org(const Principal& who, Command command, std::string_view parent,
                                 std::string_view kind, Text name) {
  return impl_->change(std::move(command), [&](Draft& d) -> Result<json::object> {
    auto basis = impl_->may_in(who, Permission::people_manage, parent, "/parent");
    if (!basis) return basis.problem();
    if (kind != "hq" && kind != "province" && kind != "centre") {
      return invalid("identity.org-kind", "/kind",
                     {"类型为 hq、province 或 centre", "The kind is hq, province or centre"});
    }
    if (auto s = check_title(name, "/name"); !s) return s.problem();
    std::size_t depth = 1;
    for (std::string at(parent); !at.empty(); at = impl_->parent_of(at)) ++depth;
    if (depth > kOrgDepthMax || impl_->orgs.size() >= kOrgsMax) {
      return problem(
          Refusal::conflict, "identity.orgs-max",
          {"组织最多 2,000 个、8 层", "There are at most 2,000 organisations, 8 levels deep"});
    }
    Org org{new_id("org", d.now_ms(), d.random()), std::string(parent), std::string(kind), name};
    d.append(entry_by(who, *basis, "org-set", body_of(org)));
    return json::object{{"id", org.id}};
  });
}

Result<Answer> Identity::rename_org(const Principal& who, Command command, std::string_view id,
                                    Text name) {
  return impl_->change(std::move(command), [&](Draft& d) -> Result<json::object> {
    auto basis = impl_->may_in(who, Permission::people_manage, id, "/org");
    if (!basis) return basis.problem();
    if (auto s = check_title(name, "/name"); !s) return s.problem();
    Org org = impl_->orgs.at(std::string(id));
    if (org.name == name) return json::object{};
    org.name = name;
    d.append(entry_by(who, *basis, "org-set", body_of(org)));
    return json::object{};
  });
}

Result<Answer> Identity::set_post(const Principal& who, Command command, const PostInput& in) {
  return impl_->change(std::move(command), [&](Draft& d) -> Result<json::object> {
    auto basis = impl_->may_in(who, Permission::posts_manage, in.org, "/org");
    if (!basis) return basis.problem();
    if (!is_slug(in.id)) return slug_problem("/id");
    Post post;
    post.org = in.org;
    post.id = in.id;
    auto before = impl_->posts.find({in.org, in.id});
    if (in.title) {
      post.title = *in.title;
    } else if (before != impl_->posts.end()) {
      post.title = before->second.title;
    } else if (const auto* t = template_of(in.id)) {
      post.title = t->title;
    }
    if (auto s = check_title(post.title, "/title"); !s) return s.problem();
    if (!in.holder.empty() && !impl_->active(in.holder)) return unknown_person("/holder");
    if (auto s = check_people(*impl_, in.deputies, kDeputiesMax, "/deputies"); !s)
      return s.problem();
    if (!in.holder.empty() &&
        std::find(in.deputies.begin(), in.deputies.end(), in.holder) != in.deputies.end()) {
      return invalid("identity.own-deputy", "/deputies",
                     {"任职者不能同时是自己的代理人", "The holder cannot be their own deputy"});
    }
    if (auto s = check_absence(in); !s) return s.problem();
    auto levels = levels_for(*impl_, in);
    if (!levels) return levels.problem();
    post.holder = in.holder;
    post.deputies = in.deputies;
    post.chief_of = *levels;
    post.absent_from = in.absent_from;
    post.absent_until = in.absent_until;
    d.append(entry_by(who, *basis, "post-set", body_of(post)));
    return json::object{};
  });
}

Result<Answer> Identity::set_team(const Principal& who, Command command, const Team& team) {
  return impl_->change(std::move(command), [&](Draft& d) -> Result<json::object> {
    auto basis = impl_->may_in(who, Permission::posts_manage, team.org, "/org");
    if (!basis) return basis.problem();
    if (!is_slug(team.id)) return slug_problem("/id");
    if (auto s = check_title(team.title, "/title"); !s) return s.problem();
    if (auto s = check_people(*impl_, team.members, kMembersMax, "/members"); !s)
      return s.problem();
    d.append(entry_by(who, *basis, "team-set", body_of(team)));
    return json::object{};
  });
}

Result<Answer> Identity::set_queue(const Principal& who, Command command, const Queue& queue) {
  return impl_->change(std::move(command), [&](Draft& d) -> Result<json::object> {
    auto basis = impl_->may_in(who, Permission::posts_manage, queue.org, "/org");
    if (!basis) return basis.problem();
    if (queue.procedure != "*" && !is_slug(queue.procedure)) return slug_problem("/procedure");
    if (auto s = check_people(*impl_, queue.people, kMembersMax, "/people"); !s) return s.problem();
    if (queue.teams.size() > 32)
      return invalid("identity.too-many", "/teams", {"最多 32 个班组", "At most 32 teams"});
    for (std::size_t i = 0; i < queue.teams.size(); ++i) {
      if (!is_slug(queue.teams[i])) return slug_problem("/teams/" + std::to_string(i));
    }
    d.append(entry_by(who, *basis, "queue-set", body_of(queue)));
    return json::object{};
  });
}

Result<Answer> Identity::set_role(const Principal& who, Command command, const Role& role) {
  return impl_->change(std::move(command), [&](Draft& d) -> Result<json::object> {
    auto basis = impl_->may(who, Permission::roles_manage, impl_->root);
    if (!basis) return basis.problem();
    if (auto s = impl_->recent(who); !s) return s.problem();
    if (!is_slug(role.id)) return slug_problem("/id");
    if (auto s = check_title(role.title, "/title"); !s) return s.problem();
    for (const auto& builtin : builtin_roles()) {
      if (builtin.id == role.id) {
        return problem(Refusal::conflict, "identity.builtin-role",
                       {"内置角色不能修改；请新建一个角色",
                        "Built-in roles do not change; make a role of your own"});
      }
    }
    if (!impl_->roles.contains(role.id) && impl_->roles.size() >= kRolesMax) {
      return problem(Refusal::conflict, "identity.roles-max",
                     {"自定义角色最多 200 个", "There are at most 200 custom roles"});
    }
    d.append(entry_by(who, *basis, "role-set", body_of(role)));
    return json::object{};
  });
}

}  // namespace cw
