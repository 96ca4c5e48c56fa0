// Live updates: one EventSource for all tabs. The tab that holds the lock listens and tells the
// others; when it closes, another takes the lock. Without locks (plain HTTP away from loopback)
// every tab listens for itself.
import { computed, onScopeDispose, reactive, ref, type Ref } from "vue";
import { queries } from "./query";
import { learnNow, serverNow } from "./time";

export interface LiveEvent { type: string; id: string; data: { id?: string; seq?: number; kind?: string; name?: string; now_ms?: number } }
type Message = { event: LiveEvent } | { alive: number } | { lost: number; tries: number } | { hello: true };

const QUIET_MS = 40_000;       // longer than two heartbeats: ask whether the server is there
const TYPES = ["case", "alert", "drill", "entry", "notice", "checkpoint", "tick", "hello", "reset", "roster", "revision"];

export const live = reactive({ on: false, lastAt: 0, lostAt: 0, tries: 0 });
const listeners = new Set<(e: LiveEvent) => void>();
const own = new Set<number>();  // entries this tab wrote: no news to it

export function noteOwn(first: number, last: number): void {
  for (let seq = first; seq <= Math.min(last, first + 100); ++seq) own.add(seq);
  if (own.size > 4000) for (const old of [...own].slice(0, 2000)) own.delete(old);
}

let channel: BroadcastChannel | undefined;
let source: EventSource | undefined;
let lastId = "";
let heardAt = 0;
let stop: (() => void) | undefined;
let leading = false;

function alive(): void {
  heardAt = Date.now();
  Object.assign(live, { on: true, lastAt: serverNow(), lostAt: 0, tries: 0 });
}
function lost(at: number, tries: number): void {
  if (!live.lostAt) live.lostAt = at;
  live.on = false;
  live.tries = tries;
}
// What an event makes old: read anew when it is next looked at. What is on the screen says so itself.
const ages: Record<string, string[]> = { case: ["case", "cases", "entries", "ledger"], alert: ["alert", "alerts", "entries"], drill: ["drill", "drills", "drill-coverage", "entries"], notice: ["notices"], entry: ["entries", "ledger"], roster: ["roster", "roster-log", "entries", "ledger"], revision: ["revision", "revisions", "definitions", "definition", "history", "procedures", "form", "entries", "ledger"] };

function take(event: LiveEvent): void {
  alive();
  learnNow(event.data.now_ms);
  for (const key of ages[event.type] ?? []) void queries.invalidateQueries({ queryKey: [key], refetchType: "none" });
  if (event.type === "reset") void queries.invalidateQueries();
  for (const f of [...listeners]) f(event);
}
function tell(message: Message): void {
  channel?.postMessage(message);
}

function connect(tries = 0): void {
  source?.close();
  const s = new EventSource(`/api/v1/events${lastId ? `?last_event_id=${encodeURIComponent(lastId)}` : ""}`);
  source = s;
  s.onopen = () => {
    tries = 0;
    alive();
    tell({ alive: Date.now() });
  };
  for (const type of TYPES) {
    s.addEventListener(type, (raw) => {
      const message = raw as MessageEvent<string>;
      if (message.lastEventId) lastId = message.lastEventId;
      let data: LiveEvent["data"] = {};
      try { data = JSON.parse(message.data) as LiveEvent["data"]; } catch { /* an empty event */ }
      const event = { type, id: message.lastEventId, data };
      take(event);
      tell({ event });
    });
  }
  s.onerror = () => {
    if (source !== s) return;
    s.close();
    source = undefined;
    ++tries;
    lost(serverNow(), tries);
    tell({ lost: live.lostAt, tries });
    setTimeout(() => { if (stop && !source) connect(tries); }, Math.min(15_000, 500 * 2 ** Math.min(tries, 5)));
  };
}

async function watch(): Promise<void> {
  if (!source || Date.now() - heardAt < QUIET_MS) return;
  try {
    const answer = await fetch("/api/v1/health", { cache: "no-store" });
    if (!answer.ok && answer.status !== 503) throw new Error();
    if (source.readyState !== EventSource.OPEN) connect();
    alive();
    tell({ alive: Date.now() });
  } catch {
    source?.dispatchEvent(new Event("error"));
  }
}

export function retryNow(): void {
  if (leading) connect(live.tries);
  else tell({ hello: true });
}

export function startLive(): void {
  if (stop) return;
  const ending = new AbortController();
  const timer = setInterval(() => void watch(), 5_000);
  if (typeof BroadcastChannel === "function") {
    channel = new BroadcastChannel("cw.live");
    channel.onmessage = ({ data }: MessageEvent<Message>) => {
      if ("event" in data) { lastId = data.event.id || lastId; take(data.event); }
      else if ("alive" in data) alive();
      else if ("lost" in data) lost(data.lost, data.tries);
      else if (source && live.on) tell({ alive: Date.now() });
      else if (leading && !source) connect(live.tries);
    };
  }
  stop = () => {
    leading = false;
    ending.abort();
    clearInterval(timer);
    source?.close();
    source = undefined;
    channel?.close();
    channel = undefined;
    lastId = "";
    Object.assign(live, { on: false, lostAt: 0, tries: 0 });
  };
  if (navigator.locks && channel) {
    tell({ hello: true });
    void navigator.locks.request("cw.live", { signal: ending.signal }, () => {
      leading = true;
      connect();
      return new Promise<void>((done) => ending.signal.addEventListener("abort", () => done()));
    }).catch(() => {});
  } else {
    leading = true;
    connect();
  }
}
export function stopLive(): void {
  stop?.();
  stop = undefined;
}

export function onLive(f: (e: LiveEvent) => void): void {
  listeners.add(f);
  onScopeDispose(() => listeners.delete(f));
}

// 「有 3 条更新」: how many different things changed since the list was read. `of` names the thing.
export function useNews(of: (e: LiveEvent) => string | undefined): { count: Ref<number>; clear: () => void } {
  const seen = ref(new Map<string, number>());
  onLive((e) => {
    const id = of(e);
    if (id) seen.value = new Map(seen.value).set(id, e.data.seq ?? 0);
  });
  const count = computed(() => [...seen.value.values()].filter((seq) => !own.has(seq)).length);
  return { count, clear: () => { seen.value = new Map(); } };
}
