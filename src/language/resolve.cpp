// Names to indices, with a mistake at the name's place where there is no such thing.
#include <algorithm>

#include "names.h"
#include "read.h"

namespace cw {

int DefinitionReader::find(const YamlNode& node, const Names& names, const char* code,
                           const Text& noun) {
  if (!node.is_scalar()) {
    reader_.mistake(node, code, {"这里应为" + noun.zh + "名", "expected the name of a " + noun.en});
    return -1;
  }
  const auto found = std::find(names.begin(), names.end(), node.text);
  if (found != names.end()) return static_cast<int>(found - names.begin());
  const Text hint = suggestion(node.text, names);
  reader_.mistake(node, code,
                  {"没有" + noun.zh + "“" + node.text + "”" + hint.zh,
                   "no " + noun.en + " '" + node.text + "'" + hint.en});
  return -1;
}

int DefinitionReader::role_index(const YamlNode& node) {
  return find(node, role_names_, "procedure.role", {"角色", "role"});
}

int DefinitionReader::state_index(const YamlNode& node) {
  return find(node, state_names_, "procedure.state", {"状态", "state"});
}

int DefinitionReader::fact_index(const YamlNode& node) {
  return find(node, fact_names_, "procedure.fact", {"事实", "fact"});
}

std::vector<int> DefinitionReader::role_list(const YamlNode& node) {
  std::vector<int> out;
  if (!node.is_list()) {
    const int index = role_index(node);
    if (index >= 0) out.push_back(index);
    return out;
  }
  if (node.items.empty()) {
    reader_.mistake(node, "procedure.role", {"至少需要一个角色", "at least one role is needed"});
  }
  for (const YamlNode& item : node.items) {
    const int index = role_index(item);
    if (index < 0) continue;
    if (std::find(out.begin(), out.end(), index) != out.end()) {
      reader_.mistake(item, "procedure.role", {"角色重复", "this role stands here twice"});
      continue;
    }
    out.push_back(index);
  }
  return out;
}

// The form as this definition uses it: which of its fields set which facts.
int DefinitionReader::form_index(const YamlNode& node) {
  const std::string id = reader_.name(node);
  if (id.empty()) return -1;
  for (std::size_t i = 0; i < d_->forms.size(); ++i) {
    if (d_->forms[i].form->id == id) return static_cast<int>(i);
  }
  std::shared_ptr<const Form> form = around_.form ? around_.form(id) : nullptr;
  if (form == nullptr) {
    reader_.mistake(node, "procedure.form", {"没有表单“" + id + "”", "no form '" + id + "'"});
    return -1;
  }
  FormUse use{form, std::vector<int>(form->fields.size(), -1)};
  for (std::size_t i = 0; i < form->fields.size(); ++i) {
    const FormField& field = form->fields[i];
    fact_sources(node, *form, field);
    const int fact = d_->fact(field.name);
    if (fact < 0) continue;
    std::string zh, en;
    if (fits(field, d_->facts[fact], zh, en)) {
      use.facts[i] = fact;
      continue;
    }
    reader_.mistake(node, "procedure.form-fact",
                    {"表单“" + id + "”的字段“" + field.name + "”与同名事实不符：" + zh,
                     "field '" + field.name + "' of form '" + id +
                         "' does not fit the fact of that name: " + en});
  }
  d_->forms.push_back(std::move(use));
  return static_cast<int>(d_->forms.size()) - 1;
}

// A fact that `from` names must go into the field. A form is shared: a fact that this procedure
// does not have is another's.
void DefinitionReader::fact_sources(const YamlNode& node, const Form& form,
                                    const FormField& field) {
  for (const FieldSource& source : field.from) {
    const int index = source.kind == FieldSource::Kind::fact ? d_->fact(source.name) : -1;
    if (index < 0) continue;
    FormField given;
    given.type = d_->facts[index].type;
    given.values = d_->facts[index].values;
    given.ref = d_->facts[index].ref;
    if (takes(field, given)) continue;
    reader_.mistake(
        node, "procedure.form-source",
        {"表单“" + form.id + "”的字段“" + field.name + "”填不进事实“" + source.name + "”",
         "field '" + field.name + "' of form '" + form.id + "' does not take the fact '" +
             source.name + "'"});
  }
}

bool DefinitionReader::fits(const FormField& field, const FactDef& fact, std::string& why_zh,
                            std::string& why_en) {
  if (fact.id == "level" && !d_->levels.empty()) {
    why_zh = "级别只由 raise 和下限决定";
    why_en = "the level follows from raise and its floor alone";
    return false;
  }
  if (field.type != fact.type) {
    why_zh = "类型不同";
    why_en = "the types differ";
    return false;
  }
  for (const std::string& value : field.values) {
    if (fact.ordinal(value) >= 0) continue;
    why_zh = "事实没有值“" + value + "”";
    why_en = "the fact has no value '" + value + "'";
    return false;
  }
  if (field.ref != fact.ref) {
    why_zh = "引用种类不同";
    why_en = "they refer to different kinds of things";
    return false;
  }
  if (field.type == FieldType::integer &&
      (field.minimum < fact.minimum || field.maximum > fact.maximum)) {
    why_zh = "取值范围超出事实的范围";
    why_en = "its range goes beyond the fact's";
    return false;
  }
  return true;
}

// Whether each item of a list can fill the start form of the child that it opens.
void DefinitionReader::child_start(const YamlNode& at, const FormField& list, const Form& start) {
  auto complain = [&](const FormField& field, const char* zh, const char* en) {
    reader_.mistake(at, "procedure.child",
                    {"“" + list.name + "”的一项不能填写子事项的起始表单“" + start.id + "”：“" +
                         field.name + "”" + zh,
                     "an item of '" + list.name + "' cannot fill the child's start form '" +
                         start.id + "': '" + field.name + "' " + en});
  };
  for (const FormField& item : list.items) {
    const int index = start.field(item.name);
    if (index < 0) {
      complain(item, "不是它的字段", "is no field of it");
      continue;
    }
    const FormField& field = start.fields[index];
    const bool values = std::all_of(item.values.begin(), item.values.end(),
                                    [&](const auto& v) { return field.ordinal(v) >= 0; });
    const bool range = item.minimum >= field.minimum && item.maximum <= field.maximum;
    if (item.type != field.type || item.ref != field.ref || !values || !range) {
      complain(item, "的类型或范围不符", "has another type or range there");
    } else if (field.required && !item.required && !item.fallback && !field.fallback) {
      complain(item, "在那里必填，在这里可缺", "is required there but optional here");
    }
  }
  for (const FormField& field : start.fields) {
    const bool given = std::any_of(list.items.begin(), list.items.end(),
                                   [&](const FormField& item) { return item.name == field.name; });
    if (!given && field.required && !field.fallback) complain(field, "缺少", "is missing");
  }
}

// A title as written, else that of the form, else the name.
Text DefinitionReader::title_of(const YamlNode& body, const std::string& fallback, int form) {
  if (const YamlNode* title = body.find("title")) return reader_.text(*title);
  if (form >= 0) return d_->forms[form].form->title;
  return {fallback, fallback};
}

// A fact that says nothing of itself takes the title and words of a field that sets it.
void DefinitionReader::words_from_forms() {
  for (const FormUse& use : d_->forms) {
    for (std::size_t i = 0; i < use.facts.size(); ++i) {
      if (use.facts[i] < 0) continue;
      const FormField& field = use.form->fields[i];
      FactDef& fact = d_->facts[use.facts[i]];
      if (fact.title.zh.empty()) fact.title = field.title;
      if (fact.words.empty() && !field.words.empty() && field.values == fact.values) {
        fact.words = field.words;
      }
    }
  }
  for (FactDef& fact : d_->facts) {
    if (fact.title.zh.empty()) fact.title = {fact.id, fact.id};
  }
}

}  // namespace cw
