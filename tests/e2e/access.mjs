// Getting in and staying in: the first start's administrator, a second factor with its codes,
// people and posts, keys for machines, messages that reached nobody. A server of its own.
import { createHmac } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { check, signIn, startServer } from "./stage.mjs";

const own = "一句自己的话最好记 2026";

// RFC 6238 with SHA-1, 30 s and six digits, as telephones compute it.
export function totp(secret, at_ms) {
  const bits = [...secret.replace(/[\s=]/g, "").toUpperCase()].map((c) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(c).toString(2).padStart(5, "0")).join("");
  const key = Buffer.from((bits.match(/.{8}/g) ?? []).map((b) => parseInt(b, 2)));
  const step = Buffer.alloc(8);
  step.writeBigUInt64BE(BigInt(Math.floor(at_ms / 30_000)));
  const mac = createHmac("sha1", key).update(step).digest();
  return String((mac.readUInt32BE(mac[19] & 15) & 0x7fffffff) % 1_000_000).padStart(6, "0");
}

export async function accessStory(stage, { binary, data }) {
  mkdirSync(data, { recursive: true, mode: 0o700 });
  // Mail goes to a port where nobody listens: what is sent becomes a dead letter.
  writeFileSync(join(data, "callwarden.json"), JSON.stringify({ smtp: { host: "127.0.0.1", port: 1, tls: "none", from: "callwarden@hotline.example" } }), { mode: 0o600 });
  const server = await startServer(binary, ["serve", "--data", data, "--listen", "127.0.0.1:0", "--origin", "hotline.example/record", "--test-clock"],
    [/Serving at (http:\S+)/, /First sign-in: login (\S+),/, /one-time password (\S+)/]);
  const [base, admin, oneTime] = server.found;
  try {
    const who = await stage.seat("zh", { base });
    await firstStart(who, admin, oneTime);
    await secondFactor(stage, who, base, admin);
    await sessionsEnd(stage, who, base, admin);
    await directory(stage, who, base);
    await keys(who);
    await deadLetters(who);
    check("the administrator never touched a mouse", (await who.page.evaluate(() => globalThis.mouseUsed)) === 0);
  } catch (e) {
    await stage.photograph("failed-access");
    throw e;
  } finally { await server.stop(); }
}

async function firstStart(who, admin, oneTime) {
  const { page, hands, w } = who;
  await page.goto(who.base + "/people");
  await page.waitForFunction(() => document.activeElement?.id === "lg-login");
  await hands.write(admin);
  await hands.press("Tab");
  await hands.write(oneTime);
  await hands.press("Enter");
  await page.waitForFunction(() => document.activeElement?.id === "lg-fresh");
  check("a one-time password leads to choosing one's own and nowhere else", (await page.locator("h1").textContent()).includes(w("login.step.change")));
  await hands.write("short");
  await hands.press("Enter");
  await page.getByText(w("login.needLonger", { n: 12 })).waitFor();
  await hands.text(own);
  await hands.press("Tab");
  await hands.write(own + "?");
  await hands.press("Enter");
  await page.getByText(w("login.needSame")).waitFor();
  check("too short and unlike are both said at their field", true);
  await page.waitForFunction(() => document.activeElement?.id === "lg-again");
  await hands.text(own);
  await hands.press("Enter");
  await page.waitForURL(/\/people/);
  check("after that one is where one wanted to be", true);
  await signOutByKeys(who);
  check("signing out by the menu leads to the door", page.url().includes("/login"));
  await page.goBack();
  await page.locator("#lg-login").waitFor();
  check("going back shows nothing of what was there", true);
}

async function signOutByKeys(who) {
  const { page, hands, w } = who;
  await hands.tabTo((f) => f.tag === "button" && page.url() && f.name !== "" && f.id.startsWith("reka-dropdown"), "Shift+Tab");
  await hands.press("Enter");
  await page.locator("[role=menu]").waitFor();
  for (let i = 0; i < 8 && (await hands.focused()).name !== w("act.signOut"); i++) await hands.press("ArrowDown");
  await hands.press("Enter");
  await page.waitForURL(/\/login/);
  await page.locator("#lg-login").waitFor();
}

// Password, and where a code is asked for, the code.
async function enter(who, login, secret, code) {
  const { page, hands, w } = who;
  await page.goto(who.base + "/login");
  await page.waitForFunction(() => document.activeElement?.id === "lg-login");
  await hands.write(login);
  await hands.press("Tab");
  await hands.write(secret);
  await hands.press("Enter");
  await page.waitForFunction(() => document.activeElement?.id === "lg-code");
  await hands.write(code);
  await hands.press("Enter");
  const seen = page.locator("main#main, .notice[role=alert]");
  await seen.first().waitFor();
  return (await page.locator("main#main").count()) > 0 ? "in" : ((await page.locator(".notice[role=alert]").textContent()) || w("login.code"));
}

async function secondFactor(stage, who, base, admin) {
  const { page, hands, w } = who;
  await page.waitForFunction(() => document.activeElement?.id === "lg-login");
  await signIn(who, admin, own);
  await hands.palette(w("nav.account"));
  await page.waitForURL(/\/account/);
  await hands.use(w("totp.begin"));
  await page.locator("svg.qr path").waitFor();
  const secret = (await page.locator(".secret-line").textContent()).trim();
  await hands.tabTo(w("totp.code"));
  await hands.write("000000");
  await hands.press("Enter");
  await page.locator(".totp, .notice").first().waitFor();
  await page.locator(".notice[role=alert]").waitFor();
  check("a wrong code does not enrol", !(await who.get("/session")).totp_enrolled);
  await hands.tabTo(w("totp.code"));
  await hands.text(totp(secret, await who.now()));
  await hands.press("Enter");
  await page.locator(".recovery li").first().waitFor();
  const codes = (await page.locator(".recovery li").allTextContents()).map((c) => c.trim());
  check("the second factor is on, with codes for a lost telephone", codes.length >= 8 && (await who.get("/session")).totp_enrolled, String(codes.length));
  await hands.use(w("people.noted"));
  await page.locator(".recovery").waitFor({ state: "detached" });
  // The server's clock at any moment: signing out and in again takes longer than a code lives.
  let ahead = (await who.now()) - Date.now();
  const now = () => Date.now() + ahead;
  await signOutByKeys(who);

  const other = await stage.seat("zh", { base });
  const push = () => (ahead += 60_000, other.page).evaluate(() => fetch("/api/v1/test/clock", { method: "POST", headers: { "Content-Type": "application/json" }, body: '{"jump_ms":60000}' }));
  const refusal = await enter(other, admin, own, totp(secret, now() + 3_600_000));
  check("a code of another hour is refused", refusal !== "in", refusal);
  await push();
  const code = totp(secret, now());
  check("the right code lets in", (await enter(other, admin, own, code)) === "in");
  await signOutByKeys(other);
  check("the same code does not open twice", (await enter(other, admin, own, code)) !== "in");
  await push();
  check("a recovery code opens", (await enter(other, admin, own, codes[0])) === "in");
  await signOutByKeys(other);
  check("and only once", (await enter(other, admin, own, codes[0])) !== "in");
  await push();
  check("another does", (await enter(other, admin, own, codes[1])) === "in");
  await other.context.close();
  who.codes = codes.slice(2);
}

async function sessionsEnd(stage, who, base, admin) {
  const here = await enter(who, admin, own, who.codes[0]);
  check("the administrator is back", here === "in", here);
  const elsewhere = await stage.seat("en", { base });
  check("the same person elsewhere", (await enter(elsewhere, admin, own, who.codes[1])) === "in");
  const { page, hands, w } = who;
  await hands.palette(w("nav.account"));
  await page.waitForURL(/\/account/);
  const before = (await who.get("/sessions")).items.length;
  await page.locator("[aria-labelledby=ac-ses] li").nth(before - 1).waitFor();
  for (let left = before; left > 1; left--) {
    await hands.use(w("account.end"));
    await page.waitForFunction((n) => document.querySelectorAll("[aria-labelledby=ac-ses] li").length === n, left - 1);
  }
  await elsewhere.hands.press("KeyG");
  await elsewhere.hands.press("KeyL");
  await elsewhere.page.waitForURL(/\/login/);
  check("a session ended from afar is at the door with its next step", true);
  await elsewhere.context.close();
}

async function directory(stage, who, base) {
  const { page, hands, w } = who;
  const added = async (name, login, staff, role, mail) => {
    await hands.use(w("people.add"));
    await page.locator("#person-form").waitFor();
    for (const [label, value] of [["people.name", name], ["people.login", login], ["people.staffNo", staff], ["people.email", mail]]) {
      await hands.tabTo(w(label));
      await hands.write(value);
    }
    await hands.tabTo((f) => f.tag === "select" && f.name === w("people.role"));
    await hands.select(role);
    await hands.use(w("people.grant"));
    await hands.use(w("people.addDo"));
    await page.locator("[data-test=one-time-password]").waitFor();
    const secret = (await page.locator("[data-test=one-time-password]").textContent()).trim();
    await hands.use(w("people.noted"));
    await page.locator("[role=dialog]").waitFor({ state: "detached" });
    return secret;
  };
  await hands.palette(w("nav.people"), w("nav.people"));
  await page.waitForURL(/\/people/);
  await page.locator(".people-card tbody tr").first().waitFor();
  const roles = (await who.get("/roles")).items;
  const role = (id) => roles.find((r) => r.id === id).title.zh;
  // A name of a rare character outside the basic plane, and one with a middle dot.
  const secret = await added("𠮷野家·阿依", "rare", "9001", role("duty-officer"), "rare@hotline.example");
  await added("欧阳一", "ouyang", "9002", role("duty-officer"), "ouyang@hotline.example");
  check("people are added, each with a password shown once", secret.length >= 10 && (await page.getByText("𠮷野家·阿依").count()) > 0);

  await hands.use(w("people.tab.posts"));
  await page.locator(".people-card tbody tr").first().waitFor();
  const duty = () => page.locator(".people-card tbody tr").first();
  const title = (await duty().locator("b").first().textContent()).trim();
  await hands.use(w("post.change"));
  await page.locator("#po-holder").waitFor();
  await hands.tabTo(w("post.holder"));
  await hands.pick("9001");
  await hands.tabTo(w("post.deputyN", { n: 1 }));
  await hands.pick("9002");
  await hands.use(w("post.save"));
  await page.locator("[role=dialog]").waitFor({ state: "detached" });
  await page.waitForFunction(() => document.querySelector(".people-card tbody tr")?.textContent.includes("9002"));
  check(`a post is given, with a deputy: ${title}`, (await duty().textContent()).includes("9001"));
  await hands.use(w("post.change"));
  await page.locator("#po-holder").waitFor();
  await hands.use(w("post.clear"));
  await hands.use(w("post.save"));
  await page.locator("[role=dialog]").waitFor({ state: "detached" });
  await page.waitForFunction((vacant) => document.querySelector(".people-card tbody tr")?.textContent.includes(vacant), w("post.vacant"));
  check("ended, it stands vacant and the deputy acts", /9002/.test(await duty().locator("td").nth(4).textContent()));

  // Somebody is stopped: at the door at once.
  const rare = await stage.seat("zh", { base });
  await rare.page.goto(base + "/login");
  await rare.page.waitForFunction(() => document.activeElement?.id === "lg-login");
  await rare.hands.write("rare");
  await rare.hands.press("Tab");
  await rare.hands.write(secret);
  await rare.hands.press("Enter");
  await rare.page.waitForFunction(() => document.activeElement?.id === "lg-fresh");
  for (const [i, text] of [own, own].entries()) {
    if (i) await rare.hands.press("Tab");
    await rare.hands.write(text);
  }
  await rare.hands.press("Enter");
  await rare.page.locator("main#main").waitFor();
  check("the new person is in, with a name of any characters", (await rare.page.locator("header .me").textContent()).includes("𠮷野家·阿依"));
  await rare.page.goto(base + "/people/tokens");
  await rare.page.locator("main#main section").first().waitFor();
  check("what is not permitted is not offered", (await rare.page.getByText(w("token.add")).count()) === 0);
  await hands.use(w("people.tab.people"));
  await page.locator(".people-card tbody tr", { hasText: "rare" }).waitFor();
  await hands.tabTo("𠮷野家·阿依");
  await hands.press("Enter");
  await page.locator("#person-form").waitFor();
  await hands.use(w("people.deactivate"));
  await page.locator("[role=dialog]").waitFor({ state: "detached" });
  await rare.hands.press("KeyG");
  await rare.hands.press("KeyI");
  await rare.page.waitForURL(/\/login/);
  check("who is stopped is out at the next step", true);
  await rare.context.close();
}

async function keys(who) {
  const { page, hands, w } = who;
  await hands.use(w("people.tab.tokens"));
  await page.getByText(w("token.none")).waitFor();
  check("an empty list says why and what for", (await page.getByText(w("token.noneAbout")).count()) === 1);
  await hands.use(w("token.add"));
  await page.locator("#tk-label").waitFor();
  await hands.tabTo(w("token.label"));
  await hands.write("监控平台上报");
  await hands.use(w("token.addDo"));
  await page.locator(".secret").waitFor();
  const secret = (await page.locator(".secret").textContent()).trim();
  await hands.use(w("people.noted"));
  await page.locator("[role=dialog]").waitFor({ state: "detached" });
  check("a key is shown once and never again", /^cwt_\S{40,}$/.test(secret) && !(await page.content()).includes(secret));
  const works = () => fetch(who.base + "/api/v1/signals", { method: "POST", headers: { Authorization: `Bearer ${secret}`, "Content-Type": "application/json" }, body: "{}" }).then((r) => r.status);
  const before = await works();
  await hands.use(w("token.revoke"));
  await page.locator("table .state", { hasText: w("token.isRevoked") }).waitFor();
  const after = await works();
  check("it opens until it is revoked", before !== 401 && after === 401, `${before} then ${after}`);
}

async function deadLetters(who) {
  const { page, hands, w } = who;
  // A report by the administrator: the duty officer's deputy is told, by mail that nobody takes.
  const started = await who.call("POST", "/cases", { procedure: "plan.system-attack", org: (await who.get("/session")).org.id, mode: "live",
    form: { discovered_at: new Date(await who.now()).toISOString(), summary: "x", source: "agent" } });
  if (!check("a case begins, of which somebody must be told", started.status === 200 || started.status === 201, JSON.stringify(started))) return;
  const dead = async () => (await who.get("/outbox?state=dead")).items?.length ?? 0;
  for (let i = 0; i < 40 && !(await dead()); i++) {
    await who.call("POST", "/test/clock", { jump_ms: 20 * 60_000 });
    await page.waitForTimeout(250);
  }
  await hands.palette(w("nav.notices"));
  await page.waitForURL(/\/notices/);
  await page.locator("[aria-labelledby=dead-h] li").first().waitFor();
  check("what reached nobody is on the screen, with the reason", true);
  const n = await page.locator("[aria-labelledby=dead-h] li").count();
  await hands.use(w("notice.giveUp"));
  await page.waitForFunction((was) => document.querySelectorAll("[aria-labelledby=dead-h] li").length < was, n);
  check("somebody settles it", true);
}
