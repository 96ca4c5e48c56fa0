// What a simulation assumes: who is there (Staffing) and how long things take and how people choose
// (Pace). Both come from files (docs/formats/simulation.md); what no file says is derived from the
// procedure's limits by stated rules. Immutable after reading: thread-safe.
//
//   auto roster = Staffing::read(text, "roster.yaml", mistakes);
//   Staffing all = roster->filled({plan});                 // one person for a post nobody holds
//   auto pace = read_pace(text, "plan.customer-leak.yaml", mistakes);
//   Spread s = pace->times.at("responding.contain");
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "identity/directory.h"
#include "language/definition.h"

namespace cw {

using Definitions = std::vector<std::shared_ptr<const Definition>>;

// People as a table: "post:duty-officer", "team:technical", "queue:ticket.after-sales". One
// organisation. People without any of these are staff: they file what anyone may file.
class Staffing final : public Directory {
 public:
  static std::shared_ptr<const Staffing> read(std::string_view text, const std::string& file,
                                              std::vector<Mistake>& mistakes);
  // The people who hold now, in `org`, what these definitions name. Nobody is made up.
  static Staffing of(const Directory& directory, std::string_view org,
                     const Definitions& definitions);

  // The same with somebody for everything that these definitions name and nobody holds: one for a
  // post, four for a team, five for a queue; and twelve staff. assumed() says what was made up.
  Staffing filled(const Definitions& definitions) const;

  const std::set<std::string>& assumed() const { return assumed_; }
  const std::vector<std::string>& holders(const std::string& what) const;
  const std::vector<std::string>& staff() const { return staff_; }
  const std::vector<std::string>& people() const { return people_; }

  std::string post_basis(std::string_view person, std::string_view post,
                         std::string_view org) const override;
  std::string team_basis(std::string_view person, std::string_view team,
                         std::string_view org) const override;
  std::string queue_basis(std::string_view person, std::string_view procedure,
                          std::string_view org) const override;
  std::string chief_post(std::string_view level, std::string_view org) const override;
  std::vector<std::string> post_people(std::string_view post, std::string_view org) const override;
  std::vector<std::string> team_people(std::string_view team, std::string_view org) const override;
  std::vector<std::string> queue_people(std::string_view procedure,
                                        std::string_view org) const override;
  bool is_active_person(std::string_view) const override { return true; }
  bool is_org(std::string_view) const override { return true; }
  std::vector<std::string> orgs_of(std::string_view) const override { return {}; }
  bool within(std::string_view org, std::string_view ancestor) const override {
    return org == ancestor;
  }

 private:
  void add(const std::string& person, const std::string& what);
  std::string basis(std::string_view person, std::string what) const;

  std::vector<std::string> people_, staff_;
  std::map<std::string, std::vector<std::string>> holders_;
  std::map<std::string, std::string, std::less<>> chiefs_;  // level → post
  std::set<std::string> assumed_;
};

// How long something takes, from three estimates: a log-normal time with the triangle's mean and
// variance, never below the least.
struct Spread {
  double mu = 0, sigma = 0;   // of ln(milliseconds)
  std::int64_t least_ms = 0;  // the quickest it can be
  static Spread of(double least_ms, double likely_ms, double most_ms);
  // Median and 95th percentile; the least is the 5th.
  static Spread around(double median_ms, double p95_ms);
};

struct Pace {
  std::string procedure;                // or "plan.*"
  int threshold = 80;                   // percent: how often each limit must be met
  std::int64_t effort_ms = 7'200'000;   // at most so long one item occupies a person
  int reject = 10;                      // percent of questions answered no
  std::map<std::string, Spread> times;  // "state.task" or "state.action"
  std::map<std::string, int> choose;    // "state.action", "state.wait" → weight
  std::map<std::string, std::map<std::string, int>> shares;  // fact → value → weight
  std::map<std::string, std::int64_t> ahead_ms;              // time field → how far in the future
  std::map<std::string, std::int64_t> past_ms;  // time field → the median in the past
};

std::shared_ptr<const Pace> read_pace(std::string_view text, const std::string& file,
                                      std::vector<Mistake>& mistakes);

// content/simulation: `roster.yaml` and files for one procedure, or a family of them ("plan.*"). A
// missing folder is an empty one.
struct SimulationFolder {
  std::shared_ptr<const Staffing> roster;  // null when there is none
  std::map<std::string, std::shared_ptr<const Pace>, std::less<>> paces;
  // The procedure's own, else the family's; null when there is neither.
  std::shared_ptr<const Pace> pace(std::string_view procedure) const;
  static SimulationFolder load(const std::filesystem::path& content,
                               std::vector<Mistake>& mistakes);
};

}  // namespace cw
