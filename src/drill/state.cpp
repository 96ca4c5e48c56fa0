// Drills as their entries made them, and the same as slices of a snapshot.
#include "drill/drill.h"

namespace cw {

namespace {

void take_names(const json::object& o, const char* key, std::vector<std::string>& out) {
  if (const json::value* names = o.if_contains(key))
    for (const json::value& v : names->as_array()) out.emplace_back(v.as_string());
}

json::object to_json(const DrillObservation& o) {
  return {
      {"by", o.by}, {"at", o.at_ms}, {"about", o.about}, {"rating", o.rating}, {"text", o.text}};
}

DrillObservation observation_of(const json::object& o) {
  return {.by = std::string(text_or(o, "by")),
          .at_ms = int_or(o, "at"),
          .about = std::string(text_or(o, "about")),
          .rating = std::string(text_or(o, "rating")),
          .text = std::string(text_or(o, "text"))};
}

json::object to_json(const DrillConclusion& c) {
  return {
      {"by", c.by}, {"at", c.at_ms}, {"grade", c.grade}, {"revise", c.revise}, {"text", c.text}};
}

DrillConclusion conclusion_of(const json::object& o) {
  return {.by = std::string(text_or(o, "by")),
          .at_ms = int_or(o, "at"),
          .grade = std::string(text_or(o, "grade")),
          .revise = bool_or(o, "revise"),
          .text = std::string(text_or(o, "text"))};
}

}  // namespace

void Drills::apply(const Entry& e) {
  const std::string id(text_or(e.body, "drill"));
  Drill& d = drills_[id];
  if (d.seq != 0 && e.seq <= d.seq) return;  // a loaded slice has it
  d.id = id;
  d.seq = e.seq;
  if (e.kind == "drill.planned") {
    d.org = text_or(e.body, "org");
    d.scenario = text_or(e.body, "scenario");
    d.director = text_or(e.body, "director");
    d.on_ms = d.first_on_ms = int_or(e.body, "on");
    take_names(e.body, "invited", d.invited);
    take_names(e.body, "evaluators", d.evaluators);
  } else if (e.kind == "drill.moved") {
    d.on_ms = int_or(e.body, "on");
    d.reason = e.content;
  } else if (e.kind == "drill.cancelled") {
    d.phase = DrillPhase::cancelled;
    d.reason = e.content;
  } else if (e.kind == "drill.began") {
    d.phase = DrillPhase::running;
    d.began_ms = e.at_ms;
    d.version = static_cast<int>(int_or(e.body, "version"));
    d.case_id = text_or(e.body, "case");
    cases_[d.case_id] = id;
    take_names(e.body, "people", d.people);
  } else if (e.kind == "drill.injected") {
    d.injected = static_cast<std::size_t>(int_or(e.body, "n"));
  } else if (e.kind == "drill.ended") {
    d.phase = DrillPhase::ended;
    d.ended_ms = int_or(e.body, "ended");
    d.why = text_or(e.body, "why");
    d.score = score_of(e.body);
  } else if (e.kind == "drill.observed" || e.kind == "drill.concluded") {
    json::object body = e.body;
    body["by"] = e.actor, body["at"] = e.at_ms, body["text"] = e.content;
    if (e.kind == "drill.observed")
      d.observations.push_back(observation_of(body));
    else
      d.conclusion = conclusion_of(body);
  } else if (e.kind == "drill.finding") {
    d.findings[std::string(text_or(e.body, "line"))] = text_or(e.body, "case");
  }
}

// One drill a slice.
std::optional<std::string> Drills::save_slice(std::size_t i) const {
  if (i >= drills_.size()) return std::nullopt;
  const Drill& d = std::next(drills_.begin(), static_cast<std::ptrdiff_t>(i))->second;
  json::object findings, conclusion;
  json::array observations;
  for (const auto& [line, case_id] : d.findings) findings[line] = case_id;
  for (const DrillObservation& o : d.observations) observations.push_back(to_json(o));
  if (d.conclusion) conclusion = to_json(*d.conclusion);
  return canonical(json::object{{"id", d.id},
                                {"org", d.org},
                                {"scenario", d.scenario},
                                {"director", d.director},
                                {"version", d.version},
                                {"phase", static_cast<std::int64_t>(d.phase)},
                                {"on", d.on_ms},
                                {"first_on", d.first_on_ms},
                                {"reason", d.reason},
                                {"invited", json::value_from(d.invited)},
                                {"evaluators", json::value_from(d.evaluators)},
                                {"began", d.began_ms},
                                {"ended", d.ended_ms},
                                {"case", d.case_id},
                                {"people", json::value_from(d.people)},
                                {"injected", static_cast<std::int64_t>(d.injected)},
                                {"why", d.why},
                                {"score", score_json(d.score)},
                                {"findings", std::move(findings)},
                                {"observations", std::move(observations)},
                                {"conclusion", std::move(conclusion)},
                                {"seq", static_cast<std::int64_t>(d.seq)}});
}

void Drills::load_slice(std::string_view bytes) {
  Result<json::value> parsed = parse_json(bytes);
  CW_CHECK(parsed.ok());
  const json::object& o = parsed->as_object();
  Drill d;
  d.id = text_or(o, "id"), d.org = text_or(o, "org"), d.scenario = text_or(o, "scenario");
  d.director = text_or(o, "director"), d.case_id = text_or(o, "case"), d.why = text_or(o, "why");
  d.version = static_cast<int>(int_or(o, "version"));
  d.phase = static_cast<DrillPhase>(int_or(o, "phase"));
  d.first_on_ms = int_or(o, "first_on"), d.reason = text_or(o, "reason");
  take_names(o, "invited", d.invited);
  take_names(o, "evaluators", d.evaluators);
  take_names(o, "people", d.people);
  d.on_ms = int_or(o, "on"), d.began_ms = int_or(o, "began"), d.ended_ms = int_or(o, "ended");
  d.injected = static_cast<std::size_t>(int_or(o, "injected"));
  d.seq = static_cast<std::uint64_t>(int_or(o, "seq"));
  for (const json::value& v : o.at("observations").as_array())
    d.observations.push_back(observation_of(v.as_object()));
  if (const json::object& c = o.at("conclusion").as_object(); !c.empty())
    d.conclusion = conclusion_of(c);
  for (const auto& [line, v] : o.at("findings").as_object())
    d.findings[std::string(line)] = v.as_string();
  d.score = score_of(o.at("score").as_object());
  if (!d.case_id.empty()) cases_[d.case_id] = d.id;
  drills_[d.id] = std::move(d);
}

}  // namespace cw
