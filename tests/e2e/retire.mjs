// A procedure is retired, by keyboard: what that means is said before it is asked for; another
// reviews it, a third approves it. From then on nobody starts it, not even with a form that was open;
// the library and the history say so; and what runs goes on: it waited for a decision, and is decided.
import { check } from "./stage.mjs";

const ID = "vulnerability", WHY = "由集团平台统一管理";
const report = { title: "对外门户组件漏洞", source: "scan", severity: "medium", exposed: true, systems: 3 };

export async function retireStory(stage, { lang = "zh" } = {}) {
  const zheng = await stage.person("zheng", lang, { path: `/report?procedure=${ID}` });
  const number = await fileOne(zheng);
  const he = await stage.person("he", lang);
  await waitsForADecision(he, number);
  await fillOne(zheng);  // the next report lies there, not yet sent
  const id = await ask(he);
  await decide(stage, lang, "wu", id, "pass");
  await decide(stage, lang, "chen", id, "approve");
  await nobodyStartsIt(zheng);
  await theLibrarySaysSo(he);
  await whatRunsGoesOn(he, number);
  for (const who of [zheng, he]) check("nobody touched a mouse", (await who.page.evaluate(() => globalThis.mouseUsed)) === 0 && who.noise.length === 0, who.noise.join(" | "));
}

const titleOf = async (who) => (await who.get(`/procedures/${ID}`)).title[who.lang];

async function fillOne(who, send = false) {
  const { page, hands } = who;
  if (!page.url().includes(`procedure=${ID}`)) await page.goto(`${who.base}/report?procedure=${ID}`);
  await page.locator(".report .form").first().waitFor();
  await hands.file(await who.get(`/procedures/${ID}/forms/vulnerability-report`), report, send);
}
async function fileOne(who) {
  await fillOne(who, true);
  await who.page.waitForURL(/\/incidents\/cas_/);
  return (await who.get(`/cases/${who.page.url().split("/").pop()}`)).brief.number;
}

// The line of the workbench, and the word before it.
const line = (page, number) => page.locator(".bench .is-link", { hasText: number });
async function waitsForADecision({ page, w }, number) {
  await line(page, number).waitFor();
  const told = await line(page, number).textContent();
  check("what waits for a decision lies on the workbench of who takes it, once, and says so", (await line(page, number).count()) === 1 && told.includes(w("bench.kind.decide")), told);
}

async function ask(who) {
  const { page, hands, w } = who;
  const title = await titleOf(who);
  await hands.palette(title);
  await page.waitForURL(new RegExp(`/procedures/${ID}`));
  await hands.use(w("proc.versions"));
  await page.locator(".pub-versions tbody tr").first().waitFor();
  await hands.use(w("publish.retire"));
  await page.getByText(w("publish.retireAbout")).waitFor();
  check("what retiring means is said before it is asked for", (await page.locator(".code-text").count()) === 0);
  check("the revision has its name already", (await page.locator("#rv-title").inputValue()) === w("publish.retireTitle", { name: title }));
  await hands.tabTo((f) => f.id === "rv-why");
  await hands.write(WHY);
  await hands.press("Control+KeyS");
  await page.waitForURL(/\/revisions\/rev_/);
  await page.locator(".pub-head").waitFor();
  const told = await page.locator(".pub-rec").last().textContent();
  const steps = await page.locator(".pub-head .acts").textContent();
  check("the revision says what is retired and why, and asks for no simulation", told.includes(ID) && told.includes(WHY) && !steps.includes(w("publish.act.simulate")), `${told} ${steps}`);
  await hands.use(w("publish.act.submit"));
  await page.locator(".pub-head .state", { hasText: w("publish.phase.in_review") }).waitFor();
  return page.url().split("/").pop();
}

async function decide(stage, lang, login, id, step) {
  const who = await stage.person(login, lang, { path: `/revisions/${id}` });
  const { page, hands, w } = who;
  await page.locator(".pub-head").waitFor();
  await hands.use(w(`publish.act.${step}`));
  await page.locator("[role=dialog]").waitFor();
  if (step === "approve") check("neither a simulation nor a reason without one is asked", (await page.locator("#st-waiver").count()) === 0 && !(await page.locator("[role=dialog]").textContent()).includes(w("publish.simNone")));
  await hands.press("Control+Enter");
  const phase = { pass: "reviewed", approve: "effective" }[step];
  for (let i = 0; i < 100 && (await who.get(`/revisions/${id}`)).revision.phase !== phase; i++) await page.waitForTimeout(100);
  check(`${login}: ${step}`, (await who.get(`/revisions/${id}`)).revision.phase === phase);
  await who.context.close();
}

async function nobodyStartsIt(who) {
  const { page, hands, w } = who;
  const title = await titleOf(who);
  await hands.press("Control+Enter");
  await page.locator(".report .notice[role=alert]").waitFor();
  const told = await page.locator(".report .notice[role=alert]").textContent();
  check("a form that was open is refused with the reason, and keeps what was written", told.includes(w("lib.retired")) && told.includes(title) && (await page.locator(".report .form input").first().inputValue()) === report.title, told.slice(0, 300));
  await page.goto(`${who.base}/report`);
  await page.locator(".kind").first().waitFor();
  const offered = await page.locator(".kind").allTextContents();
  check("it is no longer offered", offered.length > 8 && !offered.some((x) => x.includes(title)), offered.filter((x) => x.includes(title)).join());
  await page.goto(`${who.base}/report?procedure=${ID}`);
  await page.locator(".kind").first().waitFor();
  check("nor by its address", (await page.locator(".report .form").count()) === 0);
}

async function theLibrarySaysSo(who) {
  const { page, hands, w } = who;
  const title = await titleOf(who);
  await hands.palette(w("nav.procedures"));
  await page.waitForURL(/\/procedures$/);
  const row = page.locator("tr.is-link", { hasText: title });
  await row.filter({ hasText: w("lib.retired") }).waitFor();  // what was read before is read anew
  check("the library shows it as retired", true);
  for (let i = 0; i < 80 && (await row.getAttribute("aria-selected")) !== "true"; i++) await hands.press("KeyJ");
  await hands.press("Enter");
  await page.locator(".proc-head .notice").waitFor();
  check("its page says since when, and starts nothing", (await page.getByRole("button", { name: w("proc.start") }).count()) === 0);
  await hands.use(w("proc.versions"));
  await page.locator(".pub-versions tbody tr").nth(1).waitFor();
  const first = await page.locator(".pub-versions tbody tr").first().textContent();
  const acts = await page.locator(".head .acts").textContent();
  check("its history names who retired it; it can be put in force again, and not retired twice",
    [w("publish.retired"), "何涛", "吴昊", "陈志远"].every((x) => first.includes(x)) && acts.includes(w("publish.reinstate")) && !acts.includes(w("publish.retire")), `${first} ${acts}`);
}

async function whatRunsGoesOn(who, number) {
  const { page, hands, w, lang } = who;
  await hands.press("KeyG");
  await hands.press("KeyI");
  await page.waitForURL(/\/incidents/);
  await hands.palette(w("nav.workbench"));
  await line(page, number).waitFor();
  for (let i = 0; i < 60 && (await line(page, number).getAttribute("aria-selected")) !== "true"; i++) await hands.press("KeyJ");
  await hands.press("Enter");
  await page.waitForURL(/\/incidents\/cas_/);
  await page.locator(".rec-head h1").waitFor();
  const id = new URL(page.url()).pathname.split("/").pop();
  const { actions, brief } = await who.get(`/cases/${id}`);
  const confirm = actions.find((a) => a.name === "confirm");
  await hands.use(confirm.title[lang]);
  await page.locator(".do-card .form").first().waitFor();
  await hands.file(await who.get(`/procedures/${brief.procedure}@${brief.version}/forms/${confirm.form}`), { decision: "确认存在，限期修复" });
  await page.locator(".toast", { hasText: w("record.did", { what: confirm.title[lang] }) }).first().waitFor();
  const after = (await who.get(`/cases/${id}`)).brief;
  check("a case begun before goes on", after.state !== brief.state && !after.closed, `${brief.state} → ${after.state}`);
  await hands.palette(w("nav.workbench"));
  await page.locator(".bench").waitFor();
  await page.waitForFunction(([n, word]) => [...document.querySelectorAll(".bench .is-link")].every((r) => !(r.textContent.includes(n) && r.textContent.includes(word))), [number, w("bench.kind.decide")]);
  check("decided, it waits for a decision no longer", true);
}
