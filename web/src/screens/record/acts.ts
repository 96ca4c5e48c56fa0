// What can be done to one case, with the record renewed afterwards.
import { useQuery, useQueryClient } from "@tanstack/vue-query";
import { computed, ref, watch, type ComputedRef, type Ref } from "vue";
import type { ActionOut, CaseRecord, Definition, Did, FormSchema, PrefillOut, TaskOut } from "@/api/types";
import { get, post, Problem, type Options } from "@/shared/http";
import { onLive } from "@/shared/live";
import { t, tx } from "@/shared/text";
import { toast } from "@/shared/toast";

export function useRecord(id: Ref<string>) {
  const query = useQuery({ queryKey: ["case", id], queryFn: ({ signal }) => get<CaseRecord>(`/cases/${id.value}`, {}, signal) });
  // One record follows its own events at once; forms being filled in keep what was entered.
  let due: ReturnType<typeof setTimeout> | undefined;
  onLive((e) => {
    const known = query.data.value?.brief;
    if (e.type !== "case" || (e.data.id !== id.value && e.data.id !== known?.id)) return;
    if ((e.data.seq ?? 0) <= (known?.seq ?? -1)) return;
    due ??= setTimeout(() => { due = undefined; void query.refetch(); }, 250);
  });
  return query;
}
export type Doing =
  | { kind: "action"; item: ActionOut }
  | { kind: "task"; item: TaskOut };

export function useForm(procedure: ComputedRef<string>, form: ComputedRef<string | undefined>) {
  return useQuery({
    queryKey: ["form", procedure, form],
    queryFn: () => get<FormSchema>(`/procedures/${procedure.value}/forms/${form.value}`),
    enabled: computed(() => !!form.value && !!procedure.value),
    staleTime: Infinity,
  });
}
// What the case already knows of the form, asked once when it is opened.
export function usePrefill(id: ComputedRef<string>, name: ComputedRef<string>, form: ComputedRef<string | undefined>) {
  return useQuery({
    queryKey: ["prefill", id, name],
    queryFn: () => get<PrefillOut>(`/cases/${id.value}/prefill/${name.value}`),
    enabled: computed(() => !!form.value), staleTime: Infinity, gcTime: 0, retry: false,
  });
}
export function useDefinition(procedure: ComputedRef<string>) {
  return useQuery({
    queryKey: ["definition", procedure],
    queryFn: () => get<Definition>(`/procedures/${procedure.value}`),
    enabled: computed(() => !!procedure.value), staleTime: Infinity,
  });
}

// One act under way at a time; what failed stays where it happened.
export function useAct(record: ComputedRef<CaseRecord | undefined>) {
  const client = useQueryClient();
  const busy = ref("");
  const error = ref<unknown>(null);
  async function run(name: string, path: string, body: unknown, receipt: string, o: Options & { then?: () => void } = {}): Promise<Did | null> {
    const r = record.value;
    if (!r || busy.value) return null;
    busy.value = name;
    error.value = null;
    try {
      const did = await post<Did>(`/cases/${r.brief.id}${path}`, body, o);
      toast(did.approval ? t("record.askedApproval") : receipt, { seq: did.seq });
      o.then?.();  // before the record is read anew: what was done may no longer be on the screen
      return did;
    } catch (e) {
      error.value = e;
      return null;
    } finally {
      busy.value = "";
      await Promise.all([
        client.invalidateQueries({ queryKey: ["case", r.brief.id] }),
        client.invalidateQueries({ queryKey: ["case", r.brief.number] }),
        client.invalidateQueries({ queryKey: ["timeline", r.brief.id] }),
        client.invalidateQueries({ queryKey: ["cases"] }),
        client.invalidateQueries({ queryKey: ["workbench"] }),
      ]);
    }
  }
  watch(() => record.value?.brief.id, () => { error.value = null; });
  return { busy, error, run };
}
export const stale = (e: unknown): boolean => e instanceof Problem && e.stale;

// Whether an act opens a form or a confirmation, or is done at once.
export const isPlain = (x: Doing): boolean =>
  !x.item.form && (x.kind === "task" ? x.item.evidence_needed === 0 && !x.item.outbound : !x.item.needs_approval && !x.item.ends && !x.item.outbound);
export const doingKey = (x: Doing): string => `${x.kind}.${x.item.name}`;
export const doingTitle = (x: Doing): string => tx(x.item.title);
