import { expect, it } from "vitest";
import type { Definition } from "@/api/types";
import en from "@/locales/en.json";
import { i18n } from "@/shared/text";
import { conditionText } from "./values";

i18n.global.setLocaleMessage("en", en);
(i18n.global.locale as { value: string }).value = "en";
const t = (s: string) => ({ zh: s, en: s });
const d = {
  facts: [{ id: "grade", title: t("Grade"), type: "enum", values: [{ value: "larger", title: t("Larger") }, { value: "major", title: t("Major") }] }, { id: "people", title: t("People"), type: "integer" }],
  states: [{ id: "s", title: t("S"), tasks: [{ id: "wipe", title: t("Wipe") }], actions: [] }],
  forms: { f: { properties: { effective: { type: "boolean", title: t("It works") } } } },
} as unknown as Definition;

it("says a condition in the words of the definition", () => {
  const says = (source: string): string => conditionText(d, source);
  expect(says("grade in ['larger','major']")).toBe("Grade is Larger / Major");
  expect(says("grade != 'major'")).toBe("Grade is not Major");
  expect(says("people > 0 && tasks.done")).toBe("People > 0 and every required task is done");
  expect(says("tasks.wipe.done || !children.fixes.done")).toBe("“Wipe” is done or a child case is still open");
  expect(says("!has(people) || !form.effective")).toBe("“People” is not given or not the form's It works");
  expect(says("form.grade >= grade")).toBe("the form's Grade >= Grade");
});
