#include "alert_apply.h"

namespace cw::watch {

json::array entities_to_json(const std::vector<std::pair<std::string, std::string>>& hashes) {
  json::array out;
  for (const auto& [field, hash] : hashes) {
    out.push_back(json::object{{"field", field}, {"hash", hash}});
  }
  return out;
}

std::vector<std::pair<std::string, std::string>> entities_from_json(const json::object& body) {
  std::vector<std::pair<std::string, std::string>> out;
  const json::value* list = body.if_contains("entities");
  if (list == nullptr || !list->is_array()) return out;
  for (const json::value& v : list->get_array()) {
    if (!v.is_object()) continue;
    out.emplace_back(text_or(v.get_object(), "field"), text_or(v.get_object(), "hash"));
  }
  return out;
}

Alert fired_alert(const Entry& entry) {
  const json::object& b = entry.body;
  Alert a;
  a.id = text_or(b, "alert");
  a.rule = entry.name;
  a.fingerprint = text_or(b, "fingerprint");
  a.source = text_or(b, "source");
  a.org = text_or(b, "org");
  a.level = level_from(text_or(b, "level")).value_or(Level::medium);
  a.warning = warning_from(text_or(b, "warning")).value_or(Warning::none);
  a.overflow = bool_or(b, "overflow");
  a.silence = text_or(b, "silence");
  a.first_ms = int_or(b, "first");
  a.fired_ms = a.changed_ms = entry.at_ms;
  a.events = int_or(b, "events");
  a.fired_seq = a.seq = entry.seq;
  a.entities = entities_from_json(b);
  a.content = entry.content;
  return a;
}

void apply_entry(Alert& a, const Entry& e) {
  const json::object& b = e.body;
  std::string_view verb = std::string_view(e.kind).substr(6);  // after "alert."
  if (verb == "refired") {
    a.active = true;
    a.silence = text_or(b, "silence");
  } else if (verb == "taken") {
    a.triage = Triage::taken;
    a.owner = e.actor;
  } else if (verb == "released" || verb == "reopened") {
    a.triage = Triage::open;
    a.owner.clear();
    a.disposition = Disposition::none;
  } else if (verb == "promoted" || verb == "merged") {
    a.triage = verb == "promoted" ? Triage::promoted : Triage::merged;
    a.case_id = e.case_id;
    if (a.owner.empty()) a.owner = e.actor;
  } else if (verb == "dismissed") {
    a.triage = Triage::dismissed;
    a.disposition = disposition_from(text_or(b, "disposition")).value_or(Disposition::none);
    if (a.owner.empty()) a.owner = e.actor;
  } else if (verb == "level") {
    a.level = level_from(text_or(b, "level")).value_or(a.level);
    if (bool_or(b, "reopened")) {
      a.triage = Triage::open;
      a.owner.clear();
      a.disposition = Disposition::none;
    }
  } else if (verb == "warning") {
    a.warning = warning_from(text_or(b, "warning")).value_or(a.warning);
  } else if (verb == "quieted") {
    a.active = false;
  }
  if (std::int64_t events = int_or(b, "events"); events > a.events) a.events = events;
  if (!e.content.empty()) a.closing = e.content;
  a.changed_ms = e.at_ms;
  a.seq = e.seq;
}

}  // namespace cw::watch
