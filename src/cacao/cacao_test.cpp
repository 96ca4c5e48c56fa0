// Ours out and home again, and what others do to it on the way.
#include "cacao.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "base/text.h"
#include "condition.h"
#include "extension.h"
#include "tree.h"

namespace cw::cacao {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kNow = 1'795'305'600'000;

const Library& content() {
  static const Library library = [] {
    std::vector<Mistake> ignored;
    return Library::load(fs::path(CW_SOURCE_DIR) / "content", ignored);
  }();
  return library;
}

YamlNode tree_of(const std::string& yaml) {
  std::vector<Mistake> mistakes;
  YamlTree tree = parse_yaml(yaml, "t", mistakes);
  EXPECT_TRUE(mistakes.empty()) << describe(mistakes[0], "en") << "\n" << yaml;
  return tree.root;
}

json::object exported(const Definition& d, std::string lang = "en") {
  return write_playbook(d, {.at_ms = kNow, .lang = std::move(lang), .identity = ""});
}

Draft imported(const json::object& playbook) {
  auto draft = read_playbook(json::serialize(playbook), content());
  EXPECT_TRUE(draft.ok()) << draft.problem().text.en;
  return draft ? *draft : Draft{};
}

bool told(const Draft& draft, std::string_view code) {
  return std::any_of(draft.notes.begin(), draft.notes.end(),
                     [&](const Note& n) { return n.code == code; });
}

TEST(CarriedTree, KeepsOrderQuotesAndKinds) {
  const YamlNode root = tree_of(
      "z: 1\na: [x, 'true', true, \"5\", 5, 007, null, ~, '']\nactor: 'actor'\nplain: actor\n"
      "at: {100: [], 50: {}}\ntext: \"line 1\\n  line 2\\n\"\ncolour: 'a: b # c'\nlevels: {c: 1, "
      "a: 2}\n"
      "zh: {zh: 呼安, en: \"{x}\"}\nlist:\n  - a: 1\n    b: 2\n  - [1, [2, 3]]\nlead: \"  "
      "x\\ny\"\n");
  const json::value there = to_carried(root);
  const auto back = from_carried(*parse_json(json::serialize(there), {.depth_max = 64}));
  ASSERT_TRUE(back.has_value());
  EXPECT_TRUE(same_tree(root, *back));
  const std::string written = to_yaml(*back);
  EXPECT_TRUE(same_tree(root, tree_of(written))) << written;
  EXPECT_EQ(to_yaml(tree_of(written)), written) << "writing is stable";
}

TEST(CarriedTree, RefusesWhatIsNoTree) {
  for (const char* bad : {"1.5", R"({"map":[["a"]]})", R"({"map":[[{"map":[]},1]]})", R"({"x":1})",
                          R"({"map":1})", "{}"})
    EXPECT_FALSE(from_carried(*parse_json(bad)).has_value()) << bad;
}

TEST(Condition, OursIsWrittenAsTheyWriteTheirs) {
  EXPECT_EQ(foreign_condition("people > 0 && !(kind in ['scan','flood'])"),
            "__people__:value > 0 AND NOT (__kind__:value IN ('scan', 'flood'))");
  EXPECT_EQ(foreign_condition("tasks.done || form.severity >= severity"),
            "__tasks-done__:value == true OR __form-severity__:value >= __severity__:value");
}

TEST(Condition, TheirsIsReadOrLeftToPeople) {
  for (const char* good :
       {"__a__:value == 'x'", "__a__:value = 5 AND NOT __b__:value = true",
        "(__a__:value IN ('x', 'y')) OR __b__:value NOT IN (1, 2)", "__a_b-c__:value <> \"q\""})
    EXPECT_NE(parse_condition(good), nullptr) << good;
  for (const char* other :
       {"", "[ipv4-addr:value = '1.2.3.4']", "__a__:value LIKE 'x%'", "__a__:value == ", "a == 1",
        "__a__:value == 'x' AND", "((__a__:value == 1)", "__a__:value == 99999999999999999999"})
    EXPECT_EQ(parse_condition(other), nullptr) << other;
  EXPECT_EQ(parse_condition(std::string(2'000, '(')), nullptr);
}

// Every step is of a known type, every reference leads to a step, every branch has an end of its
// own, agents exist: what the schemas and the text of the standard demand.
void expect_well_formed(const json::object& playbook) {
  const json::object& workflow = playbook.at("workflow").get_object();
  const json::object& agents = playbook.at("agent_definitions").get_object();
  std::map<std::string, int> ends;
  for (const auto& [id, value] : workflow) {
    const json::object& step = value.get_object();
    const std::string type(text_or(step, "type"));
    EXPECT_TRUE(std::string_view(id).starts_with(type + "--")) << id;
    EXPECT_EQ(id.size(), type.size() + 38) << id;
    EXPECT_EQ(id[type.size() + 16], '4') << "steps have version 4 UUIDs: " << id;
    auto leads = [&](const json::value& to) {
      EXPECT_TRUE(to.is_string() && workflow.contains(to.get_string())) << id;
      if (std::string_view(to.get_string()).starts_with("end--"))
        ++ends[std::string(to.get_string())];
    };
    for (const char* key : {"on_completion", "on_true", "on_false", "on_success", "on_failure"})
      if (const auto* to = step.if_contains(key)) leads(*to);
    if (const auto* cases = step.if_contains("cases"))
      for (const auto& one : cases->get_object()) leads(one.value());
    if (const auto* next = step.if_contains("next_steps")) {
      EXPECT_GE(next->get_array().size(), 2u);
      for (const auto& one : next->get_array()) leads(one);
    }
    EXPECT_EQ(type == "end", !step.contains("on_completion")) << id;
    if (type != "action") continue;
    EXPECT_TRUE(agents.contains(step.at("agent").get_string()));
    EXPECT_EQ(text_or(step.at("commands").get_array()[0].get_object(), "type"), "manual");
  }
  for (const auto& [id, times] : ends)
    EXPECT_EQ(times, 1) << "an end belongs to one branch: " << id;
  EXPECT_TRUE(workflow.contains(playbook.at("workflow_start").get_string()));
}

TEST(Export, EveryProcedureIsAWellFormedPlaybookInBothLanguages) {
  ASSERT_GE(content().procedures().size(), 4u);
  std::size_t steps = 0;
  for (const auto& [id, definition] : content().procedures()) {
    for (const char* lang : {"zh", "en"}) {
      SCOPED_TRACE(id);
      const json::object playbook = exported(*definition, lang);
      expect_well_formed(playbook);
      EXPECT_EQ(text_or(playbook, "name"), definition->title.in(lang));
      EXPECT_EQ(text_or(playbook, "created"), "2026-11-22T00:00:00.000Z");
      steps += playbook.at("workflow").get_object().size();
    }
  }
  std::cout << content().procedures().size() << " procedures, " << steps / 2 << " steps\n";
}

TEST(Export, TheSameProcedureGivesTheSameBytesAndVersionsShareTheirId) {
  const auto plan = content().procedure("plan.customer-leak");
  ASSERT_NE(plan, nullptr);
  EXPECT_EQ(json::serialize(exported(*plan)), json::serialize(exported(*plan)));
  Definition next = *plan;
  ++next.version;
  EXPECT_EQ(text_or(exported(next), "id"), text_or(exported(*plan), "id"));
  EXPECT_EQ(text_or(exported(*plan), "id")[24], '5') << "a playbook's UUID is of version 5";
  EXPECT_NE(exported(next).at("workflow_start"), exported(*plan).at("workflow_start"));
}

TEST(Export, SaysWhatOursMeansInTheirWords) {
  const auto plan = content().procedure("plan.customer-leak");
  ASSERT_NE(plan, nullptr);
  const std::string text = json::serialize(exported(*plan));
  for (const char* part :
       {"\"parallel\"", "\"if-condition\"", "\"switch-condition\"", "\"while-condition\"",
        "\"playbook-action\"", "\"delay\":86400000", "__people__:value > 0", "corrective-action"})
    EXPECT_NE(text.find(part), std::string::npos) << part;
  EXPECT_NE(text.find(playbook_id("corrective-action")), std::string::npos);
}

TEST(RoundTrip, EveryProcedureComesHomeUnchanged) {
  for (const auto& [id, definition] : content().procedures()) {
    SCOPED_TRACE(id);
    const Draft draft = imported(exported(*definition));
    ASSERT_TRUE(draft.exact);
    ASSERT_TRUE(draft.mistakes.empty()) << describe(draft.mistakes[0], "en");
    EXPECT_EQ(draft.procedure, id);
    const std::size_t derived = definition->amend.none() ? 0 : 1;  // the last form, without a file
    ASSERT_EQ(draft.files.size() + derived, definition->forms.size() + 1);
    EXPECT_TRUE(same_tree(tree_of(draft.files[0].text), tree_of(definition->source)));
    Surroundings around = content().surroundings();
    std::map<std::string, std::shared_ptr<const Form>, std::less<>> forms;
    std::vector<Mistake> mistakes;
    for (std::size_t i = 1; i < draft.files.size(); ++i) {
      EXPECT_TRUE(
          same_tree(tree_of(draft.files[i].text), tree_of(definition->forms[i - 1].form->source)));
      const auto form = read_form(draft.files[i].text, draft.files[i].path, mistakes);
      ASSERT_NE(form, nullptr);
      forms[form->id] = form;
    }
    around.form = [&](std::string_view form) {
      const auto carried = forms.find(form);
      return carried != forms.end() ? carried->second : content().form(form);
    };
    const auto back = read_definition(draft.files[0].text, "back", around, mistakes);
    ASSERT_NE(back, nullptr) << describe(mistakes[0], "en");
    EXPECT_EQ(canonical(to_json(*back)), canonical(to_json(*definition)));
  }
}

TEST(RoundTrip, SurvivesToolsThatSortKeysAndDraw) {
  const auto plan = content().procedure("plan.customer-leak");
  ASSERT_NE(plan, nullptr);
  json::object drawn = json::value(json::parse(canonical(exported(*plan)))).get_object();
  for (auto& step : drawn["workflow"].get_object())
    step.value().get_object()["step_extensions"] =
        json::object{{"extension-definition--418ee24c-9cb1-46d9-afa5-309e01aabc7f",
                      json::object{{"type", "layout"}, {"x", 1.5}}}};
  drawn["modified"] = "2027-01-01T00:00:00.000Z";
  const Draft draft = imported(drawn);
  EXPECT_TRUE(draft.exact);
  EXPECT_TRUE(same_tree(tree_of(draft.files[0].text), tree_of(plan->source)));
}

TEST(RoundTrip, AWorkflowChangedElsewhereIsTakenInsteadAndSaid) {
  for (const char* id : {"plan.system-attack", "corrective-action", "ticket.after-sales"}) {
    SCOPED_TRACE(id);
    const auto definition = content().procedure(id);
    ASSERT_NE(definition, nullptr);
    json::object changed = exported(*definition);
    for (auto& member : changed["workflow"].get_object()) {
      json::object& step = member.value().get_object();
      if (text_or(step, "type") == "action") step["name"] = "Somebody else's step";
    }
    const Draft draft = imported(changed);
    EXPECT_FALSE(draft.exact);
    EXPECT_TRUE(told(draft, "extension"));
    EXPECT_TRUE(draft.mistakes.empty()) << describe(draft.mistakes[0], "en");
    EXPECT_NE(draft.files[0].text.find("Somebody else's step"), std::string::npos);
  }
}

TEST(RoundTrip, ADefinitionChangedInTheExtensionIsNotTrusted) {
  const auto plan = content().procedure("corrective-action");
  ASSERT_NE(plan, nullptr);
  std::string text = json::serialize(exported(*plan));
  const std::string from = "[\"post\",\"investigator\"]";
  ASSERT_NE(text.find(from), std::string::npos);
  text.replace(text.find(from), from.size(), "[\"any\",true]");
  const auto draft = read_playbook(text, content());
  ASSERT_TRUE(draft.ok());
  EXPECT_FALSE(draft->exact);
  EXPECT_TRUE(told(*draft, "extension"));
}

TEST(RoundTrip, WhatThisHouseLacksIsAMistakeAndNotSilence) {
  const auto plan = content().procedure("corrective-action");
  ASSERT_NE(plan, nullptr);
  auto draft = read_playbook(json::serialize(exported(*plan)), Library());
  ASSERT_TRUE(draft.ok());
  EXPECT_TRUE(draft->exact);
  ASSERT_FALSE(draft->mistakes.empty());
  EXPECT_EQ(draft->mistakes[0].code, "procedure.calendar");
}

TEST(Command, ExportsByIdAndImportsIntoAFolder) {
  const fs::path folder = fs::temp_directory_path() / ("cw-cacao-" + std::to_string(::getpid()));
  fs::create_directories(folder);
  const fs::path home = fs::path(CW_SOURCE_DIR) / "content";
  std::ostringstream out, err;
  const std::vector<std::string> by_id{"--cacao", "corrective-action", "--at",
                                       "2026-11-22T00:00:00Z"};
  ManualClock clock(0);
  ASSERT_EQ(export_main(by_id, home, clock, out, err), 0) << err.str();
  const std::string file = (home / "procedures/corrective-action.yaml").string();
  std::ostringstream again;
  const std::vector<std::string> by_file{"--cacao", file, "--at", "2026-11-22T00:00:00Z"};
  ASSERT_EQ(export_main(by_file, home, clock, again, err), 0) << err.str();
  EXPECT_EQ(out.str(), again.str());
  std::ofstream(folder / "p.json") << out.str();
  const std::vector<std::string> in{
      "--cacao", (folder / "p.json").string(), "--out", (folder / "here").string(), "--lang", "en"};
  std::ostringstream paths;
  EXPECT_EQ(import_main(in, home, paths, err), 0) << err.str();
  EXPECT_TRUE(fs::is_regular_file(folder / "here/corrective-action.yaml"));
  EXPECT_TRUE(fs::is_directory(folder / "here/forms"));
  EXPECT_EQ(import_main(in, home, paths, err), 2) << "nothing is overwritten";
  EXPECT_EQ(import_main(std::vector<std::string>{"--cacao", "/nowhere"}, home, paths, err), 2);
  EXPECT_EQ(export_main(std::vector<std::string>{"--cacao", "no-such"}, home, clock, paths, err),
            2);
  fs::remove_all(folder);
}

}  // namespace
}  // namespace cw::cacao
