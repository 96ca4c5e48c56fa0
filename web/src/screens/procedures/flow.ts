// A definition laid out to be drawn: states one below the other in their order, each a box that lists
// its tasks and the ways out of it; ways that skip a state or lead back run in lanes beside the boxes,
// one lane for each state they lead to, so that none hides another. Pure.
import type { Definition } from "@/api/types";

export type Kind = "task" | "act" | "auto" | "upon" | "clock";
// What one line of a box says: its name, who does it, and what comes of it (a limit, a state).
export interface Words { state: (id: string) => { name: string; about: string }; row: (kind: Kind, state: string, id: string) => [name: string, who: string, end: string] }
export interface Piece { x: number; y: number; text: string; style: "name" | "who" | "end"; anchor: "start" | "end" }
export interface Row { kind: Kind; id: string; y: number; h: number; to?: string; pieces: Piece[] }
export interface Box { id: string; x: number; y: number; w: number; h: number; final: boolean; name: string[]; about: string; rows: Row[]; rules: number[] }
export interface Way { to: string; from: string[]; back: boolean; path: string; arrow: string }
export interface Flow { boxes: Box[]; ways: Way[]; start: { x: number; y: number; path: string; arrow: string } | null; width: number; height: number }

const HEAD = 34, LINE = 18, PAD = 12, GAP = 32, LANE = 14, TOP = 30, MARK = 18;
export const NARROW = 460;

// About how wide a text of 12 px is; the classes are those of the fonts we name.
export function textWidth(s: string): number {
  let n = 0;
  for (const c of s) n += c > "\u2e80" ? 12 : /[iljtfr.,:;'|!() ·\-]/.test(c) ? 4.2 : /[mwMW%@]/.test(c) ? 10.4 : /[A-Z]/.test(c) ? 8.2 : 6.8;
  return n;
}
// A text on at most `most` lines, broken where its script allows; what does not fit ends in "…".
export function wrap(text: string, width: number, most = 2): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.match(/[\u2e80-\uffff][，、。；：）”]?|[^\s\u2e80-\uffff]+\s*|\s+/g) ?? []) {
    if (textWidth(line + word.trimEnd()) <= width) { line += word; continue; }
    if (line) lines.push(line.trimEnd());
    line = word.trimStart();
  }
  if (line.trim()) lines.push(line.trimEnd());
  const kept = lines.slice(0, most).map((l, i) => (textWidth(l) > width || (i === most - 1 && lines.length > most) ? cut(l, width) : l));
  return kept.length ? kept : [""];
}
function cut(line: string, width: number): string {
  const points = [...line];
  while (points.length > 1 && textWidth(points.join("") + "…") > width) points.pop();
  return points.join("").trimEnd() + "…";
}

interface Bus { to: number; from: number[]; back: boolean }
// Ways that are not to the next state, gathered by where they lead.
function buses(d: Definition, at: Map<string, number>): Bus[] {
  const all = new Map<string, Bus>();
  d.states.forEach((s, i) => {
    for (const a of s.actions) {
      const to = a.to === undefined ? undefined : at.get(a.to);
      if (to === undefined || to === i || to === i + 1) continue;
      const back = to < i, key = `${back} ${to}`;
      const bus = all.get(key) ?? { to, from: [], back };
      if (!bus.from.includes(i)) bus.from.push(i);
      all.set(key, bus);
    }
  });
  return [...all.values()];
}
// A lane for each: those that overlap stand beside each other, the short ones next to the boxes.
function lanes(all: Bus[]): Map<Bus, number> {
  const span = (b: Bus): [number, number] => [Math.min(b.to, ...b.from), Math.max(b.to, ...b.from)];
  const used: [number, number][][] = [];
  const out = new Map<Bus, number>();
  for (const b of [...all].sort((x, y) => span(x)[1] - span(x)[0] - (span(y)[1] - span(y)[0]) || x.to - y.to)) {
    const [lo, hi] = span(b);
    let lane = used.findIndex((l) => l.every(([a, z]) => hi < a || lo > z));
    if (lane < 0) lane = used.push([]) - 1;
    used[lane]!.push([lo, hi]);
    out.set(b, lane);
  }
  return out;
}

function rowsOf(d: Definition, i: number, words: Words, w: number): { rows: Row[]; rules: number[]; h: number } {
  const s = d.states[i]!;
  const clocks = d.clocks.filter((c) => c.kind === "running" && c.run?.includes(s.id));
  const listed: { kind: Kind; id: string; to?: string }[] = [
    ...clocks.map((c) => ({ kind: "clock" as const, id: c.id })), ...s.tasks.map((x) => ({ kind: "task" as const, id: x.id })),
    ...s.actions.map((a) => ({ kind: (a.auto ? "auto" : a.upon ? "upon" : "act") as Kind, id: a.id, to: a.to })),
  ];
  const rows: Row[] = [], rules: number[] = [];
  const room = w - 2 * PAD - MARK, narrow = w < NARROW;
  let y = HEAD;
  listed.forEach((x, n) => {
    if (n === 0 || (x.kind === "task" || x.kind === "clock") !== (listed[n - 1]!.kind === "task" || listed[n - 1]!.kind === "clock")) { rules.push(y + 2); y += 6; }
    const [name, who, end] = words.row(x.kind, s.id, x.id);
    const pieces: Piece[] = [];
    const put = (text: string, style: Piece["style"], px: number, width: number, from: number, anchor: Piece["anchor"] = "start"): number => {
      const lines = text ? wrap(text, width) : [];
      lines.forEach((line, l) => pieces.push({ x: px, y: from + 13 + l * LINE, text: line, style, anchor }));
      return lines.length;
    };
    let tall: number;
    if (narrow) {
      const first = Math.max(put(name, "name", PAD + MARK, room * 0.58, y), put(end, "end", w - PAD, room * 0.4, y, "end"));
      tall = first + put(who, "who", PAD + MARK, room, y + first * LINE);
    } else {
      tall = Math.max(put(name, "name", PAD + MARK, room * 0.4 - 8, y), put(who, "who", PAD + MARK + room * 0.4, room * 0.33 - 8, y), put(end, "end", w - PAD, room * 0.27, y, "end"));
    }
    rows.push({ ...x, y, h: tall * LINE, pieces });
    y += tall * LINE + 4;
  });
  return { rows, rules, h: listed.length ? y + 6 : HEAD };
}

export function layout(d: Definition, words: Words, width: number): Flow {
  const at = new Map(d.states.map((s, i) => [s.id, i]));
  const all = buses(d, at);
  const right = lanes(all.filter((b) => !b.back)), left = lanes(all.filter((b) => b.back));
  const margin = (m: Map<Bus, number>): number => (m.size ? 14 + (Math.max(...m.values()) + 1) * LANE : 2);
  const x = margin(left), w = Math.max(240, width - x - margin(right));
  const first = at.get(d.start.to) ?? 0;
  let y = first === 0 ? TOP : 2;
  const boxes = d.states.map((s, i): Box => {
    const { name, about } = words.state(s.id), inner = rowsOf(d, i, words, w);
    const room = w - 2 * PAD, aside = about ? Math.min(textWidth(about) + 12, room * 0.55) : 0;
    const box = { id: s.id, x, y, w, final: s.final, name: wrap(name, (room - aside) * 0.86, 1), about: about ? wrap(about, aside, 1)[0]! : "", ...inner };
    y += box.h + GAP;
    return box;
  });
  const ways: Way[] = [];
  d.states.forEach((s, i) => {
    if (!s.actions.some((a) => a.to !== undefined && at.get(a.to) === i + 1)) return;
    const a = boxes[i]!, b = boxes[i + 1]!, cx = x + w / 2;
    ways.push({ from: [s.id], to: b.id, back: false, path: `M${cx} ${a.y + a.h}V${b.y - 5}`, arrow: `M${cx - 4} ${b.y - 6}l4 6 4-6z` });
  });
  for (const [bus, lane] of [...right, ...left]) ways.push(drawn(bus, lane, boxes, at));
  const from = boxes[first]!;
  const start = first === 0 ? { x: x + 18, y: 8, path: `M${x + 18} 14V${from.y - 5}`, arrow: `M${x + 14} ${from.y - 6}l4 6 4-6z` } : null;
  return { boxes, ways, start, width: x + w + margin(right), height: y - GAP + 2 };
}

// A lane with a branch from each row that leads there, and one arrow.
function drawn(bus: Bus, lane: number, boxes: Box[], at: Map<string, number>): Way {
  const target = boxes[bus.to]!, edge = bus.back ? target.x : target.x + target.w;
  const lx = bus.back ? edge - 14 - lane * LANE : edge + 14 + lane * LANE;
  // Ways of both sides meet a box at its head, lanes one under the other so that arrows stay apart.
  const ty = target.y + Math.min(HEAD - 8, 11 + lane * 4);
  const ports = bus.from.flatMap((i) => boxes[i]!.rows.filter((r) => r.to !== undefined && at.get(r.to) === bus.to).map((r) => boxes[i]!.y + r.y + 9));
  const far = bus.back ? Math.max(...ports) : Math.min(...ports);
  const branches = ports.filter((p) => p !== far).map((p) => `M${edge} ${p}H${lx}`).join("");
  return {
    to: target.id, from: bus.from.map((i) => boxes[i]!.id), back: bus.back,
    path: `M${edge} ${far}H${lx}V${ty}H${edge + (bus.back ? -5 : 5)}${branches}`,
    arrow: bus.back ? `M${edge - 6} ${ty - 4}l6 4-6 4z` : `M${edge + 6} ${ty - 4}l-6 4 6 4z`,
  };
}
