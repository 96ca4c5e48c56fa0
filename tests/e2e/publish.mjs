// A plan revised: written with what is wrong beside it, compared, reviewed by a second person,
// approved by a third with a reason in place of a simulation, in force; then the running cases are
// tried and moved. By keyboard.
import { check } from "./stage.mjs";

export async function publishStory(stage, { lang = "zh" } = {}) {
  const he = await stage.person("he", lang);
  await write(he, lang);
  const waiting = (await he.get("/revisions?phase=in_review&id=plan.customer-leak")).items[0];
  const wu = await stage.person("wu", lang, { path: `/revisions/${waiting.id}` });
  await review(wu, waiting);
  const chen = await stage.person("chen", lang, { path: `/revisions/${waiting.id}` });
  await approve(chen, waiting);
  await migrate(chen, waiting);
  for (const who of [he, wu, chen]) {
    check(`${lang}: nobody touched a mouse`, (await who.page.evaluate(() => globalThis.mouseUsed)) === 0);
    check(`${lang}: the browser's console stayed clean`, who.noise.length === 0, who.noise.join(" | ").slice(0, 300));
  }
}

async function write(who, lang) {
  const { page, hands, w } = who;
  await hands.press("KeyG");
  await hands.press("KeyV");
  await page.waitForURL(/\/revisions$/);
  await page.locator(".list-card .tabs").waitFor();
  await hands.press("KeyC");
  await page.locator("#rv-add").waitFor();
  const one = (await who.get("/definitions?kind=procedures")).items.find((d) => d.id === "corrective-action");
  await hands.tabTo((f) => f.id === "rv-add");
  await hands.select(`${one.title[lang]} · ${one.id}`);
  await hands.use(w("publish.addDo"));
  await page.locator(".code-text").waitFor();
  await page.waitForFunction(() => document.activeElement?.classList.contains("code-text"));
  const text = () => page.locator(".code-text").inputValue();
  check(`${lang}: the text in force is there with the next version`, new RegExp(`^version: ${one.version + 1}$`, "m").test(await text()));
  await hands.press("Control+End");
  await hands.write("  nowhere: 1");
  const mistake = page.locator(".code-mistakes li");
  await mistake.first().waitFor();
  const lines = (await text()).split("\n").length;
  check(`${lang}: a mistake is told beside its line while it is typed`, (await page.locator(".code-gutter .is-wrong").first().textContent()).trim() !== "" && lines > 10, await mistake.first().textContent());
  await hands.press("Tab");
  check(`${lang}: Tab indents`, (await text()).endsWith("1  ") && (await hands.focused()).tag === "textarea");
  await hands.press("Escape");
  await hands.press("Tab");
  check(`${lang}: Escape, then Tab leaves`, (await hands.focused()).tag !== "textarea");
  await hands.press("Shift+Tab");
  for (let i = 0; i < 14; i++) await hands.press("Backspace");
  await page.locator(".code-mistakes", { hasText: w("publish.clean") }).waitFor();
  await hands.press("Control+Home");
  await hands.press("End");
  await hands.press("Enter");
  await hands.write("# 依据演练结论修订");
  await hands.press("Control+KeyS");
  await page.getByText(w("publish.needTitle")).waitFor();
  await hands.tabTo((f) => f.id === "rv-title");
  await hands.write("整改：写明依据");
  await hands.use(w("publish.save"));
  await page.waitForURL(/\/revisions\/rev_/);
  await page.locator(".diff .is-added").first().waitFor();
  check(`${lang}: what changed stands side by side`, (await page.locator(".diff .is-come").allTextContents()).some((x) => x.includes("依据演练结论修订")));
  await hands.use(w("publish.act.submit"));
  await page.locator(".pub-head .state", { hasText: w("publish.phase.in_review") }).waitFor();
  check(`${lang}: it is submitted`, true);
}

async function review(who, { id }) {
  const { page, hands, w } = who;
  await page.locator(".diff tr").first().waitFor();
  await hands.press("KeyC");
  await page.locator("#st-text").waitFor();
  await hands.press("Control+Enter");
  await page.getByText(w("publish.needText")).waitFor();
  await hands.tabTo((f) => f.id === "st-text");
  await hands.write("含到场时间，同意");
  await hands.press("Control+Enter");
  await page.locator(".timeline", { hasText: "含到场时间，同意" }).waitFor();
  await hands.use(w("publish.act.pass"));
  await page.locator("#st-text").waitFor();
  await hands.press("Control+Enter");
  await page.locator(".pub-head .state", { hasText: w("publish.phase.reviewed") }).waitFor();
  const one = await who.get(`/revisions/${id}`);
  check("a second person comments and passes it, and may not approve it", one.reviewer?.name === "吴昊" && !one.steps.find((s) => s.step === "approve").can);
}

async function approve(who, { id }) {
  const { page, hands, w } = who;
  await page.locator(".diff tr").first().waitFor();
  await hands.use(w("publish.act.approve"));
  await page.locator("#st-waiver").waitFor();
  await hands.press("Control+Enter");
  await page.getByText(w("publish.needText")).waitFor();
  await hands.tabTo((f) => f.id === "st-waiver");
  await hands.write("时限只缩短，人员不变");
  await hands.press("Control+Enter");
  await page.locator(".pub-head .state", { hasText: new RegExp(`${w("publish.phase.approved")}|${w("publish.phase.effective")}`) }).waitFor();
  for (let i = 0; i < 100 && (await who.get(`/revisions/${id}`)).revision.phase !== "effective"; i++) await page.waitForTimeout(100);
  check("a third approves with the reason why it was not simulated; it is in force", (await who.get(`/revisions/${id}`)).revision.phase === "effective");
}

async function migrate(who, { documents: [{ id }] }) {
  const { page, hands, w } = who;
  await page.goto(`${who.base}/definitions/procedures/${id}`);
  await page.locator(".pub-versions tbody tr").nth(1).waitFor();
  const first = await page.locator(".pub-versions tbody tr").first().textContent();
  check("its history names who wrote, reviewed and approved", ["何涛", "吴昊", "陈志远"].every((name) => first.includes(name)), first);
  const old = (await who.get(`/definitions/procedures/${id}`)).versions.find((v) => v.running > 0 && v.until_at);
  await hands.use(w("publish.migrateFrom", { n: old.running, version: old.version }));
  await page.waitForURL(/\/migrate\?from=/);
  await hands.use(w("publish.tryIt"));
  await page.locator(".pub-trial tbody tr").first().waitFor();
  const rows = await page.locator(".pub-trial tbody tr").count();
  check("the trial lists every running case and changes nothing", rows === old.running, `${rows} ${old.running}`);
  const moves = (await who.get(`/definitions/procedures/${id}`)).versions.find((v) => v.version === old.version).running;
  const button = (f) => f.tag === "button" && f.name.startsWith(w("publish.migrateDo", { n: "" }).trim().split(" ")[0]) && !f.disabled;
  await hands.tabTo(button);
  await hands.press("Enter");
  await page.locator("[role=dialog]").waitFor();
  await hands.tabTo((f) => f.dialog && button(f));
  await hands.press("Enter");
  await page.getByText(w("publish.migration.done")).first().waitFor();
  const after = (await who.get(`/definitions/procedures/${id}`)).versions.find((v) => v.version === old.version)?.running ?? 0;
  check("the migration moves them", after < moves, `${moves} → ${after}`);
}
