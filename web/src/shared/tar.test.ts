import { expect, it } from "vitest";
import { tar } from "./tar";

const text = (b: Uint8Array) => new TextDecoder().decode(b);

it("makes an archive that any tar reads: whole blocks, names, sizes, checksums, two empty blocks at the end", () => {
  const bytes = Uint8Array.from(tar([{ path: "log/checkpoint", bytes: new TextEncoder().encode("甲\n") }, { path: "log/tile/0/000", bytes: new Uint8Array(512).fill(7) }], 1_795_324_930_000).flatMap((p) => [...p]));
  expect(bytes.length).toBe(512 + 512 + 512 + 512 + 1024);
  const head = bytes.slice(0, 512);
  expect(text(head.slice(0, 14))).toBe("log/checkpoint");
  expect(parseInt(text(head.slice(124, 135)), 8)).toBe(4);
  expect(text(head.slice(257, 262))).toBe("ustar");
  const counted = head.map((b, i) => (i >= 148 && i < 156 ? 32 : b)).reduce((n, b) => n + b, 0);
  expect(parseInt(text(head.slice(148, 154)), 8)).toBe(counted);
  expect(text(bytes.slice(512, 516))).toBe("甲\n");
  expect(bytes.slice(1536, 2048).every((b) => b === 7)).toBe(true);
  expect(bytes.slice(2048).every((b) => b === 0)).toBe(true);
});
it("refuses a name that the format cannot hold", () => {
  expect(() => tar([{ path: "x".repeat(101), bytes: new Uint8Array() }], 0)).toThrow(RangeError);
});
