// Simulation before adoption: the engine itself, in memory, with a virtual clock, runs a procedure
// many times with people who do one thing at a time and take a sampled time for it. It says how
// often each limit is met, where a case cannot go on, which posts are overloaded and which limits
// nobody could meet. The same seed gives the same report. Thread-safe: a call shares nothing.
//
//   SimulationOptions options{.runs = 1000};
//   auto report = simulate(library, *plan, options);
//   if (report && !report->pass) show(report->reasons);
//   std::cout << to_text(*report, "zh");
#pragma once

#include <filesystem>
#include <functional>
#include <iosfwd>
#include <span>

#include "base/random.h"
#include "simulate/setting.h"

namespace cw {

// How much of a limit was spent, in bins of ten percent of it: bin i holds 10 i to 10 i + 10, the
// last one 200 and more. What was in time lies in the first ten bins.
inline constexpr std::size_t used_bins = 21;

// How often, with Wilson's 95 % interval (E. B. Wilson, 1927) in thousandths.
struct Share {
  std::int64_t met = 0, of = 0;
  std::vector<std::int64_t> used = {};  // used_bins counts; empty when nothing was observed
  int p() const;                        // thousandths; 1000 when nothing was observed
  int low() const;
  int high() const;
};

struct LimitReport {
  std::string id;  // a clock, or "state.task"
  Text title;
  bool task = false;
  std::string limit;  // "1h", or "30m … 4h" of a table
  Share all;
  std::string by;  // the fact that tells the groups apart, or ""
  std::vector<std::pair<std::string, Share>> groups;
  bool impossible = false;  // missed even where all are free and everything takes its least time
  int used_p50 = 0, used_p95 = 0;  // percent of the limit, spent in half and in 95 % of the runs
};

struct PostReport {
  std::string post;  // "post:duty-officer", "team:technical", "queue", "staff", "subject", "field"
  std::int64_t people = 0, items = 0;
  std::int64_t waited = 0;        // items that waited because everyone was busy
  std::int64_t wait_mean_ms = 0;  // of those
  std::int64_t wait_p95_ms = 0;
  std::int64_t late_by_wait = 0;  // items that would have been in time without the wait
  int utilisation = 0;            // thousandths of the time in which somebody worked on the case
  bool overloaded = false;
  bool assumed = false;  // nobody holds it in the roster; somebody was made up
};

struct DeadEnd {
  std::string procedure, state;
  Text state_title, why;
  std::int64_t runs = 0;
};

struct StateReport {
  std::string id;
  Text title;
  bool final = false;
  std::int64_t runs = 0;  // that reached it, in all runs
};

struct SimulationReport {
  std::string procedure;
  int version = 0;
  Text title;
  std::int64_t runs = 0, best_runs = 0, exploring_runs = 0;
  std::uint64_t seed = 0;
  int threshold = 80;  // percent
  bool pass = false;
  std::vector<Text> reasons;   // why not; empty when it passes
  std::vector<Text> warnings;  // overloaded posts, a severity below the threshold, people assumed
  std::vector<LimitReport> limits;
  std::vector<PostReport> posts;
  std::vector<DeadEnd> dead_ends;
  std::vector<StateReport> states;
  std::int64_t closed = 0;      // runs that ended in a final state
  std::int64_t unfinished = 0;  // runs that went on after 3,000 steps or ten years
  // How long closed cases took: percentiles 5, 50, 80, 95 and a histogram whose bins are equally
  // wide on a logarithmic scale; bin i is edges_ms[i] … edges_ms[i + 1].
  std::int64_t p5_ms = 0, p50_ms = 0, p80_ms = 0, p95_ms = 0;
  std::vector<std::int64_t> edges_ms, counts;
};

struct SimulationOptions {
  std::size_t runs = 1000;  // 1–20,000
  std::uint64_t seed = 1;
  int threshold = 0;                       // percent, 1–100; 0 = the pace's
  std::shared_ptr<const Staffing> roster;  // null: everybody is made up
  bool fill = true;  // make up somebody for what nobody holds; otherwise that is a dead end
  std::shared_ptr<const Pace> pace;  // null: all times from limits
  // Told after each run: how many are done, of how many at most (exploring may end earlier).
  std::function<void(std::size_t, std::size_t)> progress;
};

// Runs the definition, and what it opens, as found in the library. A definition that the library
// does not hold, or holds in another version, is simulated all the same. It passes when no case
// gets stuck, no limit is impossible, every final state is reached, and every limit is met in at
// least `threshold` percent (with fewer than 30 observations: so few are met by mere chance in more
// than one case in forty). Refused: `simulate.runs`, `simulate.threshold`.
Result<SimulationReport> simulate(const Library& library, const Definition& definition,
                                  const SimulationOptions& options);

json::object to_json(const SimulationReport& report);
std::string to_text(const SimulationReport& report, std::string_view lang);
// A picture that stands alone (SVG 1.1, light and dark): how often each limit is met with its
// interval and the threshold, how much of it was spent, how long cases take, how busy posts are.
// The same report gives the same bytes.
std::string percent_text(int thousandths);  // "97.5 %"
std::string to_svg(const SimulationReport& report, std::string_view lang);

// Valid contents of a form, at random. `wanted` (field → value) is used where it fits the field.
struct Sampling {
  std::int64_t now_ms = 0;
  const std::vector<std::string>* people = nullptr;               // for references to persons
  const std::map<std::string, std::int64_t>* ahead_ms = nullptr;  // time field → into the future
  const std::map<std::string, std::int64_t>* past_ms = nullptr;   // time field → median ago
  int yes = 50;  // percent of booleans that are true
};
json::object sample(const Form& form, Random& random, const json::object& wanted,
                    const Sampling& sampling);

// `callwarden procedure simulate FILE… [--runs N] [--roster FILE] [--pace FILE] [--seed N]
// [--threshold PERCENT] [--json] [--plot FILE.svg] [--lang zh|en]`, arguments after "simulate";
// `--plot` draws the report of one file. Exit code: 0 every file passes, 1 one does not, 2 wrong
// usage, an unreadable file or a picture that cannot be written.
int procedure_simulate_main(std::span<const std::string> args, const std::filesystem::path& content,
                            std::ostream& out, std::ostream& err);

}  // namespace cw
