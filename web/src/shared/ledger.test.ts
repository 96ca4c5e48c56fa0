import { beforeAll, describe, expect, it } from "vitest";
import { leafHash, parseCheckpoint, parseProof, rootFrom, signedBy, verifyEntry } from "./ledger";

const utf8 = new TextEncoder();
const base64 = (b: Uint8Array) => btoa(String.fromCharCode(...b));
const sha = async (...parts: Uint8Array[]) => new Uint8Array(await crypto.subtle.digest("SHA-256", Uint8Array.from(parts.flatMap((p) => [...p]))));

// RFC 6962 §2.1, written as the standard words it: the other way round from what is tested.
async function root(leaves: Uint8Array[]): Promise<Uint8Array> {
  if (leaves.length === 1) return sha(Uint8Array.of(0), leaves[0]!);
  const k = split(leaves.length);
  return sha(Uint8Array.of(1), await root(leaves.slice(0, k)), await root(leaves.slice(k)));
}
async function path(m: number, leaves: Uint8Array[]): Promise<Uint8Array[]> {
  if (leaves.length === 1) return [];
  const k = split(leaves.length);
  return m < k ? [...(await path(m, leaves.slice(0, k))), await root(leaves.slice(k))] : [...(await path(m - k, leaves.slice(k))), await root(leaves.slice(0, k))];
}
const split = (n: number): number => { let k = 1; while (k * 2 < n) k *= 2; return k; };

const entries = Array.from({ length: 21 }, (_, i) => `{"kind":"case.act","seq":${i},"what":"第 ${i} 项"}`);
const leaves = entries.map((e) => utf8.encode(e));
let keys: CryptoKeyPair, vkey: string;
const origin = "ledger.example/1";

async function keyId(key: Uint8Array): Promise<Uint8Array> { return (await sha(utf8.encode(`${origin}\n`), key)).slice(0, 4); }
beforeAll(async () => {
  keys = (await crypto.subtle.generateKey({ name: "Ed25519" }, true, ["sign", "verify"])) as CryptoKeyPair;
  const key = Uint8Array.of(1, ...new Uint8Array(await crypto.subtle.exportKey("raw", keys.publicKey)));
  vkey = `${origin}+${[...(await keyId(key))].map((x) => x.toString(16).padStart(2, "0")).join("")}+${base64(key)}`;
});
async function checkpoint(size: number, rootHash?: Uint8Array): Promise<string> {
  const text = `${origin}\n${size}\n${base64(rootHash ?? (await root(leaves.slice(0, size))))}\n`;
  const signature = new Uint8Array(await crypto.subtle.sign({ name: "Ed25519" }, keys.privateKey, utf8.encode(text)));
  const key = Uint8Array.of(1, ...new Uint8Array(await crypto.subtle.exportKey("raw", keys.publicKey)));
  return `${text}\n— ${origin} ${base64(Uint8Array.of(...(await keyId(key)), ...signature))}\n`;
}
const proofText = async (i: number, size: number, note?: string) =>
  ["c2sp.org/tlog-proof@v1", `extra ${base64(leaves[i]!)}`, `index ${i}`, ...(await path(i, leaves.slice(0, size))).map(base64), "", note ?? (await checkpoint(size))].join("\n");

describe("a proof, checked in the browser", () => {
  it("leads every leaf of every tree to its root, and no other leaf", async () => {
    for (const size of [1, 2, 3, 7, 8, 21]) {
      const wanted = await root(leaves.slice(0, size));
      for (let i = 0; i < size; ++i) {
        const hashes = await path(i, leaves.slice(0, size));
        expect(await rootFrom(await leafHash(leaves[i]!), BigInt(i), BigInt(size), hashes)).toEqual(wanted);
        expect(await rootFrom(await leafHash(leaves[(i + 1) % 21]!), BigInt(i), BigInt(size), hashes)).not.toEqual(wanted);
      }
    }
    expect(await rootFrom(await leafHash(leaves[0]!), 5n, 5n, [])).toBeNull();
    expect(await rootFrom(await leafHash(leaves[0]!), 0n, 1n, [leaves[0]!.slice(0, 32)])).toBeNull();
  });
  it("accepts what the log signed", async () => {
    const got = await verifyEntry(13, entries[13]!, await proofText(13, 21), vkey);
    expect(got.ok).toBe(true);
    expect(got.steps.map((s) => s.ok)).toEqual([true, true, true, true]);
  });
  it("refuses another text, another number, another root, another key", async () => {
    const proof = await proofText(13, 21);
    expect((await verifyEntry(13, entries[13]!.replace("13", "14"), proof, vkey)).ok).toBe(false);
    expect((await verifyEntry(12, entries[13]!, proof, vkey)).ok).toBe(false);
    expect((await verifyEntry(13, entries[13]!, await proofText(13, 21, await checkpoint(21, await root(leaves.slice(0, 20)))), vkey)).ok).toBe(false);
    const changed = proof.replace(`${origin}\n21\n`, `${origin}\n22\n`);
    expect((await verifyEntry(13, entries[13]!, changed, vkey)).ok).toBe(false);
    expect(await signedBy(parseCheckpoint((await checkpoint(5)).replace("\n5\n", "\n6\n")), vkey)).toBe(false);
    expect(await signedBy(parseCheckpoint(await checkpoint(5)), vkey.replace(origin, "other.example"))).toBe(false);
  });
  it("says plainly that it cannot read what is no proof", async () => {
    expect(() => parseProof("hello")).toThrow();
    expect((await verifyEntry(0, entries[0]!, "<html>", vkey)).steps.at(-1)).toMatchObject({ ok: false, key: "ledger.check.unreadable" });
  });
});
