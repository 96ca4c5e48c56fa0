// Forms: what people fill in. A form is a file in a subset of JSON Schema draft 2020-12
// (docs/formats/form.md). Its contents are sealed; only a field that is named like a fact of the
// procedure becomes clear. Immutable after reading: thread-safe.
//
//   auto form = read_form(text, "triage.yaml", mistakes);
//   Result<json::object> filled = fill(*form, submitted);     // validated, defaults in place
//   if (!filled) return filled.problem();                     // fields: "/severity" …
//   Value severity = value_of(form->fields[0], *filled->if_contains("severity"), intern);
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/yaml.h"

namespace cw {

// A fact's value in one word: an integer, 0/1, UTC milliseconds, the ordinal of an enumeration, or
// for a reference whatever number the caller interned its id as (only equality is asked of it).
using Value = std::int64_t;
inline constexpr Value null_value = std::numeric_limits<std::int64_t>::min();

enum class FieldType : std::uint8_t {
  boolean,
  integer,
  time,
  enumeration,
  reference,  // may be a fact
  text,
  date,
  list  // only in forms
};

// Where a field's first value is taken from when its form is opened.
struct FieldSource {
  enum class Kind : std::uint8_t { fact, field, now, org };  // now: the moment; org: its name
  Kind kind = Kind::fact;
  std::string form;  // field: of which form filed on the case ("urgent")
  std::string name;  // of the fact or the field
  int line = 0, column = 0;
  std::string text() const;  // as it is written: "people", "urgent.affected", "now"
};

struct FormField {
  std::string name;
  Text title, help;
  FieldType type = FieldType::text;
  bool required = false;
  bool personal = false;            // names, numbers, addresses: masked in lists
  std::string widget;               // a hint for drawing: "" or "textarea", "phone", "email" …
  std::vector<std::string> values;  // enumeration: in order, least first
  std::vector<Text> words;          // enumeration: the same in zh and en; may be empty
  std::string ref;                  // reference: "person", "team", "post", "case", "customer" …
  std::int64_t minimum = 0;         // integer: value; text: code points; list: items
  std::int64_t maximum = 0;
  std::optional<json::value> fallback;  // JSON Schema's `default`
  std::vector<FormField> items;   // list: the fields of one item; one field without a name when
                                  //   an item is a plain text, number or choice
  std::vector<FieldSource> from;  // the first that is known is written in
  bool late = false;              // a text: the reason, required when the filing is late

  int ordinal(std::string_view value) const;  // of an enumeration; -1 when it is none of them
};

// if FIELD is one of VALUES then the fields of REQUIRED are required.
struct FormRule {
  int field = -1;
  std::vector<json::value> values;
  std::vector<int> required;
};

struct Form {
  std::string id;
  int version = 0;
  Text title, help;
  std::vector<FormField> fields;
  std::vector<FormRule> rules;
  std::string source;  // the file's text, so that a version can be kept with the journal; empty
                       //   when it follows from the procedure (Amendment)

  int field(std::string_view name) const;  // index, or -1
  int late_field() const;                  // the one that gives the reason for lateness, or -1
};

// Whether a value of another field, or of a fact (as a field of the same type, values and `ref`),
// can be written into this one: the same kind of value, or anything but rows as text.
bool takes(const FormField& field, const FormField& given);

// Reads and checks one form file. Null when there was a mistake; all mistakes are reported.
std::shared_ptr<const Form> read_form(std::string_view text, const std::string& file,
                                      std::vector<Mistake>& mistakes);

// Fields of other forms that `from` names: each must be there and fit. Mistakes have their place.
using FindForm = std::function<std::shared_ptr<const Form>(std::string_view id)>;
void check_sources(const Form& form, const FindForm& find, const std::string& file,
                   std::vector<Mistake>& mistakes);

// Validates what was submitted: unknown fields, types, bounds, required ones and rules. Returns it
// with the defaults in place. The Problem (`form.invalid`) names every field at fault by a JSON
// pointer into the form and never repeats a value.
Result<json::object> fill(const Form& form, const json::object& submitted);

// The value of one filled field as a fact would hold it; null_value for null, text, date and list.
// `intern` turns a reference's id into a number.
using InternRef = std::function<Value(std::string_view)>;
Value value_of(const FormField& field, const json::value& filled, const InternRef& intern);

// The form for the console: JSON Schema whose titles are {zh, en}.
json::object to_json(const Form& form);

}  // namespace cw
