import { describe, expect, it } from "vitest";
import type { SegmentOut } from "@/api/types";
import { labels, pieces, place } from "./derivation";
import { HOUR } from "./time";

const why = { zh: "", en: "" };
const at = (s: string) => Date.parse(`${s}+08:00`);
const seg = (from: string, to: string, kind: string): SegmentOut => ({ from_at: at(from), to_at: at(to), kind, counted_ms: kind === "counted" ? at(to) - at(from) : 0, why });
// Friday 16:20 to Monday 16:50, a weekend between.
const week = [
  seg("2026-11-20T16:20:00", "2026-11-20T17:05:00", "counted"), seg("2026-11-20T17:05:00", "2026-11-20T17:35:00", "still"),
  seg("2026-11-20T17:35:00", "2026-11-20T18:00:00", "counted"), seg("2026-11-20T18:00:00", "2026-11-23T09:00:00", "closed"),
  seg("2026-11-23T09:00:00", "2026-11-23T16:50:00", "counted"),
];

describe("the line of a derivation", () => {
  it("splits what is spent from what is to come, and keeps the sum", () => {
    const now = at("2026-11-23T10:00:00");
    const all = pieces(week, now, 336);
    expect(all.map((p) => p.tone)).toEqual(["run", "still", "run", "closed", "run", "rest"]);
    expect(all.reduce((n, p) => n + p.counted_ms, 0)).toBe(week.reduce((n, s) => n + s.counted_ms, 0));
    expect(all[4]!.counted_ms).toBe(HOUR);
  });
  it("fills its width without gap or overlap, and cuts the weekend short", () => {
    const all = pieces(week, at("2026-11-21T12:00:00"), 336);
    all.forEach((p, i) => { if (i > 0) expect(p.x).toBeCloseTo(all[i - 1]!.x + all[i - 1]!.width, 6); });
    const last = all[all.length - 1]!;
    expect(last.x + last.width).toBeCloseTo(336, 6);
    const weekend = all.find((p) => p.tone === "closed")!;
    expect(weekend.cut).toBe(true);
    expect(weekend.width).toBeLessThan(336 / 4);
    expect(all.every((p) => p.width >= 3)).toBe(true);
  });
  it("puts now where it lies, and nowhere when it lies outside", () => {
    const all = pieces(week, at("2026-11-23T10:00:00"), 336);
    const x = place(all, at("2026-11-23T10:00:00"))!;
    expect(x).toBeCloseTo(all[5]!.x, 6);
    expect(place(all, at("2026-11-25T10:00:00"))).toBeNull();
  });
  it("draws a stopped clock without anything to come", () => {
    expect(pieces([seg("2026-11-22T12:36:00", "2026-11-22T12:51:00", "counted")], at("2026-11-22T12:40:00"), 336, false).map((p) => p.tone)).toEqual(["run"]);
  });
  it("labels both ends, and now only where there is room", () => {
    const all = pieces(week, at("2026-11-23T13:00:00"), 336);
    expect(labels(all, 336, 170, "现在").map((l) => l.text)).toEqual(["11-20 16:20", "现在", "11-23 16:50"]);
    expect(labels(all, 336, 4, "现在").map((l) => l.text)).toEqual(["11-20 16:20", "11-23 16:50"]);
    expect(labels([], 336, null, "现在")).toEqual([]);
  });
});
