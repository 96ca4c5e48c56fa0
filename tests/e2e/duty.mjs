// Two emergencies call who is on duty, by keyboard: one call is answered and goes no further, however
// late it gets; the other is not, goes up to the next layer, and is answered there.
import { check } from "./stage.mjs";

const PLAN = "plan.unauthorised-entry";

export async function dutyStory(stage, { lang = "zh" } = {}) {
  const zheng = await stage.person("zheng", lang, { path: `/report?procedure=${PLAN}` });
  const now = (await zheng.get("/roster/now")).items;
  // Whoever comes next: a layer that nobody holds at this hour is passed by.
  const on = (...layers) => layers.map((layer) => now.find((x) => x.layer === layer)?.people[0]?.person).find(Boolean);
  const logins = Object.fromEntries((await peopleOf(stage)).map((p) => [p.id, p.login]));
  const [officer, next] = [on("officer"), on("line", "commander")];
  const mine = await fileOne(zheng, "机房后门有人尾随进入");
  const other = await fileOne(zheng, "资料室门锁被撬");
  const first = await stage.person(logins[officer.id], lang, { path: "/roster/calls" });
  const calls = async () => (await first.get("/roster/calls")).items;
  const of = async (it) => (await calls()).find((c) => c.about === it.id);
  await card(first, mine).waitFor();
  check("both call who is on duty, and say what they are about", (await of(mine)).state === "calling" && (await of(other)).state === "calling" && (await card(first, mine).textContent()).includes(officer.name), officer.name);

  await answer(first, mine);
  const shown = await card(first, mine).textContent();
  check("answered, its card says by whom, and asks nothing more", shown.includes(officer.name) && shown.includes(first.w("roster.answeredAt")) && !shown.includes(first.w("roster.goesUp")) && !shown.includes(first.w("roster.answer")), shown);

  await zheng.call("POST", "/test/clock", { jump_ms: 5 * 60_000 + 1000 });  // longer than the first layer has
  for (let i = 0; i < 60 && (await of(other)).told.length < 2; i++) await first.page.waitForTimeout(250);
  const kept = await of(mine), gone = await of(other);
  check("the one that was answered stays with them; nobody above was called", kept.state === "acknowledged" && kept.acknowledged_by.id === officer.id && kept.told.length === 1 && kept.next_at === undefined, JSON.stringify(kept));
  check("the other has gone up to the next layer", gone.state === "calling" && gone.told.length === 2 && gone.told[1].people.some((p) => p.id === next.id), JSON.stringify(gone.told));

  const second = await stage.person(logins[next.id], lang, { path: "/roster/calls" });
  await card(second, other).waitFor();
  const unasked = await card(second, mine).textContent();
  check("the next layer sees one as answered, without a button, and is called by the other", !unasked.includes(second.w("roster.answer")) && (await card(second, other).textContent()).includes(second.w("roster.answer")), unasked);
  await answer(second, other);
  const last = await of(other);
  check("answered there, it goes up no further", last.state === "acknowledged" && last.acknowledged_by.id === next.id && last.told.length === 2, JSON.stringify(last));
  for (const who of [zheng, first, second]) check("nobody touched a mouse", (await who.page.evaluate(() => globalThis.mouseUsed)) === 0 && who.noise.length === 0, who.noise.join(" | "));
}

// Whose login is whose: from the directory, as somebody who may read it sees it.
async function peopleOf(stage) {
  const li = await stage.person("li");
  const { items } = await li.get("/people?limit=200");
  await li.context.close();
  return items;
}

async function fileOne(who, summary) {
  const { page, hands } = who;
  if (!page.url().includes("/report")) await page.goto(`${who.base}/report?procedure=${PLAN}`);
  await page.locator(".report .form").first().waitFor();
  await hands.file(await who.get(`/procedures/${PLAN}/forms/urgent`), { discovered_at: "now", summary });
  await page.waitForURL(/\/incidents\/cas_/);
  const { brief } = await who.get(`/cases/${page.url().split("/").pop()}`);
  return { id: brief.id, number: brief.number };
}

const card = ({ page }, { number }) => page.locator(".cc", { hasText: number });
// To the button of that card, past those of others.
async function answer(who, { number }) {
  const { page, hands, w } = who;
  const here = () => page.evaluate((n) => document.activeElement?.closest(".cc")?.textContent.includes(n) ?? false, number);
  for (let i = 0; i < 20; i++) {
    await hands.tabTo(w("roster.answer"), "Tab", 200);
    if (await here()) break;
    await hands.press("Tab");
  }
  await hands.press("Enter");
  await page.locator(".cc", { hasText: number }).locator(".state.is-done", { hasText: w("roster.call.acknowledged") }).waitFor();
}
