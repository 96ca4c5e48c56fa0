// Windows event logs in Sigma's terms: flat names, log source by channel and event number, field
// names of Sigma's taxonomy. Pure and thread-safe.
//
//   if (lift_windows(fields, arena, &logsource)) …
#pragma once

#include <string_view>
#include <vector>

#include "arena.h"
#include "detect/detect.h"

namespace cw::detect {

// True if `fields` are those of a Windows event; then names are made flat (Event.System.EventID →
// EventID, Event.System.Provider.#attributes.Name → Provider_Name, Event.EventData.Image → Image),
// missing taxonomy names are added, and `logsource` is set.
bool lift_windows(std::vector<Field>& fields, Arena& arena, LogSource& logsource);

}  // namespace cw::detect
