#include "base/yaml.h"

#include <gtest/gtest.h>

#include <chrono>

namespace cw {
namespace {

std::string first(const std::string& text, YamlLimits limits = {}) {
  std::vector<Mistake> mistakes;
  parse_yaml(text, "f", mistakes, limits);
  if (mistakes.empty()) return "";
  return std::to_string(mistakes[0].line) + ":" + std::to_string(mistakes[0].column) + " " +
         mistakes[0].code;
}

TEST(Yaml, EveryNodeKnowsItsPlaceInCodePoints) {
  std::vector<Mistake> mistakes;
  YamlTree tree = parse_yaml("a: {客户: [x, 'y z', ~]}\nb: |\n  long\n", "f", mistakes);
  ASSERT_TRUE(mistakes.empty());
  const YamlNode& list = tree.root.entries[0].value.entries[0].value;
  ASSERT_TRUE(list.is_list());
  EXPECT_EQ(list.column, 9);
  EXPECT_EQ(list.items[1].column, 13);
  EXPECT_TRUE(list.items[1].quoted);
  EXPECT_EQ(tree.column_in(list.items[1], 2), 16);  // the z
  EXPECT_EQ(list.items[2].kind, YamlNode::Kind::null);
  EXPECT_EQ(tree.root.find("b")->text, "long\n");
  EXPECT_EQ(tree.root.find("c"), nullptr);
}

TEST(Yaml, RefusesWhatTheSubsetLeavesOut) {
  EXPECT_EQ(first("a: 1\nb: 2\na: 3\n"), "3:1 yaml.duplicate");
  EXPECT_EQ(first("a: {b: 1, b: 2}"), "1:11 yaml.duplicate");
  EXPECT_EQ(first("a: &x 1\n"), "1:4 yaml.anchor");
  EXPECT_EQ(first("a: &x 1\nb: *x\n"), "1:4 yaml.anchor");
  EXPECT_EQ(first("a: !!str 1\n"), "1:4 yaml.tag");
  EXPECT_EQ(first("<<: {a: 1}\n"), "1:1 yaml.merge");
  EXPECT_EQ(first("? [a]\n: 1\n"), "1:3 yaml.key");
  EXPECT_EQ(first("a: 1\n---\nb: 2\n"), "2:1 yaml.documents");
  EXPECT_EQ(first("a: [1, 2\nb: 3\n").substr(2), "2 yaml.syntax");
  EXPECT_EQ(first("ok: 1\nb: \xC3\x28\n"), "2:1 yaml.utf8");
  EXPECT_EQ(first(std::string("a: \x01\n")), "1:4 yaml.control");
  EXPECT_EQ(first("a: 1\r\nb: 2\r\n"), "");
}

TEST(Yaml, LimitsHoldBeforeMemoryIsSpent) {
  EXPECT_EQ(first(std::string(2 << 20, 'a')), "1:1 yaml.size");
  EXPECT_EQ(first(std::string(17, '[') + std::string(17, ']')), "1:17 yaml.depth");
  std::string many = "[";
  for (int i = 0; i < 200'000; ++i) many += i % 1000 == 0 ? "a,\n" : "a,";
  EXPECT_EQ(first(many + "]").substr(first(many + "]").find(' ')), " yaml.nodes");
  // Shapes that make a naive reader queue a million tokens.
  for (const char* unit : {"[", "{", "- ", "? ", "a: ", "\"", "'", "&a ", "!", "[\n", "-\n"}) {
    std::string bomb;
    while (bomb.size() < (1 << 20) - 4) bomb += unit;
    const auto start = std::chrono::steady_clock::now();
    first(bomb);
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(5)) << unit;
  }
}

TEST(Yaml, ReaderReportsEverythingAndGoesOn) {
  std::vector<Mistake> mistakes;
  YamlTree tree = parse_yaml("n: x\nt: {zh: 好}\nb: yes\nq: 1\nid: 9a\n", "f", mistakes);
  YamlReader reader("f", mistakes);
  reader.keys(tree.root, {"n", "t", "b", "id"});
  reader.integer(*tree.root.find("n"), 0, 9);
  reader.text(*tree.root.find("t"));
  reader.boolean(*tree.root.find("b"));
  reader.name(*tree.root.find("id"));
  reader.need(tree.root, "z");
  reader.sort();
  std::string codes;
  for (const Mistake& m : mistakes) codes += m.code + ";";
  EXPECT_EQ(codes, "yaml.missing;yaml.number;text.missing;yaml.boolean;yaml.unknown;yaml.name;");
  EXPECT_EQ(describe(mistakes[1], "en"), "f:1:4: expected a whole number from 0 to 9");
}

}  // namespace
}  // namespace cw
