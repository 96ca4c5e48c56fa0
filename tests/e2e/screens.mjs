// Every screen in both languages, light and dark, at a desk and on a phone: it fits, axe finds
// nothing serious, and CALLWARDEN_SCREENS keeps a picture of it.
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { Hands } from "./hands.mjs";
import { check, serveDist, words } from "./stage.mjs";

const folder = process.env.CALLWARDEN_SCREENS;
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
// All looks when pictures are wanted; each screen in each language, theme and size otherwise.
const looks = [["zh", "light", "desktop"], ["en", "dark", "desktop"], ["zh", "light", "phone"], ["en", "dark", "phone"],
  ...(process.env.CALLWARDEN_LOOKS === "all" ? [["zh", "dark", "desktop"], ["en", "light", "desktop"], ["zh", "dark", "phone"], ["en", "light", "phone"]] : [])];

async function serious(page) {
  // The page's own policy allows no foreign script; these contexts alone pass it by, for axe.
  await page.evaluate(axe);
  const result = await page.evaluate(() => window.axe.run(document, { runOnly: ["wcag2a", "wcag2aa"] }));
  return result.violations.filter((v) => v.impact === "serious" || v.impact === "critical").map((v) => `${v.id} (${v.nodes[0].target})`);
}

// A drill of each kind, so that every face of the screen is seen: planned and moved, running with an
// inject told, ended with something missed, evaluated and concluded; broken off, to be evaluated by who
// looks at it.
async function drills(stage, eye) {
  const he = await stage.person("he");
  const now = await he.now(), day = 86_400_000;
  const plan = async (scenario, on_at, evaluators = []) => (await he.call("POST", "/drills", { scenario, on_at, evaluators })).body.id;
  const ids = { drill: await plan("customer-leak", now + 20 * day), running: await plan("tampering", now), score: await plan("trunk", now), broken: await plan("database", now, [eye]), gone: await plan("fire", now - 40 * day) };
  await he.call("POST", `/drills/${ids.drill}/move`, { on_at: now + 26 * day, reason: "等新的值班表生效" });
  await he.call("POST", `/drills/${ids.gone}/cancel`, { reason: "与消防改造冲突，另行安排" });
  const { case_ref } = (await he.call("POST", `/drills/${ids.running}/begin`)).body;
  for (const id of [ids.score, ids.broken]) await he.call("POST", `/drills/${id}/begin`);
  await he.call("POST", "/test/clock", { jump_ms: 11 * 60_000 });
  for (let i = 0; i < 100 && (await he.get(`/drills/${ids.running}`)).injects.filter((x) => x.told).length < 1; i++) await he.page.waitForTimeout(100);
  for (const id of [ids.score, ids.broken]) await he.call("POST", `/drills/${id}/end`);
  for (const [about, rating, text] of [["", "good", "指挥链清楚，各组报告完整。"], ["inject:1", "poor", "情况告知后七分钟无人应答；值班电话占线，没有备用联系方式。"]]) await he.call("POST", `/drills/${ids.score}/observe`, { about, rating, text });
  await he.call("POST", `/drills/${ids.score}/conclude`, { grade: "pass", text: "组织有序，但告知渠道单一。\n补充备用联系方式后，下季度复演。", revise: true });
  await he.context.close();
  return { drills: "/drills", ...Object.fromEntries(["drill", "running", "score", "broken"].map((k) => [k === "drill" ? k : `drill-${k}`, `/drills/${ids[k]}`])),
    "drill-record": `/incidents/${case_ref.id}`, "drill-warroom": `/war/${case_ref.id}` };
}

// Publishing at every stage, seen by whoever may do it: a draft with a mistake, a revision in review,
// one in force beside the version before it, with cases that can be moved.
async function revisions(stage) {
  const [he, wu, chen] = await Promise.all(["he", "wu", "chen"].map((login) => stage.person(login)));
  const draft = async (id, title, change) => {
    const { text } = await he.get(`/definitions/procedures/${id}/text?at=latest`), { definition } = await he.get(`/definitions/procedures/${id}`);
    const body = { title, why: "依据上月演练的结论", documents: [{ kind: "procedures", id, text: change(text.replace(/^version: \d+/m, `version: ${definition.version_next}`)) }] };
    return { id: (await he.call("POST", "/revisions", body)).body.id, before: definition.version };
  };
  const plan = "plan.voice-switch", { org } = await he.get("/session");
  await he.call("POST", "/cases", { procedure: plan, org: org.id, mode: "live", form: { discovered_at: new Date(await he.now()).toISOString(), summary: "主用交换机告警，话务已切备用", source: "monitoring" } });
  const published = await draft(plan, "交换机故障：受理时限缩短", (text) => text.replace(/limit: (\d+)m/, (_, n) => `limit: ${n - 1}m`));
  for (const [who, step, body] of [[he, "submit", {}], [wu, "pass", {}], [chen, "approve", { waiver: "只缩短时限" }]]) await who.call("POST", `/revisions/${published.id}/${step}`, body);
  const wrong = await draft("supplier", "供应商：补充字段", (text) => `${text}  nowhere: 1\n`);
  const review = (await he.get("/revisions?phase=in_review")).items[0];
  await wu.context.close();
  const shown = (path, as, then) => ({ path, as, then });
  return { revisions: shown("/revisions", he), revision: shown(`/revisions/${review.id}`, chen), "revision-edit": shown(`/revisions/${wrong.id}/edit`, he, (page) => page.locator(".code-mistakes li").first().waitFor()),
    history: shown(`/definitions/procedures/${plan}`, chen, (page) => page.locator(".diff-parts").waitFor()),
    migrate: shown(`/definitions/procedures/${plan}/migrate?from=${published.before}`, chen, async (page, w, lang) => {
      await new Hands(page, w, lang).use(w("publish.tryIt"));
      await page.locator(".pub-trial tbody tr").first().waitFor();
    }) };
}

// The door as nobody sees it, the second factor being set up, the palette over a screen.
async function doors(stage) {
  const nobody = await stage.seat();
  await nobody.page.goto(stage.base + "/login");
  const lin = await stage.person("lin");  // signed in just now, as a second factor asks
  return { "sign-in": { path: "/login", as: nobody }, "second-factor": { path: "/account", as: lin, then: async (page, w, lang) => {
    await new Hands(page, w, lang).use(w("totp.begin"));
    await page.locator("svg.qr path").waitFor();
  } }, palette: { path: "/", as: lin, then: async (page) => {
    await page.keyboard.press("Control+KeyK");
    await page.locator("[role=option]").first().waitFor();
  } } };
}

export const screensStory = (stage) => async (who, caseId) => {
  const own = !who;
  who ??= await stage.person("wang");
  caseId ??= (await who.get("/cases?prefix=plan.&limit=1")).items[0].id;
  const alertId = (await who.get("/alerts?state=open,taken,promoted&limit=1")).items[0]?.id ?? "";
  // The shift that lacks somebody, else any that is to come.
  const gaps = (await who.get("/roster/gaps")).items, mine = (await who.get("/roster/mine")).shifts;
  const gap = gaps.find((s) => s.missing > 0) ?? mine.at(-1);
  const plan = (await who.get("/roster/plans")).items[0];
  const pages = { workbench: "/", incidents: "/incidents", record: `/incidents/${caseId}`, warroom: `/war/${caseId}`, alerts: `/alerts/${alertId}`,
    procedures: "/procedures", procedure: "/procedures/plan.system-attack", "procedure-fire": "/procedures/plan.fire", rules: "/procedures/plan.customer-leak/when", clocks: "/procedures/data-incident/clocks",
    blank: "/procedures/plan.customer-leak/forms?form=triage", simulation: "/procedures/plan.customer-leak/simulate?runs=100&seed=7", playbook: "/procedures/import", ledger: "/ledger?entry=12", people: "/people", posts: "/people/posts", roles: "/people/roles",
    roster: "/roster", "roster-month": "/roster?view=month", "roster-day": "/roster?view=day", "roster-shift": `/roster?from=${gap.day}&shift=${gap.key}`,
    "roster-mine": "/roster/mine", "roster-handover": "/roster/handover", "roster-calls": "/roster/calls", "roster-plans": "/roster/plans", "roster-plan": `/roster/plans?plan=${encodeURIComponent(`${plan.id}@${plan.from_day}`)}`, "roster-qualifications": "/roster/qualifications",
    notices: "/notices", report: "/report", form: "/report?procedure=plan.system-attack", account: "/account", nowhere: "/nowhere", ...(await drills(stage, (await who.get("/session")).person.id)), ...(await revisions(stage)), ...(await doors(stage)) };
  const some = process.env.CALLWARDEN_PAGES?.split(",");
  if (some) for (const name of Object.keys(pages)) if (!some.includes(name)) delete pages[name];
  const seen = [who, ...new Set(Object.values(pages).map((p) => p.as).filter(Boolean))];
  if (folder) mkdirSync(folder, { recursive: true });
  const look = async (lang, scheme, device) => {
    const w = words(lang), wrong = [], sat = new Map();
    for (const one of seen) {
      const context = await stage.browser.newContext({ storageState: await one.context.storageState(), bypassCSP: true, colorScheme: scheme, locale: lang === "zh" ? "zh-CN" : "en-US",
        viewport: device === "phone" ? { width: 390, height: 844 } : { width: 1366, height: 768 } });
      await serveDist(context);
      sat.set(one, await context.newPage());
      sat.get(one).on("pageerror", (e) => check(`no script error (${lang})`, false, String(e)));
    }
    for (const [name, shown] of Object.entries(pages)) {
      const page = sat.get(shown.as ?? who);
      await page.goto(stage.base + (shown.path ?? shown));
      await page.locator("main").waitFor();
      await page.waitForFunction(() => !document.querySelector(".bones") && document.querySelector("main").children.length > 0);
      await page.waitForFunction(() => !document.querySelector("[aria-busy=true]"), undefined, { timeout: 120_000 });
      await shown.then?.(page, w, lang);
      await page.waitForTimeout(200);
      if (await page.evaluate(() => document.documentElement.scrollWidth > window.innerWidth + 1)) wrong.push(`${name} is wider than the screen`);
      if (await page.evaluate(() => /undefined|\[object|NaN|\bnull\b/.test(document.querySelector("main").innerText))) wrong.push(`${name} shows what no one meant`);
      const found = await serious(page);
      if (found.length) wrong.push(`${name}: ${found.join("; ")}`);
      if (folder) await page.screenshot({ path: join(folder, `${name}-${lang}-${scheme}-${device}.png`) });
    }
    // A list that is still being fetched: its answer never comes.
    const waiting = sat.get(who);
    await waiting.route("**/api/v1/cases?*", () => {});
    await waiting.goto(stage.base + "/incidents");
    await waiting.locator(".bones .bone").first().waitFor();
    const unfinished = await serious(waiting);
    if (unfinished.length) wrong.push(`while a list is fetched: ${unfinished.join("; ")}`);
    check(`every screen fits and axe finds nothing serious: ${lang}, ${scheme}, ${device}`, wrong.length === 0, wrong.join(" | "));
    for (const page of sat.values()) await page.context().close();
  };
  for (const lang of ["zh", "en"]) {  // the server keeps each person's language: looks of one language stand side by side
    for (const one of seen) await one.call("PUT", "/session/lang", { lang });
    await Promise.all(looks.filter(([of]) => of === lang).map((one) => look(...one)));
  }
  for (const one of seen) await one.call("PUT", "/session/lang", { lang: "zh" });
  if (own) await who.context.close();
};
