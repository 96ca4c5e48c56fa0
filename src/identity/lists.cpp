// What the console lists: from memory, filtered, in pages.
#include <algorithm>

#include "base/text.h"
#include "state.h"

namespace cw {
namespace {

constexpr std::size_t kPageMax = 500;

Person shown(const PersonRecord& p) { return p.facts; }

}  // namespace

const std::string& Identity::root() const { return impl_->root; }

std::vector<Org> Identity::orgs() const {
  std::vector<Org> out;
  std::unordered_map<std::string, std::vector<const Org*>> children;
  for (const auto& [id, org] : impl_->orgs) children[org.parent].push_back(&org);
  std::vector<const Org*> next = children[""];
  while (!next.empty()) {
    const Org* org = next.back();
    next.pop_back();
    out.push_back(*org);
    const auto& below = children[org->id];
    next.insert(next.end(), below.rbegin(), below.rend());
  }
  return out;
}

std::optional<Org> Identity::org(std::string_view id) const {
  auto it = impl_->orgs.find(std::string(id));
  return it == impl_->orgs.end() ? std::nullopt : std::optional<Org>(it->second);
}

std::optional<Person> Identity::person(std::string_view id) const {
  const PersonRecord* p = impl_->find(id);
  return p == nullptr ? std::nullopt : std::optional<Person>(shown(*p));
}

std::optional<Person> Identity::person_by_login(std::string_view login) const {
  const PersonRecord* p = impl_->find_login(login);
  return p == nullptr ? std::nullopt : std::optional<Person>(shown(*p));
}

std::string Identity::display_name(std::string_view person) const {
  const PersonRecord* p = impl_->find(person);
  if (p == nullptr) return std::string(person);
  if (!p->facts.name.empty()) return p->facts.name;
  return p->facts.staff_no.empty() ? p->facts.id : p->facts.staff_no;
}

std::size_t Identity::people_count() const { return impl_->people.size(); }

// A cursor is a position: people keep theirs for ever.
Page<Person> Identity::people(const PeopleQuery& query) const {
  std::string needle = is_utf8(query.q) ? fold(trim(query.q)) : std::string(query.q);
  auto standing = [&](const std::string& person) {
    for (const auto& [key, post] : impl_->posts) {
      if (post.id != query.post) continue;
      const auto& d = post.deputies;
      if (post.holder == person || std::find(d.begin(), d.end(), person) != d.end()) return true;
    }
    return false;
  };
  std::unordered_map<std::string, bool> in_org;  // the tree is climbed once per organisation
  auto below = [&](const std::string& org) {
    auto [it, fresh] = in_org.try_emplace(org, false);
    if (fresh) it->second = impl_->within(org, query.org);
    return it->second;
  };
  auto matches = [&](const PersonRecord& p) {
    if (query.active && p.facts.active != *query.active) return false;
    if (!needle.empty() && p.folded.find(needle) == std::string::npos) return false;
    if (!query.org.empty() && !below(p.facts.org)) return false;
    const auto& g = p.facts.grants;
    if (!query.role.empty() &&
        std::none_of(g.begin(), g.end(), [&](const Grant& x) { return x.role == query.role; }))
      return false;
    return query.post.empty() || standing(p.facts.id);
  };
  Page<Person> page;
  std::size_t from = to_int<std::size_t>(query.cursor).value_or(0);
  std::size_t limit = std::clamp<std::size_t>(query.limit, 1, kPageMax);
  for (std::size_t i = 0; i < impl_->people.size(); ++i) {
    if (!matches(impl_->people[i])) continue;
    ++page.total;
    if (i < from) continue;
    if (page.items.size() < limit) {
      page.items.push_back(shown(impl_->people[i]));
    } else if (page.next.empty()) {
      page.next = std::to_string(i);
    }
  }
  return page;
}

std::vector<Post> Identity::posts(std::string_view org) const {
  std::vector<Post> out;
  if (!is_org(org)) return out;
  auto add = [&](Post post) {
    if (const Post* now = impl_->acting_post(post.id, org)) {
      post.acting = impl_->acting(*now);
      post.acting_org = now->org;
    }
    out.push_back(std::move(post));
  };
  for (const auto& t : post_template()) {
    auto it = impl_->posts.find({std::string(org), t.id});
    Post post;
    post.org = org;
    post.id = t.id;
    post.title = t.title;
    post.chief_of = t.chief_of;
    add(it == impl_->posts.end() ? std::move(post) : it->second);
  }
  for (auto it = impl_->posts.lower_bound({std::string(org), ""});
       it != impl_->posts.end() && it->first.first == org; ++it) {
    const auto& t = post_template();
    if (std::none_of(t.begin(), t.end(), [&](const auto& x) { return it->first.second == x.id; }))
      add(it->second);
  }
  return out;
}

std::vector<Post> Identity::posts_of(std::string_view person) const {
  std::vector<Post> out;
  for (const auto& [key, post] : impl_->posts) {
    auto now = impl_->acting(post);
    if (std::find(now.begin(), now.end(), person) == now.end()) continue;
    out.push_back(post);
    out.back().acting = std::move(now);
    out.back().acting_org = post.org;
  }
  return out;
}

std::vector<Team> Identity::teams(std::string_view org) const {
  std::vector<Team> out;
  for (const auto& [key, team] : impl_->teams) {
    if (org.empty() || key.first == org) out.push_back(team);
  }
  return out;
}

std::vector<Queue> Identity::queues(std::string_view org) const {
  std::vector<Queue> out;
  for (const auto& [key, queue] : impl_->queues) {
    if (org.empty() || key.first == org) out.push_back(queue);
  }
  return out;
}

std::vector<Role> Identity::roles() const {
  std::vector<Role> out = builtin_roles();
  for (const auto& [id, role] : impl_->roles) out.push_back(role);
  return out;
}

std::vector<Token> Identity::tokens(std::string_view org) const {
  std::vector<Token> out;
  for (const auto& [id, t] : impl_->tokens) {
    if (!org.empty() && !impl_->within(t.facts.org, org)) continue;
    out.push_back(t.facts);
    out.back().used_at = t.used.at;
  }
  return out;
}

}  // namespace cw
