// Views of the list: an address, a name, a count. Saved ones stay in this browser.
import { ref } from "vue";
import type { CaseBrief, Page } from "@/api/types";
import { get, type Query } from "@/shared/http";
import { keep, read } from "@/shared/text";
import { serverNow } from "@/shared/time";

export interface View { name: string; query: Record<string, string>; builtin?: boolean }
const KEY = "cw.views";
const VIEWS_MAX = 8;

export const builtIn = (): View[] => [
  { name: "inc.view.open", query: {}, builtin: true },
  { name: "inc.view.plans", query: { view: "plans" }, builtin: true },
  { name: "inc.view.mine", query: { view: "mine" }, builtin: true },
  { name: "inc.view.closed", query: { view: "closed" }, builtin: true },
  { name: "inc.view.drills", query: { view: "drills" }, builtin: true },
];

// From the address to the API's parameters.
export function paramsOf(q: Record<string, string>): Query {
  const view: Query = {
    plans: { open: true, prefix: "plan." }, mine: { open: true, starter: "me" }, closed: { open: false }, drills: { mode: "drill" },
  }[q.view ?? ""] ?? { open: true };
  return {
    ...view, procedure: q.procedure, state: q.state, level: q.level, flag: q.flag, q: q.q,
    due_before: q.late === "1" ? Math.floor(serverNow() / 60_000) * 60_000 : undefined, sort: q.sort || "-updated", limit: 50,
  };
}
export const sameQuery = (a: Record<string, string>, b: Record<string, string>): boolean =>
  JSON.stringify(Object.entries(a).filter(([, v]) => v).sort()) === JSON.stringify(Object.entries(b).filter(([, v]) => v).sort());

function load(): View[] {
  try { return (JSON.parse(read(KEY) ?? "[]") as View[]).filter((v) => typeof v.name === "string" && v.query).slice(0, VIEWS_MAX); } catch { return []; }
}
export const saved = ref<View[]>(load());
const store = (): void => keep(KEY, JSON.stringify(saved.value));
export function saveView(name: string, query: Record<string, string>): void {
  saved.value = [...saved.value.filter((v) => v.name !== name), { name, query: { ...query } }].slice(-VIEWS_MAX);
  store();
}
export function dropView(query: Record<string, string>): void {
  saved.value = saved.value.filter((v) => !sameQuery(v.query, query));
  store();
}
export async function countOf(query: Record<string, string>): Promise<number | null> {
  const page = await get<Page<CaseBrief>>("/cases", { ...paramsOf(query), limit: 1 });
  return page.total ?? null;
}
