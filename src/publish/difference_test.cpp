#include "publish/difference.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/random.h"
#include "language/definition.h"

namespace cw {
namespace {

using Op = DifferenceRow::Op;

std::string drawn(const LineDifference& d) {
  std::string out;
  for (const DifferenceHunk& h : d.hunks) {
    out += "@\n";
    for (const DifferenceRow& r : h.rows)
      out += std::string(1, " -+~"[static_cast<int>(r.op)]) + std::to_string(r.left) + ":" +
             std::to_string(r.right) + " " + r.left_text + "|" + r.right_text + "\n";
  }
  return out;
}

TEST(LineDifference, TellsWhatWasRemovedAddedAndChangedWithTheLinesAround) {
  const LineDifference d = line_difference("a\nb\nc\nd\ne\nf\n", "a\nB\nc\nd\ne\ng\nf\n", 1);
  EXPECT_EQ(drawn(d),
            "@\n"
            " 1:1 a|a\n"
            "~2:2 b|B\n"
            " 3:3 c|c\n"
            "@\n"
            " 5:5 e|e\n"
            "+0:6 |g\n"
            " 6:7 f|f\n");
  EXPECT_EQ(d.removed, 1);
  EXPECT_EQ(d.added, 2);
  EXPECT_TRUE(line_difference("a\nb\n", "a\nb", 3).hunks.empty());
  EXPECT_EQ(drawn(line_difference("", "a\n", 3)), "@\n+0:1 |a\n");
  EXPECT_EQ(drawn(line_difference("a\n", "", 3)), "@\n-1:0 a|\n");
}

TEST(LineDifference, MarksThePartOfALineThatDiffersInCodePoints) {
  const LineDifference d = line_difference("时限: 4h 内", "时限: 12h 内", 0);
  const DifferenceRow& r = d.hunks.at(0).rows.at(0);
  EXPECT_EQ(r.left_from, 4);
  EXPECT_EQ(r.left_to, 5);
  EXPECT_EQ(r.right_from, 4);
  EXPECT_EQ(r.right_to, 6);
  // Characters that share a byte are told apart as a whole.
  const LineDifference c = line_difference("值", "班", 0);
  EXPECT_EQ(c.hunks.at(0).rows.at(0).left_from, 0);
  EXPECT_EQ(c.hunks.at(0).rows.at(0).left_to, 1);
}

// Whatever the texts: the left side of the rows is the old text, the right side the new one.
TEST(LineDifference, BothSidesAreWholeForAnyTexts) {
  SeededRandom random(3);
  auto text = [&] {
    std::string out;
    for (std::uint64_t n = random.below(40); n > 0; --n)
      out += std::string(1, static_cast<char>('a' + random.below(4))) + "\n";
    return out;
  };
  for (int i = 0; i < 2'000; ++i) {
    const std::string a = text(), b = text();
    std::string left, right;
    int removed = 0;
    for (const DifferenceHunk& h : line_difference(a, b, 1'000).hunks)
      for (const DifferenceRow& r : h.rows) {
        if (r.left != 0) left += r.left_text + "\n";
        if (r.right != 0) right += r.right_text + "\n";
        removed += r.op == Op::removed || r.op == Op::changed;
      }
    if (a == b) continue;
    ASSERT_EQ(left, a);
    ASSERT_EQ(right, b);
    ASSERT_EQ(removed, line_difference(a, b, 0).removed);
  }
}

TEST(LineDifference, IsBounded) {
  std::string a, b;
  for (int i = 0; i < 100'000; ++i) a += "a" + std::to_string(i) + "\n";
  for (int i = 0; i < 100'000; ++i) b += "b" + std::to_string(i) + "\n";
  const LineDifference d = line_difference(a, b, 3);
  EXPECT_TRUE(d.coarse);
  EXPECT_TRUE(d.cut);
  EXPECT_EQ(d.hunks.at(0).rows.size(), 20'000u);
}

TEST(PartChanges, TellsLimitsRolesAndStatesApart) {
  const json::value before = json::parse(
      R"({"procedure":"p","version":1,"title":{"zh":"甲","en":"A"},
          "roles":[{"id":"duty"},{"id":"tech"}],
          "states":[{"id":"open","title":{"zh":"开","en":"Open"},"tasks":[
             {"id":"look","title":{"zh":"看","en":"Look"},"limit":"4h","by":["duty"]}],
             "actions":[]}]})");
  const json::value after = json::parse(
      R"({"procedure":"p","version":2,"title":{"zh":"甲","en":"A"},
          "roles":[{"id":"duty"}],
          "states":[{"id":"open","title":{"zh":"开","en":"Open"},"tasks":[
             {"id":"look","title":{"zh":"看","en":"Look"},"limit":"2h","by":["duty"]}],
             "actions":[]},
            {"id":"late","tasks":[],"actions":[]}]})");
  const auto changes = part_changes(before.as_object(), after.as_object());
  std::string all;
  for (const PartChange& c : changes) {
    all += std::string(1, "+-~"[static_cast<int>(c.op)]) + c.kind + " " + c.id;
    for (const auto& m : c.members) all += " " + m.name + ":" + m.before + ">" + m.after;
    all += "\n";
  }
  EXPECT_EQ(all, "-role tech\n+state late\n~task open.look limit:4h>2h\n");
}

}  // namespace
}  // namespace cw
