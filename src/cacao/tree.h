// YAML trees made by hand: building them, writing them as text, and carrying them in JSON without
// losing order or quotes. Pure and thread-safe.
//
//   YamlNode root = branch();
//   put(root, "procedure", leaf("plan.fire"));
//   std::string text = to_yaml(root);                  // reads back as the same tree
//   json::value carried = to_carried(root);            // {"map": [["procedure", "plan.fire"]]}
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/yaml.h"

namespace cw::cacao {

YamlNode leaf(std::string text);         // plain where YAML allows it, otherwise quoted
YamlNode quoted_leaf(std::string text);  // always a string
YamlNode branch();                       // an empty map
YamlNode sequence(std::vector<YamlNode> items);
YamlNode names(const std::vector<std::string>& all);  // one as a scalar, several as a list
YamlNode both_languages(std::string_view zh, std::string_view en);
YamlNode& put(YamlNode& map, std::string key, YamlNode value);  // the value where it now lies

// Text that parse_yaml reads back as the same tree: kinds, order, texts and quotes.
std::string to_yaml(const YamlNode& root);

// Same kinds, texts and order, and quotes where a plain text could mean something else (5, true,
// actor). Places do not matter.
bool same_tree(const YamlNode& a, const YamlNode& b);

std::size_t count_nodes(const YamlNode& node);

// A map as {"map": [[key, value], …]}, since JSON objects have no order; a list as an array; a
// plain scalar as its number, boolean, null or string; a quoted one that could be plain as
// {"text": "…"}.
json::value to_carried(const YamlNode& node);
std::optional<YamlNode> from_carried(const json::value& value);  // nothing when it is none

}  // namespace cw::cacao
