// Receipts: success only. What failed stays where it happened.
import { ref } from "vue";

export interface Toast { id: number; text: string; seq?: number; link?: { to: string; text: string } }
export const toasts = ref<Toast[]>([]);
let next = 0;
const timers = new Map<number, ReturnType<typeof setTimeout>>();

export function toast(text: string, more: Omit<Toast, "id" | "text"> = {}): void {
  const one = { id: ++next, text, ...more };
  toasts.value = [...toasts.value.slice(-2), one];
  resume(one.id);
}
export function hold(id: number): void {
  clearTimeout(timers.get(id));
}
export function resume(id: number): void {
  hold(id);
  timers.set(id, setTimeout(() => { toasts.value = toasts.value.filter((x) => x.id !== id); }, 6000));
}
