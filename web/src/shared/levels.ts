// The four levels, never one "severity": 预警, 事件分级, 响应, 检测. Bars 1–4 count upwards.
import type { AlertBrief, CaseBrief } from "@/api/types";

export type LevelKind = "warn" | "grade" | "resp" | "det";
export interface Level { kind: LevelKind; bars: 1 | 2 | 3 | 4; word: string }

const table: Record<LevelKind, Record<string, 1 | 2 | 3 | 4>> = {
  warn: { blue: 1, yellow: 2, orange: 3, red: 4 },
  grade: { general: 1, larger: 2, major: 3, extreme: 4 },
  resp: { IV: 1, III: 2, II: 3, I: 4 },
  det: { info: 1, informational: 1, low: 1, medium: 2, high: 3, critical: 4 },
};

export function level(kind: LevelKind, value: unknown): Level | null {
  const bars = typeof value === "string" ? table[kind][value] : undefined;
  return bars ? { kind, bars, word: `level.${kind}.${value as string}` } : null;
}
// What a case shows of itself: 响应 from its severity, 事件分级 from its grade, 预警 from its warning.
export function levelsOf(facts: Record<string, unknown>): Level[] {
  return [level("resp", facts.severity), level("grade", facts.grade), level("warn", facts.warning)].filter((l) => l !== null);
}
export const detection = (alert: Pick<AlertBrief, "level">): Level | null => level("det", alert.level);

// How a state is drawn: done, under way, or not begun.
export function stateTone(c: Pick<CaseBrief, "final">, first = false): string {
  return c.final ? "is-done" : first ? "" : "is-run";
}
export const isPlan = (c: { procedure: string }): boolean => c.procedure.startsWith("plan.");
