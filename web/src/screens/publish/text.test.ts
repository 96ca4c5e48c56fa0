import { describe, expect, it } from "vitest";
import { indent, linesOf, mapOf, newLine, offsetOf, pieces, withVersion } from "./text";

describe("places", () => {
  const text = "procedure: x\n标题: 甲乙\n  𠮷b: 1\n";
  it("count lines and columns from one, in code points", () => {
    expect(text.slice(offsetOf(text, 2, 5))).toMatch(/^甲乙/);
    expect(text.slice(offsetOf(text, 3, 4))).toMatch(/^b: 1/);
    expect(offsetOf(text, 1, 1)).toBe(0);
  });
  it("beyond the text are its nearest", () => {
    expect(offsetOf(text, 1, 99)).toBe("procedure: x".length);
    expect(offsetOf(text, 99, 1)).toBe(text.length);
    expect(linesOf(text)).toBe(4);
  });
});

describe("indenting", () => {
  it("is two spaces at the cursor", () => {
    expect(indent("ab", 1, 1, false)).toEqual({ text: "a  b", start: 3, end: 3 });
  });
  it("moves every selected line, but not the one that only its end touches, and leaves empty ones", () => {
    expect(indent("a\n\nb\nc", 0, 5, false)).toEqual({ text: "  a\n\n  b\nc", start: 2, end: 9 });
  });
  it("moves back as far as there is room", () => {
    expect(indent("    a\n b", 6, 8, true).text).toBe("    a\nb");
    expect(indent("    a\n b", 0, 8, true).text).toBe("  a\nb");
    expect(indent("a", 1, 1, true)).toEqual({ text: "a", start: 1, end: 1 });
  });
  it("goes on with a new line, further in after a colon", () => {
    expect(newLine("  tasks:", 8)).toBe("\n    ");
    expect(newLine("  by: x", 7)).toBe("\n  ");
  });
});

describe("comparing", () => {
  it("cuts a line at what differs, by code points", () => {
    expect(pieces("  𠮷limit: 4h", 10, 11)).toEqual([{ text: "  𠮷limit: ", differs: false }, { text: "4", differs: true }, { text: "h", differs: false }]);
    expect(pieces("same", 0, 0)).toEqual([{ text: "same", differs: false }]);
    expect(pieces("", 0, 0)).toEqual([]);
  });
});

it("a draft takes the next version, once, in its own line", () => {
  expect(withVersion("procedure: a\nversion: 3\ntitle: {zh: version: 3}\n", 4)).toBe("procedure: a\nversion: 4\ntitle: {zh: version: 3}\n");
});

it("a migration's map says only what was named; an empty new name lets go", () => {
  expect(mapOf({ states: [{ old: " open ", fresh: "handling" }, { old: "", fresh: "x" }], clocks: [{ old: "law", fresh: "" }], facts: [] }))
    .toEqual({ states: { open: "handling" }, clocks: { law: null } });
});
