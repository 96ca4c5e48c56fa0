// The directory as the tabs share it.
import { useQuery } from "@tanstack/vue-query";
import { computed } from "vue";
import type { OrgOut, Page, PermissionOut, RoleOut } from "@/api/types";
import { get } from "@/shared/http";
import { tx } from "@/shared/text";

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
