// Languages: messages of the console, and texts of the server that come in both.
import { createI18n } from "vue-i18n";
import type { Text } from "@/api/types";

export type Lang = "zh" | "en";
const KEY = "cw.lang";

export const i18n = createI18n({
  legacy: false, locale: "zh", fallbackLocale: false, missingWarn: import.meta.env.DEV, fallbackWarn: false,
});
export const t = i18n.global.t as (key: string, named?: Record<string, unknown>) => string;

export const lang = (): Lang => i18n.global.locale.value as Lang;

// The language asked for before, or the browser's.
export function firstLang(): Lang {
  const kept = read(KEY);
  if (kept === "zh" || kept === "en") return kept;
  return navigator.language.toLowerCase().startsWith("zh") ? "zh" : "en";
}

// Words of one area of the console (locales/AREA), loaded with the first screen that needs them, so
// that the shell carries only its own.
type Words = Record<Lang, () => Promise<{ default: object }>>;
const areas: Words[] = [];
export async function addWords(words: Words): Promise<void> {
  areas.push(words);
  i18n.global.mergeLocaleMessage(lang(), (await words[lang()]()).default);
}

export async function setLang(to: Lang): Promise<void> {
  const messages = to === "zh" ? await import("@/locales/zh.json") : await import("@/locales/en.json");
  i18n.global.setLocaleMessage(to, messages.default);
  for (const words of areas) i18n.global.mergeLocaleMessage(to, (await words[to]()).default);
  (i18n.global.locale as { value: string }).value = to;
  document.documentElement.lang = to === "zh" ? "zh-CN" : "en";
  keep(KEY, to);
}

// A text of the server in the reader's language.
export function tx(text: Text | null | undefined): string {
  return text ? text[lang()] || text.zh : "";
}

// Parts joined as each language joins them.
export const list = (parts: string[]): string => parts.filter(Boolean).join(lang() === "zh" ? "、" : ", ");

export function read(key: string): string | null {
  try { return localStorage.getItem(key); } catch { return null; }
}
export function keep(key: string, value: string): void {
  try { localStorage.setItem(key, value); } catch { /* a private window forgets */ }
}

// Calendars that come with the product have a name; others are shown by their id.
export const calendarName = (id: string): string => (i18n.global.te(`calendar.${id}`) ? t(`calendar.${id}`) : id);

// The line that names a case: the first of its title, else its procedure.
export const headline = (c: { title: string; procedure_title: Text }): string => c.title.split("\n", 1)[0]!.trim() || tx(c.procedure_title);
