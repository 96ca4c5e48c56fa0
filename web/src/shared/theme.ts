// Light, dark, or as the system says.
import { ref } from "vue";
import { keep, read } from "./text";

export type Theme = "system" | "light" | "dark";
const KEY = "cw.theme";
const kept = read(KEY);
export const theme = ref<Theme>(kept === "light" || kept === "dark" ? kept : "system");

export function setTheme(to: Theme): void {
  theme.value = to;
  if (to === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = to;
  keep(KEY, to);
}
export const isDark = (): boolean =>
  theme.value === "dark" || (theme.value === "system" && matchMedia("(prefers-color-scheme: dark)").matches);
