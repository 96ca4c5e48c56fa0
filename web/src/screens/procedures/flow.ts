// A definition laid out to be drawn: states one below the other in their order, ways between them
// right (onwards) and left (back), each way in a lane of its own so that none hides another. Pure.
import type { Definition } from "@/api/types";

export interface Node { id: string; x: number; y: number; w: number; h: number; tasks: number }
export interface Way { from: string; to: string; ids: string[]; path: string; back: boolean; title: string; label: { x: number; y: number; anchor: "start" | "end" }; arrow: string }
export interface Flow { nodes: Node[]; ways: Way[]; width: number; height: number }

const W = 184, H = 48, GAP = 36, LANE = 18, TOP = 12;

interface Step { from: number; to: number; ids: string[] }
// Ways between two states, those with the same ends together.
function steps(d: Definition, at: Map<string, number>): Step[] {
  const merged = new Map<string, Step>();
  for (const [i, s] of d.states.entries()) {
    for (const a of s.actions) {
      const to = a.to === undefined ? undefined : at.get(a.to);
      if (to === undefined || to === i) continue;
      const key = `${i} ${to}`;
      merged.set(key, { from: i, to, ids: [...(merged.get(key)?.ids ?? []), a.id] });
    }
  }
  return [...merged.values()];
}

// About how wide a text of 12 px is.
export const textWidth = (s: string): number => [...s].reduce((n, c) => n + (c > "\u2e80" ? 12 : 6.6), 0);

export function layout(d: Definition, title: (ids: string[]) => string): Flow {
  const at = new Map(d.states.map((s, i) => [s.id, i]));
  const backs = steps(d, at).filter((m) => m.to < m.from);
  const LEFT = backs.length ? 28 + backs.length * LANE + Math.max(...backs.map((m) => textWidth(title(m.ids)))) : TOP;
  const nodes = d.states.map((s, i) => ({ id: s.id, x: LEFT, y: TOP + i * (H + GAP), w: W, h: H, tasks: s.tasks.length }));
  // Short ways take the inner lanes; ways that do not overlap share one.
  const lanes: { right: [number, number][][]; left: [number, number][][] } = { right: [], left: [] };
  const ways: Way[] = [];
  for (const m of steps(d, at).sort((a, b) => Math.abs(a.to - a.from) - Math.abs(b.to - b.from))) {
    const a = nodes[m.from]!, b = nodes[m.to]!;
    const back = m.to < m.from;
    if (m.to === m.from + 1) {
      const x = a.x + a.w / 2;
      ways.push({ ...names(m), ids: m.ids, title: title(m.ids), back, path: `M${x} ${a.y + a.h}V${b.y - 5}`, label: { x: x + 8, y: a.y + a.h + GAP / 2 + 4, anchor: "start" }, arrow: `M${x - 4} ${b.y - 6}l4 6 4-6z` });
      continue;
    }
    const side = back ? lanes.left : lanes.right;
    const span: [number, number] = [Math.min(m.from, m.to), Math.max(m.from, m.to)];
    let lane = side.findIndex((used) => used.every(([lo, hi]) => span[1] <= lo || span[0] >= hi));
    if (lane < 0) lane = side.push([]) - 1;
    side[lane]!.push(span);
    const edge = back ? a.x : a.x + a.w;
    const x = back ? edge - 20 - lane * LANE : edge + 20 + lane * LANE;
    const y1 = a.y + a.h / 2 + (back ? -8 : 8), y2 = b.y + b.h / 2 + (back ? 8 : -8);
    ways.push({ ...names(m), ids: m.ids, title: title(m.ids), back, path: `M${edge} ${y1}H${x}V${y2}H${edge + (back ? -5 : 5)}`, label: { x: back ? x - 4 : x + 6, y: (y1 + y2) / 2 + 4, anchor: back ? "end" : "start" }, arrow: back ? `M${edge - 6} ${y2 - 4}l6 4-6 4z` : `M${edge + 6} ${y2 - 4}l-6 4 6 4z` });
  }
  const right = Math.max(0, ...ways.filter((w) => w.label.anchor === "start").map((w) => w.label.x + textWidth(w.title) - LEFT - W));
  return { nodes, ways, width: LEFT + W + right + TOP, height: TOP + nodes.length * (H + GAP) - GAP + TOP };
  function names(m: { from: number; to: number }) { return { from: nodes[m.from]!.id, to: nodes[m.to]!.id }; }
}
