#include "simulate/simulate.h"

#include <stdlib.h>

#include <algorithm>
#include <cmath>

#include "run.h"

namespace cw {
namespace {

constexpr std::size_t kRunsMax = 20'000;
constexpr std::size_t kFew = 30;
constexpr std::size_t kBins = 24;

// A folder that goes away with its owner.
struct Scratch {
  Scratch() {
    std::string name = (std::filesystem::temp_directory_path() / "cw-simulate-XXXXXX").string();
    if (!::mkdtemp(name.data())) throw std::runtime_error("no temporary folder can be made");
    path = name;
  }
  ~Scratch() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
  std::filesystem::path path;
};

// Per state, the least steps to a final one; 1,000 when none is reached.
std::vector<int> distances(const Definition& d) {
  std::vector<int> far(d.states.size(), 1'000);
  for (std::size_t s = 0; s < far.size(); ++s)
    if (d.states[s].final) far[s] = 0;
  for (std::size_t round = 0; round < far.size(); ++round)
    for (const ActionDef& a : d.actions)
      if (a.to >= 0) far[a.state] = std::min(far[a.state], far[a.to] + 1);
  return far;
}

bool opens_each(const Definition& d) {
  auto any = [](const std::vector<Effect>& effects) {
    return std::any_of(effects.begin(), effects.end(), [](const Effect& e) { return e.form >= 0; });
  };
  bool found = false;
  for (const StateDef& s : d.states) found |= any(s.enter);
  for (const TaskDef& t : d.tasks) found |= any(t.late) || any(t.effects);
  for (const ActionDef& a : d.actions) found |= any(a.effects);
  for (const ClockDef& k : d.clocks)
    for (const Mark& m : k.marks) found |= any(m.effects);
  return found;
}

// The fact by whose values a limit's results are told apart: its key, else what sets the level.
int group_fact(const Definition& d, const Limit& limit) {
  if (limit.key >= 0) return limit.key;
  if (d.floor_key >= 0) return d.floor_key;
  for (const ClockDef& k : d.clocks)
    if (k.limit.key >= 0) return k.limit.key;
  return -1;
}

std::string limit_text(const Limit& limit) {
  std::string out = to_string(limit.spans.front());
  if (limit.spans.size() > 1) out += " … " + to_string(limit.spans.back());
  return out;
}

// One more observation: whether the limit was met, and in which tenth of it.
void count(Share& share, const LimitOutcome& limit) {
  share.of += 1;
  share.met += limit.met ? 1 : 0;
  share.used.resize(used_bins);
  ++share.used[std::min(static_cast<std::size_t>(limit.used) / 10, used_bins - 1)];
}

std::int64_t percentile(const std::vector<std::int64_t>& sorted, int percent) {
  if (sorted.empty()) return 0;
  return sorted[(sorted.size() - 1) * static_cast<std::size_t>(percent) / 100];
}

// How likely so few or fewer are met of so many when each is met with probability p (exact).
double by_chance(const Share& s, double p) {
  if (s.met >= s.of) return 1;
  if (p >= 1) return 0;
  double term = std::pow(1 - p, static_cast<double>(s.of)), sum = term;
  for (std::int64_t k = 0; k < s.met; ++k) {
    term *= static_cast<double>(s.of - k) / static_cast<double>(k + 1) * p / (1 - p);
    sum += term;
  }
  return sum;
}

class Tally {
 public:
  Tally(const Stage& stage, SimulationReport& report)
      : stage_(stage), d_(*stage.definition), r_(report) {
    for (const ClockDef& k : d_.clocks)
      if (!k.expires) add_limit(k.id, k.title, k.limit, false);
    for (const TaskDef& t : d_.tasks)
      if (!t.limit.none()) add_limit(d_.states[t.state].id + "." + t.id, t.title, t.limit, true);
    for (const StateDef& s : d_.states) r_.states.push_back({s.id, s.title, s.final, 0});
  }

  void take(const Outcome& o, RunKind kind) {
    for (StateReport& s : r_.states) s.runs += o.states.contains(s.id) ? 1 : 0;
    if (o.end == Outcome::End::unfinished) ++r_.unfinished;
    if (o.end == Outcome::End::stuck) dead_end(o);
    if (kind == RunKind::best)
      for (const auto& [id, limit] : o.limits) count(best_[id], limit);
    for (const auto& [step, title] : o.unanswered) {
      unanswered_[step].first = title;
      ++unanswered_[step].second;
    }
    if (kind != RunKind::sample) return;
    for (const auto& [id, limit] : o.limits) {
      LimitReport& report = r_.limits[place_.at(id)];
      count(report.all, limit);
      group(report, o, limit);
      used_[id].push_back(limit.used);
    }
    if (o.end == Outcome::End::closed) durations_.push_back(o.duration_ms);
    active_ms_ += o.active_ms;
    for (const auto& [post, t] : o.posts) {
      PostTally& sum = posts_[post];
      sum.items += t.items;
      sum.waited += t.waited;
      sum.late_by_wait += t.late_by_wait;
      sum.busy_ms += t.busy_ms;
      sum.waits_ms.insert(sum.waits_ms.end(), t.waits_ms.begin(), t.waits_ms.end());
    }
  }

  bool all_reached() const {
    return std::all_of(r_.states.begin(), r_.states.end(),
                       [](const StateReport& s) { return s.runs > 0; });
  }

  void finish() {
    for (LimitReport& limit : r_.limits) {
      const Share& best = best_[limit.id];
      limit.impossible = best.of >= 3 && best.met == 0 && limit.all.met == 0;
      std::vector<std::int64_t>& used = used_[limit.id];
      std::sort(used.begin(), used.end());
      limit.used_p50 = static_cast<int>(percentile(used, 50));
      limit.used_p95 = static_cast<int>(percentile(used, 95));
    }
    finish_posts();
    finish_durations();
    judge();
  }

 private:
  void add_limit(const std::string& id, const Text& title, const Limit& limit, bool task) {
    place_[id] = r_.limits.size();
    LimitReport out{.id = id, .title = title, .task = task, .limit = limit_text(limit), .all = {}};
    const int fact = group_fact(d_, limit);
    if (fact >= 0) {
      out.by = d_.facts[fact].id;
      for (const std::string& value : d_.facts[fact].values)
        out.groups.emplace_back(value, Share{});
    }
    r_.limits.push_back(std::move(out));
  }

  static void group(LimitReport& limit, const Outcome& o, const LimitOutcome& outcome) {
    auto value = o.facts.find(limit.by);
    if (value == o.facts.end()) return;
    for (auto& [name, share] : limit.groups)
      if (name == value->second) count(share, outcome);
  }

  void dead_end(const Outcome& o) {
    for (DeadEnd& known : r_.dead_ends)
      if (known.procedure == o.stuck_procedure && known.state == o.stuck_state) {
        ++known.runs;
        return;
      }
    r_.dead_ends.push_back({o.stuck_procedure, o.stuck_state, o.stuck_title, o.why, 1});
  }

  void finish_posts() {
    for (auto& [post, t] : posts_) {
      PostReport out{.post = post, .items = t.items, .waited = t.waited};
      out.people = static_cast<std::int64_t>(post == "staff" ? stage_.roster.staff().size()
                                                             : stage_.roster.holders(post).size());
      out.assumed = stage_.roster.assumed().contains(post);
      std::sort(t.waits_ms.begin(), t.waits_ms.end());
      out.wait_p95_ms = percentile(t.waits_ms, 95);
      std::int64_t sum = 0;
      for (const std::int64_t w : t.waits_ms) sum += w;
      if (t.waited > 0) out.wait_mean_ms = sum / t.waited;
      out.late_by_wait = t.late_by_wait;
      const std::int64_t time = active_ms_ * std::max<std::int64_t>(out.people, 1);
      if (time > 0)
        out.utilisation = static_cast<int>(std::min<std::int64_t>(t.busy_ms * 1000 / time, 1000));
      out.overloaded =
          t.late_by_wait * 20 > t.items || (t.waited * 2 > t.items && out.utilisation >= 850);
      r_.posts.push_back(std::move(out));
    }
  }

  void finish_durations() {
    std::vector<std::int64_t>& all = durations_;
    r_.closed = static_cast<std::int64_t>(all.size());
    if (all.empty()) return;
    std::sort(all.begin(), all.end());
    r_.p5_ms = percentile(all, 5), r_.p50_ms = percentile(all, 50);
    r_.p80_ms = percentile(all, 80), r_.p95_ms = percentile(all, 95);
    const double low = std::log(static_cast<double>(std::max<std::int64_t>(all.front(), 1)));
    const double high = std::log(static_cast<double>(all.back() + 1));
    for (std::size_t i = 0; i <= kBins; ++i)
      r_.edges_ms.push_back(static_cast<std::int64_t>(
          std::llround(std::exp(low + (high - low) * static_cast<double>(i) / kBins))));
    r_.counts.assign(kBins, 0);
    for (const std::int64_t ms : all) {
      std::size_t bin = 0;
      while (bin + 1 < kBins && ms >= r_.edges_ms[bin + 1]) ++bin;
      ++r_.counts[bin];
    }
  }

  void fail(std::string zh, std::string en) {
    r_.reasons.push_back({std::move(zh), std::move(en)});
  }
  void warn(std::string zh, std::string en) {
    r_.warnings.push_back({std::move(zh), std::move(en)});
  }

  void judge() {
    for (const DeadEnd& e : r_.dead_ends) {
      const std::string where = e.procedure == d_.id ? "" : e.procedure + " ";
      fail("走不下去：" + where + "状态“" + e.state_title.zh + "”，" + std::to_string(e.runs) +
               " 次。" + e.why.zh,
           "Dead end: " + where + "state '" + e.state_title.en + "', " + std::to_string(e.runs) +
               " run(s). " + e.why.en);
    }
    for (const auto& [step, seen] : unanswered_)
      fail("“" + seen.first.zh + "”（" + step + "）须他人批准，而除申请人外无人可批，" +
               std::to_string(seen.second) + " 次",
           "'" + seen.first.en + "' (" + step + ") asks for a second person, and nobody but who " +
               "asks may answer, " + std::to_string(seen.second) + " run(s)");
    if (r_.unfinished > 0)
      fail(std::to_string(r_.unfinished) + " 次推演走了 3,000 步或十年仍未办结",
           std::to_string(r_.unfinished) + " run(s) still went on after 3,000 steps or ten years");
    for (const LimitReport& limit : r_.limits) judge(limit);
    for (const StateReport& s : r_.states) {
      if (s.runs > 0) continue;
      const Text text{"状态“" + s.title.zh + "”从未到达",
                      "State '" + s.title.en + "' was never reached"};
      (s.final ? r_.reasons : r_.warnings).push_back(text);
    }
    for (const PostReport& p : r_.posts) {
      if (p.overloaded)
        warn(p.post + " 超负荷：" + std::to_string(p.waited) + "/" + std::to_string(p.items) +
                 " 件等人，其中 " + std::to_string(p.late_by_wait) + " 件因此超时",
             p.post + " is overloaded: " + std::to_string(p.waited) + " of " +
                 std::to_string(p.items) + " items waited for a person, " +
                 std::to_string(p.late_by_wait) + " were late because of it");
      if (p.assumed)
        warn(p.post + " 在名册中无人担任，推演时假定 " + std::to_string(p.people) + " 人",
             "Nobody holds " + p.post + " in the roster; " + std::to_string(p.people) + " assumed");
    }
    r_.pass = r_.reasons.empty();
  }

  void judge(const LimitReport& limit) {
    if (limit.impossible) {
      fail("时限“" + limit.title.zh + "”（" + limit.limit +
               "）不可能达到：人人空闲、每步都用最短时间也会超时",
           "Limit '" + limit.title.en + "' (" + limit.limit +
               ") cannot be met: it is missed even where everyone is free and every step takes its "
               "least time");
      return;
    }
    if (limit.all.of == 0) {
      warn("时限“" + limit.title.zh + "”从未起作用",
           "Limit '" + limit.title.en + "' never applied");
      return;
    }
    auto below = [&](const Share& s) {
      if (s.of >= static_cast<std::int64_t>(kFew)) return s.p() < r_.threshold * 10;
      return by_chance(s, r_.threshold / 100.0) < 0.025;
    };
    auto says = [&](const std::string& of, const Share& s) {
      const std::string p = std::to_string(s.p() / 10) + " %";
      return Text{"时限“" + limit.title.zh + "”（" + limit.limit + "）" + of + "达标率 " + p +
                      "，低于 " + std::to_string(r_.threshold) + " %",
                  "Limit '" + limit.title.en + "' (" + limit.limit + ") " + of + "is met in " + p +
                      ", below " + std::to_string(r_.threshold) + " %"};
    };
    if (below(limit.all)) r_.reasons.push_back(says("", limit.all));
    for (const auto& [value, share] : limit.groups)
      if (share.of > 0 && below(share))
        r_.warnings.push_back(says(limit.by + "=" + value + " ", share));
  }

  const Stage& stage_;
  const Definition& d_;
  SimulationReport& r_;
  std::map<std::string, std::size_t> place_;
  std::map<std::string, Share> best_;
  std::map<std::string, std::vector<std::int64_t>> used_;  // percent of each limit, run by run
  std::map<std::string, PostTally> posts_;
  std::map<std::string, std::pair<Text, int>> unanswered_;  // step → title, runs
  std::vector<std::int64_t> durations_;
  std::int64_t active_ms_ = 0;
};

Status check(const SimulationOptions& o) {
  if (o.runs < 1 || o.runs > kRunsMax)
    return invalid("simulate.runs", "/runs", {"推演次数应为 1 到 20,000", "Runs are 1 to 20,000"});
  if (o.threshold < 0 || o.threshold > 100)
    return invalid("simulate.threshold", "/threshold",
                   {"达标率门槛应为 1 到 100（百分数）", "The threshold is 1 to 100 percent"});
  return done();
}

}  // namespace

int Share::p() const { return of == 0 ? 1000 : static_cast<int>(met * 1000 / of); }

namespace {

double wilson(const Share& s, double sign) {
  if (s.of == 0) return sign < 0 ? 0 : 1;
  constexpr double z = 1.959963984540054;
  const auto n = static_cast<double>(s.of), p = static_cast<double>(s.met) / n;
  const double middle = p + z * z / (2 * n);
  const double spread = z * std::sqrt(p * (1 - p) / n + z * z / (4 * n * n));
  return std::clamp((middle + sign * spread) / (1 + z * z / n), 0.0, 1.0);
}

}  // namespace

int Share::low() const { return static_cast<int>(std::floor(wilson(*this, -1) * 1000 + 1e-9)); }
int Share::high() const { return static_cast<int>(std::ceil(wilson(*this, 1) * 1000 - 1e-9)); }

Result<SimulationReport> simulate(const Library& library, const Definition& definition,
                                  const SimulationOptions& options) {
  if (Status s = check(options); !s) return s.problem();
  auto shared = std::make_shared<Definition>(definition);
  shared->schedule = {};  // a run is one case
  Library reduced = library.around(shared);
  Definitions definitions;
  for (const auto& [id, d] : reduced.procedures()) definitions.push_back(d);
  Scratch scratch;
  const std::string path = (scratch.path / "contents.db").string();
  Database contents(path, {.create = true, .full_sync = false});
  contents.exec(Sealed::schema());
  contents.exec(Engine::schema());
  SeededRandom chance(options.seed);
  Sealed sealed(path, SecretBytes::copy(std::string(32, 's')), chance);
  const Staffing roster = options.roster ? *options.roster : Staffing();
  Stage stage{.library = reduced,
              .definition = shared,
              .roster = options.fill ? roster.filled(definitions) : roster,
              .pace = options.pace ? *options.pace : Pace(),
              .sealed = sealed,
              .contents = contents,
              .path = path,
              .seed = options.seed};
  for (const auto& d : definitions) {
    stage.keep_contents |= opens_each(*d);
    stage.distance[d.get()] = distances(*d);
  }
  SimulationReport report;
  report.procedure = definition.id;
  report.version = definition.version;
  report.title = definition.title;
  report.seed = options.seed;
  report.threshold = options.threshold > 0 ? options.threshold : stage.pace.threshold;
  Tally tally(stage, report);
  const std::size_t best = std::clamp<std::size_t>(options.runs / 10, 3, 200);
  const std::size_t most = std::clamp<std::size_t>(options.runs, 60, 200);
  std::size_t run = 0;
  auto go = [&](RunKind kind, std::size_t number) {
    tally.take(Run(stage, kind, number).go(), kind);
    if (options.progress) options.progress(++run, best + options.runs + most);
  };
  for (std::size_t i = 0; i < best; ++i) go(RunKind::best, i);
  for (std::size_t i = 0; i < options.runs; ++i) go(RunKind::sample, i);
  std::size_t explored = 0;
  while (explored < most && (explored < 5 || !tally.all_reached()))
    go(RunKind::explore, explored++);
  report.runs = static_cast<std::int64_t>(options.runs);
  report.best_runs = static_cast<std::int64_t>(best);
  report.exploring_runs = static_cast<std::int64_t>(explored);
  tally.finish();
  return report;
}

}  // namespace cw
