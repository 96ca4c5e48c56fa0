// A roster day, by keyboard alone: the gap is seen and filled, a swap is asked for, consented and
// approved, a shift is handed over with two signatures, a call is answered.
import { attack, check, chinese, password, signIn, written } from "./stage.mjs";

const people = { 王建国: "wang", 赵敏: "zhao", 郑洁: "zheng", 冯磊: "feng", 马丽: "ma", 高翔: "gao", 林晓: "lin" };
const line = (items) => items.find((x) => x.layer === "line");

export async function rosterStory(stage, { syslog, lang = "zh" }) {
  const lead = lang === "en" ? await atTheDoor(stage) : await stage.person("wang", lang);
  theirs = await written(lead);
  try {
    await gapIsFilled(lead);
    await gridIsWalked(lead);
    await swapIsMade(stage, lead);
    await qualificationIsGranted(lead);
    await definitionIsRefused(lead);
    await unused(lead);
    await shiftIsHandedOver(stage, lead);
    await callIsAnswered(stage, syslog, lang);
  } catch (e) {
    await stage.photograph("failed-roster");
    throw e;
  }
}

const unused = async (who) => check(`${who.login ?? "the lead"} never touched a mouse`, (await who.page.evaluate(() => globalThis.mouseUsed)) === 0);
// A language that is chosen at the door is kept: it is still there when the page is loaded anew.
async function atTheDoor(stage) {
  const who = await stage.seat("en", { locale: "zh-CN" });
  const { page, hands } = who;
  await page.goto(who.base + "/");
  await page.locator("#lg-login").waitFor();
  const before = await page.evaluate(() => document.documentElement.lang);
  await hands.use("English");
  await hands.tabTo((f) => f.id === "lg-login", "Shift+Tab");
  await signIn(who, "wang", password);
  await page.reload();
  await page.locator("main#main").waitFor();
  const after = await page.evaluate(() => document.documentElement.lang);
  check("a language chosen at the door stays", before === "zh-CN" && after === "en" && (await who.get("/session")).lang === "en", `${before} → ${after}`);
  return who;
}
// In English, nothing on the screen is left in Chinese but what people wrote.
let theirs = [];
async function told(who, where) {
  if (who.lang !== "en") return;
  const found = await chinese(who, theirs);
  check(`nothing is left in Chinese: ${where}`, found.length === 0, found.slice(0, 8).join(" | "));
}
const closed = (page) => page.locator("[role=dialog]").waitFor({ state: "detached" });

async function gapIsFilled(who) {
  const { page, hands, w } = who;
  await hands.palette(w("nav.roster"));
  await page.waitForURL(/\/roster/);
  await page.locator(".dg td").first().waitFor();
  await page.locator(".gs.is-gap").waitFor();
  const gaps = await page.locator(".gs").textContent();
  check("the gap of the days ahead is said first, with who is away", gaps.includes(w("roster.missing", { n: 1 })) && gaps.includes("高翔"), gaps);
  check("who holds which post now stands beside it, with a telephone", (await page.locator(".dn-who").count()) >= 3 && (await page.locator(".dn-dial[href^='tel:+86']").count()) >= 3);
  await hands.use(w("roster.fill"));
  await page.locator(".sp-gap").waitFor();
  await hands.use(w("roster.assign"));
  await page.locator("#as-in").waitFor();
  await hands.press("Control+Enter");
  await page.locator(".field.is-wrong #as-in").waitFor();
  check("nobody chosen is said at its field", true);
  await told(who, "a gap, and whom to call in");
  await hands.tabTo((f) => f.type === "radio");
  const chosen = (await hands.focused()).name;
  await hands.press("Space");
  await hands.press("Control+Enter");
  await closed(page);
  await page.locator(".sp-person", { hasText: chosen }).waitFor();
  const left = (await who.get("/roster/gaps?days=14")).items.filter((s) => s.missing > 0).length;
  check(`the gap is filled by ${chosen}`, left === 0, String(left));
  await told(who, "a shift");
}

async function gridIsWalked(who) {
  const { page, hands, w } = who;
  const at = () => page.evaluate(() => { const td = document.activeElement; return td.tagName === "TD" ? [td.parentElement.rowIndex, td.cellIndex] : null; });
  await hands.press("KeyT");
  await page.locator("th[aria-current=date]").waitFor();
  await page.waitForTimeout(400);
  await hands.press("Escape");
  await page.locator(".sp").waitFor({ state: "detached" });
  await hands.tabTo((f) => f.tag === "td");
  await hands.press("Home");
  const from = await at();
  await hands.press("ArrowRight");
  await hands.press("ArrowDown");
  const to = await at();
  check("arrows walk the grid", from && to && to[1] === from[1] + 1 && to[0] > from[0], JSON.stringify([from, to]));
  await hands.press("Enter");
  await page.locator(".sp-checks li").first().waitFor();
  check("Enter opens the shift with its checks, and the address names it", page.url().includes("shift=") && (await page.locator(".sp-checks li").count()) >= 5);
  await told(who, "the grid and a shift's checks");
  await hands.press("Escape");
  await page.locator(".sp").waitFor({ state: "detached" });
  await page.waitForFunction(() => document.activeElement?.tagName === "TD");
  check("Escape leads back to the same cell", JSON.stringify(await at()) === JSON.stringify(to), JSON.stringify(await at()));
  const before = await page.locator("#ro-grid-h").textContent();
  await hands.press("End");
  await hands.press("ArrowRight");
  await page.waitForFunction((was) => document.querySelector("#ro-grid-h").textContent !== was, before);
  await page.waitForFunction(() => document.activeElement?.tagName === "TD" && document.activeElement.cellIndex === 1).catch(() => {});
  check("beyond the edge lies the next week, and the focus goes along", (await at())?.[1] === 1, JSON.stringify(await at()));
  await hands.press("KeyT");
}

async function swapIsMade(stage, lead) {
  const asker = await stage.person("ma", lead.lang, { path: "/roster/mine" });
  const { page, hands, w } = asker;
  await page.locator(".table tbody tr").first().waitFor();
  await hands.use(w("roster.swap"));
  await page.locator("#sw-who .choice").first().waitFor();
  await told(asker, "whom to swap with");
  await hands.tabTo((f) => f.type === "radio");
  const partner = people[(await hands.focused()).name.split(" ")[0]];
  await hands.press("Space");
  await hands.press("Control+Enter");
  await closed(page);
  const swap = async (state) => (await asker.get("/roster/mine")).swaps.find((s) => s.state === state);
  const asked = await swap("asked");
  check(`a swap is asked of ${partner}`, asked !== undefined);
  const other = await stage.person(partner, lead.lang, { path: "/roster/mine" });
  await other.page.locator(".sl").first().waitFor();
  await other.hands.use(w("roster.consent"));
  await other.page.waitForFunction((words) => [...document.querySelectorAll(".sl .state")].some((s) => s.textContent === words), w("roster.swapState.consented"));
  check("the other consents", (await swap("consented"))?.id === asked.id);
  await told(other, "a swap that somebody consented to");
  await unused(other);
  await other.context.close();
  await hands.tabTo(w("roster.withdrawSwap"));
  check("who asked may still withdraw, and not approve", (await page.getByText(w("roster.approveSwap")).count()) === 0);
  await unused(asker);

  await lead.hands.use(w("roster.tab.mine"), 200);
  await lead.page.locator(".sl", { hasText: "马丽" }).first().waitFor();
  await lead.hands.use(w("roster.approveSwap"), 200);
  await lead.page.getByText(w("roster.swapDid.decide")).first().waitFor();
  await told(lead, "a swap that is approved");
  const approved = await swap("approved");
  check("a third person approves", approved?.id === asked.id, JSON.stringify(approved?.state));
  const shift = (await asker.get(`/roster/shift?shift=${asked.shift.key}&org=${asked.shift.org}`)).shift;
  check("the shift is the other's from then on", shift.people.some((p) => p.why === "swap" && people[p.person.name] === partner), JSON.stringify(shift.people));
  await asker.context.close();
}

async function qualificationIsGranted(who) {
  const { page, hands, w } = who;
  await hands.use(w("roster.tab.qualifications"), 200);
  await page.locator(".table tbody tr").first().waitFor();
  await hands.use(w("roster.qualify"), 200);
  await page.locator("#qf-who").waitFor();
  await hands.tabTo(w("people.name"));
  await hands.pick("沈冰");
  await hands.tabTo(w("roster.qualification"));
  await hands.text("Duty!");
  await hands.use(w("roster.qualifyDo"));
  await page.locator(".field.is-wrong #qf-id").waitFor();
  check("a refused name is said at its field", true);
  await told(who, "qualifications");
  await hands.tabTo(w("roster.qualification"), "Shift+Tab");
  await hands.text("duty");
  await hands.use(w("roster.qualifyDo"));
  await closed(page);
  await page.locator(".table tbody tr", { hasText: "沈冰" }).waitFor();
  check("a qualification is granted", true);
}

async function definitionIsRefused(who) {
  const { page, hands, w } = who;
  await hands.use(w("roster.tab.plans"), 200);
  await page.locator(".plan-table tbody tr").first().waitFor();
  await hands.use(w("roster.planNew"), 200);
  await page.locator("#pl-src").waitFor();
  await hands.tabTo(w("roster.definition"));
  await hands.text(["roster: x", "version: 0"]);
  await hands.use(w("roster.read"));
  await page.locator(".plan-wrong li").first().waitFor();
  const place = w("roster.place", { line: 2, column: 10 });
  await hands.tabTo(place, "Shift+Tab");
  await hands.press("Enter");
  await page.waitForFunction(() => document.activeElement?.id === "pl-src" && document.activeElement.selectionStart === 19);
  check("a definition's mistakes are named, and each leads to its line and column", true);
  await told(who, "a definition with mistakes");
  await hands.use(w("act.cancel"), 200);
  await page.locator(".plan-table tbody tr").first().waitFor();
}

async function shiftIsHandedOver(stage, lead) {
  const { w } = lead;
  const now = async () => line((await lead.get("/roster/now")).items);
  const jump = (ms) => lead.call("POST", "/test/clock", { jump_ms: Math.round(ms) });
  // To half an hour before the end of a shift that nobody handed over yet, and that another takes over.
  let duty = await now();
  const fits = async () => duty.next[0].name !== duty.people[0].person.name && (await lead.get(`/roster/shift?shift=${duty.shift}`)).shift.handover === "none";
  for (let i = 0; i < 3 && !(await fits()); i++) {
    await jump(duty.to_at - (await lead.now()) + 60_000);
    duty = await now();
  }
  await jump(Math.max(0, duty.to_at - 30 * 60_000 - (await lead.now())));
  const out = await stage.person(people[duty.people[0].person.name], lead.lang, { path: "/roster/handover" });
  await out.page.locator("#ho-text").waitFor();
  const open = await out.page.locator(".ho-items li").count();
  const seen = (await out.get(`/roster/handover?shift=${duty.shift}&org=${duty.org}`)).open.length;
  check("what is open is filled in from the records", open === seen && open > 0, `${open} of ${seen}`);
  await out.hands.tabTo(w("roster.handoverText"));
  await out.hands.press("Control+Enter");
  await out.page.locator(".field.is-wrong #ho-text").waitFor();
  check("nothing said is refused at its field", true);
  await told(out, "a handover");
  await out.hands.write("外呼线路已切换到备用中继；3 号坐席话机待修，已报修。");
  await out.hands.press("Control+Enter");
  await out.page.getByText(w("roster.signedOut")).first().waitFor();
  await out.page.locator(".ho-signs .is-signed").first().waitFor();
  const signed = (await out.get(`/roster/handover?shift=${duty.shift}&org=${duty.org}`)).shift.handover;
  check("who hands over has signed, and for the shift that ends now", (await out.page.locator(".ho-signs .is-signed").count()) === 1 && signed === "waiting", signed);
  await unused(out);
  await out.context.close();

  const next = await stage.person(people[duty.next[0].name], lead.lang, { path: "/roster/handover" });
  await next.page.locator(".ho-text", { hasText: "3 号坐席话机待修" }).waitFor();
  await next.hands.use(w("roster.signIn"), 200);
  await next.page.waitForFunction(() => document.querySelectorAll(".ho-signs .is-signed").length === 2);
  await told(next, "a handover that both signed");
  const both = (await next.get(`/roster/handover?shift=${duty.shift}&org=${duty.org}`));
  check("who takes over has read and signed: two signatures", both.shift.handover === "signed" && both.incoming.name === duty.next[0].name && both.items.length === seen, JSON.stringify(both.incoming));
  await unused(next);
  await next.context.close();
}

async function callIsAnswered(stage, syslog, lang) {
  const reader = await stage.person("li", lang);
  const officer = (await reader.get("/roster/now")).items.find((x) => x.layer === "officer").people[0].person;
  await attack(syslog, "203.0.113.71", await reader.now());
  const calling = async () => (await reader.get("/roster/calls")).items.find((c) => c.state === "calling");
  for (let i = 0; i < 60 && !(await calling()); i++) await reader.page.waitForTimeout(500);
  const call = await calling();
  if (!check("an urgent alert calls who is on duty", call !== undefined)) return;
  await reader.context.close();
  const who = await stage.person(people[officer.name], lang, { path: "/roster/calls" });
  const { page, hands, w } = who;
  await page.locator(".cc.is-calling").first().waitFor();
  check("the call says what it is about and when it goes up", /\d\d:\d\d/.test(await page.locator(".cc.is-calling .cc-left").first().textContent()));
  await told(who, "a call");
  for (let i = 0; i < 8; i++) {  // every call to them, the newest first
    const one = (await who.get("/roster/calls")).items.find((c) => c.id === call.id);
    if (one.state !== "calling") break;
    await hands.use(w("roster.answer"), 200);
    await page.waitForTimeout(700);
  }
  const done = (await who.get("/roster/calls")).items.find((c) => c.id === call.id);
  check("answering takes it, and it goes up no further", done.state === "acknowledged" && done.acknowledged_by.id === officer.id && done.next_at === undefined, JSON.stringify(done));
  await unused(who);
  await who.context.close();
}
