// What a screen tells the frame around it: its title and way back, whether it needs the width, and
// what can be done here now (for the palette).
import { onScopeDispose, reactive, watchEffect } from "vue";
import type { RouteLocationRaw } from "vue-router";
import type { IconName } from "@/design/CwIcon.vue";
import { t } from "./text";

export interface Crumb { text: string; to?: RouteLocationRaw }
export interface Page { crumbs: Crumb[]; about?: string; tag?: string; rail?: boolean; flush?: boolean; noBand?: string }
export interface Action { text: string; about?: string; icon?: IconName; kbd?: string; run: () => void }

export const page = reactive<{ now: Page }>({ now: { crumbs: [] } });
export const actions = reactive<{ of: (() => Action[])[] }>({ of: [] });

export function usePage(of: () => Page): void {
  watchEffect(() => {
    page.now = of();
    document.title = [...page.now.crumbs].reverse().map((c) => c.text).concat(t("app.name")).join(" · ");
  });
}
export function useActions(of: () => Action[]): void {
  actions.of.push(of);
  onScopeDispose(() => { actions.of = actions.of.filter((x) => x !== of); });
}
