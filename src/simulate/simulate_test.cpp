#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdlib.h>

#include <cmath>
#include <fstream>
#include <sstream>

#include "base/clock.h"
#include "simulate/simulate.h"

namespace cw {
namespace {

using testing::HasSubstr;
using testing::SizeIs;

// A procedure with what the text says, on the calendar that is always open.
struct House {
  explicit House(const std::string& text, const std::string& form = "") {
    std::vector<std::pair<std::string, std::string>> files{{"calendars/always.yaml", calendar()},
                                                           {"procedures/p.yaml", text}};
    if (!form.empty()) files.emplace_back("forms/f.yaml", form);
    library = Library::from_texts(files, mistakes);
    for (const Mistake& m : mistakes) ADD_FAILURE() << describe(m, "en");
    plan = library.procedures().empty() ? nullptr : library.procedures().begin()->second;
  }
  static std::string calendar() {
    std::ifstream in(CW_SOURCE_DIR "/content/calendars/always.yaml");
    std::ostringstream all;
    all << in.rdbuf();
    return all.str();
  }
  SimulationReport run(SimulationOptions options = {.runs = 200}) const {
    Result<SimulationReport> r = simulate(library, *plan, options);
    EXPECT_TRUE(r.ok());
    return *r;
  }
  std::vector<Mistake> mistakes;
  Library library;
  std::shared_ptr<const Definition> plan;
};

std::string with(const std::string& states, const std::string& more = "") {
  return "procedure: plan.small\nversion: 1\ntitle: {zh: 小预案, en: Small plan}\n"
         "calendar: always\nroles:\n  anyone: {any: true}\n  duty: {post: duty-officer}\n"
         "  tech: {team: technical}\n  checker: {post: duty-officer, not: [duty]}\n"
         "start: {by: anyone, to: open}\nstates:\n" +
         states + more;
}

std::string all_of(const std::vector<Text>& texts, std::string_view lang) {
  std::string out;
  for (const Text& t : texts) out += t.in(lang) + "\n";
  return out;
}

const LimitReport& limit(const SimulationReport& r, const std::string& id) {
  for (const LimitReport& l : r.limits)
    if (l.id == id) return l;
  ADD_FAILURE() << "no limit " << id;
  return r.limits.front();
}

constexpr const char* kSound =
    "  open: {tasks: {look: {by: duty, limit: 30m}},\n"
    "    actions: {close: {by: duty, guard: tasks.done, to: done},\n"
    "      cancel: {by: duty, to: dropped}}}\n"
    "  done: {final: true, retain: 1y}\n  dropped: {final: true, retain: 1y}\n";

TEST(Simulate, a_sound_procedure_passes_and_its_limit_is_met_as_often_as_the_rule_says) {
  SimulationReport r = House(with(kSound)).run({.runs = 1'000});
  EXPECT_TRUE(r.pass) << all_of(r.reasons, "en");
  EXPECT_EQ(r.closed, 1'000);
  EXPECT_THAT(r.dead_ends, SizeIs(0));
  // A task takes half its limit in the middle, and all of it at the 95th percentile.
  const Share& s = limit(r, "open.look").all;
  EXPECT_EQ(s.of, 1'000);
  EXPECT_NEAR(s.p(), 950, 25);
  EXPECT_LT(s.low(), s.p());
  EXPECT_GT(s.high(), s.p());
  std::int64_t counted = 0;
  for (std::int64_t n : r.counts) counted += n;
  EXPECT_EQ(counted, r.closed);
  EXPECT_LE(r.p5_ms, r.p50_ms);
  EXPECT_LE(r.p50_ms, r.p95_ms);
}

TEST(Simulate, what_was_spent_of_a_limit_lies_within_it_exactly_as_often_as_it_was_met) {
  SimulationReport r = House(with(kSound)).run({.runs = 500});
  const LimitReport& l = limit(r, "open.look");
  ASSERT_THAT(l.all.used, SizeIs(used_bins));
  std::int64_t within = 0, all = 0;
  for (std::size_t i = 0; i < used_bins; ++i) {
    all += l.all.used[i];
    within += i < 10 ? l.all.used[i] : 0;
  }
  EXPECT_EQ(all, l.all.of);
  EXPECT_EQ(within, l.all.met);
  EXPECT_NEAR(l.used_p50, 50, 5);  // a task takes half its limit in the middle
  EXPECT_NEAR(l.used_p95, 100, 10);
}

TEST(Simulate, a_picture_says_what_the_report_says_and_the_same_seed_draws_the_same) {
  House house(with(kSound));
  const std::string zh = to_svg(house.run({.runs = 100, .seed = 5}), "zh");
  EXPECT_EQ(zh, to_svg(house.run({.runs = 100, .seed = 5}), "zh"));
  EXPECT_NE(zh, to_svg(house.run({.runs = 100, .seed = 6}), "zh"));
  EXPECT_THAT(zh, HasSubstr("小预案"));
  EXPECT_THAT(zh, HasSubstr("通过 · 100 次推演 · 种子 5 · 门槛 80 %"));
  EXPECT_THAT(to_svg(house.run({.runs = 100}), "en"), HasSubstr(">Pass · 100 runs"));
  SimulationReport strange = house.run({.runs = 10});
  strange.title = {"<script>&", "<script>&"};
  strange.reasons.push_back({"甲", "a reason with a & in it"});
  const std::string safe = to_svg(strange, "en");
  EXPECT_THAT(safe, HasSubstr("&lt;script&gt;&amp;"));
  EXPECT_THAT(safe, HasSubstr("✗ a reason with a &amp; in it"));
  EXPECT_THAT(safe, testing::Not(HasSubstr("<script>")));
}

TEST(Simulate, the_command_writes_the_picture_of_one_file) {
  char folder[] = "/tmp/cw-plot-XXXXXX";
  ASSERT_NE(::mkdtemp(folder), nullptr);
  const std::string plan = CW_SOURCE_DIR "/content/procedures/corrective-action.yaml";
  const std::string svg = std::string(folder) + "/plot.svg";
  std::ostringstream out, err;
  auto run = [&](std::vector<std::string> args) {
    return procedure_simulate_main(args, CW_SOURCE_DIR "/content", out, err);
  };
  EXPECT_NE(run({plan, "--runs", "20", "--lang", "en", "--plot", svg}), 2) << err.str();
  std::ifstream in(svg);
  std::ostringstream text;
  text << in.rdbuf();
  EXPECT_THAT(text.str(), testing::StartsWith("<svg xmlns="));
  EXPECT_THAT(text.str(), HasSubstr("corrective-action@"));
  EXPECT_EQ(run({plan, plan, "--runs", "5", "--plot", svg}), 2);
  EXPECT_EQ(run({plan, "--runs", "5", "--plot", std::string(folder) + "/none/plot.svg"}), 2);
  EXPECT_THAT(err.str(), HasSubstr("cannot be written"));
  std::filesystem::remove_all(folder);
}

TEST(Simulate, the_same_seed_tells_the_same_and_another_seed_another) {
  House house(with(kSound));
  const std::string one = json::serialize(to_json(house.run({.runs = 100, .seed = 5})));
  EXPECT_EQ(one, json::serialize(to_json(house.run({.runs = 100, .seed = 5}))));
  EXPECT_NE(one, json::serialize(to_json(house.run({.runs = 100, .seed = 6}))));
}

TEST(Simulate, wilsons_interval_is_the_published_one) {
  Share s{.met = 81, .of = 263};  // Newcombe, 1998: 0.2553 to 0.3662
  EXPECT_EQ(s.low(), 255);
  EXPECT_EQ(s.high(), 367);
  Share none{.met = 0, .of = 20};  // 0 to 0.1611
  EXPECT_EQ(none.low(), 0);
  EXPECT_EQ(none.high(), 162);
}

TEST(Simulate, a_step_that_its_only_holder_may_not_take_is_a_dead_end_with_its_reason) {
  SimulationReport r = House(with("  open: {actions: {look: {by: duty, to: check}}}\n"
                                  "  check: {actions: {close: {by: checker, to: done}}}\n"
                                  "  done: {final: true, retain: 1y}\n"))
                           .run();
  EXPECT_FALSE(r.pass);
  ASSERT_THAT(r.dead_ends, SizeIs(1));
  EXPECT_EQ(r.dead_ends[0].state, "check");
  EXPECT_GT(r.dead_ends[0].runs, 0);
  EXPECT_THAT(all_of(r.reasons, "zh"), HasSubstr("走不下去"));
  EXPECT_THAT(all_of(r.reasons, "en"), HasSubstr("separation of duties"));
}

TEST(Simulate, a_post_that_nobody_holds_is_a_dead_end_when_nobody_is_made_up) {
  House house(with(kSound));
  SimulationReport r = house.run({.runs = 20, .fill = false});
  EXPECT_FALSE(r.pass);
  EXPECT_THAT(all_of(r.reasons, "en"), HasSubstr("Nobody may start it"));
}

TEST(Simulate, a_limit_shorter_than_the_way_to_it_is_impossible) {
  SimulationReport r = House(with("  open: {tasks: {look: {by: duty, limit: 4h}},\n"
                                  "    actions: {go: {by: duty, guard: tasks.done, to: fix}}}\n"
                                  "  fix: {tasks: {mend: {by: tech, limit: 4h}},\n"
                                  "    actions: {close: {by: duty, guard: tasks.done, to: done}}}\n"
                                  "  done: {final: true, retain: 1y}\n",
                                  "clocks:\n  all: {from: start, stop: task.mend, limit: 1h}\n"))
                           .run();
  EXPECT_TRUE(limit(r, "all").impossible);
  EXPECT_FALSE(limit(r, "fix.mend").impossible);
  EXPECT_FALSE(r.pass);
  EXPECT_THAT(all_of(r.reasons, "zh"), HasSubstr("不可能达到"));
}

constexpr const char* kCrowded =
    "  open: {tasks: {a: {by: duty, limit: 1h}, b: {by: duty, limit: 1h}, c: {by: duty, limit: "
    "1h}},\n"
    "    actions: {close: {by: duty, guard: tasks.done, to: done}}}\n"
    "  done: {final: true, retain: 1y}\n";

TEST(Simulate, one_person_with_three_things_at_once_is_overloaded_and_three_people_are_not) {
  House house(with(kCrowded));
  std::vector<Mistake> mistakes;
  auto roster = [&](int count) {
    return Staffing::read("roster: house\npeople:\n  duty: {holds: [post:duty-officer], count: " +
                              std::to_string(count) + "}\n",
                          "roster.yaml", mistakes);
  };
  SimulationReport one = house.run({.runs = 200, .roster = roster(1)});
  SimulationReport three = house.run({.runs = 200, .roster = roster(3)});
  ASSERT_THAT(mistakes, SizeIs(0));
  ASSERT_EQ(one.posts[0].post, "post:duty-officer");
  EXPECT_TRUE(one.posts[0].overloaded);
  EXPECT_GT(one.posts[0].late_by_wait, 50);
  EXPECT_GT(one.posts[0].wait_mean_ms, 60'000);
  EXPECT_FALSE(three.posts[0].overloaded);
  EXPECT_EQ(three.posts[0].waited, 0);
  EXPECT_FALSE(one.pass);
  EXPECT_TRUE(three.pass) << all_of(three.reasons, "en");
}

TEST(Simulate, every_severity_has_its_share_and_results_are_told_apart_by_it) {
  House house(
      "procedure: plan.small\nversion: 1\ntitle: {zh: 小, en: Small}\ncalendar: always\n"
      "roles: {anyone: {any: true}, tech: {team: technical}}\n"
      "data: {severity: {enum: [III, II, I]}}\n"
      "start: {by: anyone, form: f, to: open}\nstates:\n"
      "  open: {tasks: {mend: {by: tech, limit: {I: 1h, II: 2h, III: 4h}, key: severity}},\n"
      "    actions: {close: {by: tech, guard: tasks.done, to: done}}}\n"
      "  done: {final: true, retain: 1y}\n",
      "form: f\nversion: 1\ntitle: {zh: 表, en: Form}\ntype: object\nrequired: [severity]\n"
      "properties: {severity: {title: {zh: 等级, en: Severity}, enum: [III, II, I]}}\n");
  SimulationReport r = house.run({.runs = 300});
  const LimitReport& l = limit(r, "open.mend");
  EXPECT_EQ(l.by, "severity");
  ASSERT_THAT(l.groups, SizeIs(3));
  for (const auto& [value, share] : l.groups) EXPECT_EQ(share.of, 100) << value;
}

// A state is left only once a reading is good: the first one is bad in half of the runs, and
// whoever reads again finds something else.
TEST(Simulate, what_is_measured_again_may_have_changed) {
  SimulationReport r =
      House(
          "procedure: plan.small\nversion: 1\ntitle: {zh: 小, en: Small}\ncalendar: always\n"
          "roles: {anyone: {any: true}, tech: {team: technical}}\n"
          "data: {power: {enum: [lost, back]}}\n"
          "start: {by: anyone, to: open}\nstates:\n"
          "  open: {tasks: {look: {by: tech, form: f}}, actions: {again: {by: tech, form: f},\n"
          "    close: {by: tech, guard: \"tasks.done && has(power) && power == 'back'\", to: "
          "done}}}\n"
          "  done: {final: true, retain: 1y}\n",
          "form: f\nversion: 1\ntitle: {zh: 表, en: Form}\ntype: object\nrequired: [power]\n"
          "properties: {power: {title: {zh: 市电, en: Power}, enum: [lost, back]}}\n")
          .run({.runs = 100});
  EXPECT_TRUE(r.pass) << all_of(r.reasons, "en");
  EXPECT_EQ(r.closed, 100);
  EXPECT_EQ(r.unfinished, 0);
}

TEST(Simulate, a_question_that_only_the_asker_could_answer_is_told) {
  const std::string states =
      "  open: {actions: {close: {by: duty, to: done},\n"
      "    dismiss: {by: duty, approve: APPROVER, to: dropped}}}\n"
      "  done: {final: true, retain: 1y}\n  dropped: {final: true, retain: 1y}\n";
  auto with_approver = [&](const std::string& who) {
    std::string text = states;
    text.replace(text.find("APPROVER"), 8, who);
    return House(with(text)).run({.runs = 50});
  };
  const SimulationReport alone = with_approver("duty");
  EXPECT_FALSE(alone.pass);
  EXPECT_THAT(all_of(alone.reasons, "en"), HasSubstr("nobody but who asks may answer"));
  const SimulationReport two = with_approver("[duty, tech]");
  EXPECT_TRUE(two.pass) << all_of(two.reasons, "en");
}

TEST(Simulate, a_clock_that_stops_on_leaving_a_state_hurries_its_tasks) {
  SimulationReport r = House(with("  open: {tasks: {look: {by: duty}},\n"
                                  "    actions: {go: {by: duty, guard: tasks.done, to: next}}}\n"
                                  "  next: {actions: {close: {by: duty, to: done}}}\n"
                                  "  done: {final: true, retain: 1y}\n",
                                  "clocks:\n  out: {from: start, stop: next, limit: 10m}\n"))
                           .run();
  EXPECT_GT(limit(r, "out").all.p(), 900) << "the task alone would take half an hour";
}

TEST(Simulate, one_miss_of_one_is_chance_and_three_of_three_are_not) {
  House house(with(kSound));
  std::vector<Mistake> mistakes;
  auto slow = read_pace(
      "simulation: plan.small\ntimes:\n"
      "  open.look: {least: 29m, likely: 50m, most: 2h}\n",
      "slow.yaml", mistakes);
  ASSERT_THAT(mistakes, SizeIs(0));
  SimulationReport one = house.run({.runs = 1, .pace = slow});
  ASSERT_EQ(limit(one, "open.look").all.met, 0);
  EXPECT_TRUE(one.pass) << all_of(one.reasons, "en");
  SimulationReport three = house.run({.runs = 3, .pace = slow});
  ASSERT_EQ(limit(three, "open.look").all.met, 0);
  EXPECT_FALSE(three.pass);
}

TEST(Simulate, a_family_has_one_pace_and_its_own_file_comes_first) {
  SimulationFolder folder;
  std::vector<Mistake> mistakes;
  for (const char* text :
       {"simulation: plan.*\npast: {seen_at: 1m}\n", "simulation: plan.fire\n"}) {
    auto pace = read_pace(text, "p.yaml", mistakes);
    ASSERT_TRUE(pace);
    folder.paces[pace->procedure] = pace;
  }
  EXPECT_EQ(folder.pace("plan.flood")->past_ms.at("seen_at"), 60'000);
  EXPECT_TRUE(folder.pace("plan.fire")->past_ms.empty());
  EXPECT_EQ(folder.pace("ticket.after-sales"), nullptr);
  EXPECT_EQ(folder.pace("change"), nullptr);
}

TEST(Simulate, it_tells_how_far_it_is) {
  House house(with(kSound));
  std::size_t last = 0, of = 0;
  house.run({.runs = 10, .progress = [&](std::size_t run, std::size_t all) {
               EXPECT_EQ(run, last + 1);
               last = run, of = all;
             }});
  EXPECT_GE(last, 10u + 3u + 5u);
  EXPECT_LE(last, of);
}

TEST(Simulate, three_estimates_of_a_task_replace_the_rule) {
  House house(with(kSound));
  std::vector<Mistake> mistakes;
  auto slow = read_pace(
      "simulation: plan.small\ntimes:\n"
      "  open.look: {least: 40m, likely: 60m, most: 2h}\n",
      "slow.yaml", mistakes);
  ASSERT_THAT(mistakes, SizeIs(0));
  SimulationReport r = house.run({.runs = 100, .pace = slow});
  EXPECT_EQ(limit(r, "open.look").all.met, 0);
  EXPECT_TRUE(limit(r, "open.look").impossible);
  const Spread s = Spread::of(600'000, 1'200'000, 3'000'000);
  EXPECT_NEAR(std::exp(s.mu + s.sigma * s.sigma / 2), 1'600'000, 1);  // the triangle's mean
  EXPECT_EQ(s.least_ms, 600'000);
}

TEST(Simulate, a_pace_with_a_mistake_is_refused_at_its_place) {
  std::vector<Mistake> mistakes;
  EXPECT_EQ(read_pace("simulation: p\ntimes:\n  open.look: {least: 3h, likely: 60m, most: 2h}\n",
                      "bad.yaml", mistakes),
            nullptr);
  ASSERT_THAT(mistakes, SizeIs(1));
  EXPECT_EQ(mistakes[0].code, "pace.order");
  EXPECT_EQ(mistakes[0].line, 3);
}

TEST(Simulate, too_many_runs_are_refused) {
  House house(with(kSound));
  auto r = simulate(house.library, *house.plan, {.runs = 20'001});
  ASSERT_FALSE(r);
  EXPECT_EQ(r.problem().code, "simulate.runs");
}

// Three runs of each, and as many more as it takes to come to every state: whoever writes a
// procedure that cannot end, or asks a question that nobody may answer, learns it here. That limits
// are met is told by 200 runs with the release binary (./run test --all).
TEST(Shipped, every_procedure_comes_to_each_of_its_ends) {
  std::vector<Mistake> mistakes;
  const Library library = Library::load(CW_SOURCE_DIR "/content", mistakes);
  const SimulationFolder folder = SimulationFolder::load(CW_SOURCE_DIR "/content", mistakes);
  ASSERT_THAT(mistakes, SizeIs(0));
  for (const auto& [id, definition] : library.procedures()) {
    auto report = simulate(library, *definition,
                           {.runs = 3, .roster = folder.roster, .pace = folder.pace(id)});
    ASSERT_TRUE(report.ok());
    EXPECT_EQ(report->unfinished, 0) << id;
    for (const DeadEnd& e : report->dead_ends)
      ADD_FAILURE() << id << ": " << e.state << " " << e.why.en;
    for (const StateReport& s : report->states)
      EXPECT_TRUE(!s.final || s.runs > 0) << id << " never comes to " << s.id;
    for (const Text& reason : report->reasons)
      EXPECT_THAT(reason.en, testing::Not(HasSubstr("nobody but who asks"))) << id;
  }
}

TEST(Sample, every_form_of_the_content_is_filled_so_that_it_is_accepted) {
  std::vector<Mistake> mistakes;
  Library library = Library::load(CW_SOURCE_DIR "/content", mistakes);
  ASSERT_FALSE(library.forms().empty());
  SeededRandom random(3);
  const std::vector<std::string> people{"per_a", "per_b"};
  for (const auto& [id, form] : library.forms())
    for (int i = 0; i < 50; ++i) {
      const json::object filled = sample(*form, random, {}, {1'772'413'200'000, &people, nullptr});
      Result<json::object> checked = fill(*form, filled);
      ASSERT_TRUE(checked) << id << " " << checked.problem().fields[0].pointer << " "
                           << checked.problem().fields[0].text.en;
    }
}

TEST(Sample, a_time_in_the_past_is_as_long_ago_as_the_pace_says) {
  std::vector<Mistake> mistakes;
  auto form = read_form(
      "form: f\nversion: 1\ntitle: {zh: 表, en: Form}\ntype: object\nrequired: [at]\n"
      "properties: {at: {title: {zh: 时, en: At}, type: string, format: date-time}}\n",
      "f.yaml", mistakes);
  ASSERT_TRUE(form);
  SeededRandom random(3);
  const std::map<std::string, std::int64_t> past{{"at", 60'000}};
  int within = 0;
  for (int i = 0; i < 200; ++i) {
    const json::object o =
        sample(*form, random, {}, {.now_ms = 1'772'413'200'000, .past_ms = &past});
    const auto ago = 1'772'413'200'000 - *from_rfc3339(o.at("at").as_string());
    EXPECT_GE(ago, 0);
    within += ago <= 60'000;
  }
  EXPECT_NEAR(within, 100, 25);
}

TEST(Sample, what_is_wanted_is_used_where_it_fits) {
  std::vector<Mistake> mistakes;
  auto form = read_form(
      "form: f\nversion: 1\ntitle: {zh: 表, en: Form}\ntype: object\n"
      "properties:\n  severity: {title: {zh: 级, en: S}, enum: [III, II, I]}\n"
      "  people: {title: {zh: 人, en: P}, type: integer, minimum: 0, maximum: 9}\n",
      "f.yaml", mistakes);
  ASSERT_TRUE(form);
  SeededRandom random(3);
  for (int i = 0; i < 30; ++i) {
    json::object o = sample(*form, random, {{"severity", "II"}, {"people", 99}}, {});
    EXPECT_EQ(o["severity"], "II");
    const json::value* people = o.if_contains("people");
    EXPECT_TRUE(!people || people->as_int64() <= 9);
  }
}

}  // namespace
}  // namespace cw
