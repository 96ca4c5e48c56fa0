// The report as JSON and as text.
#include "simulate/simulate.h"

namespace cw {
namespace {

json::object text_json(const Text& t) { return {{"zh", t.zh}, {"en", t.en}}; }

json::array texts_json(const std::vector<Text>& texts) {
  json::array out;
  for (const Text& t : texts) out.push_back(text_json(t));
  return out;
}

json::object share_json(const Share& s) {
  return {{"met", s.met},   {"of", s.of},       {"p", s.p()},
          {"low", s.low()}, {"high", s.high()}, {"used", json::value_from(s.used)}};
}

json::object limit_json(const LimitReport& l) {
  json::object groups;
  for (const auto& [value, share] : l.groups) groups[value] = share_json(share);
  json::object out = share_json(l.all);
  out["id"] = l.id;
  out["title"] = text_json(l.title);
  out["task"] = l.task;
  out["limit"] = l.limit;
  out["impossible"] = l.impossible;
  out["used_p50"] = l.used_p50;
  out["used_p95"] = l.used_p95;
  out["by"] = l.by;
  out["groups"] = std::move(groups);
  return out;
}

json::object post_json(const PostReport& p) {
  return {{"post", p.post},
          {"people", p.people},
          {"items", p.items},
          {"waited", p.waited},
          {"wait_mean_ms", p.wait_mean_ms},
          {"wait_p95_ms", p.wait_p95_ms},
          {"late_by_wait", p.late_by_wait},
          {"utilisation", p.utilisation},
          {"overloaded", p.overloaded},
          {"assumed", p.assumed}};
}

std::string span(std::int64_t ms) {
  const std::int64_t minutes = ms / 60'000;
  if (minutes < 120) return std::to_string(minutes) + " min";
  if (minutes < 2'880)
    return std::to_string(minutes / 60) + " h " + std::to_string(minutes % 60) + " min";
  return std::to_string(minutes / 1'440) + " d " + std::to_string(minutes / 60 % 24) + " h";
}

std::string limit_line(const LimitReport& l, std::string_view lang) {
  std::string out = "  " + l.title.in(lang) + " (" + l.id + ", " + l.limit + "): ";
  if (l.all.of == 0) return out + "-\n";
  out += percent_text(l.all.p()) + " [" + percent_text(l.all.low()) + ", " +
         percent_text(l.all.high()) + "] " + std::to_string(l.all.met) + "/" +
         std::to_string(l.all.of);
  std::string groups;
  for (const auto& [value, share] : l.groups)
    if (share.of > 0)
      groups += (groups.empty() ? "" : ", ") + value + " " + percent_text(share.p());
  if (!groups.empty()) out += "  " + l.by + ": " + groups;
  return out + "\n";
}

}  // namespace

json::object to_json(const SimulationReport& r) {
  json::array limits, posts, ends, states;
  for (const LimitReport& l : r.limits) limits.push_back(limit_json(l));
  for (const PostReport& p : r.posts) posts.push_back(post_json(p));
  for (const DeadEnd& e : r.dead_ends)
    ends.push_back(json::object{{"procedure", e.procedure},
                                {"state", e.state},
                                {"title", text_json(e.state_title)},
                                {"why", text_json(e.why)},
                                {"runs", e.runs}});
  for (const StateReport& s : r.states)
    states.push_back(json::object{
        {"id", s.id}, {"title", text_json(s.title)}, {"final", s.final}, {"runs", s.runs}});
  json::object durations{{"p5_ms", r.p5_ms},
                         {"p50_ms", r.p50_ms},
                         {"p80_ms", r.p80_ms},
                         {"p95_ms", r.p95_ms},
                         {"edges_ms", json::value_from(r.edges_ms)},
                         {"counts", json::value_from(r.counts)}};
  return {{"procedure", r.procedure},
          {"version", r.version},
          {"title", text_json(r.title)},
          {"pass", r.pass},
          {"runs", r.runs},
          {"best_runs", r.best_runs},
          {"exploring_runs", r.exploring_runs},
          {"seed", r.seed},
          {"threshold", r.threshold},
          {"reasons", texts_json(r.reasons)},
          {"warnings", texts_json(r.warnings)},
          {"limits", std::move(limits)},
          {"posts", std::move(posts)},
          {"dead_ends", std::move(ends)},
          {"states", std::move(states)},
          {"closed", r.closed},
          {"unfinished", r.unfinished},
          {"durations", std::move(durations)}};
}

std::string percent_text(int thousandths) {
  return std::to_string(thousandths / 10) + "." + std::to_string(thousandths % 10) + " %";
}

std::string to_text(const SimulationReport& r, std::string_view lang) {
  const bool zh = lang != "en";
  std::string out = r.title.in(lang) + " " + r.procedure + "@" + std::to_string(r.version) + ": ";
  out += zh ? (r.pass ? "通过" : "不通过") : (r.pass ? "pass" : "fail");
  out += zh ? "（" + std::to_string(r.runs) + " 次推演，种子 " + std::to_string(r.seed) +
                  "，门槛 " + std::to_string(r.threshold) + " %）\n"
            : " (" + std::to_string(r.runs) + " runs, seed " + std::to_string(r.seed) +
                  ", threshold " + std::to_string(r.threshold) + " %)\n";
  for (const Text& t : r.reasons) out += "  ✗ " + t.in(lang) + "\n";
  for (const Text& t : r.warnings) out += "  ! " + t.in(lang) + "\n";
  out += zh ? "时限达标率（95 % 区间）\n" : "Limits met (95 % interval)\n";
  for (const LimitReport& l : r.limits) out += limit_line(l, lang);
  out += zh ? "岗位\n" : "Posts\n";
  for (const PostReport& p : r.posts)
    out += "  " + p.post + " ×" + std::to_string(p.people) + (zh ? "：" : ": ") +
           std::to_string(p.items) + (zh ? " 件，等人 " : " items, waited ") +
           std::to_string(p.waited) + (zh ? "，平均等 " : ", mean wait ") + span(p.wait_mean_ms) +
           (zh ? "，占用 " : ", busy ") + percent_text(p.utilisation) + "\n";
  out += zh ? "办结时长" : "Duration";
  out += " P5 " + span(r.p5_ms) + ", P50 " + span(r.p50_ms) + ", P80 " + span(r.p80_ms) + ", P95 " +
         span(r.p95_ms) + "\n";
  out += zh ? "终态" : "Ends";
  for (const StateReport& s : r.states)
    if (s.final) out += " " + s.title.in(lang) + " " + std::to_string(s.runs);
  return out + "\n";
}

}  // namespace cw
