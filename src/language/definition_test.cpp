// Every kind of mistake in a procedure, at its exact place. In each case `@` marks where it is.
#include <gtest/gtest.h>

#include "test_definition.h"

namespace cw {
namespace {

TEST(Definition, NamesBecomeIndices) {
  const auto d = good(base_text);
  ASSERT_NE(d, nullptr);
  EXPECT_EQ(d->fact("level"), 0);
  EXPECT_EQ(d->floor_key, d->fact("s"));
  EXPECT_EQ(d->floor, (std::vector<int>{0, 1}));
  const int one = d->state("one");
  EXPECT_EQ(d->start_state, one);
  const ActionDef& go = d->actions[d->action(one, "go")];
  EXPECT_EQ(go.to, d->state("two"));
  EXPECT_EQ(go.by, (std::vector<int>{d->role("a"), d->role("b")}));
  EXPECT_EQ(go.set[0].from, Assignment::From::field);
  EXPECT_EQ(d->action(d->state("two"), "go"), -1);
  const TaskDef& work = d->tasks[d->task(one, "work")];
  EXPECT_EQ(work.limit.key, d->fact("s"));
  EXPECT_EQ(work.limit.spans[1], (Span{2, Unit::hour}));
  EXPECT_EQ(work.title.zh, "说明");  // its form's
  EXPECT_EQ(d->roles[d->role("c")].kind, RoleDef::Kind::level_chief);
  EXPECT_EQ(d->roles[d->role("c")].apart, (std::vector<int>{d->role("b")}));
  EXPECT_TRUE(d->clocks[d->clock("c")].expires);
  EXPECT_EQ(d->clocks[d->clock("d")].stop.kind, Moment::Kind::task);
  EXPECT_EQ(d->states[2].retain_days, 3 * 366);
  EXPECT_EQ(d->forms[d->form("open")].facts[0], d->fact("s"));
  EXPECT_EQ(d->flags, (std::vector<std::string>{"late"}));
}

TEST(Definition, AnActThatChangesNothingIsDoneOncePerStay) {
  std::string text = base_text;
  text.insert(text.find("      wait:"),
              "      say: {by: a}\n      tell: {by: a, repeat: true}\n"
              "      hand: {by: a, form: note, set: {who: form.to}}\n");
  const auto d = good(text);
  ASSERT_NE(d, nullptr);
  EXPECT_TRUE(d->actions[d->action(0, "say")].once);
  EXPECT_FALSE(d->actions[d->action(0, "tell")].once);
  EXPECT_FALSE(d->actions[d->action(0, "hand")].once);
  EXPECT_FALSE(d->actions[d->action(0, "go")].once);
}

TEST(Definition, AClockThatStopsAtATaskTakesItsCondition) {
  std::string text = base_text;
  text.replace(text.find(", when: \"s == 'y'\""), 18, "");
  const auto d = good(text);
  ASSERT_NE(d, nullptr);
  EXPECT_EQ(d->clocks[d->clock("d")].when.source(), "n > 0");
}

TEST(Definition, AnUnsetKeyTakesTheShortestLimit) {
  std::vector<Mistake> none;
  const auto office =
      Calendars::from_texts(
          {{"c",
            "calendar: c\nversion: 1\ntitle: {zh: 办, en: C}\nzone: UTC\nopen: [09:00-17:00]\n"
            "week: [mon]\nworkday: 8h\n"}},
          none)
          .find("c");
  ASSERT_NE(office, nullptr);
  Limit limit{{{2, Unit::workday}, {17, Unit::hour}, {15, Unit::hour}}, 0};
  std::vector<Value> facts{1};
  EXPECT_EQ(span_for(limit, facts, *office), (Span{17, Unit::hour}));
  facts[0] = null_value;
  EXPECT_EQ(span_for(limit, facts, *office), (Span{15, Unit::hour}));
}

TEST(Definition, AFormFillsFactsInTheFactsOwnOrder) {
  std::string text = base_text;
  text.replace(text.find("enum: [x, y]"), 12, "enum: [z, y, x]");
  text.replace(text.find("{x: low, y: high}"), 17, "{x: low, y: high, z: low}");
  text.replace(text.find("{x: 1h, y: 2h}"), 14, "{x: 1h, y: 2h, z: 1m}");
  const auto d = good(text);
  ASSERT_NE(d, nullptr);
  const json::object filled{{"s", "x"}, {"text", "-"}};
  const auto values = form_values(*d, d->forms[d->form("open")], filled, nullptr);
  EXPECT_EQ(values, (std::vector<Value>{2, null_value, null_value}));
}

TEST(Definition, ACorrectionIsAnActionOfEveryStateWithAFormOfItsOwn) {
  const std::string text = std::string(base_text) +
                           "amend: {by: a, approve: [b, c], facts: [n, at, s], states: [two]}\n";
  const auto d = good(text);
  ASSERT_NE(d, nullptr);
  const int one = d->state("one"), two = d->state("two");
  const ActionDef& action = d->actions[d->action(one, "amend")];
  EXPECT_TRUE(action.amend);
  EXPECT_FALSE(action.once);
  EXPECT_EQ(action.to, -1);
  EXPECT_EQ(action.approve.quorum, 1);
  EXPECT_GE(d->action(two, "amend"), 0);
  EXPECT_EQ(d->action(d->state("three"), "amend"), -1) << "a closed case is not corrected";
  const FormUse& use = d->forms[d->amend.form];
  EXPECT_EQ(use.form->id, "amend");
  EXPECT_EQ(use.form->source, "") << "it follows from the procedure";
  EXPECT_EQ(use.facts, (std::vector<int>{d->fact("n"), d->fact("at"), d->fact("s"), -1, -1}));
  EXPECT_EQ(use.form->fields[0].title.zh, "数") << "as the form that sets the fact calls it";
  EXPECT_EQ(use.form->fields[0].minimum, 0);
  EXPECT_EQ(use.form->fields[2].values, (std::vector<std::string>{"x", "y"}));
  EXPECT_EQ(use.form->fields[3].values, (std::vector<std::string>{"two"}));
  EXPECT_TRUE(use.form->fields[4].required);
  EXPECT_FALSE(fill(*use.form, {{"n", 3}})) << "not without a reason";
  EXPECT_FALSE(fill(*use.form, {{"n", -1}, {"reason", "-"}}));
  EXPECT_TRUE(fill(*use.form, {{"n", 3}, {"state", "two"}, {"reason", "-"}}));
  // What guards of a state rely on must be set to be moved there; what entering sets need not.
  EXPECT_EQ(d->states[one].needs, (std::vector<int>{d->fact("level"), d->fact("s")}));
  EXPECT_EQ(d->states[two].needs, (std::vector<int>{d->fact("level"), d->fact("s")}));
  const json::object written = to_json(*d);
  EXPECT_EQ(json::serialize(written.at("amend").at("facts")), R"(["n","at","s"])");
  EXPECT_EQ(written.at("states").at(0).at("actions").as_array().size(), 2u);
}

TEST(DefinitionMistake, Corrections) {
  auto expect_wrong = [](const std::string& section, const std::string& code) {
    expect_mistake("start: {by: a,", section + "\nstart: {by: a,", code);
  };
  expect_wrong("amend: @{by: a, facts: [n]}", "yaml.missing");
  expect_wrong("amend: @{by: a, approve: b}", "procedure.amend");
  expect_wrong("amend: {by: a, approve: b, facts: [@level]}", "procedure.amend");
  expect_wrong("amend: {by: a, approve: b, facts: [n, @n]}", "procedure.amend");
  expect_wrong("amend: {by: a, approve: b, facts: [@m]}", "procedure.fact");
  expect_wrong("amend: {by: a, approve: b, states: [@three]}", "procedure.amend");
  expect_wrong("amend: {by: a, approve: b, states: [@tow]}", "procedure.state");
  expect_wrong("amend: {by: a, approve: @z, facts: [n]}", "procedure.role");
  expect_wrong("amend: {by: a, approve: b, facts: [n], @form: note}", "yaml.unknown");
  expect_mistake("      wait: {upon: clock.c, to: two}",
                 "      wait: {upon: clock.c, to: two}\n      @amend: {by: a, to: two}",
                 "procedure.amend", "amend: {by: a, approve: b, facts: [n]}\n");
}

TEST(DefinitionMistake, Readers) {
  const auto d = good(std::string(base_text) + "readers: {roles: [b, c], by: c}\n");
  ASSERT_NE(d, nullptr);
  EXPECT_EQ(d->readers.roles, (std::vector<int>{d->role("b"), d->role("c")}));
  EXPECT_EQ(d->readers.by, (std::vector<int>{d->role("c")}));
  EXPECT_EQ(json::serialize(to_json(*d).at("readers")), R"({"roles":["b","c"],"by":["c"]})");
  auto expect_wrong = [](const std::string& section, const std::string& code) {
    expect_mistake("start: {by: a,", section + "\nstart: {by: a,", code);
  };
  expect_wrong("readers: {roles: @[a, b], by: c}", "procedure.readers");
  expect_wrong("readers: {roles: [b], by: @a}", "procedure.readers");
  expect_wrong("readers: @{roles: [b]}", "yaml.missing");
  expect_wrong("readers: {roles: [@bb], by: c}", "procedure.role");
  expect_wrong("readers: {roles: [b], by: c, @people: [d]}", "yaml.unknown");
}

TEST(DefinitionMistake, UnknownNames) {
  expect_mistake("to: two, set", "to: @tow, set", "procedure.state");
  expect_mistake("by: [a, b]", "by: [a, @bb]", "procedure.role");
  expect_mistake("{by: a, form: note, limit", "{by: a, form: @memo, limit", "procedure.form");
  expect_mistake("key: s, late", "key: @ss, late", "procedure.fact");
  expect_mistake("set: {who: form.to}", "set: {@whom: form.to}", "procedure.fact");
  expect_mistake("upon: clock.c", "upon: @clock.x", "procedure.clock");
  expect_mistake("calendar: always", "calendar: @never", "procedure.calendar");
  expect_mistake("{open: kid,", "{open: @cat,", "procedure.procedure");
  expect_mistake("stop: task.work", "stop: @task.wrk", "procedure.moment");
  expect_mistake("run: [one]", "run: [@onw]", "procedure.state");
  expect_mistake("[{raise: 1}]", "[{@rise: 1}]", "procedure.effect");
  expect_mistake("map: {x: low,", "map: {x: @lowest,", "procedure.level");
  expect_mistake("calendar: always", "calendar: always\n@colour: red", "yaml.unknown");
  expect_mistake("retain: 3y", "@keep: 3y", "yaml.unknown");
}

// A moment cannot be moved by a pause: only a clock that never goes on after standing still has
// one.
TEST(DefinitionMistake, ACloseOfBusinessCannotPause) {
  const std::string back = "      done: {auto: \"children.kids.done\", to: three}\n";
  auto with = [&](const std::string& clock) {
    std::string text = base_text;
    text.replace(text.find(back), back.size(), back + "      again: {by: a, to: one}\n");
    const std::string before = "  c: {run: [one], limit: 1h, reset: entry,";
    return text.replace(text.find(before), before.size(), clock);
  };
  EXPECT_NE(good(with("  c: {run: [one], limit: cob, reset: entry,")), nullptr);
  EXPECT_NE(good(with("  c: {run: [one, two], limit: 2cob,")), nullptr)
      << "never left and met again";
  EXPECT_NE(good(with("  c: {from: start, limit: {x: 1h, y: cob}, key: s,")), nullptr);
  auto expect_paused = [&](const std::string& clock) {
    std::string text = with(clock);
    const std::string place = take_place(text);
    std::vector<Mistake> mistakes;
    EXPECT_EQ(read_definition(text, "t", surroundings(), mistakes), nullptr);
    EXPECT_EQ(listed(mistakes), place + " procedure.close\n");
    return mistakes.empty() ? std::string() : mistakes[0].text.en;
  };
  EXPECT_NE(expect_paused("  c: {run: [one], limit: @cob,").find("from 'one' to 'two'"),
            std::string::npos);
  expect_paused("  c: {run: [one], limit: @{x: 1h, y: 1cob}, key: s,");
  expect_paused("  c: {run: [one], reset: entry, when: \"s == 'y'\", limit: @cob,");
  expect_mistake("limit: 5wd", "limit: @0cob", "procedure.limit");
}

TEST(DefinitionMistake, Expressions) {
  expect_mistake("\"s == 'x' && form.n > 1\"", "\"s == 'x' && @form.m > 1\"", "expression.field");
  expect_mistake("\"s == 'x' && form.n > 1\"", "\"s == @'z'\"", "expression.value");
  expect_mistake("\"s == 'x' && form.n > 1\"", "\"s == @1\"", "expression.type");
  expect_mistake("\"s == 'x' && form.n > 1\"", "\"@n > 1\"", "expression.unset");
  expect_mistake("\"s == 'x' && form.n > 1\"", "\"@t > 1\"", "expression.fact");
  expect_mistake("\"s == 'x' && form.n > 1\"", "\"s @= 'x'\"", "expression.syntax");
  expect_mistake("when: \"n > 0\"", "when: \"@n\"", "expression.type");
  expect_mistake("when: \"n > 0\"", "when: @n", "expression.type");
  expect_mistake("children.kids.done", "@children.kid.done", "expression.child");
  expect_mistake("when: \"s == 'y'\"", "when: \"@tasks.done\"", "expression.place");
  expect_mistake("when: \"s == 'y'\"", "when: \"@form.n > 0\"", "expression.field");
}

TEST(DefinitionMistake, TheFlowBetweenStates) {
  expect_mistake("  three: {final", "  @lost: {actions: {x: {by: a, to: three}}}\n  three: {final",
                 "procedure.unreachable");
  expect_mistake("      done: {auto: \"children.kids.done\", to: three}\n",
                 "      done: {auto: \"children.kids.done\", to: three}\n"
                 "      hang: {by: a, to: four}\n  @four: {}\n",
                 "procedure.stuck");
  expect_mistake("      done: {auto: \"children.kids.done\", to: three}\n",
                 "      done: {auto: \"children.kids.done\", to: three}\n"
                 "      hang: {by: a, to: four}\n  @four: {actions: {x: {by: a}}}\n",
                 "procedure.stuck");
  expect_mistake("      done: {auto: \"children.kids.done\", to: three}\n",
                 "      done: {auto: \"children.kids.done\", to: three}\n"
                 "      @again: {auto: \"has(yes) && yes\", to: two}\n",
                 "procedure.cycle");
  expect_mistake("three: {final: true", "three: {final: true, tasks: @{w: {by: a}}",
                 "procedure.final");
  expect_mistake("run: [one]", "run: [one, @three]", "procedure.clock");
}

TEST(DefinitionMistake, ALoopWithoutAnEndIsNamedForEachOfItsStates) {
  std::string text = base_text;
  text.replace(text.find("to: three}"), 10, "to: one}");
  std::vector<Mistake> mistakes;
  EXPECT_EQ(read_definition(text, "t", surroundings(), mistakes), nullptr);
  EXPECT_EQ(listed(mistakes),
            "16:3 procedure.endless\n22:3 procedure.endless\n26:3 procedure.unreachable\n");
}

TEST(DefinitionMistake, Limits) {
  expect_mistake("limit: 1h, reset", "limit: @1x, reset", "procedure.limit");
  expect_mistake("limit: 1h, reset", "limit: @0h, reset", "procedure.limit");
  expect_mistake("{x: 1h, y: 2h}", "@{x: 1h}", "procedure.limit");
  expect_mistake("{x: 1h, y: 2h}", "{x: 1h, y: @2 h}", "procedure.limit");
  expect_mistake("{x: 1h, y: 2h}", "{x: 1h, y: 2h, @z: 3h}", "procedure.limit");
  expect_mistake("{x: 1h, y: 2h}, key: s", "@{x: 1h, y: 2h}", "procedure.limit");
  expect_mistake("{x: 1h, y: 2h}, key: s", "{x: 1h, y: 2h}, key: @n", "procedure.limit");
  expect_mistake("limit: 5wd", "limit: 5wd, key: @s", "procedure.limit");
  expect_mistake("at: {100:", "at: {@1001:", "yaml.number");
  expect_mistake("retain: 3y", "retain: @3w", "procedure.limit");
  expect_mistake("  c: {run: [one], limit: 1h,", "  c: @{run: [one],", "yaml.missing");
}

// What `s` opens after a moment, as local times.
std::vector<std::string> slots(const std::string& schedule, const char* after, int count) {
  std::string text = base_text;
  text.insert(text.find("states:"), "schedule: " + schedule + "\n");
  const auto d = good(text);
  std::vector<Mistake> none;
  const auto office = Calendars::from_texts(
                          {{"c",
                            "calendar: c\nversion: 1\ntitle: {zh: 办, en: C}\nzone: Asia/Shanghai\n"
                            "open: [09:00-17:00]\nweek: [mon, tue, wed, thu, fri]\nworkday: 8h\n"}},
                          none)
                          .find("c");
  std::vector<std::string> out;
  std::int64_t at = *office->from_local(after);
  for (int i = 0; d && i < count; ++i) {
    at = d->schedule.next(*office, at).value_or(0);
    out.push_back(office->local(at).substr(0, 16));
  }
  return out;
}

TEST(Schedule, SlotsFollowFromTheFirstDayAlone) {
  using Slots = std::vector<std::string>;
  const std::string start = ", start: {s: x}}";
  EXPECT_EQ(slots("{every: 2d, at: '07:05', from: 2026-03-01" + start, "2026-03-04T00:00", 2),
            (Slots{"2026-03-05T07:05", "2026-03-07T07:05"}));
  EXPECT_EQ(slots("{every: 1d, at: '07:05', from: 2026-03-01" + start, "2026-03-04T07:05", 1),
            (Slots{"2026-03-05T07:05"}));
  EXPECT_EQ(slots("{every: 1d, at: '07:05', from: 2026-03-01" + start, "2020-01-01T00:00", 1),
            (Slots{"2026-03-01T07:05"}));
  EXPECT_EQ(slots("{every: 1wd, at: '08:30', from: 2026-01-01" + start, "2026-03-06T08:30", 2),
            (Slots{"2026-03-09T08:30", "2026-03-10T08:30"}));
  EXPECT_EQ(slots("{every: 3wd, at: '08:30', from: 2026-03-02" + start, "2026-03-02T09:00", 2),
            (Slots{"2026-03-05T08:30", "2026-03-10T08:30"}));
  EXPECT_EQ(slots("{every: 2w, at: '08:30', from: 2026-03-02" + start, "2026-03-02T08:30", 2),
            (Slots{"2026-03-16T08:30", "2026-03-30T08:30"}));
  EXPECT_EQ(slots("{every: 1mo, at: '09:00', from: 2025-12-31" + start, "2026-01-31T10:00", 3),
            (Slots{"2026-02-28T09:00", "2026-03-31T09:00", "2026-04-30T09:00"}));
  EXPECT_EQ(slots("{every: 1mo, at: '09:00', from: 2025-12-31, workday: true" + start,
                  "2026-01-31T10:00", 2),
            (Slots{"2026-02-02T09:00", "2026-03-02T09:00"}));
  EXPECT_EQ(slots("{every: 1y, at: '00:00', from: 2024-02-29" + start, "2025-12-01T00:00", 3),
            (Slots{"2026-02-28T00:00", "2027-02-28T00:00", "2028-02-29T00:00"}));
}

TEST(Schedule, IsWrittenForTheConsole) {
  std::string text = base_text;
  text.insert(text.find("states:"),
              "schedule: {every: 3mo, at: '08:30', from: 2026-01-05, start: {s: x, yes: true}}\n");
  const auto d = good(text);
  ASSERT_NE(d, nullptr);
  EXPECT_EQ(json::serialize(to_json(*d).at("schedule")),
            R"({"every":"3mo","at":"08:30","from":"2026-01-05","calendar":"always",)"
            R"("workday":false,"org":"root","start":{"s":"x","yes":true}})");
}

TEST(DefinitionMistake, Schedules) {
  auto expect = [](const std::string& schedule, const std::string& code) {
    expect_mistake("states:\n", "schedule: " + schedule + "\nstates:\n", code);
  };
  const std::string start = ", start: {s: x}}";
  expect("{every: @1q, at: '08:30', from: 2026-01-05" + start, "procedure.schedule");
  expect("{every: @0d, at: '08:30', from: 2026-01-05" + start, "procedure.schedule");
  expect("{every: 1d, at: @'24:30', from: 2026-01-05" + start, "procedure.schedule");
  expect("{every: 1d, at: '08:30', from: @2026-02-30" + start, "procedure.schedule");
  expect("{every: 1d, at: '08:30', from: 2026-02-03, org: @moon" + start, "procedure.schedule");
  expect("{every: 1wd, at: '08:30', from: 2026-02-03, workday: @true" + start,
         "procedure.schedule");
  expect("{every: 1d, at: '08:30', from: 2026-02-03, calendar: @never" + start,
         "procedure.calendar");
  expect("{every: 1d, at: '08:30', from: 2026-02-03, start: {s: @q}}", "procedure.schedule");
  expect("{every: 1d, at: '08:30', from: 2026-02-03, start: {s: x, @who2: y}}", "procedure.fact");
  expect("{every: 1d, at: '08:30', from: 2026-02-03, start: {s: x, yes: @maybe}}", "procedure.set");
  expect("{every: 1d, at: '08:30', from: 2026-02-03, start: @{yes: true}}", "procedure.schedule");
  expect("@{every: 1d, at: '08:30', from: 2026-02-03}", "procedure.schedule");
  expect("@{every: 1d, from: 2026-02-03" + start, "yaml.missing");
}

TEST(DefinitionMistake, TextsInOneLanguageOnly) {
  expect_mistake("title: {zh: 测试, en: Test}", "title: @{zh: 测试}", "text.missing");
  expect_mistake("title: {zh: 测试, en: Test}", "title: {zh: @'', en: Test}", "text.missing");
  expect_mistake("three: {final: true", "three: {title: @{en: End}, final: true", "text.missing");
  expect_mistake("levels: [low, high]", "levels: {low: {zh: 低, en: Low}, high: @{zh: 高}}",
                 "text.missing");
}

TEST(DefinitionMistake, Structure) {
  expect_mistake("  s: {enum: [x, y]}", "  s: {enum: [x, y]}\n  @s: {enum: [x, y]}",
                 "yaml.duplicate");
  expect_mistake("  who: {ref: person}", "  who: @&w {ref: person}", "yaml.anchor");
  expect_mistake("  who: {ref: person}", "  who: {ref: person}\n  p: {ref: @planet}",
                 "procedure.fact");
  expect_mistake("  yes: {type: boolean}", "  yes: {type: @string}", "procedure.fact");
  expect_mistake("  yes: {type: boolean}", "  @form: {type: boolean}", "procedure.fact");
  expect_mistake("a: {any: true}", "a: @{any: true, team: x}", "procedure.role");
  expect_mistake("o: {field: who}", "o: {field: @s}", "procedure.role");
  expect_mistake("go: {by: [a, b], form: note, guard: \"s == 'x' && form.n > 1\"",
                 "go: @{form: note", "procedure.action");
  expect_mistake("wait: {upon: clock.c", "wait: {upon: clock.c, guard: @\"true\"",
                 "procedure.action");
  expect_mistake("\"children.kids.done\", to: three}",
                 "\"children.kids.done\", to: three}\n      b: @{auto: \"true\"}",
                 "procedure.action");
  expect_mistake("c: {run: [one], limit: 1h, reset: entry", "c: @{run: [one], from: at, limit: 1h",
                 "procedure.clock");
  expect_mistake("form: note, limit", "form: @odd, limit", "procedure.form-fact");
  expect_mistake("{set: {at: now}}", "{set: {at: @actor}}", "procedure.set");
  expect_mistake("{set: {at: now}}", "{set: {@level: high}}", "procedure.set");
  expect_mistake("each: list.items", "each: @list.plain", "procedure.each");
  expect_mistake("each: list.items", "each: @list.wide", "procedure.child");
  expect_mistake("version: 1", "version: @one", "yaml.number");
  expect_mistake("work: {by: a,", "work: @{", "yaml.missing");
}

TEST(DefinitionMistake, AllMistakesAreReportedInOnePass) {
  std::string text = base_text;
  text.replace(text.find("by: [a, b]"), 10, "by: [a, q]");
  text.replace(text.find("limit: 1h, reset"), 16, "limit: soon, reset");
  text.replace(text.find("s == 'y'"), 8, "s == 'q'");
  text.replace(text.find("en: Test"), 8, "en: ''");
  std::vector<Mistake> mistakes;
  read_definition(text, "t", surroundings(), mistakes);
  EXPECT_EQ(listed(mistakes),
            "3:21 text.missing\n20:20 procedure.role\n28:26 procedure.limit\n"
            "29:58 expression.value\n");
}

TEST(Definition, GuardsKnowWhatEveryWayIntoAStateHasSet) {
  // n is optional in `open`, but `go` demands it: state two may read it; so may an auto there.
  std::string text = base_text;
  text.replace(text.find("children.kids.done"), 18, "children.kids.done && n > 0");
  text.replace(text.find("      wait: {upon: clock.c, to: two}\n"), 37, "");
  EXPECT_NE(good(text), nullptr);
  // Another way in that does not set it makes the same condition a mistake.
  text.replace(text.find("  two:\n"), 7, "      skip: {by: a, to: two}\n  two:\n");
  std::vector<Mistake> mistakes;
  EXPECT_EQ(read_definition(text, "t", surroundings(), mistakes), nullptr);
  EXPECT_EQ(listed(mistakes), "25:43 expression.unset\n");
}

}  // namespace
}  // namespace cw
