// YAML as the project uses it for definitions: a small tree in which every node knows its place,
// so that a mistake can be reported at file, line and column. Pure and thread-safe.
//
//   std::vector<Mistake> mistakes;
//   YamlTree tree = parse_yaml(text, "plan.yaml", mistakes);
//   if (const YamlNode* id = tree.root.find("procedure")) use(id->text);
//   if (!mistakes.empty()) show(describe(mistakes[0], "zh"));
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace cw {

// One mistake in a definition's file. `line` and `column` count from 1; a column counts code
// points. `code` is stable ("yaml.duplicate").
struct Mistake {
  std::string file;
  int line = 0;
  int column = 0;
  std::string code;
  Text text;
  bool operator==(const Mistake&) const = default;
};

// "plan.yaml:12:7: …" in one language.
std::string describe(const Mistake& mistake, std::string_view lang);

struct YamlEntry;

struct YamlNode {
  YamlNode();
  YamlNode(const YamlNode&);
  YamlNode(YamlNode&&) noexcept;
  YamlNode& operator=(const YamlNode&);
  YamlNode& operator=(YamlNode&&) noexcept;
  ~YamlNode();

  enum class Kind { null, scalar, list, map };
  Kind kind = Kind::null;
  std::string text;                // of a scalar
  bool quoted = false;             // '…', "…", | or >: always a string
  int line = 1;                    // of its first character, from 1
  int column = 1;                  // from 1, in code points
  std::vector<YamlNode> items;     // of a list
  std::vector<YamlEntry> entries;  // of a map, in the file's order

  bool is_scalar() const { return kind == Kind::scalar; }
  bool is_list() const { return kind == Kind::list; }
  bool is_map() const { return kind == Kind::map; }
  const YamlNode* find(std::string_view key) const;  // in a map; null when absent
};

struct YamlEntry {
  YamlNode key, value;
};

struct YamlLimits {
  std::size_t size_max = 1 << 20;   // bytes of the file
  std::size_t depth_max = 16;       // nesting
  std::size_t nodes_max = 100'000;  // scalars, lists and maps
  std::size_t line_max = 16 << 10;  // bytes of one line
};

struct YamlTree {
  YamlNode root;
  std::vector<std::string> lines;  // of the text, for places inside a scalar
  // The column of the byte `offset` of a scalar's value: exact when the scalar is written on one
  // line without escapes, otherwise the scalar's own column.
  int column_in(const YamlNode& scalar, std::size_t offset) const;
};

// Reads one document: YAML 1.2 core without anchors, aliases, tags and merge keys. Refuses, each
// with its place: what breaks a limit, invalid UTF-8, control characters, a duplicate key, a key
// that is not a scalar, a second document. On a refusal `mistakes` grows; the tree holds what
// could be read (a null root when nothing could).
YamlTree parse_yaml(std::string_view text, const std::string& file, std::vector<Mistake>& mistakes,
                    YamlLimits limits = {});

// By place: line, then column.
void sort_mistakes(std::vector<Mistake>& mistakes, std::size_t from = 0);

// Reads typed values from nodes; what does not fit becomes a mistake at the node's place, and
// reading goes on, so that one pass reports everything.
class YamlReader {
 public:
  YamlReader(std::string file, std::vector<Mistake>& mistakes)
      : file_(std::move(file)), mistakes_(mistakes), first_(mistakes.size()) {}

  void mistake(const YamlNode& at, std::string code, Text text) {
    mistake(at.line, at.column, std::move(code), std::move(text));
  }
  void mistake(int line, int column, std::string code, Text text);
  bool clean() const { return mistakes_.size() == first_; }  // nothing reported by this reader
  void sort() { sort_mistakes(mistakes_, first_); }

  bool map(const YamlNode& node);  // is it a map?
  bool list(const YamlNode& node);
  // Reports every key that is none of `known`.
  void keys(const YamlNode& map, const std::vector<std::string_view>& known);
  // The child, or null with a mistake at the map.
  const YamlNode* need(const YamlNode& map, std::string_view key);
  // A scalar; empty with a mistake when it is none or empty.
  std::string string(const YamlNode& node);
  // An identifier: letters, digits, "-", "_" and ".", beginning with a letter, at most 64.
  std::string name(const YamlNode& node);
  std::int64_t integer(const YamlNode& node, std::int64_t least, std::int64_t most);
  bool boolean(const YamlNode& node);  // true or false, plain
  // {zh: …, en: …}, both present and not empty.
  Text text(const YamlNode& node);

 private:
  std::string file_;
  std::vector<Mistake>& mistakes_;
  std::size_t first_;
};

}  // namespace cw
