// The directory as the tabs share it.
import { useQuery, useQueryClient } from "@tanstack/vue-query";
import { computed, ref } from "vue";
import type { OrgOut, Page, PermissionOut, RoleOut } from "@/api/types";
import { get } from "@/shared/http";
import { tx } from "@/shared/text";
import { toast } from "@/shared/toast";

export function useOrgs() {
  const query = useQuery({ queryKey: ["orgs"], queryFn: () => get<Page<OrgOut>>("/orgs"), staleTime: 300_000 });
  const all = computed(() => query.data.value?.items ?? []);
  const name = (id: string): string => tx(all.value.find((o) => o.id === id)?.name) || id;
  // In the order of the tree, each with its depth.
  const tree = computed(() => {
    const known = new Set(all.value.map((o) => o.id));
    const out: { org: OrgOut; depth: number }[] = [];
    const add = (o: OrgOut, depth: number): void => {
      out.push({ org: o, depth });
      for (const c of all.value) if (c.parent === o.id && depth < 12) add(c, depth + 1);
    };
    for (const o of all.value) if (!known.has(o.parent)) add(o, 0);
    return out;
  });
  return { query, all, name, tree };
}
export function useRoles() {
  const query = useQuery({ queryKey: ["roles"], queryFn: () => get<Page<RoleOut>>("/roles"), staleTime: 300_000 });
  const name = (id: string): string => tx(query.data.value?.items.find((r) => r.id === id)?.title) || id;
  return { query, name };
}
export function usePermissions() {
  const query = useQuery({ queryKey: ["permissions"], queryFn: () => get<Page<PermissionOut>>("/permissions"), staleTime: Infinity });
  const name = (id: string): string => tx(query.data.value?.items.find((p) => p.id === id)?.title) || id;
  return { query, name };
}

// One change at a time, with its receipt; then what depends on it is read anew.
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
