// A definition's parts in the reader's language: names instead of ids, limits and moments in words.
import type { ActionDef, ClockDef, Definition, LimitOut, RegulationOut, TaskDef } from "@/api/types";
import { list, t, tx } from "@/shared/text";
import { limitWords } from "@/shared/time";
import { conditionText } from "@/screens/record/values";

export interface Reading {
  role(id: string): string; roles(ids?: string[]): string;
  state(id: string): string; task(id: string): string; action(id: string): string; clock(id: string): string;
  fact(id: string): string; word(fact: string, value: unknown): string; form(id: string | null): string; flag(id: string): string;
  limit(l: LimitOut): string; moment(m?: string | null): string; condition(source: string): string;
  who(x: TaskDef | ActionDef): string;
}

// A value's word without what explains it: 「Ⅲ 级（值班处置）：冒烟」 → 「Ⅲ 级」.
export const short = (word: string): string => word.split(/[（(：:]/)[0]!.trim() || word;

const named = (all: { id: string; title: { zh: string; en: string } }[], id: string): string => tx(all.find((x) => x.id === id)?.title) || id;

export function reading(d: Definition): Reading {
  const tasks = d.states.flatMap((s) => s.tasks), actions = d.states.flatMap((s) => s.actions);
  const role = (id: string): string => named(d.roles, id);
  const roles = (ids?: string[]): string => list((ids ?? []).map(role));
  const word = (fact: string, value: unknown): string => tx(d.facts.find((f) => f.id === fact)?.values?.find((v) => v.value === value)?.title) || String(value);
  const moments: Record<string, (id: string) => string> = {
    task: (id) => t("lib.moment.task", { task: named(tasks, id) }),
    action: (id) => t("lib.moment.action", { action: named(actions, id) }),
    state: (id) => t("lib.moment.state", { state: named(d.states, id) }),
  };
  return {
    role, roles, word,
    state: (id) => named(d.states, id), task: (id) => named(tasks, id), action: (id) => named(actions, id), clock: (id) => named(d.clocks, id.replace(/^clock\./, "")),
    fact: (id) => named(d.facts, id), flag: (id) => named(d.flags, id),
    form: (id) => (id ? tx(d.forms[id]?.title) || id : ""),
    limit(l) {
      if (!l) return "";
      if (typeof l === "string") return limitWords(l);
      const spans = Object.values(l.table);
      return new Set(spans).size === 1 ? limitWords(spans[0]!) : list(Object.entries(l.table).map(([v, span]) => `${short(word(l.key, v))} ${limitWords(span)}`));
    },
    moment(m) {
      if (!m) return t("lib.moment.end");
      if (m === "start") return t("lib.moment.start");
      const [kind, ...id] = m.split(".");
      return moments[kind!]?.(id.join(".")) ?? named(d.facts, m);
    },
    condition: (source) => conditionText(d, source),
    // Who does it: roles and the second person; or the machine, and when.
    who(x) {
      if ("auto" in x && x.auto) return `${t("lib.auto")} · ${conditionText(d, x.auto)}`;
      if ("upon" in x && x.upon) return t("lib.upon", { clock: named(d.clocks, x.upon.replace(/^clock\./, "")) });
      const by = roles(x.by), second = x.approve ? t("lib.approve", { by: roles(x.approve.by) }) : "";
      const when = "when" in x ? x.when : undefined;
      return [by, second, when && conditionText(d, when)].filter(Boolean).join(" · ");
    },
  };
}

// What a share of a limit comes to; nothing where workdays or odd minutes make it no plain length.
export function part(span: string, percent: number): string {
  const m = /^(\d+)(m|h|d)$/.exec(span);
  if (!m) return "";
  const minutes = (Number(m[1]) * { m: 1, h: 60, d: 1440 }[m[2] as "m" | "h" | "d"] * percent) / 100;
  if (!Number.isInteger(minutes)) return "";
  const d = m[2] === "d" ? Math.floor(minutes / 1440) : 0, h = Math.floor((minutes - d * 1440) / 60), rest = minutes % 60;
  return [d && `${d}d`, h && `${h}h`, rest && `${rest}m`].filter(Boolean).map((x) => limitWords(x as string)).join(" ");
}

// Where a clock counts, state by state in the definition's order: what a reader must know is where it
// begins, where it ends, and where it stands still.
export type Cover = "" | "from" | "run" | "stop" | "both";
export function cover(d: Definition, clock: ClockDef): Cover[] {
  if (clock.kind === "running") return d.states.map((s) => (clock.run?.includes(s.id) ? "run" : ""));
  const place = (m: string | null | undefined): number => {
    if (!m) return -1;
    const [kind, ...rest] = m.split("."), id = rest.join(".");
    if (kind === "state") return d.states.findIndex((s) => s.id === id);
    if (kind === "task") return d.states.findIndex((s) => s.tasks.some((x) => x.id === id));
    if (kind === "action") return d.states.findIndex((s) => s.actions.some((x) => x.id === id));
    return -1;
  };
  const begins = Math.max(0, place(clock.from));
  const stops = place(clock.stop);
  const last = clock.stop === "start" ? begins : stops < 0 ? d.states.length - 1 : stops;
  return d.states.map((s, i) => {
    if (i < begins || i > last || (s.final && i !== last)) return "";
    if (i === begins && i === last) return "both";
    return i === begins ? "from" : i === last ? "stop" : "run";
  });
}

// The law that a clock's limit comes from: the one it names, or one of the procedure's basis whose
// numbers it repeats.
export function sourceOf(d: Definition, clock: ClockDef): RegulationOut | undefined {
  const known = d.regulations ?? {};
  if (clock.regulation) return known[clock.regulation];
  const own = clock.limit && typeof clock.limit === "object" ? clock.limit.table : null;
  if (!own) return undefined;
  return Object.values(known).find((r) => {
    const within = r.editions[r.editions.length - 1]?.within ?? {};
    const values = Object.keys(within);
    return values.length === Object.keys(own).length && values.every((v) => own[v] === within[v]);
  });
}

// How long a closed case is kept: whole years where the file said years.
export function kept(days: number): string {
  const years = Math.floor(days / 365);  // a year is kept as 366 days
  return years > 0 && days - years * 365 <= years ? t("lib.years", { n: years }) : t("time.days", { n: days });
}

// How often a schedule opens the procedure: "3mo" → 每 3 个月.
export function every(span: string): string {
  const m = /^(\d+)(d|wd|w|mo|y)$/.exec(span);
  return m ? t(`lib.every.${m[2]}`, { n: Number(m[1]) }) : span;
}
