// J and K through a list, Enter to open. Its rows are the `.is-link` of the element that `list` is
// given, in their order.
import { computed, ref, shallowRef, watch, type ComputedRef, type Ref, type ShallowRef } from "vue";
import type { Key } from "./keys";

export interface Cursor<T> { at: Ref<number>; item: ComputedRef<T | undefined>; list: ShallowRef<Element | undefined>; keys: Key[] }

export function useCursor<T>(rows: Ref<T[]>, open: (item: T) => void, about = "keys.openRow"): Cursor<T> {
  const at = ref(0);
  const list = shallowRef<Element>();
  const item = computed(() => rows.value[at.value]);
  watch(rows, (now) => { if (at.value >= now.length) at.value = Math.max(0, now.length - 1); });
  const move = (by: number) => (): void => {
    // Enter is the lit row's from here on, not the link's or button's that was used before.
    const el = document.activeElement as HTMLElement | null;
    if (el?.matches("a,button")) el.blur();
    at.value = Math.max(0, Math.min(rows.value.length - 1, at.value + by));
    list.value?.querySelectorAll(".is-link")[at.value]?.scrollIntoView({ block: "nearest" });
  };
  return {
    at, item, list,
    keys: [
      { code: "KeyJ", label: "J", about: "keys.down", run: move(1) },
      { code: "KeyK", label: "K", about: "keys.up", run: move(-1) },
      { code: "Enter", label: "Enter", about, run: () => { if (item.value) open(item.value); } },
    ],
  };
}
