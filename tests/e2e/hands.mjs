// A person at the keyboard: Tab, arrows, Enter, Space, shortcuts and the palette. Nothing here
// clicks, focuses or sets a value; what cannot be reached by keys is not reached.

// What has the focus, as its user would name it.
function focused() {
  const el = document.activeElement;
  const text = (node) => {
    const copy = node?.cloneNode(true);
    for (const hidden of copy?.querySelectorAll?.("[aria-hidden=true],.sr,.opt,.tag,kbd") ?? []) hidden.remove();
    return (copy?.textContent ?? "").replace(/\s+/g, " ").trim();
  };
  const label = el.labels?.[0];
  const ticks = el.type === "radio" || el.type === "checkbox";
  const name = el.getAttribute("aria-label") || (label ? (ticks ? text(label.querySelector("span")) || text(label) : text(label)) : text(el));
  return {
    name, tag: el.tagName.toLowerCase(), type: el.type ?? "", id: el.id, role: el.getAttribute("role") ?? "", value: el.value ?? "", checked: el.checked ?? false,
    group: text(el.closest("fieldset")?.querySelector("legend")), option: el.tagName === "SELECT" ? text(el.selectedOptions[0]) : "",
    dialog: el.closest("[role=dialog]") !== null, disabled: el.getAttribute("aria-disabled") === "true",
  };
}

const two = (n) => String(n).padStart(2, "0");

export class Hands {
  constructor(page, w, lang) { Object.assign(this, { page, w, lang }); }
  press(key) { return this.page.keyboard.press(key); }
  write(text) { return this.page.keyboard.type(text); }
  focused() { return this.page.evaluate(focused); }

  // Tab until what is wanted has the focus: its name, or a test of what focused() tells.
  async tabTo(wanted, key = "Tab", most = 160) {
    const fits = typeof wanted === "function" ? wanted : (f) => f.name === wanted;
    const seen = [];
    for (let i = 0; i < most; i++) {
      const f = await this.focused();
      if (fits(f)) return f;
      seen.push(f.name || f.tag);
      await this.press(key);
    }
    throw new Error(`Tab never reached ${wanted}; passed ${[...new Set(seen)].slice(0, 60).join(" | ")}`);
  }
  // To a button or link, and press it.
  async use(name, most) {
    await this.tabTo((f) => f.name === name && ["button", "a"].includes(f.tag) && !f.disabled, "Tab", most);
    await this.press("Enter");
  }
  // The palette: words, then Enter on the hit that says them.
  async palette(words, hit = words) {
    await this.press("Control+KeyK");
    await this.page.waitForFunction(() => document.activeElement?.getAttribute("role") === "combobox");
    await this.write(words);
    const chosen = (text) => [...document.querySelectorAll("[role=option][aria-selected=true]")].some((o) => o.textContent.includes(text));
    await this.page.locator("[role=option]", { hasText: hit }).first().waitFor();
    for (let i = 0; i < 30 && !(await this.page.evaluate(chosen, hit)); i++) await this.press("ArrowDown");
    await this.press("Enter");
    await this.page.locator("[role=dialog].palette").waitFor({ state: "detached" });
  }

  // Fills in a form drawn from its schema, field by field in their order, and sends it.
  async file(schema, values, submit = true) {
    await this.fields(schema, values);
    if (submit) await this.press("Control+Enter");
  }
  async fields(schema, values) {
    for (const [name, field] of Object.entries(schema.properties))
      if (name in values) await this.field(field, values[name]);
  }
  async field(field, value) {
    const { lang } = this;
    const title = field.title[lang];
    const word = (s, v) => (s["x-callwarden"]?.words ?? s.items?.["x-callwarden"]?.words)?.[v]?.[lang] ?? v;
    if (field.type === "array" && field.items?.type === "object") return this.rows(field, value);
    if (field.type === "array" && (field.items?.enum ?? []).length) return this.ticks(title, value.map((v) => word(field, v)));
    const f = await this.tabTo((x) => (x.type === "radio" ? x.group === title : x.name === title) && ["input", "textarea", "select"].includes(x.tag));
    if (f.type === "radio") await this.radio(word(field, value));
    else if (f.tag === "select") await this.select(word(field, value));
    else if (f.type === "checkbox") { if (f.checked !== value) await this.press("Space"); }
    else if (f.type === "datetime-local") await this.time(value);
    else if (f.role === "combobox") await this.pick(value);
    else await this.text(Array.isArray(value) ? value : String(value));
  }
  async rows(field, list) {
    const { lang } = this;
    const first = Object.values(field.items.properties)[0].title[lang];
    for (const [i, row] of list.entries()) {
      // The first item of a required list is there already.
      if (i > 0 || !(await this.page.locator(".rows-item").count())) await this.use(this.w("form.addItem"));
      await this.tabTo((f) => f.name === first && f.tag !== "legend");
      for (const [name, child] of Object.entries(field.items.properties)) if (name in row) await this.field(child, row[name]);
    }
  }
  async text(value) {
    await this.press("Control+KeyA");
    const lines = Array.isArray(value) ? value : [value];
    for (const [i, line] of lines.entries()) {
      if (i) await this.press("Enter");
      await this.write(line);
    }
  }
  async radio(choice) {
    for (let i = 0; i < 12; i++) {
      const f = await this.focused();
      if (f.name === choice) { if (!f.checked) await this.press("Space"); return; }
      await this.press("ArrowDown");
    }
    throw new Error(`no choice ${choice}`);
  }
  async ticks(group, choices) {
    for (const choice of choices) {
      await this.tabTo((f) => f.type === "checkbox" && f.group === group && f.name === choice);
      await this.press("Space");
    }
  }
  async select(option) {
    for (const key of ["ArrowDown", "ArrowUp"])
      for (let i = 0; i < 60; i++) {
        if ((await this.focused()).option === option) return;
        await this.press(key);
      }
    throw new Error(`no option ${option}`);
  }
  // A time, by its parts as the browser orders them, or now by the button beside the field.
  async time(at) {
    if (at === "now") {
      await this.press("Tab");
      await this.tabTo(this.w("form.now"), "Tab", 12);
      return this.press("Space");
    }
    const d = new Date(at + 8 * 3600_000);
    const day = `${two(d.getUTCMonth() + 1)}${two(d.getUTCDate())}${d.getUTCFullYear()}`;
    const h = d.getUTCHours();
    await this.write(day);
    await this.press("ArrowRight");
    await this.write(`${two(h % 12 || 12)}${two(d.getUTCMinutes())}${two(d.getUTCSeconds())}${h < 12 ? "AM" : "PM"}`);
  }
  // Somebody out of the directory: part of the name, then the first hit.
  async pick(part) {
    await this.write(part);
    const hit = this.page.locator("[role=option]", { hasText: part });
    await hit.first().waitFor();
    // Down to it: the list may still hold others above.
    const lit = this.page.locator("[role=option][data-highlighted]", { hasText: part });
    for (let step = 0; step < 20 && !(await lit.count()); ++step) await this.press("ArrowDown");
    await this.press("Enter");
    await hit.first().waitFor({ state: "hidden" });
  }
}
