// Keys. Matched by event.code, so that no keyboard layout or input method moves them, and ignored
// while an input method composes.
import { onScopeDispose, shallowReactive, type MaybeRefOrGetter, toValue } from "vue";

export interface Key {
  code: string;                 // "KeyJ", "Enter", "Slash+Shift", "KeyK+Ctrl"
  label: string;                // what the help shows
  about: string;                // key of a message
  run: (event: KeyboardEvent) => void;
  when?: MaybeRefOrGetter<boolean>;
  anywhere?: boolean;           // also while typing in a field, or in a dialog
}

export const active = shallowReactive<{ keys: Key[] }>({ keys: [] });

export function spell(event: KeyboardEvent): string {
  let out = event.code === "NumpadEnter" ? "Enter" : event.code;
  if (event.shiftKey) out += "+Shift";
  if (event.altKey) out += "+Alt";
  if (event.ctrlKey || event.metaKey) out += "+Ctrl";
  return out;
}

// Whether a key belongs to an input method. keyCode 229: Chrome marks so what one swallows, even
// outside composition events.
export const composing = (event: KeyboardEvent): boolean => event.isComposing || event.keyCode === 229;

// Ctrl+Enter (⌘ Enter) sends a form from any of its fields.
export const sendKey = (send: () => void) => (event: KeyboardEvent): void => {
  if (!/^(Numpad)?Enter$/.test(event.code) || !(event.ctrlKey || event.metaKey) || composing(event)) return;
  event.preventDefault();
  send();
};

let prefix = "", prefixAt = 0;  // "KeyG" waits a second for what follows

function typing(target: EventTarget | null): boolean {
  const el = target as HTMLElement | null;
  if (!el?.tagName) return false;
  if (el.isContentEditable || el.tagName === "TEXTAREA" || el.tagName === "SELECT") return true;
  return el.tagName === "INPUT" && !["checkbox", "radio", "button", "submit", "file"].includes((el as HTMLInputElement).type);
}

export function handle(event: KeyboardEvent): boolean {
  if (composing(event) || event.defaultPrevented) return false;
  const code = spell(event);
  const inDialog = document.querySelector("[role=dialog],[role=menu],[role=listbox][data-state=open]") !== null;
  const inField = typing(event.target);
  // Enter and Space belong to what has focus.
  const el = event.target as HTMLElement | null;
  if (code === "Enter" && el?.closest?.("a,button,summary,[role=option],[role=menuitem]")) return false;
  const two = prefix && Date.now() - prefixAt < 1000 ? `${prefix} ${code}` : "";
  prefix = "";
  for (let i = active.keys.length - 1; i >= 0; --i) {
    const key = active.keys[i]!;
    if ((key.code !== code && key.code !== two) || (key.code === code && two && active.keys.some((k) => k.code === two)) || (!key.anywhere && (inDialog || inField))) continue;
    if (key.when !== undefined && !toValue(key.when)) continue;
    event.preventDefault();
    key.run(event);
    return true;
  }
  if (!inDialog && !inField && active.keys.some((k) => k.code.startsWith(`${code} `))) {
    prefix = code;
    prefixAt = Date.now();
  }
  return false;
}

// While the component lives. A screen's keys come before the shell's.
export function useKeys(keys: Key[]): void {
  active.keys = [...active.keys, ...keys];
  onScopeDispose(() => { active.keys = active.keys.filter((k) => !keys.includes(k)); });
}
