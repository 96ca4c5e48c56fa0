// The figures that the frame shows on every screen: what is mine, what is open, what is in force.
import { useQuery } from "@tanstack/vue-query";
import { computed } from "vue";
import type { Workbench } from "@/api/types";
import { get } from "./http";
import { may } from "./session";

export function useWorkbench() {
  const query = useQuery({
    queryKey: ["workbench"],
    queryFn: ({ signal }) => get<Workbench>("/workbench", { limit: 200 }, signal),
    enabled: computed(() => may("case.read")),
  });
  return query;
}
