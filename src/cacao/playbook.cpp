#include "playbook.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/clock.h"
#include "base/text.h"
#include "cacao.h"
#include "condition.h"

namespace cw::cacao {
namespace {

constexpr std::size_t faults_max = 100, commands_max = 100, cases_max = 1'000,
                      variables_max = 1'000;
constexpr std::int64_t wait_max_ms = 3'650ll * 86'400'000;

bool is_uuid(std::string_view s) {
  if (s.size() != 36) return false;
  for (std::size_t i = 0; i < s.size(); ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash ? s[i] != '-' : std::isxdigit(static_cast<unsigned char>(s[i])) == 0) return false;
  }
  return true;
}

// "action--8ccc…": the type, or nothing.
std::optional<std::string> type_of_id(std::string_view id) {
  const std::size_t cut = id.find("--");
  if (cut == std::string_view::npos || cut == 0 || !is_uuid(id.substr(cut + 2)))
    return std::nullopt;
  return std::string(id.substr(0, cut));
}

struct StepType {
  std::string_view name;
  Step::Kind kind;
};
constexpr StepType step_types[] = {
    {"start", Step::Kind::start},          {"end", Step::Kind::end},
    {"action", Step::Kind::action},        {"playbook-action", Step::Kind::playbook},
    {"parallel", Step::Kind::parallel},    {"if-condition", Step::Kind::either},
    {"while-condition", Step::Kind::loop}, {"switch-condition", Step::Kind::choice},
};

class PlaybookReader {
 public:
  explicit PlaybookReader(const json::value& value) : value_(value) {}

  Result<Playbook> read() {
    if (!value_.is_object()) {
      fault("", {"剧本应为 JSON 对象", "a playbook is a JSON object"});
      return refused();
    }
    out_.raw = &value_.get_object();
    head(*out_.raw);
    if (!faults_.empty()) return refused();  // another document altogether
    workflow(*out_.raw);
    agents(*out_.raw, "agent_definitions", out_.agents);
    agents(*out_.raw, "target_definitions", out_.targets);
    out_.variables = variables(*out_.raw, "playbook_variables", "");
    if (!faults_.empty()) return refused();
    return std::move(out_);
  }

 private:
  void fault(std::string pointer, Text text) {
    if (faults_.size() < faults_max) faults_.push_back({std::move(pointer), std::move(text)});
  }
  Problem refused() {
    const FieldProblem& first = faults_.front();
    const std::string at = first.pointer.empty() ? "/" : first.pointer;
    return problem(Refusal::invalid, code_,
                   {"不能导入这份 CACAO 剧本。" + at + "：" + first.text.zh,
                    "This CACAO playbook cannot be imported. " + at + ": " + first.text.en},
                   faults_);
  }

  // A text member; empty when absent and not needed.
  std::string text(const json::object& o, std::string_view key, const std::string& base,
                   bool needed = false) {
    const auto* found = o.if_contains(key);
    if (found != nullptr && found->is_string() && (!needed || !found->get_string().empty()))
      return std::string(found->get_string());
    if (found != nullptr || needed)
      fault(pointer_to(base, key), {"这里应为文字", "expected a text here"});
    return "";
  }

  bool truth(const json::object& o, std::string_view key, const std::string& base) {
    const auto* found = o.if_contains(key);
    if (found == nullptr) return false;
    if (!found->is_bool())
      fault(pointer_to(base, key), {"这里应为 true 或 false", "expected true or false here"});
    return bool_or(o, key);
  }

  std::int64_t wait(const json::object& o, std::string_view key, const std::string& base) {
    const auto* found = o.if_contains(key);
    if (found == nullptr) return 0;
    if (found->is_int64() && found->get_int64() >= 0 && found->get_int64() <= wait_max_ms)
      return found->get_int64();
    fault(pointer_to(base, key), {"这里应为毫秒数：0 以上的整数，最长十年",
                                  "expected whole milliseconds from 0, at most ten years"});
    return 0;
  }

  std::vector<std::string> texts(const json::object& o, std::string_view key,
                                 const std::string& base, std::size_t most) {
    std::vector<std::string> out;
    const auto* found = o.if_contains(key);
    if (found == nullptr) return out;
    const std::string at = pointer_to(base, key);
    if (!found->is_array() || found->get_array().size() > most) {
      fault(at, {fmt::format("这里应为列表，最多 {} 项", most),
                 fmt::format("expected a list of at most {} here", most)});
      return out;
    }
    for (std::size_t i = 0; i < found->get_array().size(); ++i) {
      const json::value& item = found->get_array()[i];
      if (item.is_string()) {
        out.emplace_back(item.get_string());
      } else {
        fault(pointer_to(at, std::to_string(i)), {"这里应为文字", "expected a text here"});
      }
    }
    return out;
  }

  void head(const json::object& o) {
    if (text(o, "type", "", true) != "playbook")
      fault("/type", {"这里应为 playbook", "expected playbook here"});
    const std::string version = text(o, "spec_version", "", true);
    if (version != "cacao-2.0")
      fault("/spec_version",
            {"只支持 cacao-2.0，这份是“" + std::string(clip(version, 40)) + "”",
             "only cacao-2.0 is read here, this says '" + std::string(clip(version, 40)) + "'"});
    out_.id = text(o, "id", "", true);
    if (type_of_id(out_.id) != "playbook")
      fault("/id", {"这里应为 playbook--UUID", "expected playbook--UUID here"});
    out_.name = text(o, "name", "", true);
    out_.description = text(o, "description", "");
    for (const char* key : {"created", "modified", "valid_from", "valid_until"}) {
      const bool needed = std::string_view(key) == "created" || std::string_view(key) == "modified";
      const std::string at = text(o, key, "", needed);
      if (!at.empty() && !from_rfc3339(at))
        fault(pointer_to("", key), {"这里应为 RFC 3339 时间", "expected an RFC 3339 time here"});
    }
    out_.created = text_or(o, "created");
    out_.modified = text_or(o, "modified");
    out_.valid_until = text_or(o, "valid_until");
    out_.revoked = truth(o, "revoked", "");
    const auto* workflow = o.if_contains("workflow");
    if (workflow == nullptr || !workflow->is_object())
      fault("/workflow", {"缺少 workflow 对象", "the object workflow is missing"});
  }

  void workflow(const json::object& o) {
    const json::object& all = o.at("workflow").get_object();
    if (all.size() > steps_max) {
      code_ = "cacao.too-large";
      fault("/workflow", {fmt::format("步骤超过 {} 个", steps_max),
                          fmt::format("more than {} steps", steps_max)});
      return;
    }
    for (const auto& member : all) {
      const std::string id(member.key());
      index_[id] = static_cast<int>(out_.steps.size());
      out_.steps.emplace_back();
      begin(id, member.value(), out_.steps.back());
    }
    for (Step& step : out_.steps)
      if (step.raw != nullptr) finish(step);
    out_.start = reference(o, "workflow_start", "", true);
    if (out_.start >= 0 && out_.steps[out_.start].kind != Step::Kind::start) {
      fault("/workflow_start", {"这里应为 start 步骤", "expected a step of the type start here"});
    }
    out_.exception = reference(o, "workflow_exception", "");
  }

  void begin(const std::string& id, const json::value& value, Step& step) {
    step.id = id;
    step.pointer = pointer_to("/workflow", id);
    if (!value.is_object()) {
      fault(step.pointer, {"步骤应为对象", "a step is an object"});
      return;
    }
    step.raw = &value.get_object();
    const std::string type = text(*step.raw, "type", step.pointer, true);
    const auto* known = std::find_if(std::begin(step_types), std::end(step_types),
                                     [&](const StepType& t) { return t.name == type; });
    if (known == std::end(step_types)) {
      step.raw = nullptr;
      if (type.empty()) return;
      code_ = "cacao.step-type";
      const std::string shown(clip(type, 64));
      fault(pointer_to(step.pointer, "type"),
            {"未知的步骤类型“" + shown + "”", "unknown type of step '" + shown + "'"});
      return;
    }
    step.kind = known->kind;
    if (type_of_id(id) != type)
      fault(step.pointer, {"步骤的键应为 " + type + "--UUID",
                           "the key of this step should be " + type + "--UUID"});
  }

  int reference(const json::object& o, std::string_view key, const std::string& base,
                bool needed = false) {
    const std::string id = text(o, key, base, needed);
    if (id.empty()) return -1;
    const auto found = index_.find(id);
    if (found != index_.end()) return found->second;
    fault(pointer_to(base, key), {"没有这个步骤", "there is no such step"});
    return -1;
  }

  void finish(Step& step) {
    const json::object& o = *step.raw;
    step.name = text(o, "name", step.pointer);
    step.description = text(o, "description", step.pointer);
    step.delay_ms = wait(o, "delay", step.pointer);
    step.timeout_ms = wait(o, "timeout", step.pointer);
    step.variables = variables(o, "step_variables", step.pointer);
    ways(step);
    switch (step.kind) {
      case Step::Kind::action:
        action(step);
        break;
      case Step::Kind::playbook:
        step.playbook_id = text(o, "playbook_id", step.pointer, true);
        break;
      case Step::Kind::parallel:
        parallel(step);
        break;
      case Step::Kind::either:
        step.no = reference(o, "on_false", step.pointer);
        [[fallthrough]];
      case Step::Kind::loop:
        step.condition = text(o, "condition", step.pointer, true);
        step.yes = reference(o, "on_true", step.pointer, true);
        break;
      case Step::Kind::choice:
        choice(step);
        break;
      default:
        break;
    }
  }

  void ways(Step& step) {
    const json::object& o = *step.raw;
    const bool completion = o.contains("on_completion");
    const bool outcome = o.contains("on_success") || o.contains("on_failure");
    if (completion && outcome)
      fault(step.pointer, {"on_completion 不能与 on_success、on_failure 并用",
                           "on_completion excludes on_success and on_failure"});
    if ((step.kind == Step::Kind::end && (completion || outcome)) ||
        (step.kind == Step::Kind::start && outcome))
      fault(step.pointer, {"这种步骤不能有这样的去向", "a step of this type has no such way out"});
    step.next = reference(o, completion ? "on_completion" : "on_success", step.pointer);
    step.failure = reference(o, "on_failure", step.pointer);
  }

  void action(Step& step) {
    const json::object& o = *step.raw;
    step.agent = text(o, "agent", step.pointer);
    step.targets = texts(o, "targets", step.pointer, commands_max);
    for (const std::string& arg : texts(o, "out_args", step.pointer, variables_max))
      if (const auto name = variable_name(arg)) step.out_args.push_back(*name);
    const auto* commands = o.if_contains("commands");
    if (commands == nullptr) return;
    const std::string at = pointer_to(step.pointer, "commands");
    if (!commands->is_array() || commands->get_array().size() > commands_max) {
      fault(at, {fmt::format("这里应为命令列表，最多 {} 条", commands_max),
                 fmt::format("expected a list of at most {} commands", commands_max)});
      return;
    }
    for (std::size_t i = 0; i < commands->get_array().size(); ++i) {
      const std::string place = pointer_to(at, std::to_string(i));
      const json::value& command = commands->get_array()[i];
      if (!command.is_object()) {
        fault(place, {"命令应为对象", "a command is an object"});
        continue;
      }
      text(command.get_object(), "type", place, true);
      for (const char* key : {"command", "command_b64", "description"})
        text(command.get_object(), key, place);
    }
  }

  void parallel(Step& step) {
    const auto heads = texts(*step.raw, "next_steps", step.pointer, cases_max);
    const std::string at = pointer_to(step.pointer, "next_steps");
    for (std::size_t i = 0; i < heads.size(); ++i) {
      const auto found = index_.find(heads[i]);
      if (found != index_.end()) {
        step.branches.push_back(found->second);
      } else {
        fault(pointer_to(at, std::to_string(i)), {"没有这个步骤", "there is no such step"});
      }
    }
    if (heads.empty()) fault(at, {"至少需要一个分支", "at least one branch is needed"});
  }

  void choice(Step& step) {
    // The layout extension's own example leaves `switch` out: a person then chooses.
    step.condition = text(*step.raw, "switch", step.pointer);
    const auto* cases = step.raw->if_contains("cases");
    const std::string at = pointer_to(step.pointer, "cases");
    if (cases == nullptr || !cases->is_object() || cases->get_object().empty() ||
        cases->get_object().size() > cases_max) {
      fault(at, {fmt::format("这里应为对象，含 1 到 {} 种情形", cases_max),
                 fmt::format("expected an object of 1 to {} cases", cases_max)});
      return;
    }
    for (const auto& member : cases->get_object()) {
      const int head = reference(cases->get_object(), member.key(), at, true);
      step.cases.emplace_back(std::string(member.key()), head);
    }
  }

  void agents(const json::object& o, std::string_view key, std::map<std::string, Agent>& out) {
    const auto* all = o.if_contains(key);
    if (all == nullptr) return;
    const std::string at = pointer_to("", key);
    if (!all->is_object() || all->get_object().size() > steps_max) {
      fault(at, {"这里应为对象", "expected an object here"});
      return;
    }
    for (const auto& member : all->get_object()) {
      const std::string place = pointer_to(at, member.key());
      if (!member.value().is_object()) {
        fault(place, {"这里应为对象", "expected an object here"});
        continue;
      }
      const json::object& one = member.value().get_object();
      out[std::string(member.key())] = {text(one, "type", place, true), text(one, "name", place),
                                        text(one, "description", place)};
    }
  }

  std::vector<Variable> variables(const json::object& o, std::string_view key,
                                  const std::string& base) {
    std::vector<Variable> out;
    const auto* all = o.if_contains(key);
    if (all == nullptr) return out;
    const std::string at = pointer_to(base, key);
    if (!all->is_object() || all->get_object().size() > variables_max) {
      fault(at, {fmt::format("这里应为对象，最多 {} 个变量", variables_max),
                 fmt::format("expected an object of at most {} variables", variables_max)});
      return out;
    }
    for (const auto& member : all->get_object()) {
      const std::string place = pointer_to(at, member.key());
      const auto name = variable_name(member.key());
      if (!name || !member.value().is_object()) {
        fault(place, {"变量应为名为 __名称__ 的对象", "a variable is an object named __name__"});
        continue;
      }
      const json::object& one = member.value().get_object();
      Variable made;
      made.name = *name;
      made.type = text(one, "type", place, true);
      made.description = text(one, "description", place);
      made.constant = truth(one, "constant", place);
      made.external = truth(one, "external", place);
      if (const auto* value = one.if_contains("value"); value != nullptr && !value->is_null()) {
        made.has_value = true;
        made.value = value->is_string() ? std::string(value->get_string())
                                        : std::string(json::serialize(*value));
      }
      out.push_back(std::move(made));
    }
    return out;
  }

  const json::value& value_;
  Playbook out_;
  std::map<std::string, int, std::less<>> index_;
  std::vector<FieldProblem> faults_;
  std::string code_ = "cacao.invalid";
};

}  // namespace

std::string pointer_to(std::string_view base, std::string_view part) {
  return std::string(base) + "/" + pointer_token(part);
}

Result<Playbook> parse_playbook(const json::value& value) { return PlaybookReader(value).read(); }

}  // namespace cw::cacao
