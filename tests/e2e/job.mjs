// The main job, by keyboard alone and in one language: an attack arrives by syslog, becomes an alert,
// is promoted, activated, escalates when a limit passes (the server's clock is pushed), is worked
// off, released, observed, investigated, corrected and closed; its report is printed and the
// ledger verifies. Every form is typed into the fields a person sees.
import { join } from "node:path";
import { attack, check, signIn } from "./stage.mjs";

const said = {
  zh: {
    affected: "语音网关 pbx-1", impact: "注册失败增多，未见成功登录", grounds: "同一地址持续猜测口令，业务正常",
    known1: "已知：爆破持续，尚无成功登录。", known2: "由领导小组指挥；来源待阻断。", place: "证据库 A 柜", source: "PBX 安全日志",
    course: "21 时起出现口令猜测，来自同一地址。", measures: "防火墙阻断，核查账号。", next: "观察 24 小时。", release: "来源已阻断，账号已核查。",
    cause: "分机口令过弱", root: "没有口令策略", who: "运维负责口令策略", title: "启用口令策略", measure: "随机口令，九十天一换", decision: "同意结论与整改",
    steps: "本周内全部分机启用", done: "已上线并抽查", method: "抽查复测", finding: "有效，未再发现弱口令",
  },
  en: {
    affected: "Voice gateway pbx-1", impact: "More refused registrations, none successful", grounds: "One address keeps guessing passwords; the service is normal",
    known1: "Known: the guessing goes on, nobody got in.", known2: "The leadership takes command; the source is to be blocked.", place: "Evidence locker A", source: "PBX security log",
    course: "Passwords were guessed from one address.", measures: "Blocked at the firewall; accounts checked.", next: "Watch for 24 hours.", release: "The source is blocked, accounts are checked.",
    cause: "Weak passwords of extensions", root: "No password policy", who: "Operations own the policy", title: "Password policy", measure: "Random passwords, renewed in 90 days", decision: "Agreed",
    steps: "All extensions this week", done: "Live and sampled", method: "Sampled again", finding: "It works",
  },
};

export async function mainJob(stage, { syslog, lang, address }) {
  const s = said[lang], mouse = [];
  const sit = async (login, options) => {
    const who = await stage.person(login, lang, options);
    mouse.push(who);
    return who;
  };
  const schemaOf = (who, brief, form) => who.get(`/procedures/${brief.procedure}@${brief.version}/forms/${form}`);

  // The alert arrives while the list is open, and waits behind its notice.
  const wang = await sit("wang");
  await wang.hands.press("KeyG");
  await wang.hands.press("KeyA");
  await wang.page.waitForURL(/\/alerts/);
  await wang.page.locator(".split-items").waitFor();
  await attack(syslog, address, await wang.now());
  const news = (f) => f.tag === "button" && new RegExp(wang.w("state.news", { n: "\\d+" })).test(f.name);
  await wang.page.locator("button.news").waitFor();
  await wang.hands.tabTo(news);
  await wang.hands.press("Enter");
  await wang.page.locator(".split-item", { hasText: address }).first().waitFor();
  const rule = (await wang.get("/alerts?state=open&rule=call-centre-15-sip-brute-force")).items.find((a) => a.entities.some((e) => e.value === address));
  const title = rule.title[lang];
  check(`${lang}: an attack by syslog becomes an alert, shown when asked for`, true);
  const current = () => wang.page.evaluate(() => document.querySelector(".split-item[aria-current=true]")?.textContent ?? "");
  for (let i = 0; i < 30 && !((await current()).includes(address) && (await current()).includes(title)); i++) await wang.hands.press(i === 0 ? "KeyK" : "KeyJ");
  await wang.page.locator(".split-preview h1", { hasText: title }).waitFor();
  await wang.hands.press("KeyE");
  await wang.page.getByText(wang.w("alert.takenBy")).waitFor();
  check(`${lang}: taken with E`, true);
  await wang.hands.press("KeyA");
  await wang.page.locator("[role=dialog] .form").first().waitFor();
  const urgent = await wang.get("/procedures/plan.system-attack/forms/urgent");
  await wang.hands.file(urgent, { source: "monitoring", affected: s.affected, impact: s.impact });
  await wang.page.waitForURL(/\/incidents\/cas_/);
  const id = wang.page.url().split("/").pop();
  await wang.page.locator(".rec-head h1").waitFor();
  const brief = (await wang.get(`/cases/${id}`)).brief;
  check(`${lang}: promoted with A; the console shows ${brief.number}`, true);

  const view = (who = wang) => who.get(`/cases/${id}`);
  const open = async (who) => {
    await who.hands.palette(brief.number, brief.number);
    await who.page.waitForURL((url) => url.pathname === `/incidents/${id}`);
    await who.page.locator(".rec-head h1").waitFor();
  };
  // An act of the record: chosen in the palette, its form filled in, its receipt seen.
  const act = async (who, kind, name, values, { at = id, file, choose } = {}) => {
    const record = await who.get(`/cases/${at}`);
    const item = record[kind === "action" ? "actions" : "tasks"].find((x) => x.name === name);
    await who.hands.palette(item.title[lang]);
    if (values || file || choose) {
      await who.page.locator(".do-card").waitFor();
      if (values) await who.page.locator(".do-card .form").first().waitFor();
      if (file) {
        await who.hands.tabTo(who.w("evidence.add"));
        const [chooser] = await Promise.all([who.page.waitForEvent("filechooser"), who.hands.press("Space")]);
        await chooser.setFiles(file);
        await who.page.locator(".do-card .choice", { hasText: file.name }).locator("input:checked").waitFor();
      }
      if (choose) {
        await who.hands.tabTo((f) => f.type === "checkbox" && f.name.startsWith(choose));
        await who.hands.press("Space");
      }
      if (values) await who.hands.file(await schemaOf(who, record.brief, item.form), values);
    }
    await who.page.locator(".toast", { hasText: who.w("record.did", { what: item.title[lang] }) }).first().waitFor();
    check(`${lang}: ${name}`, true);
  };

  await wang.page.locator("li.task").first().waitFor();
  await wang.hands.press("KeyE");
  await wang.page.locator("li.task.is-done").first().waitFor();
  check(`${lang}: ack, with E`, true);
  await act(wang, "action", "activate", { severity: "II", kind: "guess", service: "normal", grade: "general", people: 0, operator: "other", hazard: "low", grounds: s.grounds });

  const command = async (who, level, text) => {
    await who.page.locator("#cmd-brief").waitFor();
    await who.hands.tabTo(who.w("command.brief"));
    await who.hands.write(text);
    await who.hands.use(who.w("command.take"));
    await who.page.locator("#cmd-brief").waitFor({ state: "detached" });
    check(`${lang}: the ${level} takes command with a brief`, !!(await view(who)).commander);
  };
  const li = await sit("li");
  await open(li);
  await command(li, "command post", s.known1);
  for (let i = 0; i < 2; i++) {  // in two steps: a session without a request for half an hour is over
    await wang.call("POST", "/test/clock", { jump_ms: 16 * 60_000 });
    await Promise.all([wang.get("/session"), li.get("/session")]);
  }
  const raised = await view();
  check(`${lang}: a missed limit raises the level`, raised.brief.level?.id === "leadership" && raised.brief_due, JSON.stringify(raised.brief.level));
  await wang.page.locator(".rec-sub", { hasText: raised.brief.level.title[lang] }).waitFor();
  check(`${lang}: the open record shows the new level by itself`, true);
  const chen = await sit("chen");
  await open(chen);
  await command(chen, "leadership", s.known2);

  const he = await sit("he");
  await open(he);
  const now = await he.now();
  await act(he, "task", "block", { contained_at: Math.floor(now / 1000) * 1000 - 60_000, addresses: [{ address, place: "sbc" }, { address: "203.0.113.0/24", place: "firewall" }], outcome: "stopped" });
  const kept = (await view(he)).forms.find((f) => f.form === "blocking").values;
  check(`${lang}: what was typed is what was filed`, Date.parse(kept.contained_at) === Math.floor(now / 1000) * 1000 - 60_000 && kept.addresses.length === 2 && kept.addresses[0].place === "sbc" && kept.outcome === "stopped", JSON.stringify(kept));
  const log = { name: `security-${lang}.log`, mimeType: "text/plain", buffer: Buffer.from("SECURITY lines") };
  await act(he, "task", "preserve", { items: [{ name: log.name, source: s.source, collected_at: "now" }], place: s.place }, { file: log });
  check(`${lang}: evidence is kept sealed under its hash`, /^hmac-sha256:/.test((await view(he)).evidence[0]?.content ?? ""));
  await act(he, "task", "accounts", { checked: 40, changed: 6, signs: "none" });
  await act(wang, "task", "detail", { course: s.course, impact: s.impact, data_kinds: ["account", "none"], measures: s.measures, next_steps: s.next });
  await act(chen, "action", "release", { grounds: s.release });

  // The observation passes; a day later everybody's session is over, and they sign in again where they were.
  const record = chen.page.url();
  await chen.page.goto("about:blank");  // nothing of the console hears of it meanwhile
  await wang.call("POST", "/test/clock", { jump_ms: 24 * 3600_000 + 60_000 });
  await chen.page.goto(record);
  await chen.page.locator("#lg-login").waitFor();
  await signIn(chen, "chen", "demo-password-1");
  check(`${lang}: after signing in again one is back where one was`, chen.page.url().endsWith(id), chen.page.url());
  const wu = await sit("wu", { path: `/incidents/${id}` });
  await wu.page.locator(".rec-head h1").waitFor();
  await act(wu, "task", "findings", { cause: s.cause, root_cause: s.root, responsibility: s.who, items: [{ title: s.title, measure: s.measure, owner: "3320", priority: "high" }] }, { choose: log.name });
  await act(chen, "action", "adopt", { decision: s.decision });
  const child = (await view(wu)).links.find((l) => l.kind === "child").id;
  const number = (await wu.get(`/cases/${child}`)).brief.number;
  const he2 = await sit("he");
  await he2.page.locator("tr", { hasText: number }).first().waitFor();
  const selected = () => he2.page.evaluate(() => document.querySelector("tr[aria-selected=true]")?.textContent ?? "");
  for (let i = 0; i < 60 && !(await selected()).includes(number); i++) await he2.hands.press("KeyJ");
  await he2.hands.press("Enter");
  await he2.page.waitForURL((url) => url.pathname === `/incidents/${child}`);
  await he2.page.locator(".rec-head h1").waitFor();
  check(`${lang}: the corrective action lies on its owner's workbench`, true);
  await act(he2, "action", "plan", { steps: s.steps }, { at: child });
  await act(he2, "task", "done", { done: s.done, done_at: "now" }, { at: child, file: log });
  await act(he2, "action", "submit", undefined, { at: child });
  await wu.hands.palette(number, number);
  await wu.page.waitForURL((url) => url.pathname === `/incidents/${child}`);
  await wu.page.locator(".rec-head h1").waitFor();
  await act(wu, "action", "pass", { effective: true, method: s.method, finding: s.finding }, { at: child });
  await open(wu);
  await wu.page.locator(".rec-head .state.is-done").waitFor();
  check(`${lang}: the incident closed itself`, (await view(wu)).brief.final === true);

  // Paper, from the record's menu.
  await wu.hands.tabTo(wu.w("record.more"));
  await wu.hands.press("Enter");
  await wu.page.locator("[role=menu]").waitFor();
  const form = (await view(wu)).forms[0];
  const line = wu.w("record.printForm", { form: form.title[lang] });
  for (let i = 0; i < 20 && !(await wu.hands.focused()).name.includes(line); i++) await wu.hands.press("ArrowDown");
  const [sheet] = await Promise.all([wu.context.waitForEvent("page"), wu.hands.press("Enter")]);
  await sheet.locator("footer code").first().waitFor();
  const detailed = (await view(wu)).forms.find((f) => f.form === "detailed");
  for (const name of ["urgent", "detailed"]) {
    await sheet.emulateMedia({ media: "screen" });
    if (name === "detailed") await sheet.goto(new URL(`/api/v1/cases/${id}/print/${detailed.of}?lang=${lang}`, sheet.url()).href);
    const paper = await sheet.locator("body").innerText();
    check(`${lang}: the ${name} report prints with entry number and hash`, /#\d+/.test(paper) && /[0-9a-f]{16}/.test(paper), `${sheet.url()} ${paper.slice(-300)}`);
    if (process.env.CALLWARDEN_SCREENS) await sheet.screenshot({ path: join(process.env.CALLWARDEN_SCREENS, `print-${name}-${lang}.png`), fullPage: true });
    await sheet.emulateMedia({ media: "print" });
    const each = sheet.locator(".each"), shown = await each.evaluate((e) => getComputedStyle(e).display);
    check(`${lang}: each sheet of it says which entry it is of`, shown === "table-footer-group" && (await each.innerText()).includes(paper.match(/[0-9a-f]{16}/)[0]), `${shown} ${await each.innerText()}`);
  }
  await sheet.close();

  await wu.hands.press("Escape");
  await wu.hands.press("KeyG");
  await wu.hands.press("KeyL");
  await wu.page.locator(".ledger-list tbody tr").first().waitFor();
  await wu.hands.press("KeyV");
  await wu.page.locator(".notice.is-info").waitFor();
  check(`${lang}: the ledger verifies, with V`, true);
  let moved = 0;
  for (const who of mouse) moved += await who.page.evaluate(() => globalThis.mouseUsed);
  check(`${lang}: nobody touched a mouse`, moved === 0, String(moved));
  check(`${lang}: the browser's console stayed clean`, mouse.every((who) => who.noise.length === 0), mouse.flatMap((who) => who.noise).join(" | ").slice(0, 300));
  for (const who of mouse) await who.context.close();
  return id;
}
