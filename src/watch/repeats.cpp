#include "repeats.h"

#include <algorithm>
#include <condition_variable>
#include <utility>

#include "base/log.h"

namespace cw::watch {
namespace {

constexpr std::size_t kLast = 5;  // samples

std::string plain_key(const Found& f) {
  std::string out = f.org + '\0' + f.rule;
  for (const auto& [field, value] : f.key) {
    out += '\0';
    out += field;
    out += '\0';
    out += value;
  }
  return out;
}

}  // namespace

Repeats::Repeats(Alerts& alerts, Journal& journal, Clock& clock, WatchLimits limits)
    : alerts_(alerts), journal_(journal), clock_(clock), limits_(limits) {}

const char* Repeats::schema() {
  return "CREATE TABLE IF NOT EXISTS tally(alert TEXT PRIMARY KEY, firings INTEGER NOT NULL,"
         "events INTEGER NOT NULL, first_ms INTEGER NOT NULL, last_ms INTEGER NOT NULL,"
         "quiet_ms INTEGER NOT NULL) STRICT;";
}

void Repeats::load(Database& db) {
  std::vector<Alert> active;
  journal_.read([&] {
    alerts_.each([&](const Alert& a) {
      if (a.active) active.push_back(a);
    });
  });
  std::lock_guard lock(mutex_);
  for (const Alert& a : active) {
    auto live = std::make_shared<Live>();
    live->fingerprint = a.fingerprint;
    live->alert = a.id;
    live->stage = Stage::active;
    live->level = a.level;
    live->touched_ms = clock_.now_ms();
    live->quiet_ms = limits_.quiet_ms;
    live->tally = {1, a.events, a.first_ms, a.changed_ms, {}};
    db.query(
        "SELECT firings,events,first_ms,last_ms,quiet_ms FROM tally WHERE alert=$1",
        [&](const Row& r) {
          live->tally = {r.integer(0), r.integer(1), r.integer(2), r.integer(3), {}};
          live->quiet_ms = r.integer(4);
        },
        a.id);
    by_fingerprint_[a.fingerprint] = live;
    by_alert_[a.id] = live;
  }
}

void Repeats::save(Database& db) {
  struct Saved {
    std::string alert;
    Tally tally;
    std::int64_t quiet_ms;
  };
  std::vector<Saved> changed;
  std::vector<std::string> gone;
  {
    std::lock_guard lock(mutex_);
    for (auto& [id, live] : by_alert_) {
      if (!std::exchange(live->dirty, false)) continue;
      const Tally& t = live->tally;
      changed.push_back({id, {t.firings, t.events, t.first_ms, t.last_ms, {}}, live->quiet_ms});
    }
    gone.swap(gone_);
  }
  for (const std::string& id : gone) db.run("DELETE FROM tally WHERE alert=$1", id);
  for (const Saved& s : changed) {
    db.run(
        "INSERT INTO tally VALUES($1,$2,$3,$4,$5,$6) ON CONFLICT(alert) DO UPDATE SET "
        "firings=$2,events=$3,first_ms=$4,last_ms=$5,quiet_ms=$6",
        s.alert, s.tally.firings, s.tally.events, s.tally.first_ms, s.tally.last_ms, s.quiet_ms);
  }
}

// ---- folding
// -------------------------------------------------------------------------------------

Repeats::LivePtr Repeats::lookup(const Found& f, const std::string& plain) {
  if (auto found = by_plain_.find(plain); found != by_plain_.end()) return found->second;
  // After a restart only the fingerprint is known.
  auto known = by_fingerprint_.find(alerts_.fingerprint(f.org, f.rule, f.key));
  if (known == by_fingerprint_.end()) return nullptr;
  known->second->plain = plain;
  by_plain_[plain] = known->second;
  return known->second;
}

void Repeats::fold(Live& live, const Found& f, std::int64_t now_ms, const MakeSample& sample) {
  Tally& t = live.tally;
  ++t.firings;
  t.events += f.events;
  t.first_ms = t.first_ms == 0 ? f.first_ms : std::min(t.first_ms, f.first_ms);
  t.last_ms = std::max(t.last_ms, f.time_ms);
  live.touched_ms = now_ms;
  live.resolve_ms = 0;
  live.dirty = true;
  if (!sample) return;
  if (t.last.size() < kLast) {
    t.last.push_back(sample());
  } else {
    t.last[live.next_sample] = sample();
    live.next_sample = (live.next_sample + 1) % kLast;
  }
}

// Too many alerts at once, or too many new ones of this rule.
bool Repeats::full(const Found& f, bool count) {
  std::int64_t now = clock_.now_ms();
  std::deque<std::int64_t>& recent = new_of_rule_[f.org + '\0' + f.rule];
  while (!recent.empty() && recent.front() <= now - limits_.new_window_ms) recent.pop_front();
  if (by_fingerprint_.size() >= limits_.live_max || recent.size() >= limits_.new_per_rule)
    return true;
  if (count) recent.push_back(now);
  return false;
}

Repeats::LivePtr Repeats::begin(const Found& f, const std::string& plain,
                                const MakeSamples& first) {
  auto live = std::make_shared<Live>();
  live->plain = plain;
  live->fingerprint = alerts_.fingerprint(f.org, f.rule, f.key);
  live->level = f.level;
  live->quiet_ms = f.quiet_ms;
  auto firing = std::make_unique<Firing>();
  firing->rule = f.rule;
  firing->source = f.source;
  firing->org = f.org;
  firing->level = f.level;
  firing->warning = f.warning;
  firing->first_ms = f.first_ms;
  firing->events = f.events;
  firing->overflow = f.further;
  firing->fingerprint = live->fingerprint;
  firing->actor = f.actor;
  firing->content.title = f.title;
  firing->content.summary = f.summary;
  if (!f.further) firing->content.entities = f.entities;
  if (first) firing->content.samples = first();
  live->firing = std::move(firing);
  by_plain_[plain] = live;
  by_fingerprint_[live->fingerprint] = live;
  ++on_the_way_;
  return live;
}

void Repeats::found(const Found& f, const MakeSample& sample, const MakeSamples& first) {
  std::string plain = plain_key(f);
  LivePtr to_send, to_raise;
  {
    std::lock_guard lock(mutex_);
    ++counts_.in;
    LivePtr live = lookup(f, plain);
    bool known = live && live->stage != Stage::ending;
    Found further;
    const Found* use = &f;
    if (!known && full(f, true)) {
      ++counts_.overflowed;
      further = f;  // one alert stands for all further entities of the rule
      further.further = true;
      further.key = {{"watch.further", "1"}};
      plain = plain_key(further);
      live = lookup(further, plain);
      known = live && live->stage != Stage::ending;
      use = &further;
    }
    if (known) {
      ++counts_.folded;
    } else {
      live = to_send = begin(*use, plain, first);
    }
    fold(*live, *use, clock_.now_ms(), sample);
    if (known && use->level > live->level && live->stage == Stage::active && !live->raising) {
      live->raising = true;
      ++on_the_way_;
      to_raise = live;
    }
  }
  if (to_raise) raise(to_raise, f);
  if (to_send) send(to_send);
}

Result<SignalAnswer> Repeats::found_now(const Found& f, std::vector<Sample> samples) {
  std::string plain = plain_key(f);
  LivePtr live;
  {
    std::unique_lock lock(mutex_);
    live = lookup(f, plain);
    // Another sender's first firing is being recorded: its answer is ours.
    if (live && live->stage == Stage::sending) {
      settled_.wait(lock, [&] { return live->stage != Stage::sending; });
    }
    if (live && live->stage == Stage::active && live->level >= f.level) {
      ++counts_.in;
      ++counts_.folded;
      fold(*live, f, clock_.now_ms(), [&] { return samples.empty() ? Sample{} : samples.front(); });
      return SignalAnswer{live->alert, "folded"};
    }
    bool fresh = !live || live->stage == Stage::ending;
    if (fresh && full(f, false)) {
      Problem p =
          problem(Refusal::too_many, "signal.many",
                  {"短时间内新信号过多,请稍后用同一个键重发。",
                   "Too many new signals at once; send it again later under the same key."});
      p.retry_after_s = 60;
      return p;
    }
  }
  found(
      f, [&] { return samples.empty() ? Sample{} : samples.front(); }, [&] { return samples; });
  std::unique_lock lock(mutex_);
  live = lookup(f, plain);
  settled_.wait(lock, [&] { return !live || (live->stage != Stage::sending && !live->raising); });
  if (!live || live->stage == Stage::unsent) {
    Problem p = problem(Refusal::unavailable, "signal.not-recorded",
                        {"信号已收到,但暂时无法写入记录,系统会自动重试;也可稍后重发。",
                         "The signal was taken but cannot be recorded now; it is tried again by "
                         "itself, and sending it again does no harm."});
    p.retry_after_s = 5;
    return p;
  }
  return SignalAnswer{live->alert, live->tally.firings > 1 ? "folded" : live->state};
}

void Repeats::raise(const LivePtr& live, const Found& f) {
  AlertAct act{.alert = live->alert, .actor = f.actor};
  auto raised = [this, live, level = f.level](const Result<Answer>& answer) {
    std::lock_guard lock(mutex_);
    --on_the_way_;
    live->raising = false;
    if (answer) live->level = level;  // else the next firing tries again
    settled_.notify_all();
  };
  journal_.submit({.vital = true}, alerts_.level(std::move(act), f.level), raised);
}

// ---- the journal
// ---------------------------------------------------------------------------------

void Repeats::send(const LivePtr& live) {
  Firing firing;
  {
    std::lock_guard lock(mutex_);
    firing = *live->firing;
  }
  journal_.submit({.vital = true}, alerts_.fire(std::move(firing)),
                  [this, live](Result<Answer> answer) { sent(live, answer); });
}

void Repeats::sent(const LivePtr& live, const Result<Answer>& answer) {
  std::lock_guard lock(mutex_);
  --on_the_way_;
  if (answer) {
    live->alert = text_or(answer->body, "alert");
    live->state = text_or(answer->body, "state");
    // What was folded meanwhile stays; what the alert had counted before comes on top.
    std::int64_t before = int_or(answer->body, "events") - live->firing->events;
    if (before > 0) live->tally.events += before;
    live->stage = Stage::active;
    live->firing.reset();
    live->dirty = true;
    by_alert_[live->alert] = live;
    ++counts_.recorded;
  } else {
    live->stage = Stage::unsent;
    ++counts_.refused;
    log_warn("watch", "an alert of rule={} could not be recorded yet: {}", live->firing->rule,
             answer.problem().code);
  }
  settled_.notify_all();
}

void Repeats::end(const LivePtr& live) {
  journal_.submit({.vital = true}, alerts_.quiet(live->alert), [this, live](Result<Answer> answer) {
    std::lock_guard lock(mutex_);
    --on_the_way_;
    if (answer)
      forget(live);
    else
      live->stage = Stage::active;  // tried again at the next tick
    settled_.notify_all();
  });
}

void Repeats::forget(const LivePtr& live) {
  auto drop = [&](auto& map, const std::string& key) {
    auto found = map.find(key);
    if (found != map.end() && found->second == live) map.erase(found);
  };
  drop(by_plain_, live->plain);
  drop(by_fingerprint_, live->fingerprint);
  auto named = by_alert_.find(live->alert);
  if (named != by_alert_.end() && named->second == live) {
    by_alert_.erase(named);
    gone_.push_back(live->alert);
  }
}

std::optional<std::string> Repeats::resolve(std::string_view org, std::string_view rule,
                                            const Entities& key, std::int64_t hold_ms) {
  std::lock_guard lock(mutex_);
  auto known = by_fingerprint_.find(alerts_.fingerprint(org, rule, key));
  if (known == by_fingerprint_.end()) return std::nullopt;
  Live& live = *known->second;
  if (live.resolve_ms == 0) live.resolve_ms = clock_.now_ms() + hold_ms;
  return live.alert;
}

void Repeats::tick() {
  std::vector<LivePtr> ending, again;
  {
    std::lock_guard lock(mutex_);
    std::int64_t now = clock_.now_ms();
    for (auto& [fingerprint, live] : by_fingerprint_) {
      bool over = (live->quiet_ms > 0 && now - live->touched_ms >= live->quiet_ms) ||
                  (live->resolve_ms > 0 && now >= live->resolve_ms);
      if (live->stage == Stage::unsent) {
        live->stage = Stage::sending;
        ++on_the_way_;
        again.push_back(live);
      } else if (live->stage == Stage::active && over) {
        live->stage = Stage::ending;
        ++on_the_way_;
        ending.push_back(live);
      }
    }
    std::erase_if(new_of_rule_, [&](auto& entry) {
      return entry.second.empty() || entry.second.back() <= now - limits_.new_window_ms;
    });
  }
  for (const LivePtr& live : again) send(live);
  for (const LivePtr& live : ending) end(live);
}

void Repeats::wait_settled() {
  std::unique_lock lock(mutex_);
  settled_.wait(lock, [&] { return on_the_way_ == 0; });
}

// ---- reading
// -------------------------------------------------------------------------------------

std::optional<Tally> Repeats::tally(std::string_view alert) const {
  std::lock_guard lock(mutex_);
  auto found = by_alert_.find(alert);
  if (found == by_alert_.end()) return std::nullopt;
  const Live& live = *found->second;
  Tally out = live.tally;
  std::rotate(out.last.begin(),
              out.last.begin() +
                  static_cast<std::ptrdiff_t>(out.last.size() == kLast ? live.next_sample : 0),
              out.last.end());
  return out;
}

std::pair<std::int64_t, std::vector<Sample>> Repeats::closing(const std::string& alert) const {
  std::optional<Tally> t = tally(alert);
  if (!t) return {0, {}};
  return {t->events, std::move(t->last)};
}

Repeats::Counts Repeats::counts() const {
  std::lock_guard lock(mutex_);
  Counts out = counts_;
  out.live = by_fingerprint_.size();
  for (const auto& [fingerprint, live] : by_fingerprint_)
    out.unsent += live->stage == Stage::unsent;
  return out;
}

}  // namespace cw::watch
