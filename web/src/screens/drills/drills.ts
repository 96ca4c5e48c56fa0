// Drills as the screens need them: the year by months, how a line was scored, what is still to come.
import { useQuery } from "@tanstack/vue-query";
import { computed, type Ref } from "vue";
import type { DrillCoverageOut, DrillInjectOut, DrillLineOut, DrillOut, Page } from "@/api/types";
import { get } from "@/shared/http";
import { onLive } from "@/shared/live";
import { addWords, tx } from "@/shared/text";
import { date } from "@/shared/time";

await addWords({ zh: () => import("@/locales/drill/zh.json"), en: () => import("@/locales/drill/en.json") });

export const yearOf = (ms: number): number => Number(date(ms).slice(0, 4));
export const monthOf = (ms: number): number => Number(date(ms).slice(5, 7));

export interface Month { month: number; items: DrillOut[] }
// All twelve, each with its drills by date.
export function months(drills: DrillOut[]): Month[] {
  return Array.from({ length: 12 }, (_, i) => ({
    month: i + 1, items: drills.filter((d) => monthOf(d.on_at) === i + 1).sort((a, b) => a.on_at - b.on_at),
  }));
}

// How a phase is drawn: an open ring, half, full, a stroke.
export const toneOf = (d: Pick<DrillOut, "phase">): string =>
  ({ planned: "", running: "is-run", ended: "is-done", cancelled: "is-none" })[d.phase];
// A planned drill whose day is over and that nobody began.
export const isOverdue = (d: Pick<DrillOut, "phase" | "on_at">, now: number): boolean =>
  d.phase === "planned" && date(d.on_at) < date(now);

const order: DrillCoverageOut["state"][] = ["unplanned", "broken-off", "no-scenario", "planned", "running", "drilled"];
// What is missing first; within a state as the server lists the plans.
export const byNeed = (lines: DrillCoverageOut[]): DrillCoverageOut[] =>
  [...lines].sort((a, b) => order.indexOf(a.state) - order.indexOf(b.state));
export const covered = (lines: DrillCoverageOut[]): number => lines.filter((l) => l.ended > 0).length;

// Missed lines first, in the order of the record otherwise.
export const byMiss = (lines: DrillLineOut[]): DrillLineOut[] => [...lines].sort((a, b) => Number(a.met) - Number(b.met));

// A line on a scale from 0 to twice its limit, in percent: the limit lies at 50.
export interface Bullet { took: number | null; median: number | null }
export function bullet(line: Pick<DrillLineOut, "limit_ms" | "took_ms" | "real_median_ms">): Bullet {
  const place = (ms: number | undefined): number | null =>
    ms === undefined || line.limit_ms <= 0 ? null : Math.max(0, Math.min(100, (ms / line.limit_ms) * 50));
  return { took: place(line.took_ms), median: place(line.real_median_ms) };
}

export interface Step { inject: DrillInjectOut; at: number; state: "told" | "next" | "later" }
// The injects as points in time; the next one is the first that was not told.
export function steps(d: Pick<DrillOut, "injects" | "began_at" | "on_at">): Step[] {
  const began = d.began_at ?? d.on_at;
  const next = d.injects.find((i) => !i.told)?.n;
  return d.injects.map((inject) => ({
    inject, at: began + inject.at_ms, state: inject.told ? "told" : inject.n === next ? "next" : "later",
  }));
}

// Which plans ask for another drill this year.
export const needsOne = (l: Pick<DrillCoverageOut, "state">): boolean => l.state === "unplanned" || l.state === "broken-off";

// Who may observe it, and until when; who may conclude it.
export const mayObserve = (d: Pick<DrillOut, "phase" | "conclusion" | "director" | "evaluators">, who?: string): boolean =>
  (d.phase === "running" || d.phase === "ended") && !d.conclusion && (d.director.id === who || d.evaluators.some((p) => p.id === who));
export const mayConclude = (d: Pick<DrillOut, "phase" | "conclusion" | "director">, who?: string): boolean =>
  d.phase === "ended" && !d.conclusion && d.director.id === who;

// What an observation may be about: each expected act once, and the injects that were told.
export function subjects(d: Pick<DrillOut, "expect" | "injects">) {
  const acts = new Map(d.expect.map((a) => [a.act, tx(a.title) || a.act]));
  return {
    acts: [...acts].map(([value, text]) => ({ value, text })),
    injects: d.injects.filter((i) => i.told).map((i) => ({ value: `inject:${i.n}`, n: i.n, text: tx(i.text) })),
  };
}

// The expected acts of an ended drill that were not judged: those without a line.
export function unjudged(d: Pick<DrillOut, "expect" | "lines" | "unjudged">): string[] {
  const judged = new Set(d.lines.filter((l) => l.kind === "act").map((l) => l.id));
  return d.unjudged ? d.expect.filter((a) => !judged.has(a.after ? `${a.act}#${a.after}` : a.act)).map((a) => tx(a.title) || a.act) : [];
}

// Nobody holds the post, team or queue: it would be missing in the drill.
export const vacant = (roles: { people: unknown[] }[]): number => roles.filter((r) => r.people.length === 0).length;

export function useDrills(year: Ref<number>) {
  const query = useQuery({ queryKey: ["drills", year], queryFn: ({ signal }) => get<Page<DrillOut>>("/drills", { year: year.value }, signal) });
  const coverage = useQuery({ queryKey: ["drill-coverage", year], queryFn: ({ signal }) => get<Page<DrillCoverageOut>>("/drill-coverage", { year: year.value }, signal) });
  return { query, coverage };
}

// One drill follows its own events: an inject told, its end.
export function useDrill(id: Ref<string>) {
  const query = useQuery({ queryKey: ["drill", id], queryFn: ({ signal }) => get<DrillOut>(`/drills/${id.value}`, {}, signal), enabled: computed(() => !!id.value) });
  let due: ReturnType<typeof setTimeout> | undefined;
  onLive((e) => {
    if (e.type !== "drill" || e.data.id !== id.value) return;
    due ??= setTimeout(() => { due = undefined; void query.refetch(); }, 250);
  });
  return query;
}
