#include "names.h"

#include <algorithm>
#include <array>

namespace cw {

bool known_ref(std::string_view ref) {
  static constexpr std::array<std::string_view, 9> known{
      "person", "team", "post", "queue", "case", "customer", "asset", "document", "supplier"};
  return std::find(known.begin(), known.end(), ref) != known.end();
}

bool is_identifier(std::string_view name) {
  static constexpr std::array<std::string_view, 10> own{
      "true", "false", "null", "in", "has", "actor", "form", "tasks", "children", "now"};
  if (name.empty() || name.size() > 64) return false;
  if (std::find(own.begin(), own.end(), name) != own.end()) return false;
  auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  return letter(name[0]) && std::all_of(name.begin(), name.end(), [&](char c) {
           return letter(c) || (c >= '0' && c <= '9');
         });
}

static std::size_t edits(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t above = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)});
      diagonal = above;
    }
  }
  return row[b.size()];
}

Text suggestion(std::string_view wrong, const std::vector<std::string>& known) {
  const std::string* best = nullptr;
  std::size_t least = 3;
  if (wrong.size() > 64) return {};
  for (const std::string& name : known) {
    const std::size_t distance = edits(wrong, name);
    if (distance < least && distance < name.size()) {
      least = distance;
      best = &name;
    }
  }
  if (best == nullptr) return {};
  return {"；是否指“" + *best + "”？", "; did you mean '" + *best + "'?"};
}

std::vector<std::string> read_values(const YamlNode& node, YamlReader& reader) {
  std::vector<std::string> values;
  if (!reader.list(node)) return values;
  for (const YamlNode& item : node.items) {
    const std::string value = reader.name(item);
    if (value.empty()) continue;
    if (std::find(values.begin(), values.end(), value) != values.end()) {
      reader.mistake(item, "enum.twice",
                     {"“" + value + "”出现两次", "'" + value + "' stands here twice"});
      continue;
    }
    values.push_back(value);
  }
  if (values.empty()) {
    reader.mistake(node, "enum.empty", {"至少需要一个值", "at least one value is needed"});
  }
  return values;
}

std::vector<Text> read_words(const YamlNode& node, const std::vector<std::string>& values,
                             YamlReader& reader) {
  std::vector<Text> words(values.size());
  if (!reader.map(node)) return words;
  for (const auto& [key, text] : node.entries) {
    if (std::find(values.begin(), values.end(), key.text) == values.end()) {
      const Text hint = suggestion(key.text, values);
      reader.mistake(key, "enum.unknown", {"没有这个值" + hint.zh, "no such value" + hint.en});
    }
  }
  for (std::size_t i = 0; i < values.size(); ++i) {
    const YamlNode* text = node.find(values[i]);
    if (text == nullptr) {
      reader.mistake(node, "text.missing",
                     {"值“" + values[i] + "”缺少文字", "value '" + values[i] + "' has no words"});
      continue;
    }
    words[i] = reader.text(*text);
  }
  return words;
}

}  // namespace cw
