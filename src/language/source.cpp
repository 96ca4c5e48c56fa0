// Where a field's first value comes from: reading `from`, and whether what it names fits.
#include <algorithm>

#include "language/form.h"
#include "names.h"

namespace cw {
namespace {

constexpr std::size_t sources_max = 8;

FieldSource read_source(const YamlNode& node, YamlReader& reader) {
  FieldSource out;
  out.line = node.line;
  out.column = node.column;
  const std::string text = reader.string(node);
  const std::size_t dot = text.rfind('.');
  if (text == "now" || text == "org") {
    out.kind = text == "now" ? FieldSource::Kind::now : FieldSource::Kind::org;
    return out;
  }
  out.name = dot == std::string::npos ? text : text.substr(dot + 1);
  if (dot != std::string::npos) {
    out.kind = FieldSource::Kind::field;
    out.form = text.substr(0, dot);
  }
  if (!text.empty() && (!is_identifier(out.name) || (dot != std::string::npos && dot == 0))) {
    reader.mistake(
        node, "form.from",
        {"这里应为事实名、表单.字段、now 或 org", "expected a fact, FORM.FIELD, now or org"});
  }
  return out;
}

bool plain_list(const FormField& field) {
  return field.type == FieldType::list && field.items.size() == 1 && field.items[0].name.empty();
}

}  // namespace

std::string FieldSource::text() const {
  switch (kind) {
    case Kind::now:
      return "now";
    case Kind::org:
      return "org";
    case Kind::field:
      return form + "." + name;
    case Kind::fact:
      break;
  }
  return name;
}

std::vector<FieldSource> read_sources(const YamlNode& node, YamlReader& reader) {
  std::vector<FieldSource> out;
  if (!node.is_list()) {
    out.push_back(read_source(node, reader));
    return out;
  }
  if (node.items.empty() || node.items.size() > sources_max) {
    reader.mistake(node, "form.from", {"from 应有 1 到 8 个来源", "from names 1 to 8 sources"});
  }
  for (const YamlNode& item : node.items) out.push_back(read_source(item, reader));
  return out;
}

bool takes(const FormField& field, const FormField& given) {
  if (field.type == FieldType::list) {
    return plain_list(field) && plain_list(given) && takes(field.items[0], given.items[0]);
  }
  if (field.type == FieldType::text) return given.type != FieldType::list || plain_list(given);
  if (field.type != given.type || field.ref != given.ref) return false;
  return field.type != FieldType::enumeration ||
         std::any_of(given.values.begin(), given.values.end(),
                     [&](const std::string& v) { return field.ordinal(v) >= 0; });
}

void check_sources(const Form& form, const FindForm& find, const std::string& file,
                   std::vector<Mistake>& mistakes) {
  auto wrong = [&](const FieldSource& at, Text text) {
    mistakes.push_back({file, at.line, at.column, "form.from", std::move(text)});
  };
  for (const FormField& field : form.fields) {
    for (const FieldSource& source : field.from) {
      if (source.kind == FieldSource::Kind::now && field.type != FieldType::time) {
        wrong(source, {"now 只能填入时间字段", "now goes into a moment"});
      } else if (source.kind == FieldSource::Kind::org && field.type != FieldType::text) {
        wrong(source, {"org 只能填入文本字段", "org goes into a text"});
      }
      if (source.kind != FieldSource::Kind::field) continue;
      const auto other = find(source.form);
      const int index = other == nullptr ? -1 : other->field(source.name);
      if (other == nullptr) {
        wrong(source, {"没有表单“" + source.form + "”", "no form '" + source.form + "'"});
      } else if (index < 0) {
        wrong(source, {"表单“" + source.form + "”没有字段“" + source.name + "”",
                       "form '" + source.form + "' has no field '" + source.name + "'"});
      } else if (!takes(field, other->fields[index])) {
        wrong(source,
              {"“" + source.text() + "”的类型填不进“" + field.name + "”",
               "'" + source.text() + "' has a type that does not go into '" + field.name + "'"});
      }
    }
  }
}

}  // namespace cw
