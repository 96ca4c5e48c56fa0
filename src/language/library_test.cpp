// The content that ships, the worked examples of the format's page, the command, and hostile files.
#include <gtest/gtest.h>

#include <chrono>
#include <fstream>
#include <sstream>

#include "base/random.h"
#include "language/definition.h"

namespace cw {
namespace {

namespace fs = std::filesystem;
const fs::path source_dir = CW_SOURCE_DIR;
const fs::path content_dir = source_dir / "content";

const Library& library() {
  static const Library loaded = [] {
    std::vector<Mistake> mistakes;
    Library all = Library::load(content_dir, mistakes);
    for (const Mistake& m : mistakes) ADD_FAILURE() << describe(m, "en");
    return all;
  }();
  return loaded;
}

std::string text_of(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  EXPECT_TRUE(in) << path;
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

bool chinese(const Text& text) {
  for (const char c : text.zh) {
    if ((c & 0x80) != 0) return !text.en.empty();
  }
  return false;
}

TEST(Content, EveryFileLoadsWithoutAMistake) {
  for (const char* id :
       {"plan.customer-leak", "plan.system-attack", "corrective-action", "ticket.after-sales"}) {
    EXPECT_NE(library().procedure(id), nullptr) << id;
  }
  std::size_t files = 0;
  for (const auto& entry : fs::directory_iterator(content_dir / "procedures")) {
    files += entry.path().extension() == ".yaml";
  }
  EXPECT_EQ(library().procedures().size(), files);
  EXPECT_NE(library().calendar("cn-office"), nullptr);
}

TEST(Content, WhateverPeopleSeeHasWordsInBothLanguages) {
  for (const auto& [id, d] : library().procedures()) {
    EXPECT_TRUE(chinese(d->title)) << id;
    auto all = [&, procedure = id](const auto& parts) {
      for (const auto& part : parts)
        EXPECT_TRUE(chinese(part.title)) << procedure << " " << part.id;
    };
    all(d->roles);
    all(d->states);
    all(d->tasks);
    all(d->actions);
    all(d->clocks);
    all(d->facts);
    for (const FactDef& fact : d->facts) {
      EXPECT_EQ(fact.words.size(), fact.values.size()) << id << " " << fact.id;
    }
    for (std::size_t i = 0; i < d->flags.size(); ++i) {
      EXPECT_TRUE(chinese(d->flag_titles[i])) << id << " " << d->flags[i];
    }
  }
  for (const auto& [id, form] : library().forms()) {
    for (const FormField& field : form->fields) {
      EXPECT_TRUE(chinese(field.title)) << id << " " << field.name;
      EXPECT_EQ(field.words.size(), field.values.size()) << id << " " << field.name;
    }
  }
}

TEST(Content, EveryFormIsUsedAndEveryStateOfAPlanHasSomebodyToAct) {
  std::set<std::string> used;
  for (const auto& [id, d] : library().procedures()) {
    for (const FormUse& use : d->forms) used.insert(use.form->id);
    for (const TaskDef& task : d->tasks) EXPECT_FALSE(task.by.empty()) << id << " " << task.id;
  }
  for (const auto& [id, form] : library().forms()) EXPECT_TRUE(used.count(id)) << id;
}

TEST(Examples, BothWorkedExamplesLoadAsTheyStand) {
  for (const char* id : {"plan.customer-leak", "ticket.after-sales"}) {
    const fs::path path = source_dir / "docs/formats/examples" / (std::string(id) + ".yaml");
    std::vector<Mistake> mistakes;
    const auto d = read_definition(text_of(path), path, library().surroundings(), mistakes);
    for (const Mistake& m : mistakes) ADD_FAILURE() << describe(m, "en");
    ASSERT_NE(d, nullptr);
    // The shipped one has titles and what the law has added since; nothing of the example is lost.
    const auto shipped = library().procedure(id);
    ASSERT_NE(shipped, nullptr);
    ASSERT_EQ(d->states.size(), shipped->states.size());
    for (const TaskDef& task : d->tasks)
      EXPECT_GE(shipped->task(shipped->state(d->states[task.state].id), task.id), 0) << task.id;
    for (const ActionDef& action : d->actions) {
      const int same = shipped->action(shipped->state(d->states[action.state].id), action.id);
      ASSERT_GE(same, 0) << action.id;
      const int to = shipped->actions[same].to;
      EXPECT_EQ(to < 0 ? "" : shipped->states[to].id, action.to < 0 ? "" : d->states[action.to].id);
    }
    for (const ClockDef& clock : d->clocks) {
      const int same = shipped->clock(clock.id);
      ASSERT_GE(same, 0) << clock.id;
      EXPECT_EQ(clock.limit.spans, shipped->clocks[same].limit.spans);
    }
  }
}

TEST(Examples, TheLeakPlanRunsItsConditionsOverFacts) {
  const auto d = library().procedure("plan.customer-leak");
  std::vector<Value> facts(d->facts.size(), null_value);
  Scope scope;
  scope.facts = facts;
  const int responding = d->state("responding");
  const Expression& cac = d->tasks[d->task(responding, "cac")].when;
  EXPECT_EQ(cac.evaluate(scope), Truth::unknown);  // not graded yet: not required
  facts[d->fact("grade")] = d->facts[d->fact("grade")].ordinal("major");
  EXPECT_TRUE(cac.holds(scope));
  const FormUse& triage = d->forms[d->form("triage")];
  const json::object filled{{"severity", "III"}, {"grade", "none"}, {"people", 0},
                            {"operator", "cii"}, {"hazard", "low"}, {"grounds", "-"}};
  const std::vector<Value> form = form_values(*d, triage, filled, nullptr);
  scope.form = form;
  facts[d->fact("severity")] = 1;  // II
  EXPECT_TRUE(d->actions[d->action(responding, "lower")].guard.holds(scope));
  EXPECT_FALSE(d->actions[d->action(responding, "worsen")].guard.holds(scope));
  facts[d->fact("operator")] = form[triage.form->field("operator")];
  const ClockDef& statutory = d->clocks[d->clock("statutory")];
  EXPECT_EQ(span_for(statutory.limit, facts, *library().calendar("always")), (Span{1, Unit::hour}));
}

TEST(Console, ADefinitionIsWrittenWithNames) {
  const json::object o = to_json(*library().procedure("plan.customer-leak"));
  EXPECT_EQ(o.at("start").at("to").as_string(), "reported");
  const json::object& responding = o.at("states").as_array()[1].as_object();
  EXPECT_EQ(responding.at("tasks").as_array()[0].at("limit").at("table").at("II").as_string(),
            "1h");
  for (const json::value& action : responding.at("actions").as_array())
    if (action.at("id").as_string() == "release") {
      EXPECT_EQ(action.at("guard").as_string(), "tasks.done");
    }
  const json::object& enter = o.at("states").as_array()[4].at("enter").as_array()[0].as_object();
  EXPECT_EQ(enter.at("each").as_string(), "investigation.items");
  EXPECT_EQ(o.at("clocks").as_array()[1].at("stop").as_string(), "task.cac");
  EXPECT_TRUE(o.at("forms").as_object().contains("triage"));
}

struct Checked {
  int exit = 0;
  std::string out;
};

Checked check(std::vector<std::string> args) {
  std::ostringstream out, err;
  Checked done;
  done.exit = procedure_check_main(args, content_dir, out, err);
  done.out = out.str() + err.str();
  return done;
}

class CheckCommand : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::path(::testing::TempDir()) /
              ("callwarden-check-" + std::to_string(SystemRandom().u64()));
    fs::create_directories(folder_ / "forms");
  }
  void TearDown() override { fs::remove_all(folder_); }
  std::string write(const std::string& name, const std::string& text) {
    std::ofstream(folder_ / name, std::ios::binary) << text;
    return (folder_ / name).string();
  }
  fs::path folder_;
};

const char* const small = R"(procedure: small
version: 1
title: {zh: 小, en: Small}
calendar: always
roles: {a: {any: true}}
start: {by: a, form: own, to: open}
states:
  open: {actions: {close: {by: a, form: own, to: closed}}}
  closed: {final: true}
)";

TEST_F(CheckCommand, PassesWhatShipsAndNamesEachMistakeOnce) {
  std::vector<std::string> shipped;
  for (const char* folder : {"procedures", "forms", "calendars"}) {
    for (const auto& entry : fs::directory_iterator(content_dir / folder)) {
      shipped.push_back(entry.path().string());
    }
  }
  EXPECT_EQ(check(shipped).exit, 0);

  const std::string file = write("p.yaml", small);
  Checked done = check({file, "--lang", "en"});
  EXPECT_EQ(done.exit, 1);
  EXPECT_EQ(done.out, file + ":6:22: no form 'own'\n" + file + ":8:41: no form 'own'\n");
  done = check({"--json", file});
  const auto parsed = parse_json(done.out);
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->at("mistakes").as_array().size(), 2u);
  EXPECT_EQ(parsed->at("mistakes").as_array()[0].at("zh").as_string(), "没有表单“own”");

  write("forms/own.yaml",
        "form: own\nversion: 1\ntitle: {zh: 自, en: Own}\ntype: object\n"
        "properties: {}\n");
  EXPECT_EQ(check({file}).exit, 0);  // a form beside the file is found
}

TEST_F(CheckCommand, RefusesWrongUsageAndFilesThatCannotBeRead) {
  EXPECT_EQ(check({}).exit, 2);
  EXPECT_EQ(check({"--colour", "x"}).exit, 2);
  EXPECT_EQ(check({(folder_ / "absent.yaml").string()}).exit, 2);
  EXPECT_EQ(check({folder_.string()}).exit, 2);
}

TEST_F(CheckCommand, TenMegabytesAndBombsAreRefusedAtOnce) {
  const auto start = std::chrono::steady_clock::now();
  std::string big(10 << 20, 'a');
  EXPECT_NE(check({write("big.yaml", big)}).out.find(":1:1: "), std::string::npos);
  std::string bomb = "a: &a [x, x]\n";
  for (char c = 'b'; c < 'z'; ++c) {
    bomb += std::string(1, c) + ": &" + c + " [*" + char(c - 1) + ", *" + char(c - 1) + "]\n";
  }
  const Checked done = check({"--json", write("bomb.yaml", bomb)});
  EXPECT_EQ(done.exit, 1);
  EXPECT_NE(done.out.find("yaml.anchor"), std::string::npos);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(30));
}

TEST_F(CheckCommand, EachMistakeOfAFileIsToldWithFileLineAndColumn) {
  const std::pair<const char*, const char*> cases[] = {
      {"version: 1\n", "version: 1\nversion: 2\n"},                      // a key twice
      {"version: 1\n", "version: [1]\n"},                                // a wrong type
      {"to: open}", "to: opne}"},                                        // an unknown name
      {"by: a, form: own, to: closed}}", "auto: \"true\", to: open}}"},  // a cycle of auto
      {"close: {by: a, form: own", "close: {guard: \"form.gone == 1\", by: a, form: own"},
      {"title: {zh: 小, en: Small}", "title: &t {zh: 小, en: Small}"},
      {"states:\n", "states: [\n"},  // one state fits a list; the next, on line 9, lacks its comma
  };
  const int lines[] = {3, 2, 6, 8, 8, 3, 9};
  write("forms/own.yaml",
        "form: own\nversion: 1\ntitle: {zh: 自, en: Own}\ntype: object\nproperties: {}\n");
  for (std::size_t i = 0; i < std::size(cases); ++i) {
    const auto& [from, to] = cases[i];
    std::string text = small;
    const auto at = text.find(from);
    ASSERT_NE(at, std::string::npos) << from;
    text.replace(at, std::string(from).size(), to);
    const std::string file = write("bad.yaml", text);
    const Checked told = check({file, "--lang", "en"});
    EXPECT_EQ(told.exit, 1) << to;
    const std::string place = file + ":" + std::to_string(lines[i]) + ":";
    EXPECT_NE(("\n" + told.out).find("\n" + place), std::string::npos) << to << "\n" << told.out;
    const auto parsed = parse_json(check({"--json", file}).out);
    ASSERT_TRUE(parsed) << to;
    ASSERT_FALSE(parsed->at("mistakes").as_array().empty()) << to;
    const json::object& first = parsed->at("mistakes").as_array()[0].as_object();
    EXPECT_EQ(first.at("file").as_string(), file);
    EXPECT_GE(first.at("line").as_int64(), 1);
    EXPECT_GE(first.at("column").as_int64(), 1);
  }
}

TEST(Hostile, MutatedProceduresAreReadOrRefusedButNeverBreakAnything) {
  const std::string seed_text = text_of(content_dir / "procedures/plan.customer-leak.yaml");
  const std::string form_text = text_of(content_dir / "forms/pipl57.yaml");
  const std::vector<std::string> pieces{
      "{",         "}",     "[",          "]",  ": ",   "\n", "\n  ",
      "'",         "\"",    "&a ",        "*a", "null", "-",  "99999999999999999999",
      "form.",     "level", "tasks.done", "\t", "# ",   "| ", "\xE5",
      "to: closed"};
  SeededRandom random(7);
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(2);
  int rounds = 0, refused = 0;
  while (std::chrono::steady_clock::now() < until) {
    const bool as_form = rounds++ % 4 == 0;
    std::string text = as_form ? form_text : seed_text;
    for (std::uint64_t n = 1 + random.below(4); n > 0; --n) {
      const std::size_t at = random.below(text.size());
      const std::size_t length = std::min<std::size_t>(random.below(30), text.size() - at);
      text.replace(at, length, pieces[random.below(pieces.size())]);
    }
    std::vector<Mistake> mistakes;
    bool read = false;
    if (as_form) {
      const auto form = read_form(text, "f", mistakes);
      read = form != nullptr;
      if (read) to_json(*form);
    } else {
      const auto d = read_definition(text, "f", library().surroundings(), mistakes);
      read = d != nullptr;
      if (read) to_json(*d);
    }
    ASSERT_EQ(read, mistakes.empty());
    refused += !read;
    for (const Mistake& m : mistakes) {
      ASSERT_GE(m.line, 1);
      ASSERT_GE(m.column, 1);
      ASSERT_FALSE(m.text.zh.empty() || m.text.en.empty()) << m.code;
    }
  }
  EXPECT_GT(refused, rounds / 2);
}

}  // namespace
}  // namespace cw
