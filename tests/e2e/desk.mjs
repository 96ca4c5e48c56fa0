// The daily work around the main job, by keyboard: a view of one's own, a silence with its reason,
// an alert set aside, what the ledger proves and exports.
import { readFileSync, statSync } from "node:fs";
import { attack, check } from "./stage.mjs";

export async function deskStory(stage, { syslog }) {
  const who = await stage.person("wang");
  await views(who);
  await silences(who, syslog);
  check("wang never touched a mouse", (await who.page.evaluate(() => globalThis.mouseUsed)) === 0);
  await who.context.close();
  await ledger(await stage.person("liu"));
}

async function views(who) {
  const { page, hands, w } = who;
  await hands.press("KeyG");
  await hands.press("KeyI");
  await page.locator(".inc-table tbody tr").first().waitFor();
  await hands.tabTo((f) => f.tag === "select" && f.name === w("col.procedure"));
  await hands.select("客户信息泄露应急预案");
  await page.waitForURL(/procedure=plan\.customer-leak/);
  await hands.use(w("inc.saveView"));
  await page.locator("#view-name").waitFor();
  await hands.write("泄露");
  await hands.press("Enter");
  await page.locator("[role=dialog]").waitFor({ state: "detached" });
  const tab = page.locator(".tabs a[aria-current=page]");
  await tab.locator(".n").waitFor();
  check("a view is saved, chosen and counted", /^泄露\s*\d+$/.test((await tab.textContent()).trim()), await tab.textContent());
  await page.reload();
  await tab.locator(".n").waitFor();
  check("its address says all: after a reload it stands", (await tab.textContent()).includes("泄露"));
  await hands.use(w("inc.dropView"));
  await page.waitForFunction(() => ![...document.querySelectorAll(".tabs a")].some((a) => a.textContent.includes("泄露")));
  await hands.tabTo((f) => f.tag === "input" && f.name === w("inc.number"));
  await hands.write("ZZ-0000");
  await hands.press("Enter");
  await page.getByText(w("inc.emptyFiltered")).waitFor();
  check("an empty list says why, and one way on", (await page.getByText(w("inc.clear")).count()) > 0);
}

async function silences(who, syslog) {
  const { page, hands, w } = who;
  await page.goto(who.base + "/alerts");
  await page.locator(".split-items").waitFor();
  await attack(syslog, "203.0.113.77", await who.now());
  const item = page.locator(".split-item", { hasText: "203.0.113.77" });
  await page.locator("button.news").waitFor();
  await hands.tabTo((f) => f.tag === "button" && new RegExp(w("state.news", { n: "\\d+" })).test(f.name));
  await hands.press("Enter");
  await item.first().waitFor();
  const current = () => page.evaluate(() => document.querySelector(".split-item[aria-current=true]")?.textContent ?? "");
  for (let i = 0; i < 40 && !(await current()).includes("203.0.113.77"); i++) await hands.press(i ? "KeyJ" : "KeyK");
  await page.locator(".split-preview mark", { hasText: "203.0.113.77" }).first().waitFor();
  const title = (await page.locator(".split-preview h1").textContent()).trim();
  await hands.press("KeyS");
  await page.locator("#si-why").waitFor();
  await page.getByText(/\d+ 条被涵盖/).waitFor();
  await hands.press("Control+Enter");
  await page.getByText(w("alert.needReason")).waitFor();
  check("no silence without a reason", true);
  await hands.tabTo(w("alert.reason"));
  await hands.write("渗透测试，已获准");
  await hands.press("Control+Enter");
  await page.locator("[role=dialog]").waitFor({ state: "detached" });
  await page.goto(who.base + "/alerts?view=silences");
  await page.getByText("渗透测试，已获准").waitFor();
  check("the silence is listed with its reason, its person and its end", /王建国/.test(await page.locator(".split-items li").first().textContent()), title);
  await hands.use(w("alert.lift"));
  await page.getByText(w("alert.noSilences")).waitFor();
  check("and lifted", true);
  // Set aside with a disposition and a reason; then it stands among what was done.
  await page.goto(who.base + "/alerts");
  await item.first().waitFor();
  for (let i = 0; i < 40 && !(await current()).includes("203.0.113.77"); i++) await hands.press(i ? "KeyJ" : "KeyK");
  await page.locator(".split-preview mark", { hasText: "203.0.113.77" }).first().waitFor();
  const before = await item.count();
  await hands.press("KeyX");
  await page.locator("#ds-why").waitFor();
  await hands.tabTo((f) => f.type === "radio");
  await hands.radio(w("alert.disposition.expected"));
  await hands.tabTo(w("alert.reason"));
  await hands.write("测试所致");
  await hands.press("Control+Enter");
  await page.locator("[role=dialog]").waitFor({ state: "detached" });
  await page.waitForFunction((n) => [...document.querySelectorAll(".split-item")].filter((x) => x.textContent.includes("203.0.113.77")).length < n, before);
  check("an alert is set aside with what it was and why", true);
}

async function ledger(liu) {
  const { page, hands, w } = liu;
  await page.goto(liu.base + "/ledger");
  await page.locator(".ledger-list tbody tr").first().waitFor();
  await hands.press("KeyV");
  await page.locator(".notice.is-info").first().waitFor();
  await hands.press("KeyJ");
  await hands.press("Enter");
  await page.locator(".entry .facts").waitFor();
  // An entry that a checkpoint has already signed for.
  await page.goto(liu.base + "/ledger?entry=5");
  await page.locator(".entry .facts").waitFor();
  await hands.use(w("ledger.checkHere"));
  await page.locator(".checks li").nth(3).waitFor();
  check("an entry is proven in the browser itself", (await page.getByText(w("ledger.proven")).count()) === 1, await page.locator(".checks").textContent());
  await hands.tabTo(w("ledger.proof"), "Shift+Tab");
  const [proof] = await Promise.all([page.waitForEvent("download"), hands.press("Enter")]);
  check("its proof goes with whoever doubts", /c2sp\.org\/tlog-proof/.test(readFileSync(await proof.path(), "utf8")));
  await hands.tabTo(w("ledger.export"), "Shift+Tab");
  const [tar] = await Promise.all([page.waitForEvent("download"), hands.press("Enter")]);
  const bytes = readFileSync(await tar.path());
  check("the whole log is exported as one archive", statSync(await tar.path()).size > 10_000 && bytes.subarray(257, 262).toString() === "ustar" && bytes.includes("checkpoint"), tar.suggestedFilename());
  check("liu never touched a mouse", (await page.evaluate(() => globalThis.mouseUsed)) === 0);
  await liu.context.close();
}
