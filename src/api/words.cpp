#include "words.h"

#include <unordered_map>

#include "common.h"

namespace cw::api {
namespace {

Text join(const Text& head, const Text& tail) {
  return {head.zh + "：" + tail.zh, head.en + ": " + tail.en};
}

// The title of what an entry names: a task, action or clock of the case's definition.
Text named(const Services& s, const Entry& e) {
  auto d = s.engine.definition(e.procedure);
  // A task's limit is a clock of its own, named "task.<task>".
  std::string_view name = e.name;
  if (e.kind == "case.clock" && name.starts_with("task.")) name.remove_prefix(5);
  if (d) {
    for (const auto& t : d->tasks)
      if (t.id == name) return t.title;
    for (const auto& a : d->actions)
      if (a.id == name) return a.title;
    for (const auto& c : d->clocks)
      if (c.id == name) return c.title;
    for (std::size_t i = 0; i < d->flags.size(); ++i)
      if (d->flags[i] == e.name) return d->flag_titles[i];
    for (const auto& state : d->states)
      if (state.id == e.name) return state.title;
    if (e.name.empty()) return d->title;
  }
  return {e.name, e.name};
}

// A value as entries hold it, in words; `fact` -1: a state's id.
Text value_words(const Services& s, const Definition& d, int fact, const json::value& v) {
  if (v.is_null()) return {"未定", "not set"};
  if (v.is_bool()) return v.get_bool() ? Text{"是", "yes"} : Text{"否", "no"};
  if (v.is_string()) {
    const std::string text(v.get_string());
    if (fact < 0) {
      const int state = d.state(text);
      return state < 0 ? Text{text, text} : d.states[state].title;
    }
    const FactDef& def = d.facts[fact];
    if (const int i = def.ordinal(text); i >= 0 && !def.words.empty()) return def.words[i];
    const std::string name = person_ref(s, text).name;
    return {name, name};
  }
  const std::int64_t number = v.to_number<std::int64_t>();
  std::string text = std::to_string(number);
  if (fact >= 0 && d.facts[fact].type == FieldType::time) {
    auto calendar = s.engine.library().calendar(d.calendar);
    text = calendar ? calendar->local(number) : to_rfc3339(number);
    text = text.substr(0, 10) + " " + text.substr(11, 5);
  }
  return {text, text};
}

const std::unordered_map<std::string_view, Text>& heads() {
  static const std::unordered_map<std::string_view, Text> all = {
      {"journal.created", {"建立审计链", "The ledger was created"}},
      {"journal.clock-back", {"服务器时钟倒退", "The server's clock went back"}},
      {"system.started", {"系统启动", "The system started"}},
      {"case.start", {"提交", "Filed"}},
      {"case.act", {"办理", "Done"}},
      {"case.task", {"完成任务", "Task done"}},
      {"case.ask", {"提请审批", "Approval asked"}},
      {"case.approve", {"批准", "Approved"}},
      {"case.reject", {"不批准", "Rejected"}},
      {"case.auto", {"自动执行", "By itself"}},
      {"case.clock", {"时限", "Clock"}},
      {"case.claim", {"认领任务", "Task claimed"}},
      {"case.assign", {"指派任务", "Task assigned"}},
      {"case.command", {"接任指挥", "Command taken"}},
      {"case.note", {"记录", "Note"}},
      {"case.delegate", {"委托", "Delegated"}},
      {"case.undelegate", {"收回委托", "Delegation withdrawn"}},
      {"case.link", {"关联", "Linked"}},
      {"case.merge", {"并入其他案件", "Merged"}},
      {"case.watch", {"关注", "Watched"}},
      {"case.schedule", {"按时自动发起", "Opened on schedule"}},
      {"case.adopt", {"启用流程版本", "Procedure version in use"}},
      {"drill.planned", {"计划演练", "Drill planned"}},
      {"drill.moved", {"演练改期", "Drill moved"}},
      {"drill.cancelled", {"演练取消", "Drill cancelled"}},
      {"drill.began", {"演练开始", "Drill began"}},
      {"drill.injected", {"演练注入情况", "Drill inject"}},
      {"drill.ended", {"演练结束并评分", "Drill ended and scored"}},
      {"drill.observed", {"演练观察", "Drill observed"}},
      {"drill.concluded", {"演练评估结论", "Drill concluded"}},
      {"drill.finding", {"演练发现转整改", "Drill finding to be corrected"}},
      {"definition.installed", {"系统自带的流程与表单生效", "Shipped definitions in force"}},
      {"definition.gone", {"流程或表单不再提供", "Definitions no longer there"}},
      {"definition.saved", {"保存修订", "Revision saved"}},
      {"definition.submitted", {"修订提交审核", "Revision submitted for review"}},
      {"definition.commented", {"修订意见", "Comment on a revision"}},
      {"definition.returned", {"退回修订", "Revision returned"}},
      {"definition.passed", {"修订通过审核", "Revision passed its review"}},
      {"definition.simulated", {"推演修订", "Revision simulated"}},
      {"definition.approved", {"批准修订", "Revision approved"}},
      {"definition.withdrawn", {"撤回修订", "Revision withdrawn"}},
      {"definition.effective", {"修订生效", "Revision in force"}},
      {"definition.halted", {"修订未能生效", "Revision could not come into force"}},
      {"definition.migration-began", {"开始迁移案件", "Migration of cases began"}},
      {"definition.migration-batch", {"迁移一批案件", "A batch of cases moved"}},
      {"definition.migration-stopped", {"停止迁移案件", "Migration of cases stopped"}},
      {"evidence.added", {"提交证据", "Evidence added"}},
      {"alert.fired", {"告警触发", "Alert fired"}},
      {"alert.refired", {"告警再次触发", "Alert fired again"}},
      {"alert.taken", {"告警被领取", "Alert taken"}},
      {"alert.released", {"告警被退回", "Alert given back"}},
      {"alert.promoted", {"告警转为事件", "Alert promoted"}},
      {"alert.merged", {"告警并入案件", "Alert merged"}},
      {"alert.dismissed", {"告警被排除", "Alert dismissed"}},
      {"alert.reopened", {"告警重新打开", "Alert reopened"}},
      {"alert.quiet", {"告警平息", "Alert quiet"}},
      {"alert.silenced", {"设置静默", "Silence set"}},
      {"alert.unsilenced", {"解除静默", "Silence lifted"}},
      {"case.migrate", {"迁移到新版本", "Moved to another version"}},
      {"case.recount", {"日历更新，重算时限", "Due times computed anew"}},
      {"roster.set", {"启用值班表", "Roster in force"}},
      {"roster.ended", {"停用值班表", "Roster ended"}},
      {"roster.assigned", {"安排值班", "Put on a shift"}},
      {"roster.swap", {"换班", "Swap"}},
      {"roster.leave", {"休假", "Leave"}},
      {"roster.qualified", {"登记资质", "Qualified"}},
      {"roster.unqualified", {"取消资质", "Not qualified any more"}},
      {"roster.link", {"订阅班次的链接", "Calendar link"}},
      {"roster.reachable", {"确认可联系", "Confirmed as reachable"}},
      {"roster.handover", {"交接班签字", "Handover signed"}},
      {"roster.call", {"值班呼叫", "Duty call"}},
      {"roster.reminded", {"值班提醒", "Duty reminder"}},
      {"identity.signed-in", {"登录", "Signed in"}},
      {"identity.signed-out", {"退出登录", "Signed out"}},
      {"identity.stepped-up", {"再次验证身份", "Proved who they are again"}},
      {"identity.refused", {"登录被拒绝", "Sign-in refused"}},
      {"identity.locked", {"登录被暂时锁定", "Sign-in locked for a time"}},
      {"identity.password-set", {"设置密码", "Password set"}},
      {"identity.totp-set", {"启用动态口令", "Second factor on"}},
      {"identity.totp-removed", {"停用动态口令", "Second factor off"}},
      {"identity.recovery-used", {"使用恢复码", "Recovery code used"}},
      {"identity.person-added", {"新增人员", "Person added"}},
      {"identity.person-changed", {"修改人员资料", "Person changed"}},
      {"identity.person-active", {"启用或停用人员", "Person activated or stopped"}},
      {"identity.person-erased", {"清除人员资料", "Person's particulars erased"}},
      {"identity.org-set", {"设置机构", "Organisation set"}},
      {"identity.role-set", {"设置角色", "Role set"}},
      {"identity.granted", {"授予角色", "Role granted"}},
      {"identity.withdrawn", {"收回角色", "Role withdrawn"}},
      {"identity.post-set", {"调整岗位", "Post set"}},
      {"identity.delegated", {"委托岗位", "Posts delegated"}},
      {"identity.delegation-ended", {"结束委托", "Delegation ended"}},
      {"case.reader", {"限阅名单", "Readers"}},
      {"identity.team-set", {"调整小组", "Team set"}},
      {"identity.queue-set", {"调整受理队列", "Queue set"}},
      {"identity.token-added", {"生成令牌", "Token made"}},
      {"identity.token-revoked", {"吊销令牌", "Token revoked"}},
      {"notify.sent", {"通知送达", "Notification delivered"}},
      {"notify.failed", {"通知未送达", "Notification failed"}},
  };
  return all;
}

}  // namespace

Text entry_title(const Services& s, const Entry& e) {
  auto head = heads().find(e.kind);
  bool is_case = e.kind.starts_with("case.");
  if (head == heads().end())
    return is_case ? join({e.kind, e.kind}, named(s, e)) : Text{e.kind, e.kind};
  if (e.kind == "case.note" && bool_or(e.body, "decision")) return {"决策", "Decision"};
  if (is_case && e.kind != "case.note" && e.kind != "case.command" && e.kind != "case.watch" &&
      e.kind != "case.reader" && e.kind != "case.delegate" && e.kind != "case.undelegate")
    return join(head->second, named(s, e));
  return head->second;
}

std::optional<Text> entry_detail(const Services& s, const Entry& e) {
  const auto* amended = e.body.if_contains("amended");
  auto d = s.engine.definition(e.procedure);
  if (!amended || !amended->is_object() || !d) return std::nullopt;
  Text out;
  for (const auto& [name, change] : amended->get_object()) {
    const int fact = d->fact(name);
    const Text title = fact < 0 ? Text{"状态", "State"} : d->facts[fact].title;
    const json::object& both = change.get_object();
    const Text was = value_words(s, *d, fact, both.at("old")),
               is = value_words(s, *d, fact, both.at("new"));
    out.zh += (out.zh.empty() ? "" : "；") + title.zh + "：" + was.zh + " → " + is.zh;
    out.en += (out.en.empty() ? "" : "; ") + title.en + ": " + was.en + " → " + is.en;
  }
  return out;
}

Text basis_title(std::string_view basis) {
  static const std::unordered_map<std::string_view, Text> kinds = {
      {"post", {"岗位", "post"}},
      {"duty", {"当班", "on duty as"}},
      {"deputy", {"代理岗位", "deputy for post"}},
      {"team", {"小组", "team"}},
      {"queue", {"受理队列", "queue"}},
      {"any", {"任何人", "anybody"}},
      {"role", {"角色", "role"}},
      {"field", {"案件中指定", "named in the case"}},
      {"subject", {"当事人", "the subject"}},
      {"delegate", {"受委托", "delegated by"}},
      {"permission", {"权限", "permission"}},
      {"auto", {"自动", "by itself"}},
      {"schedule", {"定期", "schedule"}},
      {"due", {"到时", "time came"}}};
  std::size_t colon = basis.find(':');
  auto kind = kinds.find(basis.substr(0, colon));
  if (kind == kinds.end()) return {std::string(basis), std::string(basis)};
  if (colon == std::string_view::npos) return kind->second;
  std::string rest(basis.substr(colon + 1));
  return {kind->second.zh + " " + rest, kind->second.en + " " + rest};
}

bool is_key_entry(const Entry& e) {
  if (e.kind == "case.note") return bool_or(e.body, "decision");
  return e.kind == "case.start" || e.kind == "case.act" || e.kind == "case.task" ||
         e.kind == "case.approve" || e.kind == "case.reject" || e.kind == "case.command" ||
         e.kind == "case.auto" || e.kind == "case.clock" || e.kind == "case.merge";
}

}  // namespace cw::api
