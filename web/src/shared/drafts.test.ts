import { beforeEach, expect, it } from "vitest";
import { dropDraft, dropDrafts, keepDraft, readDraft } from "./drafts";

beforeEach(() => { sessionStorage.clear(); localStorage.clear(); });

it("keeps a draft in this tab only", () => {
  expect(keepDraft("cas_1.task.detail", { course: "经过" }, 5)).toBe(true);
  expect(readDraft("cas_1.task.detail")).toEqual({ at_ms: 5, values: { course: "经过" } });
  expect(JSON.stringify(localStorage)).not.toContain("经过");
});
it("forgets one when it is sent, and all when somebody signs out, and nothing else", () => {
  sessionStorage.setItem("other", "1");
  keepDraft("a", {}, 1);
  keepDraft("b", {}, 1);
  dropDraft("a");
  expect(readDraft("a")).toBeNull();
  expect(readDraft("b")).not.toBeNull();
  dropDrafts();
  expect(readDraft("b")).toBeNull();
  expect(sessionStorage.getItem("other")).toBe("1");
});
it("reads rubbish as nothing", () => {
  sessionStorage.setItem("cw.draft.x", "{");
  expect(readDraft("x")).toBeNull();
});
