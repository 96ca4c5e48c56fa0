// Who may stand where. Each look-up starts in the organisation and climbs to its ancestors until
// somebody is found who can act now.
#include <algorithm>

#include "state.h"

namespace cw {

// In order of rank. `chief_of` names the levels of command a post heads; procedures name levels.
const std::vector<PostTemplate>& post_template() {
  static const std::vector<PostTemplate> posts = {
      {"leader", {"领导小组组长", "Head of the leading group"}, {"leadership"}},
      {"commander", {"应急指挥长", "Emergency commander"}, {"command"}},
      {"duty-officer", {"值班长", "Duty officer"}, {"duty"}},
      {"service-manager", {"客服经理", "Service manager"}, {"manager"}},
      {"shift-lead", {"班长", "Shift lead"}, {"lead", "agent"}},
      {"security-officer", {"信息安全专员", "Security officer"}, {}},
      {"dpo", {"个人信息保护负责人", "Data-protection officer"}, {}},
      {"counsel", {"法务", "Counsel"}, {}},
      {"spokesperson", {"新闻发言人", "Spokesperson"}, {}},
      {"investigator", {"调查评估专员", "Investigator"}, {}},
      {"logistics", {"后勤保障负责人", "Head of logistics"}, {}},
      {"site-security", {"现场安保负责人", "Head of site security"}, {}},
      {"change-manager", {"变更经理", "Change manager"}, {}},
      {"problem-manager", {"问题经理", "Problem manager"}, {}},
      {"supplier-manager", {"供应商经理", "Supplier manager"}, {}},
      {"document-controller", {"文件管理员", "Document controller"}, {}},
      {"training-manager", {"培训负责人", "Training manager"}, {}},
      {"personnel", {"人力资源负责人", "Head of personnel"}, {}},
      {"auditor", {"内部审计", "Internal auditor"}, {}},
  };
  return posts;
}

std::string Identity::Impl::parent_of(std::string_view org) const {
  auto it = orgs.find(std::string(org));
  return it == orgs.end() ? std::string() : it->second.parent;
}

bool Identity::Impl::active(std::string_view person) const {
  const PersonRecord* p = find(person);
  return p != nullptr && p->facts.active;
}

bool Identity::Impl::absent(const Post& post) const {
  if (post.absent_until == 0) return false;
  std::int64_t now = clock.now_ms();
  return post.absent_from <= now && now < post.absent_until;
}

std::vector<std::string> Identity::Impl::acting(const Post& post) const {
  std::vector<std::string> out;
  if (active(post.holder)) {  // while they are away, whom they chose stands before the deputies
    if (!absent(post)) out.push_back(post.holder);
    for (auto& d : delegates(post)) out.push_back(std::move(d));
  }
  if (!out.empty()) return out;
  for (const auto& d : post.deputies) {
    if (active(d)) out.push_back(d);
  }
  return out;
}

const Post* Identity::Impl::acting_post(std::string_view post, std::string_view org) const {
  for (std::string at(org); !at.empty(); at = parent_of(at)) {
    auto it = posts.find({at, std::string(post)});
    if (it != posts.end() && !acting(it->second).empty()) return &it->second;
  }
  return nullptr;
}

const Team* Identity::Impl::acting_team(std::string_view team, std::string_view org) const {
  for (std::string at(org); !at.empty(); at = parent_of(at)) {
    auto it = teams.find({at, std::string(team)});
    if (it == teams.end()) continue;
    const auto& m = it->second.members;
    if (std::any_of(m.begin(), m.end(), [&](const auto& p) { return active(p); }))
      return &it->second;
  }
  return nullptr;
}

const Queue* Identity::Impl::acting_queue(std::string_view procedure, std::string_view org) const {
  for (std::string at(org); !at.empty(); at = parent_of(at)) {
    for (const std::string& key : {std::string(procedure), std::string("*")}) {
      auto it = queues.find({at, key});
      if (it != queues.end() && (!it->second.people.empty() || !it->second.teams.empty()))
        return &it->second;
    }
  }
  return nullptr;
}

std::string Identity::post_basis(std::string_view person, std::string_view post,
                                 std::string_view org) const {
  const Post* p = impl_->acting_post(post, org);
  if (p == nullptr) return {};
  auto now = impl_->acting(*p);
  if (std::find(now.begin(), now.end(), person) == now.end()) return {};
  if (p->holder == person) return "post:" + p->id;
  const auto delegates = impl_->delegates(*p);
  const bool is = impl_->active(p->holder) &&
                  std::find(delegates.begin(), delegates.end(), person) != delegates.end();
  return is ? "delegate:" + p->holder : "deputy:" + p->id;
}

std::vector<std::string> Identity::post_people(std::string_view post, std::string_view org) const {
  const Post* p = impl_->acting_post(post, org);
  return p == nullptr ? std::vector<std::string>() : impl_->acting(*p);
}

std::string Identity::post_org(std::string_view post, std::string_view org) const {
  const Post* p = impl_->acting_post(post, org);
  return p == nullptr ? std::string() : p->org;
}

std::string Identity::team_basis(std::string_view person, std::string_view team,
                                 std::string_view org) const {
  if (!impl_->active(person)) return {};
  const Team* t = impl_->acting_team(team, org);
  if (t == nullptr || std::find(t->members.begin(), t->members.end(), person) == t->members.end())
    return {};
  return "team:" + t->id;
}

std::vector<std::string> Identity::team_people(std::string_view team, std::string_view org) const {
  std::vector<std::string> out;
  if (const Team* t = impl_->acting_team(team, org)) {
    std::copy_if(t->members.begin(), t->members.end(), std::back_inserter(out),
                 [&](const auto& p) { return impl_->active(p); });
  }
  return out;
}

std::string Identity::team_org(std::string_view team, std::string_view org) const {
  const Team* t = impl_->acting_team(team, org);
  return t == nullptr ? std::string() : t->org;
}

std::string Identity::queue_basis(std::string_view person, std::string_view procedure,
                                  std::string_view org) const {
  return queue_basis(person, procedure, org, *this);
}

std::string Identity::queue_basis(std::string_view person, std::string_view procedure,
                                  std::string_view org, const Directory& teams) const {
  if (!impl_->active(person)) return {};
  const Queue* q = impl_->acting_queue(procedure, org);
  if (q == nullptr) return {};
  bool in = std::find(q->people.begin(), q->people.end(), person) != q->people.end() ||
            std::any_of(q->teams.begin(), q->teams.end(), [&](const auto& t) {
              return !teams.team_basis(person, t, q->org).empty();
            });
  return in ? "queue:" + std::string(procedure) : std::string();
}

std::vector<std::string> Identity::queue_people(std::string_view procedure,
                                                std::string_view org) const {
  return queue_people(procedure, org, *this);
}

std::vector<std::string> Identity::queue_people(std::string_view procedure, std::string_view org,
                                                const Directory& teams) const {
  std::vector<std::string> out;
  const Queue* q = impl_->acting_queue(procedure, org);
  if (q == nullptr) return out;
  for (const auto& p : q->people) {
    if (impl_->active(p)) out.push_back(p);
  }
  for (const auto& t : q->teams) {
    for (auto& p : teams.team_people(t, q->org)) out.push_back(std::move(p));
  }
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

// An organisation's own choice of who heads a level wins over the template's.
std::string Identity::chief_post(std::string_view level, std::string_view org) const {
  for (std::string at(org); !at.empty(); at = impl_->parent_of(at)) {
    for (auto it = impl_->posts.lower_bound({at, ""});
         it != impl_->posts.end() && it->first.first == at; ++it) {
      const auto& levels = it->second.chief_of;
      if (std::find(levels.begin(), levels.end(), level) != levels.end()) return it->second.id;
    }
  }
  if (!is_org(org)) return {};
  for (const auto& t : post_template()) {
    if (std::find(t.chief_of.begin(), t.chief_of.end(), level) != t.chief_of.end()) return t.id;
  }
  return {};
}

bool Identity::is_active_person(std::string_view person) const { return impl_->active(person); }
std::int64_t Identity::credentials_reset_ms(std::string_view person) const {
  const PersonRecord* p = impl_->find(person);
  return p == nullptr ? 0 : p->reset_ms;
}
bool Identity::is_org(std::string_view org) const { return impl_->orgs.contains(std::string(org)); }
std::vector<std::string> Identity::orgs_of(std::string_view kind) const {
  if (kind == "root") return {root()};
  std::vector<std::string> out;
  for (const Org& o : orgs()) {
    if (kind == "each" || o.kind == kind) out.push_back(o.id);
  }
  return out;
}
bool Identity::within(std::string_view org, std::string_view ancestor) const {
  return impl_->within(org, ancestor);
}

}  // namespace cw
