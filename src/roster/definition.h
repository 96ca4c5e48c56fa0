// How a roster is made: layers, their shifts, and the rhythm in which teams take them. Read from
// YAML (docs/formats/roster.md); immutable, so thread-safe.
//
//   std::vector<Mistake> mistakes;
//   auto definition = read_roster(text, "duty-24h.yaml", mistakes);   // null with a mistake
//   int shift = definition->layers[0].shift_of(team, teams, day, anchor_day);   // -1: off
#pragma once

#include <memory>

#include "base/yaml.h"
#include "roster.h"

namespace cw {

struct ShiftDef {
  std::string id;
  Text title;
  std::int64_t from_minute = 0, to_minute = 0;  // of the local day; past 1,440: the next day
};

struct LayerDef {
  std::string id;
  std::string holds;  // "post:duty-officer", "team:technical"; "" = neither
  Text title;
  std::size_t need = 1;
  bool on_call = false;        // at home: counts neither for rest nor for hours
  bool strict = false;         // whoever is not ready does not hold the post
  bool workdays_only = false;  // of the roster's calendar
  bool weekly = false;         // the rhythm steps by week (from Monday), not by day
  std::int64_t acknowledge_ms = 0;
  std::vector<std::string> qualifications;
  std::vector<ShiftDef> shifts;
  std::vector<int> pattern;  // index of a shift, or -1: off; empty: teams take turns
  std::int64_t lag = 0;      // steps by which each team is behind the one before; 0: evenly
  const ShiftDef* shift(std::string_view shift_id) const;
  // Whether team `team` of `teams` works `shift` on a day (days since 1970).
  bool works(std::size_t shift, std::size_t team, std::size_t teams, std::int64_t day,
             std::int64_t anchor_day) const;
};

struct RosterDef {
  std::string id, calendar, source;
  int version = 0;
  Text title;
  std::int64_t rest_ms = 0, week_max_ms = 0;  // 0: no rule
  std::int64_t ready_before_ms = 0, confirm_within_ms = 0, handover_within_ms = 0;
  std::vector<LayerDef> layers;
  const LayerDef* layer(std::string_view layer_id) const;
};

std::shared_ptr<const RosterDef> read_roster(const std::string& text, const std::string& file,
                                             std::vector<Mistake>& mistakes);

}  // namespace cw
