// What the roster holds, shared by its source files.
#pragma once

#include <algorithm>
#include <mutex>
#include <set>

#include "definition.h"
#include "roster.h"

namespace cw {

// Who takes a shift instead of whom.
struct ShiftChange {
  std::string out, in, why;  // why: swap, assigned
};

// The plan from one day until the next period begins. Without a definition the roster has ended.
struct RosterPeriod {
  std::int64_t from_day = 0, anchor_day = 0;
  std::shared_ptr<const RosterDef> definition;
  std::map<std::string, std::vector<RosterTeam>> layers;
};

struct RosterRecord {
  std::string org, id;
  std::vector<RosterPeriod> periods;                        // by from_day
  std::map<std::string, std::vector<ShiftChange>> changes;  // by shift key
  std::set<std::string, std::less<>> mentioned;             // everybody in it, derived
  const RosterPeriod* period(std::int64_t day) const;
};

struct Roster::Impl {
  Impl(RosterParts p, Calendars c, std::map<std::string, std::string> t)
      : parts(std::move(p)), calendars(std::move(c)), templates(std::move(t)) {}

  RosterParts parts;
  Calendars calendars;
  std::map<std::string, std::string> templates;
  std::map<std::pair<std::string, std::string>, RosterRecord> rosters;  // org, id
  std::map<std::string, Leave, std::less<>> leaves;
  std::map<std::string, Swap, std::less<>> swaps;
  std::map<std::pair<std::string, std::string>, std::int64_t> qualified;  // person, id → until
  std::map<std::string, std::int64_t, std::less<>> confirmed;
  std::map<std::string, std::int64_t, std::less<>> reminded;  // key → when
  struct Link {
    std::string hash;  // SHA-256 of the secret, hex
    std::int64_t at_ms = 0;
  };
  std::map<std::string, Link, std::less<>> links;  // person → their calendar's link
  std::map<std::string, DutyCall, std::less<>> calls;
  std::map<std::pair<std::string, std::string>, Handover> handovers;  // org, shift key
  std::uint64_t core_seen = 0;  // entries before this are in the loaded slice
  std::uint64_t applied = 0;    // the seq after the last applied
  std::uint64_t version = 0;    // counts entries, for the cache
  std::int64_t forgot_ms = 0;   // when forget() last looked

  struct Cached {
    std::uint64_t version;
    std::int64_t second;
    std::optional<Duty> duty;
  };
  mutable std::mutex cache_gate;
  mutable std::map<std::pair<std::string, std::string>, Cached> cache;
  std::int64_t next_look_ms = 0;  // tick()

  // --- records.cpp ---
  void apply(const Entry& entry);
  void forget(std::int64_t now_ms);  // what ended long ago; looks once a day

  // --- schedule.cpp ---
  const Calendar& calendar_of(const RosterDef& definition) const;
  std::vector<Shift> shifts_of_day(const RosterRecord& r, std::int64_t day) const;
  Shift make(const RosterRecord& r, const RosterPeriod& p, const LayerDef& layer, std::size_t shift,
             std::int64_t day) const;
  struct Raw {
    ShiftRef ref;
    std::int64_t from_ms, to_ms;
  };
  // What the plan and the changes give a person, whether or not they can come; not on-call layers.
  std::vector<Raw> raw_of(std::string_view person, std::int64_t from_day,
                          std::int64_t to_day) const;
  std::vector<std::string> planned(const RosterRecord& r, const RosterPeriod& p,
                                   const LayerDef& layer, std::size_t shift, std::int64_t day,
                                   std::vector<OnShift>* how) const;
  // Everything that speaks against a person in this shift; `now` for reachability.
  std::vector<Unready> against(std::string_view person, const RosterDef& d, const LayerDef& layer,
                               const Shift& s) const;
  // The same for somebody who does not have it yet.
  std::vector<Unready> against(std::string_view person, const ShiftRef& ref,
                               const ShiftRef* gives_up) const;
  std::optional<Duty> find_duty(std::string_view what, std::string_view org, std::int64_t at) const;
  void add_on_duty(const RosterRecord& r, std::string_view layer_id, std::string_view what,
                   std::int64_t at, std::vector<std::string>& people) const;
  std::int64_t day_in(const RosterRecord& r, std::int64_t at_ms) const;  // the local day
  const RosterRecord* find(std::string_view org, std::string_view id) const;
  std::optional<Shift> shift(const ShiftRef& ref) const;
  std::string parent_of(const std::string& org) const;

  // --- handover.cpp, calls.cpp ---
  std::vector<Shift> following(const Shift& s) const;  // of the layer, when this one ends
  void go_up(Roster& roster, Draft& d, DutyCall c, const Tell& tell);
  std::vector<DutyNotice> ahead(const Roster& roster, std::int64_t now) const;

  // --- commands.cpp ---
  Result<std::string> manage(const Principal& who, std::string_view org) const;
  std::string person_org(std::string_view person) const;
};

// ---- records as they stand in entries and snapshots ----
json::object body_of(const ShiftRef& ref);
json::object body_of(const Leave& leave);
json::object body_of(const Swap& swap);
json::object body_of(const Handover& handover);
json::object body_of(const DutyCall& call);
ShiftRef ref_from(const json::object& o);

Entry duty_entry(const Principal& who, std::string basis, std::string_view verb, std::string name,
                 json::object body);
Problem no_shift(std::string_view pointer);
Text unready_text(std::string_view code);
// A definition, or its mistakes as a Problem with `/source/line:column`.
Result<std::shared_ptr<const RosterDef>> checked_roster(const std::string& source);

inline bool holds(const std::vector<std::string>& people, std::string_view person) {
  return std::find(people.begin(), people.end(), person) != people.end();
}

constexpr std::int64_t duty_day_ms = 86'400'000;

}  // namespace cw
