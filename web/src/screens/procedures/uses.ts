// Where a procedure asks for which form. Pure.
import type { Definition, Text } from "@/api/types";

// The tasks and actions that ask for it, each name once.
export function uses(d: Definition, form: string): Text[] {
  const out: Text[] = [];
  for (const s of d.states) for (const x of [...s.tasks, ...s.actions]) if (x.form === form && !out.some((o) => o.zh === x.title.zh)) out.push(x.title);
  return out;
}
// Every form in the order in which a case meets it.
export function formsOf(d: Definition): string[] {
  const met = [d.start.form, ...d.states.flatMap((s) => [...s.tasks, ...s.actions].map((x) => x.form))].filter((x): x is string => !!x);
  return [...new Set([...met, ...Object.keys(d.forms)])].filter((id) => d.forms[id]);
}
