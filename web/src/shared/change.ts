// One change at a time, with its receipt; then what depends on it is read anew. What was refused
// stays, and says at which field.
import { useQueryClient } from "@tanstack/vue-query";
import { ref } from "vue";
import { Problem } from "./http";
import { toast } from "./toast";

export function useChange(keys: string[]) {
  const client = useQueryClient();
  const busy = ref(false), error = ref<unknown>(null);
  async function run<T extends { seq?: number }>(what: () => Promise<T>, receipt: string): Promise<T | null> {
    if (busy.value) return null;
    busy.value = true;
    error.value = null;
    try {
      const made = await what();
      if (receipt) toast(receipt, { seq: made.seq });
      await Promise.all(keys.map((k) => client.invalidateQueries({ queryKey: [k] })));
      return made;
    } catch (e) {
      error.value = e;
      return null;
    } finally { busy.value = false; }
  }
  return { busy, error, run };
}

// What a problem says about one field.
export const wrongAt = (error: unknown, pointer: string): string | undefined =>
  (error instanceof Problem ? error.fields.filter((f) => f.pointer === pointer).map((f) => f.message).join(" · ") : "") || undefined;
