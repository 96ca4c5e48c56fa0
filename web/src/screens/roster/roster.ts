// What the duty roster's screens compute: days and windows, the way through a grid by keys, what a
// shift lacks, who is ready for it. Pure; days are "2026-11-23" in the roster's zone.
import type { LayerGrid, RosterGrid, RosterGridOut, ShiftOut } from "@/api/types";

export type View = "day" | "week" | "month";
const DAY = 86_400_000;

export const isDay = (s: unknown): s is string => typeof s === "string" && /^\d{4}-\d\d-\d\d$/.test(s) && !Number.isNaN(Date.parse(s)) && addDays(s, 0) === s;
export const addDays = (day: string, n: number): string => new Date(Date.parse(day) + n * DAY).toISOString().slice(0, 10);
export const weekdayOf = (day: string): number => new Date(Date.parse(day)).getUTCDay();
export const mondayOf = (day: string): string => addDays(day, -((weekdayOf(day) + 6) % 7));
export const firstOf = (day: string): string => `${day.slice(0, 7)}-01`;
export function daysIn(day: string): number {
  const [y, m] = day.split("-").map(Number) as [number, number];
  return new Date(Date.UTC(y, m, 0)).getUTCDate();
}
// The number of the week as ISO 8601 counts.
export function weekOf(day: string): number {
  const thursday = addDays(mondayOf(day), 3);
  return 1 + Math.floor((Date.parse(thursday) - Date.parse(`${thursday.slice(0, 4)}-01-01`)) / (7 * DAY));
}

export interface Window { from: string; days: number; to: string; before: string; after: string }
// The days a view shows around one of them, and the days before and after.
export function windowOf(view: View, day: string): Window {
  const from = view === "day" ? day : view === "week" ? mondayOf(day) : firstOf(day);
  const days = view === "day" ? 1 : view === "week" ? 7 : daysIn(day);
  const before = view === "month" ? firstOf(addDays(from, -1)) : addDays(from, -days);
  return { from, days, to: addDays(from, days - 1), before, after: addDays(from, days) };
}

export interface Row { roster: RosterGrid; layer: LayerGrid; id: string; title: LayerGrid["title"]; cells: (ShiftOut | null)[]; first: boolean; hours: string }
const two = (n: number): string => String(n).padStart(2, "0");
const hm = (ms: number): string => { const d = new Date(ms + 8 * 3_600_000); return `${two(d.getUTCHours())}:${two(d.getUTCMinutes())}`; };
export const hoursOf = (s: { from_at: number; to_at: number }): string => `${hm(s.from_at)}–${hm(s.to_at) === "00:00" ? "24:00" : hm(s.to_at)}`;

// The rows of a grid: every shift of every layer, in their order.
export function rowsOf(grid: RosterGridOut | undefined, layer = ""): Row[] {
  const out: Row[] = [];
  for (const roster of grid?.rosters ?? [])
    for (const l of roster.layers) {
      if (layer && l.id !== layer) continue;
      l.shifts.forEach((s, i) => {
        const any = s.days.find((x) => x);
        out.push({ roster, layer: l, id: s.id, title: s.title, cells: s.days, first: i === 0, hours: any ? hoursOf(any) : "" });
      });
    }
  return out;
}

export interface At { row: number; col: number }
export type Edge = -1 | 0 | 1;
// Where a key leads in a grid; an edge says that the days before or after are wanted.
export function step(at: At, code: string, rows: number, cols: number): { at: At; edge: Edge } | null {
  const to = (row: number, col: number): { at: At; edge: Edge } =>
    ({ at: { row: Math.max(0, Math.min(rows - 1, row)), col: Math.max(0, Math.min(cols - 1, col)) }, edge: 0 });
  switch (code) {
    case "ArrowUp": return to(at.row - 1, at.col);
    case "ArrowDown": return to(at.row + 1, at.col);
    case "ArrowLeft": return at.col > 0 ? to(at.row, at.col - 1) : { at: { row: at.row, col: cols - 1 }, edge: -1 };
    case "ArrowRight": return at.col < cols - 1 ? to(at.row, at.col + 1) : { at: { row: at.row, col: 0 }, edge: 1 };
    case "Home": return to(at.row, 0);
    case "End": return to(at.row, cols - 1);
    case "PageUp": return { at, edge: -1 };
    case "PageDown": return { at, edge: 1 };
    default: return null;
  }
}

export type Mark = "none" | "gap" | "unready" | "changed" | "ok";
export function markOf(s: ShiftOut | null): Mark {
  if (!s) return "none";
  if (s.missing > 0) return "gap";
  if (s.problems.length) return "unready";
  return s.people.some((p) => p.why !== "plan") ? "changed" : "ok";
}
export type Show = "" | "mine" | "gaps";
export const shown = (s: ShiftOut | null, show: Show): boolean => !show || (show === "mine" ? !!s?.mine : ["gap", "unready"].includes(markOf(s)));
export const isNow = (s: { from_at: number; to_at: number }, now: number): boolean => s.from_at <= now && now < s.to_at;

export type CheckState = "ok" | "wrong" | "later" | "none";
export interface Check { code: "active" | "qualified" | "leave" | "reachable" | "rest" | "hours"; state: CheckState }
// What is looked at before somebody takes a shift, and how it stands for them.
export function checksOf(codes: string[], layer: LayerGrid, rules: RosterGrid, from_at: number, now: number): Check[] {
  const bad = (...of: string[]): boolean => of.some((c) => codes.includes(c));
  const when = (applies: boolean, ...of: string[]): CheckState => (!applies ? "none" : bad(...of) ? "wrong" : "ok");
  const asked = now >= from_at - rules.ready_before_ms;
  return [
    { code: "active", state: when(true, "inactive") },
    { code: "qualified", state: when(layer.qualifications.length > 0, "unqualified") },
    { code: "leave", state: when(true, "leave") },
    { code: "reachable", state: rules.confirm_within_ms === 0 ? "none" : bad("unreachable") ? "wrong" : asked ? "ok" : "later" },
    { code: "rest", state: when(!layer.on_call && rules.rest_ms > 0, "rest", "double") },
    { code: "hours", state: when(!layer.on_call && rules.week_max_ms > 0, "hours") },
  ];
}

// Where a shift lies on a day's line from 0 to 100; shifts of the day before reach into it.
export function lane(s: { from_at: number; to_at: number }, day: string): { left: number; width: number } | null {
  const begin = Date.parse(`${day}T00:00:00+08:00`);
  const from = Math.max(0, s.from_at - begin), to = Math.min(DAY, s.to_at - begin);
  return to <= from ? null : { left: (from / DAY) * 100, width: ((to - from) / DAY) * 100 };
}

// A shift is handed over from four hours before its end to three days after it.
export const mayHandOver = (s: ShiftOut, now: number): boolean => s.mine && s.handover !== "signed" && now >= s.to_at - 4 * 3_600_000 && now <= s.to_at + 3 * DAY;
// Of what waits for somebody: the handover nearest in time, not the one that waited longest. The
// shift that ends now comes before one of days ago that was never handed over.
export const nearest = (shifts: ShiftOut[], now: number): ShiftOut | undefined =>
  shifts.reduce<ShiftOut | undefined>((best, s) => (!best || Math.abs(s.to_at - now) < Math.abs(best.to_at - now) ? s : best), undefined);
export const startsLater = (s: { from_at: number }, now: number): boolean => s.from_at > now;

// "/source/3:5" names a mistake's place in a definition.
export function placeOf(pointer: string): { line: number; column: number } | null {
  const m = /^\/source\/(\d+):(\d+)$/.exec(pointer);
  return m ? { line: Number(m[1]), column: Number(m[2]) } : null;
}
// Where that place is in the text.
export function offsetOf(text: string, line: number, column: number): number {
  const lines = text.split("\n");
  const before = lines.slice(0, line - 1).reduce((n, l) => n + l.length + 1, 0);
  return Math.min(text.length, before + [...(lines[line - 1] ?? "")].slice(0, column - 1).join("").length);
}
// Whether so many teams fit a pattern: they divide its steps, unless the definition says a lag.
export const teamsFit = (layer: { even: boolean; steps: number }, teams: number): boolean => !layer.even || (teams <= layer.steps && layer.steps % teams === 0);

// Where an item of a handover or a call leads.
export function pathOf(item: string): string {
  const id = item.split("/")[0]!;
  return id.startsWith("cas_") ? `/incidents/${id}` : id.startsWith("alt_") ? `/alerts/${id}` : "";
}
// The first line of a text, as far as there is room.
export function clip(text: string, most: number): string {
  const line = [...(text.split("\n")[0] ?? "")];
  return line.length > most ? `${line.slice(0, most - 1).join("")}…` : line.join("");
}
