// A playbook's report put in order, and its draft as files to keep. Pure.
import type { PlaybookDraft } from "@/api/types";
import { tar } from "@/shared/tar";

export const PLAYBOOK_MAX = 8 * 1024 * 1024;
export type NoteKind = "check" | "lost" | "mapped";
export type Note = PlaybookDraft["notes"][number];

// What must be looked at first, then what is gone, then what was said in another way.
const order: NoteKind[] = ["check", "lost", "mapped"];
export function byKind(notes: Note[]): { kind: NoteKind; notes: Note[] }[] {
  return order.map((kind) => ({ kind, notes: notes.filter((n) => n.kind === kind) }));
}
// The draft as a folder that `callwarden procedure check` takes.
export function bundle(draft: PlaybookDraft, now_ms: number): { name: string; parts: Uint8Array[] } {
  const utf8 = new TextEncoder();
  return { name: `${draft.procedure}.tar`, parts: tar(draft.files.map((f) => ({ path: f.path, bytes: utf8.encode(f.text) })), now_ms) };
}
