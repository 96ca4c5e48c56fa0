// Reading forms from YAML and writing them as JSON Schema. Filling is in fill.cpp.
#include "language/form.h"

#include <algorithm>

#include "base/clock.h"
#include "base/text.h"
#include "names.h"

namespace cw {
namespace {

constexpr std::int64_t whole_max = 9'007'199'254'740'991;  // what a browser holds exactly
constexpr std::int64_t text_max = 20'000, items_max = 1'000, fields_max = 200;

class FormReader {
 public:
  explicit FormReader(YamlReader& reader) : reader_(reader) {}

  void read(const YamlNode& root, Form& form);

 private:
  std::vector<FormField> fields(const YamlNode& schema, bool inside);
  FormField field(const YamlNode& name, const YamlNode& schema, bool inside);
  void type(const YamlNode& schema, FormField& out, bool inside);
  void bounds(const YamlNode& schema, FormField& out);
  void bound(const YamlNode& schema, const char* low, const char* high, std::int64_t most,
             FormField& out);
  void list(const YamlNode& schema, FormField& out);
  void hints(const YamlNode& hints, FormField& out, bool inside);
  void late(const YamlNode& node, FormField& out, bool inside);
  void fallback(const YamlNode& node, FormField& out);
  void required(const YamlNode& schema, std::vector<FormField>& fields);
  void rules(const YamlNode& all, Form& form);
  void rule(const YamlNode& entry, Form& form);

  YamlReader& reader_;
  bool late_seen_ = false;
};

void FormReader::read(const YamlNode& root, Form& form) {
  if (!reader_.map(root)) return;
  reader_.keys(
      root, {"form", "version", "title", "description", "type", "required", "properties", "allOf"});
  if (const YamlNode* id = reader_.need(root, "form")) form.id = reader_.name(*id);
  if (const YamlNode* version = reader_.need(root, "version")) {
    form.version = static_cast<int>(reader_.integer(*version, 1, 1'000'000));
  }
  if (const YamlNode* title = reader_.need(root, "title")) form.title = reader_.text(*title);
  if (const YamlNode* help = root.find("description")) form.help = reader_.text(*help);
  if (const YamlNode* kind = reader_.need(root, "type"); kind && kind->text != "object") {
    reader_.mistake(*kind, "form.type", {"表单的 type 应为 object", "a form's type is object"});
  }
  form.fields = fields(root, false);
  if (const YamlNode* all = root.find("allOf")) rules(*all, form);
}

std::vector<FormField> FormReader::fields(const YamlNode& schema, bool inside) {
  std::vector<FormField> out;
  const YamlNode* properties = reader_.need(schema, "properties");
  if (properties == nullptr || !reader_.map(*properties)) return out;
  if (static_cast<std::int64_t>(properties->entries.size()) > fields_max) {
    reader_.mistake(*properties, "form.size", {"字段太多", "too many fields"});
    return out;
  }
  for (const auto& [name, value] : properties->entries) out.push_back(field(name, value, inside));
  required(schema, out);
  return out;
}

FormField FormReader::field(const YamlNode& name, const YamlNode& schema, bool inside) {
  FormField out;
  out.name = name.text;
  if (!is_identifier(out.name)) {
    reader_.mistake(
        name, "form.name",
        {"字段名应由字母、数字和下划线组成，且不是保留字",
         "a field's name is made of letters, digits and '_', and is not a reserved word"});
  }
  if (!reader_.map(schema)) return out;
  reader_.keys(schema,
               {"type", "title", "description", "enum", "format", "minimum", "maximum", "minLength",
                "maxLength", "minItems", "maxItems", "items", "default", "x-callwarden"});
  if (const YamlNode* title = reader_.need(schema, "title")) out.title = reader_.text(*title);
  if (const YamlNode* help = schema.find("description")) out.help = reader_.text(*help);
  type(schema, out, inside);
  return out;
}

// The type, its bounds, hints and default: of a field, or of a list's plain item.
void FormReader::type(const YamlNode& schema, FormField& out, bool inside) {
  const YamlNode* kind = schema.find("type");
  const YamlNode* choices = schema.find("enum");
  const YamlNode* format = schema.find("format");
  const std::string_view name = kind != nullptr ? std::string_view(kind->text) : "string";
  if (choices != nullptr) {
    out.type = FieldType::enumeration;
    out.values = read_values(*choices, reader_);
  } else if (name == "string" && format != nullptr) {
    out.type = format->text == "date" ? FieldType::date : FieldType::time;
    if (format->text != "date" && format->text != "date-time") {
      reader_.mistake(*format, "form.format",
                      {"format 应为 date-time 或 date", "format is date-time or date"});
    }
  } else if (name == "integer") {
    out.type = FieldType::integer;
  } else if (name == "boolean") {
    out.type = FieldType::boolean;
  } else if (name == "array" && !inside) {
    out.type = FieldType::list;
    list(schema, out);
  } else if (kind == nullptr) {
    reader_.mistake(schema, "form.type", {"缺少 type 或 enum", "type or enum is missing"});
  }
  if (kind != nullptr && name != "string" && (name != "array" || inside) &&
      (choices != nullptr || (name != "integer" && name != "boolean"))) {
    reader_.mistake(*kind, "form.type",
                    {"type 应为 string、integer、boolean 或 array；枚举为 string，列表不能嵌套",
                     "type is string, integer, boolean or array; an enum is a string, lists do "
                     "not nest"});
  }
  if (const YamlNode* more = schema.find("x-callwarden")) hints(*more, out, inside);
  bounds(schema, out);
  if (const YamlNode* given = schema.find("default")) fallback(*given, out);
}

void FormReader::bounds(const YamlNode& schema, FormField& out) {
  const bool integer = out.type == FieldType::integer;
  const bool text = out.type == FieldType::text;
  const bool many = out.type == FieldType::list;
  struct Use {
    const char* key;
    bool fits;
  };
  for (const Use& use :
       {Use{"minimum", integer}, Use{"maximum", integer}, Use{"minLength", text},
        Use{"maxLength", text}, Use{"minItems", many}, Use{"maxItems", many}, Use{"items", many}}) {
    const YamlNode* found = schema.find(use.key);
    if (found == nullptr || use.fits) continue;
    reader_.mistake(*found, "form.bound",
                    {"这种类型的字段没有这一项", "a field of this type has no such key"});
  }
  if (integer) {
    out.minimum = -whole_max;
    out.maximum = whole_max;
    bound(schema, "minimum", "maximum", whole_max, out);
  } else if (text) {
    out.maximum = out.widget == "textarea" ? 4'000 : 200;
    bound(schema, "minLength", "maxLength", text_max, out);
  } else if (many) {
    out.maximum = 100;
    bound(schema, "minItems", "maxItems", items_max, out);
  }
}

void FormReader::bound(const YamlNode& schema, const char* low, const char* high, std::int64_t most,
                       FormField& out) {
  const std::int64_t least = out.type == FieldType::integer ? -most : 0;
  const YamlNode* upper = schema.find(high);
  if (const YamlNode* lower = schema.find(low)) out.minimum = reader_.integer(*lower, least, most);
  if (upper != nullptr) out.maximum = reader_.integer(*upper, least, most);
  if (out.minimum > out.maximum) {
    reader_.mistake(upper != nullptr ? *upper : schema, "form.bound",
                    {"下限大于上限", "the lower bound is above the upper one"});
  }
}

void FormReader::list(const YamlNode& schema, FormField& out) {
  const YamlNode* items = reader_.need(schema, "items");
  if (items == nullptr || !reader_.map(*items)) return;
  const YamlNode* kind = items->find("type");
  if (kind != nullptr && kind->text == "object") {
    reader_.keys(*items, {"type", "required", "properties"});
    out.items = fields(*items, true);
    return;
  }
  reader_.keys(*items, {"type", "enum", "format", "minimum", "maximum", "minLength", "maxLength",
                        "x-callwarden"});
  FormField item;
  item.required = true;
  type(*items, item, true);
  out.items.push_back(std::move(item));
}

void FormReader::hints(const YamlNode& hints, FormField& out, bool inside) {
  if (!reader_.map(hints)) return;
  reader_.keys(hints, {"widget", "personal", "words", "ref", "from", "late"});
  if (const YamlNode* from = hints.find("from")) {
    if (inside) {
      reader_.mistake(*from, "form.from",
                      {"列表里的字段没有 from", "a field inside a list has no from"});
    } else {
      out.from = read_sources(*from, reader_);
    }
  }
  if (const YamlNode* node = hints.find("late")) late(*node, out, inside);
  if (const YamlNode* ref = hints.find("ref")) {
    out.ref = reader_.string(*ref);
    if (!known_ref(out.ref)) {
      reader_.mistake(*ref, "form.ref", {"未知的引用种类", "unknown kind of reference"});
    } else if (out.type != FieldType::text) {
      reader_.mistake(*ref, "form.ref",
                      {"引用的 type 应为 string", "a reference's type is string"});
    } else {
      out.type = FieldType::reference;
    }
  }
  if (const YamlNode* widget = hints.find("widget")) {
    out.widget = reader_.string(*widget);
    static const std::vector<std::string> known{"textarea", "radio", "phone", "email", "url"};
    if (std::find(known.begin(), known.end(), out.widget) == known.end()) {
      const Text hint = suggestion(out.widget, known);
      reader_.mistake(*widget, "form.widget", {"未知的控件" + hint.zh, "unknown widget" + hint.en});
    }
  }
  if (const YamlNode* personal = hints.find("personal")) out.personal = reader_.boolean(*personal);
  if (const YamlNode* words = hints.find("words")) {
    out.words = read_words(*words, out.values, reader_);
  }
}

void FormReader::late(const YamlNode& node, FormField& out, bool inside) {
  out.late = reader_.boolean(node);
  if (out.late && (inside || out.type != FieldType::text || late_seen_)) {
    reader_.mistake(node, "form.late",
                    {"迟报原因是一份表单里唯一的一个文本字段",
                     "the reason for lateness is one text field of a form"});
  }
  late_seen_ |= out.late;
}

void FormReader::fallback(const YamlNode& node, FormField& out) {
  switch (out.type) {
    case FieldType::boolean:
      out.fallback = reader_.boolean(node);
      return;
    case FieldType::integer:
      out.fallback = reader_.integer(node, out.minimum, out.maximum);
      return;
    case FieldType::text:
      out.fallback = json::value(json::string(reader_.string(node)));
      return;
    case FieldType::enumeration:
      if (out.ordinal(node.text) >= 0) {
        out.fallback = json::value(json::string(node.text));
        return;
      }
      break;
    default:
      break;
  }
  reader_.mistake(node, "form.default",
                  {"默认值不适合这个字段", "this default does not fit the field"});
}

void FormReader::required(const YamlNode& schema, std::vector<FormField>& fields) {
  const YamlNode* names = schema.find("required");
  if (names == nullptr || !reader_.list(*names)) return;
  for (const YamlNode& name : names->items) {
    auto found = std::find_if(fields.begin(), fields.end(),
                              [&](const FormField& f) { return f.name == name.text; });
    if (found != fields.end()) {
      found->required = true;
      continue;
    }
    reader_.mistake(name, "form.field", {"没有这个字段", "there is no such field"});
  }
}

void FormReader::rules(const YamlNode& all, Form& form) {
  if (!reader_.list(all)) return;
  for (const YamlNode& entry : all.items) {
    if (reader_.map(entry)) rule(entry, form);
  }
}

// if: {properties: {FIELD: {const: V}}} then: {required: [FIELD…]}; `enum: [V…]` for several.
void FormReader::rule(const YamlNode& entry, Form& form) {
  reader_.keys(entry, {"if", "then"});
  const YamlNode* when = reader_.need(entry, "if");
  const YamlNode* then = reader_.need(entry, "then");
  if (!when || !then || !reader_.map(*when) || !reader_.map(*then)) return;
  reader_.keys(*when, {"properties"});
  reader_.keys(*then, {"required"});
  const YamlNode* properties = reader_.need(*when, "properties");
  const YamlNode* names = reader_.need(*then, "required");
  if (!properties || !names || !reader_.map(*properties) || !reader_.list(*names)) return;
  if (properties->entries.size() != 1) {
    reader_.mistake(*properties, "form.rule",
                    {"条件只能看一个字段", "a condition looks at exactly one field"});
    return;
  }
  const auto& [name, test] = properties->entries.front();
  FormRule out;
  out.field = form.field(name.text);
  if (out.field < 0) {
    reader_.mistake(name, "form.field", {"没有这个字段", "there is no such field"});
    return;
  }
  if (!reader_.map(test)) return;
  reader_.keys(test, {"const", "enum"});
  std::vector<const YamlNode*> values;
  if (const YamlNode* one = test.find("const")) values.push_back(one);
  if (const YamlNode* several = test.find("enum")) {
    for (const YamlNode& item : several->items) values.push_back(&item);
  }
  const FormField& field = form.fields[out.field];
  for (const YamlNode* value : values) {
    if (field.type == FieldType::enumeration && field.ordinal(value->text) >= 0) {
      out.values.emplace_back(json::string(value->text));
    } else if (field.type == FieldType::boolean) {
      out.values.emplace_back(reader_.boolean(*value));
    } else {
      reader_.mistake(*value, "form.rule",
                      {"这个值不是该字段的取值", "this is not a value of that field"});
    }
  }
  if (values.empty()) {
    reader_.mistake(test, "form.rule", {"缺少 const 或 enum", "const or enum is missing"});
  }
  for (const YamlNode& wanted : names->items) {
    const int index = form.field(wanted.text);
    if (index >= 0) {
      out.required.push_back(index);
    } else {
      reader_.mistake(wanted, "form.field", {"没有这个字段", "there is no such field"});
    }
  }
  form.rules.push_back(std::move(out));
}

json::object text_json(const Text& text) { return {{"zh", text.zh}, {"en", text.en}}; }

json::object field_json(const FormField& field);

json::object fields_json(const std::vector<FormField>& fields) {
  json::object properties;
  json::array required;
  for (const FormField& field : fields) {
    properties[field.name] = field_json(field);
    if (field.required) required.emplace_back(field.name);
  }
  return {
      {"type", "object"}, {"required", std::move(required)}, {"properties", std::move(properties)}};
}

json::object field_json(const FormField& field) {
  static constexpr const char* types[] = {"boolean", "integer", "string", "string",
                                          "string",  "string",  "string", "array"};
  json::object out{{"type", types[static_cast<int>(field.type)]}};
  if (!field.name.empty()) out["title"] = text_json(field.title);
  if (!field.help.zh.empty()) out["description"] = text_json(field.help);
  if (field.type == FieldType::time) out["format"] = "date-time";
  if (field.type == FieldType::date) out["format"] = "date";
  json::object hints;
  if (field.type == FieldType::enumeration) {
    out["enum"] = json::value_from(field.values);
    json::object words;
    for (std::size_t i = 0; i < field.words.size(); ++i) {
      words[field.values[i]] = text_json(field.words[i]);
    }
    if (!words.empty()) hints["words"] = std::move(words);
  }
  if (field.type == FieldType::integer) {
    if (field.minimum > -whole_max) out["minimum"] = field.minimum;
    if (field.maximum < whole_max) out["maximum"] = field.maximum;
  } else if (field.type == FieldType::text) {
    if (field.minimum > 0) out["minLength"] = field.minimum;
    out["maxLength"] = field.maximum;
  } else if (field.type == FieldType::list) {
    const bool plain = field.items.size() == 1 && field.items[0].name.empty();
    out["items"] = plain ? field_json(field.items[0]) : fields_json(field.items);
    if (field.minimum > 0) out["minItems"] = field.minimum;
    out["maxItems"] = field.maximum;
  }
  if (field.fallback) out["default"] = *field.fallback;
  if (!field.ref.empty()) hints["ref"] = field.ref;
  if (!field.widget.empty()) hints["widget"] = field.widget;
  if (field.personal) hints["personal"] = true;
  if (field.late) hints["late"] = true;
  if (!field.from.empty()) {
    json::array from;
    for (const FieldSource& source : field.from) from.emplace_back(json::string(source.text()));
    hints["from"] = std::move(from);
  }
  if (!hints.empty()) out["x-callwarden"] = std::move(hints);
  return out;
}

}  // namespace

int FormField::ordinal(std::string_view value) const {
  auto found = std::find(values.begin(), values.end(), value);
  return found == values.end() ? -1 : static_cast<int>(found - values.begin());
}

int Form::field(std::string_view name) const {
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (fields[i].name == name) return static_cast<int>(i);
  }
  return -1;
}

int Form::late_field() const {
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (fields[i].late) return static_cast<int>(i);
  }
  return -1;
}

std::shared_ptr<const Form> read_form(std::string_view text, const std::string& file,
                                      std::vector<Mistake>& mistakes) {
  const std::size_t before = mistakes.size();
  const YamlTree tree = parse_yaml(text, file, mistakes);
  YamlReader reader(file, mistakes);
  auto form = std::make_shared<Form>();
  if (mistakes.size() == before || tree.root.is_map()) FormReader(reader).read(tree.root, *form);
  form->source = text;
  sort_mistakes(mistakes, before);
  return mistakes.size() == before ? form : nullptr;
}

json::object to_json(const Form& form) {
  json::object out{{"form", form.id}, {"version", form.version}, {"title", text_json(form.title)}};
  if (!form.help.zh.empty()) out["description"] = text_json(form.help);
  for (auto& member : fields_json(form.fields)) out[member.key()] = std::move(member.value());
  json::array all;
  for (const FormRule& rule : form.rules) {
    json::array required;
    for (const int field : rule.required) required.emplace_back(form.fields[field].name);
    json::object test{{"enum", json::array(rule.values.begin(), rule.values.end())}};
    all.push_back(
        json::object{{"if", {{"properties", {{form.fields[rule.field].name, std::move(test)}}}}},
                     {"then", {{"required", std::move(required)}}}});
  }
  if (!all.empty()) out["allOf"] = std::move(all);
  return out;
}

}  // namespace cw
