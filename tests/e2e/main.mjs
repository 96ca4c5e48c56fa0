// The console's proofs in a real browser, against the real server. Each story stands in a file of
// its own; CALLWARDEN_STORIES picks some by name ("job,live") or "all"; else the usual ones run.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { accessStory } from "./access.mjs";
import { budgetStory } from "./budget.mjs";
import { deskStory } from "./desk.mjs";
import { drillStory } from "./drill.mjs";
import { dutyStory } from "./duty.mjs";
import { inputStory } from "./input.mjs";
import { mainJob } from "./job.mjs";
import { libraryStory } from "./library.mjs";
import { liveStory } from "./live.mjs";
import { publishStory } from "./publish.mjs";
import { retireStory } from "./retire.mjs";
import { rosterStory } from "./roster.mjs";
import { screensStory } from "./screens.mjs";
import { check, score, Stage, startDemo } from "./stage.mjs";

const binary = process.argv[2];
const usual = ["job", "screens", "desk", "drill", "roster", "duty", "publish", "retire", "input", "budget", "library", "live"];
const picked = process.env.CALLWARDEN_STORIES?.split(",") ?? usual;
const data = mkdtempSync(join(tmpdir(), "callwarden-e2e-"));
let demo = await startDemo(binary, join(data, "demo"));
const stage = await Stage.open(demo.base);
// So many hours later: what a day's hour decides is tried at every hour.
const ahead = Number(process.env.CALLWARDEN_AHEAD ?? 0);
if (ahead) await fetch(`${demo.base}/api/v1/test/clock`, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ jump_ms: Math.round(ahead * 3_600_000) }) });

async function story(name, tell) {
  if (!picked.includes("all") && !picked.includes(name)) return;
  try {
    await tell();
  } catch (e) {
    check(`${name}: the story ran to its end`, false, e.stack ?? String(e));
    await stage.photograph(`failed-${name}`);
  }
  await stage.clear();
}

// In a call centre of its own, where nobody planned the drill or filled the gap yet.
async function anew(name, tell) {
  const own = await startDemo(binary, join(data, name));
  try { await tell(Object.assign(Object.create(stage), { base: own.base }), own); } finally { await own.stop(); }
}

try {
  await story("job", () => mainJob(stage, { syslog: demo.syslog, lang: "zh", address: "203.0.113.99" }));
  await story("english", () => mainJob(stage, { syslog: demo.syslog, lang: "en", address: "203.0.113.98" }));
  await story("screens", () => screensStory(stage)());
  await story("desk", () => deskStory(stage, { syslog: demo.syslog }));
  await story("drill", () => drillStory(stage));
  await story("roster", () => rosterStory(stage, { syslog: demo.syslog }));
  await story("drill-english", () => anew("drill", (own) => drillStory(own, { lang: "en" })));
  await story("roster-english", () => anew("roster", (own, { syslog }) => rosterStory(own, { syslog, lang: "en" })));
  await story("duty", () => dutyStory(stage));
  await story("publish", () => publishStory(stage));
  await story("retire", () => retireStory(stage));
  await story("input", () => inputStory(stage));
  await story("budget", () => budgetStory(stage));
  await story("library", () => libraryStory(stage));
  await story("access", () => accessStory(stage, { binary, data: join(data, "fresh") }));
  await story("live", async () => {
    const port = Number(new URL(demo.base).port);
    await liveStory(stage, { restart: async () => { demo = await startDemo(binary, join(data, "demo"), port, demo.syslog); }, kill: () => demo.kill() });
  });
} finally {
  await stage.close();
  await demo.stop().catch(() => {});
  rmSync(data, { recursive: true, force: true });
}
console.log(`${score.passed} passed, ${score.failed} failed`);
process.exit(score.failed ? 1 : 0);
