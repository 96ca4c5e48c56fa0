// Plans revised, by keyboard: written with what is wrong beside it, simulated, compared, reviewed by
// a second person, approved by a third. One passed its simulation; of the other it is said why it was
// not simulated. Who waits for whom lies in each one's list; what others do shows by itself. In the
// end the running cases are tried and moved.
import { check } from "./stage.mjs";

export async function publishStory(stage, { lang = "zh" } = {}) {
  const he = await stage.person("he", lang);
  const fix = await write(he, lang);
  const leak = (await he.get("/revisions?phase=in_review&id=plan.customer-leak")).items[0];
  const wu = await stage.person("wu", lang, { path: "/revisions?view=mine" });
  const chen = await stage.person("chen", lang, { path: "/revisions?view=mine" });
  await chen.page.getByText(chen.w("publish.none.mine")).waitFor();
  check("nothing waits for who approves, and the list says so", (await waiting(chen)).length === 0);
  const lies = await waiting(wu);
  check("both wait for who reviews", lies.length === 2 && lies.every((x) => x.includes(wu.w("publish.next.pass"))), lies.join(" | "));

  await open(wu, leak.title);
  await review(wu, leak);
  await approve(chen, leak);
  await mine(chen);
  await chen.page.getByText(chen.w("publish.none.mine")).waitFor();
  check("decided, it waits no longer", (await waiting(chen)).length === 0);
  await seenByItself(wu, chen, fix);
  await approveSimulated(chen, fix);
  await mine(wu);
  await wu.page.getByText(wu.w("publish.none.mine")).waitFor();
  check("the reviewer's list is empty, too", (await waiting(wu)).length === 0);

  await histories(chen, leak, fix);
  await migrate(chen, leak);
  for (const who of [he, wu, chen]) {
    check(`${lang}: nobody touched a mouse`, (await who.page.evaluate(() => globalThis.mouseUsed)) === 0);
    check(`${lang}: the browser's console stayed clean`, who.noise.length === 0, who.noise.join(" | ").slice(0, 300));
  }
}

// What waits for whoever sits there, as their list shows it.
const waiting = async ({ page, w }) => {
  await page.locator(".list-card .tabs [aria-current=page]", { hasText: w("publish.view.mine") }).waitFor();
  await page.waitForFunction(() => document.querySelector(".list-card .empty, .pub-table"));
  return page.locator(".pub-table tbody tr").allTextContents();
};
async function mine({ page, hands, w }) {
  await hands.press("KeyG");
  await hands.press("KeyV");
  await page.waitForURL(/\/revisions$/);
  await page.locator(".list-card .tabs").waitFor();
  await hands.use(w("publish.view.mine"));
  await page.waitForURL(/view=mine/);
}
// Down the list to the one that is meant, and into it.
async function open({ page, hands }, title) {
  const row = page.locator(".pub-table tbody tr", { hasText: title });
  await row.waitFor();
  await hands.press("KeyK");  // Enter is the lit row's from here on, not that of what was used before
  for (let i = 0; i < 30 && (await row.getAttribute("aria-selected")) !== "true"; i++) await hands.press("KeyJ");
  await hands.press("Enter");
  await page.waitForURL(/\/revisions\/rev_/);
  await page.locator(".diff tr").first().waitFor();
}
const isNow = ({ page, w }, phase) => page.locator(".pub-head .state", { hasText: w(`publish.phase.${phase}`) }).waitFor();

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
  await page.getByText(w("publish.simNone")).waitFor();
  await hands.press("KeyS");
  await page.locator("#st-runs").waitFor();
  await hands.tabTo((f) => f.id === "st-runs");
  await hands.select("100");
  await hands.press("Control+Enter");
  await page.locator(".facts", { hasText: w("publish.simPass") }).waitFor();
  check(`${lang}: simulated on exactly this text, it passes`, true);
  await hands.use(w("publish.act.submit"));
  await isNow(who, "in_review");
  check(`${lang}: it is submitted`, true);
  return (await who.get(`/revisions/${page.url().split("/").pop()}`)).revision;
}

async function review(who, { id }) {
  const { page, hands, w } = who;
  await hands.press("KeyC");
  await page.locator("#st-text").waitFor();
  await hands.press("Control+Enter");
  await page.getByText(w("publish.needText")).waitFor();
  await hands.tabTo((f) => f.id === "st-text");
  await hands.write("含到场时间，同意");
  await hands.press("Control+Enter");
  await page.locator(".timeline", { hasText: "含到场时间，同意" }).waitFor();
  await pass(who);
  const one = await who.get(`/revisions/${id}`);
  check("a second person comments and passes it, and may not approve it", one.reviewer?.name === "吴昊" && !one.steps.find((s) => s.step === "approve").can);
}
async function pass(who) {
  await who.hands.use(who.w("publish.act.pass"));
  await who.page.locator("#st-text").waitFor();
  await who.hands.press("Control+Enter");
  await isNow(who, "reviewed");
}

// Whoever has the list open is told that it grew, and sees it when asked for.
async function approve(who, { id, title }) {
  const { page, hands, w } = who;
  await page.locator("button.news").waitFor();
  await hands.tabTo((f) => f.tag === "button" && new RegExp(w("state.news", { n: "\\d+" })).test(f.name));
  await hands.press("Enter");
  await page.locator(".pub-table tbody tr").first().waitFor();
  const lies = await waiting(who);
  check("what passed its review waits for who approves", lies.length === 1 && lies[0].includes(title) && lies[0].includes(w("publish.next.approve")), lies.join(" | "));
  await open(who, title);
  await hands.use(w("publish.act.approve"));
  await page.locator("#st-waiver").waitFor();
  await hands.press("Control+Enter");
  await page.getByText(w("publish.needText")).waitFor();
  await hands.tabTo((f) => f.id === "st-waiver");
  await hands.write("时限只缩短，人员不变");
  await hands.press("Control+Enter");
  check("a third approves with the reason why it was not simulated; it is in force", await inForce(who, id));
}
async function inForce({ page, get, w }, id) {
  await page.locator(".pub-head .state", { hasText: new RegExp(`${w("publish.phase.approved")}|${w("publish.phase.effective")}`) }).waitFor();
  for (let i = 0; i < 100 && (await get(`/revisions/${id}`)).revision.phase !== "effective"; i++) await page.waitForTimeout(100);
  return (await get(`/revisions/${id}`)).revision.phase === "effective";
}

// One reads a revision while another passes it: it turns on the screen, nobody loads anything.
async function seenByItself(actor, reader, { id, title }) {
  const { page, hands, w } = reader;
  await hands.use(w("publish.view.open"));
  await open(reader, title);
  await page.evaluate(() => { globalThis.sameAsBefore = true; });
  await isNow(reader, "in_review");
  const offered = () => page.getByRole("button", { name: w("publish.act.approve"), exact: false }).count();
  const before = await offered();
  await mine(actor);
  await open(actor, title);
  await pass(actor);
  await isNow(reader, "reviewed");
  await page.locator(".timeline li").first().waitFor();
  const told = await page.locator(".timeline li").first().textContent();
  check("another's step shows by itself: the state, who did it, and what may be done now",
    (await page.evaluate(() => globalThis.sameAsBefore)) && page.url().endsWith(id) && before === 0 && (await offered()) === 1 && told.includes("吴昊"), `${before} ${await offered()} ${told}`);
}

async function approveSimulated(who, { id }) {
  const { page, hands, w } = who;
  await hands.use(w("publish.act.approve"));
  await page.locator("#st-on").waitFor();
  const asked = await page.locator("[role=dialog]").textContent();
  check("no reason is asked where the simulation passed", (await page.locator("#st-waiver").count()) === 0 && asked.includes(w("publish.simPass")), asked);
  await hands.press("Control+Enter");
  check("approved without one, it is in force", (await inForce(who, id)) && !(await who.get(`/revisions/${id}`)).waiver);
}

async function histories(who, leak, fix) {
  const { page, w } = who;
  const latest = async ({ documents: [{ kind, id }] }) => {
    await page.goto(`${who.base}/definitions/${kind}/${id}`);
    await page.locator(".pub-versions tbody tr").nth(1).waitFor();
    return page.locator(".pub-versions tbody tr").first().textContent();
  };
  const simulated = await latest(fix);
  check("the history of one says that its simulation passed", simulated.includes(w("publish.simPass")) && !simulated.includes(w("publish.waiver")), simulated);
  const excused = await latest(leak);
  check("that of the other says why there was none, and who wrote, reviewed and approved", ["何涛", "吴昊", "陈志远", "时限只缩短，人员不变"].every((said) => excused.includes(said)), excused);
  const parts = await page.locator(".diff-parts").textContent();
  check("the limit that changed is told in words", parts.includes("4 小时") && parts.includes("2 小时") && !parts.includes("{"), parts);
}

async function migrate(who, { documents: [{ id }] }) {
  const { page, hands, w } = who;
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
