// A playbook as a draft: our own extension where it is whole, otherwise the workflow.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "extension.h"
#include "facts.h"
#include "seals.h"
#include "tree.h"
#include "weave.h"

namespace cw::cacao {
namespace {

constexpr std::size_t file_max = 1 << 20, file_nodes_max = 100'000;

Problem too_large() {
  return invalid("cacao.too-large", "/workflow",
                 {"这份剧本放不进一个流程文件（1 MiB、10 万个节点、1 万个状态），请先拆分",
                  "this playbook does not fit into one procedure file (1 MiB, 100,000 nodes, "
                  "10,000 states); split it first"});
}

// ---- the draft as YAML ----------------------------------------------------------------------

YamlNode task_node(const DraftTask& t) {
  YamlNode out = branch();
  put(out, "title", both_languages(t.title, t.title));
  put(out, "by", names(t.by));
  if (!t.form.empty()) put(out, "form", leaf(t.form));
  if (!t.when.empty()) put(out, "when", quoted_leaf(t.when));
  if (!t.limit.empty()) {
    put(out, "limit", leaf(t.limit));
    YamlNode notify = branch();
    put(notify, "notify", names(t.by));
    put(out, "late", sequence({std::move(notify)}));
  }
  return out;
}

YamlNode action_node(const DraftAction& a, const Weaver& weaver) {
  YamlNode out = branch();
  put(out, "title", both_languages(a.title.zh, a.title.en));
  if (a.kind == DraftAction::Kind::upon) {
    put(out, "upon", leaf("clock." + a.clock));
  } else if (a.kind == DraftAction::Kind::automatic) {
    put(out, "auto", quoted_leaf(a.condition));
  } else {
    put(out, "by", names(weaver.deciders()));
    if (!a.condition.empty()) put(out, "guard", quoted_leaf(a.condition));
  }
  put(out, "to", leaf(weaver.states[static_cast<std::size_t>(a.to)].id));
  return out;
}

YamlNode state_node(const DraftState& s, const Weaver& weaver) {
  YamlNode out = branch();
  put(out, "title", both_languages(s.title.zh, s.title.en));
  if (s.final) {
    put(out, "final", leaf("true"));
    return out;
  }
  if (!s.open.empty()) {
    YamlNode effect = branch();
    put(effect, "open", leaf(s.open));
    put(effect, "as", leaf(s.as));
    put(out, "enter", sequence({std::move(effect)}));
  }
  YamlNode tasks = branch(), actions = branch();
  for (const DraftTask& t : s.tasks) put(tasks, t.id, task_node(t));
  for (const DraftAction& a : s.actions) put(actions, a.id, action_node(a, weaver));
  if (!tasks.entries.empty()) put(out, "tasks", std::move(tasks));
  put(out, "actions", std::move(actions));
  return out;
}

YamlNode roles_node(const Weaver& weaver) {
  YamlNode out = branch();
  YamlNode anyone = branch();
  put(anyone, "any", leaf("true"));
  put(anyone, "title", both_languages("任何人", "Anyone"));
  put(out, "anyone", std::move(anyone));
  for (const DraftRole& role : weaver.roles) {
    YamlNode node = branch();
    put(node, role.kind, leaf(role.name));
    put(node, "title", both_languages(role.title, role.title));
    put(out, role.id, std::move(node));
  }
  return out;
}

YamlNode clocks_node(const Weaver& weaver) {
  YamlNode out = branch();
  for (const DraftClock& clock : weaver.clocks) {
    YamlNode node = branch();
    put(node, "title", both_languages(clock.title.zh, clock.title.en));
    put(node, "run", sequence({leaf(weaver.states[static_cast<std::size_t>(clock.state)].id)}));
    put(node, "limit", leaf(clock.limit));
    put(node, "reset", leaf("entry"));
    put(node, "wait", leaf("true"));
    put(out, clock.id, std::move(node));
  }
  return out;
}

std::optional<DraftForm> start_form(const std::string& id, const Facts& facts) {
  YamlNode properties = branch();
  std::vector<std::string> required;
  facts.start_fields(properties, required);
  if (properties.entries.empty()) return std::nullopt;
  YamlNode root = branch();
  put(root, "form", leaf(id));
  put(root, "version", leaf("1"));
  put(root, "title", both_languages("剧本变量", "Variables of the playbook"));
  put(root, "type", leaf("object"));
  if (!required.empty()) {
    std::vector<YamlNode> items;
    for (std::string& one : required) items.push_back(leaf(std::move(one)));
    put(root, "required", sequence(std::move(items)));
  }
  put(root, "properties", std::move(properties));
  return DraftForm{id, to_yaml(root)};
}

YamlNode procedure_node(const Playbook& playbook, const std::string& id, const Facts& facts,
                        const Weaver& weaver, const std::string& form) {
  const std::string title = one_line(playbook.name, 120);
  YamlNode root = branch();
  put(root, "procedure", leaf(id));
  put(root, "version", leaf("1"));
  put(root, "title", both_languages(title, title));
  put(root, "calendar", leaf("always"));
  put(root, "roles", roles_node(weaver));
  if (facts.any_data()) put(root, "data", facts.data());
  YamlNode& start = put(root, "start", branch());
  put(start, "by", leaf("anyone"));
  if (!form.empty()) put(start, "form", leaf(form));
  put(start, "to", leaf(weaver.states[static_cast<std::size_t>(weaver.start)].id));
  if (facts.any_start_set()) put(start, "set", facts.start_set());
  YamlNode& states = put(root, "states", branch());
  for (const DraftState& s : weaver.states) put(states, s.id, state_node(s, weaver));
  if (!weaver.clocks.empty()) put(root, "clocks", clocks_node(weaver));
  return root;
}

// ---- the report -----------------------------------------------------------------------------

bool known_to_steps(std::string_view key, const Step& step) {
  static constexpr std::string_view common[] = {
      "type",       "name",       "description",    "external_references",
      "delay",      "timeout",    "step_variables", "on_completion",
      "on_success", "on_failure", "in_args",        "out_args"};
  if (std::find(std::begin(common), std::end(common), key) != std::end(common)) return true;
  switch (step.kind) {
    case Step::Kind::action:
      return key == "commands" || key == "agent" || key == "targets";
    case Step::Kind::playbook:
      return key == "playbook_id";
    case Step::Kind::parallel:
      return key == "next_steps";
    case Step::Kind::either:
      return key == "condition" || key == "on_true" || key == "on_false";
    case Step::Kind::loop:
      return key == "condition" || key == "on_true";
    case Step::Kind::choice:
      return key == "switch" || key == "cases";
    default:
      return false;
  }
}

void report_leftovers(const Playbook& playbook, const std::vector<bool>& used, Report& report) {
  static constexpr std::string_view taken[] = {"type",
                                               "spec_version",
                                               "id",
                                               "name",
                                               "description",
                                               "created",
                                               "modified",
                                               "revoked",
                                               "valid_until",
                                               "workflow",
                                               "workflow_start",
                                               "workflow_exception",
                                               "playbook_variables",
                                               "agent_definitions",
                                               "target_definitions",
                                               "signatures",
                                               "playbook_processing_summary",
                                               "extension_definitions"};
  for (const auto& member : *playbook.raw) {
    const std::string key(member.key());
    if (std::find(std::begin(taken), std::end(taken), key) != std::end(taken)) continue;
    const std::string shown = one_line(key, 60), pointer = pointer_to("", key);
    if (key == "markings" || key == "data_marking_definitions") {
      report.check(
          "markings", pointer,
          {"剧本带有传播限制标记，使用前请阅读", "it carries data markings: read them first"});
    } else if (key == "authentication_info_definitions") {
      report.lost("authentication", pointer,
                  {"认证信息一律不导入", "authentication information is never imported"});
    } else {
      report.lost("property", pointer,
                  {"没有导入“" + shown + "”", "'" + shown + "' was not taken over"});
    }
  }
  for (std::size_t i = 0; i < playbook.steps.size(); ++i) {
    const Step& step = playbook.steps[i];
    if (!used[i])
      report.lost("step", step.pointer, {"没有路通向这个步骤", "no way leads to this step"});
    for (const auto& member : *step.raw) {
      if (known_to_steps(member.key(), step)) continue;
      const std::string shown = one_line(member.key(), 60);
      report.lost("property", pointer_to(step.pointer, member.key()),
                  {"没有导入“" + shown + "”", "'" + shown + "' was not taken over"});
    }
  }
}

std::vector<bool> used_steps(const Playbook& playbook) {
  std::vector<bool> seen(playbook.steps.size(), false);
  std::vector<int> open{playbook.start, playbook.exception};
  while (!open.empty()) {
    const int at = open.back();
    open.pop_back();
    if (at < 0 || seen[at]) continue;
    seen[at] = true;
    const Step& s = playbook.steps[at];
    open.insert(open.end(), {s.next, s.failure, s.yes, s.no});
    open.insert(open.end(), s.branches.begin(), s.branches.end());
    for (const auto& [key, head] : s.cases) open.push_back(head);
  }
  return seen;
}

void report_head(const Playbook& playbook, Report& report) {
  report.check("language", "",
               {"文字只有一种语言，中英文两处都用了原文，请补译",
                "its texts are in one language, which stands for both; translate them"});
  report.check("authority", "",
               {"剧本没有说明谁可以发起和抉择：任何人可发起，参与者可抉择，请改为本单位的规定",
                "a playbook does not say who may file or decide: anyone files, those who take part "
                "decide; set this as your house has it"});
  if (playbook.revoked)
    report.check("revoked", "/revoked", {"作者已撤销这份剧本", "its author has revoked it"});
  if (!playbook.valid_until.empty())
    report.check(
        "valid", "/valid_until",
        {"剧本的有效期至 " + playbook.valid_until, "it is valid until " + playbook.valid_until});
}

void report_mended(const Mended& mended, const Weaver& weaver, Report& report) {
  auto of = [&](int s) { return weaver.states[static_cast<std::size_t>(s)].pointer; };
  for (const int s : mended.asked)
    report.check(
        "circle", of(s),
        {"自动的循环由人确认后再走一圈", "a circle of automatic steps waits for a person"});
  for (const int s : mended.stopped)
    report.check(
        "endless", of(s),
        {"从这里到不了结束，加了“停止”操作", "no end can be reached from here; 'Stop' was added"});
}

// ---- both ways in ---------------------------------------------------------------------------

// The files as `procedure check` would read them in this house.
void check_files(Draft& draft, const Library& library) {
  std::map<std::string, std::shared_ptr<const Form>, std::less<>> beside;
  for (std::size_t i = 1; i < draft.files.size(); ++i) {
    if (auto form = read_form(draft.files[i].text, draft.files[i].path, draft.mistakes))
      beside[form->id] = form;
  }
  Surroundings around = library.surroundings();
  const auto elsewhere = around.form;
  around.form = [&](std::string_view id) {
    const auto found = beside.find(id);
    return found != beside.end() ? found->second : elsewhere(id);
  };
  const auto calendar = around.calendar;
  around.calendar = [&](std::string_view id) { return id == "always" || calendar(id); };
  read_definition(draft.files[0].text, draft.files[0].path, around, draft.mistakes);
}

std::string id_in(const std::string& yaml, std::string_view key) {
  std::vector<Mistake> ignored;
  const YamlTree tree = parse_yaml(yaml, "", ignored);
  const YamlNode* id = tree.root.find(key);
  return id != nullptr && id->is_scalar() ? id->text : "";
}

// A name that is safe as a file's: as `procedure check` wants ids.
bool safe_id(const std::string& id) {
  return !id.empty() && id.size() <= 64 && std::isalpha(static_cast<unsigned char>(id[0])) != 0 &&
         std::all_of(id.begin(), id.end(), [](char c) {
           return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_' ||
                  c == '.';
         });
}

// Takes the extension when it is whole; false leaves the workflow to be read.
bool take_extension(const json::object& playbook, const Library& library, Report& report,
                    Draft& draft) {
  Carried carried = carried_by(playbook);
  if (carried.state == Carried::State::absent) return false;
  const std::string pointer = pointer_to("/playbook_extensions", extension_id);
  if (carried.state == Carried::State::unreadable) {
    report.check("extension", pointer,
                 {"呼安扩展无法读取，改按工作流导入",
                  "our extension cannot be read; the workflow is taken"});
    return false;
  }
  if (carried.state == Carried::State::changed) {
    const Text what =
        carried.workflow_changed && carried.definition_changed
            ? Text{"工作流和扩展在导出后都改动过", "the workflow and the extension were changed"}
        : carried.workflow_changed
            ? Text{"工作流在导出后改动过，与扩展不一致",
                   "the workflow was changed and no longer agrees with the extension"}
            : Text{"扩展在导出后改动过，与工作流不一致",
                   "the extension was changed and no longer agrees with the workflow"};
    report.check(
        "extension", pointer,
        {what.zh + "；改按工作流导入，扩展中的内容没有采用",
         what.en + " after the export; the workflow is taken, what only the extension says "
                   "is lost"});
    return false;
  }
  draft.procedure = id_in(carried.procedure, "procedure");
  draft.files.push_back({draft.procedure + ".yaml", std::move(carried.procedure)});
  bool safe = safe_id(draft.procedure);
  for (std::string& form : carried.forms) {
    const std::string id = id_in(form, "form");
    safe = safe && safe_id(id);
    draft.files.push_back({"forms/" + id + ".yaml", std::move(form)});
  }
  if (!safe) {
    draft = Draft{};
    report.check("extension", pointer,
                 {"呼安扩展无法读取，改按工作流导入",
                  "our extension cannot be read; the workflow is taken"});
    return false;
  }
  draft.exact = true;
  check_files(draft, library);
  for (std::size_t i = 1; i < draft.files.size(); ++i) {
    const std::string id = id_in(draft.files[i].text, "form");
    const auto here = library.form(id);
    std::vector<Mistake> ignored;
    const auto there = read_form(draft.files[i].text, "", ignored);
    if (here != nullptr && there != nullptr && to_json(*here) != to_json(*there))
      report.check("form", pointer,
                   {"本单位的表单“" + id + "”与随附的不同",
                    "this house's form '" + id + "' differs from the one carried"});
  }
  return true;
}

Result<Draft> weave_draft(const Playbook& playbook, const Library& library, Report& report,
                          Draft draft) {
  const std::string id =
      "cacao." + slug(playbook.name, "playbook-" + playbook.id.substr(10, 8), 28);
  Facts facts(playbook, report);
  Weaver weaver(playbook, facts, library, id, report);
  if (!weaver.weave()) return too_large();
  const Mended mended = mend(weaver.states, weaver.clocks, weaver.start);
  report_head(playbook, report);
  report_mended(mended, weaver, report);
  report_leftovers(playbook, used_steps(playbook), report);

  const auto form = start_form(id + ".start", facts);
  const YamlNode root = procedure_node(playbook, id, facts, weaver, form ? form->id : "");
  if (count_nodes(root) > file_nodes_max) return too_large();
  std::string head = "# A draft made from the CACAO playbook " + playbook.id + ",\n# modified " +
                     one_line(playbook.modified, 40) +
                     ". Read the report of the import before using it.\n";
  draft.procedure = id;
  draft.files.push_back({id + ".yaml", head + to_yaml(root)});
  if (form) draft.files.push_back({"forms/" + form->id + ".yaml", form->text});
  for (DraftForm& one : weaver.forms)
    draft.files.push_back({"forms/" + one.id + ".yaml", std::move(one.text)});
  for (const File& file : draft.files)
    if (file.text.size() > file_max) return too_large();
  if (library.procedure(id) != nullptr)
    report.check("procedure", "/name",
                 {"已有流程“" + id + "”，请改名或提高版本",
                  "there is a procedure '" + id + "' already; rename it or raise the version"});
  check_files(draft, library);
  return draft;
}

}  // namespace

Result<Draft> read_playbook(std::string_view text, const Library& library) {
  auto value = parse_json(text, {.size_max = playbook_size_max, .depth_max = playbook_depth_max});
  if (!value) return std::move(value).problem();
  auto playbook = parse_playbook(*value);
  if (!playbook) return std::move(playbook).problem();
  auto seals = check_seals(value->get_object());
  if (!seals) return std::move(seals).problem();
  Draft draft;
  draft.seals = std::move(*seals);
  Report report;
  for (const Seal& seal : draft.seals)
    if (!seal.verified) report.check("signature", "/signatures", seal.text);
  if (!take_extension(value->get_object(), library, report, draft)) {
    auto made = weave_draft(*playbook, library, report, std::move(draft));
    if (!made) return std::move(made).problem();
    draft = std::move(*made);
  }
  draft.notes = report.take();
  return draft;
}

json::object to_json(const Draft& draft) {
  static constexpr const char* kinds[] = {"mapped", "lost", "check"};
  json::array files, notes, seals, mistakes;
  for (const File& f : draft.files)
    files.push_back(json::object{{"path", f.path}, {"text", f.text}});
  for (const Note& n : draft.notes)
    notes.push_back(json::object{{"kind", kinds[static_cast<int>(n.kind)]},
                                 {"code", n.code},
                                 {"pointer", n.pointer},
                                 {"zh", n.text.zh},
                                 {"en", n.text.en}});
  for (const Seal& s : draft.seals)
    seals.push_back(json::object{{"verified", s.verified},
                                 {"id", s.id},
                                 {"signee", s.signee},
                                 {"algorithm", s.algorithm},
                                 {"key_sha256", s.key},
                                 {"zh", s.text.zh},
                                 {"en", s.text.en}});
  for (const Mistake& m : draft.mistakes)
    mistakes.push_back(json::object{{"file", m.file},
                                    {"line", m.line},
                                    {"column", m.column},
                                    {"code", m.code},
                                    {"zh", m.text.zh},
                                    {"en", m.text.en}});
  return {{"procedure", draft.procedure},   {"exact", draft.exact},
          {"files", std::move(files)},      {"notes", std::move(notes)},
          {"signatures", std::move(seals)}, {"mistakes", std::move(mistakes)}};
}

}  // namespace cw::cacao
