// What a part of a definition said before and says now, in words where the difference gives a value
// as JSON: limits, titles, lists of names. What is none of these stands as it came.
import { lang, list, t } from "@/shared/text";
import { limitWords } from "@/shared/time";

type Members = Record<string, unknown>;
const isObject = (v: unknown): v is Members => typeof v === "object" && v !== null && !Array.isArray(v);
const areWords = (all: unknown[]): all is string[] => all.every((v) => typeof v === "string");

// One limit for all, or one for each value of a fact: 「P1：15 分钟 · P2：1 小时」.
function limit(v: unknown): string {
  if (typeof v === "string") return limitWords(v);
  if (!isObject(v) || !isObject(v.table) || !areWords(Object.values(v.table))) return "";
  return Object.entries(v.table as Record<string, string>).map(([value, span]) => t("publish.limitOf", { value, limit: limitWords(span) })).join(" · ");
}

export function memberWords(name: string, said: string): string {
  let v: unknown = said;
  if (/^[[{]/.test(said)) try { v = JSON.parse(said); } catch { return said; }  // cut where it was too long
  if (name === "limit") return limit(v) || said;
  if (Array.isArray(v) && v.length && areWords(v)) return list(v);
  if (isObject(v) && typeof v.zh === "string" && typeof v.en === "string") return String(v[lang()] || v.zh);
  return said;
}
