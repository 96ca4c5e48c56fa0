// Small helpers that forms and procedures share while they are read. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/yaml.h"
#include "language/form.h"

namespace cw {

// What a reference may point at.
bool known_ref(std::string_view ref);

// A name that expressions can use: letters, digits and "_", not one of the language's own words.
bool is_identifier(std::string_view name);

// "; did you mean 'triage'?" for a name at most two edits away, otherwise nothing.
Text suggestion(std::string_view wrong, const std::vector<std::string>& known);

// An ordered list of distinct names: [none, general, larger].
std::vector<std::string> read_values(const YamlNode& node, YamlReader& reader);

// {none: {zh: …, en: …}, …} for all of `values`, in their order.
std::vector<Text> read_words(const YamlNode& node, const std::vector<std::string>& values,
                             YamlReader& reader);

// `from` of a field: one source or a list of them.
std::vector<FieldSource> read_sources(const YamlNode& node, YamlReader& reader);

}  // namespace cw
