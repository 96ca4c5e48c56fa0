// What the stories stand on: servers with a clock that can be pushed, a browser, people who work
// by keyboard alone, and the words the console shows them.
import { spawn } from "node:child_process";
import dgram from "node:dgram";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { Hands } from "./hands.mjs";

export const password = "demo-password-1";
export const score = { passed: 0, failed: 0 };
const began = Date.now();

export function check(what, ok, detail = "") {
  if (ok) score.passed++; else score.failed++;
  const at = ((Date.now() - began) / 1000).toFixed(1).padStart(6);
  console.log(`${at} ${ok ? "ok  " : "FAIL"} ${what}${ok ? "" : " " + detail}`);
  return ok;
}

// The words of the console, as its own locales have them: words("zh")("alert.take").
export function words(lang) {
  const folder = new URL("../../web/src/locales/", import.meta.url);
  const all = Object.assign({}, ...readdirSync(folder, { recursive: true }).filter((file) => file === `${lang}.json` || file.endsWith(`/${lang}.json`))
    .map((file) => JSON.parse(readFileSync(new URL(file, folder), "utf8"))));
  return (key, named = {}) => {
    const text = key.split(".").reduce((o, k) => o?.[k], all);
    if (typeof text !== "string") throw new Error(`no word ${key} in ${lang}`);
    return text.replace(/\{(\w+)\}/g, (_, name) => String(named[name]));
  };
}

// A server of ours; `out` holds what it said. Ends with stop(), or without notice with kill().
export function startServer(binary, args, says, patience_ms = 240_000) {
  const server = spawn(binary, args, { env: { ...process.env, CALLWARDEN_LANG: "en", ASAN_OPTIONS: "detect_leaks=0" } });
  let out = "";
  const gone = new Promise((done) => server.on("exit", done));
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error("the server did not start:\n" + out)), patience_ms);
    void gone.then((code) => { clearTimeout(timer); reject(new Error(`the server ended with ${code}:\n${out}`)); });
    const more = (bytes) => {
      out += bytes;
      const found = says.map((pattern) => pattern.exec(out)?.[1]);
      if (found.some((x) => x === undefined)) return;
      clearTimeout(timer);
      resolve({ found, stop: () => { server.kill("SIGTERM"); return gone; }, kill: () => { server.kill("SIGKILL"); return gone; } });
    };
    server.stdout.on("data", more);
    server.stderr.on("data", more);
  });
}
export async function startDemo(binary, data, port = 0, syslog = 0) {
  const server = await startServer(binary,
    ["demo", "--data", data, "--listen", `127.0.0.1:${port}`, "--syslog-port", String(syslog), "--password", password, "--test-clock"],
    [/Address\s+(http:\S+)/, /Syslog\s+udp 127\.0\.0\.1:(\d+)/]);
  return { ...server, base: server.found[0], syslog: Number(server.found[1]) };
}

// Registrations refused by Asterisk, in its own security log format, as syslog datagrams.
export async function attack(port, address, nowMs, count = 20) {
  const socket = dgram.createSocket("udp4");
  for (let i = 0; i < count; i++) {
    const at = nowMs - (count - i) * 500, t = new Date(at + 8 * 3600_000).toISOString();
    const line = `[${t.slice(0, 10)} ${t.slice(11, 19)}] SECURITY[2211] res_security_log.c: SecurityEvent="InvalidPassword",EventTV="${Math.floor(at / 1000)}-000000",Severity="Error",Service="PJSIP",EventVersion="2",AccountID="${8000 + i}",SessionID="0x7f${i}",LocalAddress="IPV4/UDP/192.0.2.10/5060",RemoteAddress="IPV4/UDP/${address}/5071"`;
    await new Promise((done) => socket.send(`<37>1 - pbx-1 asterisk 2211 - - ${line}`, port, "127.0.0.1", done));
  }
  socket.close();
}

// CALLWARDEN_DIST: a console built just now in place of the one the binary carries.
export async function serveDist(context) {
  const dist = process.env.CALLWARDEN_DIST;
  if (!dist) return;
  await context.route((url) => !url.pathname.startsWith("/api/"), (route) => {
    const path = join(dist, new URL(route.request().url()).pathname);
    return route.fulfill({ path: existsSync(path) && !path.endsWith("/") ? path : join(dist, "index.html") });
  });
}

export class Stage {
  static async open(base) {
    const stage = new Stage();
    stage.base = base;
    stage.browser = await chromium.launch({
      executablePath: process.env.CHROMIUM || "/usr/bin/chromium",
      args: ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
    });
    return stage;
  }
  close() { return this.browser.close(); }
  // After a story: nobody stays signed in on the screen, whatever happened.
  async clear() { for (const context of this.browser.contexts()) await context.close(); }
  // What stood on the screens when a story failed, for whoever asks why.
  async photograph(name) {
    const folder = process.env.CALLWARDEN_FAILURES;
    if (!folder) return;
    const pages = this.browser.contexts().flatMap((c) => c.pages());
    for (const [i, page] of pages.entries()) await page.screenshot({ path: join(folder, `${name}-${i}.png`) }).catch(() => {});
  }

  // A browser of one's own, at the desk; the language is the browser's.
  async seat(lang = "zh", options = {}) {
    const { base = this.base, ...rest } = options;
    const context = await this.browser.newContext({ viewport: { width: 1366, height: 768 }, locale: lang === "zh" ? "zh-CN" : "en-US", ...rest });
    // Who works by keyboard alone never moves the mouse: the page itself counts.
    await context.addInitScript(() => {
      globalThis.mouseUsed = 0;
      for (const type of ["pointerdown", "wheel"]) addEventListener(type, () => { ++globalThis.mouseUsed; }, { capture: true, passive: true });
    });
    await serveDist(context);
    const page = await context.newPage();
    page.setDefaultTimeout(60_000);
    // The browser's own chooser is held back from the start: begun only when a story waits for it,
    // that could come after the key that opens it, and the chooser then stood open, unseen.
    page.on("filechooser", () => {});
    const noise = [];
    page.on("pageerror", (e) => check("no script error", false, String(e)));
    // Reka's list brings a <style> of its own, which the policy refuses; our sheet says the same.
    const theirs = "sha256-0sLsI2a+NIcumVvBF9zD/ArGqlZR2xfnxsALPmK7nj8=";
    page.on("console", (m) => { if (m.type() === "error" && !m.text().includes(theirs) && /Content Security Policy|Unhandled|\[Vue/.test(m.text())) noise.push(m.text()); });
    // Reading through the page's own session; what is decided is never sent this way.
    const call = (method, path, body) => page.evaluate(async ([m, p, b]) => {
      const session = await (await fetch("/api/v1/session")).json();
      const answer = await fetch("/api/v1" + p, { method: m, headers: { "Content-Type": "application/json", "X-CSRF": session.csrf ?? "" }, body: m === "GET" ? undefined : JSON.stringify(b ?? {}) });
      const text = await answer.text();
      return { status: answer.status, body: text.startsWith("{") ? JSON.parse(text) : text };
    }, [method, path, body]);
    const who = { page, context, call, base, lang, w: words(lang), hands: new Hands(page, words(lang), lang), noise };
    who.get = async (path) => (await call("GET", path)).body;
    who.now = async () => (await who.get("/session")).now_ms;
    return who;
  }

  // Somebody signed in, by keyboard, with the console in their language.
  async person(login, lang = "zh", options = {}) {
    const who = await this.seat(lang, options);
    await who.page.goto(who.base + (options.path ?? "/"));
    await signIn(who, login, options.password ?? password);
    return who;
  }
}

// What people wrote or are called, as somebody who may read all of it sees it.
export async function written(reader) {
  const { items: people } = await reader.get("/people?limit=200"), { items: cases } = await reader.get("/cases?limit=200");
  return [...people.map((p) => p.name), ...cases.map((c) => c.title)].filter(Boolean).sort((a, b) => b.length - a.length);
}
// What the console itself says in Chinese on this screen: its texts, the names it gives to those who
// cannot see it, its title. What people wrote is theirs, and the mark is a mark.
export async function chinese(who, theirs) {
  return who.page.evaluate((written) => {
    const found = new Set();
    const look = (text) => {
      const rest = written.reduce((t, w) => t.replaceAll(w, ""), text ?? "").trim();
      if (/[\p{Script=Han}，。：；（）「」、]/u.test(rest)) found.add(rest.slice(0, 60));
    };
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (texts.nextNode())
      if (!texts.currentNode.parentElement.closest("script, style, noscript, pre, textarea, .avatar, .brand, .ho-text, .td-by")) look(texts.currentNode.textContent);
    for (const name of ["aria-label", "title", "placeholder", "alt"]) for (const el of document.querySelectorAll(`[${name}]`)) look(el.getAttribute(name));
    look(document.title);
    return [...found];
  }, theirs);
}

export async function signIn(who, login, secret) {
  const { page, hands } = who;
  await page.locator("#lg-login").waitFor();
  await page.waitForFunction(() => document.activeElement?.id === "lg-login");
  await hands.write(login);
  await hands.press("Tab");
  await hands.write(secret);
  await hands.press("Enter");
  await page.waitForURL((url) => !url.pathname.startsWith("/login"));
  await page.locator("main#main").waitFor();
  await page.waitForFunction(() => document.querySelector("#main")?.children.length);
  // A person's language is their own, not the browser's: chosen here as anybody would choose it.
  if (!(await page.evaluate(() => document.documentElement.lang)).startsWith(who.lang)) {
    await hands.palette(who.lang === "zh" ? "中文" : "English");
    await page.waitForFunction((lang) => document.documentElement.lang.startsWith(lang), who.lang);
  }
}
