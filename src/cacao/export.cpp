// A procedure as a workflow. States become the cases of a switch inside a while loop over the
// variable __case-state__: the only shape in which every branch ends in an end step of its own, as
// CACAO demands, whatever way the states lead into each other.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "cacao.h"
#include "condition.h"
#include "crypto/crypto.h"
#include "crypto/signature.h"
#include "extension.h"

namespace cw::cacao {
namespace {

constexpr std::string_view state_variable = "__case-state__", choice_variable = "__next-action__";

class PlaybookWriter {
 public:
  PlaybookWriter(const Definition& definition, const ExportOptions& options)
      : d_(definition), options_(options) {}

  json::object write();

 private:
  using Path = const std::string&;

  std::string say(const Text& text) const { return text.in(options_.lang); }
  std::string say(std::string_view zh, std::string_view en) const {
    return std::string(options_.lang == "zh" ? zh : en);
  }
  std::string list(const std::vector<int>& roles) const;

  std::string id(std::string_view type, Path path) const;
  std::string add(std::string_view type, Path path, json::object step);
  std::string end(Path path) { return add("end", path + "/end", {}); }
  std::string agent(const std::vector<int>& roles);
  std::string manual(Path path, const Text& title, const std::string& command,
                     const std::string& by, const std::string& next, json::array out_args = {},
                     std::int64_t delay_ms = 0);

  std::string lane(const StateDef& state);
  std::vector<int> offered(const StateDef& state) const;
  std::string tasks(const StateDef& state, const std::string& next);
  std::string task(const TaskDef& t, Path path, const std::string& next);
  std::string decision(const StateDef& state, const std::string& next);
  std::string choice(const StateDef& state, Path path, const std::string& next);
  std::string action(const ActionDef& a, Path path, const std::string& next);
  std::string approval(const Approval& a, Path path, const std::string& next);
  std::string children(const std::vector<Effect>& effects, Path path, std::string next);

  std::string form_text(int form) const;
  json::array out_args(int form, const std::vector<Assignment>& set, bool moves) const;
  std::string limit_text(const Limit& limit, const std::string& calendar) const;
  void use_variables(std::string_view expression);
  json::object variable(const FactDef& fact) const;
  json::object variables();
  json::object summary() const;

  const Definition& d_;
  const ExportOptions& options_;
  json::object workflow_, agents_, seen_;
};

// UUIDs of steps and agents are version 4, as CACAO wants them, and made from names, so that the
// same procedure gives the same playbook.
std::string PlaybookWriter::id(std::string_view type, Path path) const {
  const Hash hash = sha256(fmt::format("{}@{}/{}/{}", d_.id, d_.version, type, path));
  return std::string(type) + "--" + uuid_text(bytes_of(hash).substr(0, 16), 4);
}

std::string PlaybookWriter::add(std::string_view type, Path path, json::object step) {
  std::string made = id(type, path);
  json::object body{{"type", json::string(type)}};
  for (auto& member : step) body[member.key()] = std::move(member.value());
  workflow_[made] = std::move(body);
  return made;
}

std::string PlaybookWriter::list(const std::vector<int>& roles) const {
  std::string out;
  for (const int r : roles) {
    if (!out.empty()) out += say("、", ", ");
    out += say(d_.roles[r].title);
  }
  return out;
}

// Who acts: a role is an individual where one person holds it, several people are a group. What
// happens by itself is done by the engine, an organisation of its own.
std::string PlaybookWriter::agent(const std::vector<int>& roles) {
  static constexpr const char* kinds[] = {"any",   "post",  "level.chief", "team",
                                          "queue", "field", "subject"};
  bool one = roles.size() == 1;
  std::string path, about;
  for (const int r : roles) {
    const RoleDef& role = d_.roles[r];
    one = one && (role.kind == RoleDef::Kind::post || role.kind == RoleDef::Kind::field ||
                  role.kind == RoleDef::Kind::subject);
    path += "/" + role.id;
    about += about.empty() ? "" : "; ";
    about += kinds[static_cast<int>(role.kind)];
    if (!role.name.empty() && role.kind != RoleDef::Kind::level_chief) about += " " + role.name;
    if (role.fact >= 0) about += " " + d_.facts[role.fact].id;
    if (!role.apart.empty()) about += say("；回避：", "; not: ") + list(role.apart);
  }
  const char* type = roles.empty() ? "organization" : one ? "individual" : "group";
  std::string made = id(type, "agent" + path);
  if (agents_.contains(made)) return made;
  const std::string name = roles.empty() ? say("系统自动", "By itself") : list(roles);
  if (roles.empty()) about = say("由流程引擎自动完成", "Done by the procedure engine itself");
  agents_[made] = json::object{{"type", type}, {"name", name}, {"description", about}};
  return made;
}

std::string PlaybookWriter::manual(Path path, const Text& title, const std::string& command,
                                   const std::string& by, const std::string& next,
                                   json::array out_args, std::int64_t delay_ms) {
  json::object step{{"name", say(title)}, {"on_completion", next}};
  if (delay_ms > 0) step["delay"] = delay_ms;
  step["commands"] = json::array{json::object{{"type", "manual"}, {"command", command}}};
  step["agent"] = by;
  if (!out_args.empty()) step["out_args"] = std::move(out_args);
  return add("action", path, std::move(step));
}

std::string PlaybookWriter::form_text(int form) const {
  if (form < 0) return "";
  const Form& f = *d_.forms[form].form;
  std::string out =
      say("填写表单《" + f.title.zh + "》：", "Fill in the form '" + f.title.en + "': ");
  for (std::size_t i = 0; i < f.fields.size(); ++i) {
    if (i > 0) out += say("、", ", ");
    out += say(f.fields[i].title);
    if (f.fields[i].required) out += say("（必填）", " (required)");
  }
  return out + say("。", ". ");
}

std::string PlaybookWriter::limit_text(const Limit& limit, const std::string& calendar) const {
  if (limit.none()) return "";
  std::string out = say("时限：", "Limit: ");
  if (limit.key < 0) {
    out += to_string(limit.spans[0]);
  } else {
    const FactDef& key = d_.facts[limit.key];
    for (std::size_t i = 0; i < limit.spans.size(); ++i)
      out += (i > 0 ? ", " : "") + key.values[i] + " " + to_string(limit.spans[i]);
    out += say("（按", " (by ") + say(key.title) + say("）", ")");
  }
  return out + say("，日历 ", ", calendar ") + calendar + say("。", ". ");
}

json::array PlaybookWriter::out_args(int form, const std::vector<Assignment>& set,
                                     bool moves) const {
  json::array out;
  auto once = [&](const std::string& name) {
    const json::value value = json::string(name);
    if (std::find(out.begin(), out.end(), value) == out.end()) out.push_back(value);
  };
  if (form >= 0)
    for (const int fact : d_.forms[form].facts)
      if (fact >= 0) once(variable_of(d_.facts[fact].id));
  for (const Assignment& a : set) once(variable_of(d_.facts[a.fact].id));
  if (moves) once(std::string(state_variable));
  return out;
}

void PlaybookWriter::use_variables(std::string_view expression) {
  for (const std::string& name : names_read(expression))
    if (d_.fact(name) < 0) seen_[variable_of(name)] = name;
}

std::string PlaybookWriter::approval(const Approval& a, Path path, const std::string& next) {
  if (a.quorum == 0) return next;
  const std::string who = list(a.roles);
  const std::string how =
      a.ordered ? say("依次由以下各角色批准：", "Approve in this order, one person of each: ") + who
                : fmt::format(fmt::runtime(say("由 {} 人批准：{}。申请人不得批准。",
                                               "Approved by {} of: {}. Never by who asked.")),
                              a.quorum, who);
  return manual(path + "/approve", {"批准", "Approve"}, how, agent(a.roles), next);
}

// Each opened child is a playbook-action before `next`.
std::string PlaybookWriter::children(const std::vector<Effect>& effects, Path path,
                                     std::string next) {
  for (std::size_t i = effects.size(); i-- > 0;) {
    const Effect& e = effects[i];
    if (e.kind != Effect::Kind::open) continue;
    json::object step{{"name", say("开立：", "Open: ") + e.procedure}};
    if (e.field >= 0) {
      const FormUse& use = d_.forms[e.form];
      step["description"] =
          say("对“" + use.form->fields[e.field].title.zh + "”的每一项各开一件",
              "One for each item of '" + use.form->fields[e.field].title.en + "'");
    }
    step["on_completion"] = next;
    step["playbook_id"] = playbook_id(e.procedure);
    next = add("playbook-action", fmt::format("{}/open{}", path, i), std::move(step));
  }
  return next;
}

std::string PlaybookWriter::task(const TaskDef& t, Path path, const std::string& next) {
  std::string text = form_text(t.form) + limit_text(t.limit, t.calendar);
  if (t.evidence > 0)
    text += fmt::format(
        fmt::runtime(say("至少附 {} 份证据。", "At least {} file(s) of evidence. ")), t.evidence);
  if (t.outbound) text += say("对外发出，留存回执。", "Leaves the house; keep the receipt. ");
  if (text.empty()) text = say("完成后勾选。", "Tick it when it is done. ");
  const std::string last = t.when.empty() ? next : end(path);
  const std::string after = approval(t.approve, path, children(t.effects, path, last));
  const std::string done = manual(path, t.title, std::string(trim(text)), agent(t.by), after,
                                  out_args(t.form, t.set, false));
  if (t.when.empty()) return done;
  use_variables(t.when.source());
  return add("if-condition", path + "/when",
             {{"name", say("是否需要：", "Required? ") + say(t.title)},
              {"on_completion", next},
              {"condition", foreign_condition(t.when.source())},
              {"on_true", done}});
}

std::string PlaybookWriter::tasks(const StateDef& state, const std::string& next) {
  if (state.tasks.empty()) return next;
  auto path_of = [&](int i) { return "state/" + state.id + "/task/" + d_.tasks[i].id; };
  const int first = state.tasks[0];
  if (state.tasks.size() == 1) return task(d_.tasks[first], path_of(first), next);
  json::array heads;
  for (const int i : state.tasks)
    heads.push_back(
        json::value(json::string(task(d_.tasks[i], path_of(i), end(path_of(i) + "/branch")))));
  return add("parallel", "state/" + state.id + "/tasks",
             {{"name", say("任务：", "Tasks: ") + say(state.title)},
              {"on_completion", next},
              {"next_steps", std::move(heads)}});
}

// What one action does once it is chosen.
std::string PlaybookWriter::action(const ActionDef& a, Path path, const std::string& next) {
  std::string text, by = agent(a.by);
  std::int64_t delay_ms = 0;
  if (a.kind == ActionDef::Kind::automatic) {
    use_variables(a.condition.source());
    text = say("条件成立时自动进行：", "By itself once this holds: ") +
           foreign_condition(a.condition.source()) + say("。", ". ");
  } else if (a.kind == ActionDef::Kind::upon) {
    const ClockDef& clock = d_.clocks[a.clock];
    std::int64_t least = INT64_MAX;
    for (const Span& span : clock.limit.spans) {
      if (span.unit == Unit::close) {  // a moment, not a length
        least = 0;
        break;
      }
      const std::int64_t unit = span.unit == Unit::minute ? 60'000
                                : span.unit == Unit::hour ? 3'600'000
                                                          : 86'400'000;
      least = std::min(least, span.amount * unit);
    }
    delay_ms = least;
    text = say("时钟“" + clock.title.zh + "”到期时自动进行。",
               "By itself when the clock '" + clock.title.en + "' expires. ") +
           limit_text(clock.limit, clock.calendar);
  } else {
    text = form_text(a.form);
  }
  if (a.outbound) text += say("对外发出，留存回执。", "Leaves the house; keep the receipt. ");
  if (a.to >= 0) {
    text += say("将 ", "Set ") + std::string(state_variable) + say(" 设为 ", " to ") + "'" +
            d_.states[a.to].id + "'" + say("。", ". ");
  }
  if (text.empty()) text = say("执行该操作。", "Do it. ");
  const std::string last = a.guard.empty() ? next : end(path);
  const std::string after = approval(a.approve, path, children(a.effects, path, last));
  const std::string done = manual(path, a.title, std::string(trim(text)), by, after,
                                  out_args(a.form, a.set, a.to >= 0), delay_ms);
  if (a.guard.empty()) return done;
  use_variables(a.guard.source());
  return add("if-condition", path + "/guard",
             {{"name", say("是否允许：", "Allowed? ") + say(a.title)},
              {"on_completion", next},
              {"condition", foreign_condition(a.guard.source())},
              {"on_true", done}});
}

// A state's own actions: that records can be corrected is no step of the work.
std::vector<int> PlaybookWriter::offered(const StateDef& state) const {
  std::vector<int> out = state.actions;
  std::erase_if(out, [&](int i) { return d_.actions[i].amend; });
  return out;
}

// One choice among the state's actions.
std::string PlaybookWriter::choice(const StateDef& state, Path path, const std::string& next) {
  auto path_of = [&](int i) { return "state/" + state.id + "/action/" + d_.actions[i].id; };
  const std::vector<int> actions = offered(state);
  if (actions.size() == 1) {
    const int only = actions[0];
    return action(d_.actions[only], path_of(only), next);
  }
  json::object cases;
  std::string text = say("选择下一步，填入 ", "Choose what happens next and set ") +
                     std::string(choice_variable) + say("：", ": ");
  std::vector<int> who;
  for (const int i : actions) {
    const ActionDef& a = d_.actions[i];
    if (!cases.empty()) text += say("；", "; ");
    text += "'" + a.id + "' " + say(a.title);
    if (!a.by.empty()) text += say("（", " (") + list(a.by) + say("）", ")");
    cases[a.id] = json::value(json::string(action(a, path_of(i), end(path_of(i) + "/case"))));
    for (const int r : a.by)
      if (std::find(who.begin(), who.end(), r) == who.end()) who.push_back(r);
  }
  seen_[choice_variable] = say("选定的操作", "The action that was chosen");
  const std::string sw = add("switch-condition", path + "/choice",
                             {{"name", say("下一步", "What happens next")},
                              {"on_completion", next},
                              {"switch", std::string(choice_variable) + ":value"},
                              {"cases", std::move(cases)}});
  return manual(path + "/choose", {"决定下一步", "Decide what happens next"}, text, agent(who), sw,
                {json::value(json::string(choice_variable))});
}

// After the tasks: while an action may keep the state, the choice comes again.
std::string PlaybookWriter::decision(const StateDef& state, const std::string& next) {
  const std::string path = "state/" + state.id + "/decision";
  const std::vector<int> actions = offered(state);
  const bool stays = std::any_of(actions.begin(), actions.end(), [&](int i) {
    return d_.actions[i].to < 0 || d_.actions[i].to == d_.actions[i].state;
  });
  if (!stays) return choice(state, path, next);
  return add("while-condition", path,
             {{"name", say("仍在：", "Still in: ") + say(state.title)},
              {"on_completion", next},
              {"condition", fmt::format("{}:value == '{}'", state_variable, state.id)},
              {"on_true", choice(state, path, end(path))}});
}

std::string PlaybookWriter::lane(const StateDef& state) {
  const std::string path = "state/" + state.id;
  return children(state.enter, path + "/enter", tasks(state, decision(state, end(path))));
}

json::object PlaybookWriter::variable(const FactDef& fact) const {
  json::object out{{"type", fact.type == FieldType::integer   ? "integer"
                            : fact.type == FieldType::boolean ? "bool"
                                                              : "string"}};
  std::string about = say(fact.title);
  for (std::size_t i = 0; i < fact.values.size(); ++i) {
    about += i == 0 ? say("：", ": ") : say("、", ", ");
    about += fact.values[i];
  }
  if (fact.type == FieldType::time) about += " (RFC 3339)";
  if (fact.type == FieldType::reference) about += " (" + fact.ref + ")";
  out["description"] = about;
  return out;
}

json::object PlaybookWriter::variables() {
  json::object out;
  std::string states = say("案件所处状态：", "Where the case stands: ");
  for (std::size_t i = 0; i < d_.states.size(); ++i)
    states += (i > 0 ? ", " : "") + d_.states[i].id;
  out[state_variable] = json::object{
      {"type", "string"}, {"description", states}, {"value", d_.states[d_.start_state].id}};
  for (const auto& [name, said] : seen_) {
    const bool truth = said.get_string().ends_with(".done");
    out[name] = json::object{{"type", truth ? "bool" : "string"}, {"description", said}};
  }
  for (const FactDef& fact : d_.facts) out[variable_of(fact.id)] = variable(fact);
  return out;
}

json::object PlaybookWriter::summary() const {
  auto any = [&](std::string_view type) {
    return std::any_of(workflow_.begin(), workflow_.end(), [&](const auto& member) {
      return text_or(member.value().get_object(), "type") == type;
    });
  };
  const bool waits = std::any_of(workflow_.begin(), workflow_.end(), [](const auto& member) {
    return member.value().get_object().contains("delay");
  });
  return {{"manual_playbook", true},
          {"external_playbooks", any("playbook-action")},
          {"parallel_processing", any("parallel")},
          {"if_logic", any("if-condition")},
          {"while_logic", true},
          {"switch_logic", true},
          {"temporal_logic", waits},
          {"extensions", true}};
}

json::object PlaybookWriter::write() {
  const std::string identity = options_.identity.empty()
                                   ? "identity--" + uuid_of_name(name_space, "callwarden")
                                   : options_.identity;
  json::object cases;
  std::string running;
  for (const StateDef& state : d_.states) {
    if (!state.final) {
      cases[state.id] = json::value(json::string(lane(state)));
      continue;
    }
    if (!running.empty()) running += " AND ";
    running += fmt::format("{}:value != '{}'", state_variable, state.id);
  }
  const std::string round = add("switch-condition", "states",
                                {{"name", say("按状态办理", "By state")},
                                 {"on_completion", end("states")},
                                 {"switch", std::string(state_variable) + ":value"},
                                 {"cases", std::move(cases)}});
  const std::string loop = add("while-condition", "case",
                               {{"name", say("直至办结", "Until the case is closed")},
                                {"on_completion", end("case")},
                                {"condition", running},
                                {"on_true", round}});
  const Text filing{"发起", "File the case"};
  const std::string file =
      manual("start", filing,
             d_.start_form < 0 ? say("发起案件。", "File it.")
                               : std::string(trim(form_text(d_.start_form))),
             agent(d_.start_by), loop, out_args(d_.start_form, d_.start_set, false));
  const std::string start = add("start", "start", {{"on_completion", file}});

  const std::string at = to_rfc3339(options_.at_ms);
  json::object out{{"type", "playbook"}, {"spec_version", "cacao-2.0"}, {"id", playbook_id(d_.id)}};
  out["name"] = say(d_.title);
  out["description"] =
      fmt::format(fmt::runtime(say("流程 {} 第 {} 版。权限、表单、时限与日历等以扩展中的定义为准。",
                                   "Procedure {}, version {}. Authority, forms, limits and "
                                   "calendars are as the definition in the extension says.")),
                  d_.id, d_.version);
  out["playbook_processing_summary"] = summary();
  out["created_by"] = identity;
  out["created"] = at;
  out["modified"] = at;
  out["labels"] =
      json::array{json::value(json::string("callwarden")), json::value(json::string(d_.id)),
                  json::value(json::string(fmt::format("version-{}", d_.version)))};
  json::array basis;
  for (const std::string& law : d_.basis)
    basis.push_back(json::object{{"name", law}, {"external_id", law}});
  if (!basis.empty()) out["external_references"] = std::move(basis);
  out["playbook_variables"] = variables();
  out["workflow_start"] = start;
  out["workflow"] = std::move(workflow_);
  out["agent_definitions"] = std::move(agents_);
  out["playbook_extensions"] = json::object{{extension_id, extension_of(d_, out)}};
  out["extension_definitions"] = json::object{{extension_id, extension_definition(identity)}};
  return out;
}

}  // namespace

std::string playbook_id(std::string_view procedure) {
  return "playbook--" + uuid_of_name(name_space, procedure);
}

bool is_identity(std::string_view id) {
  const std::string_view uuid = id.starts_with("identity--") ? id.substr(10) : "";
  if (uuid.size() != 36) return false;
  for (std::size_t i = 0; i < uuid.size(); ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    const bool digit = (uuid[i] >= '0' && uuid[i] <= '9') || (uuid[i] >= 'a' && uuid[i] <= 'f');
    if (dash ? uuid[i] != '-' : !digit) return false;
  }
  return uuid[14] >= '1' && uuid[14] <= '5' &&
         std::string_view("89ab").find(uuid[19]) != std::string_view::npos;
}

json::object write_playbook(const Definition& definition, const ExportOptions& options) {
  return PlaybookWriter(definition, options).write();
}

}  // namespace cw::cacao
