// The directory as the duty roster makes it: a post or team that a roster covers is reached through
// whoever is on duty there, every other through whom the organisation named. A post is held by who
// is on duty and nobody else; a team's members may act whether or not they are on duty, so that one
// who is called in can help. Called under the state lock.
//
//   DutyDirectory directory(identity, roster, clock);
//   Engine engine({.directory = directory, …});
//   directory.post_people("duty-officer", org);        // who is on duty now
#pragma once

#include "base/clock.h"
#include "identity/directory.h"
#include "identity/identity.h"
#include "roster/roster.h"

namespace cw {

class DutyDirectory final : public Directory {
 public:
  DutyDirectory(const Identity& identity, const Roster& roster, const Clock& clock)
      : identity_(identity), roster_(roster), clock_(clock) {}

  // "duty:<post>" for who is on duty; where nobody is, the organisation's own answer.
  std::string post_basis(std::string_view person, std::string_view post,
                         std::string_view org) const override;
  std::vector<std::string> post_people(std::string_view post, std::string_view org) const override;

  // In which the person acts now: on duty there, or where no roster covers it, by the organisation.
  std::vector<Post> posts_of(std::string_view person) const;

  // "duty:<team>" for who is on duty for a team without being its member.
  std::string team_basis(std::string_view person, std::string_view team,
                         std::string_view org) const override;
  std::vector<std::string> team_people(std::string_view team, std::string_view org) const override;
  std::string queue_basis(std::string_view person, std::string_view procedure,
                          std::string_view org) const override {
    return identity_.queue_basis(person, procedure, org, *this);
  }
  std::vector<std::string> queue_people(std::string_view procedure,
                                        std::string_view org) const override {
    return identity_.queue_people(procedure, org, *this);
  }

  std::string chief_post(std::string_view level, std::string_view org) const override {
    return identity_.chief_post(level, org);
  }
  bool is_active_person(std::string_view person) const override {
    return identity_.is_active_person(person);
  }
  std::int64_t credentials_reset_ms(std::string_view person) const override {
    return identity_.credentials_reset_ms(person);
  }
  bool is_org(std::string_view org) const override { return identity_.is_org(org); }
  std::vector<std::string> orgs_of(std::string_view kind) const override {
    return identity_.orgs_of(kind);
  }
  bool within(std::string_view org, std::string_view ancestor) const override {
    return identity_.within(org, ancestor);
  }

 private:
  // Who is on duty, unless an organisation nearer than the roster's (`own`) has its own people.
  std::optional<Roster::Duty> duty(const std::string& what, std::string_view org,
                                   const std::string& own) const;
  std::optional<Roster::Duty> post_duty(std::string_view post, std::string_view org) const;
  std::optional<Roster::Duty> team_duty(std::string_view team, std::string_view org) const;

  const Identity& identity_;
  const Roster& roster_;
  const Clock& clock_;
};

}  // namespace cw
