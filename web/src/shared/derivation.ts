// How a due time came about, laid out to be drawn: segments on one line of time, long closed
// stretches cut short. Pure.
import type { SegmentOut } from "@/api/types";
import { clock, date, HOUR } from "./time";

export type Tone = "run" | "still" | "closed" | "rest";
export interface Piece { tone: Tone; from_at: number; to_at: number; counted_ms: number; why: SegmentOut["why"]; x: number; width: number; cut: boolean }

const CLOSED_MAX_SHARE = 0.12;  // a night or a weekend takes at most this much of the line
const LEAST = 3;                // every segment stays visible

// A counted segment in which `now` lies is split: what is spent, what is still to come.
export function pieces(segments: SegmentOut[], now: number, width: number, running = true): Piece[] {
  const all: Omit<Piece, "x" | "width" | "cut">[] = [];
  for (const s of segments) {
    const base = { why: s.why, counted_ms: s.counted_ms };
    if (s.kind === "closed") all.push({ ...base, tone: "closed", from_at: s.from_at, to_at: s.to_at });
    else if (s.kind === "still") all.push({ ...base, tone: "still", from_at: s.from_at, to_at: s.to_at });
    else if (s.to_at <= now || !running) all.push({ ...base, tone: s.kind === "future" ? "rest" : "run", from_at: s.from_at, to_at: s.to_at });
    else if (s.from_at >= now) all.push({ ...base, tone: "rest", from_at: s.from_at, to_at: s.to_at });
    else {
      all.push({ ...base, counted_ms: now - s.from_at, tone: "run", from_at: s.from_at, to_at: now });
      all.push({ ...base, counted_ms: s.to_at - now, tone: "rest", from_at: now, to_at: s.to_at });
    }
  }
  const open = all.filter((p) => p.tone !== "closed").reduce((n, p) => n + p.to_at - p.from_at, 0) || 1;
  const weight = (p: (typeof all)[number]) => {
    const ms = p.to_at - p.from_at;
    return p.tone === "closed" ? Math.min(ms, open * CLOSED_MAX_SHARE) : ms;
  };
  const total = all.reduce((n, p) => n + weight(p), 0) || 1;
  const room = Math.max(0, width - LEAST * all.length);
  let x = 0;
  return all.map((p) => {
    const w = LEAST + (weight(p) / total) * room;
    const out = { ...p, x, width: w, cut: p.tone === "closed" && p.to_at - p.from_at > weight(p) };
    x += w;
    return out;
  });
}

// Where `at` lies on the line.
export function place(all: Piece[], at: number): number | null {
  for (const p of all)
    if (at >= p.from_at && at <= p.to_at) return p.x + (p.to_at === p.from_at ? 0 : ((at - p.from_at) / (p.to_at - p.from_at)) * p.width);
  return null;
}

// Labels under the line that do not run into each other: [x, text], the first and the last always.
export function labels(all: Piece[], width: number, now: number | null, nowText: string): { x: number; text: string; anchor: "start" | "middle" | "end" }[] {
  if (all.length === 0) return [];
  const day = (ms: number) => date(ms).slice(5);
  const first = all[0]!.from_at, last = all[all.length - 1]!.to_at;
  const sameDay = day(first) === day(last) && last - first < 24 * HOUR;
  const say = (ms: number) => (sameDay ? clock(ms) : `${day(ms)} ${clock(ms)}`);
  const size = (s: string) => [...s].reduce((n, c) => n + (c > "\u2e80" ? 12 : 6.8), 0);
  const out: { x: number; text: string; anchor: "start" | "middle" | "end" }[] = [{ x: 0, text: say(first), anchor: "start" }];
  const end = { x: width, text: say(last), anchor: "end" as const };
  const free = (x: number, w: number) => x - w / 2 > size(out[0]!.text) + 8 && x + w / 2 < width - size(end.text) - 8;
  if (now !== null && free(now, size(nowText))) out.push({ x: now, text: nowText, anchor: "middle" });
  out.push(end);
  return out;
}
