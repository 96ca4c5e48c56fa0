// Keys are matched by place, and an input method never triggers one.
import { effectScope } from "vue";
import { afterAll, describe, expect, it, vi } from "vitest";
import { handle, spell, useKeys } from "./keys";

const press = (init: KeyboardEventInit & { keyCode?: number }, target: EventTarget = document.body): KeyboardEvent => {
  const event = new KeyboardEvent("keydown", { bubbles: true, cancelable: true, ...init });
  Object.defineProperty(event, "target", { value: target });
  if (init.keyCode) Object.defineProperty(event, "keyCode", { value: init.keyCode });
  return event;
};

describe("keys", () => {
  const scope = effectScope();
  afterAll(() => scope.stop());

  it("spell modifiers and take the number pad's Enter as Enter", () => {
    expect(spell(press({ code: "KeyK", ctrlKey: true }))).toBe("KeyK+Ctrl");
    expect(spell(press({ code: "NumpadEnter" }))).toBe("Enter");
  });
  it("run for their place on the keyboard, not while an input method composes or a field is typed into", () => {
    const run = vi.fn();
    scope.run(() => useKeys([{ code: "KeyJ", label: "J", about: "keys.down", run }]));
    expect(handle(press({ code: "KeyJ", key: "о" }))).toBe(true);
    expect(handle(press({ code: "KeyJ", isComposing: true }))).toBe(false);
    expect(handle(press({ code: "KeyJ", keyCode: 229 }))).toBe(false);
    const field = document.createElement("input");
    expect(handle(press({ code: "KeyJ" }, field))).toBe(false);
    expect(run).toHaveBeenCalledTimes(1);
  });
});
