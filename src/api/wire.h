// The wire types' one source: a struct described by Boost.Describe gives its JSON, its reading
// with every field at fault named, and its JSON Schema for OpenAPI. Pure and thread-safe.
//
//   struct Take { std::string case_id; std::optional<std::string> note; };
//   BOOST_DESCRIBE_STRUCT(Take, (), (case_id, note))
//   Take t; std::vector<FieldProblem> wrong; read_wire(value, t, "", wrong);
//   json::value v = wire(t);
//
// std::optional members may be absent; every other is required. Unknown members are refused.
#pragma once

#include <boost/describe.hpp>
#include <boost/mp11.hpp>
#include <map>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "base/text.h"

namespace cw::api {

inline constexpr std::size_t wire_text_max = 20'000;         // code points in one text
inline constexpr std::size_t wire_long_text_max = 12 << 20;  // bytes of a LongText
inline constexpr std::size_t wire_list_max = 10'000;         // items in one list that is sent to us

// A text without the bound of other texts: a file that people write. Its reader bounds it.
struct LongText {
  std::string text;
};

template <typename T>
concept Described = boost::describe::has_describe_members<T>::value;

template <typename T>
struct is_optional : std::false_type {};
template <typename T>
struct is_optional<std::optional<T>> : std::true_type {};
template <typename T>
struct is_vector : std::false_type {};
template <typename T>
struct is_vector<std::vector<T>> : std::true_type {};

template <typename T, typename F>
void each_member(F&& f) {
  boost::mp11::mp_for_each<boost::describe::describe_members<T, boost::describe::mod_public>>(f);
}

// ---- writing ----

inline json::value wire(const Text& t) { return {{"zh", t.zh}, {"en", t.en}}; }

inline json::value wire(const LongText& t) { return json::value(t.text); }

template <typename T>
json::value wire(const T& value) {
  if constexpr (is_optional<T>::value) {
    return value ? wire(*value) : json::value(nullptr);
  } else if constexpr (is_vector<T>::value) {
    json::array out;
    out.reserve(value.size());
    for (const auto& item : value) out.push_back(wire(item));
    return out;
  } else if constexpr (Described<T>) {
    json::object out;
    each_member<T>([&](auto member) {
      const auto& v = value.*member.pointer;
      if constexpr (is_optional<std::decay_t<decltype(v)>>::value) {
        if (v) out.emplace(member.name, wire(*v));
      } else {
        out.emplace(member.name, wire(v));
      }
    });
    return out;
  } else {
    return json::value(value);
  }
}

// ---- reading ----

void wire_wrong(std::vector<FieldProblem>& wrong, const std::string& pointer, Text text);
void wire_wrong_type(std::vector<FieldProblem>& wrong, const std::string& pointer, Text expected);
std::string wire_pointer(const std::string& base, std::string_view member);

template <typename T>
void read_wire(const json::value& value, T& out, const std::string& at,
               std::vector<FieldProblem>& wrong) {
  if constexpr (std::is_same_v<T, std::string>) {
    if (!value.is_string()) return wire_wrong_type(wrong, at, {"文本", "a text"});
    out = value.get_string();
    if (code_points(out) > wire_text_max)
      wire_wrong(wrong, at, {"文本过长", "The text is too long"});
  } else if constexpr (std::is_same_v<T, LongText>) {
    if (!value.is_string()) return wire_wrong_type(wrong, at, {"文本", "a text"});
    out.text = value.get_string();
    if (out.text.size() > wire_long_text_max)
      wire_wrong(wrong, at, {"文本过长", "The text is too long"});
  } else if constexpr (std::is_same_v<T, bool>) {
    if (!value.is_bool()) return wire_wrong_type(wrong, at, {"true 或 false", "true or false"});
    out = value.get_bool();
  } else if constexpr (std::is_integral_v<T>) {
    if (!value.is_int64()) return wire_wrong_type(wrong, at, {"整数", "an integer"});
    out = static_cast<T>(value.get_int64());
    if (static_cast<std::int64_t>(out) != value.get_int64() ||
        (std::is_unsigned_v<T> && value.get_int64() < 0))
      wire_wrong(wrong, at, {"数值超出范围", "The number is out of range"});
  } else if constexpr (std::is_same_v<T, json::object>) {
    if (!value.is_object()) return wire_wrong_type(wrong, at, {"对象", "an object"});
    out = value.get_object();
  } else if constexpr (std::is_same_v<T, Text>) {
    if (!value.is_object())
      return wire_wrong_type(wrong, at, {"含 zh 与 en 的对象", "an object with zh and en"});
    for (auto& [key, v] : value.get_object()) {
      if (key == "zh")
        read_wire(v, out.zh, wire_pointer(at, key), wrong);
      else if (key == "en")
        read_wire(v, out.en, wire_pointer(at, key), wrong);
      else
        wire_wrong(wrong, wire_pointer(at, key), {"没有这个字段", "There is no such field"});
    }
    if (out.zh.empty() || out.en.empty())
      wire_wrong(wrong, at, {"中文与英文都要填写", "Give it in Chinese and in English"});
  } else if constexpr (is_optional<T>::value) {
    if (value.is_null()) return;
    read_wire(value, out.emplace(), at, wrong);
  } else if constexpr (is_vector<T>::value) {
    if (!value.is_array()) return wire_wrong_type(wrong, at, {"列表", "a list"});
    if (value.get_array().size() > wire_list_max)
      return wire_wrong(wrong, at, {"列表过长", "The list is too long"});
    for (std::size_t i = 0; i < value.get_array().size(); ++i)
      read_wire(value.get_array()[i], out.emplace_back(), wire_pointer(at, std::to_string(i)),
                wrong);
  } else {
    static_assert(Described<T>);
    if (!value.is_object()) return wire_wrong_type(wrong, at, {"对象", "an object"});
    const auto& object = value.get_object();
    std::size_t known = 0;
    each_member<T>([&](auto member) {
      auto& field = out.*member.pointer;
      const auto* v = object.if_contains(member.name);
      known += v != nullptr;
      if (v)
        read_wire(*v, field, wire_pointer(at, member.name), wrong);
      else if constexpr (!is_optional<std::decay_t<decltype(field)>>::value)
        wire_wrong(wrong, wire_pointer(at, member.name), {"必填", "This is required"});
    });
    if (known == object.size()) return;
    for (auto& [key, v] : object) {
      bool is_known = false;
      each_member<T>([&](auto member) { is_known = is_known || key == member.name; });
      if (!is_known)
        wire_wrong(wrong, wire_pointer(at, key), {"没有这个字段", "There is no such field"});
    }
  }
}

// ---- schema ----

using Schemas = std::map<std::string, json::object>;
std::string wire_type_name(const char* mangled);

template <typename T>
json::object schema_of(Schemas& all) {
  if constexpr (is_optional<T>::value) {
    return schema_of<typename T::value_type>(all);
  } else if constexpr (is_vector<T>::value) {
    return {{"type", "array"}, {"items", schema_of<typename T::value_type>(all)}};
  } else if constexpr (std::is_same_v<T, std::string> || std::is_same_v<T, LongText>) {
    return {{"type", "string"}};
  } else if constexpr (std::is_same_v<T, bool>) {
    return {{"type", "boolean"}};
  } else if constexpr (std::is_integral_v<T>) {
    return {{"type", "integer"}, {"format", "int64"}};
  } else if constexpr (std::is_floating_point_v<T>) {
    return {{"type", "number"}};
  } else if constexpr (std::is_same_v<T, Text>) {
    all.emplace("Text", json::object{{"type", "object"},
                                     {"properties",
                                      {{"zh", {{"type", "string"}}}, {"en", {{"type", "string"}}}}},
                                     {"required", {"zh", "en"}}});
    return {{"$ref", "#/components/schemas/Text"}};
  } else if constexpr (std::is_same_v<T, json::object>) {
    return {{"type", "object"}, {"additionalProperties", true}};
  } else if constexpr (std::is_same_v<T, json::value>) {
    return {};
  } else {
    static_assert(Described<T>);
    std::string name = wire_type_name(typeid(T).name());
    json::object ref{{"$ref", "#/components/schemas/" + name}};
    if (!all.emplace(name, json::object{}).second) return ref;  // known, or being described
    json::object properties;
    json::array required;
    each_member<T>([&](auto member) {
      using M = std::decay_t<decltype(std::declval<T>().*member.pointer)>;
      properties.emplace(member.name, schema_of<M>(all));
      if (!is_optional<M>::value) required.push_back(member.name);
    });
    json::object schema{{"type", "object"}, {"properties", properties}};
    if (!required.empty()) schema["required"] = required;
    all[name] = schema;
    return ref;
  }
}

}  // namespace cw::api
