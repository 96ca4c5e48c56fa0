// "What happens when": every consequence that a definition names, as one list. Time comes first, then
// what goes by itself, then what follows from what people do. Pure.
import type { ApproveDef, Definition, Effect, LimitOut } from "@/api/types";

export type Cause = "late" | "mark" | "upon" | "slot" | "auto" | "enter" | "done" | "act";
export interface Rule {
  cause: Cause; group: "time" | "itself" | "people";
  of: string;              // the task, clock, action or state that it is about
  state?: string;          // where
  percent?: number; limit?: LimitOut;
  condition?: string;      // and only while this holds
  to?: string;             // the state it leads to
  approve?: ApproveDef;    // asked of a second person first
  effects: Effect[];
}

export function rulesOf(d: Definition): Rule[] {
  const time: Rule[] = [], itself: Rule[] = [], people: Rule[] = [];
  if (d.schedule) itself.push({ cause: "slot", group: "itself", of: d.procedure, to: d.start.to, effects: [] });
  for (const c of d.clocks)
    for (const m of c.at) time.push({ cause: "mark", group: "time", of: c.id, percent: m.percent, limit: c.limit, condition: c.when, effects: m.do });
  for (const s of d.states) {
    const at = { state: s.id };
    if (s.enter?.length) itself.push({ ...at, cause: "enter", group: "itself", of: s.id, effects: s.enter });
    for (const x of s.tasks) {
      if (x.limit) time.push({ ...at, cause: "late", group: "time", of: x.id, percent: 100, limit: x.limit, condition: x.when, effects: x.late ?? [] });
      if (x.do?.length || x.approve) people.push({ ...at, cause: "done", group: "people", of: x.id, approve: x.approve, effects: x.do ?? [] });
    }
    for (const a of s.actions) {
      const rule = { ...at, of: a.id, to: a.to, effects: a.do ?? [] };
      if (a.upon) time.push({ ...rule, cause: "upon", group: "time", limit: d.clocks.find((c) => `clock.${c.id}` === a.upon)?.limit });
      else if (a.auto) itself.push({ ...rule, cause: "auto", group: "itself", condition: a.auto });
      else if (a.do?.length || a.approve) people.push({ ...rule, cause: "act", group: "people", condition: a.guard, approve: a.approve });
    }
  }
  return [...time, ...itself, ...people];
}
