// The main job in a real browser: an attack arrives by syslog, becomes an alert, is promoted,
// activated, escalates when a limit passes (the test server's clock is pushed), is worked off,
// released, observed, investigated and closed; its report is printed and the ledger verifies.
// Forms of many fields are filed through the page's own session; what people decide is clicked.
import { spawn } from "node:child_process";
import dgram from "node:dgram";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";

const binary = process.argv[2];
const password = "demo-password-1";
const screens = process.env.CALLWARDEN_SCREENS;
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
let passed = 0, failed = 0;

function check(what, ok, detail = "") {
  if (ok) passed++; else failed++;
  console.log(`${ok ? "ok  " : "FAIL"} ${what}${ok ? "" : " " + detail}`);
}

function startServer(data) {
  const server = spawn(binary, ["demo", "--data", data, "--listen", "127.0.0.1:0", "--syslog-port", "0", "--password", password, "--test-clock"],
    { env: { ...process.env, CALLWARDEN_LANG: "en", ASAN_OPTIONS: "detect_leaks=0" } });
  let out = "";
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error("the server did not start:\n" + out)), 240_000);
    const more = (bytes) => {
      out += bytes;
      const address = /Address\s+(http:\S+)/.exec(out), syslog = /Syslog\s+udp 127\.0\.0\.1:(\d+)/.exec(out);
      if (address && syslog) { clearTimeout(timer); resolve({ server, base: address[1], syslog: Number(syslog[1]) }); }
    };
    server.stdout.on("data", more);
    server.stderr.on("data", more);
    server.on("exit", (code) => { clearTimeout(timer); reject(new Error(`the server ended with ${code}:\n${out}`)); });
  });
}

// Registrations refused by Asterisk, in its own security log format, as syslog datagrams.
async function attack(port, address, nowMs, count = 20) {
  const socket = dgram.createSocket("udp4");
  for (let i = 0; i < count; i++) {
    const at = nowMs - (count - i) * 500, t = new Date(at + 8 * 3600_000).toISOString();
    const line = `[${t.slice(0, 10)} ${t.slice(11, 19)}] SECURITY[2211] res_security_log.c: SecurityEvent="InvalidPassword",EventTV="${Math.floor(at / 1000)}-000000",Severity="Error",Service="PJSIP",EventVersion="2",AccountID="${8000 + i}",SessionID="0x7f${i}",LocalAddress="IPV4/UDP/192.0.2.10/5060",RemoteAddress="IPV4/UDP/${address}/5071"`;
    await new Promise((done) => socket.send(`<37>1 - pbx-1 asterisk 2211 - - ${line}`, port, "127.0.0.1", done));
  }
  socket.close();
}

const data = mkdtempSync(join(tmpdir(), "callwarden-e2e-"));
const { server, base, syslog } = await startServer(join(data, "demo"));
server.removeAllListeners("exit");
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM || "/usr/bin/chromium",
  args: ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});

async function person(login, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1366, height: 768 }, locale: "zh-CN", ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(30_000);
  page.on("pageerror", (e) => check(`no script error for ${login}`, false, String(e)));
  await page.goto(base + "/");
  const fields = page.locator("input");
  await fields.first().waitFor();
  await fields.nth(0).fill(login);
  await fields.nth(1).fill(password);
  await page.keyboard.press("Enter");
  await page.waitForURL((url) => !url.pathname.startsWith("/login"));
  await page.locator("main").waitFor();
  // The page's own session, for forms of many fields.
  const call = (method, path, body) => page.evaluate(async ([m, p, b]) => {
    const session = await (await fetch("/api/v1/session")).json();
    const answer = await fetch("/api/v1" + p, { method: m, headers: { "Content-Type": "application/json", "X-CSRF": session.csrf }, body: m === "GET" ? undefined : JSON.stringify(b ?? {}) });
    const text = await answer.text();
    return { status: answer.status, body: text.startsWith("{") ? JSON.parse(text) : text };
  }, [method, path, body]);
  return { page, call, context };
}

const serious = async (page) => {
  // The page's own policy allows no foreign script; these contexts alone pass it by, for axe.
  await page.evaluate(axe);
  const result = await page.evaluate(() => window.axe.run(document, { runOnly: ["wcag2a", "wcag2aa"] }));
  return result.violations.filter((v) => v.impact === "serious" || v.impact === "critical").map((v) => `${v.id} (${v.nodes[0].target})`);
};

async function mainJob() {
  const wang = await person("wang");
  const now = (await wang.call("GET", "/session")).body.now_ms;
  await wang.page.goto(base + "/alerts");
  await attack(syslog, "203.0.113.99", now);
  let alert;
  for (let i = 0; i < 60 && !alert; i++) {
    const found = (await wang.call("GET", "/alerts?state=open&rule=call-centre-15-sip-brute-force")).body.items ?? [];
    alert = found.find((a) => a.entities.some((e) => e.value === "203.0.113.99"));
    if (!alert) await wang.page.waitForTimeout(500);
  }
  check("an attack by syslog becomes an alert", !!alert);
  await wang.page.waitForTimeout(1500);
  const news = wang.page.locator("button", { hasText: "更新" });
  check("the open page says that something is new", (await news.count()) > 0 || (await wang.page.getByText("203.0.113.99").count()) > 0);

  await wang.page.goto(`${base}/alerts/${alert.id}`);
  await wang.page.getByText("203.0.113.99").first().waitFor();
  await wang.page.keyboard.press("KeyE");
  await wang.page.waitForTimeout(1200);
  check("taken by the keyboard alone", (await wang.call("GET", `/alerts/${alert.id}`)).body.brief.state === "taken");
  await wang.page.keyboard.press("KeyA");
  const submit = wang.page.getByRole("button", { name: "升级并提交报告" });
  await submit.waitFor();
  await submit.focus();
  await wang.page.keyboard.press("Enter");
  await wang.page.waitForURL(/\/incidents\/cas_/);
  const id = wang.page.url().split("/").pop();
  check("promoted: the console shows the new incident", id.startsWith("cas_"));
  await wang.page.locator("h1").first().waitFor();

  const act = async (who, path, form, evidence) => {
    const answer = await who.call("POST", `/cases/${id}/${path}`, { ...(form ? { form } : {}), ...(evidence ? { evidence } : {}) });
    check(path, answer.status === 200, JSON.stringify(answer.body).slice(0, 300));
  };
  const iso = () => new Date(now).toISOString();
  const jump = async (ms) => { await wang.call("POST", "/test/clock", { jump_ms: ms }); };
  await act(wang, "tasks/ack");
  await act(wang, "actions/activate", { severity: "II", grade: "general", people: 0, operator: "other", hazard: "low", kind: "guess", service: "normal", grounds: "同一地址持续猜测口令" });
  const li = await person("li");
  const took = await li.call("POST", `/cases/${id}/command`, { brief: "已知：爆破持续。" });
  check("the commander takes command with a brief", took.status === 200, JSON.stringify(took.body));
  for (let i = 0; i < 2; i++) {  // in two steps: a session without a request for half an hour is over
    await jump(16 * 60_000);
    await wang.call("GET", "/session");
    await li.call("GET", "/session");
  }
  const raised = (await wang.call("GET", `/cases/${id}`)).body;
  check("a missed limit raises the level", raised.brief.level?.id === "leadership" && raised.brief_due, JSON.stringify(raised.brief.level));
  await wang.page.reload();
  await wang.page.getByText("领导小组").first().waitFor();
  check("the console shows the new level", true);
  const chen = await person("chen");
  await chen.call("POST", `/cases/${id}/command`, { brief: "由领导小组指挥。" });
  const he = await person("he");
  const upload = await he.page.evaluate(async (caseId) => {
    const session = await (await fetch("/api/v1/session")).json();
    const answer = await fetch(`/api/v1/cases/${caseId}/evidence?name=security.log`, { method: "POST", headers: { "Content-Type": "text/plain", "X-CSRF": session.csrf }, body: "log lines" });
    return await answer.json();
  }, id);
  check("evidence is kept sealed under its hash", /^hmac-sha256:/.test(upload.content ?? ""), JSON.stringify(upload));
  await act(he, "tasks/block", { contained_at: iso(), outcome: "stopped", addresses: [{ address: "203.0.113.99", place: "firewall" }] });
  await act(he, "tasks/preserve", { place: "证据库", items: [{ name: "security.log", source: "PBX", collected_at: iso() }] }, [upload.content]);
  await act(he, "tasks/accounts", { checked: 40, changed: 6, signs: "none" });
  await act(wang, "tasks/detail", { course: "经过", impact: "影响", measures: "措施", next_steps: "观察" });
  await act(chen, "actions/release", { grounds: "来源已阻断" });
  await shots(wang, id, alert.id);
  await jump(24 * 3600_000 + 60_000);
  // Sessions are over after a day of the pushed clock: people sign in again.
  const wu = await person("wu");
  const chen2 = await person("chen");
  const owner = (await wu.call("GET", "/people?q=3320")).body.items[0].id;
  const finding = { cause: "口令过弱", root_cause: "无策略", responsibility: "运维", items: [{ title: "启用口令策略", measure: "随机口令", owner, priority: "high" }] };
  await act(wu, "tasks/findings", finding, [upload.content]);
  await act(chen2, "actions/adopt", { decision: "同意" });
  const child = (await wu.call("GET", `/cases/${id}`)).body.links.find((l) => l.kind === "child").id;
  const he2 = await person("he");
  const step = async (who, path, body) => {
    const answer = await who.call("POST", `/cases/${child}/${path}`, body);
    check(`corrective action: ${path}`, answer.status === 200, JSON.stringify(answer.body).slice(0, 300));
  };
  await step(he2, "actions/plan", { form: { steps: "本周" } });
  await step(he2, "tasks/done", { form: { done: "已上线", done_at: iso() }, evidence: [upload.content] });
  await step(he2, "actions/submit", {});
  await step(wu, "actions/pass", { form: { effective: true, method: "复测", finding: "有效" } });
  check("the incident closed itself", (await wu.call("GET", `/cases/${id}`)).body.brief.final === true);
  const printed = await wu.page.goto(`${base}/api/v1/cases/${id}/print/detail`);
  const paper = await printed.text();
  check("the report prints with entry number and hash", printed.status() === 200 && /#\d+/.test(paper) && /[0-9a-f]{16}/.test(paper));
  if (screens) await wu.page.screenshot({ path: join(screens, "print-detail-zh.png"), fullPage: true });
  await wu.page.goto(base + "/");
  const verified = (await wu.call("POST", "/ledger/verify", {})).body;
  check("the ledger verifies", verified.ok === true, JSON.stringify(verified));
  for (const someone of [wang, li, chen, he, wu, chen2, he2]) await someone.context.close();
}

// Every screen, both languages, light and dark, a desk and a phone; axe finds nothing serious.
async function shots(who, caseId, alertId) {
  const pages = { workbench: "/", incidents: "/incidents", record: `/incidents/${caseId}`, warroom: `/war/${caseId}`, alerts: `/alerts/${alertId}`,
    procedures: "/procedures/plan.system-attack", ledger: "/ledger", people: "/people", notices: "/notices", report: "/report", account: "/account" };
  const looks = [["zh", "light", "desktop"], ["en", "dark", "desktop"], ["zh", "light", "phone"]];
  if (screens) mkdirSync(screens, { recursive: true });
  const state = await who.context.storageState();
  for (const [lang, scheme, device] of looks) {
    await who.call("PUT", "/session/lang", { lang });
    const context = await browser.newContext({ storageState: state, bypassCSP: true, colorScheme: scheme, locale: lang === "zh" ? "zh-CN" : "en-US",
      viewport: device === "phone" ? { width: 390, height: 844 } : { width: 1366, height: 768 } });
    const page = await context.newPage();
    page.on("pageerror", (e) => check(`no script error (${lang})`, false, String(e)));
    for (const [name, path] of Object.entries(pages)) {
      await page.goto(base + path);
      await page.locator("main").waitFor();
      await page.waitForTimeout(700);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth > window.innerWidth + 1);
      check(`${name} ${lang} ${scheme} ${device} fits the screen`, !wide);
      const found = await serious(page);
      check(`${name} ${lang} ${scheme} ${device} has no serious finding`, found.length === 0, found.join("; "));
      if (screens) await page.screenshot({ path: join(screens, `${name}-${lang}-${scheme}-${device}.png`) });
    }
    await context.close();
  }
  await who.call("PUT", "/session/lang", { lang: "zh" });
}

try {
  await mainJob();
} catch (e) {
  check("the story ran to its end", false, e.stack ?? String(e));
} finally {
  await browser.close();
  server.kill("SIGTERM");
  await new Promise((done) => server.on("exit", done));
  rmSync(data, { recursive: true, force: true });
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed ? 1 : 0);
