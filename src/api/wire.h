// The wire types' one source: a struct described by Boost.Describe gives its JSON, its reading
// with every field at fault named, and its JSON Schema for OpenAPI. Pure and thread-safe.
//
//   struct Take { std::string case_id; std::optional<std::string> note; };
//   BOOST_DESCRIBE_STRUCT(Take, (), (case_id, note))
//   Take t; Wrong wrong; read_wire(value, t, "", wrong);
//   json::value v = wire(t);
//
// std::optional members may be absent; every other is required. Unknown members are refused.
//
// A described struct becomes a table of its members, and the drivers in wire.cpp walk tables: what
// a type costs to compile is one line a member.
#pragma once

#include <array>
#include <boost/describe.hpp>
#include <limits>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <typeinfo>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace cw::api {

inline constexpr std::size_t wire_text_max = 20'000;         // code points in one text
inline constexpr std::size_t wire_long_text_max = 12 << 20;  // bytes of a LongText
inline constexpr std::size_t wire_list_max = 10'000;         // items in one list that is sent to us

// A text without the bound of other texts: a file that people write. Its reader bounds it.
struct LongText {
  std::string text;
};

using Wrong = std::vector<FieldProblem>;  // every field at fault

struct Schemas {
  std::map<std::string, json::object> by_name;
  std::map<std::string, const std::type_info*> types;  // what the name stands for
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

template <typename T>
json::value wire(const T& value);
template <typename T>
void read_wire(const json::value& value, T& out, const std::string& at, Wrong& wrong);
template <typename T>
json::object schema_of(Schemas& all);

// One member of a described struct, of which the driver knows no type.
struct WireWriter {
  const char* name;
  bool (*write)(const void* object, json::value& out);  // false: absent
};
struct WireReader {
  const char* name;
  bool optional;
  void (*read)(const json::value& value, void* object, const std::string& at, Wrong& wrong);
};
struct WireSchema {
  const char* name;
  bool optional;
  json::object (*schema)(Schemas& all);
};

json::object write_members(const void* object, std::span<const WireWriter> members);
void read_members(const json::value& value, void* object, std::span<const WireReader> members,
                  const std::string& at, Wrong& wrong);
json::object schema_of_members(const std::type_info& type, std::span<const WireSchema> members,
                               Schemas& all);

// The table of T: `of` makes the line of one member.
template <typename Line, typename T, typename F, template <typename...> class List, typename... D>
constexpr std::array<Line, sizeof...(D)> wire_lines(List<D...>, [[maybe_unused]] F of) {
  return {of.template operator()<D>()...};
}
template <typename Line, typename T, typename F>
constexpr auto wire_table(F of) {
  return wire_lines<Line, T>(boost::describe::describe_members<T, boost::describe::mod_public>{},
                             of);
}
template <typename T, typename D>
using WireMember = std::remove_cvref_t<decltype(std::declval<T&>().*D::pointer)>;

// ---- writing ----

json::value wire(const Text& t);
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
    static constexpr auto table = wire_table<WireWriter, T>([]<typename D>() {
      return WireWriter{D::name, [](const void* object, json::value& out) {
                          const auto& v = static_cast<const T*>(object)->*D::pointer;
                          if constexpr (is_optional<WireMember<T, D>>::value)
                            if (!v) return false;
                          out = wire(v);
                          return true;
                        }};
    });
    return write_members(&value, table);
  } else {
    return json::value(value);
  }
}

// ---- reading ----

void wire_wrong(Wrong& wrong, const std::string& at, Text text);
void wire_wrong_type(Wrong& wrong, const std::string& at, Text expected);
std::string wire_pointer(const std::string& base, std::string_view member);

void read_wire(const json::value& value, std::string& out, const std::string& at, Wrong& wrong);
void read_wire(const json::value& value, LongText& out, const std::string& at, Wrong& wrong);
void read_wire(const json::value& value, bool& out, const std::string& at, Wrong& wrong);
void read_wire(const json::value& value, json::object& out, const std::string& at, Wrong& wrong);
void read_wire(const json::value& value, Text& out, const std::string& at, Wrong& wrong);
std::int64_t read_integer(const json::value& value, std::int64_t least, std::int64_t most,
                          const std::string& at, Wrong& wrong);
const json::array* read_list(const json::value& value, const std::string& at, Wrong& wrong);
std::string item_pointer(const std::string& at, std::size_t index);

template <typename T>
void read_wire(const json::value& value, T& out, const std::string& at, Wrong& wrong) {
  if constexpr (std::is_integral_v<T>) {
    constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
    out =
        static_cast<T>(read_integer(value, static_cast<std::int64_t>(std::numeric_limits<T>::min()),
                                    std::in_range<std::int64_t>(std::numeric_limits<T>::max())
                                        ? static_cast<std::int64_t>(std::numeric_limits<T>::max())
                                        : most,
                                    at, wrong));
  } else if constexpr (is_optional<T>::value) {
    if (!value.is_null()) read_wire(value, out.emplace(), at, wrong);
  } else if constexpr (is_vector<T>::value) {
    if (const json::array* items = read_list(value, at, wrong))
      for (const json::value& item : *items)
        read_wire(item, out.emplace_back(), item_pointer(at, out.size() - 1), wrong);
  } else {
    static_assert(Described<T>);
    static constexpr auto table = wire_table<WireReader, T>([]<typename D>() {
      return WireReader{D::name, is_optional<WireMember<T, D>>::value,
                        [](const json::value& v, void* object, const std::string& where, Wrong& w) {
                          read_wire(v, static_cast<T*>(object)->*D::pointer, where, w);
                        }};
    });
    read_members(value, &out, table, at, wrong);
  }
}

// ---- schema ----

json::object schema_of_list(json::object items);
json::object schema_of_text(Schemas& all);
json::object plain_schema(const char* type);  // "string"

template <typename T>
json::object schema_of(Schemas& all) {
  if constexpr (is_optional<T>::value) {
    return schema_of<typename T::value_type>(all);
  } else if constexpr (is_vector<T>::value) {
    return schema_of_list(schema_of<typename T::value_type>(all));
  } else if constexpr (std::is_same_v<T, std::string> || std::is_same_v<T, LongText>) {
    return plain_schema("string");
  } else if constexpr (std::is_same_v<T, bool>) {
    return plain_schema("boolean");
  } else if constexpr (std::is_integral_v<T>) {
    return plain_schema("integer");
  } else if constexpr (std::is_floating_point_v<T>) {
    return plain_schema("number");
  } else if constexpr (std::is_same_v<T, Text>) {
    return schema_of_text(all);
  } else if constexpr (std::is_same_v<T, json::object>) {
    return plain_schema("object");
  } else if constexpr (std::is_same_v<T, json::value>) {
    return {};
  } else {
    static_assert(Described<T>);
    static constexpr auto table = wire_table<WireSchema, T>([]<typename D>() {
      using M = WireMember<T, D>;
      return WireSchema{D::name, is_optional<M>::value, &schema_of<M>};
    });
    return schema_of_members(typeid(T), table, all);
  }
}

}  // namespace cw::api
