import { expect, it } from "vitest";
import type { ActionDef, Definition } from "@/api/types";
import { layout, textWidth } from "./flow";

const t = (s: string) => ({ zh: s, en: s });
const act = (id: string, to?: string): ActionDef => ({ id, title: t(id), form: null, outbound: false, repeat: false, to });
const plan = {
  states: [
    { id: "reported", actions: [act("activate", "responding"), act("dismiss", "closed")] },
    { id: "responding", actions: [act("worsen"), act("release", "observing")] },
    { id: "observing", actions: [act("relapse", "responding"), act("restore", "responding"), act("calm", "closed")] },
    { id: "closed", actions: [] },
  ].map((s) => ({ ...s, title: t(s.id), final: s.id === "closed", tasks: [] })),
} as unknown as Definition;

it("draws every way once, those with the same ends together, and none that stays", () => {
  const { ways } = layout(plan, (ids) => ids.join());
  expect(ways.map((w) => `${w.from}>${w.to}:${w.title}`).sort()).toEqual(["observing>closed:calm", "observing>responding:relapse,restore", "reported>closed:dismiss", "reported>responding:activate", "responding>observing:release"]);
  expect(ways.filter((w) => w.back).map((w) => w.from)).toEqual(["observing"]);
});
it("keeps everything inside its width and gives ways that overlap a lane each", () => {
  const { nodes, ways, width, height } = layout(plan, (ids) => ids.join());
  for (const n of nodes) expect(n.x + n.w <= width && n.y + n.h <= height).toBe(true);
  for (const w of ways) {
    const [lo, hi] = w.label.anchor === "end" ? [w.label.x - textWidth(w.title), w.label.x] : [w.label.x, w.label.x + textWidth(w.title)];
    expect(lo >= 0 && hi <= width).toBe(true);
  }
});
