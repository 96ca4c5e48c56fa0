// Chinese input methods, driven as Chrome drives them: keys that compose neither work as shortcuts
// nor send a form, and what was composed arrives once.
import { check } from "./stage.mjs";

export async function inputStory(stage) {
  const who = await stage.person("wang");
  const { page, hands, w } = who;
  const cdp = await who.context.newCDPSession(page);
  // A key that the input method takes, as Windows and Linux (key "Process") or macOS (its own key)
  // report it, and the composition after it.
  const swallowed = async (code, key = "Process") => {
    await cdp.send("Input.dispatchKeyEvent", { type: "rawKeyDown", windowsVirtualKeyCode: 229, code, key });
    await cdp.send("Input.dispatchKeyEvent", { type: "keyUp", windowsVirtualKeyCode: 229, code, key });
  };
  const compose = async (letters) => {
    let text = "";
    for (const letter of letters) {
      text += letter;
      await swallowed(`Key${letter.toUpperCase()}`);
      await cdp.send("Input.imeSetComposition", { text, selectionStart: text.length, selectionEnd: text.length });
    }
  };
  const commit = (text) => cdp.send("Input.insertText", { text });

  // In the palette: Enter chooses a candidate, not a hit.
  await hands.press("Control+KeyK");
  await page.waitForFunction(() => document.activeElement?.getAttribute("role") === "combobox");
  await compose("shenji");
  for (const key of ["Process", "Enter"]) await swallowed("Enter", key);
  await swallowed("ArrowDown");
  check("Enter while composing opens nothing", (await page.locator(".palette").count()) === 1 && new URL(page.url()).pathname === "/");
  await commit("审计");
  check("what was composed arrives once", (await hands.focused()).value === "审计", (await hands.focused()).value);
  await page.locator("[role=option]", { hasText: w("nav.ledger") }).waitFor();
  await hands.press("Enter");
  await page.waitForURL(/\/ledger/);
  check("Enter after composing opens the hit", true);

  // On a list, keys that an input method takes move nothing; the same keys free of it do.
  await page.locator(".ledger-list tbody tr").nth(3).waitFor();
  const at = () => page.evaluate(() => [...document.querySelectorAll(".ledger-list tbody tr")].findIndex((r) => r.getAttribute("aria-selected") === "true"));
  for (const code of ["KeyJ", "KeyJ", "KeyG", "KeyA", "Slash"]) await swallowed(code);
  check("keys an input method takes are no shortcuts", (await at()) === 0 && (await page.locator("[role=dialog]").count()) === 0);
  await hands.press("KeyJ");
  await hands.press("KeyJ");
  check("the same keys without it are", (await at()) === 2, String(await at()));
  // Two shifts of the same key: matched by position, whatever letter the layout gives it.
  await cdp.send("Input.dispatchKeyEvent", { type: "keyDown", windowsVirtualKeyCode: 74, code: "KeyJ", key: "о", text: "о" });
  await cdp.send("Input.dispatchKeyEvent", { type: "keyUp", windowsVirtualKeyCode: 74, code: "KeyJ", key: "о" });
  check("keys are known by their place, not their letter", (await at()) === 3, String(await at()));

  // In a form: letters that are shortcuts elsewhere stay text, and Ctrl+Enter waits for the commit.
  await hands.press("KeyN");
  await page.waitForURL(/\/report/);
  await page.locator(".kind").first().waitFor();
  await hands.tabTo((f) => f.tag === "button" && f.name.startsWith("电话系统受攻击"));
  await hands.press("Enter");
  const field = w("report.file", { form: "应急报告表" });
  await page.getByText(field).first().waitFor();
  await hands.tabTo((f) => f.tag === "textarea");
  await hands.write("n");
  await hands.press("Backspace");
  await compose("jiankong");
  for (const key of ["Process", "Enter"]) {
    await cdp.send("Input.dispatchKeyEvent", { type: "rawKeyDown", modifiers: 2, windowsVirtualKeyCode: 229, code: "Enter", key });
    await cdp.send("Input.dispatchKeyEvent", { type: "keyUp", modifiers: 2, windowsVirtualKeyCode: 229, code: "Enter", key });
  }
  await page.waitForTimeout(150);
  check("Ctrl+Enter while composing sends nothing", (await page.locator(".error-summary").count()) === 0 && page.url().includes("/report"));
  await commit("监控发现异常");
  await hands.write("，已核实");
  check("text is neither swallowed nor doubled", (await hands.focused()).value === "监控发现异常，已核实", (await hands.focused()).value);
  await hands.press("Control+Enter");
  await page.locator(".error-summary").waitFor();
  check("after it, Ctrl+Enter sends: what is missing is listed", (await page.locator(".error-summary li").count()) === 1);

  // Finding a person: Enter picks a candidate of the input method, not a person.
  const task = (await who.get("/workbench?limit=100")).work.find((x) => x.kind === "task");
  await page.goto(`${stage.base}/incidents/${task.case_ref.id}?assign=${task.name}`);
  await page.locator("#assign-to").waitFor();
  await page.waitForFunction(() => document.activeElement?.id === "assign-to");
  await compose("wang");
  for (const key of ["Process", "Enter"]) await swallowed("Enter", key);
  check("Enter while composing picks nobody", await page.evaluate(() => document.querySelector(".dialog-foot .btn.is-primary").getAttribute("aria-disabled") === "true"));
  await commit("王");
  await page.locator("[role=option]", { hasText: "王建国" }).waitFor();
  check("a person is found by one character", true);
  await who.context.close();
}
