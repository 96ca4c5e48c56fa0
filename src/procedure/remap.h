// A case as another version of its procedure has it: everything by name, old → new. Pure; the same
// in planning, live and in replay.
#pragma once

#include "impl.h"

namespace cw {

// Indices old → new; -1 = no counterpart.
struct Remap {
  Remap(const Installed& before, const Installed& after, const MigrationMap& map);

  const Installed &before, &after;
  std::vector<int> states, tasks, actions, clocks, facts, roles, forms, flags, levels, children;
  std::vector<std::vector<int>> values;                         // per fact: of an enumeration
  std::vector<bool> let_go_tasks, let_go_clocks, let_go_facts;  // the map says ""

  // The value under the new version: nothing when it has no counterpart there.
  std::optional<Value> value(int fact, Value old) const;
  Case of(const Case& c, std::uint16_t place) const;  // needs its state to have a counterpart
};

// The part of the map that bears on this case: what its entry says.
MigrationMap relevant(const MigrationMap& map, const Definition& before, const Case& c);
// Applies a "case.migrate" entry up to what `difference` tells.
void apply_migration(Engine::Impl& m, Case& c, const Entry& entry);

}  // namespace cw
