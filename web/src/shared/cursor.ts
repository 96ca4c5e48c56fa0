// J and K through a list, Enter to open. The row follows the item when the list changes under it.
import { computed, ref, watch, type ComputedRef, type Ref } from "vue";
import type { Key } from "./keys";

export interface Cursor<T> { at: Ref<number>; item: ComputedRef<T | undefined>; row: (i: number, el: unknown) => void; keys: Key[] }

export function useCursor<T>(rows: Ref<T[]>, open: (item: T) => void, about = "keys.openRow"): Cursor<T> {
  const at = ref(0);
  const els = new Map<number, Element>();
  const item = computed(() => rows.value[at.value]);
  watch(rows, (list) => { if (at.value >= list.length) at.value = Math.max(0, list.length - 1); });
  const move = (by: number) => (): void => {
    at.value = Math.max(0, Math.min(rows.value.length - 1, at.value + by));
    els.get(at.value)?.scrollIntoView({ block: "nearest" });
  };
  return {
    at, item,
    row: (i, el) => { if (el instanceof Element) els.set(i, el); else els.delete(i); },
    keys: [
      { code: "KeyJ", label: "J", about: "keys.down", run: move(1) },
      { code: "KeyK", label: "K", about: "keys.up", run: move(-1) },
      { code: "Enter", label: "Enter", about, run: () => { if (item.value) open(item.value); } },
    ],
  };
}
