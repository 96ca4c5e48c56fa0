#include "prefill.h"

#include <algorithm>

#include "base/text.h"

namespace cw::api {
namespace {

class Prefilling {
 public:
  Prefilling(const CaseRecord& record, const Definition& d, std::string org, std::string lang)
      : record_(record), d_(d), org_(std::move(org)), lang_(std::move(lang)) {}

  // What was last filed with the form (unless every filing is one of its own), then facts, then
  // what the fields name.
  void fill(const Form& form, bool anew, PrefillOut& out) {
    const FormOut* last = anew ? nullptr : latest(form.id);
    for (const FormField& f : form.fields) {
      if (f.late) continue;  // a reason is given each time
      const json::value* before = last ? last->values.if_contains(f.name) : nullptr;
      if (auto own = fact(f.name)) {
        if (auto v = into(f, own->first, own->second)) {
          out.values[f.name] = std::move(*v);
          continue;
        }
      }
      if (before && !before->is_null()) {
        out.values[f.name] = *before;
        continue;
      }
      for (const FieldSource& source : f.from) {
        Text title;
        auto v = value(f, source, title);
        if (!v) continue;
        out.values[f.name] = std::move(*v);
        out.sources.push_back({f.name, source.text(), title});
        break;
      }
    }
  }

 private:
  const FormOut* latest(const std::string& form) const {
    const FormOut* found = nullptr;
    for (const FormOut& f : record_.forms)
      if (f.form == form && (!found || f.seq > found->seq)) found = &f;
    return found;
  }

  // A fact as a field of its type, and its value as a form would hold it.
  std::optional<std::pair<FormField, json::value>> fact(const std::string& name) const {
    const int index = d_.fact(name);
    if (index < 0) return std::nullopt;
    const FactDef& def = d_.facts[static_cast<std::size_t>(index)];
    for (const FactOut& f : record_.facts) {
      if (f.name != name || f.value.is_null()) continue;
      FormField field;
      field.type = def.type;
      field.title = def.title;
      field.values = def.values;
      field.words = def.words;
      field.ref = def.ref;
      json::value v = f.value;
      if (def.type == FieldType::time && v.is_int64()) v = json::string(to_rfc3339(v.get_int64()));
      return std::pair(std::move(field), std::move(v));
    }
    return std::nullopt;
  }

  std::optional<json::value> value(const FormField& f, const FieldSource& source, Text& title) {
    switch (source.kind) {
      case FieldSource::Kind::now:
        title = {"打开表单的时刻", "the moment it was opened"};
        return json::value(json::string(to_rfc3339(record_.now_ms)));
      case FieldSource::Kind::org:
        title = {"所属单位", "the organisation"};
        return clipped(f, org_);
      case FieldSource::Kind::fact:
        if (auto given = fact(source.name)) {
          title = given->first.title;
          return into(f, given->first, given->second);
        }
        return std::nullopt;
      case FieldSource::Kind::field:
        break;
    }
    const FormOut* filed = latest(source.form);
    const int use = filed ? d_.form(source.form) : -1;
    if (use < 0) return std::nullopt;
    const Form& form = *d_.forms[static_cast<std::size_t>(use)].form;
    const int index = form.field(source.name);
    const json::value* v = filed->values.if_contains(source.name);
    if (index < 0 || !v || v->is_null()) return std::nullopt;
    const FormField& given = form.fields[static_cast<std::size_t>(index)];
    title = {form.title.zh + "·" + given.title.zh, form.title.en + ": " + given.title.en};
    return into(f, given, *v);
  }

  std::optional<json::value> clipped(const FormField& f, const std::string& text) const {
    if (trim(text).empty()) return std::nullopt;
    return json::value(json::string(clip(text, static_cast<std::size_t>(f.maximum))));
  }

  // The value as the field holds it; nothing where it does not fit.
  std::optional<json::value> into(const FormField& f, const FormField& given,
                                  const json::value& v) const {
    if (!takes(f, given)) return std::nullopt;
    switch (f.type) {
      case FieldType::text:
        return clipped(f, value_text(given, v, lang_));
      case FieldType::enumeration:
        if (v.is_string() && f.ordinal(v.get_string()) >= 0) return v;
        return std::nullopt;
      case FieldType::integer:
        if (v.is_int64() && v.get_int64() >= f.minimum && v.get_int64() <= f.maximum) return v;
        return std::nullopt;
      case FieldType::list: {
        json::array kept;
        if (!v.is_array()) return std::nullopt;
        for (const json::value& item : v.get_array())
          if (static_cast<std::int64_t>(kept.size()) < f.maximum)
            if (auto one = into(f.items[0], given.items[0], item)) kept.push_back(std::move(*one));
        if (kept.empty()) return std::nullopt;
        return json::value(std::move(kept));
      }
      default:
        return v;
    }
  }

  const CaseRecord& record_;
  const Definition& d_;
  const std::string org_, lang_;
};

}  // namespace

// Local time of the office as people write it; the zone is said on the page.
std::string local_time(std::int64_t ms) {
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
      if (auto ms = from_rfc3339(text)) return local_time(*ms);
    return std::string(text);
  }
  if (v.is_array() && f.items.size() == 1) {
    std::string out;
    for (const json::value& item : v.get_array())
      out += (out.empty() ? "" : lang == "en" ? ", " : "、") + value_text(f.items[0], item, lang);
    return out;
  }
  return canonical(v);
}

Result<PrefillOut> prefill(Call& call, const std::string& case_id, const std::string& name,
                           const std::string& lang) {
  auto record = case_record(call, case_id);
  if (!record) return std::move(record).problem();
  auto definition = call.s.engine.definition(record->brief.procedure + "@" +
                                             std::to_string(record->brief.version));
  if (!definition) return no_such({"这个流程", "such a procedure"});
  PrefillOut out;
  bool anew = false;
  for (const TaskOut& t : record->tasks)
    if (t.name == name && t.form && (t.state == "open" || t.state == "asked")) {
      out.form = *t.form;
      out.reason_due = t.reason_due;
    }
  for (const ActionOut& a : record->actions)
    if (out.form.empty() && a.name == name && a.form) {
      out.form = *a.form;
      out.reason_due = a.reason_due;
      anew = a.repeat;
    }
  const int use = out.form.empty() ? -1 : definition->form(out.form);
  if (use < 0) return no_such({"可以填写的这份表单", "such a form to be filled in now"});
  const std::string org = call.s.journal.read([&] {
    auto found = call.s.identity.org(record->brief.org);
    return found ? found->name.in(lang) : std::string();
  });
  Prefilling(*record, *definition, org, lang)
      .fill(*definition->forms[static_cast<std::size_t>(use)].form, anew, out);
  out.duties = duties_of(call.s, *record, *definition, out.form, name, std::nullopt);
  return out;
}

}  // namespace cw::api
