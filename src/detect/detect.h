// Detection: Sigma rules over events, the same live, in a rule's own tests and in replay. Pure: no
// files, no clock, no threads; time comes with the event and with each call.
//
// Thread-safety: a RuleSet is immutable and shared. An Engine (which single-event rules match) and
// an EventBuilder belong to one thread; run as many Engines as there are threads. A Correlator
// holds the state of every correlation and belongs to one thread: all matches must reach the same
// one. A Detector is one Engine and one Correlator in a row, which is what a server below 100,000
// events/s needs.
//
//   auto rules = RuleSet::load({{"ssh.yml", text}}, {});
//   for (const RuleReport& r : rules->reports()) show(r);
//   Detector detector(rules, {});
//   EventBuilder fields;  fields.add("src_ip", "203.0.113.9");
//   std::vector<Firing> fired;
//   detector.feed(fields.event("pbx-1", {"asterisk", "security", ""}, t_ms), now_ms, fired);
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/yaml.h"

namespace cw::detect {

// ---- Events ------------------------------------------------------------------------------------

enum class Kind : std::uint8_t { text, number, boolean, null };

// One field. `name` is its path: the keys from the root joined by dots. A key that itself holds
// dots or spaces is taken literally, so {"a":{"b":1}} and {"a.b":1} are the same field `a.b`.
// Elements of an array, and a key that occurs twice, are several fields of one name; a rule holds
// if it holds for any of them. Names are compared with case. Numbers and booleans are compared as
// the text they were written in; null is neither "" nor an absent field.
struct Field {
  std::string_view name;
  std::string_view value;  // valid UTF-8
  Kind kind = Kind::text;
};

// Where an event comes from, in Sigma's terms; an empty part is unknown. A rule applies to an event
// if each part the rule names equals the event's ("registry_event" takes every "registry_…").
struct LogSource {
  std::string_view product;
  std::string_view service;
  std::string_view category;
};

// A borrowed view of one event: whoever made it keeps the strings alive until the call returns.
struct Event {
  std::string_view source;  // the id of the source it was received from
  LogSource logsource;
  std::int64_t time_ms = 0;  // when it happened, UTC
  std::span<const Field> fields;

  std::string_view value(std::string_view name) const;  // the first of that name, or ""
};

struct EventLimits {
  std::size_t size_max = 1 << 20;  // bytes of one JSON event
  std::size_t depth_max = 32;
  std::size_t fields_max = 4096;
};

// Collects the fields of one event at a time; keeps its memory between events.
class EventBuilder {
 public:
  explicit EventBuilder(EventLimits limits = {});
  ~EventBuilder();
  EventBuilder(EventBuilder&&) noexcept;
  EventBuilder& operator=(EventBuilder&&) noexcept;

  void clear();
  // Copies both. Bytes that are not UTF-8 become U+FFFD. Fields beyond `fields_max` are not taken
  // and counted in dropped().
  void add(std::string_view name, std::string_view value, Kind kind = Kind::text);
  void add(std::span<const std::pair<std::string, std::string>> fields);
  // Flattens one JSON object (RFC 8259). Refuses what is not one, is too large or too deep.
  Status add_json(std::string_view text);
  std::size_t dropped() const;

  // The event so far; valid until the next clear(), add() or destruction.
  Event event(std::string_view source, LogSource logsource, std::int64_t time_ms) const;

  // Clears, reads one JSON event and finds out by itself what a file of events does not say apart:
  //   - {"logsource": {"product", "service", "category"}, "source": …} as we export them;
  //   - Windows event logs, as exported from EVTX ({"Event":{"System":…,"EventData":…}}, lifted to
  //     flat names) or already flat (Channel, EventID): log source by channel and event number,
  //     fields renamed to Sigma's taxonomy where they differ;
  //   - time from @timestamp, time, timestamp, UtcTime, SystemTime or EventTime; else 0.
  Result<Event> read(std::string_view json_text);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// ---- Rules -------------------------------------------------------------------------------------

enum class Level : std::uint8_t { informational, low, medium, high, critical };
std::string_view to_string(Level level);

// The four-level early warning of Chinese emergency plans; apart from the machine's severity.
enum class Warning : std::uint8_t { none, blue, yellow, orange, red };
std::string_view to_string(Warning warning);

enum class RuleKind : std::uint8_t { single, correlation, filter };
std::string_view to_string(RuleKind kind);

enum class Outcome : std::uint8_t { compiled, degraded, rejected };
std::string_view to_string(Outcome outcome);

struct RuleFile {
  std::string path;  // for reports only
  std::string text;  // one or more YAML documents
};

// What became of one document. `reasons` is empty only for `compiled`.
struct RuleReport {
  std::string path;
  int line = 0;  // where the document begins
  std::string id;
  std::string title;
  RuleKind kind = RuleKind::single;
  Outcome outcome = Outcome::compiled;
  std::vector<Mistake> reasons;  // each with its line and column
};

// A number or timespan of a rule that an operator may change without touching the rule.
struct Parameter {
  std::string name;
  std::string at;     // JSON pointer into the rule
  std::string value;  // in force
  Text text;
};

// One event of an example, `repeat` times every `every_ms` starting `at_ms` after the example
// began.
struct ExampleEvent {
  struct Value {
    std::string name, value;  // "{n}" in a value is the repetition, from 1
    Kind kind = Kind::text;
  };
  std::vector<Value> fields;
  std::string product, service, category;
  std::int64_t at_ms = 0;
  std::int64_t every_ms = 0;
  int repeat = 1;
};
struct Example {
  std::string name;
  bool fires = true;  // must fire, or must stay silent
  int line = 0;
  std::vector<ExampleEvent> events;
};

struct RuleInfo {
  std::string id;  // the rule's `id`, else its `name`, else path:line
  std::string name;
  Text title;
  Text description;
  std::string status;
  Level level = Level::medium;
  Warning warning = Warning::none;
  RuleKind kind = RuleKind::single;
  std::string product, service, category;
  std::string path;
  int line = 0;
  bool alerts = true;                     // false: only feeds correlations
  std::vector<std::uint32_t> correlates;  // the rules a correlation refers to
  std::vector<std::string> tags;
  std::vector<std::string> entities;  // fields that, with the rule, make an alert's fingerprint
  std::vector<Parameter> parameters;
  std::vector<Example> examples;
};

struct LoadOptions {
  std::map<std::string, std::vector<std::string>> placeholders;          // %name% of `expand`
  std::map<std::string, std::map<std::string, std::string>> parameters;  // rule id → name → value
};

// Compiled rules: immutable, shared by every Engine and Correlator.
class RuleSet {
 public:
  // Never fails as a whole: each document is reported as compiled, degraded or rejected. Throws
  // std::runtime_error only if the pattern library fails its self-test on this machine.
  static std::shared_ptr<const RuleSet> load(std::span<const RuleFile> files,
                                             const LoadOptions& options = {});
  static std::shared_ptr<const RuleSet> load(std::initializer_list<RuleFile> files,
                                             const LoadOptions& options = {});
  struct Impl;
  explicit RuleSet(std::unique_ptr<Impl> impl);  // made by load()
  ~RuleSet();

  const std::vector<RuleReport>& reports() const;  // one per document, in order
  const std::vector<RuleInfo>& rules() const;      // those that run: single and correlation
  const RuleInfo* find(std::string_view id) const;
  std::size_t count(Outcome outcome) const;

  const Impl& impl() const { return *impl_; }

 private:
  std::unique_ptr<Impl> impl_;
};

// ---- Detection ---------------------------------------------------------------------------------

// Which single-event rules match. No allocation per event once warm.
class Engine {
 public:
  explicit Engine(std::shared_ptr<const RuleSet> rules);
  ~Engine();
  Engine(Engine&&) noexcept;

  // Indices into RuleSet::rules(), ascending; valid until the next call.
  std::span<const std::uint32_t> evaluate(const Event& event);
  // The names of the fields that made `rule` match in the last evaluated event, sorted.
  std::vector<std::string> matched_fields(std::uint32_t rule) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// A rule that fired.
struct Firing {
  std::uint32_t rule = 0;     // index into RuleSet::rules()
  std::int64_t time_ms = 0;   // of the event that completed it
  std::int64_t first_ms = 0;  // of the first event that counted
  std::int64_t events = 1;    // how many events counted
  double value = 1;           // what the correlation's condition measured
  std::vector<std::pair<std::string, std::string>> entities;
  std::vector<std::string> fields;  // names of the fields that matched; empty for correlations
};

struct CorrelatorLimits {
  std::size_t groups_max = 50'000;        // per correlation; beyond it the idlest group goes
  std::size_t group_events_max = 10'000;  // kept per group; beyond it the oldest goes
  // Event time rules: an event older than the newest of its group by more than the timespan and
  // this is counted late and not used; a window that waits for its end is held open this much
  // longer.
  std::int64_t lateness_max_ms = 60'000;
  std::int64_t future_max_ms = 60'000;  // further ahead of `now_ms`: taken as now
};

struct CorrelatorStats {
  std::uint64_t events = 0;          // matches taken in
  std::uint64_t late = 0;            // refused as too old
  std::uint64_t evicted_groups = 0;  // lost to groups_max: a firing may have been missed
  std::uint64_t evicted_events = 0;  // lost to group_events_max
  std::size_t groups = 0;            // alive now
};

// The state of all correlations, each with its own windows: one never starves another.
class Correlator {
 public:
  explicit Correlator(std::shared_ptr<const RuleSet> rules, CorrelatorLimits limits = {});
  ~Correlator();
  Correlator(Correlator&&) noexcept;

  // `matched` is what an Engine said of `event`. Appends to `out`.
  void feed(const Event& event, std::span<const std::uint32_t> matched, std::int64_t now_ms,
            std::vector<Firing>& out);
  // Closes windows whose condition is an upper bound ("fewer than"), as time passes.
  void tick(std::int64_t now_ms, std::vector<Firing>& out);
  CorrelatorStats stats() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

class Detector {
 public:
  explicit Detector(std::shared_ptr<const RuleSet> rules, CorrelatorLimits limits = {});

  // Appends a Firing for every rule that alerts: single-event rules, then correlations.
  void feed(const Event& event, std::int64_t now_ms, std::vector<Firing>& out);
  void tick(std::int64_t now_ms, std::vector<Firing>& out);
  const RuleSet& rules() const { return *rules_; }
  CorrelatorStats stats() const { return correlator_.stats(); }

 private:
  std::shared_ptr<const RuleSet> rules_;
  Engine engine_;
  Correlator correlator_;
};

// The entities of `event` for `rule`: the rule's own, else those of the usual identifying fields
// (Computer, host, user, src_ip, …; docs/formats/rules.md) that the event has.
std::vector<std::pair<std::string, std::string>> entities_of(const RuleInfo& rule,
                                                             const Event& event);

}  // namespace cw::detect
