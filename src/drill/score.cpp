// Limits against what happened.
#include <algorithm>
#include <set>

#include "drill/scenario.h"

namespace cw {
namespace {

struct Deed {
  std::string state, name;
  std::int64_t at_ms = 0;
};

// What people did, in which state, and which limits fired at 100 % or later.
struct Happened {
  std::vector<Deed> deeds;
  std::set<std::string> missed;  // clock, "state.task"
};

void take_fired(const Entry& e, const std::string& state, Happened& out) {
  const json::value* fired = e.body.if_contains("fired");
  if (!fired || !fired->is_array()) return;
  for (const json::value& f : fired->get_array()) {
    const json::object& o = f.as_object();
    if (const json::value* task = o.if_contains("task"))
      out.missed.insert(state + "." + std::string(task->as_string()));
    else if (int_or(o, "percent") >= 100)
      out.missed.insert(std::string(text_or(o, "clock")));
  }
}

Happened happened(const std::vector<Entry>& entries) {
  Happened out;
  std::string state;
  for (const Entry& e : entries) {
    take_fired(e, state, out);
    // Asking for a second person is the deed; the approval is somebody else's.
    if (e.kind == "case.act" || e.kind == "case.task" || e.kind == "case.ask")
      out.deeds.push_back({state, e.name, e.at_ms});
    if (e.kind == "case.start") state = e.name;
    if (const json::value* to = e.body.if_contains("to")) state = std::string(to->as_string());
  }
  return out;
}

// Limits of the plan that were measured in one record; `waits`: also clocks marked `wait`.
std::vector<DrillLine> limits_of(const Definition& plan, const CaseView& v,
                                 const std::set<std::string>& missed, std::int64_t ended_ms,
                                 bool waits) {
  std::vector<DrillLine> out;
  for (const ClockView& k : v.clocks) {
    const int index = plan.clock(k.id);
    if (index < 0 || plan.clocks[index].expires || (plan.clocks[index].wait && !waits)) continue;
    const bool late = k.missed || missed.contains(k.id) ||
                      (k.phase == ClockPhase::counting && k.due_ms != 0 && k.due_ms <= ended_ms);
    const bool stopped = k.phase == ClockPhase::stopped && k.stopped_ms <= ended_ms;
    if (!late && !stopped) continue;  // lifted, or not due by the end
    out.push_back({.kind = DrillLine::Kind::clock,
                   .id = k.id,
                   .title = k.title,
                   .limit_ms = k.budget_ms,
                   .took_ms = stopped ? k.used_ms : -1,
                   .met = !late});
  }
  for (const TaskView& t : v.tasks) {
    const int index = plan.task(plan.state(t.state), t.id);
    if (index < 0 || plan.tasks[index].limit.none() || t.due_ms == 0) continue;
    const std::string id = t.state + "." + t.id;
    const bool done = t.phase == TaskPhase::done;
    const bool late = t.late || missed.contains(id) ||
                      (!done && t.phase != TaskPhase::withdrawn && t.due_ms <= ended_ms);
    if (!late && !done) continue;
    out.push_back({.kind = DrillLine::Kind::task,
                   .id = id,
                   .title = t.title,
                   .limit_ms = t.due_ms - t.opened_ms,
                   .took_ms = done ? t.done_ms - t.opened_ms : -1,
                   .met = !late});
  }
  return out;
}

}  // namespace

int DrillScore::expected() const {
  const auto acts = std::count_if(lines.begin(), lines.end(), [](const DrillLine& l) {
    return l.kind == DrillLine::Kind::act;
  });
  return unjudged + static_cast<int>(acts);
}

DrillScore score(const DrillScenario& scenario, const Definition& plan, const CaseView& view,
                 const std::vector<Entry>& entries, const DrillEnd& end) {
  const Happened seen = happened(entries);
  DrillScore out;
  out.lines = limits_of(plan, view, seen.missed, end.ended_ms, false);
  for (const DrillAct& act : scenario.expected) {
    const auto after = static_cast<std::size_t>(act.after);
    const std::int64_t from = end.began_ms + (after == 0 ? 0 : scenario.injects[after - 1].at_ms);
    DrillLine line{.kind = DrillLine::Kind::act,
                   .id = act.state + "." + act.name,
                   .title = act.title,
                   .limit_ms = act.within_ms};
    if (act.after > 0) line.id += "#" + std::to_string(act.after);
    for (const Deed& d : seen.deeds)
      if (line.took_ms < 0 && d.state == act.state && d.name == act.name && d.at_ms >= from)
        line.took_ms = d.at_ms - from;
    const bool over = after <= end.injected && (end.closed || from + act.within_ms <= end.ended_ms);
    if (line.took_ms < 0 && !over) {
      ++out.unjudged;
      continue;
    }
    line.met = line.took_ms >= 0 && line.took_ms <= act.within_ms;
    out.lines.push_back(std::move(line));
  }
  const auto met =
      std::count_if(out.lines.begin(), out.lines.end(), [](const DrillLine& l) { return l.met; });
  if (!out.lines.empty() && (out.unjudged == 0 || out.unjudged < out.expected()))
    out.percent = static_cast<int>(met * 100 / static_cast<std::ptrdiff_t>(out.lines.size()));
  return out;
}

std::vector<RealLine> real_lines(const Definition& plan, const std::vector<CaseView>& incidents) {
  std::map<std::string, std::pair<RealLine, std::vector<std::int64_t>>> all;
  for (const CaseView& v : incidents)
    for (const DrillLine& line : limits_of(plan, v, {}, INT64_MAX, false)) {
      auto& [real, times] = all[line.id];
      real.id = line.id;
      real.of += 1;
      real.met += line.met ? 1 : 0;
      if (line.took_ms >= 0) times.push_back(line.took_ms);
    }
  std::vector<RealLine> out;
  for (auto& [id, entry] : all) {
    auto& [real, times] = entry;
    std::sort(times.begin(), times.end());
    if (!times.empty()) real.median_ms = times[(times.size() - 1) / 2];
    out.push_back(std::move(real));
  }
  return out;
}

namespace {
constexpr const char* kLineKinds[] = {"clock", "task", "act"};
}  // namespace

json::object score_json(const DrillScore& s) {
  json::object out{{"unjudged", s.unjudged}};
  if (s.percent) out["percent"] = *s.percent;
  json::array& lines = out["lines"].emplace_array();
  for (const DrillLine& l : s.lines)
    lines.push_back(json::object{{"kind", kLineKinds[static_cast<int>(l.kind)]},
                                 {"id", l.id},
                                 {"limit_ms", l.limit_ms},
                                 {"took_ms", l.took_ms},
                                 {"met", l.met}});
  return out;
}

DrillScore score_of(const json::object& body) {
  DrillScore out;
  out.unjudged = static_cast<int>(int_or(body, "unjudged"));
  const json::value* percent = body.if_contains("percent");
  if (percent && percent->is_int64()) out.percent = static_cast<int>(percent->get_int64());
  for (const json::value& v : body.at("lines").as_array()) {
    const json::object& o = v.as_object();
    const std::string_view kind = text_or(o, "kind");
    out.lines.push_back({.kind = kind == "clock"  ? DrillLine::Kind::clock
                                 : kind == "task" ? DrillLine::Kind::task
                                                  : DrillLine::Kind::act,
                         .id = std::string(text_or(o, "id")),
                         .title = {},
                         .limit_ms = int_or(o, "limit_ms"),
                         .took_ms = int_or(o, "took_ms"),
                         .met = bool_or(o, "met")});
  }
  if (out.lines.empty()) out.percent.reset();  // entries once said 0
  return out;
}

void entitle(DrillScore& score, const Definition& plan) {
  for (DrillLine& line : score.lines) {
    if (line.kind == DrillLine::Kind::clock) {
      if (const int k = plan.clock(line.id); k >= 0) line.title = plan.clocks[k].title;
      continue;
    }
    const std::size_t dot = line.id.find('.'), hash = line.id.find('#');
    const int state = plan.state(line.id.substr(0, dot));
    if (state < 0 || dot == std::string::npos) continue;
    const std::string name =
        line.id.substr(dot + 1, hash == std::string::npos ? hash : hash - dot - 1);
    if (const int t = plan.task(state, name); t >= 0) line.title = plan.tasks[t].title;
    if (const int a = plan.action(state, name); a >= 0) line.title = plan.actions[a].title;
  }
}

}  // namespace cw
