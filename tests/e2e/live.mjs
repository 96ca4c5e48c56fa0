// What the console knows and what it admits not to know: events as they come, a server that dies
// and returns, refusals, and a network that is gone.
import { check } from "./stage.mjs";

const problem = (status, code, detail) => ({ status, contentType: "application/problem+json", body: JSON.stringify({ type: "about:blank", status, code, title: "x", detail, request_id: "req_test" }) });

export async function liveStory(stage, { kill, restart }) {
  await errors(stage);
  const who = await stage.person("wang"), li = await stage.person("li");
  const { page, w } = who;
  await page.goto(who.base + "/incidents");
  await page.locator(".inc-table tbody tr").first().waitFor();
  await page.locator(".live:not(.is-stale)").waitFor();
  const first = () => page.locator(".inc-table tbody tr a").first().getAttribute("href");  // its text counts minutes
  const before = await first();

  // Somebody else reports: the list stays still, and says that there is more.
  const report = async (text) => {
    const s = await li.get("/session");
    return (await li.call("POST", "/cases", { procedure: "plan.system-attack", org: s.org.id, mode: "live", form: { discovered_at: new Date(s.now_ms).toISOString(), summary: text, source: "agent" } })).body;
  };
  const made = await report("机房断电");
  await page.locator("button.news").waitFor();
  check("a list never moves under the cursor: it says 有 1 条更新", (await first()) === before && (await page.locator("button.news").textContent()).includes("1"));
  await who.hands.tabTo((f) => f.tag === "button" && /更新/.test(f.name));
  await who.hands.press("Enter");
  await page.locator(".inc-table tbody tr", { hasText: made.number }).waitFor();
  check("asked, it shows it, and the notice is gone", (await page.locator("button.news").count()) === 0);

  // Two tabs share one stream: the second hears through the first.
  const second = await who.context.newPage();
  await second.goto(who.base + "/incidents");
  await second.locator(".live:not(.is-stale)").waitFor();
  await report("第二起");
  await second.locator("button.news").waitFor();
  check("another tab hears it too", (await page.locator("button.news").count()) === 1);

  // The server dies: at once the console says since when its figures stand still.
  await kill();
  await page.locator(".stale").waitFor();
  await second.locator(".stale").waitFor();
  const stopped = await page.locator(".stale b").textContent();
  check("a dead server is admitted in every tab, with the time", /\d\d:\d\d:\d\d/.test(stopped) && (await page.locator(".live.is-stale").textContent()) === w("live.stale"), stopped);
  await page.waitForTimeout(1200);
  check("the time of the loss does not move", (await page.locator(".stale b").textContent()) === stopped);
  await restart();
  await page.locator(".live:not(.is-stale)").waitFor({ timeout: 90_000 });
  check("it comes back by itself", (await page.locator(".stale").count()) === 0);
  await li.page.reload();
  await li.page.locator("main#main").waitFor();
  const third = await report("重启之后");
  await page.locator("button.news").waitFor();
  await who.hands.tabTo((f) => f.tag === "button" && /更新/.test(f.name));
  await who.hands.press("Enter");
  await page.locator(".inc-table tbody tr", { hasText: third.number }).waitFor();
  check("and what came after it is heard", true);

  // No network at all: an act fails in its place and says what is known; later it succeeds.
  await page.goto(`${who.base}/incidents/${third.id}`);
  await page.locator("li.task").first().waitFor();
  await who.context.setOffline(true);
  await who.hands.press("KeyE");
  await page.locator("main .notice[role=alert]").waitFor();
  check("without a network an act says so in its place", (await page.locator("main .notice[role=alert]").textContent()).includes(w("problem.network")));
  await who.context.setOffline(false);
  await page.locator(".stale").waitFor({ state: "detached", timeout: 90_000 });
  await who.hands.press("KeyE");
  await page.locator("li.task.is-done").first().waitFor({ timeout: 60_000 });
  check("once it is back the act is done, once", (await who.get(`/cases/${third.id}`)).tasks.filter((x) => x.name === "ack" && x.state === "done").length === 1);
  await who.context.close();
  await li.context.close();
}

async function errors(stage) {
  const who = await stage.person("wang");
  const { page, w } = who;
  let answer = problem(503, "server.busy", "服务器正忙，请稍后再试");
  await page.route("**/api/v1/cases?*", (route) => route.fulfill(answer));
  await page.goto(who.base + "/incidents");
  await page.locator("main .notice[role=alert]").waitFor({ timeout: 60_000 });
  check("503: said, with a way to try again", (await page.getByText("服务器正忙").count()) === 1 && (await page.getByRole("button", { name: w("act.retry") }).count()) > 0);
  for (const [status, code, text] of [[500, "server.error", "服务器内部错误"], [403, "forbidden", "没有查看事件的权限"]]) {
    answer = problem(status, code, text);
    await page.reload();
    await page.locator("main .notice[role=alert]", { hasText: text }).waitFor({ timeout: 60_000 });
    check(`${status}: said in words${status === 500 ? ", with the request's number" : ""}`, status !== 500 || (await page.getByText("req_test").count()) === 1);
  }
  answer = { status: 502, contentType: "text/html", body: "<html>bad gateway</html>" };
  await page.reload();
  await page.locator("main .notice[role=alert]", { hasText: w("problem.http", { status: 502 }) }).waitFor({ timeout: 60_000 });
  check("an answer that is no answer of ours is said too", true);
  await page.unroute("**/api/v1/cases?*");
  await who.hands.use(w("act.retry"));
  await page.locator(".inc-table tbody tr").first().waitFor();
  check("trying again works, by keyboard", true);
  await page.goto(who.base + "/incidents/cas_00000000000000000000000000");
  await page.locator("main .notice[role=alert]").waitFor({ timeout: 60_000 });
  check("404: a record that is not there says so", !/undefined|\[object/.test(await page.locator("main").innerText()));
  await page.goto(who.base + "/no/such/screen");
  await page.locator("main a, main button").first().waitFor();
  check("an address that leads nowhere offers a way on", true);
  await who.context.close();
}
