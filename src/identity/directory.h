// Who may stand where: what the procedure engine and notifications ask about people. Implemented
// by Identity over the journal; tests use a small table. Called under the state lock.
//
//   std::string basis = directory.post_basis(actor, "duty-officer", org);
//   if (basis.empty()) return forbidden();          // else "post:duty-officer", "deputy:…"
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace cw {

class Directory {
 public:
  virtual ~Directory() = default;

  // Why `person` may act in the post, team or queue of `org`, or "" when they may not. A post is
  // looked for in `org` and then in its ancestors (a centre without a counsel uses the province's).
  // A deputy acts while the holder is absent or the post is vacant: "deputy:<post>". Whom the
  // holder let act in it for a time acts as "delegate:<holder>"; the two count as one for
  // separation.
  virtual std::string post_basis(std::string_view person, std::string_view post,
                                 std::string_view org) const = 0;
  virtual std::string team_basis(std::string_view person, std::string_view team,
                                 std::string_view org) const = 0;
  virtual std::string queue_basis(std::string_view person, std::string_view procedure,
                                  std::string_view org) const = 0;

  // The post that heads a level of command ("duty", "command", "leadership") for `org`; "" if none.
  virtual std::string chief_post(std::string_view level, std::string_view org) const = 0;

  // Whom to tell: the people now acting in a post (holder, or deputy), a team, a queue.
  virtual std::vector<std::string> post_people(std::string_view post,
                                               std::string_view org) const = 0;
  virtual std::vector<std::string> team_people(std::string_view team,
                                               std::string_view org) const = 0;
  virtual std::vector<std::string> queue_people(std::string_view procedure,
                                                std::string_view org) const = 0;

  virtual bool is_active_person(std::string_view person) const = 0;
  // When somebody else last gave the person a password or took their second factor; 0 = never.
  // What is kept from administrators is kept from them in this person's name, too.
  virtual std::int64_t credentials_reset_ms(std::string_view /*person*/) const { return 0; }
  virtual bool is_org(std::string_view org) const = 0;
  // The organisations of a kind ("hq", "province", "centre"), the root alone ("root"), or all
  // ("each"); parents before children.
  virtual std::vector<std::string> orgs_of(std::string_view kind) const = 0;
  virtual bool within(std::string_view org, std::string_view ancestor) const = 0;  // or the same
};

}  // namespace cw
