// Forms from JSON Schema: what to draw, what was entered, what is wrong with it. Pure.
// Inputs hold text as typed; `collect` turns it into what the server takes.
import type { FieldSchema, FieldWrong, FormSchema, Text } from "@/api/types";
import { fromInput, toInput } from "./time";

export type Kind = "check" | "integer" | "datetime" | "date" | "choice" | "reference" | "text" | "long" | "rows" | "lines";
export interface Field {
  name: string; pointer: string; kind: Kind; title: Text; help?: Text; required: boolean;
  choices: { value: string; title: Text }[]; ref: string; fact: boolean; personal: boolean; phone: boolean; wide: boolean;
  schema: FieldSchema; fields: Field[];
}
export type Values = Record<string, unknown>;
export interface Wrong { pointer: string; title: Text; key: string; named: Record<string, unknown> }

const RADIO_MAX = 5;
const same = (s: string): Text => ({ zh: s, en: s });

function kindOf(s: FieldSchema): Kind {
  const hints = s["x-callwarden"];
  if (s.type === "boolean") return "check";
  if (s.type === "integer") return "integer";
  if (s.type === "array") return s.items?.type === "object" ? "rows" : "lines";
  if (s.enum) return "choice";
  if (s.format === "date-time") return "datetime";
  if (s.format === "date") return "date";
  if (hints?.ref) return "reference";
  return hints?.widget === "textarea" ? "long" : "text";
}

export function fieldsOf(schema: FieldSchema, at = "", facts: string[] = []): Field[] {
  const required = new Set(schema.required ?? []);
  return Object.entries(schema.properties ?? {}).map(([name, s]) => {
    const hints = s["x-callwarden"] ?? {};
    const kind = kindOf(s);
    const items = s.items ?? ({ type: "string" } as FieldSchema);
    return {
      name, kind, pointer: `${at}/${name}`, title: s.title ?? same(name), help: s.description, required: required.has(name),
      choices: (s.enum ?? items.enum ?? []).map((value) => ({ value, title: (hints.words ?? items["x-callwarden"]?.words)?.[value] ?? same(value) })),
      ref: hints.ref ?? items["x-callwarden"]?.ref ?? "", fact: facts.includes(name), personal: hints.personal ?? false,
      phone: hints.widget === "phone", schema: s,
      wide: kind === "long" || kind === "rows" || kind === "lines" || (kind === "choice" && hints.widget === "radio" && (s.enum?.length ?? 0) > 3),
      fields: kind === "rows" ? fieldsOf(items, `${at}/${name}/*`) : [],
    };
  });
}
export const formFields = (schema: FormSchema): Field[] => fieldsOf(schema, "", schema["x-facts"] ?? []);
export const isRadio = (f: Field): boolean =>
  f.kind === "choice" && f.choices.length <= RADIO_MAX && (f.schema["x-callwarden"]?.widget === "radio" || f.choices.length <= 3);

// What an input begins with: the given value, the default, or nothing.
export function emptyValues(fields: Field[], given: Values = {}): Values {
  return Object.fromEntries(fields.map((f) => [f.name, toEntry(f, given[f.name] ?? f.schema.default)]));
}
function toEntry(f: Field, v: unknown): unknown {
  switch (f.kind) {
    case "check": return v === true;
    case "rows": return Array.isArray(v) ? v.map((row) => emptyValues(f.fields, row as Values)) : f.required ? [emptyValues(f.fields)] : [];
    case "lines": return f.choices.length ? (Array.isArray(v) ? v.map(String) : []) : Array.isArray(v) ? v.map(String).join("\n") : "";
    case "datetime": return typeof v === "string" ? toInput(v) : "";
    default: return v === undefined || v === null ? "" : String(v);
  }
}

// The fields that are required now: always, or because of what another field says.
export function requiredNow(schema: FormSchema, values: Values): Set<string> {
  const out = new Set(schema.required ?? []);
  for (const rule of schema.allOf ?? []) {
    const holds = Object.entries(rule.if.properties).every(([name, test]) => test.enum.some((v) => v === values[name] || String(v) === values[name]));
    if (holds) for (const name of rule.then.required) out.add(name);
  }
  return out;
}

export function collect(fields: Field[], entered: Values, required: Set<string>, at = ""): { values: Values; wrong: Wrong[] } {
  const values: Values = {};
  const wrong: Wrong[] = [];
  for (const f of fields) {
    const pointer = `${at}/${f.name}`;
    const say = (key: string, named: Record<string, unknown> = {}) => wrong.push({ pointer, title: f.title, key, named });
    const v = take(f, entered[f.name], pointer, say, wrong);
    const empty = v === undefined || v === "" || (Array.isArray(v) && v.length === 0);
    if (empty && required.has(f.name) && !wrong.some((w) => w.pointer === pointer)) say(f.kind === "choice" || f.kind === "reference" ? "form.wrong.choose" : "form.wrong.required");
    if (!empty) values[f.name] = v;
  }
  return { values, wrong };
}

type Say = (key: string, named?: Record<string, unknown>) => void;
function take(f: Field, entry: unknown, pointer: string, say: Say, wrong: Wrong[]): unknown {
  if (f.kind === "check") return entry === true;
  if (f.kind === "rows") return takeRows(f, entry, pointer, say, wrong);
  const s = f.schema;
  if (f.kind === "lines") {
    const lines = Array.isArray(entry) ? (entry as unknown[]).map(String) : String(entry ?? "").split("\n").map((x) => x.trim()).filter(Boolean);
    checkCount(lines.length, s, say);
    if (s.items?.type !== "integer") return lines;
    if (!lines.every((x) => /^-?\d+$/.test(x))) say("form.wrong.integer");
    return lines.map(Number);
  }
  const text = String(entry ?? "").trim();
  if (text === "") return undefined;
  if (f.kind === "integer") return takeInteger(text, s, say);
  if (f.kind === "datetime") {
    const time = fromInput(text);
    if (!time) say("form.wrong.time");
    return time;
  }
  const length = [...text].length;
  if (s.minLength && length < s.minLength) say("form.wrong.short", { n: s.minLength });
  if (s.maxLength && length > s.maxLength) say("form.wrong.long", { n: s.maxLength, over: length - s.maxLength });
  return text;
}
function takeInteger(text: string, s: FieldSchema, say: Say): number | undefined {
  const plain = text.replace(/[,，\s_]/g, "");
  if (!/^-?\d{1,15}$/.test(plain)) { say("form.wrong.integer"); return undefined; }
  const n = Number(plain);
  if (s.minimum !== undefined && n < s.minimum) say("form.wrong.least", { n: s.minimum });
  if (s.maximum !== undefined && n > s.maximum) say("form.wrong.most", { n: s.maximum });
  return n;
}
function checkCount(n: number, s: FieldSchema, say: Say): void {
  if (s.minItems && n > 0 && n < s.minItems) say("form.wrong.fewItems", { n: s.minItems });
  if (s.maxItems && n > s.maxItems) say("form.wrong.manyItems", { n: s.maxItems });
}
function takeRows(f: Field, entry: unknown, pointer: string, say: Say, wrong: Wrong[]): Values[] {
  const rows = (Array.isArray(entry) ? entry : []) as Values[];
  const required = new Set(f.schema.items?.required ?? []);
  const out: Values[] = [];
  rows.forEach((row, i) => {
    const got = collect(f.fields, row, required, `${pointer}/${i}`);
    wrong.push(...got.wrong);
    out.push(got.values);
  });
  checkCount(out.length, f.schema, say);
  return out;
}

// The server's pointers begin at the body ("/form/severity"); ours at the form ("/severity").
export const ownPointer = (w: FieldWrong): string => w.pointer.replace(/^\/form(?=\/)/, "");

// An id that a label, an input and an error's link share.
export const idOf = (prefix: string, pointer: string): string => prefix + pointer.replace(/\//g, "-");

// A first guess at a form from what is known: the alert's or the parent's title, time and story.
export interface Known { title?: string; at_ms?: number; story?: string; source?: string }
export function prefill(fields: Field[], known: Known): Values {
  const out: Values = {};
  const zone = (ms: number) => new Date(ms).toISOString();
  for (const f of fields) {
    if (f.kind === "datetime" && /^(discovered|detected|found|occurred)/.test(f.name) && known.at_ms) out[f.name] = zone(known.at_ms);
    if ((f.kind === "text" || f.kind === "long") && /^(title|subject)$/.test(f.name) && known.title) out[f.name] = clip(known.title, f);
    if ((f.kind === "text" || f.kind === "long") && /^(summary|what|description|course)$/.test(f.name)) {
      const story = known.story || known.title;
      if (story) out[f.name] = clip(story, f);
    }
    if (f.kind === "choice" && f.name === "source" && known.source && f.schema.enum?.includes(known.source)) out[f.name] = known.source;
  }
  return out;
}
const clip = (s: string, f: Field): string => [...s].slice(0, f.schema.maxLength ?? 2000).join("");
