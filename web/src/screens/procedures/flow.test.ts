import { expect, it } from "vitest";
import type { ActionDef, Definition, StateDef, TaskDef } from "@/api/types";
import { layout, textWidth, wrap, type Flow, type Words } from "./flow";
import { cover, part, sourceOf } from "./reading";
import { rulesOf } from "./rules";
import { formsOf, uses } from "./uses";

const t = (s: string) => ({ zh: s, en: s });
const act = (id: string, to?: string, more: Partial<ActionDef> = {}): ActionDef => ({ id, title: t(id), form: null, outbound: false, repeat: false, by: ["duty"], to, ...more });
const task = (id: string, more: Partial<TaskDef> = {}): TaskDef => ({ id, title: t(id), by: ["duty"], form: null, limit: null, evidence: 0, outbound: false, ...more });
const state = (id: string, tasks: TaskDef[], actions: ActionDef[], more: Partial<StateDef> = {}): StateDef => ({ id, title: t(id), final: false, tasks, actions, ...more });
const plan = {
  procedure: "plan.x", version: 1, title: t("x"), levels: [], roles: [], facts: [{ id: "severity", title: t("severity"), type: "enum" }], flags: [],
  start: { by: ["anyone"], form: "urgent", to: "reported" },
  states: [
    state("reported", [task("ack", { limit: "5m", late: [{ raise: 1 }] })], [act("activate", "responding"), act("dismiss", "closed", { form: "reason", approve: { by: ["chief"], quorum: 1 } })]),
    state("responding", [task("contain", { limit: { key: "severity", table: { I: "30m", III: "4h" } } }), task("cac", { form: "report", do: [{ notify: ["legal"] }] })], [act("worsen"), act("release", "observing")]),
    state("observing", [], [act("relapse", "responding"), act("restore", "responding"), act("calm", "closed", { by: undefined, upon: "clock.observe" })], { enter: [{ open: "finding" }] }),
    state("closed", [], [], { final: true, retain_days: 1095 }),
  ],
  clocks: [
    { id: "observe", title: t("observe"), kind: "running", limit: "24h", calendar: "always", wait: true, run: ["observing"], at: [] },
    { id: "law", title: t("law"), kind: "anchored", limit: { key: "operator", table: { cii: "1h", other: "4h" } }, calendar: "always", wait: false, from: "discovered_at", stop: "task.cac", at: [{ percent: 50, do: [{ notify: ["legal"] }] }, { percent: 100, do: [{ raise: 2 }, { flag: "late" }] }] },
    { id: "filing", title: t("filing"), kind: "anchored", limit: "15m", calendar: "always", wait: false, from: "discovered_at", stop: "start", at: [] },
  ],
  forms: { report: {}, urgent: {}, reason: {} },
  regulations: { R: { regulation: "R", editions: [{ certainty: "read", at_once: false, within: { cii: "1h", other: "4h" } }] } },
} as unknown as Definition;
const words: Words = { state: (id) => ({ name: id, about: "" }), row: (kind, _s, id) => [`${kind} ${id}`, "值班长，须当前级别负责人批准后才能生效", "4 小时"] };
const all = (f: Flow): string[] => f.ways.map((w) => `${w.from.join("+")}>${w.to}${w.back ? " back" : ""}`).sort();

it("draws every way once: to the next state straight, others in one lane for each state they lead to", () => {
  expect(all(layout(plan, words, 720))).toEqual(["observing>closed", "observing>responding back", "reported>closed", "reported>responding", "responding>observing"]);
});
it("keeps every text within its box, at every width, and every box within the drawing", () => {
  for (const width of [300, 420, 560, 720, 960]) {
    const f = layout(plan, words, width);
    for (const b of f.boxes) {
      expect(b.x >= 0 && b.x + b.w <= f.width && b.y + b.h <= f.height, `${width} ${b.id}`).toBe(true);
      for (const p of b.rows.flatMap((r) => r.pieces)) {
        const [lo, hi] = p.anchor === "end" ? [p.x - textWidth(p.text), p.x] : [p.x, p.x + textWidth(p.text)];
        expect(lo >= 12 && hi <= b.w - 8 && p.y <= b.h, `${width} ${p.text}`).toBe(true);
      }
    }
    for (let i = 1; i < f.boxes.length; ++i) expect(f.boxes[i]!.y).toBeGreaterThan(f.boxes[i - 1]!.y + f.boxes[i - 1]!.h);
  }
});
it("lists in each box the clocks that run there, its tasks, and each way out by what fires it", () => {
  const boxes = layout(plan, words, 720).boxes;
  expect(boxes[2]!.rows.map((r) => r.kind)).toEqual(["clock", "act", "act", "upon"]);
  expect(boxes[1]!.rows.map((r) => r.kind)).toEqual(["task", "task", "act", "act"]);
  expect(boxes[3]!.rows).toEqual([]);
});
it("gives ways that overlap a lane each", () => {
  const many = { ...plan, states: [state("a", [], [act("x", "c"), act("y", "d"), act("z", "b")]), state("b", [], [act("x", "d")]), state("c", [], [act("x", "d"), act("y", "a")]), state("d", [], [act("back", "b")])], start: { ...plan.start, to: "a" }, clocks: [] } as Definition;
  const x = (path: string): number => Number(/H([\d.]+)V/.exec(path)?.[1]);
  const right = layout(many, words, 720).ways.filter((w) => /H/.test(w.path) && !w.back).map((w) => x(w.path));
  expect(new Set(right).size).toBe(right.length);
});
it("breaks a text where its script allows and says when something is left out", () => {
  expect(wrap("值班长、技术组", 200)).toEqual(["值班长、技术组"]);
  const two = wrap("Take command and tell everybody at once", 100, 2);
  expect(two).toHaveLength(2);
  expect(two[1]).toMatch(/…$/);
  for (const line of two) expect(textWidth(line)).toBeLessThanOrEqual(100);
  expect(wrap("Donaudampfschifffahrtsgesellschaft", 60, 1)[0]).toMatch(/…$/);
});

it("tells every consequence: time first, then what goes by itself, then what people do", () => {
  const rules = rulesOf(plan);
  expect(rules.map((r) => [r.cause, r.of, r.percent].filter(Boolean).join(" "))).toEqual(["mark law 50", "mark law 100", "late ack 100", "late contain 100", "upon calm", "enter observing", "act dismiss", "done cac"]);
  expect(rules.filter((r) => r.cause === "late").map((r) => r.effects)).toEqual([[{ raise: 1 }], []]);
  expect(rules.find((r) => r.cause === "act")?.approve?.by).toEqual(["chief"]);
  expect(rules.some((r) => r.of === "worsen")).toBe(false);  // nothing follows but the act itself
});
it("says where each clock counts, from its start to its stop", () => {
  expect(plan.clocks.map((c) => cover(plan, c))).toEqual([["", "", "run", ""], ["from", "stop", "", ""], ["both", "", "", ""]]);
});
it("says after how long a share of a limit is reached, where that is a plain length", () => {
  expect(part("2h", 80)).not.toBe("");
  expect([part("1wd", 50), part("5m", 50)]).toEqual(["", ""]);
});
it("finds the law whose numbers a clock repeats, and none for the house's own", () => {
  expect(plan.clocks.map((c) => sourceOf(plan, c)?.regulation)).toEqual([undefined, "R", undefined]);
});
it("lists the forms in the order in which a case meets them, with what asks for them", () => {
  expect(formsOf(plan)).toEqual(["urgent", "reason", "report"]);
  expect(uses(plan, "report").map((x) => x.zh)).toEqual(["cac"]);
});
