import { describe, expect, it } from "vitest";
import type { LayerGrid, RosterGrid, RosterGridOut, ShiftOut } from "@/api/types";
import { addDays, checksOf, daysIn, hoursOf, isDay, lane, markOf, mayHandOver, mondayOf, nearest, offsetOf, pathOf, placeOf, rowsOf, shown, step, teamsFit, weekOf, windowOf } from "./roster";

const at = (s: string) => Date.parse(`${s}:00+08:00`);
const shift = (more: Partial<ShiftOut> = {}): ShiftOut => ({
  org: "o", key: "r/2026-11-23/line/night", roster: "r", day: "2026-11-23", layer: "line", shift: "night", holds: "", roster_title: { zh: "", en: "" }, layer_title: { zh: "", en: "" },
  title: { zh: "夜班", en: "Night" }, from_at: at("2026-11-23T16:00"), to_at: at("2026-11-24T00:00"), need: 1, missing: 0, people: [], standby: [], absent: [], problems: [],
  provisional: false, now: false, mine: false, handover: "none", ...more,
});
const who = { id: "p", name: "郑洁", staff_no: "5528" };

describe("days", () => {
  it("reads only days that exist", () => {
    expect(isDay("2026-02-28")).toBe(true);
    for (const no of ["2026-02-30", "2026-2-3", "x", undefined, "2026-13-01"]) expect(isDay(no), String(no)).toBe(false);
  });
  it("knows Mondays, ISO weeks and months, over the turn of a year", () => {
    expect(mondayOf("2026-11-22")).toBe("2026-11-16");
    expect(mondayOf("2026-11-23")).toBe("2026-11-23");
    expect([weekOf("2026-12-31"), weekOf("2027-01-03"), weekOf("2027-01-04"), weekOf("2026-01-01")]).toEqual([53, 53, 1, 1]);
    expect([daysIn("2026-02-10"), daysIn("2028-02-10"), daysIn("2026-12-31")]).toEqual([28, 29, 31]);
    expect(addDays("2026-12-31", 1)).toBe("2027-01-01");
  });
  it("shows the day, week or month around a day, and what lies beside it", () => {
    expect(windowOf("week", "2026-11-25")).toEqual({ from: "2026-11-23", days: 7, to: "2026-11-29", before: "2026-11-16", after: "2026-11-30" });
    expect(windowOf("month", "2026-03-31")).toEqual({ from: "2026-03-01", days: 31, to: "2026-03-31", before: "2026-02-01", after: "2026-04-01" });
    expect(windowOf("day", "2026-03-01").before).toBe("2026-02-28");
  });
});

describe("the grid", () => {
  const layer = (id: string, names: string[]): LayerGrid => ({ id, holds: "", title: { zh: id, en: id }, holds_title: { zh: "", en: "" }, need: 1, on_call: false, qualifications: [],
    shifts: names.map((n) => ({ id: n, title: { zh: n, en: n }, days: [null, shift()] })) });
  const roster: RosterGrid = { org: "o", id: "r", zone: "", version: 1, title: { zh: "", en: "" }, rest_ms: 1, week_max_ms: 1, ready_before_ms: 7_200_000, confirm_within_ms: 1, layers: [layer("a", ["x", "y"]), layer("b", ["z"])] };
  const grid: RosterGridOut = { org: "o", today: "2026-11-23", now_ms: 0, may_manage: false, orgs: [], days: ["2026-11-22", "2026-11-23"], rosters: [roster] };
  it("has a row for each shift, the first of a layer marked, and can show one layer", () => {
    expect(rowsOf(grid).map((r) => [r.layer.id, r.id, r.first])).toEqual([["a", "x", true], ["a", "y", false], ["b", "z", true]]);
    expect(rowsOf(grid, "b")).toHaveLength(1);
    expect(rowsOf(undefined)).toEqual([]);
    expect(rowsOf(grid)[0]!.hours).toBe("16:00–24:00");
  });
  it("is walked by arrows, and its edges lead to the days beside it", () => {
    expect(step({ row: 0, col: 0 }, "ArrowUp", 3, 7)).toEqual({ at: { row: 0, col: 0 }, edge: 0 });
    expect(step({ row: 0, col: 0 }, "ArrowDown", 3, 7)!.at).toEqual({ row: 1, col: 0 });
    expect(step({ row: 1, col: 0 }, "ArrowLeft", 3, 7)).toEqual({ at: { row: 1, col: 6 }, edge: -1 });
    expect(step({ row: 1, col: 6 }, "ArrowRight", 3, 7)).toEqual({ at: { row: 1, col: 0 }, edge: 1 });
    expect(step({ row: 1, col: 3 }, "End", 3, 7)!.at.col).toBe(6);
    expect(step({ row: 1, col: 3 }, "PageDown", 3, 7)).toEqual({ at: { row: 1, col: 3 }, edge: 1 });
    expect(step({ row: 1, col: 3 }, "KeyX", 3, 7)).toBeNull();
  });
  it("marks the worst about a shift", () => {
    const unready = [{ person: who, code: "rest", text: { zh: "", en: "" } }];
    expect(markOf(null)).toBe("none");
    expect(markOf(shift({ missing: 1, problems: unready }))).toBe("gap");
    expect(markOf(shift({ problems: unready }))).toBe("unready");
    expect(markOf(shift({ people: [{ person: who, why: "swap" }] }))).toBe("changed");
    expect(markOf(shift({ people: [{ person: who, why: "plan" }] }))).toBe("ok");
    expect([shown(shift({ missing: 1 }), "gaps"), shown(shift(), "gaps"), shown(shift({ mine: true }), "mine"), shown(null, "mine"), shown(null, "")]).toEqual([true, false, true, false, true]);
  });
  it("lays a shift on a day's line, and cuts what began the day before", () => {
    expect(lane(shift(), "2026-11-23")).toEqual({ left: (16 / 24) * 100, width: (8 / 24) * 100 });
    const onCall = shift({ from_at: at("2026-11-22T08:00"), to_at: at("2026-11-23T08:00") });
    expect(lane(onCall, "2026-11-23")).toEqual({ left: 0, width: (8 / 24) * 100 });
    expect(lane(shift(), "2026-11-24")).toBeNull();
    expect(hoursOf(onCall)).toBe("08:00–08:00");
  });
  it("says how each check of readiness stands", () => {
    const l = { ...roster.layers[0]!, qualifications: ["duty"] };
    const states = (codes: string[], now: number, more = {}) => Object.fromEntries(checksOf(codes, { ...l, ...more }, roster, at("2026-11-23T16:00"), now).map((c) => [c.code, c.state]));
    expect(states(["double", "unqualified"], at("2026-11-23T10:00"))).toEqual({ active: "ok", qualified: "wrong", leave: "ok", reachable: "later", rest: "wrong", hours: "ok" });
    expect(states([], at("2026-11-23T14:00")).reachable).toBe("ok");
    expect(states(["unreachable", "leave"], at("2026-11-23T14:00"))).toMatchObject({ reachable: "wrong", leave: "wrong" });
    expect(states([], 0, { on_call: true, qualifications: [] })).toMatchObject({ rest: "none", hours: "none", qualified: "none" });
  });
});

describe("handover and definitions", () => {
  it("is offered from four hours before the end to three days after it, until both signed", () => {
    const mine = shift({ mine: true });
    expect([at("2026-11-23T19:59"), at("2026-11-23T20:00"), at("2026-11-27T00:00"), at("2026-11-27T00:01")].map((now) => mayHandOver(mine, now))).toEqual([false, true, true, false]);
    expect(mayHandOver(shift({ mine: true, handover: "signed" }), at("2026-11-23T23:00"))).toBe(false);
    expect(mayHandOver(shift(), at("2026-11-23T23:00"))).toBe(false);
  });
  it("puts the handover nearest in time first, whatever waited longer", () => {
    const [old, now, later] = ["2026-11-23T08:00", "2026-11-24T08:00", "2026-11-24T20:00"].map((to) => shift({ to_at: at(to) }));
    expect(nearest([old!, now!, later!], at("2026-11-24T06:00"))).toBe(now);
    expect(nearest([old!, now!], at("2026-11-24T08:20"))).toBe(now);
    expect(nearest([], 0)).toBeUndefined();
  });
  it("finds a mistake's place in the text, by characters", () => {
    expect(placeOf("/source/3:5")).toEqual({ line: 3, column: 5 });
    expect(placeOf("/layers/line")).toBeNull();
    expect(offsetOf("a: 1\n𠮷b: x\n", 2, 2)).toBe(7);
    expect(offsetOf("a", 9, 9)).toBe(1);
  });
  it("says whether teams fit a pattern", () => {
    expect([teamsFit({ even: true, steps: 8 }, 4), teamsFit({ even: true, steps: 8 }, 3), teamsFit({ even: true, steps: 4 }, 8), teamsFit({ even: false, steps: 8 }, 3)]).toEqual([true, false, false, true]);
  });
  it("leads to what an item names", () => {
    expect([pathOf("cas_1/task"), pathOf("alt_1"), pathOf("x")]).toEqual(["/incidents/cas_1", "/alerts/alt_1", ""]);
  });
});
