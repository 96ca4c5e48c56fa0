// Time as the console shows it: the server's clock, Beijing time as on the printed pages.
import { computed, ref, type ComputedRef } from "vue";
import { lang, t } from "./text";

const ZONE_MS = 8 * 3_600_000;  // Asia/Shanghai has had no summer time since 1991
export const MINUTE = 60_000, HOUR = 60 * MINUTE, DAY = 24 * HOUR;

const offset = ref(0);
const tick = ref(Date.now());
let timer: ReturnType<typeof setInterval> | undefined;

// Learns how far the server's clock is from ours; the shortest way of asking counts most.
export function learnNow(now_ms: number | undefined, asked_ms = Date.now()): void {
  if (!now_ms) return;
  const travel = Date.now() - asked_ms;
  const learned = now_ms + travel / 2 - Date.now();
  if (Math.abs(learned - offset.value) > Math.max(250, travel)) offset.value = Math.round(learned);
  tick.value = Date.now();
}
export const serverNow = (): number => Date.now() + offset.value;

const nowMs = computed(() => tick.value + offset.value);
const minuteMs = computed(() => Math.floor(nowMs.value / MINUTE) * MINUTE);

// The server's time, once a second. Only what is on the screen follows it.
export function useNow(): ComputedRef<number> {
  timer ??= setInterval(() => (tick.value = Date.now()), 1000);
  return nowMs;
}

// The same to the minute, for what says no seconds: a long list is not drawn again each second.
export function useMinute(): ComputedRef<number> {
  useNow();
  return minuteMs;
}

const two = (n: number): string => String(n).padStart(2, "0");
const local = (ms: number): Date => new Date(ms + ZONE_MS);
const dayOf = (ms: number): number => Math.floor((ms + ZONE_MS) / DAY);
export const zoneDiffers = (): boolean => new Date().getTimezoneOffset() !== -480;

export const date = (ms: number): string => {
  const d = local(ms);
  return `${d.getUTCFullYear()}-${two(d.getUTCMonth() + 1)}-${two(d.getUTCDate())}`;
};
export const clock = (ms: number, seconds = false): string => {
  const d = local(ms);
  return `${two(d.getUTCHours())}:${two(d.getUTCMinutes())}` + (seconds ? `:${two(d.getUTCSeconds())}` : "");
};
export const full = (ms: number): string => `${date(ms)} ${clock(ms, true)}`;
export const stamp = (ms: number): string => `${date(ms)} ${clock(ms)}`;
export const weekday = (ms: number): string => t(`time.weekday.${local(ms).getUTCDay()}`);

// As short as it stays clear: 09:42 today, 11-21 18:02 this year, else the date.
export function brief(ms: number, now = serverNow(), seconds = false): string {
  if (dayOf(ms) === dayOf(now)) return clock(ms, seconds);
  const sameYear = date(ms).slice(0, 4) === date(now).slice(0, 4);
  return sameYear ? `${date(ms).slice(5)} ${clock(ms, seconds)}` : date(ms);
}
export function briefDay(ms: number, now = serverNow()): string {
  return dayOf(ms) === dayOf(now) ? clock(ms) : date(ms).slice(date(ms).slice(0, 4) === date(now).slice(0, 4) ? 5 : 0);
}

// 04:22 · 1:44:08 · 3 天: a length of time with its seconds up to a day.
export function span(ms: number): string {
  const s = Math.floor(Math.abs(ms) / 1000);
  if (s >= 3 * 86_400) return t("time.days", { n: Math.floor(s / 86_400) });
  const h = Math.floor(s / 3600), m = Math.floor((s % 3600) / 60);
  return h > 0 ? `${h}:${two(m)}:${two(s % 60)}` : `${two(m)}:${two(s % 60)}`;
}
// 6:50 · 0:45: hours and minutes, as derivations count them.
export function hours(ms: number): string {
  const m = Math.round(ms / MINUTE);
  return `${Math.floor(m / 60)}:${two(m % 60)}`;
}
// 15 分钟 · 1 小时 30 分: a length in words.
export function words(ms: number): string {
  const m = Math.max(0, Math.round(ms / MINUTE));
  const d = Math.floor(m / 1440), h = Math.floor((m % 1440) / 60), rest = m % 60;
  const parts = [];
  if (d) parts.push(t("time.days", { n: d }));
  if (h) parts.push(t("time.hours", { n: h }));
  if (rest || parts.length === 0) parts.push(t("time.minutes", { n: rest }));
  return parts.join(" ");
}
// A limit as definitions write it: 15m, 1h30m, 1wd, 30d, cob, 2cob.
export function limitWords(limit: string): string {
  const close = /^(\d*)cob$/.exec(limit);
  if (close) return close[1] ? t("time.closeAfter", { n: close[1] }) : t("time.close");
  const parts = [...limit.matchAll(/(\d+)(wd|d|h|m|s)/g)].map(([, n, unit]) =>
    t({ wd: "time.workdays", d: "time.days", h: "time.hours", m: "time.minutes", s: "time.seconds" }[unit!]!, { n }));
  return parts.length ? parts.join(" ") : limit;
}

export interface Left { text: string; tone: "" | "is-near" | "is-late"; }
// What is left until a time, and how heavy it is drawn.
export function left(due_at: number, now: number, percent?: number): Left {
  const ms = due_at - now;
  if (ms < 0) return { text: t("time.over", { span: span(ms) }), tone: "is-late" };
  return { text: span(ms), tone: percent !== undefined && percent >= 80 ? "is-near" : "" };
}

// Between forms and the wire: an input of type datetime-local holds Beijing time.
export function toInput(rfc3339: string): string {
  const ms = Date.parse(rfc3339);
  return Number.isNaN(ms) ? "" : `${date(ms)}T${clock(ms, true)}`;
}
export function fromInput(value: string): string {
  const m = /^(\d{4}-\d\d-\d\dT\d\d:\d\d)(:\d\d)?/.exec(value);
  return m ? `${m[1]}${m[2] ?? ":00"}+08:00` : "";
}
export const number = (n: number): string => n.toLocaleString(lang() === "zh" ? "zh-CN" : "en-US");
export function bytes(n: number): string {
  if (n < 1024) return `${n} B`;
  return n < 1024 * 1024 ? `${(n / 1024).toFixed(1)} KB` : `${(n / 1024 / 1024).toFixed(1)} MB`;
}
