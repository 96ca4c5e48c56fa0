import { expect, it } from "vitest";
import { byFamily, familyOf, fitsWords } from "./families";

const of = (id: string, ...basis: string[]) => ({ id, basis });

it("a procedure's family follows from what it is and rests on", () => {
  expect(familyOf(of("plan.fire", "ISO-27001-A.7"))).toBe("plans");
  expect(familyOf(of("change", "ISO-20000-1", "ISO-27001-A.8.32"))).toBe("service");
  expect(familyOf(of("training", "PIPL-51", "CSL", "ISO-27001-7.2"))).toBe("security");
  expect(familyOf(of("subject-request", "PIPL-44", "GBT-35273-8.7"))).toBe("personal");
  expect(familyOf(of("public-statement", "ERL-2024"))).toBe("support");
  expect(familyOf(of("corrective-action"))).toBe("other");
});
it("plans come first, each family in the given order, and none stands empty", () => {
  const groups = byFamily([of("b"), of("plan.b"), of("change", "ISO-20000-1"), of("plan.a")]);
  expect(groups.map((g) => `${g.family}: ${g.items.map((p) => p.id).join(" ")}`)).toEqual(["plans: plan.b plan.a", "service: change", "other: b"]);
});
it("is found by words of either language, its id or its law", () => {
  const fire = { id: "plan.fire", title: { zh: "机房火灾应急预案", en: "Machine-room fire plan" }, basis: ["FIRE-LAW"] };
  for (const words of ["火灾", "FIRE plan", "plan.fire", "fire-law 机房", ""]) expect(fitsWords(fire, words)).toBe(true);
  expect(fitsWords(fire, "火灾 台风")).toBe(false);
});
