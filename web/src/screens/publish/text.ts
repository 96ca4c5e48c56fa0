// Texts of definitions as the editor and the comparison need them: places, indenting, what differs.
// Pure. Columns and marks count code points, as the server does.

// The offset of a place that a mistake names, from 1; what lies beyond is the end of its line.
export function offsetOf(text: string, line: number, column: number): number {
  const lines = text.split("\n");
  const at = Math.min(Math.max(1, line), lines.length) - 1;
  const before = lines.slice(0, at).reduce((n, l) => n + l.length + 1, 0);
  return before + [...lines[at]!].slice(0, Math.max(0, column - 1)).join("").length;
}
export const linesOf = (text: string): number => text.split("\n").length;

export interface Edit { text: string; start: number; end: number }
const STEP = "  ";
// Tab: two spaces at the cursor, or every selected line further in. Back: further out.
export function indent(text: string, start: number, end: number, back: boolean): Edit {
  if (start === end && !back) return { text: text.slice(0, start) + STEP + text.slice(end), start: start + STEP.length, end: start + STEP.length };
  const from = text.lastIndexOf("\n", start - 1) + 1;
  const last = end > start && text[end - 1] === "\n" ? end - 1 : end;
  const to = text.indexOf("\n", last) < 0 ? text.length : text.indexOf("\n", last);
  const lines = text.slice(from, to).split("\n");
  const moved = lines.map((l) => (back ? l.replace(/^ {1,2}/, "") : l ? STEP + l : l));
  const by = (i: number): number => moved[i]!.length - lines[i]!.length;
  const all = moved.reduce((n, _, i) => n + by(i), 0);
  return { text: text.slice(0, from) + moved.join("\n") + text.slice(to), start: Math.max(from, start + by(0)), end: Math.max(from, end + all) };
}
// What a new line begins with: the indentation of the one it follows, further in after a colon.
export function newLine(text: string, at: number): string {
  const line = text.slice(text.lastIndexOf("\n", at - 1) + 1, at);
  return "\n" + /^ */.exec(line)![0] + (/:\s*$/.test(line) ? STEP : "");
}

export interface Piece { text: string; differs: boolean }
// A line cut at what differs: [from, to) in code points.
export function pieces(text: string, from: number, to: number): Piece[] {
  const points = [...text];
  return [{ text: points.slice(0, from).join(""), differs: false }, { text: points.slice(from, to).join(""), differs: true }, { text: points.slice(to).join(""), differs: false }]
    .filter((p) => p.text.length > 0);
}
// A text with its version line set: a draft is one more than what is in force.
export const withVersion = (text: string, version: number): string => text.replace(/^version:[ \t]*\d+/m, `version: ${version}`);

export interface Named { old: string; fresh: string }
// The map of a migration from rows of names; an empty new name lets the old one go.
export function mapOf(rows: Record<string, Named[]>): Record<string, Record<string, string | null>> {
  const out: Record<string, Record<string, string | null>> = {};
  for (const [of, names] of Object.entries(rows))
    for (const n of names) if (n.old.trim()) (out[of] ??= {})[n.old.trim()] = n.fresh.trim() || null;
  return out;
}
