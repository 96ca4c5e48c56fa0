// Validates what was filled into a form, and reads fields as fact values.
#include <algorithm>

#include "base/clock.h"
#include "base/text.h"
#include "language/form.h"

namespace cw {
namespace {

constexpr std::size_t problems_max = 100;  // fields named in one refusal

class Filler {
 public:
  explicit Filler(std::vector<FieldProblem>& problems) : problems_(problems) {}

  json::object object(const std::vector<FormField>& fields, const json::object& given,
                      const std::string& at);
  void wrong(const std::string& at, Text text) {
    if (problems_.size() < problems_max) problems_.push_back({at, std::move(text)});
  }

 private:
  json::value value(const FormField& field, const json::value& given, const std::string& at);
  json::value text(const FormField& field, std::string_view given, const std::string& at);
  json::value list(const FormField& field, const json::array& given, const std::string& at);

  std::vector<FieldProblem>& problems_;
};

json::object Filler::object(const std::vector<FormField>& fields, const json::object& given,
                            const std::string& at) {
  json::object out;
  for (const FormField& field : fields) {
    const json::value* found = given.if_contains(field.name);
    const std::string here = at + "/" + field.name;
    if (found == nullptr || found->is_null()) {
      if (field.fallback) {
        out[field.name] = *field.fallback;
      } else if (field.required) {
        wrong(here, {"“" + field.title.zh + "”为必填项", field.title.en + " is required"});
      }
      continue;
    }
    out[field.name] = value(field, *found, here);
  }
  for (const auto& member : given) {
    const bool known = std::any_of(fields.begin(), fields.end(), [&](const FormField& f) {
      return std::string_view(member.key()) == f.name;
    });
    if (!known) {
      wrong(at + "/" + pointer_token(clip(member.key(), 64)),
            {"表单没有这个字段", "the form has no such field"});
    }
  }
  return out;
}

bool is_reference(std::string_view text) {
  return !text.empty() && text.size() <= 64 && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.';
  });
}

json::value Filler::value(const FormField& field, const json::value& given, const std::string& at) {
  if (field.type == FieldType::boolean && given.is_bool()) return given;
  if (field.type == FieldType::integer) {
    if (given.is_int64() && given.get_int64() >= field.minimum &&
        given.get_int64() <= field.maximum) {
      return given;
    }
    wrong(at, {"“" + field.title.zh + "”应为 " + std::to_string(field.minimum) + " 到 " +
                   std::to_string(field.maximum) + " 的整数",
               field.title.en + " must be a whole number from " + std::to_string(field.minimum) +
                   " to " + std::to_string(field.maximum)});
    return nullptr;
  }
  if (field.type == FieldType::list && given.is_array()) {
    return list(field, given.get_array(), at);
  }
  if (given.is_string() && field.type != FieldType::boolean && field.type != FieldType::list) {
    return text(field, given.get_string(), at);
  }
  wrong(at, {"“" + field.title.zh + "”的类型不对", field.title.en + " has the wrong type"});
  return nullptr;
}

json::value Filler::text(const FormField& field, std::string_view given, const std::string& at) {
  const std::string& zh = field.title.zh;
  const std::string& en = field.title.en;
  switch (field.type) {
    case FieldType::enumeration:
      if (field.ordinal(given) >= 0) return json::string(given);
      wrong(at, {"“" + zh + "”须从给定选项中选择", en + " must be one of the given choices"});
      return nullptr;
    case FieldType::time:
      if (from_rfc3339(given)) return json::string(given);
      wrong(at, {"“" + zh + "”应为时间，例如 2026-11-22T09:42:00+08:00",
                 en + " must be a time such as 2026-11-22T09:42:00+08:00"});
      return nullptr;
    case FieldType::date:
      if (given.size() == 10 && from_rfc3339(std::string(given) + "T00:00:00Z")) {
        return json::string(given);
      }
      wrong(at,
            {"“" + zh + "”应为日期，例如 2026-11-22", en + " must be a date such as 2026-11-22"});
      return nullptr;
    case FieldType::reference:
      if (is_reference(given)) return json::string(given);
      wrong(at, {"“" + zh + "”不是有效的编号", en + " is not a valid id"});
      return nullptr;
    default:
      break;
  }
  const auto points = is_utf8(given) ? static_cast<std::int64_t>(code_points(given)) : -1;
  const std::int64_t least =
      field.required ? std::max<std::int64_t>(field.minimum, 1) : field.minimum;
  if (points < 0) {
    wrong(at, {"“" + zh + "”不是有效的 UTF-8", en + " is not valid UTF-8"});
  } else if (field.required && trim(given).empty()) {
    wrong(at, {"“" + zh + "”为必填项", en + " is required"});
  } else if (points < least || points > field.maximum) {
    wrong(at, {"“" + zh + "”应为 " + std::to_string(least) + " 到 " +
                   std::to_string(field.maximum) + " 个字",
               en + " must have " + std::to_string(least) + " to " + std::to_string(field.maximum) +
                   " characters"});
  }
  return json::string(given);
}

json::value Filler::list(const FormField& field, const json::array& given, const std::string& at) {
  const auto size = static_cast<std::int64_t>(given.size());
  const std::int64_t least =
      field.required ? std::max<std::int64_t>(field.minimum, 1) : field.minimum;
  if (size < least || size > field.maximum) {
    wrong(at, {"“" + field.title.zh + "”应有 " + std::to_string(least) + " 到 " +
                   std::to_string(field.maximum) + " 项",
               field.title.en + " must have " + std::to_string(least) + " to " +
                   std::to_string(field.maximum) + " items"});
    return nullptr;
  }
  json::array out;
  const bool plain = field.items.size() == 1 && field.items[0].name.empty();
  for (std::size_t i = 0; i < given.size(); ++i) {
    const std::string here = at + "/" + std::to_string(i);
    if (plain) {
      FormField item = field.items[0];
      item.title = field.title;
      out.push_back(value(item, given[i], here));
    } else if (given[i].is_object()) {
      out.push_back(object(field.items, given[i].get_object(), here));
    } else {
      wrong(here, {"这一项的类型不对", "this item has the wrong type"});
    }
  }
  return out;
}

}  // namespace

Result<json::object> fill(const Form& form, const json::object& submitted) {
  std::vector<FieldProblem> problems;
  Filler filler(problems);
  json::object filled = filler.object(form.fields, submitted, "");
  for (const FormRule& rule : form.rules) {
    const json::value* seen = filled.if_contains(form.fields[rule.field].name);
    if (seen == nullptr ||
        std::find(rule.values.begin(), rule.values.end(), *seen) == rule.values.end()) {
      continue;
    }
    for (const int index : rule.required) {
      const FormField& field = form.fields[index];
      const json::value* given = filled.if_contains(field.name);
      const bool blank =
          given != nullptr && given->is_string() && trim(given->get_string()).empty();
      if (given == nullptr || given->is_null() || blank) {
        filler.wrong("/" + field.name, {"此时“" + field.title.zh + "”为必填项",
                                        field.title.en + " is required in this case"});
      }
    }
  }
  if (problems.empty()) return filled;
  const std::string count = std::to_string(problems.size());  // before they are moved away
  return problem(Refusal::invalid, "form.invalid",
                 {"表单“" + form.title.zh + "”有 " + count + " 处需要改正，尚未提交",
                  "the form '" + form.title.en + "' has " + count +
                      " field(s) to correct; nothing was submitted"},
                 std::move(problems));
}

Value value_of(const FormField& field, const json::value& filled, const InternRef& intern) {
  if (filled.is_null()) return null_value;
  switch (field.type) {
    case FieldType::boolean:
      return filled.as_bool() ? 1 : 0;
    case FieldType::integer:
      return filled.as_int64();
    case FieldType::time:
      return from_rfc3339(filled.as_string()).value_or(null_value);
    case FieldType::enumeration:
      return field.ordinal(filled.as_string());
    case FieldType::reference:
      return intern(filled.as_string());
    default:
      return null_value;
  }
}

}  // namespace cw
