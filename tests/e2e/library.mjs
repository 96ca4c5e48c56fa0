// The library, by keyboard: a plan's flow, what happens when, its clocks and blank forms, a
// simulation and its picture, a playbook out and strange ones in; every flow of the library drawn.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { check } from "./stage.mjs";

const PLAN = "plan.customer-leak";

export async function libraryStory(stage) {
  const who = await stage.person("he");
  await flow(who);
  await parts(who);
  await derivation(who);
  await simulation(who);
  await playbooks(who);
  check("he never touched a mouse", (await who.page.evaluate(() => globalThis.mouseUsed)) === 0);
  await everyFlow(who);
  check("nothing broke the page's policy or failed unheard", who.noise.length === 0, who.noise.join(" | "));
  await who.context.close();
}

// Tab goes to the chosen state; Down goes on, and the words beside follow.
async function flow(who) {
  const { page, hands, w } = who;
  const plan = await who.get(`/procedures/${PLAN}`);
  await page.goto(`${who.base}/procedures/${PLAN}`);
  await page.locator("svg.flow").waitFor();
  const first = plan.states.find((s) => s.id === plan.start.to), second = plan.states[plan.states.indexOf(first) + 1];
  await hands.tabTo((f) => f.name.startsWith(first.title.zh) && f.role === "button");
  await hands.press("ArrowDown");
  const panel = page.locator(".proc h2", { hasText: second.title.zh });
  await panel.waitFor();
  const beside = await page.locator(".proc .is-sticky").textContent();
  check("the drawing goes from state to state by key, with every task and action in words beside", [...second.tasks, ...second.actions].every((x) => beside.includes(x.title.zh)), beside);
  const drawn = await page.locator("svg.flow").textContent();
  check("the drawing itself names every task", plan.states.flatMap((s) => s.tasks).every((x) => drawn.includes(x.title.zh)));
  await hands.use(w("lib.inWords"));
  const words = await page.locator(".procedure").textContent();
  check("the same in words, whole", plan.states.every((s) => words.includes(s.title.zh)) && (await page.locator("svg.flow").count()) === 0);
}

async function parts(who) {
  const { page, hands, w } = who;
  const plan = await who.get(`/procedures/${PLAN}`);
  await hands.press("Home");
  await hands.use(w("lib.tab.when"));
  await page.locator("table.rules").waitFor();
  const rules = await page.locator("table.rules").textContent();
  const told = plan.clocks.flatMap((c) => c.at.flatMap((m) => m.do.flatMap((e) => e.notify ?? []))).map((id) => plan.roles.find((r) => r.id === id).title.zh);
  const flags = plan.flags.map((f) => f.title.zh);
  check("what happens when: whom each mark tells and how it marks the case", [...told, ...flags].every((x) => rules.includes(x)), rules);
  await page.goto(`${who.base}/procedures/data-incident/clocks`);
  await page.locator("table.clocks").waitFor();
  const law = (await who.get("/procedures/data-incident")).regulations["CAC-2025-4"];
  const clocks = await page.locator("table.clocks").textContent();
  check("a clock of law names it, the article and how certain that is", clocks.includes(law.instrument.zh) && clocks.includes(w("lib.law.article", { law: law.instrument.zh, article: law.article })) && clocks.includes(w(`lib.law.${law.editions[0].certainty}`)), clocks);
  await page.goto(`${who.base}/procedures/${PLAN}/forms`);
  await page.locator(".blank").waitFor();
  const names = await page.locator(".form-list a").allTextContents();
  check("every form it asks for is there, blank", names.length === Object.keys(plan.forms).length, names.join());
  await page.goto(`${who.base}/procedures/${PLAN}/paper`);
  await page.locator(".blank").nth(names.length - 1).waitFor();
  await page.emulateMedia({ media: "print" });
  check("for paper: flow, rules, clocks and every form, without the frame", (await page.locator(".nav").isVisible()) === false && (await page.locator("svg.flow").isVisible()) && (await page.locator(".blank").count()) === names.length);
  await page.emulateMedia({ media: "screen" });
}

// Every due time of a record opens by Enter and ends at what it explains.
async function derivation(who) {
  const { page, hands, w } = who;
  const id = (await who.get("/cases?prefix=plan.&limit=1")).items[0].id;
  const record = await who.get(`/cases/${id}`);
  const due = record.tasks.filter((x) => x.state === "open" && x.due_at);
  await page.goto(`${who.base}/incidents/${id}`);
  await page.locator(".task").first().waitFor();
  const task = due[0];
  await hands.use(`${task.title.zh} ${w("clock.how")}`);
  const how = page.locator(".task-how");
  await how.waitFor();
  check("a task's due time says how it came about, with the calendar's version", (await how.textContent()).includes(w("clock.calendar", { calendar: w(`calendar.${task.explain.calendar}`), version: task.explain.calendar_version })), await how.textContent());
  check("and the last segment ends when it falls due", task.explain.segments.at(-1).to_at === task.due_at);
}

async function simulation(who) {
  const { page, hands, w } = who;
  await page.goto(`${who.base}/procedures/corrective-action/simulate`);
  await page.locator("#sim-runs").waitFor();
  await hands.use(w("lib.sim.run", { n: 200 }));
  const plot = page.locator("section:has(#p-h) svg.chart");
  await plot.waitFor({ timeout: 120_000 });
  check("the address keeps runs and seed", /runs=200&seed=1/.test(page.url()), page.url());
  const verdict = await page.locator("#v-h").textContent();
  check("it passes or fails in words", [w("lib.sim.pass"), w("lib.sim.fail")].includes(verdict), verdict);
  const once = await plot.innerHTML();
  await page.reload();
  await plot.waitFor({ timeout: 120_000 });
  check("the same seed draws the same picture", (await plot.innerHTML()) === once);
  await hands.tabTo((f) => f.tag === "summary" && f.name.includes(w("lib.sim.table")));
  await hands.press("Enter");
  const rows = page.locator("table.sim-table tbody tr");
  await rows.first().waitFor();
  const report = (await who.call("POST", "/procedures/corrective-action/simulate", { runs: 200, seed: 1, people: "house" })).body;
  check("and everything stands as a table", (await page.locator("table.sim-table").textContent()).includes(`${report.limits[0].met} / ${report.limits[0].of}`));
}

async function playbooks(who) {
  const { page, hands, w } = who;
  const folder = mkdtempSync(join(tmpdir(), "callwarden-playbook-"));
  const keep = join(folder, "own.json");
  await page.goto(`${who.base}/procedures/${PLAN}`);
  await page.locator("svg.flow").waitFor();
  await hands.tabTo((f) => f.tag === "a" && f.name === w("lib.export"));
  const [download] = await Promise.all([page.waitForEvent("download"), hands.press("Enter")]);
  await download.saveAs(keep);
  check("the export is a CACAO 2.0 playbook", JSON.parse(readFileSync(keep, "utf8")).spec_version === "cacao-2.0");
  await page.goto(`${who.base}/procedures`);
  await page.locator("#pl-h").waitFor();
  await hands.use(w("lib.import"));
  const give = async (path) => {
    await hands.tabTo((f) => f.tag === "button" && f.name === w("cacao.choose"));
    const [chooser] = await Promise.all([page.waitForEvent("filechooser"), hands.press("Enter")]);
    await chooser.setFiles(path);
    await page.locator(".report .card").first().waitFor();
  };
  await give(keep);
  await page.getByText(w("cacao.exact")).waitFor();
  check("our own comes home unchanged, its draft there to read", (await page.locator("pre.draft").textContent()).includes(`procedure: ${PLAN}`));
  const corpus = new URL("../../../shared/corpora/cacao/", import.meta.url).pathname;
  const strange = process.env.CALLWARDEN_PLAYBOOKS ?? corpus;
  const one = join(strange, "playbook--aa1898b6-5251-49b4-aeb7-fd5e912583ff.json");
  if (existsSync(one)) {
    await give(one);
    await page.locator(".notes tbody tr").first().waitFor();
    check("a playbook of OASIS's becomes a draft with a report", (await page.locator(".notes tbody tr").count()) > 0 && (await page.locator("pre.draft").textContent()).startsWith("# A draft made from"));
    const [saved] = await Promise.all([page.waitForEvent("download"), hands.use(w("cacao.saveOne"))]);
    check("and is taken away as a file", saved.suggestedFilename().endsWith(".yaml"));
  }
  const broken = JSON.parse(readFileSync(keep, "utf8"));
  const step = Object.keys(broken.workflow).find((id) => broken.workflow[id].type === "action");
  broken.workflow[step].type = "teleport";
  writeFileSync(keep, JSON.stringify(broken));
  await give(keep);
  await page.locator(".report [role=alert], .report .faults").first().waitFor();
  const refused = await page.locator(".report").textContent();
  check("an unknown type of step is refused by its name, at its place", refused.includes("teleport") && refused.includes(`/workflow/${step}/type`), refused);
  rmSync(folder, { recursive: true, force: true });
}

// All procedures, drawn at a desk and on a phone: no text leaves its box, no box the drawing. From
// one to the next as a link would, for loading the page a hundred times takes minutes.
async function everyFlow(who) {
  const { page } = who;
  const all = (await who.get("/procedures")).items;
  for (const [lang, width] of [["zh", 1366], ["en", 390]]) {
    await who.call("PUT", "/session/lang", { lang });
    await page.setViewportSize({ width, height: width > 760 ? 768 : 844 });
    const wrong = [];
    await page.goto(`${who.base}/procedures`);
    await page.locator("#pl-h").waitFor();
    for (const p of all) {
      await page.evaluate((path) => {
        document.querySelector("svg.flow")?.classList.add("is-seen");
        history.pushState({}, "", path);
        dispatchEvent(new PopStateEvent("popstate", { state: history.state }));
      }, `/procedures/${p.id}`);
      await page.locator("svg.flow:not(.is-seen) .f-state").first().waitFor();
      const found = await page.evaluate(() => [...document.querySelectorAll("svg.flow .f-state")].flatMap((g) => {
        const box = g.querySelector("rect").getBBox();
        const out = [...g.querySelectorAll("text")].filter((t) => { const b = t.getBBox(); return b.x < box.x || b.x + b.width > box.x + box.width + 1 || b.y + b.height > box.y + box.height + 2; }).map((t) => t.textContent);
        const rows = new Map();
        for (const t of g.querySelectorAll("text")) { const y = t.getAttribute("y"); rows.set(y, [...(rows.get(y) ?? []), t.getBBox()]); }
        for (const at of rows.values()) { at.sort((a, b) => a.x - b.x); for (let i = 1; i < at.length; i++) if (at[i].x < at[i - 1].x + at[i - 1].width - 1) out.push(`texts overlap at ${g.getAttribute("aria-label")}`); }
        return out;
      }));
      const states = await page.locator("svg.flow .f-state").count();
      if (states !== p.states) wrong.push(`${p.id}: ${states} of ${p.states} states`);
      if (found.length) wrong.push(`${p.id}: ${found.slice(0, 3).join("; ")}`);
    }
    check(`all ${all.length} flows are drawn, each text in its box: ${lang}, ${width}`, all.length >= 58 && wrong.length === 0, wrong.slice(0, 8).join(" | "));
  }
  await who.call("PUT", "/session/lang", { lang: "zh" });
}
