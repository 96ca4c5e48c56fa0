#include "wire.h"

#include <boost/core/demangle.hpp>

#include "base/check.h"
#include "base/text.h"

namespace cw::api {

void wire_wrong(Wrong& wrong, const std::string& at, Text text) {
  if (wrong.size() < 100) wrong.push_back({at, std::move(text)});
}

void wire_wrong_type(Wrong& wrong, const std::string& at, Text expected) {
  wire_wrong(wrong, at, {"应为" + expected.zh, "This must be " + expected.en});
}

std::string wire_pointer(const std::string& base, std::string_view member) {
  return base + "/" + pointer_token(member.substr(0, 200));
}

namespace {

void unknown_member(Wrong& wrong, const std::string& at, std::string_view member) {
  wire_wrong(wrong, wire_pointer(at, member), {"没有这个字段", "There is no such field"});
}

// "cw::api::Page<cw::api::(anonymous namespace)::CaseBrief>" → "PageCaseBrief": the namespaces go,
// the rest is joined.
std::string wire_type_name(const std::type_info& type) {
  constexpr std::string_view unnamed = "(anonymous namespace)";
  std::string full = boost::core::demangle(type.name());
  for (std::size_t at; (at = full.find(unnamed)) != full.npos;) full.erase(at, unnamed.size());
  std::string out, word;
  for (char c : full) {
    if (c == ':') {
      word.clear();
    } else if (c == '<' || c == '>' || c == ',' || c == ' ') {
      out += word;
      word.clear();
    } else {
      word += c;
    }
  }
  return out + word;
}

}  // namespace

json::value wire(const Text& t) { return {{"zh", t.zh}, {"en", t.en}}; }

json::object write_members(const void* object, std::span<const WireWriter> members) {
  json::object out;
  out.reserve(members.size());
  json::value value;
  for (const WireWriter& m : members)
    if (m.write(object, value)) out.emplace(m.name, std::move(value));
  return out;
}

void read_wire(const json::value& value, std::string& out, const std::string& at, Wrong& wrong) {
  if (!value.is_string()) return wire_wrong_type(wrong, at, {"文本", "a text"});
  out = value.get_string();
  if (code_points(out) > wire_text_max) wire_wrong(wrong, at, {"文本过长", "The text is too long"});
}

void read_wire(const json::value& value, LongText& out, const std::string& at, Wrong& wrong) {
  if (!value.is_string()) return wire_wrong_type(wrong, at, {"文本", "a text"});
  out.text = value.get_string();
  if (out.text.size() > wire_long_text_max)
    wire_wrong(wrong, at, {"文本过长", "The text is too long"});
}

void read_wire(const json::value& value, bool& out, const std::string& at, Wrong& wrong) {
  if (!value.is_bool()) return wire_wrong_type(wrong, at, {"true 或 false", "true or false"});
  out = value.get_bool();
}

void read_wire(const json::value& value, json::object& out, const std::string& at, Wrong& wrong) {
  if (!value.is_object()) return wire_wrong_type(wrong, at, {"对象", "an object"});
  out = value.get_object();
}

void read_wire(const json::value& value, Text& out, const std::string& at, Wrong& wrong) {
  if (!value.is_object())
    return wire_wrong_type(wrong, at, {"含 zh 与 en 的对象", "an object with zh and en"});
  for (const auto& [key, v] : value.get_object()) {
    if (key == "zh" || key == "en")
      read_wire(v, key == "zh" ? out.zh : out.en, wire_pointer(at, key), wrong);
    else
      unknown_member(wrong, at, key);
  }
  if (out.zh.empty() || out.en.empty())
    wire_wrong(wrong, at, {"中文与英文都要填写", "Give it in Chinese and in English"});
}

std::int64_t read_integer(const json::value& value, std::int64_t least, std::int64_t most,
                          const std::string& at, Wrong& wrong) {
  if (!value.is_int64()) {
    wire_wrong_type(wrong, at, {"整数", "an integer"});
    return 0;
  }
  const std::int64_t number = value.get_int64();
  if (number < least || number > most)
    wire_wrong(wrong, at, {"数值超出范围", "The number is out of range"});
  return number;
}

const json::array* read_list(const json::value& value, const std::string& at, Wrong& wrong) {
  if (!value.is_array()) {
    wire_wrong_type(wrong, at, {"列表", "a list"});
  } else if (value.get_array().size() > wire_list_max) {
    wire_wrong(wrong, at, {"列表过长", "The list is too long"});
  } else {
    return &value.get_array();
  }
  return nullptr;
}

std::string item_pointer(const std::string& at, std::size_t index) {
  return wire_pointer(at, std::to_string(index));
}

void read_members(const json::value& value, void* object, std::span<const WireReader> members,
                  const std::string& at, Wrong& wrong) {
  if (!value.is_object()) return wire_wrong_type(wrong, at, {"对象", "an object"});
  const json::object& given = value.get_object();
  std::size_t known = 0;
  for (const WireReader& m : members) {
    if (const json::value* v = given.if_contains(m.name)) {
      ++known;
      m.read(*v, object, wire_pointer(at, m.name), wrong);
    } else if (!m.optional) {
      wire_wrong(wrong, wire_pointer(at, m.name), {"必填", "This is required"});
    }
  }
  if (known == given.size()) return;
  for (const auto& [key, v] : given)
    if (std::none_of(members.begin(), members.end(), [&](auto& m) { return key == m.name; }))
      unknown_member(wrong, at, key);
}

json::object plain_schema(const char* type) {
  json::object out{{"type", type}};
  if (std::string_view(type) == "integer") out["format"] = "int64";
  if (std::string_view(type) == "object") out["additionalProperties"] = true;
  return out;
}

json::object schema_of_list(json::object items) {
  return {{"type", "array"}, {"items", std::move(items)}};
}

json::object schema_of_text(Schemas& all) {
  const json::object string = plain_schema("string");
  all.by_name.emplace("Text", json::object{{"type", "object"},
                                           {"properties", {{"zh", string}, {"en", string}}},
                                           {"required", {"zh", "en"}}});
  return {{"$ref", "#/components/schemas/Text"}};
}

json::object schema_of_members(const std::type_info& type, std::span<const WireSchema> members,
                               Schemas& all) {
  const std::string name = wire_type_name(type);
  json::object ref{{"$ref", "#/components/schemas/" + name}};
  const auto [known, fresh] = all.types.emplace(name, &type);
  CW_CHECK(*known->second == type);  // two types of one name cannot both be described
  if (!fresh) return ref;            // or being described
  json::object properties;
  json::array required;
  for (const WireSchema& m : members) {
    properties.emplace(m.name, m.schema(all));
    if (!m.optional) required.push_back(json::string(m.name));
  }
  json::object schema{{"type", "object"}, {"properties", std::move(properties)}};
  if (!required.empty()) schema["required"] = std::move(required);
  all.by_name[name] = std::move(schema);
  return ref;
}

}  // namespace cw::api
