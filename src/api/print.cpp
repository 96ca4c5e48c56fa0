#include "print.h"

#include <fmt/format.h>

#include "ledger/ledger.h"
#include "prefill.h"
#include "record.h"
#include "words.h"

namespace cw::api {
namespace {

std::string html(std::string_view s) {
  std::string out;
  for (char c : s) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\n':
        out += "<br>";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string field_rows(const std::vector<FormField>& fields, const json::object& values,
                       const std::string& lang) {
  std::string out;
  for (const auto& f : fields) {
    const auto* v = values.if_contains(f.name);
    const bool plain = f.items.size() == 1 && f.items[0].name.empty();
    if (f.type == FieldType::list && v && v->is_array() && !plain) {
      int n = 0;
      for (const auto& item : v->get_array())
        if (item.is_object())
          out += fmt::format("<tr><th>{} {}</th><td><table>{}</table></td></tr>",
                             html(f.title.in(lang)), ++n,
                             field_rows(f.items, item.get_object(), lang));
      continue;
    }
    out += fmt::format("<tr><th>{}</th><td>{}</td></tr>", html(f.title.in(lang)),
                       v ? html(value_text(f, *v, lang)) : "—");
  }
  return out;
}

// Approved corrections that concern a form: its own when it is one, else later ones of facts that
// it gave. What was filed stays as it was filed.
Result<std::string> corrections(Call& call, const std::string& case_id, const FormOut& filed,
                                const Form& form, const std::string& lang) {
  const Services& s = call.s;
  std::vector<std::uint64_t> seqs;
  auto status = s.views.read(
      s.journal.size(), [&](Database& db) { seqs = CaseList::timeline(db, case_id, 0, 1000); });
  if (!status) return std::move(status).problem();
  std::int64_t asked = 0;
  std::string out;
  for (auto seq = seqs.rbegin(); seq != seqs.rend(); ++seq) {
    if (*seq < static_cast<std::uint64_t>(filed.seq)) continue;
    auto bytes = s.journal.entries(*seq, 1);
    auto e = bytes.empty() ? Result<Entry>(no_such({"这一条目", "such an entry"}))
                           : Entry::parse(bytes[0]);
    if (!e) return std::move(e).problem();
    if (const auto* ask = e->body.if_contains("ask"); ask && asked == 0)
      asked = int_or(ask->as_object(), "id");
    const auto* amended = e->body.if_contains("amended");
    if (!amended) continue;
    bool about = int_or(e->body, "approval") == asked && form.id == "amend";
    for (const auto& [name, change] : amended->as_object())
      about = about || (form.id != "amend" && form.field(name) >= 0);
    if (!about) continue;
    Text detail;
    PersonRef by;
    s.journal.read([&] {
      detail = entry_detail(s, *e).value_or(Text{});
      by = person_ref(s, e->actor);
    });
    out += fmt::format("<tr><th>{} <code>#{}</code><br>{}</th><td>{}<br>{}: {} {}</td></tr>",
                       lang == "en" ? "Correction" : "更正", *seq, local_time(e->at_ms),
                       html(detail.in(lang)), lang == "en" ? "Approved by" : "批准人",
                       html(by.name), html(by.staff_no));
  }
  return out.empty() ? out : "<p></p><table class=\"corrections\">" + out + "</table>";
}

std::string duration_text(std::int64_t ms, bool en) {
  const std::int64_t minutes = ms / 60'000, days = minutes / 1'440, hours = minutes / 60 % 24;
  std::string out;
  if (days > 0) out += std::to_string(days) + (en ? " d " : " 天 ");
  if (hours > 0) out += std::to_string(hours) + (en ? " h " : " 小时 ");
  if (days == 0) out += std::to_string(minutes % 60) + (en ? " min" : " 分钟");
  while (out.ends_with(' ')) out.pop_back();
  return out;
}

std::string row(const std::string& title, const std::string& text) {
  return fmt::format("<tr><th>{}</th><td>{}</td></tr>", html(title), html(text));
}

// What law asks of this filing: article, addressee, counted from when, due, filed, how late.
std::string duty_rows(const DutyOut& duty, const std::string& lang) {
  const bool en = lang == "en";
  std::string by = en ? duty.instrument.in(lang) : "《" + duty.instrument.in(lang) + "》";
  if (!duty.article.empty()) by += en ? ", article " + duty.article : "第 " + duty.article + " 条";
  std::string out = row(en ? "By" : "依据", by + (en ? ": " : "：") + duty.title.in(lang));
  if (!duty.to.zh.empty()) out += row(en ? "Addressed to" : "报送对象", duty.to.in(lang));
  if (duty.base_at)
    out += row(en ? "Counted from" : "起算时间",
               local_time(*duty.base_at) +
                   (duty.base.empty()
                        ? ""
                        : (en ? " (" : "（") + duty.base_title.in(lang) + (en ? ")" : "）")));
  out += row(en ? "Limit" : "时限", duty.limit.empty() ? (en ? "at once" : "立即") : duty.limit);
  if (duty.due_at) out += row(en ? "Due" : "应于", local_time(*duty.due_at));
  if (duty.filed_at) out += row(en ? "Filed at" : "报送于", local_time(*duty.filed_at));
  if (duty.due_at && duty.filed_at)
    out += row(en ? "Late by" : "迟报",
               duty.late_ms ? duration_text(*duty.late_ms, en) : (en ? "not late" : "未迟报"));
  if (duty.certainty != "read")
    out += row(en ? "Note" : "说明", en ? "the rule is to be checked against the official text"
                                        : "该规定须与正式文本核对后引用");
  return out;
}

}  // namespace

std::string_view print_style() {
  return R"(@page{size:A4;margin:18mm 16mm 22mm;@bottom-right{content:counter(page) " / " counter(pages);font-size:9pt}}
*{box-sizing:border-box}
body{font:11pt/1.6 "PingFang SC","Microsoft YaHei","Noto Sans CJK SC",sans-serif;color:#000;background:#fff;max-width:178mm;margin:8mm auto}
header{border-bottom:2px solid #000;padding-bottom:3mm;margin-bottom:5mm}
h1{font-size:18pt;margin:0 0 2mm;font-weight:600}
header p{margin:0;color:#333}
.drill{border:2px solid #000;padding:1mm 3mm;font-weight:600;display:inline-block}
table{border-collapse:collapse;width:100%}
table.duty{margin-bottom:5mm;border:2px solid #000}
th,td{border:1px solid #777;padding:2mm 3mm;text-align:left;vertical-align:top;font-weight:400;overflow-wrap:anywhere}
th{width:34%;background:#f2f2f2;font-weight:600}
td table th{width:40%}
td.short{white-space:nowrap}
.sign{display:flex;gap:20mm;margin-top:10mm}
.sign span{flex:1;border-bottom:1px solid #000;padding-bottom:8mm}
footer{margin-top:8mm;border-top:1px solid #000;padding-top:2mm;font-size:9pt;color:#222}
footer code{font:9pt ui-monospace,Consolas,"Noto Sans Mono CJK SC",monospace;overflow-wrap:anywhere}
.each{display:none}
tr{break-inside:avoid}
@media print{body{display:table;width:100%;margin:0;max-width:none}th{background:none}.each{display:table-footer-group;break-inside:avoid;font-size:9pt;color:#222}}
)";
}

Result<std::string> print_form(Call& call, const std::string& case_id, const std::string& form_name,
                               const std::string& lang) {
  auto record = case_record(call, case_id);
  if (!record) return std::move(record).problem();
  const FormOut* filed = nullptr;
  for (const auto& f : record->forms)
    if (f.of == form_name || f.form == form_name ||
        (form_name == "start" && f.seq == record->first_seq))
      if (!filed || f.seq > filed->seq) filed = &f;
  if (!filed) return no_such({"已提交的这份表单", "such a filed form"});
  auto definition = call.s.engine.definition(record->brief.procedure + "@" +
                                             std::to_string(record->brief.version));
  std::shared_ptr<const Form> form;
  if (definition)
    if (int i = definition->form(filed->form); i >= 0)
      form = definition->forms[static_cast<std::size_t>(i)].form;
  if (!form) return no_such({"这份表单的定义", "that form's definition"});
  auto bytes = call.s.journal.entries(static_cast<std::uint64_t>(filed->seq), 1);
  CW_CHECK(!bytes.empty());
  if (call.s.ledger.size() <= static_cast<std::uint64_t>(filed->seq)) {
    if (auto s = call.s.ledger.advance(); !s) return std::move(s).problem();
  }
  std::string hash = to_hex(bytes_of(leaf_hash(bytes[0])));
  Hash root_hash = call.s.ledger.root();
  std::string root = to_base64(bytes_of(root_hash));
  std::uint64_t size = call.s.ledger.size();
  bool en = lang == "en";
  std::string out = fmt::format(
      "<!doctype html><html lang=\"{}\"><head><meta charset=\"utf-8\"><title>{} {}</title>"
      "<link rel=\"stylesheet\" href=\"/api/v1/print.css\"></head><body><header><h1>{}</h1><p>{} · "
      "{}</p>{}</header>",
      en ? "en" : "zh-CN", html(record->brief.number), html(form->title.in(lang)),
      html(form->title.in(lang)), html(record->brief.number),
      html(record->brief.procedure_title.in(lang)),
      record->brief.mode == "drill"
          ? (en ? "<p class=\"drill\">DRILL</p>" : "<p class=\"drill\">演练</p>")
          : "");
  for (const DutyOut& duty :
       duties_of(call.s, *record, *definition, form->id, filed->of, filed->at_ms))
    out += "<table class=\"duty\">" + duty_rows(duty, lang) + "</table>";
  out += "<table>" + field_rows(form->fields, filed->values, lang) + "</table>";
  auto corrected = corrections(call, case_id, *filed, *form, lang);
  if (!corrected) return std::move(corrected).problem();
  out += *corrected;
  out += fmt::format("<div class=\"sign\"><span>{}: {} {}</span><span>{}: {}</span></div>",
                     en ? "Filed by" : "填报人", html(filed->by.name), html(filed->by.staff_no),
                     en ? "Signature" : "签字", "");
  // On each sheet: which entry it is of. A sheet that went astray can be checked by itself.
  const std::string entry =
      fmt::format("{} <code>#{}</code> · {} <code>{}</code>", en ? "entry" : "条目", filed->seq,
                  en ? "hash" : "哈希", hash.substr(0, 16));
  out += fmt::format(
      "<div class=\"each\"><p>{} · {}</p></div><footer>{} {} (UTC+8) · {}<br>{} <code>{} / "
      "{}</code></footer></body></html>",
      html(record->brief.number), entry, en ? "Filed at" : "提交于", local_time(filed->at_ms),
      entry, en ? "covered by checkpoint (size / root)" : "由检查点覆盖（条目数 / 根）", size,
      root);
  return out;
}

}  // namespace cw::api
