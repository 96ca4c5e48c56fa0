import { expect, it } from "vitest";
import { logPaths, tileIndex } from "./export";

it("names tiles as the format does", () => {
  expect([0, 67, 1000, 1234067].map(tileIndex)).toEqual(["000", "067", "x001/000", "x001/x234/067"]);
});
it("takes every file of the log and no other", () => {
  expect(logPaths(160)).toEqual(["tile/entries/000.p/160", "tile/0/000.p/160"]);
  expect(logPaths(256)).toEqual(["tile/entries/000", "tile/0/000", "tile/1/000.p/1"]);
  expect(logPaths(256 * 256 + 2).filter((p) => !/\/(entries|0)\/\d/.test(p))).toEqual(["tile/1/000", "tile/2/000.p/1"]);
  expect(logPaths(600).filter((p) => p.includes("entries"))).toEqual(["tile/entries/000", "tile/entries/001", "tile/entries/002.p/88"]);
});
