// The duty roster: who is on duty when, in layers (first line, second line, command) whose teams
// take shifts in a rhythm; leave, standby, swaps, readiness, handovers and calls that go up until
// somebody answers. Shifts are computed from the plan, never stored: what is stored is the plan and
// what people changed. Every change is a journal entry of ids and times (docs/formats/roster.md).
//
//   Roster roster({journal, identity, sealed, clock, random}, calendars);
//   journal.attach(roster); journal.open();
//   roster.set(who, {}, {.org = hq, .source = yaml, .from_day = today, .layers = teams});
//   auto duty = journal.read([&] { return roster.on_duty("post:duty-officer", org, now); });
//
// Thread-safety: const members are called under the state lock (Journal::read or a decide
// function); all others take it themselves: call them outside.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"
#include "base/yaml.h"
#include "calendar/calendar.h"
#include "calendar/ics.h"
#include "identity/identity.h"
#include "journal/journal.h"
#include "sealed/sealed.h"

namespace cw {

struct RosterDef;
struct LayerDef;

// One shift of one layer on one day (days since 1970, in the roster's calendar).
struct ShiftRef {
  std::string org, roster, layer, shift;
  std::int64_t day = 0;
  std::string key() const;  // "duty/2026-11-23/first/early": within its organisation
  bool operator==(const ShiftRef&) const = default;
};
// A key of `org`, or nothing.
std::optional<ShiftRef> shift_ref(std::string_view org, std::string_view key);
std::string day_text(std::int64_t day);                          // "2026-11-23"
std::optional<std::int64_t> day_of_text(std::string_view text);  // 1970–2080

// Why somebody who was planned cannot take a shift, or should not.
struct Unready {
  std::string person;
  std::string code;  // inactive, leave, unqualified, unreachable, rest, hours, double
  Text text;
};

struct OnShift {
  std::string person;
  std::string why;         // plan, swap, assigned, standby
  std::string instead_of;  // "" for plan
};

struct Shift {
  ShiftRef ref;
  Text roster_title, layer_title, title;
  std::string holds;  // "post:…", "team:…" or ""
  std::int64_t from_ms = 0, to_ms = 0;
  std::size_t need = 1;
  std::vector<OnShift> people;       // who takes it
  std::vector<std::string> standby;  // who could, besides
  std::vector<Unready> absent;       // who was planned and does not
  std::vector<Unready> problems;     // of those who take it
  bool provisional = false;          // rests on workdays that are not announced yet
  std::size_t missing() const { return people.size() >= need ? 0 : need - people.size(); }
  bool has(std::string_view person) const;
  std::string held() const;  // the post's or team's id; the layer's where it holds neither
};

struct RosterTeam {
  std::vector<std::string> people, standby;
};

struct RosterInput {
  std::string org;
  std::string source;           // the definition, YAML; its id names the roster within `org`
  std::int64_t from_day = 0;    // in force from then on: today at the earliest, unless it is new
  std::int64_t anchor_day = 0;  // the rhythm's first day for the first team; 0: from_day
  std::map<std::string, std::vector<RosterTeam>> layers;
};

struct RosterLayer {
  std::string id, holds;  // as in Shift
  Text title;
  std::size_t need = 1;
  bool on_call = false;  // at home: counts neither for rest nor for hours
  std::vector<std::string> qualifications;
  std::vector<std::pair<std::string, Text>> shifts;
  std::int64_t acknowledge_ms = 0;  // then a call goes to the next layer
  std::size_t steps = 0;            // of the pattern; 0: teams take turns
  bool even = false;                // the number of teams must divide the steps
  std::vector<RosterTeam> teams;    // of the period in force on the day asked for
};

struct RosterInfo {
  std::string org, id, source, calendar, zone;
  int version = 0;
  Text title;
  std::int64_t from_day = 0, anchor_day = 0;
  std::int64_t until_day = 0;  // the day it is not in force any more; 0: open
  std::int64_t rest_ms = 0, week_max_ms = 0, ready_before_ms = 0, confirm_within_ms = 0;
  std::vector<RosterLayer> layers;
};

// Somebody who could take a shift, and what speaks against it (their being reachable left out).
struct Candidate {
  std::string person;
  std::vector<Unready> against;
};

struct Leave {
  std::string id, person, kind;  // annual, sick, official, other
  std::string state;             // asked, approved, refused, withdrawn
  std::string decided_by;
  std::int64_t from_ms = 0, to_ms = 0, asked_at = 0;
};

struct Swap {
  std::string id, asker, partner;
  ShiftRef shift;                        // which the partner takes from the asker
  std::optional<ShiftRef> return_shift;  // which the asker takes from the partner
  std::string state;                     // asked, consented, declined, approved, refused, withdrawn
  std::string decided_by;
  std::int64_t asked_at = 0;
};

struct Qualification {
  std::string person, id;
  std::int64_t until_ms = 0;  // 0: does not expire
};

struct Handover {
  ShiftRef shift;                  // whose end it is
  std::vector<std::string> items;  // ids of what is open: "cas_…", "cas_…/task"
  std::string content;             // commitment of the sealed text
  std::string outgoing, incoming;  // who signed; incoming "" while it waits
  std::int64_t outgoing_at = 0, incoming_at = 0;
  std::uint64_t seq = 0;  // of the entry with the outgoing signature: what is countersigned
};

struct EscalationStep {
  std::string layer;
  Text title;
  std::vector<std::string> people;
  std::int64_t wait_ms = 0;  // then the next
};

// Somebody must answer. It goes up layer by layer until a person acknowledges.
struct DutyCall {
  std::string id, about, org;  // about: "alt_…", "cas_…"
  std::string state;           // calling, acknowledged, exhausted
  std::size_t step = 0;
  std::vector<EscalationStep> told;
  std::int64_t opened_at = 0, next_at = 0, acknowledged_at = 0;
  std::string acknowledged_by;
};

// Something people should be told: once, whatever happens.
struct DutyNotice {
  std::string about;  // duty_gap, duty_not_ready, handover_due, duty_call
  std::string name;   // the shift's key or the call's id
  std::string org;
  Text title, text;
  std::int64_t due_ms = 0;
  bool urgent = false;
  std::vector<std::string> people;
  std::string path;  // in the console
};

struct RosterParts {
  Journal& journal;
  Identity& identity;
  Sealed& sealed;
  Clock& clock;
  Random& random;
};

class Roster final : public State {
 public:
  // `templates`: definitions to begin from, by id (roster_templates).
  Roster(RosterParts parts, Calendars calendars, std::map<std::string, std::string> templates = {});
  const std::map<std::string, std::string>& templates() const;
  ~Roster() override;

  // ---- who is on duty ----
  struct Duty {
    std::string org;
    std::vector<std::string> people;
  };
  // The people on duty at a moment in what a layer holds ("post:duty-officer", "team:technical"):
  // those of the nearest organisation, `org` or above, whose roster has somebody there. Nothing
  // when no roster covers it then.
  std::optional<Duty> on_duty(std::string_view what, std::string_view org,
                              std::int64_t at_ms) const;
  // The layers of the nearest roster in their order, each with who is on duty; empty ones left out.
  std::vector<EscalationStep> escalation(std::string_view org, std::int64_t at_ms) const;

  // ---- shifts, by time ----
  // Of every roster of `org` ("" = all), at most 366 days.
  std::vector<Shift> shifts(std::string_view org, std::int64_t from_day, std::int64_t to_day) const;
  std::vector<Shift> shifts_of(std::string_view person, std::int64_t from_day,
                               std::int64_t to_day) const;
  std::optional<Shift> shift(const ShiftRef& ref) const;
  // Shifts that lack somebody or whose people are not ready.
  std::vector<Shift> gaps(std::string_view org, std::int64_t from_day, std::int64_t to_day) const;
  std::vector<RosterInfo> rosters(std::string_view org, std::int64_t day) const;
  // In force on that day, or from a later one.
  std::vector<RosterInfo> plans(std::string_view org, std::int64_t day) const;
  // A definition as `set` would take it, without teams; its mistakes as `/source/line:column`.
  static Result<RosterInfo> read(const std::string& source);
  // Organisations that have, had or will have a roster; whether one of theirs names somebody.
  std::vector<std::string> orgs() const;
  bool names(std::string_view org, std::string_view person) const;
  // Qualified people of the roster who do not have the shift: nothing against them first, at most
  // 200.
  std::vector<Candidate> candidates(const ShiftRef& ref) const;
  // The layer's shifts with people that begin when this one ends, or soonest after it.
  std::vector<Shift> following(const Shift& shift) const;
  std::int64_t today(std::string_view org) const;  // in the zone of its first roster, else UTC+8

  // ---- lists ----
  std::vector<Leave> leaves(std::string_view person) const;  // "" = of everybody
  std::vector<Swap> swaps() const;                           // newest first
  std::optional<Swap> swap(std::string_view id) const;
  std::vector<Qualification> qualifications(std::string_view person) const;
  std::int64_t confirmed_at(std::string_view person) const;  // 0: never
  std::int64_t linked_at(std::string_view person) const;     // their calendar's link; 0: none
  std::string linked_person(std::string_view secret) const;  // active; "" when it opens nothing
  std::optional<Handover> handover(const ShiftRef& ref) const;
  std::vector<Handover> handovers(std::string_view org, std::size_t limit) const;  // newest first
  std::vector<DutyCall> calls(std::string_view org) const;                         // newest first
  bool called(std::string_view about) const;  // a call about it was ever opened
  // iCalendar events: a person's shifts, a layer's, and in the person's language.
  std::vector<IcsEvent> events(const std::vector<Shift>& shifts, std::string_view lang,
                               bool names) const;

  // ---- changes. [roster.manage] in the roster's organisation where not said otherwise ----
  Result<Answer> set(const Principal&, Command, const RosterInput&);
  Result<Answer> end(const Principal&, Command, std::string_view org, std::string_view id,
                     std::int64_t from_day);
  // `in` takes the shift instead of `out` ("" = besides those planned). Refused while it breaks
  // rest, hours or a qualification, unless `anyway`: the entry then says what it breaks.
  Result<Answer> assign(const Principal&, Command, const ShiftRef&, std::string_view out,
                        std::string_view in, bool anyway);
  // By whoever is on the shift; the partner consents; somebody else with roster.manage decides.
  Result<Answer> ask_swap(const Principal&, Command, const ShiftRef&, std::string_view partner,
                          const std::optional<ShiftRef>& in_return);
  Result<Answer> answer_swap(const Principal&, Command, std::string_view swap, bool yes);
  Result<Answer> decide_swap(const Principal&, Command, std::string_view swap, bool yes);
  Result<Answer> withdraw_swap(const Principal&, Command, std::string_view swap);
  // One's own is asked for; another's, by a manager, is approved at once.
  Result<Answer> ask_leave(const Principal&, Command, std::string_view person,
                           std::string_view kind, std::int64_t from_ms, std::int64_t to_ms);
  Result<Answer> ask_leaves(const Principal&, Command, std::string_view person,
                            std::string_view kind, std::string_view ics);
  Result<Answer> decide_leave(const Principal&, Command, std::string_view leave, bool yes);
  Result<Answer> withdraw_leave(const Principal&, Command, std::string_view leave);
  Result<Answer> qualify(const Principal&, Command, const Qualification&, bool withdraw);
  Result<Answer> confirm_reachable(const Principal&, Command, std::string_view person);
  // A secret with which a calendar program reads one's own shifts without signing in: given once,
  // replaced by the next, ended by `end`. "" for a repeated command.
  struct CalendarLink {
    std::uint64_t seq = 0;
    std::string secret;
  };
  Result<CalendarLink> link_calendar(const Principal&, Command, bool end);
  // By somebody of the shift that ends: signs what is handed over. Written again, it is signed
  // anew.
  Result<Answer> write_handover(const Principal&, Command, const ShiftRef&,
                                std::vector<std::string> items, std::string_view text);
  // By somebody of a following shift of the layer; `seq` is the handover they read.
  Result<Answer> sign_handover(const Principal&, Command, const ShiftRef&, std::uint64_t seq);

  // ---- calls ----
  // Tells `tell` (within the same commit) whom to reach now; nothing when nobody is on duty or a
  // call about it is already open.
  using Tell = std::function<void(Draft&, std::uint64_t seq, const DutyNotice&)>;
  void open_call(Draft& draft, std::string_view about, std::string_view org, const Text& text,
                 const Tell& tell);
  Result<Answer> acknowledge(const Principal&, Command, std::string_view call);
  // What time brings: calls that go up, gaps and problems of the next day, handovers that wait.
  // `answered` says whether what a call is about is in hands. Cheap when nothing is due.
  void tick(const Tell& tell, const std::function<std::string(const std::string& about)>& answered);

  // ---- State ----
  std::string_view prefix() const override { return "roster"; }
  void apply(const Entry& entry) override;
  std::optional<std::string> save_slice(std::size_t i) const override;
  void load_slice(std::string_view bytes) override;

  struct Impl;

 private:
  std::unique_ptr<Impl> impl_;
};

// The definitions below `content/rosters`: (id, text). Mistakes are named; a missing folder has
// none.
std::map<std::string, std::string> roster_templates(const std::filesystem::path& content,
                                                    std::vector<Mistake>& mistakes);

}  // namespace cw
