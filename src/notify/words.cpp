// The sentences that leave the house. To add one: a line in kSentences.
#include <fmt/format.h>

#include "base/text.h"
#include "impl.h"

namespace cw {
namespace {

struct SentenceRow {
  std::string_view about;
  Text title;
  Text body;
};

// {text}: the thing's title; {percent}, {due}: of its limit; {number}: of the case.
const std::vector<SentenceRow>& sentences() {
  static const std::vector<SentenceRow> rows = {
      {"mark",
       {"{text}：时限已用 {percent}%", "{text}: {percent}% of its limit is used"},
       {"请在到期前完成。", "Finish it before it is due."}},
      {"task_late",
       {"任务已超时：{text}", "Task late: {text}"},
       {"任务仍需完成；超时已记录。", "The task still has to be done; the lateness is on record."}},
      {"flag",
       {"已标记：{text}", "Flagged: {text}"},
       {"请打开案件查看原因。", "Open the case to see why."}},
      {"command",
       {"指挥级别已升至：{text}", "Command raised to: {text}"},
       {"请接管指挥并确认交接简报。", "Take command and confirm the handover brief."}},
      {"approval",
       {"等待批准：{text}", "Approval wanted: {text}"},
       {"请打开案件，查看将要改变的内容后再决定。",
        "Open the case and see what will change before you decide."}},
      {"assigned",
       {"已指派给您：{text}", "Assigned to you: {text}"},
       {"请打开案件办理。", "Open the case to do it."}},
      {"work",
       {"等您办理：{text}", "Waiting for you: {text}"},
       {"请打开案件，完成您岗位的任务或决定。",
        "Open the case: tasks or a decision of your post wait there."}},
      {"effect", {"{text}", "{text}"}, {"请打开案件查看。", "Open the case to see it."}},
      {"sending",
       {"对外发送：{text}", "To send out: {text}"},
       {"内容已封存在案件中；请按预案对外发送并登记回执。",
        "The contents are sealed in the case; send them as the plan says and record the receipt."}},
      {"alert",
       {"新告警：{text}", "New alert: {text}"},
       {"请研判：升级、合并或忽略。", "Triage it: promote, merge or dismiss."}},
      {"source_silent",
       {"日志源无数据：{text}", "A source fell silent: {text}"},
       {"静默可能是故障，也可能是有人切断了它。",
        "Silence may be a fault, or somebody may have cut it off."}},
      {"duty_call",
       {"值班呼叫：{text}", "Duty call: {text}"},
       {"请立即应答；无人应答将逐级上报。",
        "Answer it now; without an answer it goes up to the next layer."}},
      {"duty_gap",
       {"班次缺人：{text}", "A shift lacks somebody: {text}"},
       {"请安排备班人员或换班。", "Call standby in, or arrange a swap."}},
      {"duty_not_ready",
       {"值班准备未完成：{text}", "Not ready for duty: {text}"},
       {"请打开值班表查看原因；能联系到您时请点“确认可联系”。",
        "Open the roster to see why; say there that you can be reached."}},
      {"handover_due",
       {"交接班未签字：{text}", "Handover not signed: {text}"},
       {"请交班、接班双方在值班表中签字。", "Both sides sign it in the roster."}},
      {"revision", {"{text}", "{text}"}, {"请打开修订查看。", "Open the revision to see it."}},
      {"test",
       {"测试消息", "Test message"},
       {"收到此消息说明通道可用。", "That you read this shows that the channel works."}},
  };
  return rows;
}

const SentenceRow* row_of(std::string_view about) {
  for (const auto& r : sentences()) {
    if (r.about == about) return &r;
  }
  return nullptr;
}

std::string filled(std::string_view pattern, const Message& m, std::string_view lang) {
  std::string out;
  while (!pattern.empty()) {
    auto open = pattern.find('{');
    out += pattern.substr(0, open);
    if (open == std::string_view::npos) break;
    auto close = pattern.find('}', open);
    CW_CHECK(close != std::string_view::npos);
    std::string_view key = pattern.substr(open + 1, close - open - 1);
    if (key == "text") out += m.text.in(lang).empty() ? m.name : m.text.in(lang);
    if (key == "percent") out += std::to_string(m.percent);
    pattern.remove_prefix(close + 1);
  }
  return out;
}

}  // namespace

bool is_known_about(std::string_view about) { return row_of(about) != nullptr; }

std::string local_time(std::int64_t utc_ms, int offset_minutes) {
  std::string t = to_rfc3339(utc_ms + offset_minutes * 60'000ll);
  int absolute = offset_minutes < 0 ? -offset_minutes : offset_minutes;
  return fmt::format("{} {} (UTC{}{:02}:{:02})", t.substr(0, 10), t.substr(11, 5),
                     offset_minutes < 0 ? '-' : '+', absolute / 60, absolute % 60);
}

Sentence sentence_of(const Message& m, const NotifyOptions& options) {
  const SentenceRow* row = row_of(m.about);
  CW_CHECK(row != nullptr);
  Sentence s;
  for (bool en : {false, true}) {
    std::string lang = en ? "en" : "zh";
    std::string& title = en ? s.title.en : s.title.zh;
    std::string& body = en ? s.body.en : s.body.zh;
    if (m.drill) title += en ? "[DRILL] " : "【演练】";
    if (!m.number.empty()) title += m.number + " ";
    title += filled(row->title.in(lang), m, lang);
    if (!m.title.in(lang).empty()) body += m.title.in(lang) + "\n";
    if (m.due_ms > 0) {
      body += (en ? "Due: " : "到期：") + local_time(m.due_ms, options.utc_offset_minutes) + "\n";
    }
    body += row->body.in(lang);
  }
  return s;
}

json::object facts_of(const Message& m) {
  auto text = [](const Text& t) { return json::object{{"zh", t.zh}, {"en", t.en}}; };
  return {{"about", m.about},     {"seq", m.seq},         {"name", m.name},
          {"case", m.case_id},    {"number", m.number},   {"procedure", m.procedure},
          {"org", m.org},         {"path", m.path},       {"title", text(m.title)},
          {"text", text(m.text)}, {"percent", m.percent}, {"due_at", m.due_ms},
          {"drill", m.drill},     {"urgent", m.urgent}};
}

Message message_from(const json::object& o) {
  auto string = [&](std::string_view key) { return std::string(text_or(o, key)); };
  auto text = [&](std::string_view key) {
    const auto* v = o.if_contains(key);
    if (v == nullptr || !v->is_object()) return Text{};
    return Text{std::string(text_or(v->get_object(), "zh")),
                std::string(text_or(v->get_object(), "en"))};
  };
  Message m;
  m.about = string("about");
  m.seq = static_cast<std::uint64_t>(int_or(o, "seq"));
  m.name = string("name");
  m.case_id = string("case");
  m.number = string("number");
  m.procedure = string("procedure");
  m.org = string("org");
  m.path = string("path");
  m.title = text("title");
  m.text = text("text");
  m.percent = static_cast<int>(int_or(o, "percent"));
  m.due_ms = int_or(o, "due_at");
  m.drill = bool_or(o, "drill");
  m.urgent = bool_or(o, "urgent");
  return m;
}

Text error_text(std::string_view code) {
  std::string c(code);
  if (c.empty()) return {};
  if (c == "nobody")
    return {"没有人担任应收到此消息的岗位", "Nobody holds the post that should have been told"};
  if (c == "no-address") return {"收件人没有邮箱地址", "The recipient has no e-mail address"};
  if (c == "no-smtp") return {"没有配置邮件服务器", "No mail server is configured"};
  if (c == "inactive") return {"收件人或接收端已停用", "The recipient was deactivated"};
  if (c == "connect") return {"无法连接服务器", "The server could not be reached"};
  if (c == "timeout") return {"服务器没有及时应答", "The server did not answer in time"};
  if (c == "tls")
    return {"服务器的证书或加密连接不可信",
            "The server's certificate or encryption is not to be trusted"};
  if (c == "login") return {"邮件服务器拒绝了登录", "The mail server refused the login"};
  if (c == "address")
    return {"该地址不允许作为接收端", "This address is not allowed as a receiver"};
  if (c.starts_with("smtp."))
    return {"邮件服务器应答 " + c.substr(5), "The mail server answered " + c.substr(5)};
  if (c.starts_with("http."))
    return {"接收端应答 " + c.substr(5), "The receiver answered " + c.substr(5)};
  return {"发送失败（" + c + "）", "It could not be sent (" + c + ")"};
}

std::string wish_name(EmailWish wish) {
  return wish == EmailWish::none ? "none" : wish == EmailWish::all ? "all" : "urgent";
}

std::optional<EmailWish> wish_named(std::string_view name) {
  for (auto w : {EmailWish::none, EmailWish::urgent, EmailWish::all}) {
    if (wish_name(w) == name) return w;
  }
  return std::nullopt;
}

}  // namespace cw
