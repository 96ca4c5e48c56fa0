// What the screens of publishing share: their words, one revision that follows its own events, steps.
import { useQuery, useQueryClient } from "@tanstack/vue-query";
import { onScopeDispose, ref, type Ref } from "vue";
import type { RevisionOut, RevisionPhase, TextOut } from "@/api/types";
import { get, post } from "@/shared/http";
import { onLive } from "@/shared/live";
import { addWords, t } from "@/shared/text";
import { toast } from "@/shared/toast";

await addWords({ zh: () => import("@/locales/publish/zh.json"), en: () => import("@/locales/publish/en.json") });

export const toneOf = (phase: RevisionPhase): string =>
  ({ draft: "", in_review: "is-run", reviewed: "is-run", approved: "is-run", effective: "is-done", withdrawn: "is-none" })[phase];

// One revision follows its own events at once.
export function useRevision(id: Ref<string>) {
  const query = useQuery({ queryKey: ["revision", id], queryFn: ({ signal }) => get<RevisionOut>(`/revisions/${id.value}`, {}, signal) });
  let due: ReturnType<typeof setTimeout> | undefined;
  onLive((e) => {
    if (e.type !== "revision" || e.data.id !== id.value || (e.data.seq ?? 0) <= (query.data.value?.revision.seq ?? -1)) return;
    due ??= setTimeout(() => { due = undefined; void query.refetch(); }, 250);
  });
  onScopeDispose(() => clearTimeout(due));
  return query;
}
export const textAt = (kind: string, id: string, at: string): Promise<TextOut> => get<TextOut>(`/definitions/${kind}/${id}/text`, { at });

// One step at a time; what failed stays where it happened, and what depends on it is read anew.
export function useSteps() {
  const client = useQueryClient();
  const busy = ref(""), error = ref<unknown>(null);
  async function run<T extends { seq?: number }>(name: string, path: string, body: unknown, seq?: number): Promise<T | null> {
    if (busy.value) return null;
    busy.value = name;
    error.value = null;
    try {
      const did = await post<T>(path, body, seq === undefined ? {} : { seq });
      toast(t(`publish.did.${name}`), { seq: did.seq });
      return did;
    } catch (e) {
      error.value = e;
      return null;
    } finally {
      busy.value = "";
      await Promise.all(["revision", "revisions", "definitions", "history", "procedures", "diff"].map((k) => client.invalidateQueries({ queryKey: [k] })));
    }
  }
  return { busy, error, run };
}
