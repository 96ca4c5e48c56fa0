// Both languages say the same things, in the house's spelling.
import { describe, expect, it } from "vitest";
import en from "./en.json";
import zh from "./zh.json";

type Tree = { [key: string]: string | Tree };

function flat(tree: Tree, at = ""): Map<string, string> {
  const out = new Map<string, string>();
  for (const [key, value] of Object.entries(tree)) {
    if (typeof value === "string") out.set(at + key, value);
    else for (const [k, v] of flat(value, `${at}${key}.`)) out.set(k, v);
  }
  return out;
}

const chinese = flat(zh as Tree), english = flat(en as Tree);

describe("locales", () => {
  it("have the same keys", () => {
    expect([...english.keys()].filter((k) => !chinese.has(k))).toEqual([]);
    expect([...chinese.keys()].filter((k) => !english.has(k))).toEqual([]);
  });
  it("leave nothing empty", () => {
    for (const [key, value] of [...chinese, ...english]) expect(value.trim(), key).not.toBe("");
  });
  it("name the same placeholders", () => {
    const holes = (s: string): string[] => [...new Set([...s.matchAll(/\{(\w+)\}/g)].map((m) => m[1]!))].sort();
    for (const [key, value] of chinese) expect(holes(english.get(key) ?? ""), key).toEqual(holes(value));
  });
  it("spell 登录 and 其他", () => {
    for (const [key, value] of chinese) expect(value, key).not.toMatch(/登陆|其它/);
  });
  it("put a space between Chinese and Latin or digits", () => {
    const wrong = [...chinese].filter(([, v]) => /\p{Script=Han}[A-Za-z0-9]|[A-Za-z0-9]\p{Script=Han}/u.test(v.replace(/\{\w+\}/g, "")));
    expect(wrong).toEqual([]);
  });
});
