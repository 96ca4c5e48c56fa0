#include "tree.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

namespace cw::cacao {
namespace {

constexpr std::size_t line_wanted = 100, depth_allowed = 32;

bool reads_as_null(std::string_view s) {
  return s.empty() || s == "~" || s == "null" || s == "Null" || s == "NULL";
}

// May stand without quotes, in a block and inside […] and {…}.
bool plain_safe(std::string_view s) {
  constexpr std::string_view never_first = "-?:,[]{}#&*!|>'\"%@` ", never = ",[]{}?\"'\\#";
  if (reads_as_null(s) || s.size() > 1'000 || s == "<<") return false;
  const bool negative = s[0] == '-' && s.size() > 1 && s[1] >= '0' && s[1] <= '9';
  if ((!negative && never_first.find(s[0]) != std::string_view::npos) || s.back() == ' ' ||
      s.back() == ':')
    return false;
  for (std::size_t i = 0; i < s.size(); ++i) {
    const auto c = static_cast<unsigned char>(s[i]);
    if (c < 0x20 || c == 0x7F || never.find(s[i]) != std::string_view::npos) return false;
    if (s[i] == ':' && (i + 1 == s.size() || s[i + 1] == ' ')) return false;
  }
  return !s.starts_with("...") && s.find("\xEF\xBB\xBF") == std::string_view::npos;
}

std::string in_quotes(std::string_view s) {
  std::string out = "\"";
  for (const char c : s) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
      out += fmt::format("\\x{:02X}", static_cast<unsigned>(static_cast<unsigned char>(c)));
    } else {
      out += c;
    }
  }
  return out + "\"";
}

bool bare(const YamlNode& n) { return !n.quoted && plain_safe(n.text); }

std::string inline_scalar(const YamlNode& n) {
  if (n.kind == YamlNode::Kind::null) return "null";
  return bare(n) ? n.text : in_quotes(n.text);
}

// Lines that a literal block (| or |-) keeps as they are.
bool literal_fits(const YamlNode& n) {
  if (n.kind != YamlNode::Kind::scalar || n.text.find('\n') == std::string::npos) return false;
  std::string_view text = n.text;
  if (text.ends_with('\n')) text.remove_suffix(1);
  const auto lines = split(text, '\n');
  if (trim(lines.front()).empty() || trim(lines.back()).empty()) return false;
  return std::all_of(lines.begin(), lines.end(), [](std::string_view line) {
    const bool clean = std::all_of(line.begin(), line.end(), [](char c) {
      return static_cast<unsigned char>(c) >= 0x20 && c != 0x7F;
    });
    return clean && line.size() < 10'000 && (line.empty() || !trim(line).empty()) &&
           line.find("\xEF\xBB\xBF") == std::string_view::npos;
  });
}

// On one line, as {a: 1, b: [x, y]}; empty when it would be longer than `room`.
std::string flow(const YamlNode& n, std::size_t room) {
  std::string out;
  if (n.is_map() || n.is_list()) {
    out += n.is_map() ? '{' : '[';
    bool first = true;
    auto add = [&](const std::string& part) {
      if (part.empty() || out.size() + part.size() > room) return false;
      out += (first ? "" : ", ") + part;
      first = false;
      return true;
    };
    for (const YamlNode& item : n.items)
      if (!add(flow(item, room))) return "";
    for (const auto& [key, value] : n.entries) {
      const std::string inside = flow(value, room);
      if (inside.empty() || !add(inline_scalar(key) + ": " + inside)) return "";
    }
    out += n.is_map() ? '}' : ']';
  } else {
    if (literal_fits(n)) return "";
    out = inline_scalar(n);
  }
  return out.size() <= room ? out : "";
}

class TreeWriter {
 public:
  void value(const YamlNode& n, std::size_t indent, std::size_t used) {
    const bool holds = n.is_map() ? !n.entries.empty() : !n.items.empty();
    const bool nested = (n.is_map() || n.is_list()) && holds;
    const std::size_t room = line_wanted > used ? line_wanted - used : 0;
    const std::string one = nested && indent == 0 ? "" : flow(n, room);
    if (!one.empty()) {
      out_ += " " + one + "\n";
    } else if (n.is_map() && holds) {
      out_ += '\n';
      map(n, indent);
    } else if (n.is_list() && holds) {
      out_ += '\n';
      list(n, indent);
    } else if (n.is_map() || n.is_list()) {
      out_ += n.is_map() ? " {}\n" : " []\n";
    } else if (literal_fits(n)) {
      literal(n.text, indent);
    } else {
      out_ += " " + inline_scalar(n) + "\n";
    }
  }
  void map(const YamlNode& n, std::size_t indent) {
    for (const auto& [key, inner] : n.entries) {
      const std::string name = inline_scalar(key);
      out_ += std::string(indent, ' ') + name + ":";
      value(inner, indent + 2, indent + code_points(name) + 2);
    }
  }
  void list(const YamlNode& n, std::size_t indent) {
    for (const YamlNode& item : n.items) {
      out_ += std::string(indent, ' ') + "-";
      value(item, indent + 2, indent + 2);
    }
  }
  // Beginning with a space, the text must say how deep its block lies.
  void literal(std::string_view text, std::size_t indent) {
    const bool ends_line = text.ends_with('\n');
    if (ends_line) text.remove_suffix(1);
    out_ += std::string(" |") + (text.starts_with(' ') ? "2" : "") + (ends_line ? "\n" : "-\n");
    for (const std::string_view line : split(text, '\n'))
      out_ += line.empty() ? "\n" : std::string(indent, ' ') + std::string(line) + "\n";
  }
  std::string take() { return std::move(out_); }

 private:
  std::string out_;
};

}  // namespace

YamlNode leaf(std::string text) {
  YamlNode n;
  n.kind = YamlNode::Kind::scalar;
  n.quoted = !plain_safe(text);
  n.text = std::move(text);
  return n;
}

YamlNode quoted_leaf(std::string text) {
  YamlNode n = leaf(std::move(text));
  n.quoted = true;
  return n;
}

YamlNode branch() {
  YamlNode n;
  n.kind = YamlNode::Kind::map;
  return n;
}

YamlNode sequence(std::vector<YamlNode> items) {
  YamlNode n;
  n.kind = YamlNode::Kind::list;
  n.items = std::move(items);
  return n;
}

YamlNode names(const std::vector<std::string>& all) {
  if (all.size() == 1) return leaf(all[0]);
  std::vector<YamlNode> items;
  for (const std::string& one : all) items.push_back(leaf(one));
  return sequence(std::move(items));
}

YamlNode both_languages(std::string_view zh, std::string_view en) {
  YamlNode n = branch();
  put(n, "zh", leaf(std::string(zh)));
  put(n, "en", leaf(std::string(en)));
  return n;
}

YamlNode& put(YamlNode& map, std::string key, YamlNode value) {
  map.entries.push_back({leaf(std::move(key)), std::move(value)});
  return map.entries.back().value;
}

std::string to_yaml(const YamlNode& root) {
  TreeWriter writer;
  if (root.is_map() && !root.entries.empty()) {
    writer.map(root, 0);
  } else {
    writer.value(root, 0, 0);
  }
  return writer.take();
}

bool same_tree(const YamlNode& a, const YamlNode& b) {
  if (a.kind != b.kind || a.text != b.text) return false;
  if (a.quoted != b.quoted && plain_safe(a.text)) return false;
  return std::equal(a.items.begin(), a.items.end(), b.items.begin(), b.items.end(), same_tree) &&
         std::equal(a.entries.begin(), a.entries.end(), b.entries.begin(), b.entries.end(),
                    [](const YamlEntry& x, const YamlEntry& y) {
                      return same_tree(x.key, y.key) && same_tree(x.value, y.value);
                    });
}

std::size_t count_nodes(const YamlNode& node) {
  std::size_t n = 1;
  for (const YamlNode& item : node.items) n += count_nodes(item);
  for (const auto& [key, value] : node.entries) n += 1 + count_nodes(value);
  return n;
}

json::value to_carried(const YamlNode& node) {
  switch (node.kind) {
    case YamlNode::Kind::null:
      return nullptr;
    case YamlNode::Kind::list: {
      json::array out;
      for (const YamlNode& item : node.items) out.push_back(to_carried(item));
      return out;
    }
    case YamlNode::Kind::map: {
      json::array out;
      for (const auto& [key, value] : node.entries)
        out.push_back(json::array{to_carried(key), to_carried(value)});
      return json::object{{"map", std::move(out)}};
    }
    case YamlNode::Kind::scalar:
      break;
  }
  if (node.quoted && plain_safe(node.text)) return json::object{{"text", node.text}};
  if (!node.quoted && (node.text == "true" || node.text == "false")) return node.text == "true";
  const auto number = node.quoted ? std::nullopt : to_int<std::int64_t>(node.text);
  constexpr std::int64_t exact = 9'007'199'254'740'991;  // every JSON reader keeps these
  if (number && std::to_string(*number) == node.text && *number <= exact && *number >= -exact)
    return *number;
  return json::value(json::string(node.text));
}

static std::optional<YamlNode> carried(const json::value& value, std::size_t depth) {
  if (depth > depth_allowed) return std::nullopt;
  if (value.is_null()) return YamlNode{};
  if (value.is_bool()) return leaf(value.get_bool() ? "true" : "false");
  if (value.is_int64()) return leaf(std::to_string(value.get_int64()));
  if (const auto* s = value.if_string()) return leaf(std::string(*s));
  if (const auto* list = value.if_array()) {
    YamlNode out = sequence({});
    for (const json::value& item : *list) {
      auto inner = carried(item, depth + 1);
      if (!inner) return std::nullopt;
      out.items.push_back(std::move(*inner));
    }
    return out;
  }
  const auto* object = value.if_object();
  if (object == nullptr || object->size() != 1) return std::nullopt;
  if (const auto* text = object->if_contains("text"); text != nullptr && text->is_string())
    return quoted_leaf(std::string(text->get_string()));
  const auto* map = object->if_contains("map");
  if (map == nullptr || !map->is_array()) return std::nullopt;
  YamlNode out = branch();
  for (const json::value& pair : map->get_array()) {
    if (!pair.is_array() || pair.get_array().size() != 2) return std::nullopt;
    auto key = carried(pair.get_array()[0], depth + 1);
    auto inner = carried(pair.get_array()[1], depth + 1);
    if (!key || !key->is_scalar() || !inner) return std::nullopt;
    out.entries.push_back({std::move(*key), std::move(*inner)});
  }
  return out;
}

std::optional<YamlNode> from_carried(const json::value& value) { return carried(value, 0); }

}  // namespace cw::cacao
