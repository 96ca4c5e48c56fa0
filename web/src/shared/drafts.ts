// Drafts of forms. They stay in this tab of this machine until sent, signed out or closed.
const PREFIX = "cw.draft.";

export interface Draft { at_ms: number; values: Record<string, unknown> }

export function readDraft(key: string): Draft | null {
  try { return JSON.parse(sessionStorage.getItem(PREFIX + key) ?? "null") as Draft | null; } catch { return null; }
}
export function keepDraft(key: string, values: Record<string, unknown>, at_ms: number): boolean {
  try {
    sessionStorage.setItem(PREFIX + key, JSON.stringify({ at_ms, values }));
    return true;
  } catch { return false; }
}
export function dropDraft(key: string): void {
  try { sessionStorage.removeItem(PREFIX + key); } catch { /* nothing was kept */ }
}
export function dropDrafts(): void {
  try {
    for (const key of Object.keys(sessionStorage)) if (key.startsWith(PREFIX)) sessionStorage.removeItem(key);
  } catch { /* nothing was kept */ }
}
