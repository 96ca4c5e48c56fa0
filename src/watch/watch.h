// Watch: logs in, alerts out. Sources (syslog over UDP and TCP, files, HTTP push) → decoders →
// rules → alerts, with an event store for search and replay. Nothing is dropped silently: each
// stage counts what came in, went out, was refused or was late.
//
// Thread-safety: Watch is safe from any thread after start(). A Decoder belongs to one thread.
//
//   Watch watch({.folder = data + "/watch", .sources = sources}, clock, random, journal, alerts,
//   rules); if (Status s = watch.start(); !s) return s.problem();     // names the source that
//   cannot open watch.push("app-1", body);                                // lines that came by
//   HTTP watch.signal({.name = "monitor", .org = org}, json);      // POST /api/v1/signals
//   WatchStats now = watch.stats();
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "base/random.h"
#include "base/result.h"
#include "detect/detect.h"
#include "journal/journal.h"
#include "watch/alerts.h"

namespace cw::watch {

// ---- decoding
// ------------------------------------------------------------------------------------

// How the lines of a source are read. `automatic` looks at each line: JSON, syslog (RFC 5424, RFC
// 3164 and its common deviations), then Asterisk, FreeSWITCH, sshd by program or by shape, then
// key=value, else plain text.
enum class Format : std::uint8_t {
  automatic,
  syslog,
  asterisk,
  freeswitch,
  sshd,
  json,
  key_value,
  plain
};
std::string_view to_string(Format format);
std::optional<Format> format_from(std::string_view text);

struct DecoderOptions {
  std::string source;  // id given to the events
  Format format = Format::automatic;
  int utc_offset_min = 480;            // of times that say no zone
  std::size_t line_max = 64 * 1024;    // bytes; longer lines are cut and counted
  std::size_t connections_max = 4096;  // sshd connections remembered, idlest goes first
};

struct RawLine {
  std::string_view text;
  std::int64_t received_ms = 0;  // a year that is not written is inferred from it
  std::string_view sender;       // peer address, or ""
};

// Turns lines into events with the fields of the module's README (event.action, source.address,
// account, …). Remembers what a connection said earlier (sshd names the address once).
class Decoder {
 public:
  explicit Decoder(DecoderOptions options);
  ~Decoder();
  Decoder(Decoder&&) noexcept;

  // Calls `each` for every event in the line: one as a rule, two when a line also settles earlier
  // ones, none for an empty line. The event is valid during the call. Returns how many.
  std::size_t decode(const RawLine& line, const std::function<void(const detect::Event&)>& each);

  struct Stats {
    std::uint64_t lines = 0, events = 0, plain = 0, cut = 0, deviant = 0;
  };
  const Stats& stats() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// ---- sources
// -------------------------------------------------------------------------------------

struct SourceConfig {
  enum class Kind : std::uint8_t { syslog_udp, syslog_tcp, file, push };
  std::string id;  // a fact: [a-z0-9-], 1–40
  Kind kind = Kind::push;
  std::string org;    // whose alerts these are
  std::string owner;  // post that answers for the source
  Format format = Format::automatic;
  int utc_offset_min = 480;
  std::string bind = "127.0.0.1";     // address, for syslog
  std::uint16_t port = 0;             // 0: any free one
  std::string path;                   // for a file
  bool from_start = true;             // a file never seen before is read from its start
  std::size_t connections_max = 256;  // TCP
  std::size_t line_max = 64 * 1024;
  std::int64_t idle_ms = 10 * 60'000;          // TCP connection without a byte
  std::int64_t silent_floor_ms = 15 * 60'000;  // never alarm sooner
  std::int64_t expected_gap_ms = 0;  // stated rhythm: alarm after three times it, without warm-up
};
// From configuration; `invalid` names the member. Unknown members are refused. `org` may be absent:
// whoever reads the configuration fills it in.
Result<SourceConfig> source_from_json(const json::object& o);

struct StageCount {
  std::uint64_t in = 0, out = 0, refused = 0, late = 0;
};

struct SourceStats {
  std::string id, org, owner;
  SourceConfig::Kind kind = SourceConfig::Kind::push;
  std::uint16_t port = 0;  // bound
  StageCount received;     // lines: refused = no room (UDP), too long, bad frame
  StageCount decoded;      // in: lines, out: events, late: event time > 10 min behind
  std::uint64_t bytes = 0, connections = 0, connections_refused = 0, cut = 0, rotations = 0;
  std::int64_t last_ms = 0;          // last line received, or 0
  std::int64_t silent_after_ms = 0;  // the dead-man's limit in force, or 0 while it is learnt
  bool silent = false;
  bool reading = true;  // false: the file cannot be opened now
};

struct WatchStats {
  std::vector<SourceStats> sources;
  StageCount rules;   // in: events, out: firings
  StageCount alerts;  // in: firings, out: recorded, refused: journal said no (kept)
  StageCount store;   // in: events, out: written, refused: could not be written
  std::uint64_t folded = 0, overflowed = 0;
  std::size_t queued_bytes = 0, live_alerts = 0, unsent_alerts = 0;
  detect::CorrelatorStats correlator;
};

// ---- signals
// -------------------------------------------------------------------------------------

// Who sends: the API token's name and organisation.
struct SignalSender {
  std::string name;  // [a-z0-9-], 1–40: the rule is "signal.<name>"
  std::string org;
};
struct SignalAnswer {
  std::string alert;  // its id
  std::string state;  // "fired", "active-again", "folded", "resolved", "unknown"
};

// The count that goes on between entries.
struct Tally {
  std::int64_t firings = 0, events = 0, first_ms = 0, last_ms = 0;
  std::vector<Sample> last;  // the last 5
};

// ---- the event store
// ------------------------------------------------------------------------------

struct EventQuery {
  std::int64_t from_ms = 0, to_ms = 0;  // [from, to) by event time
  std::string source;                   // "" for any
  Entities fields;                      // all must be equal; normalised keys are indexed
  std::string text;                     // part of the line, "" for any
  std::size_t limit = 1000;             // 1–10,000
  bool newest_first = true;
};
struct StoredEvent {
  std::int64_t at_ms = 0, received_ms = 0;
  std::string source, product, service, category, line;
  Entities fields;
};
struct ReplayReport {
  std::uint64_t events = 0;
  struct Rule {
    std::string id;
    std::uint64_t firings = 0, entities = 0;  // entities: distinct fingerprints
    std::uint64_t alerts = 0;                 // what it would have recorded, repeats folded
  };
  std::vector<Rule> rules;  // those that fired
};

// ---- the whole
// -----------------------------------------------------------------------------------

struct WatchLimits {
  std::size_t queue_bytes = 32 << 20;         // lines waiting to be decoded
  std::size_t live_max = 20'000;              // alerts that fire now
  std::size_t new_per_rule = 200;             // new alerts of one rule in `new_window_ms`; more
  std::int64_t new_window_ms = 10 * 60'000;   //   go to one "further entities" alert
  std::int64_t quiet_ms = 15 * 60'000;        // without a firing: no longer active
  std::int64_t resolve_hold_ms = 5 * 60'000;  // a "resolved" must last this long
  std::int64_t retention_days = 190;          // of stored events; the law asks six months
};

struct WatchOptions {
  std::string folder;  // its own data: positions, counts, stored events
  std::vector<SourceConfig> sources;
  WatchLimits limits;
  bool store_events = true;
  bool threads = true;  // false: drain() and tick() do all (demo, tests)
};

class Watch {
 public:
  Watch(WatchOptions options, Clock& clock, Random& random, Journal& journal, Alerts& alerts,
        std::shared_ptr<const detect::RuleSet> rules);
  ~Watch();

  // Binds, opens and starts; call after journal.open(). A Problem names the source that failed.
  Status start();
  void stop();

  // Takes other rules between two events. Correlation windows of the old ones are lost.
  void rules(std::shared_ptr<const detect::RuleSet> rules);
  std::shared_ptr<const detect::RuleSet> rules() const;

  // Lines (separated by LF) for a `push` source. All or nothing: `too_many` when there is no room
  // (send again after retry_after_s), `not_found` for an unknown source, `too_large` over 4 MiB.
  struct Pushed {
    std::uint64_t lines = 0;
  };
  Result<Pushed> push(std::string_view source, std::string body);

  // One signal: docs/formats/alert.md. The same key of the same sender is the same alert.
  Result<SignalAnswer> signal(const SignalSender& sender, const json::value& body);
  // Prometheus Alertmanager's webhook (version 4): one answer for each of its alerts.
  Result<std::vector<SignalAnswer>> alertmanager(const SignalSender& sender,
                                                 const json::value& body);

  // The clock's work: dead-man, quiet alerts, resolved ones, counts kept, retention. Runs every
  // second by itself when `threads`.
  void tick();
  // Returns when everything received before the call has become what it becomes.
  void drain();

  WatchStats stats() const;
  std::optional<Tally> tally(std::string_view alert) const;
  std::uint16_t port(std::string_view source) const;  // bound, or 0

  // Streams matching events in order of time; stops when `each` returns false.
  Status search(const EventQuery& query, const std::function<bool(const StoredEvent&)>& each) const;
  // Runs `rules` over the stored events, before they are switched on.
  Result<ReplayReport> replay(std::shared_ptr<const detect::RuleSet> rules, std::int64_t from_ms,
                              std::int64_t to_ms) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace cw::watch
