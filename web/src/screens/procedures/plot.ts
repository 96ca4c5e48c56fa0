// A simulation's report laid out to be drawn. The same report gives the same picture. Pure.
import type { LimitReport, ShareOut, SimulationOut } from "@/api/types";
import { textWidth, wrap } from "./flow";

export interface PlotRow { y: number; label: string[]; about: string; low: number; p: number; high: number; below: boolean; text: string; group: boolean; x0: number }
export interface Plot { rows: PlotRow[]; width: number; height: number; ticks: { x: number; text: string }[]; limit: number; left: number }
export interface PlotWords { title: (l: LimitReport) => string; value: (l: LimitReport, v: string) => string; limit: (l: LimitReport) => string; never: string; impossible: string }

export const percent = (thousandths: number): string => `${(thousandths / 10).toFixed(1)} %`;
const FEW = 30;  // as the verdict's: with fewer observations the interval's upper end decides
export const isBelow = (s: ShareOut, threshold: number): boolean => s.of > 0 && (s.of < FEW ? s.high : s.p) < threshold * 10;

// How often each limit is met: a point on its interval, overall and for each value of the fact that
// tells cases apart. The axis begins where something is to be seen.
export function plot(r: SimulationOut, words: PlotWords, width: number): Plot {
  const narrow = width < 520, left = narrow ? 92 : Math.round(width * 0.44), right = width - 62;
  const shares = r.limits.flatMap((l) => [l, ...Object.values(l.groups)]).filter((s) => s.of > 0);
  const least = Math.min(r.threshold * 10 - 100, ...shares.map((s) => s.low));
  const from = Math.max(0, Math.floor(least / 100) * 100);
  const x = (thousandths: number): number => left + ((thousandths - from) / (1000 - from)) * (right - left);
  const rows: PlotRow[] = [];
  let y = 22;
  const put = (s: ShareOut, label: string[], about: string, group: boolean, text: string): void => {
    const tall = narrow && !group ? label.length * 16 + 18 : Math.max(1, label.length) * 16 + 2;
    rows.push({ y, label, about, low: x(s.low), p: x(s.p), high: x(s.high), below: isBelow(s, r.threshold), text, group, x0: s.of });
    y += tall;
  };
  for (const l of r.limits) {
    const limit = words.limit(l), room = narrow ? width - 8 - textWidth(limit) - 24 : left - textWidth(limit) - 28;
    if (rows.length) y += 10;
    put(l, wrap(words.title(l), Math.max(60, room), 2), limit, false, l.of === 0 ? words.never : l.impossible ? words.impossible : percent(l.p));
    const groups = Object.entries(l.groups).filter(([, s]) => s.of > 0);
    if (groups.length > 1) for (const [v, s] of groups) put(s, wrap(words.value(l, v), narrow ? left - 8 : left - 40, 1), "", true, percent(s.p));
  }
  const step = 1000 - from > 500 ? 250 : 100;
  const ticks = [];
  for (let t = Math.ceil(from / step) * step; t <= 1000; t += step) if (Math.abs(t - r.threshold * 10) >= step / 2 || t === 1000) ticks.push({ x: x(t), text: `${t / 10} %` });
  return { rows, width, height: y + 4, ticks, limit: x(r.threshold * 10), left };
}

// Bars of a histogram on a box of one unit a bin; each at least visible where something was counted.
export interface Bar { x: number; h: number; n: number }
export function bars(counts: number[], height: number): Bar[] {
  const most = Math.max(1, ...counts);
  return counts.map((n, x) => ({ x, n, h: n === 0 ? 0 : Math.max(1, (n / most) * height) }));
}
