// Alerts: what rules and signals found, and what people decided about it. An alert is one rule and
// its entities (fingerprint); its first firing, its changes of level and every decision are journal
// entries, repeats are only counted (watch.h). What an entity is called (an address, an extension,
// an account) can name a person, so entries hold a keyed hash of it and the value is sealed.
//
// Thread-safety: fingerprint, entity_hash and the functions that return a Decide are safe from any
// thread; everything that reads alerts runs under the state lock (Journal::read or a Decide).
//
//   Alerts alerts(key, sealed);  journal.attach(alerts);  journal.open();
//   journal.run({}, alerts.take({.alert = id, .actor = person, .basis = "post:duty-officer"}));
//   journal.run({}, alerts.promote(act, [&](Draft& d, const Alert& a) { return engine.open(d, …);
//   })); views.read(size, [&](Database& db) { page = AlertList::page(db, {.org = {"org_…"}}); });
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "crypto/crypto.h"
#include "detect/detect.h"
#include "journal/journal.h"
#include "journal/views.h"
#include "sealed/sealed.h"

namespace cw::watch {

using detect::Level;
using detect::Warning;
using Entities = std::vector<std::pair<std::string, std::string>>;  // field → value

// What people have decided so far. Whether the alert still fires is apart: Alert::active.
enum class Triage : std::uint8_t { open, taken, promoted, merged, dismissed };
enum class Disposition : std::uint8_t { none, false_positive, expected, duplicate, harmless };
std::string_view to_string(Triage triage);
std::string_view to_string(Disposition disposition);
std::optional<Triage> triage_from(std::string_view text);
std::optional<Disposition> disposition_from(std::string_view text);  // "false-positive", …
std::optional<Level> level_from(std::string_view text);
std::optional<Warning> warning_from(std::string_view text);

// The facts of an alert, exactly what its entries say.
struct Alert {
  std::string id;           // "alt_…"
  std::string rule;         // a rule's id, "signal.<sender>" or "watch.source-silent"
  std::string fingerprint;  // keyed hash of rule and entities
  std::string source;       // id of the source it was found in
  std::string org;
  Level level = Level::medium;
  Warning warning = Warning::none;
  Triage triage = Triage::open;
  bool active = true;     // fires still; false after a quiet time, or when resolved
  bool overflow = false;  // stands for further entities of this rule (see AlertLimits)
  std::string owner;      // who took it
  std::string case_id;    // promoted to, or merged into
  Disposition disposition = Disposition::none;
  std::string silence;          // the silence it was recorded under; no one is called
  std::int64_t first_ms = 0;    // of the first event that counted
  std::int64_t fired_ms = 0;    // when the alert was recorded
  std::int64_t changed_ms = 0;  // of its last entry
  std::int64_t events = 0;      // that counted, at its last entry (live figure: Watch::tally)
  std::uint64_t fired_seq = 0, seq = 0;                       // of its first and last entry
  std::vector<std::pair<std::string, std::string>> entities;  // field → keyed hash
  std::string content;  // commitment of an AlertContent: entities in clear, first samples
  std::string closing;  // commitment of an AlertContent: reason, last samples
  bool closed() const { return triage != Triage::open && triage != Triage::taken; }
  json::object to_json() const;  // for views and snapshots
  static Alert from_json(const json::object& o);
};

// One raw event that counted.
struct Sample {
  std::int64_t at_ms = 0;
  std::string source;
  std::string line;                                         // as received, at most 2 KiB
  std::vector<std::pair<std::string, std::string>> fields;  // as decoded
  std::vector<std::string> matched;                         // names of the fields that counted
};

// What is sealed beside an alert's entries, under the alert's own key.
struct AlertContent {
  Text title;  // given by a signal; a rule's title comes from the rule
  std::string summary;
  std::string reason;  // why it was dismissed or silenced
  Entities entities;
  std::vector<Sample> samples;
  std::string to_json() const;
  static Result<AlertContent> parse(std::string_view text);
};

// Alerts that match are recorded, but no one is called. Every given condition must hold; an alert
// that lacks an entity never matches a condition on it.
struct Silence {
  std::string id;  // "sil_…"
  std::string org;
  std::string owner;
  std::string rule;                                           // "" for any
  std::string source;                                         // "" for any
  std::vector<std::pair<std::string, std::string>> entities;  // field → keyed hash
  std::int64_t starts_ms = 0, expires_ms = 0;
  std::int64_t ended_ms = 0;  // lifted early, or 0
  std::string content;        // AlertContent: reason, entities in clear
  std::uint64_t hits = 0;     // alerts recorded under it
  std::uint64_t seq = 0;
  bool covers(const Alert& alert, std::int64_t now_ms) const;
  json::object to_json() const;
  static Silence from_json(const json::object& o);
};

// How well a rule does: what became of its alerts.
struct RuleRecord {
  std::uint64_t fired = 0, promoted = 0, merged = 0;
  std::map<std::string, std::uint64_t> dismissed;  // by disposition
  std::uint64_t seq = 0;
  // Alerts that were worth it among those judged, per thousand; nothing until one was judged.
  // "expected" and "duplicate" say nothing about the rule and are left out.
  std::optional<int> precision_permille() const;
};

struct AlertLimits {
  std::size_t closed_max = 20'000;  // closed, quiet alerts kept in memory (the view keeps all)
  std::size_t silences_max = 1'000;
  std::size_t reason_max = 2'000;  // code points
  std::int64_t silence_max_ms = 30ll * 86'400'000;
};

// Who acts on which alert. `seen`: the alert's seq the person saw, or nothing (If-Match).
struct AlertAct {
  std::string alert;
  std::string actor;
  std::string basis;
  std::optional<std::uint64_t> seen;
};

// One firing, ready to be recorded.
struct Firing {
  std::string rule, source, org;
  Level level = Level::medium;
  Warning warning = Warning::none;
  std::int64_t first_ms = 0;
  std::int64_t events = 1;
  bool overflow = false;
  std::string fingerprint;
  std::string actor = "system";  // "rule:<id>" for rules
  AlertContent content;          // with the entities in clear
};

// Makes the case inside the same commit and returns its id. Must refuse before its first append.
using MakeCase = std::function<Result<std::string>(Draft&, const Alert&)>;
// Says whether the case may take the alert: its org, that it is open.
using CheckCase = std::function<Status(const std::string& case_id, const Alert&)>;
// What was counted since the last entry: events and the last samples, sealed with a decision.
using Closing =
    std::function<std::pair<std::int64_t, std::vector<Sample>>(const std::string& alert)>;

class Alerts : public State {
 public:
  // `key`: 32 bytes for the keyed hashes; the same for the life of the installation.
  Alerts(SecretBytes key, Sealed& sealed, AlertLimits limits = {});
  ~Alerts() override;

  std::string entity_hash(std::string_view field, std::string_view value) const;
  // Of the rule and its entities, in any order; `org` too, so that tenants never share an alert.
  std::string fingerprint(std::string_view org, std::string_view rule,
                          const Entities& entities) const;

  // Where the last samples and counts come from; the Watch says so. Safe from any thread.
  void closing(Closing closing);

  // -- commands; each answers {"alert": id} ------------------------------------------------------
  // Records a first firing; or makes the open alert of that fingerprint active again; or finds it
  // active and appends nothing. Answers {"alert", "state": "fired"|"active-again"|"folded",
  // "events"}.
  Decide fire(Firing firing);
  Decide take(AlertAct act);                    // acknowledge; also takes over
  Decide release(AlertAct act);                 // back to open
  Decide promote(AlertAct act, MakeCase make);  // answers {"alert", "case"}
  Decide merge(AlertAct act, std::string case_id, CheckCase check);
  Decide dismiss(AlertAct act, Disposition disposition, std::string reason);
  Decide reopen(AlertAct act);  // a dismissal that was wrong
  Decide level(AlertAct act, Level level);
  Decide warning(AlertAct act, Warning warning);
  Decide quiet(std::string alert);    // by the clock: no longer active
  Decide audible(std::string alert);  // by the clock: it fires still, its silence is over

  struct NewSilence {
    std::string actor, basis, org, rule, source;
    Entities entities;            // in clear
    std::string reason;           // mandatory
    std::int64_t expires_ms = 0;  // mandatory, at most silence_max_ms ahead
  };
  Decide silence(NewSilence wanted);  // answers {"silence": id}
  Decide unsilence(std::string silence, std::string actor, std::string basis);

  // -- reading (under the state lock) ------------------------------------------------------------
  const Alert* find(std::string_view id) const;
  const Alert* by_fingerprint(std::string_view fingerprint) const;  // the newest
  void each(const std::function<void(const Alert&)>& f) const;      // those in memory
  const Silence* find_silence(std::string_view id) const;
  std::vector<Silence> silences(std::int64_t now_ms) const;      // in force
  std::vector<std::string> outlived(std::int64_t now_ms) const;  // active; their silence is over
  // What `wanted` would cover now, and of the alerts fired since `since_ms`.
  struct Preview {
    std::size_t active = 0, since = 0;
    std::vector<std::string> alerts;
  };
  Result<Preview> preview(const NewSilence& wanted, std::int64_t since_ms,
                          std::int64_t now_ms) const;
  const std::map<std::string, RuleRecord>& rules() const;
  std::size_t in_memory() const;

  std::string_view prefix() const override { return "alert"; }
  void apply(const Entry& entry) override;
  std::optional<std::string> save_slice(std::size_t i) const override;
  void load_slice(std::string_view bytes) override;

 private:
  Result<Alert*> acted(const AlertAct& act);
  Entry entry(const AlertAct& act, std::string_view verb, const Alert& alert) const;
  std::pair<std::int64_t, std::vector<Sample>> since(const std::string& alert) const;
  void seal_closing(Draft& d, Entry& e, const Alert& alert, std::string reason) const;
  Result<Silence> draft_silence(const NewSilence& wanted, std::int64_t now_ms) const;
  const Silence* covering(const Alert& alert, std::int64_t now_ms) const;
  void count(const Entry& entry, std::string_view verb, const Alert& alert);
  void forget_oldest();

  SecretBytes key_;
  Sealed& sealed_;
  AlertLimits limits_;
  mutable std::mutex closing_mutex_;
  Closing closing_;
  std::map<std::string, Alert, std::less<>> alerts_;
  std::map<std::string, std::string, std::less<>> newest_;  // fingerprint → id
  std::set<std::pair<std::uint64_t, std::string>> done_;    // closed and quiet, oldest first
  std::map<std::string, Silence, std::less<>> silences_;
  std::map<std::string, RuleRecord> rules_;
};

// ---- the list
// ------------------------------------------------------------------------------------

struct AlertFilter {
  std::vector<std::string> org;  // empty: none is shown (say whose)
  std::vector<Triage> triage;    // empty: any
  std::optional<Level> level_min;
  std::string rule, source, case_id, owner;  // "" for any
  std::optional<bool> active;
  std::optional<bool> silenced;
  std::int64_t from_ms = 0, to_ms = 0;  // by fired_ms; 0: no bound
  std::string cursor;                   // from the page before
  std::size_t limit = 50;               // 1–200
};

struct AlertPage {
  std::vector<Alert> alerts;  // newest first
  std::string next;           // cursor, or "" at the end
};

struct AlertCounts {
  std::map<std::string, std::int64_t> by_triage;  // of all
  std::map<std::string, std::int64_t> by_level;   // of those open or taken, not silenced
};

class AlertList : public Projector {
 public:
  std::string_view name() const override { return "alerts"; }
  const char* schema() const override;
  void drop(Database& db) const override;
  void project(const Entry& entry, Database& db) override;

  // `invalid` when the cursor or the limit is wrong.
  static Result<AlertPage> page(Database& db, const AlertFilter& filter);
  static std::optional<Alert> find(Database& db, std::string_view id);
  static AlertCounts counts(Database& db, const std::vector<std::string>& org);
};

}  // namespace cw::watch
