#include "base/yaml.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <set>
#include <sstream>

#include "base/text.h"

namespace cw {
namespace {

struct YamlStop {};  // a limit was broken: nothing further is read

int yaml_column(const std::vector<std::string>& lines, int line, int byte) {
  if (line < 0 || line >= static_cast<int>(lines.size())) return byte + 1;
  const std::string& text = lines[line];
  const std::size_t size = std::min<std::size_t>(std::max(byte, 0), text.size());
  int points = 0;
  for (std::size_t i = 0; i < size; ++i) points += (text[i] & 0xC0) != 0x80;
  return points + 1;
}

// Builds the tree from yaml-cpp's events. (Its own Node drops places and keeps duplicate keys.)
class YamlBuilder final : public YAML::EventHandler {
 public:
  YamlBuilder(YamlTree& tree, YamlReader& reader, const YamlLimits& limits)
      : tree_(tree), reader_(reader), limits_(limits) {}

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (documents_++ == 0) return;
    fail(mark, "yaml.documents",
         {"一个文件只能有一个 YAML 文档", "a file holds one YAML document, this begins another"});
  }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    put(node(YamlNode::Kind::null, mark, "", anchor));
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    reader_.mistake(mark.line + 1, column(mark), "yaml.alias",
                    {"不允许 YAML 别名（*）", "YAML aliases (*) are not allowed"});
    put(node(YamlNode::Kind::null, mark, "", 0));
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    YamlNode scalar = node(YamlNode::Kind::scalar, mark, tag, anchor);
    scalar.text = value;
    scalar.quoted = tag == "!";
    put(std::move(scalar));
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(node(YamlNode::Kind::list, mark, tag, anchor), mark);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(node(YamlNode::Kind::map, mark, tag, anchor), mark);
  }
  void OnMapEnd() override { close(); }

 private:
  struct Level {
    YamlNode node;
    YamlNode key;
    bool has_key = false;
    std::set<std::string> seen;
  };

  int column(const YAML::Mark& mark) const {
    return yaml_column(tree_.lines, mark.line, mark.column);
  }

  [[noreturn]] void fail(const YAML::Mark& mark, std::string code, Text text) {
    reader_.mistake(mark.line + 1, column(mark), std::move(code), std::move(text));
    throw YamlStop{};
  }

  YamlNode node(YamlNode::Kind kind, const YAML::Mark& mark, const std::string& tag,
                YAML::anchor_t anchor) {
    if (++nodes_ > limits_.nodes_max) {
      fail(mark, "yaml.nodes", {"YAML 节点太多", "too many YAML nodes"});
    }
    YamlNode out;
    out.kind = kind;
    out.line = mark.line + 1;
    out.column = column(mark);
    if (anchor != 0) {
      reader_.mistake(out, "yaml.anchor",
                      {"不允许 YAML 锚点（&）", "YAML anchors (&) are not allowed"});
    }
    if (!tag.empty() && tag != "?" && tag != "!") {
      reader_.mistake(out, "yaml.tag", {"不允许 YAML 标签（!）", "YAML tags (!) are not allowed"});
    }
    return out;
  }

  void open(YamlNode opened, const YAML::Mark& mark) {
    if (stack_.size() >= limits_.depth_max) {
      fail(mark, "yaml.depth",
           {"嵌套超过 " + std::to_string(limits_.depth_max) + " 层",
            "nested deeper than " + std::to_string(limits_.depth_max) + " levels"});
    }
    stack_.push_back({std::move(opened), {}, false, {}});
  }

  void close() {
    YamlNode closed = std::move(stack_.back().node);
    stack_.pop_back();
    put(std::move(closed));
  }

  void put(YamlNode value) {
    if (stack_.empty()) {
      tree_.root = std::move(value);
      return;
    }
    Level& top = stack_.back();
    if (top.node.is_list()) {
      top.node.items.push_back(std::move(value));
    } else if (!top.has_key) {
      check_key(top, value);
      top.key = std::move(value);
      top.has_key = true;
    } else {
      top.node.entries.push_back({std::move(top.key), std::move(value)});
      top.has_key = false;
    }
  }

  void check_key(Level& top, const YamlNode& key) {
    if (!key.is_scalar()) {
      reader_.mistake(key, "yaml.key", {"键必须是文字", "a key must be a scalar"});
    } else if (key.text == "<<" && !key.quoted) {
      reader_.mistake(key, "yaml.merge",
                      {"不允许 YAML 合并键（<<）", "YAML merge keys (<<) are not allowed"});
    } else if (!top.seen.insert(key.text).second) {
      const std::string name = std::string(clip(key.text, 64));
      reader_.mistake(key, "yaml.duplicate",
                      {"键“" + name + "”重复", "duplicate key '" + name + "'"});
    }
  }

  YamlTree& tree_;
  YamlReader& reader_;
  const YamlLimits& limits_;
  std::vector<Level> stack_;
  std::size_t nodes_ = 0;
  int documents_ = 0;
};

// What is refused before the parser sees it.
bool yaml_acceptable(std::string_view text, const YamlLimits& limits, YamlTree& tree,
                     YamlReader& reader) {
  if (text.size() > limits.size_max) {
    const std::string size = std::to_string(limits.size_max);
    reader.mistake(1, 1, "yaml.size",
                   {"文件超过 " + size + " 字节", "the file is larger than " + size + " bytes"});
    return false;
  }
  for (std::string_view line : split(text, '\n')) tree.lines.emplace_back(line);
  for (std::size_t i = 0; i < tree.lines.size(); ++i) {
    const std::string& line = tree.lines[i];
    const int number = static_cast<int>(i) + 1;
    if (line.size() > limits.line_max) {
      reader.mistake(number, 1, "yaml.line", {"这一行太长", "this line is too long"});
      return false;
    }
    if (!is_utf8(line)) {
      reader.mistake(number, 1, "yaml.utf8", {"不是有效的 UTF-8", "not valid UTF-8"});
      return false;
    }
    for (std::size_t at = 0; at < line.size(); ++at) {
      const auto c = static_cast<unsigned char>(line[at]);
      const bool line_end = c == '\r' && at + 1 == line.size();
      if ((c < 0x20 && c != '\t' && !line_end) || c == 0x7F) {
        reader.mistake(number, yaml_column(tree.lines, number - 1, static_cast<int>(at)),
                       "yaml.control", {"不允许控制字符", "control characters are not allowed"});
        return false;
      }
    }
  }
  return true;
}

}  // namespace

YamlNode::YamlNode() = default;
YamlNode::YamlNode(const YamlNode&) = default;
YamlNode::YamlNode(YamlNode&&) noexcept = default;
YamlNode& YamlNode::operator=(const YamlNode&) = default;
YamlNode& YamlNode::operator=(YamlNode&&) noexcept = default;
YamlNode::~YamlNode() = default;

std::string describe(const Mistake& mistake, std::string_view lang) {
  return mistake.file + ":" + std::to_string(mistake.line) + ":" + std::to_string(mistake.column) +
         ": " + mistake.text.in(lang);
}

const YamlNode* YamlNode::find(std::string_view key) const {
  for (const auto& [name, value] : entries) {
    if (name.text == key) return &value;
  }
  return nullptr;
}

int YamlTree::column_in(const YamlNode& scalar, std::size_t offset) const {
  const std::size_t line = static_cast<std::size_t>(scalar.line) - 1;
  if (scalar.line < 1 || line >= lines.size()) return scalar.column;
  const std::string& text = lines[line];
  std::size_t at = 0;
  for (int points = 1; at < text.size(); ++at) {
    if ((text[at] & 0xC0) != 0x80 && points++ == scalar.column) break;
  }
  at += scalar.quoted ? 1 : 0;
  if (text.compare(std::min(at, text.size()), scalar.text.size(), scalar.text) != 0) {
    return scalar.column;
  }
  return yaml_column(lines, static_cast<int>(line), static_cast<int>(at + offset));
}

YamlTree parse_yaml(std::string_view text, const std::string& file, std::vector<Mistake>& mistakes,
                    YamlLimits limits) {
  YamlTree tree;
  YamlReader reader(file, mistakes);
  if (!yaml_acceptable(text, limits, tree, reader)) return tree;
  std::istringstream stream{std::string(text)};
  YamlBuilder builder(tree, reader, limits);
  try {
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) {
    }
  } catch (const YamlStop&) {
    tree.root = {};
  } catch (const YAML::Exception& error) {
    tree.root = {};
    const int line = std::max(error.mark.line, 0);
    reader.mistake(line + 1, yaml_column(tree.lines, line, error.mark.column), "yaml.syntax",
                   {"这里不符合 YAML 语法", "not valid YAML here: " + error.msg});
  }
  return tree;
}

void sort_mistakes(std::vector<Mistake>& mistakes, std::size_t from) {
  std::stable_sort(mistakes.begin() + static_cast<std::ptrdiff_t>(from), mistakes.end(),
                   [](const Mistake& a, const Mistake& b) {
                     return std::tie(a.line, a.column) < std::tie(b.line, b.column);
                   });
}

void YamlReader::mistake(int line, int column, std::string code, Text text) {
  constexpr std::size_t mistakes_max = 200;  // of one file: enough to mend, bounded to show
  if (mistakes_.size() - first_ >= mistakes_max) return;
  Mistake made{file_, line, column, std::move(code), std::move(text)};
  if (std::find(mistakes_.begin() + static_cast<std::ptrdiff_t>(first_), mistakes_.end(), made) ==
      mistakes_.end()) {
    mistakes_.push_back(std::move(made));
  }
}

bool YamlReader::map(const YamlNode& node) {
  if (node.is_map()) return true;
  mistake(node, "yaml.type", {"这里应为映射（键: 值）", "expected a map (key: value) here"});
  return false;
}

bool YamlReader::list(const YamlNode& node) {
  if (node.is_list()) return true;
  mistake(node, "yaml.type", {"这里应为列表", "expected a list here"});
  return false;
}

void YamlReader::keys(const YamlNode& map, const std::vector<std::string_view>& known) {
  for (const auto& [key, value] : map.entries) {
    if (!key.is_scalar() || std::find(known.begin(), known.end(), key.text) != known.end()) {
      continue;
    }
    const std::string name(clip(key.text, 64));
    mistake(key, "yaml.unknown", {"未知的键“" + name + "”", "unknown key '" + name + "'"});
  }
}

const YamlNode* YamlReader::need(const YamlNode& map, std::string_view key) {
  const YamlNode* found = map.find(key);
  if (found == nullptr) {
    const std::string name(key);
    mistake(map, "yaml.missing", {"缺少键“" + name + "”", "missing key '" + name + "'"});
  }
  return found;
}

std::string YamlReader::string(const YamlNode& node) {
  if (node.is_scalar() && !trim(node.text).empty()) return node.text;
  mistake(node, "yaml.type", {"这里应为文字", "expected text here"});
  return {};
}

std::string YamlReader::name(const YamlNode& node) {
  const bool letter = node.is_scalar() && !node.text.empty() &&
                      std::isalpha(static_cast<unsigned char>(node.text[0])) != 0;
  const bool fits =
      letter && node.text.size() <= 64 &&
      std::all_of(node.text.begin(), node.text.end(), [](char c) {
        return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_' || c == '.';
      });
  if (fits) return node.text;
  mistake(node, "yaml.name",
          {"这里应为名称：字母开头，可含字母、数字、“-”“_”“.”，最多 64 个字符",
           "expected a name: a letter, then letters, digits, '-', '_' or '.', at most 64"});
  return {};
}

std::int64_t YamlReader::integer(const YamlNode& node, std::int64_t least, std::int64_t most) {
  const auto value = node.is_scalar() && !node.quoted ? to_int<std::int64_t>(node.text)
                                                      : std::optional<std::int64_t>();
  if (value && *value >= least && *value <= most) return *value;
  const std::string from = std::to_string(least), to = std::to_string(most);
  mistake(node, "yaml.number",
          {"这里应为 " + from + " 到 " + to + " 的整数",
           "expected a whole number from " + from + " to " + to});
  return least;
}

bool YamlReader::boolean(const YamlNode& node) {
  if (node.is_scalar() && !node.quoted && (node.text == "true" || node.text == "false")) {
    return node.text == "true";
  }
  mistake(node, "yaml.boolean", {"这里应为 true 或 false", "expected true or false"});
  return false;
}

Text YamlReader::text(const YamlNode& node) {
  Text out;
  if (!map(node)) return out;
  keys(node, {"zh", "en"});
  for (const char* lang : {"zh", "en"}) {
    const YamlNode* found = node.find(lang);
    if (found == nullptr || !found->is_scalar() || trim(found->text).empty()) {
      const bool zh = std::string_view(lang) == "zh";
      mistake(found != nullptr ? *found : node, "text.missing",
              {zh ? "缺少中文（zh）文字" : "缺少英文（en）文字",
               zh ? "the Chinese text (zh) is missing" : "the English text (en) is missing"});
      continue;
    }
    (std::string_view(lang) == "zh" ? out.zh : out.en) = found->text;
  }
  return out;
}

}  // namespace cw
