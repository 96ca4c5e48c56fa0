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

std::vector<std::string> people_of(const Engine::Impl& m, const Case& c, int role) {
  const Definition& d = *m.of(c).definition;
  const RoleDef& r = d.roles[role];
  const std::string& org = m.names.text(c.org);
  switch (r.kind) {
    case RoleDef::Kind::post:
      return m.parts.directory.post_people(r.name, org);
    case RoleDef::Kind::level_chief: {
      if (d.levels.empty()) return {};
      std::string post = m.parts.directory.chief_post(d.levels[std::max(c.level, c.held)], org);
      return post.empty() ? std::vector<std::string>{} : m.parts.directory.post_people(post, org);
    }
    case RoleDef::Kind::team:
      return m.parts.directory.team_people(r.name, org);
    case RoleDef::Kind::queue:
      return m.parts.directory.queue_people(d.id, org);
    case RoleDef::Kind::field:
      if (c.facts[r.fact] == null_value) return {};
      return {m.names.text(static_cast<Name>(c.facts[r.fact]))};
    case RoleDef::Kind::subject:
      if (c.subject == 0) return {};
      return {m.names.text(c.subject)};
    case RoleDef::Kind::any:
      return {};
  }
  return {};
}

std::vector<int> roles_in(const Definition& d, int state) {
  std::vector<int> out;
  auto add = [&](const std::vector<int>& roles) {
    for (int role : roles)
      if (std::find(out.begin(), out.end(), role) == out.end()) out.push_back(role);
  };
  for (int i : d.states[state].tasks) add(d.tasks[i].by), add(d.tasks[i].approve.roles);
  for (int i : d.states[state].actions) add(d.actions[i].by), add(d.actions[i].approve.roles);
  return out;
}

namespace {

// Who may read one restricted case. What the directory says of a person counts only as far as
// nobody could have arranged it to get in: standing in a role, for who stood in it when that role
// began to read (`seated`); anything at all, for whose credentials nobody reset since.
class Gate {
 public:
  Gate(const Engine::Impl& m, const Case& c, std::string_view person)
      : m_(m), c_(c), d_(*m.of(c).definition), person_(person) {
    if (auto name = m.names.find(person)) name_ = *name;
    reset_ms_ = m.parts.directory.credentials_reset_ms(person);
  }

  bool open() const {
    if (name_ != 0 && c_.rare && fresh(admitted(c_.rare->readers))) return true;
    if (name_ != 0 && fresh(c_.opened_ms)) {
      const std::vector<Name> took_part = participants_of(c_);
      if (std::find(took_part.begin(), took_part.end(), name_) != took_part.end()) return true;
    }
    if (stands(d_.readers.roles)) return true;
    return !c_.closed && stands(roles_in(d_, c_.state));
  }

 private:
  bool fresh(std::int64_t since_ms) const { return since_ms >= 0 && reset_ms_ <= since_ms; }
  std::int64_t admitted(const std::vector<Admitted>& list) const {
    for (const Admitted& a : list)
      if (a.person == name_) return a.since_ms;
    return -1;
  }
  // Nobody who was seated or let in is still there: the case is not lost, it goes by roles alone.
  bool deserted() const {
    if (!c_.rare) return true;
    for (const auto* list : {&c_.rare->seated, &c_.rare->readers})
      for (const Admitted& a : *list)
        if (m_.parts.directory.is_active_person(m_.names.text(a.person))) return false;
    return true;
  }
  bool stands(const std::vector<int>& roles) const {
    return std::any_of(roles.begin(), roles.end(), [&](int role) {
      const RoleDef::Kind kind = d_.roles[role].kind;
      if (kind == RoleDef::Kind::any) return false;
      // A new chief reads before taking command.
      const bool chief =
          kind == RoleDef::Kind::level_chief && !chief_basis(m_, c_, person_, c_.level).empty();
      if (!chief && role_basis(m_, c_, person_, role).empty()) return false;
      if (kind == RoleDef::Kind::field || kind == RoleDef::Kind::subject)
        return fresh(c_.opened_ms);  // whom the case itself names
      return (name_ != 0 && c_.rare && fresh(admitted(c_.rare->seated))) || deserted();
    });
  }

  const Engine::Impl& m_;
  const Case& c_;
  const Definition& d_;
  const std::string_view person_;
  Name name_ = 0;
  std::int64_t reset_ms_ = 0;
};

}  // namespace

bool may_read(const Engine::Impl& m, const Case& c, std::string_view person) {
  if (m.of(c).definition->readers.none()) return true;
  return !person.empty() && Gate(m, c, person).open();
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
