// Between firings and the journal: the first firing of a rule and its entities is recorded at once,
// what follows is folded into a count until the alert has been quiet. A flood of events is
// therefore never a flood of entries, and a flood of entities ends in one "further entities" alert
// per rule.
//
// Thread-safety: all functions are safe from any thread. Nothing is held while the journal works.
//
//   Repeats repeats(alerts, journal, clock, limits);  repeats.load(db);
//   repeats.found(found, [&] { return sample; }, [&] { return first_samples; });
//   repeats.tick();   // every second: quiet, resolved, unsent
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "storage/storage.h"
#include "watch.h"

namespace cw::watch {

// A firing on its way.
struct Found {
  std::string rule, source, org, actor;
  Level level = Level::medium;
  Warning warning = Warning::none;
  Entities key;       // with org and rule: the fingerprint
  Entities entities;  // shown; usually the same
  std::int64_t time_ms = 0, first_ms = 0, events = 1;
  std::int64_t quiet_ms = 0;  // without a firing: over; 0: only when resolved
  Text title;
  std::string summary;
  bool further = false;  // stands for further entities of the rule
};

class Repeats {
 public:
  Repeats(Alerts& alerts, Journal& journal, Clock& clock, WatchLimits limits);

  static const char* schema();
  void load(Database& db);  // the alerts that are active, with their counts; after journal.open()
  void save(Database& db);  // the counts that changed

  using MakeSample = std::function<Sample()>;
  using MakeSamples = std::function<std::vector<Sample>()>;
  // Counts it, or hands it to the journal without waiting; what the journal refuses is kept and
  // tried again by tick().
  void found(const Found& found, const MakeSample& sample, const MakeSamples& first);
  // The same, but returns when it is durable. Refuses what the journal refuses (disk full).
  Result<SignalAnswer> found_now(const Found& found, std::vector<Sample> samples);
  // It is said to be over: no longer active after `hold_ms` without a firing. Nothing if unknown.
  std::optional<std::string> resolve(std::string_view org, std::string_view rule,
                                     const Entities& key, std::int64_t hold_ms);
  void tick();
  void wait_settled();  // until nothing is on its way to the journal

  std::optional<Tally> tally(std::string_view alert) const;
  std::pair<std::int64_t, std::vector<Sample>> closing(const std::string& alert) const;

  struct Counts {
    std::uint64_t in = 0, recorded = 0, refused = 0, folded = 0, overflowed = 0;
    std::size_t live = 0, unsent = 0;
  };
  Counts counts() const;

 private:
  enum class Stage { sending, active, ending, unsent };
  struct Live {
    std::string fingerprint, plain, alert, state;
    Stage stage = Stage::sending;
    Level level = Level::medium;
    Tally tally;
    std::size_t next_sample = 0;
    std::int64_t touched_ms = 0, quiet_ms = 0, resolve_ms = 0;
    bool dirty = true, raising = false;
    std::unique_ptr<Firing> firing;  // until recorded
  };
  using LivePtr = std::shared_ptr<Live>;

  LivePtr lookup(const Found& found, const std::string& plain);
  LivePtr begin(const Found& found, const std::string& plain, const MakeSamples& first);
  bool full(const Found& found, bool count);
  static void fold(Live& live, const Found& found, std::int64_t now_ms, const MakeSample& sample);
  void raise(const LivePtr& live, const Found& found);
  void send(const LivePtr& live);
  void sent(const LivePtr& live, const Result<Answer>& answer);
  void end(const LivePtr& live);
  void forget(const LivePtr& live);

  Alerts& alerts_;
  Journal& journal_;
  Clock& clock_;
  WatchLimits limits_;
  mutable std::mutex mutex_;
  mutable std::condition_variable settled_;
  std::size_t on_the_way_ = 0;
  std::unordered_map<std::string, LivePtr> by_plain_;
  std::map<std::string, LivePtr, std::less<>> by_fingerprint_, by_alert_;
  std::map<std::string, std::deque<std::int64_t>> new_of_rule_;  // when, within the window
  std::vector<std::string> gone_;  // alerts whose counts are to be deleted
  Counts counts_;
};

}  // namespace cw::watch
