#include "duty_directory.h"
#include "base/content.h"

#include <algorithm>

#include "state.h"

namespace cw {

std::optional<Roster::Duty> DutyDirectory::duty(const std::string& what, std::string_view org,
                                                const std::string& own) const {
  auto found = roster_.on_duty(what, org, clock_.now_ms());
  if (!found) return std::nullopt;
  if (!own.empty() && own != found->org && identity_.within(own, found->org)) return std::nullopt;
  return found;
}

std::optional<Roster::Duty> DutyDirectory::post_duty(std::string_view post,
                                                     std::string_view org) const {
  return duty("post:" + std::string(post), org, identity_.post_org(post, org));
}

std::optional<Roster::Duty> DutyDirectory::team_duty(std::string_view team,
                                                     std::string_view org) const {
  return duty("team:" + std::string(team), org, identity_.team_org(team, org));
}

std::string DutyDirectory::post_basis(std::string_view person, std::string_view post,
                                      std::string_view org) const {
  const auto on = post_duty(post, org);
  if (!on) return identity_.post_basis(person, post, org);
  return holds(on->people, person) ? "duty:" + std::string(post) : std::string();
}

std::vector<std::string> DutyDirectory::post_people(std::string_view post,
                                                    std::string_view org) const {
  auto on = post_duty(post, org);
  return on ? std::move(on->people) : identity_.post_people(post, org);
}

std::string DutyDirectory::team_basis(std::string_view person, std::string_view team,
                                      std::string_view org) const {
  std::string own = identity_.team_basis(person, team, org);
  if (!own.empty()) return own;
  const auto on = team_duty(team, org);
  return on && holds(on->people, person) ? "duty:" + std::string(team) : std::string();
}

std::vector<std::string> DutyDirectory::team_people(std::string_view team,
                                                    std::string_view org) const {
  auto on = team_duty(team, org);
  return on ? std::move(on->people) : identity_.team_people(team, org);
}

std::vector<Post> DutyDirectory::posts_of(std::string_view person) const {
  const auto acts = [&](const Post& post) {
    return !post_basis(person, post.id, post.org).empty();
  };
  std::vector<Post> out = identity_.posts_of(person);
  std::erase_if(out, [&](const Post& post) { return !acts(post); });  // another is on duty
  for (const std::string& org : roster_.orgs())
    for (Post& post : identity_.posts(org)) {
      const bool known = std::any_of(out.begin(), out.end(), [&](const Post& p) {
        return p.id == post.id && p.org == post.org;
      });
      if (!known && acts(post)) out.push_back(std::move(post));
    }
  return out;
}

std::map<std::string, std::string> roster_templates(const std::filesystem::path& content,
                                                    std::vector<Mistake>& mistakes) {
  std::map<std::string, std::string> out;
  for (const auto& path : yaml_files(content / "rosters")) {
    const std::string text = content_text(path).value_or("");
    if (auto d = read_roster(text, path.filename().string(), mistakes)) out[d->id] = d->source;
  }
  return out;
}

}  // namespace cw
