// What the console may weigh, and how fast a long list is on a slow machine.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { check } from "./stage.mjs";

const ROWS = 300, MOST_MS = 1500, SLOWER = 6;

export async function budgetStory(stage) {
  const sizes = spawnSync(process.execPath, [fileURLToPath(new URL("../../web/tools/budget.mjs", import.meta.url))], { encoding: "utf8" });
  console.log(sizes.stdout.trimEnd());
  check("the shell and every screen keep to their size", sizes.status === 0, sizes.stderr);

  const who = await stage.person("wang");
  const { page, hands, w } = who;
  // Tickets enough for a long list, filed as a machine would.
  const org = (await who.get("/session")).org.id;
  const missing = ROWS - ((await who.get("/cases?open=true&limit=1")).total ?? 0);
  const made = await page.evaluate(async ([n, where]) => {
    const { csrf, now_ms } = await (await fetch("/api/v1/session")).json();
    const one = (i) => fetch("/api/v1/cases", { method: "POST", headers: { "Content-Type": "application/json", "X-CSRF": csrf, "Idempotency-Key": `budget-${now_ms}-${i}` },
      body: JSON.stringify({ procedure: "ticket.after-sales", org: where, mode: "live", form: { subject: `宽带掉线 ${i}`, content: "晚高峰", priority: "P3" } }) });
    const out = [];
    for (let i = 0; i < n; i += 20) out.push(...await Promise.all(Array.from({ length: Math.min(20, n - i) }, (_, k) => one(i + k).then((r) => r.status))));
    return out;
  }, [missing, org]);
  if (!check(`${ROWS} cases are open`, made.every((s) => s < 300), String(made.find((s) => s >= 300)))) return;
  await page.goto(stage.base + "/incidents");
  await page.locator(".inc-table tbody tr").nth(49).waitFor();
  for (let have = 50; have < ROWS; have += 50) {
    await hands.tabTo((f) => f.tag === "button" && f.name === w("state.more"), "Shift+Tab", 400);
    await hands.press("Enter");
    await page.locator(".inc-table tbody tr").nth(Math.min(ROWS, have + 50) - 1).waitFor();
  }
  // Away and back: all rows are drawn at once.
  await hands.press("KeyG");
  await hands.press("KeyP");
  await page.waitForURL(/\/procedures/);
  const cdp = await who.context.newCDPSession(page);
  await cdp.send("Emulation.setCPUThrottlingRate", { rate: SLOWER });
  await page.evaluate((rows) => {
    globalThis.drawn = new Promise((done) => {
      const from = performance.now();
      const look = () => (document.querySelectorAll(".inc-table tbody tr").length >= rows ? requestAnimationFrame(() => setTimeout(() => done(performance.now() - from))) : requestAnimationFrame(look));
      look();
    });
    history.back();
  }, ROWS);
  const took = await page.evaluate(() => globalThis.drawn);
  await cdp.send("Emulation.setCPUThrottlingRate", { rate: 1 });
  check(`${ROWS} rows at a sixth of the speed: ${Math.round(took)} ms of ${MOST_MS}`, took < MOST_MS);
  const all = await page.locator(".inc-table tbody tr").count();
  check("all rows are there", all >= ROWS, String(all));
  await who.context.close();
}
