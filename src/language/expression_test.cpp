#include "expression.h"

#include <gtest/gtest.h>

namespace cw {
namespace {

// Facts: n, grade, severity, at, owner, urgent; a form with people (optional) and severity.
Definition sample() {
  Definition d;
  auto fact = [&](const char* id, FieldType type, std::vector<std::string> values = {},
                  const char* ref = "") {
    FactDef f;
    f.id = id;
    f.type = type;
    f.values = std::move(values);
    f.ref = ref;
    d.facts.push_back(std::move(f));
  };
  fact("n", FieldType::integer);
  fact("grade", FieldType::enumeration, {"none", "general", "larger", "major"});
  fact("severity", FieldType::enumeration, {"III", "II", "I"});
  fact("at", FieldType::time);
  fact("owner", FieldType::reference, {}, "person");
  fact("urgent", FieldType::boolean);
  auto form = std::make_shared<Form>();
  FormField people;
  people.name = "people";
  people.type = FieldType::integer;
  FormField severity;
  severity.name = "severity";
  severity.type = FieldType::enumeration;
  severity.values = {"III", "II", "I"};
  severity.required = true;
  FormField note;
  note.name = "note";
  form->fields = {people, severity, note};
  d.forms.push_back({form, {-1, 2, -1}});
  d.children = {"fixes"};
  TaskDef task;
  task.id = "contain-it";
  d.tasks.push_back(task);
  StateDef state;
  state.tasks = {0};
  d.states.push_back(state);
  return d;
}

std::vector<Complaint> complaints_of(const char* source, const std::vector<bool>* known = nullptr) {
  static const Definition d = sample();
  std::vector<Complaint> complaints;
  const ParsedExpression parsed = parse_expression(source, complaints);
  ExpressionCompiler(d, {0, 0, known}, complaints).compile(parsed);
  return complaints;
}

std::string first_complaint(const char* source, const std::vector<bool>* known = nullptr) {
  const auto complaints = complaints_of(source, known);
  if (complaints.empty()) return "";
  return std::to_string(complaints[0].offset) + " " + complaints[0].code;
}

Truth value(const char* source, std::vector<Value> facts, Scope scope = {}) {
  static const Definition d = sample();
  std::vector<Complaint> complaints;
  const ParsedExpression parsed = parse_expression(source, complaints);
  const Expression e = ExpressionCompiler(d, {0, 0, nullptr}, complaints).compile(parsed);
  for (const Complaint& c : complaints) ADD_FAILURE() << source << ": " << c.text.en;
  facts.resize(6, null_value);
  scope.facts = facts;
  return e.evaluate(scope);
}

TEST(Expression, ComparesNumbersAndOrderedEnumerations) {
  EXPECT_EQ(value("n > 0", {3}), Truth::yes);
  EXPECT_EQ(value("n > 0", {0}), Truth::no);
  EXPECT_EQ(value("0 < n", {3}), Truth::yes);
  EXPECT_EQ(value("n >= -2 && n != 5", {5}), Truth::no);
  EXPECT_EQ(value("grade >= 'larger'", {0, 3}), Truth::yes);
  EXPECT_EQ(value("grade in ['larger','major']", {0, 1}), Truth::no);
  EXPECT_EQ(value("grade in ['larger', \"major\"]", {0, 3}), Truth::yes);
  EXPECT_EQ(value("n in [1, 2, 3]", {2}), Truth::yes);
  EXPECT_EQ(value("!(severity == 'I') || n == 1", {1, 0, 2}), Truth::yes);
  EXPECT_EQ(value("true && !false", {}), Truth::yes);
}

TEST(Expression, ReadsTheFormTasksChildrenAndTheActor) {
  Scope scope;
  const std::vector<Value> form{null_value, 2, null_value};
  scope.form = form;
  EXPECT_EQ(value("form.severity >= severity", {0, 0, 1}, scope), Truth::yes);
  EXPECT_EQ(value("has(form.people)", {}, scope), Truth::no);
  scope.tasks_done = true;
  scope.tasks = 1;
  scope.children = 0;
  EXPECT_EQ(value("tasks.done && tasks.contain-it.done", {}, scope), Truth::yes);
  EXPECT_EQ(value("children.fixes.done", {}, scope), Truth::no);
  scope.children = 1;
  EXPECT_EQ(value("children.fixes.done", {}, scope), Truth::yes);
  scope.actor = 77;
  EXPECT_EQ(value("actor == owner", {0, 0, 0, 0, 77}, scope), Truth::yes);
  EXPECT_EQ(value("actor != owner", {0, 0, 0, 0, 77}, scope), Truth::no);
}

TEST(Expression, WhatIsUnsetIsUnknownUnlessTheOtherSideDecides) {
  EXPECT_EQ(value("n > 0", {}), Truth::unknown);
  EXPECT_EQ(value("!(n > 0)", {}), Truth::unknown);
  EXPECT_EQ(value("n > 0 || true", {}), Truth::yes);
  EXPECT_EQ(value("n > 0 && false", {}), Truth::no);
  EXPECT_EQ(value("false && n > 0", {}), Truth::no);
  EXPECT_EQ(value("n > 0 && true", {}), Truth::unknown);
  EXPECT_EQ(value("grade in ['none']", {}), Truth::unknown);
  EXPECT_EQ(value("has(grade) && grade == 'none'", {}), Truth::no);
  EXPECT_EQ(value("urgent", {0, 0, 0, 0, 0, 1}), Truth::yes);
  EXPECT_EQ(Expression().evaluate({}), Truth::yes);
}

TEST(Expression, TypesAreCheckedBeforeAnythingRuns) {
  EXPECT_EQ(first_complaint("n"), "0 expression.type");
  EXPECT_EQ(first_complaint("n > 'x'"), "4 expression.type");
  EXPECT_EQ(first_complaint("grade == 'larges'"), "9 expression.value");
  EXPECT_EQ(first_complaint("grade == severity"), "6 expression.type");
  EXPECT_EQ(first_complaint("urgent < true"), "7 expression.type");
  EXPECT_EQ(first_complaint("owner == 1"), "9 expression.type");
  EXPECT_EQ(first_complaint("owner > actor"), "6 expression.type");
  EXPECT_EQ(first_complaint("at in [1]"), "3 expression.type");
  EXPECT_EQ(first_complaint("1 == 1"), "2 expression.type");
  EXPECT_EQ(first_complaint("n && true"), "0 expression.type");
  EXPECT_EQ(first_complaint("form.note == form.note"), "0 expression.type");
  EXPECT_EQ(first_complaint("nn > 0"), "0 expression.fact");
  EXPECT_EQ(first_complaint("form.severty == 'I'"), "0 expression.field");
  EXPECT_EQ(first_complaint("tasks.contain.done"), "0 expression.task");
  EXPECT_EQ(first_complaint("children.fix.done"), "0 expression.child");
  EXPECT_EQ(complaints_of("grate > 0")[0].text.en, "no fact 'grate'; did you mean 'grade'?");
  EXPECT_EQ(complaints_of("nn > 0 && grade == 'q' && n == 'x'").size(), 3u);  // all of them
}

TEST(Expression, SyntaxIsASmallSubsetOfCel) {
  EXPECT_EQ(first_complaint("n >"), "3 expression.syntax");
  EXPECT_EQ(first_complaint("n > 0)"), "5 expression.syntax");
  EXPECT_EQ(first_complaint("(n > 0"), "6 expression.syntax");
  EXPECT_EQ(first_complaint("n + 1 > 2"), "2 expression.syntax");
  EXPECT_EQ(first_complaint("grade == null"), "9 expression.syntax");
  EXPECT_EQ(first_complaint("n in 3"), "5 expression.syntax");
  EXPECT_EQ(first_complaint("n in [n]"), "6 expression.syntax");
  EXPECT_EQ(first_complaint("grade == 'x"), "9 expression.syntax");
  EXPECT_EQ(first_complaint("n > 99999999999999999999"), "4 expression.syntax");
  EXPECT_EQ(first_complaint("n > -9223372036854775808"), "4 expression.syntax");
  EXPECT_EQ(first_complaint("has(1)"), "4 expression.syntax");
  EXPECT_EQ(first_complaint("size(grade) > 1"), "4 expression.syntax");
  EXPECT_EQ(first_complaint((std::string(17, '(') + "n > 0" + std::string(17, ')')).c_str()),
            "16 expression.syntax");
  EXPECT_EQ(first_complaint(std::string(1001, '!').c_str()), "0 expression.size");
}

TEST(Expression, AGuardMayNotReadWhatMayBeUnset) {
  const std::vector<bool> nothing(6, false);
  std::vector<bool> n_known = nothing;
  n_known[0] = true;
  EXPECT_EQ(first_complaint("n > 0", &nothing), "0 expression.unset");
  EXPECT_EQ(first_complaint("n > 0", &n_known), "");
  EXPECT_EQ(first_complaint("has(n) && n > 0", &nothing), "");
  EXPECT_EQ(first_complaint("!has(n) || n > 0", &nothing), "");
  EXPECT_EQ(first_complaint("has(n) || n > 0", &nothing), "10 expression.unset");
  EXPECT_EQ(first_complaint("!(has(n) && has(grade)) || n > 0", &nothing), "");
  EXPECT_EQ(first_complaint("(has(n) || urgent) && n > 0", &nothing), "11 expression.unset");
  EXPECT_EQ(first_complaint("form.severity == 'I'", &nothing), "");  // required by the form
  EXPECT_EQ(first_complaint("form.people > 0", &nothing), "0 expression.unset");
  EXPECT_EQ(first_complaint("has(form.people) && form.people > 0", &nothing), "");
}

TEST(Expression, DeepButLegalNestingFitsTheStack) {
  std::string deep = "n > 0";
  for (int i = 0; i < 15; ++i) deep = "n == 1 || n == 2 && (" + deep + ")";
  EXPECT_EQ(value(deep.c_str(), {1}), Truth::yes);
  EXPECT_EQ(value(deep.c_str(), {5}), Truth::no);
}

}  // namespace
}  // namespace cw
