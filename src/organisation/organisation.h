// A house's organisation from a file (docs/formats/organisation.md): its tree, people, posts with
// deputies, teams, queues and call tree. Read and checked without a server; planned against what is
// there; loaded through the same commands as an administrator's, so that loading twice changes
// nothing the second time. Files are plain values, thread-safe; plan and load as Identity says.
//
//   auto file = read_organisation(text, "house.yaml", templates_in(content), mistakes);
//   OrganisationPlan plan = plan_organisation(*file, identity, mistakes);   // in journal.read(…)
//   auto done = load_organisation(*file, identity, journal, Principal::system());
#pragma once

#include <filesystem>
#include <functional>
#include <iosfwd>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/yaml.h"
#include "identity/identity.h"

namespace cw {

struct Organisation {
  struct Place {
    int line = 0, column = 0;
  };
  struct Duty {  // a post of the template
    std::string id;
    Text title, duty;
    std::vector<std::string> heads;  // levels of command
    std::int64_t deputies = 0;       // how many are to be named
  };
  struct Group {
    std::string id, head, team;  // team: whose members do its tasks, or ""
    Text title, duty;
    std::vector<std::string> posts;
  };
  struct Call {  // in the call tree: who is called by this post, within the span
    std::string post;
    std::int64_t within_ms = 0;
    std::vector<std::string> calls;  // posts and teams
  };
  struct Member {
    std::string login, name, staff_no, org, role, reach, email, phone, lang;
    Place at;
  };
  struct Holding {
    std::string post, holder;  // logins
    std::vector<std::string> deputies;
    Place at;
  };
  struct Listed {  // of a team, or of a queue
    std::string id;
    std::vector<std::string> people, teams;  // logins; teams: only of a queue
    Place at;
  };
  struct Unit {  // one organisation; "root" is the one that is there from the first start
    std::string key, kind, under;
    Text title;  // root: empty leaves it
    std::vector<Holding> holders;
    std::vector<Listed> members, queues;
    Place at;
  };
  std::string id, file;
  int version = 0;
  Text title;
  std::vector<Duty> posts;  // with those of the file it uses
  std::vector<Group> groups;
  std::vector<Call> call_tree;
  std::vector<Unit> units;  // root first
  std::vector<Member> people;
};

// The file that `uses: ID` names; null when there is none.
using FindOrganisation = std::function<std::shared_ptr<const Organisation>(std::string_view id)>;
// content/organisation/ID.yaml. What has a mistake counts as absent.
FindOrganisation templates_in(const std::filesystem::path& content);

// Null when there was a mistake; all are reported with their place.
std::shared_ptr<const Organisation> read_organisation(std::string_view text,
                                                      const std::string& file,
                                                      const FindOrganisation& find,
                                                      std::vector<Mistake>& mistakes);

struct OrganisationStep {
  std::string what;  // "org", "person", "post", "team", "queue"
  std::string id;    // as the file names it: "centre", "wang", "duty-officer", …
  std::string org;   // the organisation's key
  std::string act;   // "add", "change", "same"
  Text title;
};

struct OrganisationPlan {
  std::vector<OrganisationStep> steps;  // in the order in which they are done
  // What is still missing afterwards: vacant posts, too few deputies, teams without anybody.
  std::vector<Text> gaps;
  std::size_t changes() const;  // steps that are not "same"
};

// What loading would do now. Mistakes: whom or what the file names and nobody knows. Call it under
// the state lock.
OrganisationPlan plan_organisation(const Organisation& file, const Identity& identity,
                                   std::vector<Mistake>& mistakes);

struct OrganisationLoaded {
  struct Issued {
    std::string login, secret;  // a new person's one-time password, told once
  };
  OrganisationPlan plan;  // what was done
  std::vector<Issued> issued;
};

// Does it, each step as a command of its own by `who`; a refusal ends it, what was done before
// stays, and loading again goes on from there. Refusals: `organisation.mistakes` with a field
// "/text:LINE:COLUMN" each, and those of Identity.
Result<OrganisationLoaded> load_organisation(const Organisation& file, Identity& identity,
                                             Journal& journal, const Principal& who);
Problem organisation_problem(const std::vector<Mistake>& mistakes);

// People can read it: one line a step that changes something, then the gaps.
std::string to_text(const OrganisationPlan& plan, std::string_view lang);

// `callwarden organisation check [--lang zh|en] FILE…`, arguments after "check". Exit code: 0 no
// mistake, 1 mistakes, 2 wrong usage or an unreadable file.
int organisation_check_main(std::span<const std::string> args, const std::filesystem::path& content,
                            std::ostream& out, std::ostream& err);

}  // namespace cw
