import { describe, expect, it } from "vitest";
import type { DrillCoverageOut, DrillInjectOut, DrillLineOut, DrillOut } from "@/api/types";
import { bullet, byMiss, byNeed, covered, isOverdue, mayConclude, mayObserve, months, needsOne, steps, subjects, unjudged, vacant, yearOf } from "./drills";

const at = (s: string): number => Date.parse(s);
const drill = (id: string, on: string, phase: DrillOut["phase"] = "planned") => ({ id, on_at: at(on), phase }) as DrillOut;
const inject = (n: number, minutes: number, told: boolean) => ({ n, at_ms: minutes * 60_000, told }) as DrillInjectOut;

describe("the year", () => {
  it("has twelve months, each drill in the month of its Beijing date, by date", () => {
    const year = months([drill("b", "2026-03-20T02:00:00Z"), drill("a", "2026-02-28T16:30:00Z"), drill("c", "2026-12-31T15:59:00Z")]);
    expect(year.map((m) => m.month)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
    expect(year[2]!.items.map((d) => d.id)).toEqual(["a", "b"]);  // 28 February 16:30 UTC is 1 March in Beijing
    expect(year[11]!.items.map((d) => d.id)).toEqual(["c"]);
  });
  it("turns at midnight in Beijing", () => {
    expect([yearOf(at("2026-12-31T15:59:59Z")), yearOf(at("2026-12-31T16:00:00Z"))]).toEqual([2026, 2027]);
  });
  it("calls a drill overdue the day after, not the hour after, and only while it is planned", () => {
    const d = drill("a", "2026-03-10T01:00:00Z");
    expect(isOverdue(d, at("2026-03-10T12:00:00Z"))).toBe(false);
    expect(isOverdue(d, at("2026-03-10T16:00:00Z"))).toBe(true);
    expect(isOverdue({ ...d, phase: "cancelled" }, at("2026-04-10T16:00:00Z"))).toBe(false);
  });
});

describe("coverage", () => {
  const line = (plan: string, state: DrillCoverageOut["state"], ended = 0) => ({ plan, state, ended }) as DrillCoverageOut;
  it("shows what is missing first and counts a plan that was drilled and is running again", () => {
    const lines = [line("a", "drilled", 1), line("b", "no-scenario"), line("c", "unplanned"), line("d", "running", 2), line("e", "planned")];
    expect(byNeed(lines).map((l) => l.plan)).toEqual(["c", "b", "e", "d", "a"]);
    expect(covered(lines)).toBe(2);
  });
  it("does not count a drill that was broken off and asks for another", () => {
    const lines = [line("a", "planned"), line("b", "broken-off"), line("c", "unplanned")];
    expect(byNeed(lines).map((l) => l.plan)).toEqual(["c", "b", "a"]);
    expect(covered(lines)).toBe(0);
    expect(lines.filter(needsOne).map((l) => l.plan)).toEqual(["b", "c"]);
  });
});

describe("a score", () => {
  const of = (limit: number, took?: number, median?: number) => bullet({ limit_ms: limit, took_ms: took, real_median_ms: median });
  it("lies on a scale whose middle is the limit", () => {
    expect(of(600_000, 300_000, 600_000)).toEqual({ took: 25, median: 50 });
    expect(of(600_000, 9_000_000)).toEqual({ took: 100, median: null });
    expect(of(600_000)).toEqual({ took: null, median: null });
    expect(of(0, 5)).toEqual({ took: null, median: null });
  });
  it("lists what was missed first and keeps the order otherwise", () => {
    const lines = [{ id: "a", met: true }, { id: "b", met: false }, { id: "c", met: true }, { id: "d", met: false }] as DrillLineOut[];
    expect(byMiss(lines).map((l) => l.id)).toEqual(["b", "d", "a", "c"]);
  });
});

describe("injects", () => {
  it("are counted from the beginning; the first that was not told is next", () => {
    const got = steps({ on_at: 0, began_at: at("2026-03-10T01:00:00Z"), injects: [inject(1, 8, true), inject(2, 20, false), inject(3, 40, false)] });
    expect(got.map((s) => s.state)).toEqual(["told", "next", "later"]);
    expect(got[1]!.at).toBe(at("2026-03-10T01:20:00Z"));
  });
  it("stand on the planned time before it begins", () => {
    expect(steps({ on_at: 1000, injects: [inject(1, 1, false)] })[0]!.at).toBe(61_000);
  });
});

describe("an evaluation", () => {
  const boss = { id: "boss", name: "贺峰", staff_no: "" }, eye = { id: "eye", name: "秦雨", staff_no: "" };
  const of = (phase: DrillOut["phase"], conclusion?: DrillOut["conclusion"]) => ({ phase, director: boss, evaluators: [eye], conclusion }) as DrillOut;
  it("is observed by evaluators and the director from the beginning to the conclusion", () => {
    expect(["planned", "running", "ended", "cancelled"].map((p) => mayObserve(of(p as DrillOut["phase"]), "eye"))).toEqual([false, true, true, false]);
    expect([mayObserve(of("running"), "boss"), mayObserve(of("running"), "agent"), mayObserve(of("running"), undefined)]).toEqual([true, false, false]);
    expect(mayObserve(of("ended", {} as DrillOut["conclusion"]), "eye")).toBe(false);
  });
  it("is concluded once, by the director, when it ended", () => {
    expect([mayConclude(of("ended"), "boss"), mayConclude(of("ended"), "eye"), mayConclude(of("running"), "boss"), mayConclude(of("ended", {} as DrillOut["conclusion"]), "boss")]).toEqual([true, false, false, false]);
  });
  const text = (zh: string) => ({ zh, en: zh });
  const expect_ = [{ act: "a.x", title: text("甲"), within_ms: 1, after: 0 }, { act: "a.x", title: text("甲"), within_ms: 1, after: 2 }, { act: "b.y", title: text("乙"), within_ms: 1, after: 0 }];
  it("is about each expected act once and about what was told", () => {
    const got = subjects({ expect: expect_, injects: [{ ...inject(1, 1, true), text: text("火") }, { ...inject(2, 2, false), text: text("水") }] });
    expect(got.acts.map((a) => a.value)).toEqual(["a.x", "b.y"]);
    expect(got.injects).toEqual([{ value: "inject:1", n: 1, text: "火" }]);
  });
  it("names the acts that were not judged, by the inject that they answer", () => {
    const lines = [{ id: "a.x", kind: "act" }, { id: "b.y", kind: "task" }] as DrillLineOut[];
    expect(unjudged({ expect: expect_, lines, unjudged: 2 })).toEqual(["甲", "乙"]);
    expect(unjudged({ expect: expect_, lines: [], unjudged: 0 })).toEqual([]);  // of a time that did not count them
  });
});

it("counts posts and teams that nobody holds", () => {
  expect(vacant([{ people: [1] }, { people: [] }, { people: [] }])).toBe(2);
});
