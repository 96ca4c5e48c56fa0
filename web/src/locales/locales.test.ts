// Both languages say the same things, in the house's spelling; every message the sources name exists.
import { describe, expect, it } from "vitest";
import en from "./en.json";
import zh from "./zh.json";

type Tree = { [key: string]: string | Tree };
const flat = (tree: Tree, at = ""): Map<string, string> =>
  new Map(Object.entries(tree).flatMap(([k, v]) => (typeof v === "string" ? [[at + k, v] as const] : [...flat(v, `${at}${k}.`)])));
// The shell's words and those of each area.
const areas = import.meta.glob<Tree>("./*/*.json", { import: "default", eager: true });
const all = (lang: string, shell: Tree): Map<string, string> =>
  new Map([shell, ...Object.entries(areas).filter(([path]) => path.endsWith(`/${lang}.json`)).map(([, tree]) => tree)].flatMap((tree) => [...flat(tree)]));
const zhAll = all("zh", zh), enAll = all("en", en);
const named = (s: string) => [...s.matchAll(/\{(\w+)\}/g)].map((m) => m[1]).sort();

// Placeholders that hold numbers, times or Latin text, beside which Chinese takes a space.
const NUMERIC = "n|s|status|total|all|done|running|percent|given|needed|chosen|size|max|min|over|fired|kept|dismissed|now|week|least|most|at|span|number|login|seq|ms|version|entities";
const CJK = "[\\u3400-\\u9fff]";
const tight = new RegExp(`${CJK}[A-Za-z0-9]|[A-Za-z0-9%]${CJK}|${CJK}\\{(?:${NUMERIC})\\}|\\{(?:${NUMERIC})\\}${CJK}`, "u");

const sources = import.meta.glob<string>(["../**/*.{vue,ts}", "!../**/*.test.ts"], { query: "?raw", import: "default", eager: true });

describe("the two languages", () => {
  it("have the same messages with the same placeholders", () => {
    expect([...enAll.keys()]).toEqual([...zhAll.keys()]);
    for (const [key, text] of zhAll) expect([key, named(enAll.get(key)!)]).toEqual([key, named(text)]);
  });
  it("say nothing twice: no area has words of the shell or of another", () => {
    const tops = [zh as Tree, ...Object.entries(areas).filter(([path]) => path.endsWith("/zh.json")).map(([, tree]) => tree)].flatMap((tree) => Object.keys(tree));
    expect(tops).toEqual([...new Set(tops)]);
  });
  it("leave no message empty and need no plural forms or links of the library", () => {
    for (const [key, text] of [...zhAll, ...enAll]) {
      expect(text, key).not.toBe("");
      expect(text, key).not.toMatch(/[|@]/);
    }
  });
});

describe("Chinese", () => {
  it("has a space between Chinese and Latin letters or digits", () => {
    expect([...zhAll].filter(([, text]) => tight.test(text))).toEqual([]);
  });
  it("has full-width punctuation", () => {
    expect([...zhAll].filter(([, text]) => new RegExp(`${CJK}[,;:!?()]|[,;:!?()]${CJK}`, "u").test(text))).toEqual([]);
  });
  it("says 登录 and 其他, and 您 only where a person is addressed as such", () => {
    expect([...zhAll].filter(([, text]) => /登陆|其它|确定$/.test(text))).toEqual([]);
  });
  it("is nowhere in the English", () => {
    expect([...enAll].filter(([, text]) => new RegExp(CJK, "u").test(text))).toEqual([]);
  });
});

it("every message that the sources name by its key exists, and buttons do not end in a full stop", () => {
  const all = Object.values(sources).join("\n");
  const used = [...all.matchAll(/\bt\(\s*"([a-zA-Z][\w.-]*)"/g), ...all.matchAll(/(?:about|key): "([a-z]+\.[\w.]+)"/g), ...all.matchAll(/\? "([a-z]+\.[\w.]+)" : "[a-z]+\.[\w.]+"/g), ...all.matchAll(/\? "[a-z]+\.[\w.]+" : "([a-z]+\.[\w.]+)"/g)].map((m) => m[1]!);
  expect(used.length).toBeGreaterThan(300);
  expect([...new Set(used)].filter((key) => !zhAll.has(key))).toEqual([]);
  expect([...zhAll].filter(([key, text]) => /^(act|nav|col)\./.test(key) && text.endsWith("。"))).toEqual([]);
});
