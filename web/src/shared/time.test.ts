import { beforeAll, describe, expect, it } from "vitest";
import { setLang } from "./text";
import { brief, bytes, fromInput, hours, left, limitWords, learnNow, serverNow, span, toInput, words, MINUTE, HOUR, DAY } from "./time";

const at = (s: string) => Date.parse(s);
beforeAll(() => setLang("zh"));

describe("lengths of time", () => {
  it("shows minutes and seconds, then hours, then days", () => {
    expect(span(4 * MINUTE + 22_000)).toBe("04:22");
    expect(span(HOUR + 44 * MINUTE + 8_000)).toBe("1:44:08");
    expect(span(50 * HOUR)).toBe("50:00:00");
    expect(span(8 * DAY + HOUR)).toBe("8 天");
  });
  it("says a missed time as over, and how heavy it is drawn", () => {
    expect(left(1_000_000, 1_000_000 + 262_000)).toEqual({ text: "超 04:22", tone: "is-late" });
    expect(left(1_000_000, 1_000_000 - MINUTE, 86).tone).toBe("is-near");
    expect(left(1_000_000, 1_000_000 - MINUTE, 79).tone).toBe("");
  });
  it("counts derivations in hours and minutes", () => {
    expect(hours(45 * MINUTE)).toBe("0:45");
    expect(hours(6 * HOUR + 50 * MINUTE)).toBe("6:50");
  });
  it("speaks both languages", async () => {
    expect(words(90 * MINUTE)).toBe("1 小时 30 分钟");
    expect(limitWords("1wd")).toBe("1 个工作日");
    expect(limitWords("1h30m")).toBe("1 小时 30 分钟");
    expect(limitWords("cob")).toBe("当个工作日下班前");
    expect(limitWords("2cob")).toBe("其后第 2 个工作日下班前");
    await setLang("en");
    expect(limitWords("30d")).toBe("30 d");
    expect(left(0, 262_000).text).toBe("over 04:22");
    await setLang("zh");
  });
});

describe("times of day are Beijing's, whatever the machine's zone", () => {
  const now = at("2026-11-22T09:42:10+08:00");
  it("is as short as it stays clear", () => {
    expect(brief(at("2026-11-22T00:05:00+08:00"), now)).toBe("00:05");
    expect(brief(at("2026-11-21T23:59:00+08:00"), now)).toBe("11-21 23:59");
    expect(brief(at("2025-12-31T23:59:00+08:00"), now)).toBe("2025-12-31");
  });
  it("goes into a form's field and comes back the same", () => {
    expect(toInput("2026-11-22T01:42:10Z")).toBe("2026-11-22T09:42:10");
    expect(at(fromInput("2026-11-22T09:42:10"))).toBe(now);
    expect(fromInput("2026-11-22T09:42")).toBe("2026-11-22T09:42:00+08:00");
    expect(fromInput("昨天")).toBe("");
    expect(toInput("not a time")).toBe("");
  });
});

it("follows the server's clock, so that a machine with a wrong one counts down rightly", () => {
  learnNow(Date.now() + 3 * HOUR);
  expect(Math.abs(serverNow() - Date.now() - 3 * HOUR)).toBeLessThan(1000);
  learnNow(undefined);
  expect(Math.abs(serverNow() - Date.now() - 3 * HOUR)).toBeLessThan(1000);
  learnNow(Date.now());
  expect(Math.abs(serverNow() - Date.now())).toBeLessThan(1000);
});

it("writes sizes as people read them", () => {
  expect(bytes(900)).toBe("900 B");
  expect(bytes(8 * 1024 * 1024)).toBe("8.0 MB");
});
