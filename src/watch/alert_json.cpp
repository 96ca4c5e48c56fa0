// The words and the JSON of alerts.
#include <algorithm>
#include <array>

#include "alerts.h"
#include "base/text.h"

namespace cw::watch {
namespace {

constexpr std::array<std::string_view, 5> kTriage{"open", "taken", "promoted", "merged",
                                                  "dismissed"};
constexpr std::array<std::string_view, 5> kDisposition{"", "false-positive", "expected",
                                                       "duplicate", "harmless"};

template <typename E, std::size_t N>
std::optional<E> word_to(const std::array<std::string_view, N>& words, std::string_view text) {
  for (std::size_t i = 0; i < N; ++i) {
    if (words[i] == text) return static_cast<E>(i);
  }
  return std::nullopt;
}

json::array pairs_to_json(const Entities& pairs, std::string_view first, std::string_view second) {
  json::array out;
  for (const auto& [a, b] : pairs) out.push_back(json::object{{first, a}, {second, b}});
  return out;
}

Entities pairs_from_json(const json::object& o, std::string_view member, std::string_view first,
                         std::string_view second) {
  Entities out;
  if (const json::value* list = o.if_contains(member); list && list->is_array()) {
    for (const json::value& v : list->get_array()) {
      if (!v.is_object()) continue;
      out.emplace_back(text_or(v.get_object(), first), text_or(v.get_object(), second));
    }
  }
  return out;
}

json::object sample_to_json(const Sample& s) {
  json::array matched;
  for (const std::string& m : s.matched) matched.emplace_back(m);
  return {{"at", s.at_ms},
          {"source", s.source},
          {"line", s.line},
          {"fields", pairs_to_json(s.fields, "name", "value")},
          {"matched", std::move(matched)}};
}

Sample sample_from_json(const json::object& o) {
  Sample s{int_or(o, "at"),
           std::string(text_or(o, "source")),
           std::string(text_or(o, "line")),
           pairs_from_json(o, "fields", "name", "value"),
           {}};
  if (const json::value* m = o.if_contains("matched"); m && m->is_array()) {
    for (const json::value& v : m->get_array()) {
      if (v.is_string()) s.matched.emplace_back(v.get_string());
    }
  }
  return s;
}

}  // namespace

std::string_view to_string(Triage triage) { return kTriage[static_cast<std::size_t>(triage)]; }
std::string_view to_string(Disposition d) { return kDisposition[static_cast<std::size_t>(d)]; }
std::optional<Triage> triage_from(std::string_view t) { return word_to<Triage>(kTriage, t); }

std::optional<Disposition> disposition_from(std::string_view t) {
  if (t.empty()) return std::nullopt;
  return word_to<Disposition>(kDisposition, t);
}

std::optional<Level> level_from(std::string_view t) {
  for (int i = 0; i <= static_cast<int>(Level::critical); ++i) {
    if (detect::to_string(static_cast<Level>(i)) == t) return static_cast<Level>(i);
  }
  return std::nullopt;
}

std::optional<Warning> warning_from(std::string_view t) {
  for (int i = 0; i <= static_cast<int>(Warning::red); ++i) {
    if (detect::to_string(static_cast<Warning>(i)) == t) return static_cast<Warning>(i);
  }
  return std::nullopt;
}

json::object Alert::to_json() const {
  return {{"id", id},
          {"rule", rule},
          {"fingerprint", fingerprint},
          {"source", source},
          {"org", org},
          {"level", detect::to_string(level)},
          {"warning", detect::to_string(warning)},
          {"triage", to_string(triage)},
          {"active", active},
          {"overflow", overflow},
          {"owner", owner},
          {"case", case_id},
          {"disposition", to_string(disposition)},
          {"silence", silence},
          {"first", first_ms},
          {"fired", fired_ms},
          {"changed", changed_ms},
          {"events", events},
          {"fired_seq", fired_seq},
          {"seq", seq},
          {"entities", pairs_to_json(entities, "field", "hash")},
          {"content", content},
          {"closing", closing}};
}

Alert Alert::from_json(const json::object& o) {
  auto text = [&](std::string_view k) { return std::string(text_or(o, k)); };
  Alert a;
  a.id = text("id");
  a.rule = text("rule");
  a.fingerprint = text("fingerprint");
  a.source = text("source");
  a.org = text("org");
  a.level = level_from(text("level")).value_or(Level::medium);
  a.warning = warning_from(text("warning")).value_or(Warning::none);
  a.triage = triage_from(text("triage")).value_or(Triage::open);
  a.active = bool_or(o, "active");
  a.overflow = bool_or(o, "overflow");
  a.owner = text("owner");
  a.case_id = text("case");
  a.disposition = disposition_from(text("disposition")).value_or(Disposition::none);
  a.silence = text("silence");
  a.first_ms = int_or(o, "first");
  a.fired_ms = int_or(o, "fired");
  a.changed_ms = int_or(o, "changed");
  a.events = int_or(o, "events");
  a.fired_seq = static_cast<std::uint64_t>(int_or(o, "fired_seq"));
  a.seq = static_cast<std::uint64_t>(int_or(o, "seq"));
  a.entities = pairs_from_json(o, "entities", "field", "hash");
  a.content = text("content");
  a.closing = text("closing");
  return a;
}

std::string AlertContent::to_json() const {
  json::array list;
  for (const Sample& s : samples) list.push_back(sample_to_json(s));
  return json::serialize(json::object{{"title", {{"zh", title.zh}, {"en", title.en}}},
                                      {"summary", summary},
                                      {"reason", reason},
                                      {"entities", pairs_to_json(entities, "field", "value")},
                                      {"samples", std::move(list)}});
}

Result<AlertContent> AlertContent::parse(std::string_view text) {
  Result<json::value> v = parse_json(text, {.size_max = 8 << 20});
  if (!v) return v.problem();
  if (!v->is_object()) {
    return problem(Refusal::malformed, "alert.content",
                   {"告警内容不是一个 JSON 对象。", "The alert's content is not a JSON object."});
  }
  const json::object& o = v->get_object();
  AlertContent c;
  if (const json::value* t = o.if_contains("title"); t && t->is_object()) {
    c.title = {std::string(text_or(t->get_object(), "zh")),
               std::string(text_or(t->get_object(), "en"))};
  }
  c.summary = text_or(o, "summary");
  c.reason = text_or(o, "reason");
  c.entities = pairs_from_json(o, "entities", "field", "value");
  if (const json::value* list = o.if_contains("samples"); list && list->is_array()) {
    for (const json::value& s : list->get_array()) {
      if (s.is_object()) c.samples.push_back(sample_from_json(s.get_object()));
    }
  }
  return c;
}

bool Silence::covers(const Alert& alert, std::int64_t now_ms) const {
  if (org != alert.org || now_ms >= expires_ms || ended_ms != 0) return false;
  if (!rule.empty() && rule != alert.rule) return false;
  if (!source.empty() && source != alert.source) return false;
  return std::all_of(entities.begin(), entities.end(), [&](const auto& wanted) {
    return std::find(alert.entities.begin(), alert.entities.end(), wanted) != alert.entities.end();
  });
}

json::object Silence::to_json() const {
  return {{"id", id},
          {"org", org},
          {"owner", owner},
          {"rule", rule},
          {"source", source},
          {"entities", pairs_to_json(entities, "field", "hash")},
          {"starts", starts_ms},
          {"expires", expires_ms},
          {"ended", ended_ms},
          {"content", content},
          {"hits", hits},
          {"seq", seq}};
}

Silence Silence::from_json(const json::object& o) {
  auto text = [&](std::string_view k) { return std::string(text_or(o, k)); };
  Silence s;
  s.id = text("id");
  s.org = text("org");
  s.owner = text("owner");
  s.rule = text("rule");
  s.source = text("source");
  s.entities = pairs_from_json(o, "entities", "field", "hash");
  s.starts_ms = int_or(o, "starts");
  s.expires_ms = int_or(o, "expires");
  s.ended_ms = int_or(o, "ended");
  s.content = text("content");
  s.hits = static_cast<std::uint64_t>(int_or(o, "hits"));
  s.seq = static_cast<std::uint64_t>(int_or(o, "seq"));
  return s;
}

std::optional<int> RuleRecord::precision_permille() const {
  std::uint64_t good = promoted + merged;
  std::uint64_t bad = 0;
  for (const auto& [word, count] : dismissed) {
    if (word == "false-positive" || word == "harmless") bad += count;
  }
  if (good + bad == 0) return std::nullopt;
  return static_cast<int>(good * 1000 / (good + bad));
}

}  // namespace cw::watch
