// Values of facts and forms as people read them.
import type { Definition, FactOut, FieldSchema } from "@/api/types";
import { t, tx } from "@/shared/text";
import { number, stamp } from "@/shared/time";

export function plain(value: unknown): string {
  if (value === null || value === undefined || value === "") return "–";
  if (typeof value === "boolean") return t(value ? "form.yes" : "form.no");
  if (typeof value === "number") return number(value);
  if (Array.isArray(value)) return value.map(plain).join(t("form.join"));
  if (typeof value === "object") return Object.values(value).map(plain).join(" · ");
  return String(value);
}
const isTime = (value: unknown): value is string => typeof value === "string" && /^\d{4}-\d\d-\d\dT/.test(value);
const isMs = (value: unknown): value is number => typeof value === "number" && value > 1e12;

export function factText(f: FactOut): string {
  if (f.text) return tx(f.text);
  if (f.type === "time" && isMs(f.value)) return stamp(f.value);
  return isTime(f.value) ? stamp(Date.parse(f.value)) : plain(f.value);
}
// A fact's value in the definition's words, for what an approval would change.
export function wordOf(d: Definition | undefined, name: string, value: unknown): string {
  const word = d?.facts.find((f) => f.id === name)?.values?.find((v) => v.value === value)?.title;
  if (word) return tx(word);
  return isTime(value) ? stamp(Date.parse(value)) : isMs(value) ? stamp(value) : plain(value);
}
export function fieldText(schema: FieldSchema | undefined, value: unknown): string {
  const word = typeof value === "string" ? schema?.["x-callwarden"]?.words?.[value] : undefined;
  if (word) return tx(word);
  if (Array.isArray(value) && schema?.items) return value.map((v) => fieldText(schema.items, v)).join(t("form.join"));
  return isTime(value) ? stamp(Date.parse(value)) : plain(value);
}
// A condition as people read it: facts and their values by their words, operators as they are.
export function conditionText(d: Definition | undefined, source: string): string {
  const words = new Map(d?.facts.flatMap((f) => (f.values ?? []).map((v) => [v.value, tx(v.title)] as const)));
  const facts = new Map(d?.facts.map((f) => [f.id, tx(f.title)]));
  const fields = new Map(Object.values(d?.forms ?? {}).flatMap((f) => Object.entries(f.properties ?? {}).map(([k, s]) => [k, tx(s.title)] as const)));
  const nameOf = (id: string): string => { const own = id.replace(/^form\./, ""); return facts.get(own) ?? fields.get(own) ?? own; };
  const tasks = new Map(d?.states.flatMap((s) => s.tasks.map((x) => [x.id, tx(x.title)] as const)));
  return source.replace(/(!?)(?:\b(tasks|children)((?:\.[\w-]+)?)\.done\b|has\(([\w.]+)\))|'([^']*)'|"([^"]*)"|[A-Za-z_][\w.]*/g, (all, no: string | undefined, of?: string, name?: string, has?: string, a?: string, b?: string) => {
    if (of === "children") return t(no ? "form.childrenOpen" : "form.childrenDone");
    if (of) return name ? t(no ? "form.taskOpen" : "form.taskDone", { task: tasks.get(name.slice(1)) ?? name.slice(1) }) : t(no ? "form.tasksOpen" : "form.tasksDone");
    if (has) return t(no ? "form.hasNot" : "form.has", { fact: nameOf(has) });
    const value = a ?? b;
    if (value !== undefined) return words.get(value) ?? value;
    return all.startsWith("form.") ? t("form.ofForm", { fact: nameOf(all) }) : nameOf(all);
  }).replace(/\[([^\]]*)\]/g, (_, inner: string) => inner.split(",").map((x) => x.trim()).join(" / "))
    .replace(/\s+in\s+/g, t("form.in")).replace(/\s*==\s*/g, t("form.in")).replace(/\s*!=\s*/g, t("form.isNot")).replace(/!(?=\S)(?!=)/g, t("form.not")).replace(/\s*&&\s*/g, t("form.and")).replace(/\s*\|\|\s*/g, t("form.or"));
}
