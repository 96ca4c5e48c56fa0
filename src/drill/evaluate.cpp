// A drill evaluated: what was observed, what was concluded, what is to be corrected.
#include <algorithm>

#include "base/text.h"
#include "drill/drill.h"

namespace cw {
namespace {

constexpr std::size_t kWordsMax = 2'000;  // characters
constexpr std::size_t kObservationsMax = 200;
constexpr std::string_view kRatings[] = {"good", "adequate", "poor"};
constexpr std::string_view kGrades[] = {"excellent", "good", "pass", "fail"};

Status words_ok(std::string_view text) {
  if (is_utf8(text) && !trim(text).empty() && code_points(text) <= kWordsMax) return done();
  return invalid("drill.text", "/text",
                 {"请填写内容，最多 2,000 字", "Write something, at most 2,000 characters"});
}

Problem archived() {
  return problem(Refusal::conflict, "drill.archived",
                 {"演练已有结论并归档，不能再补充；本次没有写入任何内容",
                  "The drill is concluded and archived; nothing was written"});
}

bool about_ok(const Drill& d, const DrillScenario* s, std::string_view about) {
  if (about.empty()) return true;
  for (std::size_t n = 1; n <= d.injected; ++n)
    if (about == "inject:" + std::to_string(n)) return true;
  return s && std::any_of(s->expected.begin(), s->expected.end(),
                          [&](const DrillAct& act) { return about == act.state + "." + act.name; });
}

// A corrective action that is still to be opened.
struct Lacking {
  std::string line, command;
  Text title, measure;
};

void missed_lines(const Drill& d, std::vector<Lacking>& out) {
  for (std::size_t i = 0; i < d.score.lines.size(); ++i) {
    const DrillLine& line = d.score.lines[i];
    // A task may be missed by its own limit and as an expected act: it is corrected once.
    const bool known =
        std::ranges::any_of(out, [&](const Lacking& l) { return l.line == line.id; });
    if (line.met || known) continue;
    const Text what = line.title.zh.empty() ? Text{line.id, line.id} : line.title;
    const std::string minutes = std::to_string(line.limit_ms / 60'000);
    out.push_back({line.id,
                   std::to_string(i),
                   {"演练超时：" + what.zh, "Late in a drill: " + what.en},
                   {"时限 " + minutes + " 分钟未达到；查明原因并改进",
                    "The limit of " + minutes + " min was missed; find out why and improve"}});
  }
}

// Their texts stay under the drill's key: an action names the observation and does not repeat it.
void poor_observations(const Drill& d, const DrillScenario* s, std::vector<Lacking>& out) {
  for (std::size_t i = 0; i < d.observations.size(); ++i) {
    if (d.observations[i].rating != "poor") continue;
    const Text what = about_title(s, d.observations[i].about);
    const std::string n = std::to_string(i + 1), line = "observation:" + n;
    out.push_back({line,
                   line,
                   {"演练评估为差：" + what.zh, "Poor in a drill: " + what.en},
                   {"见演练记录第 " + n + " 条观察；查明原因并改进",
                    "See observation " + n + " of the drill; find out why and improve"}});
  }
}

std::vector<Lacking> lacking(const Drill& d, const DrillScenario* s, const Text& plan) {
  std::vector<Lacking> out;
  missed_lines(d, out);
  if (d.conclusion) poor_observations(d, s, out);
  if (d.conclusion && d.conclusion->revise)
    out.push_back({"revise",
                   "revise",
                   {"修订预案：" + plan.zh, "Revise the plan: " + plan.en},
                   {"演练结论要求修订预案；修订、审核、批准后启用",
                    "The drill's conclusion asks for it: revise, review, approve"}});
  std::erase_if(out, [&](const Lacking& l) { return d.findings.contains(l.line); });
  return out;
}

}  // namespace

bool Drill::evaluates(std::string_view person) const {
  return person == director ||
         std::find(evaluators.begin(), evaluators.end(), person) != evaluators.end();
}

Text about_title(const DrillScenario* scenario, std::string_view about) {
  if (about.empty()) return {"整个演练", "The whole drill"};
  if (about.starts_with("inject:")) {
    const std::string n(about.substr(7));
    return {"情况注入 " + n, "Inject " + n};
  }
  if (scenario)
    for (const DrillAct& act : scenario->expected)
      if (about == act.state + "." + act.name) return act.title;
  return {std::string(about), std::string(about)};
}

Result<Decide> Drills::observe(ObserveDrill r) {
  if (std::find(std::begin(kRatings), std::end(kRatings), r.rating) == std::end(kRatings))
    return invalid("drill.rating", "/rating",
                   {"评价应为 good、adequate 或 poor", "Rate it good, adequate or poor"});
  if (Status s = words_ok(r.text); !s) return std::move(s).problem();
  const SealedContent text = p_.sealed.seal(r.id, r.text);
  const std::string id = r.id;
  return on(id, {DrillPhase::running, DrillPhase::ended},
            [this, r = std::move(r), text](Draft& draft, const Drill& d) -> Status {
              if (!d.evaluates(r.actor))
                return problem(Refusal::forbidden, "drill.evaluates",
                               {"只有评估人和组织人可以记录观察",
                                "Only an evaluator or the director observes"});
              if (d.conclusion) return archived();
              if (d.observations.size() >= kObservationsMax)
                return problem(Refusal::conflict, "drill.observations",
                               {"一次演练最多 200 条观察", "A drill has at most 200 observations"});
              if (!about_ok(d, folder_.find(d.scenario).get(), r.about))
                return invalid("drill.about", "/about",
                               {"应为期望动作、已告知的情况，或留空表示整个演练",
                                "Name an expected act or an inject that was told, or leave it "
                                "empty for the whole drill"});
              draft.row(text.write, text.bytes);
              Entry e = entry_of(r.actor, "drill.observed", d.id);
              e.basis = r.actor == d.director ? "director" : "evaluator";
              e.content = text.commitment;
              e.body["about"] = r.about;
              e.body["rating"] = r.rating;
              draft.append(std::move(e));
              return done();
            });
}

Result<Decide> Drills::conclude(ConcludeDrill r) {
  if (std::find(std::begin(kGrades), std::end(kGrades), r.grade) == std::end(kGrades))
    return invalid(
        "drill.grade", "/grade",
        {"等次应为 excellent、good、pass 或 fail", "Grade it excellent, good, pass or fail"});
  if (Status s = words_ok(r.text); !s) return std::move(s).problem();
  const SealedContent text = p_.sealed.seal(r.id, r.text);
  const std::string id = r.id;
  return on(id, {DrillPhase::ended},
            [r = std::move(r), text](Draft& draft, const Drill& d) -> Status {
              if (r.actor != d.director)
                return problem(Refusal::forbidden, "drill.concludes",
                               {"只有组织人可以下结论", "Only the director concludes"});
              if (d.conclusion) return archived();
              draft.row(text.write, text.bytes);
              Entry e = entry_of(r.actor, "drill.concluded", d.id);
              e.basis = "director";
              e.content = text.commitment;
              e.body["grade"] = r.grade;
              e.body["revise"] = r.revise;
              draft.append(std::move(e));
              return done();
            });
}

// One live corrective action for each that has none yet. The command's id makes each happen once,
// whatever fails in between.
Status Drills::open_findings(Journal& journal, const std::string& actor, const std::string& id) {
  std::optional<Drill> drill = journal.read([&] {
    const Drill* d = find(id);
    return d ? std::optional(*d) : std::nullopt;
  });
  if (!drill) return unknown();
  const std::shared_ptr<const DrillScenario> s = folder_.find(drill->scenario);
  Text plan_title{drill->scenario, drill->scenario};
  if (auto plan = s ? engine_->library().remembered(s->plan) : nullptr) {
    entitle(drill->score, *plan);
    plan_title = plan->title;
  }
  const std::string filed = actor == "clock" ? drill->director : actor;
  for (const Lacking& l : lacking(*drill, s.get(), plan_title)) {
    Result<Decide> start =
        engine_->start({.procedure = "corrective-action",
                        .org = drill->org,
                        .actor = filed,
                        .form = {{"title", l.title.zh + " / " + l.title.en},
                                 {"measure", l.measure.zh + " / " + l.measure.en},
                                 {"owner", drill->director},
                                 {"priority", "medium"}},
                        .origin = id});
    if (!start) return std::move(start).problem();
    auto answer = journal.run({.id = "finding:" + id + ":" + l.command},
                              [&](Draft& draft) -> Result<json::object> {
                                Result<json::object> begun = (*start)(draft);
                                if (!begun) return begun;
                                Entry e = entry_of(filed, "drill.finding", id);
                                e.body["line"] = l.line;
                                e.body["case"] = (*begun)["case"];
                                draft.append(std::move(e));
                                return begun;
                              });
    if (!answer) return std::move(answer).problem();
  }
  return done();
}

}  // namespace cw
