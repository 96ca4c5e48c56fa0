#include "story.h"

#include <fmt/format.h>

#include <ostream>

#include "base/text.h"
#include "commands.h"
#include "procedure/cases.h"

namespace cw {
namespace {

constexpr std::int64_t kMinute = 60'000;

std::string some_hash(int n) {
  Hash h = sha256("evidence " + std::to_string(n));
  return "sha256:" + to_hex(bytes_of(h));
}

}  // namespace

std::string asterisk_attack(std::int64_t now_ms, int count, const std::string& address, int first) {
  std::string out;
  for (int i = 0; i < count; ++i) {
    std::int64_t at = now_ms - (count - i) * 500;
    std::string time = to_rfc3339(at + 8 * 3'600'000);  // Asterisk writes the machine's local time
    out += fmt::format(
        "[{} {}] SECURITY[2211] res_security_log.c: "
        "SecurityEvent=\"InvalidPassword\",EventTV=\"{}-{:06}\",Severity=\"Error\","
        "Service=\"PJSIP\",EventVersion=\"2\",AccountID=\"{}\",SessionID=\"0x7f{:08x}\","
        "LocalAddress=\"IPV4/UDP/192.0.2.10/5060\","
        "RemoteAddress=\"IPV4/UDP/{}/"
        "5071\",Challenge=\"5f1e3c2a\",ReceivedChallenge=\"5f1e3c2a\",ReceivedHash=\"{:032x}\"\n",
        time.substr(0, 10), time.substr(11, 8), at / 1000, at % 1000 * 1000,
        8000 + (first + i) % 40, first + i, address, first + i);
  }
  return out;
}

Story::Story(Installation& installation, ManualClock& clock, const Centre& centre,
             std::ostream& out)
    : in_(installation), clock_(clock), centre_(centre), out_(out) {}

bool Story::step(const char* zh, const char* en, bool happened) {
  ++steps_;
  out_ << fmt::format("{:2} {} {} {}\n", steps_, to_rfc3339(clock_.now_ms()).substr(0, 16),
                      happened ? "✓" : "✗", speaks_english() ? en : zh);
  return happened;
}

bool Story::command(const char* zh, const char* en, Result<Decide> decide) {
  Result<Answer> answer =
      decide ? in_.journal().run({}, std::move(*decide)) : Result<Answer>(decide.problem());
  if (!answer) complain(answer.problem());
  return step(zh, en, answer.ok());
}

bool Story::act(const char* zh, const char* en, const std::string& who, const std::string& action,
                json::object form) {
  return command(zh, en,
                 in_.engine().act({case_, centre_.id(who), {}}, action, {}, std::move(form)));
}

bool Story::task(const char* zh, const char* en, const std::string& who, const std::string& name,
                 json::object form, int evidence) {
  std::vector<std::string> files;
  for (int i = 0; i < evidence; ++i) files.push_back(some_hash(steps_ * 100 + i));
  return command(
      zh, en,
      in_.engine().do_task({case_, centre_.id(who), {}}, name, std::move(files), std::move(form)));
}

std::string Story::state(const std::string& id) const {
  return in_.journal().read([&] {
    auto view = in_.engine().view(id, "");
    return view ? view->state : std::string();
  });
}

void Story::pass(std::int64_t minutes) {
  clock_.advance_ms(minutes * kMinute);
  in_.advance();
}

bool Story::attack() {
  auto pushed = in_.watch().push("pbx", asterisk_attack(clock_.now_ms(), 20, "198.51.100.77"));
  in_.watch().drain();
  if (!step("话务系统日志送达", "The telephone system's log arrived", pushed.ok())) return false;
  in_.journal().read([&] {
    in_.alerts().each([&](const watch::Alert& a) {
      if (a.rule == "call-centre-15-sip-brute-force") alert_ = a.id;
    });
  });
  if (!step("规则 15 触发告警", "Rule 15 fired an alert", !alert_.empty())) return false;
  in_.advance();
  if (!step("值班长收到通知", "The duty officer was told",
            in_.notify().unread(centre_.id("wang")) > 0))
    return false;
  watch::AlertAct by{alert_, centre_.id("wang"), "post:duty-officer", {}};
  if (!command("值班长领取告警", "The duty officer took the alert", in_.alerts().take(by)))
    return false;
  clock_.advance_ms(2 * kMinute);
  auto start = in_.engine().start({.procedure = "plan.system-attack",
                                   .org = centre_.org(),
                                   .actor = centre_.id("wang"),
                                   .form = {{"discovered_at", now()},
                                            {"summary", "话务系统遭口令爆破"},
                                            {"source", "monitoring"},
                                            {"affected", "SIP 注册服务"}},
                                   .origin = alert_});
  if (!start) return complain(start.problem()), step("提交应急报告", "Urgent report", false);
  auto answer = in_.journal().run(
      {}, in_.alerts().promote(
              by, [start = *start](Draft& d, const watch::Alert&) -> Result<std::string> {
                auto made = start(d);
                if (!made) return std::move(made).problem();
                return std::string(text_or(*made, "case"));
              }));
  if (!answer)
    return complain(answer.problem()), step("告警转为事件", "The alert became an incident", false);
  case_ = text_or(answer->body, "case");
  if (!step("告警转为事件，应急报告同时提交",
            "The alert became an incident with its urgent report, in one commit",
            state(case_) == "reported"))
    return false;
  std::vector<std::string> others = in_.journal().read([&] {
    std::vector<std::string> out;
    in_.alerts().each([&](const watch::Alert& a) {
      if (!a.closed()) out.push_back(a.id);
    });
    return out;
  });
  for (const auto& id : others) {
    auto any = [](const std::string&, const watch::Alert&) -> Status { return done(); };
    if (!command("同源告警并入事件", "An alert of the same source was merged",
                 in_.alerts().merge({id, by.actor, by.basis, {}}, case_, any)))
      return false;
  }
  return true;
}

bool Story::respond() {
  if (!task("值班长受理", "Acknowledged by the duty officer", "wang", "ack", {})) return false;
  if (!act("研判并启动预案，Ⅱ 级", "Triaged and activated, level II", "wang", "activate",
           {{"severity", "II"},
            {"grade", "general"},
            {"people", 0},
            {"operator", "other"},
            {"hazard", "low"},
            {"kind", "guess"},
            {"service", "degraded"},
            {"grounds", "同一地址持续猜测分机口令"}}))
    return false;
  if (!command("指挥长接任并通报", "The commander took command with a brief",
               in_.engine().take_command({case_, centre_.id("li"), {}},
                                         "已知：爆破持续，注册变慢；先阻断来源。")))
    return false;
  pass(31);
  auto raised = in_.journal().read([&] {
    auto view = in_.engine().view(case_, "");
    return view && view->level == "leadership" && view->brief_due;
  });
  if (!step("阻断任务超时，升级到领导小组",
            "The blocking limit passed: raised to the leading group", raised))
    return false;
  if (!command("领导小组接任", "The leading group took command",
               in_.engine().take_command({case_, centre_.id("chen"), {}},
                                         "防火墙变更延误，现由我指挥。")))
    return false;
  if (!task("阻断攻击来源", "Sources blocked", "he", "block",
            {{"contained_at", now()},
             {"outcome", "stopped"},
             {"addresses",
              json::array{json::object{{"address", "198.51.100.77"}, {"place", "firewall"}}}}}))
    return false;
  if (!task(
          "保全日志与话单", "Logs and call records preserved", "he", "preserve",
          {{"place", "证据库 A"},
           {"items", json::array{json::object{
                         {"name", "security.log"}, {"source", "PBX-1"}, {"collected_at", now()}}}}},
          1))
    return false;
  if (!task("核查并更换口令", "Passwords checked and changed", "sun", "accounts",
            {{"checked", 40}, {"changed", 6}, {"signs", "none"}}))
    return false;
  if (!task("恢复业务", "Service restored", "he", "restore",
            {{"restored_at", now()}, {"steps", "重启注册服务"}, {"tests", "拨测 20 路正常"}}))
    return false;
  return task("详细书面报告", "Detailed report filed", "wang", "detail",
              {{"course", "09:00 起同一地址猜测口令"},
               {"impact", "注册变慢约半小时"},
               {"measures", "阻断、换口令"},
               {"next_steps", "观察"}});
}

bool Story::corrective(const std::string& id, const std::string& owner) {
  auto by = [&](const std::string& who) { return By{id, centre_.id(who), {}}; };
  return command("责任人提交整改计划", "The owner planned the action",
                 in_.engine().act(by(owner), "plan", {}, {{"steps", "本周完成"}})) &&
         command("完成整改", "The action was done",
                 in_.engine().do_task(by(owner), "done", {some_hash(7)},
                                      {{"done", "已上线"}, {"done_at", now()}})) &&
         command("提交核查", "Submitted for the check",
                 in_.engine().act(by(owner), "submit", {}, {})) &&
         command("核查有效", "The check found it effective",
                 in_.engine().act(
                     by("wu"), "pass", {},
                     {{"effective", true}, {"method", "复测"}, {"finding", "同样攻击被自动阻断"}}));
}

bool Story::recover() {
  if (!act("解除应急状态", "Released", "chen", "release", {{"grounds", "来源已阻断，业务已恢复"}}))
    return false;
  pass(24 * 60 + 1);
  if (!step("观察期满，无复发", "Observation over, nothing recurred",
            state(case_) == "investigating"))
    return false;
  if (!task("提交调查结论", "Findings filed", "wu", "findings",
            {{"cause", "分机口令过弱"},
             {"root_cause", "没有口令策略"},
             {"responsibility", "系统运维"},
             {"items", json::array{json::object{{"title", "启用口令策略"},
                                                {"measure", "16 位随机口令"},
                                                {"owner", centre_.id("he")},
                                                {"priority", "high"}},
                                   json::object{{"title", "自动封禁"},
                                                {"measure", "边界自动封禁"},
                                                {"owner", centre_.id("sun")},
                                                {"priority", "medium"}}}}},
            1))
    return false;
  if (!act("采纳结论，生成整改事项", "Findings adopted, corrective actions opened", "chen", "adopt",
           {{"decision", "同意"}}))
    return false;
  std::vector<std::string> children = in_.journal().read([&] {
    std::vector<std::string> out;
    if (auto view = in_.engine().view(case_, ""))
      for (const auto& link : view->links)
        if (link.kind == "child") out.push_back(link.id);
    return out;
  });
  if (!step("两项整改已立项", "Two corrective actions are open", children.size() == 2))
    return false;
  for (const auto& id : children) {
    std::string owner = in_.journal().read([&] {
      auto view = in_.engine().view(id, "");
      for (const auto& f : view->facts)
        if (f.id == "owner" && f.value.is_string() &&
            std::string_view(f.value.get_string()) == centre_.id("he"))
          return "he";
      return "sun";
    });
    if (!corrective(id, owner)) return false;
  }
  return step("整改全部有效，事件自动办结", "All actions effective: the incident closed itself",
              state(case_) == "closed");
}

bool Story::verify() {
  in_.advance();
  auto log = open_log(in_.ledger_folder());
  auto report = log ? verify_log(**log, {.key = in_.ledger().verifier_key(), .threads = 1})
                    : Result<VerifyReport>(log.problem());
  if (!report) complain(report.problem());
  if (!step("审计链全部条目核验一致", "Every entry of the ledger verifies",
            report.ok() && report->to == in_.journal().size()))
    return false;
  auto proof = in_.ledger().prove(in_.journal().size() / 2);
  auto proven = proof ? verify_proof(*proof, in_.ledger().verifier_key())
                      : Result<VerifyReport>(proof.problem());
  return step("单条证明可离线核验", "One entry's proof verifies on its own", proven.ok());
}

}  // namespace cw
