import { describe, expect, it } from "vitest";
import type { FormSchema } from "@/api/types";
import { collect, emptyValues, formFields, idOf, isRadio, ownPointer, prefill, requiredNow } from "./schema";

const text = (s: string) => ({ zh: s, en: s });
const schema: FormSchema = {
  form: "triage", version: 1, type: "object", title: text("研判"), required: ["severity", "grounds"], "x-facts": ["severity", "people"],
  properties: {
    severity: { type: "string", title: text("等级"), enum: ["III", "II", "I"], "x-callwarden": { widget: "radio", words: { I: text("Ⅰ 级") } } },
    people: { type: "integer", title: text("人数"), minimum: 0, maximum: 100, default: 0 },
    discovered_at: { type: "string", format: "date-time", title: text("发现时间") },
    grounds: { type: "string", title: text("依据"), minLength: 2, maxLength: 5, "x-callwarden": { widget: "textarea" } },
    told: { type: "boolean", title: text("已告知") },
    waiver: { type: "string", title: text("免告理由") },
    owner: { type: "string", title: text("负责人"), "x-callwarden": { ref: "person" } },
    items: { type: "array", title: text("整改"), minItems: 1, maxItems: 2, items: { type: "object", required: ["title"], properties: { title: { type: "string", title: text("事项") }, days: { type: "integer", title: text("天数") } } } },
    kinds: { type: "array", title: text("种类"), items: { type: "string", enum: ["a", "b"] } },
    numbers: { type: "array", title: text("号码"), items: { type: "string" } },
  },
  allOf: [{ if: { properties: { severity: { enum: ["II", "I"] } } }, then: { required: ["owner"] } }, { if: { properties: { told: { enum: [false] } } }, then: { required: ["waiver"] } }],
};
const fields = formFields(schema);
const of = (name: string) => fields.find((f) => f.name === name)!;
const send = (entered: Record<string, unknown>) => {
  const all = { ...emptyValues(fields), ...entered };
  return collect(fields, all, requiredNow(schema, all));
};
const good = { severity: "III", grounds: "依据", told: true };

describe("what is drawn", () => {
  it("follows the schema's order, kinds, words and facts", () => {
    expect(fields.map((f) => f.kind)).toEqual(["choice", "integer", "datetime", "long", "check", "text", "reference", "rows", "lines", "lines"]);
    expect(isRadio(of("severity"))).toBe(true);
    expect(of("severity").choices.map((c) => c.title.zh)).toEqual(["III", "II", "Ⅰ 级"]);
    expect(fields.filter((f) => f.fact).map((f) => f.name)).toEqual(["severity", "people"]);
  });
  it("begins with defaults and with what the case knows", () => {
    expect(emptyValues(fields).people).toBe("0");
    expect(emptyValues(fields, { people: 27, discovered_at: "2026-11-22T01:00:00Z" })).toMatchObject({ people: "27", discovered_at: "2026-11-22T09:00:00" });
    expect(emptyValues(fields).kinds).toEqual([]);
  });
  it("guesses a report from an alert, and no more than its fields hold", () => {
    const start = formFields({ ...schema, properties: { discovered_at: schema.properties!.discovered_at!, summary: { type: "string", title: text("简述"), maxLength: 4 }, source: { type: "string", enum: ["monitoring", "agent"] } } });
    expect(prefill(start, { title: "口令爆破", story: "口令爆破，来源", at_ms: Date.parse("2026-11-22T01:00:00Z"), source: "monitoring" })).toEqual({ discovered_at: "2026-11-22T01:00:00.000Z", summary: "口令爆破", source: "monitoring" });
  });
});

describe("what is sent", () => {
  it("turns entries into values and leaves out what is empty", () => {
    const { values, wrong } = send({ ...good, people: "27", discovered_at: "2026-11-22T09:00", items: [{ title: "改", days: "3" }], kinds: ["b"], numbers: "1\n\n 2 " });
    expect(wrong).toEqual([]);
    expect(values).toMatchObject({ severity: "III", people: 27, told: true, discovered_at: "2026-11-22T09:00:00+08:00", items: [{ title: "改", days: 3 }], kinds: ["b"], numbers: ["1", "2"] });
    expect("waiver" in values).toBe(false);
  });
  it("reads numbers as people write them", () => {
    expect(send({ ...good, people: "9 9" }).values.people).toBe(99);
    expect(send({ ...good, people: "" }).values).not.toHaveProperty("people");
    expect(send({ ...good, people: "全部" }).wrong).toMatchObject([{ pointer: "/people", key: "form.wrong.integer" }]);
    expect(send({ ...good, people: "101" }).wrong).toMatchObject([{ pointer: "/people", key: "form.wrong.most", named: { n: 100 } }]);
  });
  it("counts length in code points", () => {
    expect(send({ ...good, grounds: "𠮷𠮷𠮷𠮷𠮷" }).wrong).toEqual([]);
    expect(send({ ...good, grounds: "𠮷𠮷𠮷𠮷𠮷𠮷" }).wrong).toMatchObject([{ key: "form.wrong.long", named: { over: 1 } }]);
  });
  it("asks for what is required, also because of another answer", () => {
    expect(send({}).wrong.map((w) => [w.pointer, w.key])).toEqual([["/severity", "form.wrong.choose"], ["/grounds", "form.wrong.required"], ["/waiver", "form.wrong.required"]]);
    expect(send({ ...good, severity: "II" }).wrong).toMatchObject([{ pointer: "/owner", key: "form.wrong.choose" }]);
    expect(send({ ...good, told: false }).wrong).toMatchObject([{ pointer: "/waiver" }]);
  });
  it("points into the rows of a list, and holds its count", () => {
    expect(send({ ...good, items: [{ title: "一" }, { title: "" }] }).wrong).toMatchObject([{ pointer: "/items/1/title" }]);
    expect(send({ ...good, items: [{ title: "1" }, { title: "2" }, { title: "3" }] }).wrong).toMatchObject([{ pointer: "/items", key: "form.wrong.manyItems" }]);
  });
});

it("maps the server's pointers to its own", () => {
  expect(ownPointer({ pointer: "/form/severity", message: "" })).toBe("/severity");
  expect(ownPointer({ pointer: "/formality", message: "" })).toBe("/formality");
  expect(idOf("f", "/items/0/title")).toBe("f-items-0-title");
});
