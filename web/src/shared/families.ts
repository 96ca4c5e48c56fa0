// Procedures by family, for lists of many: read off what a definition says of itself (that it is a
// plan, and on which law or standard it rests), so that one written tomorrow finds its place.
import type { ProcedureOut, Text } from "@/api/types";
import { isPlan } from "./levels";

export type Family = "plans" | "support" | "service" | "security" | "personal" | "other";
const order: Family[] = ["plans", "support", "service", "security", "personal", "other"];
const rests: [RegExp, Family][] = [[/^ISO-20000/, "service"], [/^ISO-27001/, "security"], [/^(PIPL|NDSR|GBT-35273)/, "personal"], [/^ERL/, "support"], [/^(CSL|GBT-22239)/, "security"]];

export function familyOf(p: Pick<ProcedureOut, "id" | "basis">): Family {
  if (isPlan({ procedure: p.id })) return "plans";
  return rests.find(([law]) => p.basis.some((b) => law.test(b)))?.[1] ?? "other";
}
export function byFamily<T extends Pick<ProcedureOut, "id" | "basis">>(all: T[]): { family: Family; items: T[] }[] {
  return order.map((family) => ({ family, items: all.filter((p) => familyOf(p) === family) })).filter((g) => g.items.length > 0);
}
// Whether every word is in the title of either language, the id or the basis.
export function fitsWords(p: { id: string; title: Text; basis: string[] }, words: string): boolean {
  const all = `${p.title.zh} ${p.title.en} ${p.id} ${p.basis.join(" ")}`.toLowerCase();
  return words.toLowerCase().split(/\s+/).every((w) => all.includes(w));
}
