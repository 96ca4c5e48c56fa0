import { expect, it } from "vitest";
import type { LimitReport, ShareOut, SimulationOut } from "@/api/types";
import { bars, isBelow, plot } from "./plot";

const share = (met: number, of: number, low: number, high: number): ShareOut => ({ met, of, p: of ? Math.floor((met * 1000) / of) : 1000, low, high, used: [] });
const limit = (id: string, s: ShareOut, groups: Record<string, ShareOut> = {}): LimitReport => ({ ...s, id, title: { zh: id, en: id }, task: false, limit: "1h", impossible: false, by: "severity", groups, used_p50: 0, used_p95: 0 });
const report = { threshold: 80, limits: [limit("met", share(98, 100, 930, 995), { I: share(48, 50, 860, 990), III: share(50, 50, 928, 1000) }), limit("missed", share(70, 100, 604, 782)), limit("unused", share(0, 0, 0, 1000))] } as unknown as SimulationOut;
const words = { title: (l: LimitReport) => l.id, value: (_l: LimitReport, v: string) => v, limit: () => "1 h", never: "never", impossible: "impossible" };

it("puts every share on its interval, within the drawing, and marks what lies below the threshold", () => {
  for (const width of [320, 700]) {
    const drawn = plot(report, words, width);
    expect(drawn.rows.map((r) => r.label[0])).toEqual(["met", "I", "III", "missed", "unused"]);
    for (const r of drawn.rows.filter((x) => x.x0 > 0)) {
      expect(r.low <= r.p && r.p <= r.high && r.low >= drawn.left - 0.01 && r.high <= width).toBe(true);
      expect(r.y).toBeLessThan(drawn.height);
    }
    expect(drawn.rows.filter((r) => r.below).map((r) => r.label[0])).toEqual(["missed"]);
    expect(drawn.rows.find((r) => r.below)!.p).toBeLessThan(drawn.limit);
    expect(drawn.rows.at(-1)!.text).toBe("never");
  }
});
it("judges few observations by the upper end of their interval, as the verdict does", () => {
  expect(isBelow(share(7, 10, 396, 892), 80)).toBe(false);
  expect(isBelow(share(7, 100, 30, 140), 80)).toBe(true);
  expect(isBelow(share(0, 0, 0, 1000), 80)).toBe(false);
});
it("draws the same picture for the same report", () => {
  expect(plot(report, words, 640)).toEqual(plot(report, words, 640));
});
it("shows a bar wherever something was counted", () => {
  expect(bars([0, 1, 1000], 40).map((b) => b.h)).toEqual([0, 1, 40]);
  expect(bars([0, 0], 40).map((b) => b.h)).toEqual([0, 0]);
});
