#include "language/form.h"

#include <gtest/gtest.h>

#include "test_place.h"

namespace cw {
namespace {

const char* const report = R"(form: report
version: 2
title: {zh: 报告, en: Report}
type: object
required: [when, grade, items]
properties:
  when: {title: {zh: 时间, en: Time}, type: string, format: date-time}
  grade:
    title: {zh: 等级, en: Grade}
    enum: [low, high]
    x-callwarden: {words: {low: {zh: 低, en: Low}, high: {zh: 高, en: High}}}
  people: {title: {zh: 人数, en: People}, type: integer, minimum: 0, maximum: 100, default: 0}
  owner: {title: {zh: 责任人, en: Owner}, type: string, x-callwarden: {ref: person}}
  note: {title: {zh: 说明, en: Note}, type: string, maxLength: 5, x-callwarden: {personal: true}}
  day: {title: {zh: 日期, en: Day}, type: string, format: date}
  told: {title: {zh: 已通知, en: Told}, type: boolean}
  why: {title: {zh: 原因, en: Why}, type: string, x-callwarden: {widget: textarea}}
  kinds: {title: {zh: 种类, en: Kinds}, type: array, items: {enum: [a, b]}}
  items:
    title: {zh: 事项, en: Items}
    type: array
    maxItems: 2
    items:
      type: object
      required: [name]
      properties:
        name: {title: {zh: 名称, en: Name}, type: string}
allOf:
  - if: {properties: {told: {const: false}}}
    then: {required: [why]}
)";

std::shared_ptr<const Form> sample_form() {
  std::vector<Mistake> mistakes;
  auto form = read_form(report, "report.yaml", mistakes);
  for (const Mistake& m : mistakes) ADD_FAILURE() << describe(m, "en");
  return form;
}

std::string faults(const char* submitted) {
  const auto given = parse_json(submitted);
  EXPECT_TRUE(given) << submitted;
  const auto filled = fill(*sample_form(), given->as_object());
  if (filled) return "";
  std::string out;
  for (const FieldProblem& f : filled.problem().fields) {
    out += (out.empty() ? "" : " ") + f.pointer;
    EXPECT_FALSE(f.text.zh.empty() || f.text.en.empty());
  }
  return out;
}

TEST(Form, AFilledFormIsValidatedAndGetsItsDefaults) {
  const auto given = parse_json(
      R"({"when":"2026-11-22T09:42:00+08:00","grade":"high",
          "items":[{"name":"x"}],"kinds":["b"]})");
  const auto filled = fill(*sample_form(), given->as_object());
  ASSERT_TRUE(filled);
  EXPECT_EQ(filled->at("people").as_int64(), 0);
  EXPECT_EQ(filled->if_contains("note"), nullptr);
}

TEST(Form, EveryFieldAtFaultIsNamed) {
  EXPECT_EQ(faults("{}"), "/when /grade /items");
  EXPECT_EQ(faults(R"({"when":"yesterday","grade":"huge","people":-1,"items":[]})"),
            "/when /grade /people /items");
  EXPECT_EQ(faults(R"({"when":"2026-11-22T01:00:00Z","grade":"low","people":1.5,
                      "owner":"a b","note":"六个字符啊啊","day":"2026-02-30","told":"yes",
                      "kinds":["c"],"items":[{"name":""},{"nam":1}],"more/~":1})"),
            "/people /owner /note /day /told /kinds/0 /items/0/name /items/1/name /items/1/nam "
            "/more~1~0");
  EXPECT_EQ(faults(R"({"when":"2026-11-22T01:00:00Z","grade":"low","told":false,
                      "items":[{"name":"x"},3]})"),
            "/items/1 /why");
  EXPECT_EQ(faults(R"({"when":"2026-11-22T01:00:00Z","grade":"low","told":false,"why":" ",
                      "items":[{"name":"x"},{"name":"y"},{"name":"z"}]})"),
            "/items /why");
}

TEST(Form, ARefusalNeverRepeatsWhatWasWritten) {
  const auto given = parse_json(R"({"note":"机密机密机密","grade":"SECRET-7"})");
  const auto filled = fill(*sample_form(), given->as_object());
  ASSERT_FALSE(filled);
  const Problem& p = filled.problem();
  EXPECT_EQ(p.code, "form.invalid");
  std::string all = p.text.zh + p.text.en;
  for (const FieldProblem& f : p.fields) all += f.pointer + f.text.zh + f.text.en;
  EXPECT_EQ(all.find("机密"), std::string::npos);
  EXPECT_EQ(all.find("SECRET"), std::string::npos);
}

TEST(Form, FieldsBecomeValuesOfFacts) {
  const auto form = sample_form();
  auto value = [&](const char* name, json::value filled) {
    return value_of(form->fields[form->field(name)], filled,
                    [](std::string_view id) { return static_cast<Value>(id.size()); });
  };
  EXPECT_EQ(value("when", "1970-01-01T00:00:01Z"), 1000);
  EXPECT_EQ(value("grade", "high"), 1);
  EXPECT_EQ(value("people", 7), 7);
  EXPECT_EQ(value("told", true), 1);
  EXPECT_EQ(value("owner", "per_1"), 5);
  EXPECT_EQ(value("note", "x"), null_value);
  EXPECT_EQ(value("people", nullptr), null_value);
}

TEST(Form, TheConsoleGetsJsonSchemaWithBothLanguages) {
  const json::object schema = to_json(*sample_form());
  EXPECT_EQ(schema.at("type").as_string(), "object");
  EXPECT_EQ(schema.at("required").as_array().size(), 3u);
  const json::object& p = schema.at("properties").as_object();
  EXPECT_EQ(p.begin()->key(), "when");  // the file's order
  EXPECT_EQ(p.at("grade").at("x-callwarden").at("words").at("high").at("zh").as_string(), "高");
  EXPECT_EQ(p.at("people").at("default").as_int64(), 0);
  EXPECT_EQ(p.at("kinds").at("items").at("enum").as_array().size(), 2u);
  EXPECT_EQ(p.at("items").at("items").at("properties").at("name").at("title").at("en").as_string(),
            "Name");
  EXPECT_EQ(schema.at("allOf").as_array().size(), 1u);
}

TEST(Form, MistakesOfAFileAreNamedAtTheirPlace) {
  struct Case {
    const char* from;
    const char* to;
    const char* code;
  };
  const Case cases[] = {
      {"type: object\nrequired", "type: @array\nrequired", "form.type"},
      {"required: [when, ", "required: [@whem, ", "form.field"},
      {"format: date-time", "format: @time", "form.format"},
      {"enum: [low, high]", "enum: [low, @low]", "enum.twice"},
      {"high: {zh: 高, en: High}", "high: @{zh: 高}", "text.missing"},
      {"{words: {low: {zh: 低, en: Low}, ", "{words: @{", "text.missing"},
      {"minimum: 0, maximum: 100, default: 0", "minimum: 9, maximum: @1", "form.bound"},
      {"default: 0", "default: @x", "yaml.number"},
      {"maxLength: 5", "maximum: @5", "form.bound"},
      {"ref: person", "ref: @planet", "form.ref"},
      {"en: Note}", "en: @''}", "text.missing"},
      {"en: Told}, type: boolean", "en: Told}, type: @number", "form.type"},
      {"widget: textarea", "widget: @textbox", "form.widget"},
      {"{enum: [a, b]}", "{type: @array, items: {type: string}}", "form.type"},
      {"const: false", "const: @maybe", "yaml.boolean"},
      {"required: [why]", "required: [@who]", "form.field"},
      {"  people: {title", "  @2people: {title", "form.name"},
      {"version: 2", "version: @two", "yaml.number"},
      {"version: 2\n", "version: 2\n@colour: red\n", "yaml.unknown"},
  };
  for (const Case& c : cases) {
    std::string text = report;
    const auto at = text.find(c.from);
    ASSERT_NE(at, std::string::npos) << c.from;
    text.replace(at, std::string(c.from).size(), c.to);
    const std::string place = take_place(text);
    std::vector<Mistake> mistakes;
    EXPECT_EQ(read_form(text, "f", mistakes), nullptr) << c.to;
    ASSERT_FALSE(mistakes.empty());
    EXPECT_EQ(std::to_string(mistakes[0].line) + ":" + std::to_string(mistakes[0].column) + " " +
                  mistakes[0].code,
              place + " " + c.code)
        << c.to;
  }
}

}  // namespace
}  // namespace cw
