// The one way to the server: CSRF, idempotency and conditions on writes, problems as errors.
import type { FieldWrong, ProblemBody } from "@/api/types";
import { lang, t } from "./text";
import { learnNow } from "./time";

export class Problem extends Error {
  constructor(
    readonly status: number, readonly code: string, title: string, readonly detail = "",
    readonly fields: FieldWrong[] = [], readonly requestId = "", readonly retryAfterS = 0,
  ) { super(title); }
  get offline(): boolean { return this.status === 0; }
  get stale(): boolean { return this.status === 412; }
}

export const wire = {
  csrf: "",
  onSignedOut: () => {},       // any answer 401 outside signing in
  onWritten: (_first: number, _last: number) => {},
};

// crypto.randomUUID is absent on plain HTTP away from loopback.
export function uuid(): string {
  if (typeof crypto.randomUUID === "function") return crypto.randomUUID();
  const b = crypto.getRandomValues(new Uint8Array(16));
  b[6] = (b[6]! & 0x0f) | 0x40;
  b[8] = (b[8]! & 0x3f) | 0x80;
  const hex = [...b].map((x) => x.toString(16).padStart(2, "0")).join("");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

export type Query = Record<string, string | number | boolean | undefined | null>;
export function url(path: string, query: Query = {}): string {
  const q = new URLSearchParams();
  for (const [k, v] of Object.entries(query)) if (v !== undefined && v !== null && v !== "") q.set(k, String(v));
  const tail = q.toString();
  return `/api/v1${path}${tail ? `?${tail}` : ""}`;
}

export interface Options { query?: Query; seq?: number; key?: string; raw?: Blob; signal?: AbortSignal; quiet401?: boolean }

export async function request(method: string, path: string, body?: unknown, o: Options = {}): Promise<Response> {
  const headers: Record<string, string> = { Accept: "application/json", "Accept-Language": lang() };
  if (method !== "GET") {
    headers["X-CSRF"] = wire.csrf;
    headers["Idempotency-Key"] = o.key ?? uuid();
    if (o.seq !== undefined) headers["If-Match"] = `"${o.seq}"`;
  }
  if (o.raw) headers["Content-Type"] = o.raw.type || "application/octet-stream";
  else if (body !== undefined) headers["Content-Type"] = "application/json";
  let response: Response;
  try {
    response = await fetch(url(path, o.query), {
      method, headers, credentials: "same-origin", cache: "no-store", signal: o.signal,
      body: o.raw ?? (body === undefined ? undefined : JSON.stringify(body)),
    });
  } catch (error) {
    if (o.signal?.aborted) throw error;
    throw new Problem(0, "network", t("problem.network"), t(method === "GET" ? "problem.networkRead" : "problem.networkWrite"));
  }
  if (response.ok) return response;
  const problem = await problemOf(response);
  if (response.status === 401 && !o.quiet401) wire.onSignedOut();
  throw problem;
}

async function problemOf(response: Response): Promise<Problem> {
  try {
    const p = (await response.json()) as ProblemBody;
    // The title names the kind of problem, the detail says what happened: people read the detail.
    return new Problem(response.status, p.code, p.detail || p.title, "", (p.fields ?? []).map((f) => ({ pointer: f.pointer, message: f.text })), p.request_id ?? "", p.retry_after_s ?? 0);
  } catch {
    return new Problem(response.status, "http", t("problem.http", { status: response.status }));
  }
}

export async function get<T>(path: string, query?: Query, signal?: AbortSignal, quiet401?: boolean): Promise<T> {
  const asked = Date.now();
  const value = (await (await request("GET", path, undefined, { query, signal, quiet401 })).json()) as T;
  learnNow((value as { now_ms?: number }).now_ms, asked);
  return value;
}
export async function getText(path: string): Promise<string> {
  return (await request("GET", path)).text();
}
export async function send<T>(method: "POST" | "PUT" | "PATCH" | "DELETE", path: string, body?: unknown, o?: Options): Promise<T> {
  const response = await request(method, path, method === "DELETE" ? undefined : (body ?? {}), o);
  const text = await response.text();
  const value = (text ? JSON.parse(text) : {}) as T;
  const seq = (value as { seq?: number }).seq;
  if (typeof seq === "number") wire.onWritten(seq, seqOf(response) ?? seq);
  return value;
}
export const post = <T>(path: string, body?: unknown, o?: Options): Promise<T> => send<T>("POST", path, body, o);

// A record's version: the number in its ETag.
export function seqOf(response: Response): number | undefined {
  const n = /^"(\d+)"$/.exec(response.headers.get("ETag") ?? "");
  return n ? Number(n[1]) : undefined;
}
