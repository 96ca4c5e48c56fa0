// A definition laid out to be drawn: states one below the other in their order, ways between them
// right (onwards) and left (back), each way in a lane of its own so that none hides another. Pure.
import type { Definition } from "@/api/types";

export interface Node { id: string; x: number; y: number; w: number; h: number; tasks: number }
export interface Way { from: string; to: string; ids: string[]; path: string; back: boolean; label: { x: number; y: number; anchor: "start" | "end" }; arrow: string }
export interface Flow { nodes: Node[]; ways: Way[]; width: number; height: number }

const W = 184, H = 48, GAP = 36, LANE = 18, LEFT = 96, TOP = 12;

export function layout(d: Definition): Flow {
  const nodes = d.states.map((s, i) => ({ id: s.id, x: LEFT, y: TOP + i * (H + GAP), w: W, h: H, tasks: s.tasks.length }));
  const index = new Map(d.states.map((s, i) => [s.id, i]));
  const merged = new Map<string, { from: number; to: number; ids: string[] }>();
  for (const [i, s] of d.states.entries()) {
    for (const a of s.actions) {
      const to = a.to === undefined ? undefined : index.get(a.to);
      if (to === undefined || to === i) continue;
      const key = `${i} ${to}`;
      merged.set(key, { from: i, to, ids: [...(merged.get(key)?.ids ?? []), a.id] });
    }
  }
  // Short ways take the inner lanes; ways that do not overlap share one.
  const lanes: { right: [number, number][][]; left: [number, number][][] } = { right: [], left: [] };
  const ways: Way[] = [];
  for (const m of [...merged.values()].sort((a, b) => Math.abs(a.to - a.from) - Math.abs(b.to - b.from))) {
    const a = nodes[m.from]!, b = nodes[m.to]!;
    const back = m.to < m.from;
    if (m.to === m.from + 1) {
      const x = a.x + a.w / 2;
      ways.push({ ...names(m), ids: m.ids, back, path: `M${x} ${a.y + a.h}V${b.y - 5}`, label: { x: x + 8, y: a.y + a.h + GAP / 2 + 4, anchor: "start" }, arrow: `M${x - 4} ${b.y - 6}l4 6 4-6z` });
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
    ways.push({ ...names(m), ids: m.ids, back, path: `M${edge} ${y1}H${x}V${y2}H${edge + (back ? -5 : 5)}`, label: { x: back ? x - 4 : x + 6, y: (y1 + y2) / 2 + 4, anchor: back ? "end" : "start" }, arrow: back ? `M${edge - 6} ${y2 - 4}l6 4-6 4z` : `M${edge + 6} ${y2 - 4}l-6 4 6 4z` });
  }
  return { nodes, ways, width: LEFT + W + 20 + Math.max(1, lanes.right.length) * LANE + 150, height: TOP + nodes.length * (H + GAP) - GAP + TOP };
  function names(m: { from: number; to: number }) { return { from: nodes[m.from]!.id, to: nodes[m.to]!.id }; }
}
