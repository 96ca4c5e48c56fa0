// What an entry does to the facts of an alert: the same for the state in memory and for the list in
// the views. Pure. Private to the module.
//
//   if (entry.kind == "alert.fired") alert = fired_alert(entry); else apply_entry(alert, entry);
#pragma once

#include "alerts.h"

namespace cw::watch {

Alert fired_alert(const Entry& entry);
void apply_entry(Alert& alert, const Entry& entry);

json::array entities_to_json(const std::vector<std::pair<std::string, std::string>>& hashes);
std::vector<std::pair<std::string, std::string>> entities_from_json(const json::object& body);

}  // namespace cw::watch
