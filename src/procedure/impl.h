// What the engine holds, shared by its source files.
#pragma once

#include <atomic>
#include <map>
#include <shared_mutex>

#include "engine.h"
#include "state.h"

namespace cw {

struct Engine::Impl {
  explicit Impl(EngineParts p) : parts(std::move(p)) {}

  EngineParts parts;

  // Guards what other threads look up without the journal's lock: cases' and definitions' places
  // and the library. The writer takes it alone only to add.
  mutable std::shared_mutex gate;
  std::deque<Case> cases;
  CaseIndex index;
  std::deque<Installed> installed;
  std::map<std::string, std::uint16_t, std::less<>> current;  // "plan@3" → its latest
  std::map<const Definition*, std::string> digests;           // of the library's definitions

  Names names;
  Timers timers;
  std::map<Name, std::vector<Slot>> series;  // "CL-2026" → slot by number - 1
  std::size_t open = 0;
  std::vector<Slot> restricted;  // cases whose procedure names its readers
  // The last slot of each procedure that was ever scheduled, by its id: what entries say.
  struct LastSlot {
    std::int64_t slot_ms = 0;
    std::uint64_t seq = 0;
    bool opened = false;  // otherwise the schedule was only noticed at that time
  };
  std::map<std::string, LastSlot, std::less<>> slots;
  // The next slot of each, derived; empty until `plan_slots`.
  std::map<std::string, std::int64_t, std::less<>> upcoming;
  bool slots_planned = false;
  std::int64_t next_slot_ms = never_ms;  // the earliest; 0 while there is something to plan
  std::vector<Case> spare;               // copies to reuse
  // Per kSliceCases cases, in their order: the last entry that changed one of them.
  static constexpr std::size_t kSliceCases = 4'096;
  std::vector<std::uint64_t> changed;
  // The case an entry is being written to, so that applying it need not look it up again.
  Slot at_hand = no_slot;
  std::string at_hand_id;

  const Case* find(std::string_view id) const {
    auto key = case_key(id);
    Slot slot = key ? index.find(*key, cases) : no_slot;
    return slot == no_slot ? nullptr : &cases[slot];
  }
  Slot slot_of(std::string_view id) const {
    auto key = case_key(id);
    return key ? index.find(*key, cases) : no_slot;
  }
  const Installed& of(const Case& c) const { return installed[c.definition]; }
  std::string number_of(const Case& c) const;
  // In force, or else a retired one as it last was: cases begun before it was retired may open it.
  std::shared_ptr<const Definition> procedure(std::string_view id) const {
    std::shared_lock lock(gate);
    return parts.library.remembered(id);
  }
  bool retired(std::string_view id) const {
    std::shared_lock lock(gate);
    return parts.library.retired().contains(id);
  }
  // The definition and, at this instant, the state of a case, for a thread that is preparing a
  // command. The definition never changes; the state is only a hint that the decision checks.
  struct Hint {
    Slot slot = no_slot;
    std::shared_ptr<const Definition> definition;
    int state = -1;
  };
  std::optional<Hint> hint(std::string_view id) const;
  bool child_open(const Child& child) const {
    Slot slot = index.find(child.key, cases);
    return slot != no_slot && !cases[slot].closed;
  }

  // definitions.cpp
  void use(Library library);
  std::string digest_of(const Definition& d) const;  // of one of the library's
  // Its place, or UINT16_MAX when it is not installed.
  std::uint16_t place_of(const Definition& d, const std::string& digest) const;
  std::uint16_t install(std::shared_ptr<const Definition> definition, const std::string& digest);
  // By name and digest; the text comes from the library, or from the rows kept with the journal.
  std::uint16_t install(const std::string& name, const std::string& digest);
  void keep(Draft& draft, const Definition& definition, const std::string& digest) const;
  void connect_calendars(Installed& in) const;

  // schedule.cpp
  void apply_slot(const Entry& entry);
  void unplan_slots();
  void plan_slots();  // writer thread

  // engine.cpp
  Slot add(Case&& c);
  void note_change(Slot slot) {
    std::size_t slice = slot / kSliceCases;
    if (slice >= changed.size()) changed.resize(slice + 1);
    changed[slice] = std::max(changed[slice], cases[slot].last_seq);
  }
  void settle_timer(Slot slot) {
    timers.set(slot, cases[slot].closed ? never_ms : cases[slot].next_ms());
  }
};

// The tasks that a guard of the present state asks for and that are still to be done: their
// indices in the definition, and a refusal's text that names them; neither when it asks for none.
std::vector<int> tasks_lacking(const Definition& d, const Case& c, const Expression& guard);
Text lacking_text(const Definition& d, const std::vector<int>& tasks);

// "plan.customer-leak" → "CL": the initials of its last part's words.
std::string number_prefix(std::string_view procedure);

}  // namespace cw
