import { effectScope } from "vue";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { handle, sendKey, useKeys } from "./keys";

let scope = effectScope();
const press = (code: string, init: KeyboardEventInit & { keyCode?: number } = {}, target: HTMLElement = document.body) => {
  const event = new KeyboardEvent("keydown", { code, bubbles: true, cancelable: true, ...init });
  if (init.keyCode !== undefined) Object.defineProperty(event, "keyCode", { value: init.keyCode });
  target.dispatchEvent(event);
  return handle(event);
};
beforeEach(() => { document.body.innerHTML = ""; scope = effectScope(); });
afterEach(() => scope.stop());
const bind = (code: string, more = {}) => {
  const run = vi.fn();
  scope.run(() => useKeys([{ code, label: code, about: "x", run, ...more }]));
  return run;
};
const element = (html: string): HTMLElement => { document.body.innerHTML = html; return document.body.firstElementChild as HTMLElement; };

describe("keys", () => {
  it("match the place on the keyboard, not the character an input method made of it", () => {
    const run = bind("KeyJ");
    press("KeyJ", { key: "ㄨ" });
    expect(run).toHaveBeenCalledTimes(1);
  });
  it("are never doubled or swallowed while an input method composes", () => {
    const run = bind("KeyE");
    press("KeyE", { isComposing: true });
    press("KeyE", { keyCode: 229 });
    expect(run).not.toHaveBeenCalled();
  });
  it("leave fields alone, except those that work anywhere", () => {
    const letter = bind("KeyN"), palette = bind("KeyK+Ctrl", { anywhere: true });
    const input = element("<input>");
    press("KeyN", {}, input);
    press("KeyK", { ctrlKey: true }, input);
    expect(letter).not.toHaveBeenCalled();
    expect(palette).toHaveBeenCalledTimes(1);
  });
  it("leave dialogs alone", () => {
    const run = bind("KeyN");
    element('<div role="dialog"></div>');
    press("KeyN");
    expect(run).not.toHaveBeenCalled();
  });
  it("leave Enter to the link that has the focus", () => {
    const run = bind("Enter");
    press("Enter", {}, element('<a href="/x">x</a>'));
    expect(run).not.toHaveBeenCalled();
    press("Enter", {}, element("<main></main>"));
    expect(run).toHaveBeenCalledTimes(1);
  });
  it("belong to the innermost screen, and only while their condition holds", () => {
    const outer = bind("KeyA"), inner = bind("KeyA", { when: () => on });
    let on = true;
    press("KeyA");
    expect([outer.mock.calls.length, inner.mock.calls.length]).toEqual([0, 1]);
    on = false;
    press("KeyA");
    expect([outer.mock.calls.length, inner.mock.calls.length]).toEqual([1, 1]);
  });
  it("tell G A from A", () => {
    const two = bind("KeyG KeyA"), one = bind("KeyA");
    press("KeyA");
    press("KeyG");
    press("KeyA");
    expect([two.mock.calls.length, one.mock.calls.length]).toEqual([1, 1]);
  });
  it("go with the component", () => {
    const run = bind("KeyJ");
    scope.stop();
    press("KeyJ");
    expect(run).not.toHaveBeenCalled();
  });
  it("do not take what another modifier means", () => {
    const run = bind("KeyA");
    press("KeyA", { ctrlKey: true });
    expect(run).not.toHaveBeenCalled();
  });
});

describe("Ctrl+Enter", () => {
  it("sends, but not while an input method composes", () => {
    const send = vi.fn(), key = sendKey(send);
    const enter = (more: KeyboardEventInit): void => key(new KeyboardEvent("keydown", { code: "Enter", cancelable: true, ...more }));
    enter({});
    enter({ ctrlKey: true, isComposing: true });
    expect(send).not.toHaveBeenCalled();
    enter({ ctrlKey: true });
    enter({ metaKey: true, code: "NumpadEnter" });
    expect(send).toHaveBeenCalledTimes(2);
  });
});
