// A drill played: planned for the year, moved with a reason, begun; the participants act on its case
// by keyboard, an inject is told, a limit is missed; it is ended, scored, its finding opens a
// corrective action; an evaluator observes, the director concludes, and its report is printed. At no
// time is it taken for an emergency.
import { check } from "./stage.mjs";

const scenario = "system-attack";

export async function drillStory(stage, { lang = "zh" } = {}) {
  const he = await stage.person("he", lang);
  const title = (await he.get("/drill-scenarios")).items.find((s) => s.id === scenario).title[lang];
  const cancelled = await plan(he, "trunk");
  await cancel(he, cancelled);
  const id = await plan(he, scenario, "赵敏", "刘静");
  await move(he);
  const caseRef = await begin(he, title);

  const wang = await stage.person("wang", lang);
  await participate(wang, caseRef, title);
  await push(he, wang, 9);
  await he.page.locator(".dr-injects li.is-key").first().waitFor();
  check(`${lang}: the inject is told, on the director's line of time and over the participant's record`, true);
  await wang.page.locator(".dr-band .dr-last").waitFor();
  check(`${lang}: who takes part does not learn what is still to come`, (await wang.get(`/drills/${id}`)).injects.length === 1);
  await warRoom(wang);
  const eye = await stage.person("liu", lang);
  await observe(eye, id);
  await push(he, wang, 12);
  await he.page.locator(".dr-injects li.is-key").nth(1).waitFor();
  await end(he);
  await finding(he, id, title);
  await conclude(he, eye, id);
  await paper(he, id, lang);
  await year(he, cancelled);
  for (const who of [he, wang, eye]) {
    check(`${lang}: nobody touched a mouse`, (await who.page.evaluate(() => globalThis.mouseUsed)) === 0);
    check(`${lang}: the browser's console stayed clean`, who.noise.length === 0, who.noise.join(" | ").slice(0, 300));
  }
  return id;
}

async function push(he, wang, minutes) {
  await he.call("POST", "/test/clock", { jump_ms: minutes * 60_000 });
  await Promise.all([he.get("/session"), wang.get("/session")]);
}

// The plan of the year, then P.
async function plan(who, which, invited, evaluator) {
  const { page, hands, w, lang } = who;
  await hands.press("KeyG");
  await hands.press("KeyD");
  await page.waitForURL(/\/drills$/);
  await page.locator(".dr-months").waitFor();
  await hands.press("KeyP");
  await page.locator("#dr-scenario").waitFor();
  const one = (await who.get("/drill-scenarios")).items.find((s) => s.id === which);
  await hands.tabTo((f) => f.id === "dr-scenario");
  await hands.select(`${one.title[lang]} · ${one.plan_title[lang]}`);
  await hands.press("Control+Enter");
  await page.getByText(w("form.wrong.time")).waitFor();
  check(`${lang}: no drill without its time`, true);
  await hands.tabTo((f) => f.id === "dr-on");
  await hands.time(Math.floor((await who.now()) / 60_000) * 60_000 + 3_600_000);
  if (invited) {
    await hands.use(w("drill.invite"));
    await hands.tabTo((f) => f.id === "dr-who0");
    await hands.pick(invited);
  }
  if (evaluator) {
    await hands.use(w("drill.addEvaluator"));
    await hands.tabTo((f) => f.id === "dr-eye0");
    await hands.pick(evaluator);
  }
  await hands.press("Control+Enter");
  await page.waitForURL(/\/drills\/drl_/);
  await page.locator(".dr-head h1", { hasText: one.title[lang] }).waitFor();
  const id = page.url().split("/").pop();
  const made = await who.get(`/drills/${id}`);
  check(`${lang}: ${which} is planned; posts and teams stand with who holds them`, made.phase === "planned" && (await page.locator(".dr-roles dt").count()) === made.participants.length && (!invited || made.participants.at(-1).people[0].name === invited), JSON.stringify(made.participants.at(-1)));
  check(`${lang}: who evaluates it stands there too`, !evaluator || made.evaluators[0].name.startsWith(evaluator), JSON.stringify(made.evaluators));
  return id;
}

// An evaluator sees what is to come, and writes down what they saw of what was told.
async function observe(eye, id) {
  const { page, hands, w, lang } = eye;
  await page.goto(`${eye.base}/drills/${id}`);
  await page.locator("#ev-about").waitFor();
  const drill = await eye.get(`/drills/${id}`);
  check(`${lang}: an evaluator sees what is to come and what is expected, and takes no part`, drill.injects.length === 2 && drill.expect.length === 6 && !drill.people.some((p) => p.id === drill.evaluators[0].id), JSON.stringify(drill.people));
  await hands.press("KeyO");
  await page.waitForFunction(() => document.activeElement?.id === "ev-about");
  await hands.press("Control+Enter");
  await page.getByText(w("drill.needSeen")).waitFor();
  await hands.select(`1 · ${drill.injects[0].text[lang]}`);
  await hands.tabTo((f) => f.tag === "button" && f.name === w("drill.rating.poor"));
  await hands.press("Space");
  await hands.tabTo((f) => f.id === "ev-text");
  await hands.write("通知后八分钟无人核对来源地址");
  await hands.press("Control+Enter");
  await page.locator(".dr-observed li", { hasText: "无人核对来源地址" }).waitFor();
  const { observations } = await eye.get(`/drills/${id}`);
  check(`${lang}: an observation is rated and kept, about the inject that was told`, observations.length === 1 && observations[0].rating === "poor" && observations[0].about === "inject:1", JSON.stringify(observations));
}

// The director concludes once; then the drill is archived.
async function conclude(who, eye, id) {
  const { page, hands, w, lang } = who;
  await page.locator(".dr-observed li").first().waitFor();
  await hands.press("KeyC");
  await page.locator("#co-text").waitFor();
  await hands.press("Control+Enter");
  await page.getByText(w("drill.needGrade")).waitFor();
  await hands.tabTo((f) => f.tag === "button" && f.name === w("drill.grade.pass"));
  await hands.press("Space");
  await hands.tabTo((f) => f.id === "co-text");
  await hands.write("处置有序，核对来源偏慢");
  await hands.tabTo((f) => f.id === "co-revise");
  await hands.press("Space");
  await hands.press("Control+Enter");
  await page.locator(".dr-verdict .dr-grade", { hasText: w("drill.grade.pass") }).waitFor();
  const drill = await who.get(`/drills/${id}`);
  check(`${lang}: the conclusion opens a corrective action for the poor observation and one to revise the plan`, !!drill.observations[0].finding && !!drill.conclusion.finding && drill.conclusion.revise && (await page.locator(".dr-eval a.id").count()) === 2, JSON.stringify(drill.conclusion));
  await eye.page.locator(".dr-verdict").waitFor();
  check(`${lang}: the evaluator sees it at once, and nothing more can be added`, (await eye.page.locator("#ev-about").count()) === 0);
}

async function cancel(who) {
  const { page, hands, w } = who;
  await hands.use(w("drill.act.cancel"));
  await page.locator("#ch-why").waitFor();
  await hands.press("Control+Enter");
  await page.getByText(w("drill.needReason")).waitFor();
  await hands.tabTo((f) => f.id === "ch-why");
  await hands.write("与真实故障处置冲突");
  await hands.press("Control+Enter");
  await page.locator(".dr-head .state.is-none").waitFor();
  check("a drill is cancelled with its reason, and not without", (await page.getByText("与真实故障处置冲突").count()) > 0);
}

async function move(who) {
  const { page, hands, w } = who;
  await hands.press("KeyM");
  await page.locator("#ch-on").waitFor();
  await hands.tabTo((f) => f.id === "ch-on");
  await hands.time(Math.floor((await who.now()) / 60_000) * 60_000 + 7_200_000);
  await hands.tabTo((f) => f.id === "ch-why");
  await hands.write("等值班长到岗");
  await hands.press("Control+Enter");
  await page.locator(".dr-head .tag", { hasText: w("drill.moved") }).waitFor();
  check("a drill is moved with its reason", (await page.getByText("等值班长到岗").count()) > 0);
}

async function begin(who, title) {
  const { page, hands } = who;
  await hands.press("KeyB");
  await page.locator("[role=dialog]").waitFor();
  await hands.press("Control+Enter");
  await page.locator(".dr-head .drill").waitFor();
  const drill = await who.get(`/drills/${page.url().split("/").pop()}`);
  check("it begins: its case has a number of drills", /^D-/.test(drill.case_ref.number) && drill.people.length > 3, JSON.stringify(drill.case_ref));
  check("the frame's band of emergencies does not name it", !(await page.locator("aside.band").allTextContents()).join().includes(title));
  return drill.case_ref;
}

// An act of the record: chosen in the palette, its form filled in.
async function participate(who, { id, number }, title) {
  const { page, hands, w, lang } = who;
  await hands.palette(number);
  await page.waitForURL((url) => url.pathname === `/incidents/${id}`);
  await page.locator(".dr-band", { hasText: title }).waitFor();
  check("its record says that it is a drill, and which", (await page.locator(".dr-band .dr-word").textContent()) === w("case.drill"));
  await page.locator("li.task").first().waitFor();
  await hands.press("KeyE");
  await page.locator("li.task.is-done").first().waitFor();
  const record = await who.get(`/cases/${id}`);
  const item = record.actions.find((a) => a.name === "activate");
  await hands.palette(item.title[lang]);
  await page.locator(".do-card .form").first().waitFor();
  const schema = await who.get(`/procedures/${record.brief.procedure}@${record.brief.version}/forms/${item.form}`);
  await hands.file(schema, { severity: "III", kind: "guess", service: "normal", grade: "general", people: 0, operator: "other", hazard: "low", grounds: "演练：同一地址段持续猜测口令" });
  await page.locator(".toast", { hasText: w("record.did", { what: item.title[lang] }) }).first().waitFor();
  check("participants act on it as on any case: acknowledged with E, activated", true);
}

async function warRoom(who) {
  const { page, hands } = who;
  await hands.press("KeyW");
  await page.waitForURL(/\/war\/cas_/);
  await page.locator(".war.is-drill .dr-band").waitFor();
  const dark = await page.evaluate(() => getComputedStyle(document.querySelector(".war-top")).backgroundColor);
  const band = await page.evaluate(() => { const b = document.createElement("div"); b.className = "band"; document.body.append(b); const c = getComputedStyle(b).backgroundColor; b.remove(); return c; });
  check("its war room has another face than an emergency's", dark !== band, `${dark} ${band}`);
}

async function end(who) {
  const { page, hands } = who;
  await hands.press("KeyE");
  await page.locator("[role=dialog]").waitFor();
  await hands.press("Control+Enter");
  await page.locator(".dr-score tbody tr").first().waitFor();
  const drill = await who.get(`/drills/${page.url().split("/").pop()}`);
  const missed = drill.lines.filter((l) => !l.met), met = drill.lines.filter((l) => l.met);
  check("it is scored line by line: what was done in time, what was missed", missed.length > 0 && met.length > 1 && drill.percent === Math.floor((met.length / drill.lines.length) * 100), JSON.stringify(drill.lines.map((l) => [l.id, l.met])));
  check("each missed line has its corrective action", missed.every((l) => l.finding) && (await page.locator(".dr-score tr.is-missed a").count()) === missed.length, JSON.stringify(missed));
}

async function finding(who, id, title) {
  const { page, hands, w } = who;
  const { lines } = await who.get(`/drills/${id}`);
  const { finding: action } = lines.find((l) => l.finding);
  const number = (await page.locator(".dr-score tr.is-missed a").first().textContent()).trim();
  await hands.use(number);
  await page.waitForURL(/\/incidents\/cas_/);
  await page.locator(".rec-head h1").waitFor();
  check("a corrective action is a live case, not a drill", (await page.locator(".dr-band").count()) === 0 && !number.startsWith("D-") && lines.some((l) => l.finding?.number === number), `${number} ${JSON.stringify(action)}`);
  await hands.tabTo((f) => f.tag === "a" && f.name.startsWith(w("record.tab.links")));
  await hands.press("Enter");
  await hands.use(title);
  await page.waitForURL((url) => url.pathname === `/drills/${id}`);
  check("and it leads back to the drill that found it", true);
}

async function paper(who, id, lang) {
  const { page, hands, w } = who;
  await page.locator(".dr-score tbody tr").first().waitFor();
  await hands.tabTo(w("drill.print"));
  const [sheet] = await Promise.all([who.context.waitForEvent("page"), hands.press("Enter")]);
  await sheet.locator("h1").waitFor();
  const text = await sheet.locator("body").innerText();
  const { percent } = await who.get(`/drills/${id}`);
  check("its report is printed, marked as a drill, with the score", text.includes(lang === "zh" ? "演练报告" : "Drill report") && text.includes(`${percent} / 100`) && ["无人核对来源地址", "处置有序，核对来源偏慢"].every((x) => text.includes(x)) && (await sheet.locator(".drill").count()) === 1, text.slice(0, 300));
  await sheet.close();
}

async function year(who) {
  const { page, hands, w } = who;
  await hands.press("KeyG");
  await hands.press("KeyD");
  await page.locator(".dr-table tbody tr.is-link").first().waitFor();
  const rows = await page.locator(".dr-table tbody tr.is-link").allTextContents();
  check("the year shows what ended with its score and what was cancelled with its reason", rows.some((r) => r.includes(w("drill.phase.ended"))) && rows.some((r) => r.includes("与真实故障处置冲突")), rows.join(" | "));
  const { items } = await who.get("/drill-coverage");
  const done = items.filter((l) => l.ended > 0).length;
  const broken = items.find((l) => l.scenarios.includes(scenario));
  check("coverage calls what was ended before its time broken off, does not count it, and lists what is missing", broken.state === "broken-off" && broken.ended === 0 && (await page.locator(".list .state", { hasText: w("drill.cover.broken-off") }).count()) > 0 && (await page.getByText(`${done} / ${items.length}`).count()) > 0, JSON.stringify(broken));
}
