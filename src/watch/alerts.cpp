// The state: what entries did to alerts, silences and the records of rules; fingerprints;
// snapshots.
#include "alerts.h"

#include <algorithm>

#include "alert_apply.h"
#include "base/check.h"
#include "base/id.h"
#include "base/text.h"

namespace cw::watch {
namespace {

constexpr std::size_t kSlices = 64;  // of alerts, by id; then one for silences and rules

std::size_t slice_of(std::string_view id) {
  std::uint32_t h = 2166136261u;  // FNV-1a: the same on every machine
  for (char c : id) h = (h ^ static_cast<unsigned char>(c)) * 16777619u;
  return h % kSlices;
}

// Length before each part, so that no two lists of parts join to the same bytes.
void part(std::string& out, std::string_view text) {
  out += std::to_string(text.size());
  out += ':';
  out += text;
}

json::object record_to_json(const std::string& rule, const RuleRecord& r) {
  json::object dismissed;
  for (const auto& [word, count] : r.dismissed) dismissed[word] = count;
  return {{"rule", rule},
          {"fired", r.fired},
          {"promoted", r.promoted},
          {"merged", r.merged},
          {"dismissed", std::move(dismissed)},
          {"seq", r.seq}};
}

RuleRecord record_from_json(const json::object& o) {
  auto number = [&](std::string_view k) { return static_cast<std::uint64_t>(int_or(o, k)); };
  RuleRecord r{number("fired"), number("promoted"), number("merged"), {}, number("seq")};
  if (const json::value* d = o.if_contains("dismissed"); d && d->is_object()) {
    for (const auto& [word, count] : d->get_object()) {
      r.dismissed[std::string(word)] = static_cast<std::uint64_t>(count.to_number<std::int64_t>());
    }
  }
  return r;
}

}  // namespace

Alerts::Alerts(SecretBytes key, Sealed& sealed, AlertLimits limits)
    : key_(std::move(key)), sealed_(sealed), limits_(limits) {
  CW_CHECK(key_.size() == 32);
}
Alerts::~Alerts() = default;

void Alerts::closing(Closing closing) {
  std::lock_guard lock(closing_mutex_);
  closing_ = std::move(closing);
}

std::pair<std::int64_t, std::vector<Sample>> Alerts::since(const std::string& alert) const {
  std::lock_guard lock(closing_mutex_);
  return closing_ ? closing_(alert) : std::pair<std::int64_t, std::vector<Sample>>{};
}

std::string Alerts::entity_hash(std::string_view field, std::string_view value) const {
  std::string message = "entity ";
  part(message, field);
  part(message, value);
  return to_hex(bytes_of(hmac_sha256(key_.view(), message)).substr(0, 16));
}

std::string Alerts::fingerprint(std::string_view org, std::string_view rule,
                                const Entities& entities) const {
  Entities sorted = entities;
  std::sort(sorted.begin(), sorted.end());
  std::string message = "alert ";
  part(message, org);
  part(message, rule);
  for (const auto& [field, value] : sorted) {
    part(message, field);
    part(message, value);
  }
  return to_hex(bytes_of(hmac_sha256(key_.view(), message)).substr(0, 16));
}

// ---- entries
// -------------------------------------------------------------------------------------

void Alerts::apply(const Entry& entry) {
  std::string_view verb = std::string_view(entry.kind).substr(6);
  if (verb == "silenced" || verb == "unsilenced") {
    Silence& s = silences_[std::string(text_or(entry.body, "silence"))];
    if (s.seq > entry.seq || (s.seq == entry.seq && !s.id.empty())) return;
    if (verb == "silenced") {
      std::uint64_t hits = s.hits;
      s = Silence::from_json(entry.body);
      s.id = text_or(entry.body, "silence");
      s.owner = entry.actor;
      s.starts_ms = entry.at_ms;
      s.content = entry.content;
      s.hits = hits;
    } else {
      s.ended_ms = entry.at_ms;
    }
    s.seq = entry.seq;
    return;
  }

  std::string id(text_or(entry.body, "alert"));
  auto found = alerts_.find(id);
  bool fired = verb == "fired";
  bool seen = found != alerts_.end() && (fired || entry.seq <= found->second.seq);
  if (!seen && !fired && found == alerts_.end()) return;  // closed long ago and let go
  if (!seen) {
    if (fired) {
      found = alerts_.emplace(id, fired_alert(entry)).first;
      newest_[found->second.fingerprint] = id;
    } else {
      done_.erase({found->second.fired_seq, id});
      apply_entry(found->second, entry);
    }
    const Alert& a = found->second;
    if (a.closed() && !a.active) done_.insert({a.fired_seq, id});
  }
  count(entry, verb, found->second);
  if (!seen) forget_oldest();
}

void Alerts::count(const Entry& entry, std::string_view verb, const Alert& alert) {
  RuleRecord& r = rules_[alert.rule];
  if (r.seq > entry.seq) return;  // r.seq is one past the last entry counted
  r.seq = entry.seq + 1;
  if (verb == "fired") ++r.fired;
  if (verb == "promoted") ++r.promoted;
  if (verb == "merged") ++r.merged;
  if (verb == "dismissed") ++r.dismissed[std::string(text_or(entry.body, "disposition"))];
  if (verb == "fired" || verb == "refired") {
    if (auto s = silences_.find(text_or(entry.body, "silence")); s != silences_.end()) {
      ++s->second.hits;
    }
  }
}

void Alerts::forget_oldest() {
  while (done_.size() > limits_.closed_max) {
    auto oldest = done_.begin();
    auto found = alerts_.find(oldest->second);
    auto named = newest_.find(found->second.fingerprint);
    if (named != newest_.end() && named->second == found->first) newest_.erase(named);
    alerts_.erase(found);
    done_.erase(oldest);
  }
}

// ---- snapshots
// -----------------------------------------------------------------------------------

std::optional<std::string> Alerts::save_slice(std::size_t i) const {
  if (i > kSlices) return std::nullopt;
  json::object out;
  if (i < kSlices) {
    json::array list;
    for (const auto& [id, alert] : alerts_) {
      if (slice_of(id) == i) list.push_back(alert.to_json());
    }
    out["alerts"] = std::move(list);
  } else {
    json::array silences, rules;
    for (const auto& [id, s] : silences_) silences.push_back(s.to_json());
    for (const auto& [rule, record] : rules_) rules.push_back(record_to_json(rule, record));
    out["silences"] = std::move(silences);
    out["rules"] = std::move(rules);
  }
  return json::serialize(out);
}

void Alerts::load_slice(std::string_view bytes) {
  json::value v = json::parse(bytes);
  const json::object& o = v.as_object();
  if (const json::value* list = o.if_contains("alerts")) {
    for (const json::value& item : list->as_array()) {
      Alert a = Alert::from_json(item.as_object());
      auto newest = newest_.find(a.fingerprint);
      if (newest == newest_.end() || newest->second < a.id) newest_[a.fingerprint] = a.id;
      if (a.closed() && !a.active) done_.insert({a.fired_seq, a.id});
      std::string id = a.id;
      alerts_.insert_or_assign(std::move(id), std::move(a));
    }
  }
  if (const json::value* list = o.if_contains("silences")) {
    for (const json::value& item : list->as_array()) {
      Silence s = Silence::from_json(item.as_object());
      std::string id = s.id;
      silences_.insert_or_assign(std::move(id), std::move(s));
    }
  }
  if (const json::value* list = o.if_contains("rules")) {
    for (const json::value& item : list->as_array()) {
      rules_.insert_or_assign(std::string(text_or(item.as_object(), "rule")),
                              record_from_json(item.as_object()));
    }
  }
}

// ---- reading
// -------------------------------------------------------------------------------------

const Alert* Alerts::find(std::string_view id) const {
  auto found = alerts_.find(id);
  return found == alerts_.end() ? nullptr : &found->second;
}

const Alert* Alerts::by_fingerprint(std::string_view fingerprint) const {
  auto found = newest_.find(fingerprint);
  return found == newest_.end() ? nullptr : find(found->second);
}

void Alerts::each(const std::function<void(const Alert&)>& f) const {
  for (const auto& [id, alert] : alerts_) f(alert);
}

const Silence* Alerts::find_silence(std::string_view id) const {
  auto found = silences_.find(id);
  return found == silences_.end() ? nullptr : &found->second;
}

std::vector<Silence> Alerts::silences(std::int64_t now_ms) const {
  std::vector<Silence> out;
  for (const auto& [id, s] : silences_) {
    if (s.ended_ms == 0 && now_ms < s.expires_ms) out.push_back(s);
  }
  return out;
}

std::vector<std::string> Alerts::outlived(std::int64_t now_ms) const {
  std::vector<std::string> out;
  for (const auto& [id, alert] : alerts_) {
    if (!alert.active || alert.closed() || alert.silence.empty()) continue;
    if (!covering(alert, now_ms)) out.push_back(id);
  }
  return out;
}

const Silence* Alerts::covering(const Alert& alert, std::int64_t now_ms) const {
  for (const auto& [id, s] : silences_) {
    if (s.covers(alert, now_ms)) return &s;
  }
  return nullptr;
}

const std::map<std::string, RuleRecord>& Alerts::rules() const { return rules_; }
std::size_t Alerts::in_memory() const { return alerts_.size(); }

}  // namespace cw::watch
