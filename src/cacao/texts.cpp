// What people see of a step: its task, the form that shows its commands, and who acts.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "tree.h"
#include "weave.h"

namespace cw::cacao {
namespace {

constexpr std::size_t command_points_max = 8'000, step_points_max = 20'000;

// A command as text. Nothing here runs it.
void show_command(const json::object& command, bool zh, std::string& out) {
  out += zh ? "命令（只供阅读，系统不执行）" : "Command (to be read, never run)";
  out += " [" + one_line(text_or(command, "type"), 40) + "]\n";
  if (const auto said = text_or(command, "description"); !said.empty())
    out += tidy(said, command_points_max) + "\n";
  if (const auto said = text_or(command, "command"); !said.empty())
    out += tidy(said, command_points_max) + "\n";
  if (const auto coded = text_or(command, "command_b64"); !coded.empty()) {
    const auto plain = from_base64(coded);
    out += plain && is_utf8(*plain)
               ? tidy(*plain, command_points_max)
               : (zh ? "（base64）" : "(base64) ") + tidy(coded, command_points_max);
    out += "\n";
  }
  for (const auto& member : command) {
    const std::string_view key = member.key();
    if (key == "type" || key == "command" || key == "command_b64" || key == "description") continue;
    out += std::string(key) + ": " +
           one_line(std::string(json::serialize(member.value())), command_points_max) + "\n";
  }
}

void show_references(const json::object& step, bool zh, std::string& out) {
  const auto* all = step.if_contains("external_references");
  if (all == nullptr || !all->is_array() || all->get_array().empty()) return;
  out += zh ? "参考资料：\n" : "References:\n";
  for (const json::value& one : all->get_array()) {
    const auto* reference = one.if_object();
    if (reference == nullptr) continue;
    std::string line;
    for (const char* key : {"name", "external_id", "source", "url"})
      if (const auto said = text_or(*reference, key); !said.empty())
        line += (line.empty() ? "" : " · ") + one_line(said, 500);
    out += line + "\n";
  }
}

}  // namespace

std::string Weaver::step_text(const Step& step, bool zh) {
  std::string out;
  if (!step.description.empty()) out += tidy(step.description, command_points_max) + "\n";
  std::string spoken = step.description;
  if (const auto* commands = step.raw->if_contains("commands"); commands && commands->is_array()) {
    for (const json::value& command : commands->get_array()) {
      show_command(command.get_object(), zh, out);
      spoken += " " + std::string(text_or(command.get_object(), "command"));
      if (out.size() > 4 * step_points_max) break;
    }
  }
  if (step.kind == Step::Kind::playbook)
    out += (zh ? "执行剧本 " : "Run the playbook ") + one_line(step.playbook_id, 80) + "\n";
  std::string targets;
  for (const std::string& id : step.targets) {
    const auto found = playbook_.targets.find(id);
    const std::string name = found == playbook_.targets.end() ? id : found->second.name;
    targets += (targets.empty() ? "" : zh ? "、" : ", ") + one_line(name, 120);
  }
  if (!targets.empty()) out += (zh ? "对象：" : "Targets: ") + targets + "\n";
  for (const std::string& line : facts_.mentioned(spoken)) out += line + "\n";
  for (const Variable& v : step.variables)
    out += "__" + v.name + "__" + (v.has_value ? " = " + one_line(v.value, 500) : "") +
           (v.description.empty() ? "" : " (" + one_line(v.description, 300) + ")") + "\n";
  show_references(*step.raw, zh, out);
  return tidy(out, step_points_max);
}

// The step's text and its outputs as a form. A step without either is a tick.
std::string Weaver::form(const Step& step, const std::string& name, const std::string& zh,
                         const std::string& en) {
  YamlNode properties = branch();
  std::vector<std::string> required;
  facts_.step_fields(step.out_args, properties, required);
  if (zh.empty() && properties.entries.empty()) return "";
  YamlNode root = branch();
  const std::string id = form_ids_.give(procedure_ + "." + name);
  const std::string title = one_line(step.name.empty() ? step.id : step.name, 120);
  put(root, "form", leaf(id));
  put(root, "version", leaf("1"));
  put(root, "title", both_languages(title, title));
  if (!zh.empty()) put(root, "description", both_languages(zh, en));
  put(root, "type", leaf("object"));
  if (!required.empty()) {
    std::vector<YamlNode> items;
    for (std::string& one : required) items.push_back(leaf(std::move(one)));
    put(root, "required", sequence(std::move(items)));
  }
  YamlNode result = branch();
  put(result, "title", both_languages("结果", "Result"));
  put(result, "type", leaf("string"));
  put(put(result, "x-callwarden", branch()), "widget", leaf("textarea"));
  put(properties, "result", std::move(result));
  put(root, "properties", std::move(properties));
  forms.push_back({id, to_yaml(root)});
  text_size_ += forms.back().text.size();
  return id;
}

DraftTask Weaver::task(const Step& step, Names& ids, const std::string& fallback) {
  DraftTask out;
  out.id = ids.give(slug(step.name, fallback, 24));
  out.title = one_line(step.name.empty() ? step.id : step.name, 120);
  out.by = {role_of(step)};
  const std::string zh = step_text(step, true), en = step_text(step, false);
  out.form = form(step, out.id, zh, en);
  if (const auto* commands = step.raw->if_contains("commands"); commands && commands->is_array()) {
    for (std::size_t i = 0; i < commands->get_array().size(); ++i) {
      const auto type = text_or(commands->get_array()[i].get_object(), "type");
      if (type == "manual") continue;
      const std::string place = pointer_to(pointer_to(step.pointer, "commands"), std::to_string(i));
      const std::string named = one_line(type, 40);
      report_.mapped("command", place,
                     {"“" + named + "”命令只作为文字展示，由人决定如何做，系统不执行",
                      "the '" + named + "' command is shown as text; people act, nothing runs it"});
    }
  }
  return out;
}

// An individual is a post, anything else a team: of people, for a machine cannot be held to a
// limit.
std::string Weaver::role_of(const Step& step) {
  if (step.agent.empty()) return "anyone";
  const auto known = role_ids_.find(step.agent);
  if (known != role_ids_.end()) return known->second;
  const auto found = playbook_.agents.find(step.agent);
  if (found == playbook_.agents.end()) {
    report_.check(
        "agent", pointer_to(step.pointer, "agent"),
        {"没有这个执行者的定义，任何人都可完成", "that agent is not defined; anyone may do it"});
    return "anyone";
  }
  const Agent& agent = found->second;
  const bool person = agent.type == "individual";
  const bool people = person || agent.type == "group" || agent.type == "organization";
  DraftRole role;
  role.id = role_names_.give(slug(agent.name, "agent", 24));
  role.title = one_line(agent.name.empty() ? role.id : agent.name, 120);
  role.kind = person ? "post" : "team";
  role.name = role.id;
  const std::string pointer = pointer_to("/agent_definitions", step.agent);
  const std::string what = person ? "岗位“" + role.name + "”" : "小组“" + role.name + "”";
  const std::string what_en = (person ? "the post '" : "the team '") + role.name + "'";
  if (people) {
    report_.check("agent", pointer,
                  {"执行者成为" + what + "；请改为本单位的岗位或小组",
                   "the agent became " + what_en + "; name a post or team of this house instead"});
  } else {
    report_.check("agent", pointer,
                  {"执行者是机器（" + one_line(agent.type, 40) + "），须有人代为完成：" + what,
                   "the agent is a machine (" + one_line(agent.type, 40) +
                       "), people must act for it: " + what_en});
  }
  role_ids_[step.agent] = role.id;
  roles.push_back(role);
  return role.id;
}

}  // namespace cw::cacao
