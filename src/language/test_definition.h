// For tests: a small procedure that is right, and what one change makes of it.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "language/definition.h"
#include "test_place.h"

namespace cw {

inline const char* const forms_text[] = {
    R"(form: open
version: 1
title: {zh: 开始, en: Open}
type: object
required: [s]
properties:
  s: {title: {zh: 级, en: S}, enum: [x, y]}
  n: {title: {zh: 数, en: N}, type: integer, minimum: 0}
  text: {title: {zh: 文, en: Text}, type: string}
)",
    R"(form: note
version: 1
title: {zh: 说明, en: Note}
type: object
required: [n, to]
properties:
  n: {title: {zh: 数, en: N}, type: integer, minimum: 0}
  to: {title: {zh: 人, en: To}, type: string, x-callwarden: {ref: person}}
)",
    R"(form: list
version: 1
title: {zh: 清单, en: List}
type: object
required: [items]
properties:
  items:
    title: {zh: 项, en: Items}
    type: array
    items: {type: object, required: [s], properties: {s: {title: {zh: 级, en: S}, enum: [x]}}}
  plain: {title: {zh: 项, en: Items}, type: array, items: {type: string}}
  wide:
    title: {zh: 项, en: Items}
    type: array
    items: {type: object, properties: {s: {title: {zh: 级, en: S}, enum: [x, z]}}}
)",
    R"(form: odd
version: 1
title: {zh: 不符, en: Odd}
type: object
required: [n]
properties:
  n: {title: {zh: 数, en: N}, type: integer}
)"};

inline const char* const base_text = R"(procedure: t
version: 1
title: {zh: 测试, en: Test}
calendar: always
levels: [low, high]
roles: {a: {any: true}, b: {post: boss}, c: {post: level.chief, not: [b]}, o: {field: who}}
data:
  n: {type: integer, minimum: 0}
  s: {enum: [x, y]}
  who: {ref: person}
  at: {type: string, format: date-time}
  yes: {type: boolean}
  level: {map: {x: low, y: high}, key: s}
start: {by: a, form: open, to: one}
states:
  one:
    tasks:
      work: {by: a, form: note, limit: {x: 1h, y: 2h}, key: s, late: [{raise: 1}], when: "n > 0"}
    actions:
      go: {by: [a, b], form: note, guard: "s == 'x' && form.n > 1", to: two, set: {who: form.to}}
      wait: {upon: clock.c, to: two}
  two:
    enter: [{open: kid, each: list.items, as: kids}, {set: {at: now}}]
    actions:
      done: {auto: "children.kids.done", to: three}
  three: {final: true, retain: 3y}
clocks:
  c: {run: [one], limit: 1h, reset: entry, at: {100: [{notify: b}, {flag: late}]}}
  d: {from: at, stop: task.work, limit: 5wd, when: "s == 'y'"}
)";

inline Surroundings surroundings() {
  static const auto forms = [] {
    std::map<std::string, std::shared_ptr<const Form>, std::less<>> out;
    std::vector<Mistake> mistakes;
    for (const char* text : forms_text) {
      auto form = read_form(text, "form", mistakes);
      for (const Mistake& m : mistakes) ADD_FAILURE() << describe(m, "en");
      if (form) out[form->id] = form;
    }
    return out;
  }();
  Surroundings around;
  around.form = [](std::string_view id) {
    auto found = forms.find(id);
    return found == forms.end() ? nullptr : found->second;
  };
  around.calendar = [](std::string_view id) { return id == "always"; };
  around.procedure = [](std::string_view id) -> std::optional<std::string> {
    if (id == "kid") return "open";
    return std::nullopt;
  };
  return around;
}

inline std::string listed(const std::vector<Mistake>& mistakes) {
  std::string out;
  for (const Mistake& m : mistakes) {
    EXPECT_FALSE(m.text.zh.empty() || m.text.en.empty());
    out += std::to_string(m.line) + ":" + std::to_string(m.column) + " " + m.code + "\n";
  }
  return out;
}

// Replaces `from` by `to` and expects exactly one mistake, of that code, at the `@` in `to`.
inline void expect_mistake(const std::string& from, const std::string& to, const std::string& code,
                           const std::string& more = "") {
  std::string text = base_text + more;
  const auto at = text.find(from);
  ASSERT_NE(at, std::string::npos) << from;
  text.replace(at, from.size(), to);
  const std::string place = take_place(text);
  std::vector<Mistake> mistakes;
  EXPECT_EQ(read_definition(text, "t.yaml", surroundings(), mistakes), nullptr);
  EXPECT_EQ(listed(mistakes), place + " " + code + "\n") << to;
}

inline std::shared_ptr<const Definition> good(const std::string& text) {
  std::vector<Mistake> mistakes;
  auto definition = read_definition(text, "t.yaml", surroundings(), mistakes);
  EXPECT_EQ(listed(mistakes), "") << text;
  return definition;
}

}  // namespace cw
