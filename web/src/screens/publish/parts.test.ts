import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { i18n, setLang } from "@/shared/text";
import en from "@/locales/publish/en.json";
import zh from "@/locales/publish/zh.json";
import { memberWords } from "./parts";

async function speak(lang: "zh" | "en"): Promise<void> {
  await setLang(lang);
  i18n.global.mergeLocaleMessage(lang, lang === "zh" ? zh : en);
}
beforeAll(() => speak("zh"));
afterAll(() => speak("zh"));

describe("what a part says", () => {
  const table = JSON.stringify({ key: "priority", table: { P1: "15m", P2: "1h30m", P3: "2wd", P4: "cob" } });
  it("tells limits by value, in the reader's language", async () => {
    expect(memberWords("limit", table)).toBe("P1：15 分钟 · P2：1 小时 30 分钟 · P3：2 个工作日 · P4：当个工作日下班前");
    await speak("en");
    expect(memberWords("limit", table)).toBe("P1: 15 min · P2: 1 h 30 min · P3: 2 working days · P4: by close of business");
    await speak("zh");
  });
  it("tells one limit for all", () => {
    expect(memberWords("limit", "4h")).toBe("4 小时");
    expect(memberWords("limit", "")).toBe("");
  });
  it("tells titles in the reader's language and names as a list", () => {
    expect(memberWords("title", '{"zh":"处置","en":"Contain"}')).toBe("处置");
    expect(memberWords("by", '["duty","technical"]')).toBe("duty、technical");
  });
  it("leaves everything else as it came, also what was cut", () => {
    for (const said of ["severity == 'I'", "[]", '[{"percent":50}]', "true", '{"key":"priority","table":{"P1":"1', '{"zh":1,"en":2}', "[duty] is not JSON"])
      expect(memberWords("do", said)).toBe(said);
    expect(memberWords("limit", '{"key":"x"}')).toBe('{"key":"x"}');
    expect(memberWords("limit", '{"key":"x","table":{"a":1}}')).toBe('{"key":"x","table":{"a":1}}');
  });
});
