// Who may act, and why. The reason becomes the entry's `basis`.
#include <algorithm>

#include "sketch.h"

namespace cw {
namespace {

bool has_acted(const Case& c, Name person, int role) {
  return std::find(c.acted.begin(), c.acted.end(),
                   Acted{person, static_cast<std::uint16_t>(role)}) != c.acted.end();
}

// The role this person may not take because of what they did as another; -1 = none.
int kept_apart(const Engine::Impl& m, const Case& c, std::string_view person, int role) {
  auto name = m.names.find(person);
  if (!name) return -1;
  for (int other : m.of(c).definition->roles[role].apart)
    if (has_acted(c, *name, other)) return other;
  return -1;
}

void say_roles(const Definition& d, const std::vector<int>& roles, Text& out) {
  for (std::size_t i = 0; i < roles.size(); ++i) {
    const RoleDef& r = d.roles[roles[i]];
    if (i > 0) out.zh += "、", out.en += ", ";
    out.zh += r.title.zh.empty() ? r.id : r.title.zh;
    out.en += r.title.en.empty() ? r.id : r.title.en;
  }
}

}  // namespace

std::string chief_basis(const Engine::Impl& m, const Case& c, std::string_view person, int level) {
  const Definition& d = *m.of(c).definition;
  if (d.levels.empty()) return {};
  const std::string& org = m.names.text(c.org);
  std::string post = m.parts.directory.chief_post(d.levels[level], org);
  return post.empty() ? std::string() : m.parts.directory.post_basis(person, post, org);
}

std::string role_basis(const Engine::Impl& m, const Case& c, std::string_view person, int role) {
  const Installed& in = m.of(c);
  const RoleDef& r = in.definition->roles[role];
  const std::string& org = m.names.text(c.org);
  switch (r.kind) {
    case RoleDef::Kind::any:
      return "any";
    case RoleDef::Kind::post:
      return m.parts.directory.post_basis(person, r.name, org);
    case RoleDef::Kind::team:
      return m.parts.directory.team_basis(person, r.name, org);
    case RoleDef::Kind::queue:
      return m.parts.directory.queue_basis(person, in.definition->id, org);
    case RoleDef::Kind::level_chief:
      // What a level was raised for is not decided below it: its chief takes command first. After
      // the level fell, the higher chief keeps command until the lower one takes it.
      return c.level > c.held ? std::string() : chief_basis(m, c, person, c.held);
    case RoleDef::Kind::subject:
      return c.subject != 0 && m.names.text(c.subject) == person ? "subject" : "";
    case RoleDef::Kind::field: {
      auto name = m.names.find(person);
      bool is = name && c.facts[r.fact] == Value{*name};
      return is ? "field:" + in.definition->facts[r.fact].id : std::string();
    }
  }
  return {};
}

Standing standing(const Engine::Impl& m, const Case& c, std::string_view person,
                  const std::vector<int>& roles, std::int64_t now_ms) {
  const Definition& d = *m.of(c).definition;
  Standing s;
  int apart = -1, wanted = -1;
  auto attempt = [&](std::string_view as) {
    for (int role : roles) {
      std::string basis = role_basis(m, c, as, role);
      if (basis.empty()) continue;
      const std::string holder(acted_for(basis));
      if (as != person && !holder.empty()) continue;  // a delegate hands nothing on
      int other = kept_apart(m, c, person, role);
      if (other < 0 && as != person) other = kept_apart(m, c, as, role);
      if (other < 0 && !holder.empty()) other = kept_apart(m, c, holder, role);
      if (other >= 0) {
        apart = other, wanted = role;
        continue;
      }
      s.role = role;
      s.basis = as == person ? std::move(basis) : "delegate:" + std::string(as);
      return true;
    }
    return false;
  };
  if (attempt(person)) return s;
  if (c.rare)
    for (const Delegation& g : c.rare->delegations)
      if (g.until_ms > now_ms && m.names.text(g.to) == person && attempt(m.names.text(g.from)))
        return s;
  if (apart >= 0) {
    Text was, now;
    say_roles(d, {apart}, was);
    say_roles(d, {wanted}, now);
    s.why_not = {
        "已以“" + was.zh + "”身份办理过本记录，不得再以“" + now.zh + "”身份办理（职责分离）",
        "You acted on this record as " + was.en + ", so you may not act as " + now.en +
            " (separation of duties)"};
    return s;
  }
  Text need;
  say_roles(d, roles, need);
  bool taken = c.level != c.held && !chief_basis(m, c, person, c.level).empty() &&
               std::any_of(roles.begin(), roles.end(),
                           [&](int r) { return d.roles[r].kind == RoleDef::Kind::level_chief; });
  if (taken)
    s.why_not = {"响应级别已变更：请先提交交接简报并接管指挥",
                 "The level of command moved: take command with a handover brief first"};
  else
    s.why_not = {"须由以下角色办理：" + need.zh, "Only these roles may do it: " + need.en};
  return s;
}

std::vector<Name> participants_of(const Case& c) {
  std::vector<Name> out;
  auto add = [&](Name n) {
    if (n != 0 && std::find(out.begin(), out.end(), n) == out.end()) out.push_back(n);
  };
  add(c.starter);
  add(c.commander);
  for (const Acted& a : c.acted) add(a.person);
  for (const TaskState& t : c.tasks) add(t.assignee), add(t.doer);
  if (c.rare) {
    for (Name n : c.rare->watchers) add(n);
    for (const Delegation& g : c.rare->delegations) add(g.from), add(g.to);
  }
  return out;
}

bool may_read(const Engine::Impl& m, const Case& c, std::string_view person) {
  const Definition& d = *m.of(c).definition;
  if (d.readers.none()) return true;
  if (auto name = m.names.find(person); name && *name != 0) {
    auto among = [&](const std::vector<Name>& list) {
      return std::find(list.begin(), list.end(), *name) != list.end();
    };
    if (among(participants_of(c)) || (c.rare && among(c.rare->readers))) return true;
  }
  auto stands = [&](const std::vector<int>& roles) {
    return std::any_of(roles.begin(), roles.end(), [&](int role) {
      const RoleDef::Kind kind = d.roles[role].kind;
      if (kind == RoleDef::Kind::any) return false;
      // A new chief reads before taking command.
      if (kind == RoleDef::Kind::level_chief && !chief_basis(m, c, person, c.level).empty())
        return true;
      return !role_basis(m, c, person, role).empty();
    });
  };
  if (person.empty()) return false;
  if (stands(d.readers.roles)) return true;
  if (c.closed) return false;
  const StateDef& state = d.states[c.state];
  for (int i : state.tasks)
    if (stands(d.tasks[i].by) || stands(d.tasks[i].approve.roles)) return true;
  for (int i : state.actions)
    if (stands(d.actions[i].by) || stands(d.actions[i].approve.roles)) return true;
  return false;
}

std::string involvement(const Engine::Impl& m, const Case& c, std::string_view person) {
  const Definition& d = *m.of(c).definition;
  std::string delegated;  // one's own standing comes first
  auto own = [&](const std::string& basis) {
    if (!acted_for(basis).empty()) delegated = basis;
    return !basis.empty() && acted_for(basis).empty();
  };
  for (std::size_t i = 0; i < d.roles.size(); ++i) {
    if (d.roles[i].kind == RoleDef::Kind::any) continue;
    std::string basis = role_basis(m, c, person, static_cast<int>(i));
    if (own(basis)) return basis;
  }
  for (std::size_t level = 0; level < d.levels.size(); ++level) {
    std::string basis = chief_basis(m, c, person, static_cast<int>(level));
    if (own(basis)) return basis;
  }
  if (!delegated.empty()) return delegated;
  if (auto name = m.names.find(person)) {
    std::vector<Name> known = participants_of(c);
    if (std::find(known.begin(), known.end(), *name) != known.end()) return "participant";
  }
  return {};
}

}  // namespace cw
