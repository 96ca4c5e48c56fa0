// Files that are wrong in ways a person would not choose: cycles, wrong types, bombs, halves. Each
// is refused at its place, and nothing of it is there afterwards. In each case `@` marks where it
// is.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "test_definition.h"

namespace cw {
namespace {

// Each `auto` alone is harmless; together they would turn for ever within one step.
TEST(DefinitionMistake, AutomaticActionsThatLeadBackToThemselves) {
  const std::string done = "      done: {auto: \"children.kids.done\", to: three}\n";
  // Each action of a circle is told, at its own place.
  auto told = [&](const std::string& circle) {
    std::string text = base_text;
    text.replace(text.find(done), done.size(), done + circle);
    std::vector<Mistake> mistakes;
    EXPECT_EQ(read_definition(text, "t.yaml", surroundings(), mistakes), nullptr);
    return listed(mistakes);
  };
  EXPECT_EQ(told("      on: {auto: \"has(yes) && yes\", to: mid}\n"
                 "  mid:\n    actions:\n      back: {auto: \"has(yes) && yes\", to: two}\n"),
            "26:7 procedure.cycle\n29:7 procedure.cycle\n");
  EXPECT_EQ(told("      on: {auto: \"has(yes) && yes\", to: mid}\n"
                 "  mid:\n    actions:\n      far: {auto: \"has(yes) && yes\", to: far}\n"
                 "  far:\n    actions:\n      back: {auto: \"has(yes) && yes\", to: two}\n"),
            "26:7 procedure.cycle\n29:7 procedure.cycle\n32:7 procedure.cycle\n");
  // A person or a clock in between ends the step: no cycle.
  std::string text = base_text;
  text.replace(text.find(done), done.size(),
               done +
                   "      on: {auto: \"has(yes) && yes\", to: mid}\n"
                   "  mid:\n    actions:\n      back: {by: a, to: two}\n");
  EXPECT_NE(good(text), nullptr);
}

TEST(DefinitionMistake, AFormFieldThatIsNotThere) {
  expect_mistake("set: {who: form.to}", "set: {who: @form.tow}", "procedure.set");
  expect_mistake(
      "go: {by: [a, b], form: note, guard: \"s == 'x' && form.n > 1\", to: two, "
      "set: {who: form.to}}",
      "go: {by: [a, b], guard: \"s == 'x' && @form.n > 1\", to: two}", "expression.field");
  expect_mistake("each: list.items", "each: @list.rows", "procedure.each");
}

// What should be a map, a list, a text or a number is something else; other mistakes may follow.
TEST(DefinitionMistake, ANodeOfTheWrongType) {
  const std::pair<const char*, const char*> cases[] = {
      {"version: 1", "version: @[1]"},
      {"version: 1", "version: @{a: 1}"},
      {"version: 1", "version: @1.5"},
      {"title: {zh: 测试, en: Test}", "title: @Test"},
      {"title: {zh: 测试, en: Test}", "title: @[zh, en]"},
      {"calendar: always", "calendar: @[always]"},
      {"levels: [low, high]", "levels: @3"},
      {"levels: [low, high]", "levels: [low, @{high: x}]"},
      {"b: {post: boss}", "b: @boss"},
      {"b: {post: boss}", "b: {post: @[boss]}"},
      {"n: {type: integer, minimum: 0}", "n: @integer"},
      {"n: {type: integer, minimum: 0}", "n: {type: integer, minimum: @low}"},
      {"start: {by: a, form: open, to: one}", "start: @one"},
      {"start: {by: a, form: open, to: one}", "start: {by: a, form: @{open: 1}, to: one}"},
      {"guard: \"s == 'x' && form.n > 1\"", "guard: @[s]"},
      {"guard: \"s == 'x' && form.n > 1\"", "guard: @{s: x}"},
      {"to: two, set: {who: form.to}", "to: @[two], set: {who: form.to}"},
      {"to: two, set: {who: form.to}", "to: two, set: @[who]"},
      {"late: [{raise: 1}]", "late: @raise"},
      {"late: [{raise: 1}]", "late: [@raise]"},
      {"late: [{raise: 1}]", "late: [{raise: @high}]"},
      {"enter: [{open: kid", "enter: [{open: @[kid]"},
      {"three: {final: true, retain: 3y}", "three: @final"},
      {"three: {final: true, retain: 3y}", "three: {final: @maybe, retain: 3y}"},
      {"c: {run: [one]", "c: {run: @{one: 1}"},
      {"at: {100: [{notify: b}, {flag: late}]}", "at: @[100]"},
      {"at: {100: [{notify: b}, {flag: late}]}", "at: {100: @late}"},
      {"d: {from: at", "d: {from: @[at]"},
  };
  for (const auto& [from, to] : cases) {
    std::string text = base_text;
    const auto at = text.find(from);
    ASSERT_NE(at, std::string::npos) << from;
    text.replace(at, std::string(from).size(), to);
    const std::string place = take_place(text);
    std::vector<Mistake> mistakes;
    EXPECT_EQ(read_definition(text, "t.yaml", surroundings(), mistakes), nullptr) << to;
    EXPECT_NE(("\n" + listed(mistakes)).find("\n" + place + " "), std::string::npos)
        << to << " at " << place << ":\n"
        << listed(mistakes);
  }
}

TEST(DefinitionMistake, AFileThatIsNoProcedureAtAll) {
  for (const char* text : {"", "\n\n", "~", "42", "'text'", "[procedure, t]", "procedure: [t]",
                           "procedure: {t: 1}", "states: []", "# only a comment\n"}) {
    std::vector<Mistake> mistakes;
    EXPECT_EQ(read_definition(text, "t.yaml", surroundings(), mistakes), nullptr) << text;
    ASSERT_FALSE(mistakes.empty()) << text;
    EXPECT_GE(mistakes[0].line, 1) << text;
    EXPECT_GE(mistakes[0].column, 1) << text;
    EXPECT_EQ(mistakes[0].file, "t.yaml");
  }
}

const char* const small_text = R"(procedure: small
version: 1
title: {zh: 小, en: Small}
calendar: always
roles: {a: {any: true}}
start: {by: a, form: own, to: open}
states:
  open: {actions: {close: {by: a, form: own, to: closed}}}
  closed: {final: true}
)";

std::string always_text() {
  std::ifstream in(std::string(CW_SOURCE_DIR) + "/content/calendars/always.yaml");
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

// A library of one procedure and its form; `files` holds what is added or damaged.
std::vector<Mistake> loaded(std::vector<std::pair<std::string, std::string>> files, Library& out) {
  files.insert(files.begin(), {{"c/calendars/always.yaml", always_text()},
                               {"c/forms/own.yaml",
                                "form: own\nversion: 1\ntitle: {zh: 自, en: Own}\ntype: object\n"
                                "properties: {}\n"},
                               {"c/procedures/small.yaml", small_text}});
  std::vector<Mistake> mistakes;
  out = Library::from_texts(files, mistakes);
  return mistakes;
}

TEST(Hostile, AFileWithAMistakeIsNotThereAtAllAndTheOthersAreWhole) {
  Library library;
  EXPECT_TRUE(loaded({}, library).empty());
  ASSERT_NE(library.procedure("small"), nullptr);
  std::string other = small_text;
  other.replace(0, 16, "procedure: other");
  const std::string twice_keyed = other + "calendar: always\n";
  std::string bomb = "procedure: bomb\na: &a [x, x]\n";
  for (char c = 'b'; c < 'z'; ++c)
    bomb += std::string(1, c) + ": &" + c + " [*" + char(c - 1) + ", *" + char(c - 1) + "]\n";
  const std::string big = "procedure: big\n" + std::string(10 << 20, '#');
  for (const std::string& text :
       {other.substr(0, other.size() / 2), twice_keyed, bomb, big, std::string("[]"),
        other + std::string(1, '\0'), other + "\xff"}) {
    const auto mistakes = loaded({{"c/procedures/zz.yaml", text}}, library);
    ASSERT_FALSE(mistakes.empty()) << text.substr(0, 60);
    for (const Mistake& m : mistakes) {
      EXPECT_EQ(m.file, "c/procedures/zz.yaml");
      EXPECT_GE(m.line, 1);
      EXPECT_GE(m.column, 1);
    }
    EXPECT_EQ(library.procedures().size(), 1u) << text.substr(0, 60);
    EXPECT_NE(library.procedure("small"), nullptr);
  }
  // A form with a mistake is no form: who needs it is refused as well, at its own place.
  const auto mistakes = loaded({{"c/forms/half.yaml",
                                 "form: half\nversion: 1\ntitle: {zh: 半, en: Half}\n"
                                 "type: object\nproperties:\n  n: {type: integer}\n"},
                                {"c/procedures/zz.yaml",
                                 [&] {
                                   std::string needs = other;
                                   needs.replace(needs.find("form: own"), 9, "form: half");
                                   return needs;
                                 }()}},
                               library);
  ASSERT_EQ(mistakes.size(), 2u);
  EXPECT_EQ(mistakes[0].file, "c/forms/half.yaml");
  EXPECT_EQ(mistakes[1].file, "c/procedures/zz.yaml");
  EXPECT_EQ(library.form("half"), nullptr);
  EXPECT_EQ(library.procedure("other"), nullptr);
  // A name twice: the first stays, the second is named.
  const auto again = loaded({{"c/procedures/zz.yaml", small_text}}, library);
  ASSERT_EQ(again.size(), 1u);
  EXPECT_EQ(again[0].code, "content.twice");
}

}  // namespace
}  // namespace cw
