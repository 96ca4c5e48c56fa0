// `from` and `late` of a form's fields: what is taken over, what does not fit, told at its place.
#include <gtest/gtest.h>

#include "language/definition.h"

namespace cw {
namespace {

using Files = std::vector<std::pair<std::string, std::string>>;

std::string form(const std::string& id, const std::string& properties) {
  return "form: " + id + "\nversion: 1\ntitle: {zh: 表, en: Form}\ntype: object\nproperties:\n" +
         properties;
}
const std::string kFirst =
    form("first",
         "  story: {title: {zh: 经过, en: Story}, type: string}\n"
         "  kinds: {title: {zh: 种类, en: Kinds}, type: array, items: {enum: [a, b]}}\n"
         "  rows: {title: {zh: 项, en: Rows}, type: array, items: {type: object, properties: {x: "
         "{title: "
         "{zh: 甲, en: X}, type: string}}}}\n"
         "  count: {title: {zh: 数, en: Count}, type: integer}\n");

std::string field(const std::string& type, const std::string& hints) {
  return "  f: {title: {zh: 字段, en: F}, " + type + ", x-callwarden: {" + hints + "}}\n";
}

// What is said of a form that stands beside `first`.
std::vector<std::string> said(const std::string& properties) {
  std::vector<Mistake> mistakes;
  Library::from_texts(
      {{"forms/first.yaml", kFirst}, {"forms/second.yaml", form("second", properties)}}, mistakes);
  std::vector<std::string> out;
  for (const Mistake& m : mistakes)
    out.push_back(std::to_string(m.line) + ":" + std::to_string(m.column) + " " + m.text.en);
  return out;
}

using Said = std::vector<std::string>;

TEST(From, TakesWhatFitsAndNothingElse) {
  EXPECT_EQ(said(field("type: string", "from: first.story")), Said{});
  EXPECT_EQ(said(field("type: string", "from: [first.kinds, first.count, people, org]")), Said{});
  EXPECT_EQ(said(field("type: integer", "from: first.count")), Said{});
  EXPECT_EQ(said(field("type: array, items: {enum: [b, c]}", "from: first.kinds")), Said{});
  EXPECT_EQ(said(field("type: string, format: date-time", "from: [at, now]")), Said{});
  const std::string wrong = "' has a type that does not go into 'f'";
  EXPECT_EQ(said(field("type: integer", "from: first.story")), Said{"6:67 'first.story" + wrong});
  EXPECT_EQ(said(field("type: string", "from: first.rows")), Said{"6:66 'first.rows" + wrong});
  EXPECT_EQ(said(field("type: array, items: {enum: [c]}", "from: first.kinds")),
            Said{"6:85 'first.kinds" + wrong});
  EXPECT_EQ(said(field("type: string", "from: first.stroy")),
            Said{"6:66 form 'first' has no field 'stroy'"});
  EXPECT_EQ(said(field("type: string", "from: frist.story")), Said{"6:66 no form 'frist'"});
  EXPECT_EQ(said(field("type: string", "from: now")), Said{"6:66 now goes into a moment"});
  EXPECT_EQ(said(field("type: integer", "from: org")), Said{"6:67 org goes into a text"});
  EXPECT_EQ(said(field("type: string", "from: []")), Said{"6:66 from names 1 to 8 sources"});
}

TEST(From, AFactThatDoesNotFitIsToldWhereTheProcedureUsesTheForm) {
  const std::string procedure =
      "procedure: p\nversion: 1\ntitle: {zh: 流程, en: P}\ncalendar: always\n"
      "roles: {a: {any: true}}\ndata: {people: {type: integer}, t1: {type: string, format: "
      "date-time}, "
      "t2: {type: string, format: date-time}}\n"
      "start: {by: a, form: second, to: open}\nstates:\n"
      "  open: {actions: {close: {by: a, to: closed}}}\n  closed: {final: true}\n"
      "clocks: {k: {from: [t1, t2], limit: 1h}}\n";
  auto read = [&](const std::string& hints, const std::string& type, const std::string& text) {
    std::vector<Mistake> mistakes;
    Library library = Library::from_texts(
        {{"calendars/always.yaml",
          "calendar: always\nversion: 1\ntitle: {zh: 全天, en: Always}\nzone: Asia/Shanghai\n"
          "open: always\nworkday: 24h\n"},
         {"forms/second.yaml", form("second", field(type, hints))},
         {"procedures/p.yaml", text}},
        mistakes);
    return mistakes;
  };
  const auto wrong = read("from: people", "type: boolean", procedure);
  ASSERT_EQ(wrong.size(), 1u);
  EXPECT_EQ(wrong[0].text.en, "field 'f' of form 'second' does not take the fact 'people'");
  EXPECT_EQ(wrong[0].line, 7);
  EXPECT_TRUE(read("from: people", "type: string", procedure).empty());
  EXPECT_TRUE(read("from: elsewhere", "type: string", procedure).empty()) << "another procedure's";
  std::string not_times = procedure;
  not_times.replace(not_times.find("[t1, t2]"), 8, "[t1, open]");
  const auto times = read("from: people", "type: string", not_times);
  ASSERT_EQ(times.size(), 1u);  // `open` is a state; that a fact (t2) serves nothing is no mistake
  EXPECT_EQ(times[0].code, "procedure.moment");
}

TEST(Late, OneTextOfAFormGivesTheReason) {
  EXPECT_EQ(said(field("type: string", "late: true")), Said{});
  EXPECT_EQ(said(field("type: integer", "late: true")),
            Said{"6:67 the reason for lateness is one text field of a form"});
  std::vector<Mistake> mistakes;
  auto read = read_form(form("x", "  g: {title: {zh: 字, en: G}, type: string}\n" +
                                      field("type: string", "late: true, from: [a.b, now]")),
                        "x.yaml", mistakes);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->late_field(), 1);
  const json::object f = to_json(*read).at("properties").as_object().at("f").as_object();
  EXPECT_EQ(json::serialize(f.at("x-callwarden")), R"({"late":true,"from":["a.b","now"]})");
}

// Whatever ships takes its values from somewhere: each source serves in a procedure that uses the
// form, so that a name that nobody has does not go unseen.
TEST(From, EachSourceThatShipsServesSomewhere) {
  std::vector<Mistake> mistakes;
  const Library library = Library::load(CW_SOURCE_DIR "/content", mistakes);
  ASSERT_TRUE(mistakes.empty());
  for (const auto& [id, form] : library.forms())
    for (const FormField& f : form->fields)
      for (const FieldSource& source : f.from) {
        bool serves =
            source.kind == FieldSource::Kind::now || source.kind == FieldSource::Kind::org;
        for (const auto& [name, d] : library.procedures()) {
          if (d->form(id) < 0) continue;
          serves |= source.kind == FieldSource::Kind::fact && d->fact(source.name) >= 0;
          serves |= source.kind == FieldSource::Kind::field && d->form(source.form) >= 0;
        }
        EXPECT_TRUE(serves) << id << "." << f.name << " from " << source.text();
      }
}

}  // namespace
}  // namespace cw
