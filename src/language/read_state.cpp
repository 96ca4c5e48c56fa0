// States with their tasks and actions.
#include <algorithm>

#include "base/text.h"
#include "read.h"

namespace cw {

void DefinitionReader::states(const YamlNode& node) {
  if (!node.is_map()) return;  // reported while the names were declared
  int index = 0;
  for (const auto& [key, body] : node.entries) {
    if (!key.is_scalar() || index >= static_cast<int>(d_->states.size())) continue;
    state_body(body, index++);
  }
  if (d_->states.empty()) {
    reader_.mistake(node, "procedure.state", {"至少需要一个状态", "at least one state is needed"});
  }
}

void DefinitionReader::state_body(const YamlNode& body, int index) {
  const std::string id = d_->states[index].id;
  d_->states[index].title = {id, id};
  if (!reader_.map(body)) return;
  reader_.keys(body, {"tasks", "actions", "enter", "final", "retain", "title"});
  d_->states[index].title = title_of(body, id);
  if (const YamlNode* final_node = body.find("final")) {
    d_->states[index].final = reader_.boolean(*final_node);
  }
  if (d_->states[index].final) {
    for (const char* key : {"tasks", "actions"}) {
      if (const YamlNode* found = body.find(key)) {
        reader_.mistake(*found, "procedure.final",
                        {"终结状态不能有任务或动作", "a final state has no tasks and no actions"});
      }
    }
  }
  if (const YamlNode* retain = body.find("retain")) {
    const std::string& text = retain->text;
    const int amount =
        text.empty() ? 0
                     : to_int<int>(std::string_view(text).substr(0, text.size() - 1)).value_or(0);
    const char unit = text.empty() ? ' ' : text.back();
    const int days = unit == 'y' ? 366 : unit == 'd' ? 1 : 0;
    if (amount < 1 || days == 0 || amount > 36'600 / days) {
      reader_.mistake(*retain, "procedure.limit",
                      {"保留期应为例如 3y 或 180d，最长 100 年",
                       "expected a time to keep it such as 3y or 180d, at most 100 years"});
    } else {
      d_->states[index].retain_days = amount * days;
    }
    if (!d_->states[index].final) {
      reader_.mistake(*retain, "procedure.final",
                      {"只有终结状态有保留期", "only a final state says how long to keep a case"});
    }
  }
  for (const int i : d_->states[index].tasks) task(*task_bodies_[i], d_->tasks[i], i);
  for (const int i : d_->states[index].actions) action(*action_bodies_[i], d_->actions[i], i);
  if (const YamlNode* enter = body.find("enter")) d_->states[index].enter = effects(*enter);
}

void DefinitionReader::condition(const YamlNode& node, Use use, int index) {
  const std::string source = reader_.string(node);
  if (source.empty()) return;
  std::vector<Complaint> complaints;
  conditions_.push_back({use, index, &node, parse_expression(source, complaints)});
  for (Complaint& c : complaints) {
    reader_.mistake(node.line, tree_.column_in(node, c.offset), c.code, std::move(c.text));
  }
}

void DefinitionReader::task(const YamlNode& body, TaskDef& out, int index) {
  out.title = {out.id, out.id};
  out.calendar = d_->calendar;
  if (!reader_.map(body)) return;
  reader_.keys(body, {"by", "form", "when", "limit", "key", "calendar", "late", "set", "do",
                      "approve", "evidence", "outbound", "title"});
  if (const YamlNode* by = reader_.need(body, "by")) out.by = role_list(*by);
  if (const YamlNode* form = body.find("form")) out.form = form_index(*form);
  out.title = title_of(body, out.id, out.form);
  if (const YamlNode* when = body.find("when")) condition(*when, Use::task_when, index);
  out.limit = limit(body);
  if (const YamlNode* node = body.find("calendar")) out.calendar = calendar(*node);
  if (const YamlNode* late = body.find("late")) {
    out.late = effects(*late);
    if (out.limit.none() && body.find("limit") == nullptr) {
      reader_.mistake(*late, "procedure.limit",
                      {"没有 limit，late 不会发生", "without a limit this is never late"});
    }
  }
  if (const YamlNode* set = body.find("set")) out.set = assignments(*set, out.form);
  if (const YamlNode* more = body.find("do")) out.effects = effects(*more);
  if (const YamlNode* approve = body.find("approve")) out.approve = approval(*approve);
  if (const YamlNode* evidence = body.find("evidence")) {
    out.evidence = static_cast<int>(reader_.integer(*evidence, 1, 100));
  }
  if (const YamlNode* outbound = body.find("outbound")) out.outbound = reader_.boolean(*outbound);
}

// approve: chief, or {by: [chief, legal], quorum: 2, order: true}.
Approval DefinitionReader::approval(const YamlNode& node) {
  Approval out;
  if (!node.is_map()) {
    out.roles = role_list(node);
    out.quorum = 1;
    return out;
  }
  reader_.keys(node, {"by", "quorum", "order"});
  if (const YamlNode* by = reader_.need(node, "by")) out.roles = role_list(*by);
  if (const YamlNode* order = node.find("order")) out.ordered = reader_.boolean(*order);
  out.quorum = out.ordered ? static_cast<int>(out.roles.size()) : 1;
  if (const YamlNode* quorum = node.find("quorum")) {
    out.quorum = static_cast<int>(reader_.integer(*quorum, 1, 9));
    if (out.ordered && out.quorum != static_cast<int>(out.roles.size())) {
      reader_.mistake(*quorum, "procedure.approve",
                      {"按顺序批准时，每个角色各一人，不另写 quorum",
                       "an approval in order takes one person of each role; leave quorum out"});
    }
  }
  return out;
}

void DefinitionReader::action(const YamlNode& body, ActionDef& out, int index) {
  out.title = {out.id, out.id};
  if (!reader_.map(body)) return;
  reader_.keys(body, {"by", "auto", "upon", "form", "guard", "to", "set", "do", "approve",
                      "outbound", "repeat", "title"});
  const YamlNode* by = body.find("by");
  if (const YamlNode* form = body.find("form")) out.form = form_index(*form);
  out.title = title_of(body, out.id, out.form);
  if ((by != nullptr) + (body.find("auto") != nullptr) + (body.find("upon") != nullptr) != 1) {
    reader_.mistake(
        body, "procedure.action",
        {"动作须且只须写明 by、auto、upon 之一", "an action says exactly one of by, auto, upon"});
  }
  if (by != nullptr) out.by = role_list(*by);
  automatic(body, out, index);
  if (const YamlNode* to = body.find("to")) {
    out.to = state_index(*to);
    if (out.to < 0) way_unknown_[out.state] = true;
  }
  if (const YamlNode* guard = body.find("guard")) {
    condition(*guard, Use::action_guard, index);
    if (by == nullptr) {
      reader_.mistake(*guard, "procedure.action",
                      {"guard 只用于由人执行的动作", "a guard is for what people do"});
    }
  }
  if (const YamlNode* set = body.find("set")) out.set = assignments(*set, out.form);
  if (const YamlNode* more = body.find("do")) out.effects = effects(*more);
  if (const YamlNode* approve = body.find("approve")) out.approve = approval(*approve);
  if (const YamlNode* outbound = body.find("outbound")) out.outbound = reader_.boolean(*outbound);
  if (const YamlNode* repeat = body.find("repeat")) out.repeat = reader_.boolean(*repeat);
}

// What happens by itself: `auto` when a condition holds, `upon` when a clock expires.
void DefinitionReader::automatic(const YamlNode& body, ActionDef& out, int index) {
  const YamlNode* on = body.find("upon");
  const YamlNode* when = body.find("auto");
  if (when != nullptr) {
    out.kind = ActionDef::Kind::automatic;
    condition(*when, Use::action_auto, index);
    if (body.find("to") == nullptr) {
      reader_.mistake(body, "procedure.action",
                      {"auto 动作须有 to，否则会一直触发",
                       "an auto action needs `to`, or it would fire for ever"});
    }
  } else if (on != nullptr) {
    out.kind = ActionDef::Kind::upon;
    std::vector<std::string> names;
    for (const ClockDef& clock : d_->clocks) names.push_back("clock." + clock.id);
    out.clock = find(*on, names, "procedure.clock", {"时钟", "clock"});
    if (out.clock >= 0) d_->clocks[out.clock].expires = true;
  } else {
    return;
  }
  for (const char* key : {"form", "approve", "repeat"}) {
    if (const YamlNode* found = body.find(key)) {
      reader_.mistake(*found, "procedure.action",
                      {"自动发生的动作没有这一项", "what happens by itself has no such key"});
    }
  }
}

}  // namespace cw
