#include "print.h"

#include <fmt/format.h>

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

// Local time of the office as people write it; the zone is said on the page.
std::string local(std::int64_t ms) {
  std::string t = to_rfc3339(ms + 8 * 3'600'000);
  return t.substr(0, 10) + " " + t.substr(11, 8);
}

std::string value_text(const FormField& f, const json::value& v, const std::string& lang) {
  if (v.is_null()) return "—";
  if (v.is_bool())
    return v.get_bool() ? (lang == "en" ? "Yes" : "是") : (lang == "en" ? "No" : "否");
  if (v.is_int64()) return std::to_string(v.get_int64());
  if (v.is_string()) {
    std::string_view text = v.get_string();
    if (f.type == FieldType::enumeration) {
      int at = f.ordinal(text);
      if (at >= 0 && static_cast<std::size_t>(at) < f.words.size())
        return f.words[static_cast<std::size_t>(at)].in(lang);
    }
    if (f.type == FieldType::time)
      if (auto ms = from_rfc3339(text)) return local(*ms);
    return std::string(text);
  }
  return canonical(v);
}

std::string field_rows(const std::vector<FormField>& fields, const json::object& values,
                       const std::string& lang) {
  std::string out;
  for (const auto& f : fields) {
    const auto* v = values.if_contains(f.name);
    if (f.type == FieldType::list && v && v->is_array()) {
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

// Approved corrections that concern a form: its own when it is one, else later ones of facts that it
// gave. What was filed stays as it was filed.
Result<std::string> corrections(Call& call, const std::string& case_id, const FormOut& filed,
                                const Form& form, const std::string& lang) {
  const Services& s = call.s;
  std::vector<std::uint64_t> seqs;
  auto status = s.views.read(s.journal.size(),
                             [&](Database& db) { seqs = CaseList::timeline(db, case_id, 0, 1000); });
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
                       lang == "en" ? "Correction" : "更正", *seq, local(e->at_ms),
                       html(detail.in(lang)), lang == "en" ? "Approved by" : "批准人", html(by.name),
                       html(by.staff_no));
  }
  return out.empty() ? out : "<p></p><table class=\"corrections\">" + out + "</table>";
}

}  // namespace

std::string_view print_style() {
  return R"(@page{size:A4;margin:18mm 16mm 22mm}
*{box-sizing:border-box}
body{font:11pt/1.6 "PingFang SC","Microsoft YaHei","Noto Sans CJK SC",sans-serif;color:#000;background:#fff;max-width:178mm;margin:8mm auto}
header{border-bottom:2px solid #000;padding-bottom:3mm;margin-bottom:5mm}
h1{font-size:18pt;margin:0 0 2mm;font-weight:600}
header p{margin:0;color:#333}
.drill{border:2px solid #000;padding:1mm 3mm;font-weight:600;display:inline-block}
table{border-collapse:collapse;width:100%}
th,td{border:1px solid #777;padding:2mm 3mm;text-align:left;vertical-align:top;font-weight:400;overflow-wrap:anywhere}
th{width:34%;background:#f2f2f2;font-weight:600}
td table th{width:40%}
.sign{display:flex;gap:20mm;margin-top:10mm}
.sign span{flex:1;border-bottom:1px solid #000;padding-bottom:8mm}
footer{margin-top:8mm;border-top:1px solid #000;padding-top:2mm;font-size:9pt;color:#222}
footer code{font:9pt ui-monospace,Consolas,"Noto Sans Mono CJK SC",monospace;overflow-wrap:anywhere}
tr{break-inside:avoid}
@media print{body{margin:0;max-width:none}th{background:none}}
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
  std::string hash = to_hex(bytes_of(sha256_of({std::string_view("\0", 1), bytes[0]})));
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
  out += "<table>" + field_rows(form->fields, filed->values, lang) + "</table>";
  auto corrected = corrections(call, case_id, *filed, *form, lang);
  if (!corrected) return std::move(corrected).problem();
  out += *corrected;
  out += fmt::format("<div class=\"sign\"><span>{}: {} {}</span><span>{}: {}</span></div>",
                     en ? "Filed by" : "填报人", html(filed->by.name), html(filed->by.staff_no),
                     en ? "Signature" : "签字", "");
  out += fmt::format(
      "<footer>{} {} (UTC+8) · {} <code>#{}</code> · {} <code>{}</code><br>{} <code>{} / "
      "{}</code></footer></body></html>",
      en ? "Filed at" : "提交于", local(filed->at_ms), en ? "entry" : "条目", filed->seq,
      en ? "hash" : "哈希", hash.substr(0, 16),
      en ? "covered by checkpoint (size / root)" : "由检查点覆盖（条目数 / 根）", size, root);
  return out;
}

}  // namespace cw::api
