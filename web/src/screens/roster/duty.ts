// What the duty screens share: the day and filters in the address, the server's state, what is
// renewed when duty changes elsewhere.
import { keepPreviousData, useQuery, useQueryClient } from "@tanstack/vue-query";
import { computed, onScopeDispose, ref, type ComputedRef, type Ref } from "vue";
import { useRoute, useRouter } from "vue-router";
import type { DutyNow, MyDuty, Page, RosterGridOut, ShiftDetail, ShiftOut } from "@/api/types";
import { get } from "@/shared/http";
import { onLive } from "@/shared/live";
import { tx } from "@/shared/text";
import { date, useMinute } from "@/shared/time";
import { isDay, windowOf, type Show, type View } from "./roster";

// One filter of the address.
export function useParam(name: string): { value: string } & Ref<string> {
  const route = useRoute(), router = useRouter();
  return computed({ get: () => String(route.query[name] ?? ""), set: (v: string) => void router.replace({ query: { ...route.query, [name]: v || undefined } }) });
}

export function useWindow() {
  const route = useRoute(), router = useRouter();
  const now = useMinute();
  const one = <T extends string>(name: string, of: readonly T[]) =>
    computed<T>({ get: () => (of.includes(route.query[name] as T) ? (route.query[name] as T) : of[0]!), set: (v) => void router.replace({ query: { ...route.query, [name]: v === of[0] ? undefined : v } }) });
  const view = one<View>("view", ["week", "day", "month"]), show = one<Show>("show", ["", "mine", "gaps"]);
  const today = computed(() => date(now.value));
  const day = computed(() => (isDay(route.query.from) ? route.query.from : today.value));
  const frame = computed(() => windowOf(view.value, day.value));
  const go = (to: string): Promise<unknown> => router.replace({ query: { ...route.query, from: to === today.value ? undefined : to } });
  return { view, show, layer: useParam("layer"), org: useParam("org"), shift: useParam("shift"), today, day, frame, go, now };
}

export const useGrid = (org: Ref<string>, frame: ComputedRef<{ from: string; days: number }>) => useQuery({
  queryKey: ["roster", "grid", org, computed(() => frame.value.from), computed(() => frame.value.days)],
  queryFn: ({ signal }) => get<RosterGridOut>("/roster", { org: org.value, from: frame.value.from, days: frame.value.days }, signal),
  placeholderData: keepPreviousData,
});
export const useDutyNow = (org: Ref<string>) => useQuery({ queryKey: ["roster", "now", org], queryFn: ({ signal }) => get<Page<DutyNow>>("/roster/now", { org: org.value }, signal) });
export const useGaps = (org: Ref<string>) => useQuery({ queryKey: ["roster", "gaps", org], queryFn: ({ signal }) => get<Page<ShiftOut>>("/roster/gaps", { org: org.value, days: 14 }, signal) });
export const useMine = () => useQuery({ queryKey: ["roster", "mine"], queryFn: ({ signal }) => get<MyDuty>("/roster/mine", { days: 35 }, signal) });
export const useShift = (org: Ref<string>, key: Ref<string>) => useQuery({
  queryKey: ["roster", "shift", org, key], enabled: computed(() => !!key.value),
  queryFn: ({ signal }) => get<ShiftDetail>("/roster/shift", { org: org.value, shift: key.value }, signal),
});

// The places of a roster do not move when somebody changes it, so it is renewed by itself.
export function useRenewal(): void {
  const client = useQueryClient();
  let due: ReturnType<typeof setTimeout> | undefined;
  onLive((e) => { if (e.type === "roster") due ??= setTimeout(() => { due = undefined; void client.invalidateQueries({ queryKey: ["roster"] }); }, 700); });
  const minute = setInterval(() => { void client.invalidateQueries({ queryKey: ["roster", "now"] }); }, 60_000);
  onScopeDispose(() => { clearTimeout(due); clearInterval(minute); });
}

export function usePhone(): Ref<boolean> {
  const media = matchMedia("(max-width: 760px)"), phone = ref(media.matches);
  const hear = (): void => { phone.value = media.matches; };
  media.addEventListener("change", hear);
  onScopeDispose(() => media.removeEventListener("change", hear));
  return phone;
}

export const nameOf = (s: ShiftOut): string => (tx(s.layer_title) === tx(s.title) ? tx(s.title) : `${tx(s.layer_title)} · ${tx(s.title)}`);
