// Who is signed in, and what they may.
import { computed, reactive } from "vue";
import type { Session } from "@/api/types";
import { dropDrafts } from "./drafts";
import { get, Problem, send, wire } from "./http";
import { setLang, type Lang } from "./text";

const state = reactive<{ session: Session | null; asked: boolean }>({ session: null, asked: false });
export const session = computed(() => state.session);
export const me = computed(() => state.session?.person);
export const may = (permission: string): boolean => state.session?.permissions.includes(permission) ?? false;

export async function adopt(s: Session, language = true): Promise<void> {
  state.session = s;
  state.asked = true;
  wire.csrf = s.csrf;
  if (language && (s.lang === "zh" || s.lang === "en")) await setLang(s.lang);
}

// Asks once whether the cookie still stands. Quietly: the router itself leads to the sign-in and back.
export async function knowSession(): Promise<Session | null> {
  if (!state.asked) {
    try {
      await adopt(await get<Session>("/session", undefined, undefined, true));
    } catch (error) {
      if (!(error instanceof Problem) || error.status !== 401) throw error;
      state.asked = true;
    }
  }
  return state.session;
}
export async function renewSession(): Promise<void> {
  await adopt(await get<Session>("/session"), false);
}
export function forget(): void {
  state.session = null;
  state.asked = true;
  wire.csrf = "";
}
export async function signOut(): Promise<void> {
  try { await send("DELETE", "/session"); } finally {
    dropDrafts();
    forget();
  }
}
export async function changeLang(to: Lang): Promise<void> {
  await setLang(to);
  if (state.session) await send("PUT", "/session/lang", { lang: to });
}
