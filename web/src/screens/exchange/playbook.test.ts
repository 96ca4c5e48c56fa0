import { expect, it } from "vitest";
import type { PlaybookDraft } from "@/api/types";
import { bundle, byKind, type Note } from "./playbook";

const note = (kind: Note["kind"], code: string): Note => ({ kind, code, pointer: "", zh: code, en: code });
const draft: PlaybookDraft = { procedure: "cacao.block", exact: false, files: [{ path: "cacao.block.yaml", text: "标题: 阻断\n" }, { path: "forms/cacao.block.start.yaml", text: "form: x\n" }], notes: [note("mapped", "a"), note("lost", "b"), note("check", "c"), note("lost", "d")], signatures: [], mistakes: [] };

it("puts what a person must look at first, and leaves no line out", () => {
  expect(byKind(draft.notes).map((g) => [g.kind, g.notes.map((n) => n.code).join("")])).toEqual([["check", "c"], ["lost", "bd"], ["mapped", "a"]]);
});
it("packs the draft as the folder that the check takes", () => {
  const made = bundle(draft, 1_770_000_000_000);
  expect(made.name).toBe("cacao.block.tar");
  const all = new TextDecoder().decode(Uint8Array.from(made.parts.flatMap((p) => [...p])));
  for (const f of draft.files) expect(all).toContain(f.path);
  expect(all).toContain("标题: 阻断");
});
