#include <algorithm>
#include <set>

#include "base/content.h"
#include "drill/scenario.h"

namespace cw {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kInjectsMax = 100, kActsMax = 100, kToMax = 20;

std::int64_t natural_ms(YamlReader& reader, const YamlNode& node) {
  const auto span = parse_span(reader.string(node));
  if (!span || span->unit == Unit::workday || span->unit == Unit::close) {
    reader.mistake(node, "drill.span",
                   {"应为时长，例如 10m、2h", "write a span such as 10m or 2h"});
    return 60'000;
  }
  const std::int64_t unit = span->unit == Unit::minute ? 60'000
                            : span->unit == Unit::hour ? 3'600'000
                                                       : 86'400'000;
  return span->amount * unit;
}

bool is_holding(std::string_view text) {
  for (std::string_view kind : {"post:", "team:", "queue:"})
    if (text.starts_with(kind) && text.size() > kind.size()) return true;
  return false;
}

std::vector<std::string> holdings(YamlReader& reader, const YamlNode& node) {
  std::vector<std::string> out;
  if (!reader.list(node)) return out;
  for (const YamlNode& item : node.items) {
    out.push_back(reader.string(item));
    if (!is_holding(out.back()))
      reader.mistake(item, "drill.holding",
                     {"应为 post:…、team:… 或 queue:…", "write post:…, team:… or queue:…"});
  }
  if (out.empty() || out.size() > kToMax)
    reader.mistake(node, "drill.count", {"应有 1 到 20 项", "1 to 20 of them"});
  return out;
}

json::value value_in(const YamlNode& node) {
  if (node.is_list()) {
    json::array out;
    for (const YamlNode& item : node.items) out.push_back(value_in(item));
    return out;
  }
  if (node.is_map()) {
    json::object out;
    for (const auto& [key, value] : node.entries) out[key.text] = value_in(value);
    return out;
  }
  if (node.kind == YamlNode::Kind::null) return nullptr;
  if (node.quoted) return json::value(node.text);
  if (node.text == "true" || node.text == "false") return node.text == "true";
  const bool number = !node.text.empty() && node.text.size() < 16 &&
                      node.text.find_first_not_of("0123456789") == std::string::npos;
  if (number) return static_cast<std::int64_t>(std::stoll(node.text));
  return json::value(node.text);
}

class DrillReader {
 public:
  DrillReader(const YamlNode& root, const std::string& file, const Library& library,
              std::vector<Mistake>& mistakes)
      : root_(root), reader_(file, mistakes), library_(library) {}

  bool read(DrillScenario& out) {
    if (!reader_.map(root_)) return false;
    reader_.keys(root_, {"drill", "version", "title", "goal", "plan", "participants", "compress",
                         "ends", "form", "injects", "expect"});
    if (const YamlNode* n = reader_.need(root_, "drill")) out.id = reader_.name(*n);
    if (const YamlNode* n = reader_.need(root_, "version"))
      out.version = static_cast<int>(reader_.integer(*n, 1, 1'000'000));
    if (const YamlNode* n = reader_.need(root_, "title")) out.title = reader_.text(*n);
    if (const YamlNode* n = reader_.need(root_, "goal")) out.goal = reader_.text(*n);
    if (const YamlNode* n = reader_.need(root_, "participants"))
      out.participants = holdings(reader_, *n);
    if (const YamlNode* n = root_.find("compress"))
      out.compress = static_cast<int>(reader_.integer(*n, 1, 10'000));
    if (const YamlNode* n = reader_.need(root_, "ends")) out.ends_ms = natural_ms(reader_, *n);
    plan(out);
    if (const YamlNode* n = root_.find("injects"); n && reader_.list(*n)) injects(*n, out);
    if (const YamlNode* n = reader_.need(root_, "expect"); n && reader_.list(*n)) expect(*n, out);
    return reader_.clean();
  }

 private:
  void plan(DrillScenario& out) {
    const YamlNode* name = reader_.need(root_, "plan");
    if (!name) return;
    out.plan = reader_.name(*name);
    plan_ = library_.procedure(out.plan);
    if (!plan_) {
      reader_.mistake(*name, "drill.plan", {"没有这个预案", "there is no such plan"});
      return;
    }
    const YamlNode* form = root_.find("form");
    if (form && reader_.map(*form)) out.form = value_in(*form).as_object();
    if (plan_->start_form < 0) return;
    const Form& start = *plan_->forms[plan_->start_form].form;
    Result<json::object> filled = fill(start, form_at(out, start, 1'700'000'000'000));
    if (filled) return;
    for (const FieldProblem& p : filled.problem().fields)
      reader_.mistake(form ? *form : *name, "drill.form",
                      {p.pointer + "：" + p.text.zh, p.pointer + ": " + p.text.en});
  }

  void injects(const YamlNode& list, DrillScenario& out) {
    if (list.items.size() > kInjectsMax)
      reader_.mistake(list, "drill.count", {"最多 100 项", "at most 100"});
    for (const YamlNode& node : list.items) {
      if (!reader_.map(node)) continue;
      reader_.keys(node, {"at", "to", "text", "facts", "signal"});
      DrillInject inject;
      if (const YamlNode* n = reader_.need(node, "at")) inject.at_ms = natural_ms(reader_, *n);
      if (const YamlNode* n = reader_.need(node, "to")) inject.to = holdings(reader_, *n);
      if (const YamlNode* n = reader_.need(node, "text")) inject.text = reader_.text(*n);
      if (const YamlNode* n = node.find("signal")) inject.signal = reader_.string(*n);
      if (const YamlNode* n = node.find("facts"); n && reader_.map(*n)) facts(*n, inject);
      if (!out.injects.empty() && inject.at_ms < out.injects.back().at_ms)
        reader_.mistake(node, "drill.order", {"情况应按时间先后排列", "injects go by time"});
      if (inject.at_ms >= out.ends_ms)
        reader_.mistake(node, "drill.late", {"晚于演练结束", "later than the drill's end"});
      for (const std::string& to : inject.to)
        if (std::find(out.participants.begin(), out.participants.end(), to) ==
            out.participants.end())
          reader_.mistake(node, "drill.to", {to + " 不是参加者", to + " does not take part"});
      out.injects.push_back(std::move(inject));
    }
  }

  void facts(const YamlNode& node, DrillInject& inject) {
    inject.facts = value_in(node).as_object();
    for (const auto& [fact, value] : node.entries) {
      const int index = plan_ ? plan_->fact(fact.text) : -1;
      if (plan_ && index < 0) {
        reader_.mistake(fact, "drill.fact", {"预案没有这个事实", "the plan has no such fact"});
      } else if (plan_ && plan_->facts[index].type == FieldType::enumeration &&
                 plan_->facts[index].ordinal(value.text) < 0) {
        reader_.mistake(value, "drill.fact", {"不是这个事实的值", "not a value of that fact"});
      }
    }
  }

  void expect(const YamlNode& list, DrillScenario& out) {
    if (list.items.empty() || list.items.size() > kActsMax)
      reader_.mistake(list, "drill.count", {"应有 1 到 100 项", "1 to 100 of them"});
    std::set<std::string> seen;
    for (const YamlNode& node : list.items) {
      if (!reader_.map(node)) continue;
      reader_.keys(node, {"act", "within", "after"});
      DrillAct act;
      if (const YamlNode* n = reader_.need(node, "within")) act.within_ms = natural_ms(reader_, *n);
      if (const YamlNode* n = node.find("after"))
        act.after =
            static_cast<int>(reader_.integer(*n, 1, static_cast<std::int64_t>(out.injects.size())));
      if (const YamlNode* n = reader_.need(node, "act")) name(*n, act);
      const auto after = static_cast<std::size_t>(act.after);
      const bool known = after > 0 && after <= out.injects.size();
      if ((known ? out.injects[after - 1].at_ms : 0) + act.within_ms > out.ends_ms)
        reader_.mistake(node, "drill.late", {"晚于演练结束", "later than the drill's end"});
      if (!seen.insert(act.state + "." + act.name + "#" + std::to_string(act.after)).second)
        reader_.mistake(node, "drill.twice", {"重复", "said twice"});
      out.expected.push_back(std::move(act));
    }
  }

  void name(const YamlNode& node, DrillAct& act) {
    const std::string text = reader_.string(node);
    const std::size_t dot = text.find('.');
    act.state = text.substr(0, dot);
    act.name = dot == std::string::npos ? "" : text.substr(dot + 1);
    if (!plan_) return;
    const int state = plan_->state(act.state);
    const int task = state < 0 ? -1 : plan_->task(state, act.name);
    const int action = state < 0 ? -1 : plan_->action(state, act.name);
    if (task >= 0) {
      act.title = plan_->tasks[task].title;
    } else if (action >= 0 && plan_->actions[action].kind == ActionDef::Kind::person) {
      act.title = plan_->actions[action].title;
    } else {
      reader_.mistake(node, "drill.act",
                      {"预案的这个状态没有这项任务或操作（写作 状态.名称）",
                       "that state of the plan has no such task or action (write state.name)"});
    }
  }

  const YamlNode& root_;
  YamlReader reader_;
  const Library& library_;
  std::shared_ptr<const Definition> plan_;
};

}  // namespace

std::shared_ptr<const DrillScenario> read_drill(std::string_view text, const std::string& file,
                                                const Library& library,
                                                std::vector<Mistake>& mistakes) {
  const std::size_t before = mistakes.size();
  const YamlTree tree = parse_yaml(text, file, mistakes);
  auto out = std::make_shared<DrillScenario>();
  out->source = std::string(text);
  if (mistakes.size() != before || !DrillReader(tree.root, file, library, mistakes).read(*out))
    return nullptr;
  return out;
}

json::object form_at(const DrillScenario& scenario, const Form& form, std::int64_t now_ms) {
  json::object out = scenario.form;
  for (const FormField& f : form.fields) {
    json::value* value = out.if_contains(f.name);
    if (f.type != FieldType::time || !value || !value->is_string()) continue;
    const std::string_view text = value->get_string();
    if (!text.starts_with("@")) continue;
    const bool later = text.starts_with("@+");
    const auto span = parse_span(text.substr(text.size() < 2 ? 1 : 2));
    const std::int64_t unit = !span                        ? 0
                              : span->unit == Unit::minute ? 60'000
                              : span->unit == Unit::hour   ? 3'600'000
                                                           : 86'400'000;
    const std::int64_t away = span ? span->amount * unit : 0;
    *value = to_rfc3339(later ? now_ms + away : now_ms - away);
  }
  return out;
}

DrillFolder DrillFolder::load(const fs::path& content, const Library& library,
                              std::vector<Mistake>& mistakes) {
  DrillFolder out;
  for (const fs::path& path : yaml_files(content / "drills")) {
    const std::string text = content_text(path).value_or("");
    if (auto scenario = read_drill(text, path.string(), library, mistakes))
      out.add(std::move(scenario));
  }
  return out;
}

std::shared_ptr<const DrillScenario> DrillFolder::find(std::string_view id) const {
  auto it = scenarios_.find(id);
  return it == scenarios_.end() ? nullptr : it->second;
}

std::vector<Mistake> broken_drills(const DrillFolder& folder, const Library& now,
                                   const Library& next) {
  std::vector<Mistake> out;
  for (const auto& [id, scenario] : folder.all())
    if (now.procedure(scenario->plan) != next.procedure(scenario->plan))
      read_drill(scenario->source, "drills/" + id + ".yaml", next, out);
  return out;
}

}  // namespace cw
