// Verifies one entry of the ledger here, in the browser, from its proof: RFC 6962 §2.1.1 hashes,
// C2SP tlog-proof and checkpoint, and the log's Ed25519 signature where the browser knows it.
// Nothing the server says about validity is believed.

export interface Proof { index: bigint; extra?: Uint8Array; hashes: Uint8Array[]; checkpoint: string }
export interface Checkpoint { origin: string; size: bigint; root: Uint8Array; text: string; signatures: { name: string; bytes: Uint8Array }[] }
export type Step = { ok: boolean | null; key: string; named?: Record<string, unknown> };

export const fromBase64 = (s: string): Uint8Array => Uint8Array.from(atob(s), (c) => c.charCodeAt(0));
export const hex = (b: Uint8Array): string => [...b].map((x) => x.toString(16).padStart(2, "0")).join("");
const utf8 = new TextEncoder();

async function sha256(...parts: Uint8Array[]): Promise<Uint8Array> {
  const all = new Uint8Array(parts.reduce((n, p) => n + p.length, 0));
  let at = 0;
  for (const p of parts) { all.set(p, at); at += p.length; }
  return new Uint8Array(await crypto.subtle.digest("SHA-256", all));
}
export const leafHash = (entry: Uint8Array): Promise<Uint8Array> => sha256(Uint8Array.of(0), entry);
const nodeHash = (l: Uint8Array, r: Uint8Array): Promise<Uint8Array> => sha256(Uint8Array.of(1), l, r);

export function parseProof(text: string): Proof {
  const lines = text.split("\n");
  if (lines[0] !== "c2sp.org/tlog-proof@v1") throw new Error("not a tlog-proof");
  let i = 1;
  let extra: Uint8Array | undefined;
  if (lines[i]?.startsWith("extra ")) extra = fromBase64(lines[i++]!.slice(6));
  const index = /^index (0|[1-9]\d*)$/.exec(lines[i++] ?? "");
  if (!index) throw new Error("no index");
  const hashes: Uint8Array[] = [];
  while (lines[i] !== undefined && lines[i] !== "") {
    const h = fromBase64(lines[i++]!);
    if (h.length !== 32 || hashes.length === 63) throw new Error("not a hash");
    hashes.push(h);
  }
  return { index: BigInt(index[1]!), extra, hashes, checkpoint: lines.slice(i + 1).join("\n") };
}

export function parseCheckpoint(note: string): Checkpoint {
  const cut = note.indexOf("\n\n");
  if (cut < 0) throw new Error("not a signed note");
  const text = note.slice(0, cut + 1);
  const [origin, size, root] = text.split("\n");
  if (!origin || !/^(0|[1-9]\d*)$/.test(size ?? "")) throw new Error("not a checkpoint");
  const signatures = note.slice(cut + 2).split("\n").filter(Boolean).map((line) => {
    const m = /^— (\S+) (\S+)$/.exec(line);
    if (!m) throw new Error("not a signature line");
    return { name: m[1]!, bytes: fromBase64(m[2]!) };
  });
  return { origin, size: BigInt(size!), root: fromBase64(root ?? ""), text, signatures };
}

// RFC 9162 §2.1.3.2.
export async function rootFrom(leaf: Uint8Array, index: bigint, size: bigint, hashes: Uint8Array[]): Promise<Uint8Array | null> {
  if (index >= size) return null;
  let fn = index, sn = size - 1n, r = leaf;
  for (const p of hashes) {
    if (sn === 0n) return null;
    if ((fn & 1n) === 1n || fn === sn) {
      r = await nodeHash(p, r);
      while ((fn & 1n) === 0n && fn !== 0n) { fn >>= 1n; sn >>= 1n; }
    } else {
      r = await nodeHash(r, p);
    }
    fn >>= 1n;
    sn >>= 1n;
  }
  return sn === 0n ? r : null;
}

// A verifier key is name+hash+base64(algorithm ‖ public key); algorithm 1 is Ed25519.
export async function signedBy(c: Checkpoint, vkey: string): Promise<boolean | null> {
  const m = /^(.+)\+([0-9a-f]{8})\+(.+)$/.exec(vkey.trim());
  if (!m) return false;
  const key = fromBase64(m[3]!);
  const id = (await sha256(utf8.encode(`${m[1]}\n`), key)).slice(0, 4);
  if (hex(id) !== m[2]) return false;
  const line = c.signatures.find((s) => s.name === m[1] && hex(s.bytes.slice(0, 4)) === m[2]);
  if (!line || key[0] !== 1) return false;
  try {
    const k = await crypto.subtle.importKey("raw", key.slice(1), { name: "Ed25519" }, false, ["verify"]);
    return await crypto.subtle.verify({ name: "Ed25519" }, k, line.bytes.slice(4), utf8.encode(c.text));
  } catch {
    return null;  // a browser that does not know Ed25519
  }
}

const equal = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && a.every((x, i) => x === b[i]);

// Every step of the check, in the order a person would follow it. ok null: could not be checked here.
export async function verifyEntry(seq: number, canonical: string, proofText: string, vkey: string): Promise<{ steps: Step[]; ok: boolean; leaf: string; size: string; root: string }> {
  const steps: Step[] = [];
  const entry = utf8.encode(canonical);
  const leaf = await leafHash(entry);
  const out = (ok: boolean, size = "", root = "") => ({ steps, ok, leaf: hex(leaf), size, root });
  steps.push({ ok: true, key: "ledger.check.leaf", named: { hash: hex(leaf).slice(0, 16) } });
  try {
    const proof = parseProof(proofText);
    const c = parseCheckpoint(proof.checkpoint);
    const size = c.size.toString(), root = hex(c.root);
    const right = proof.index === BigInt(seq) && (!proof.extra || equal(proof.extra, entry));
    steps.push({ ok: right, key: "ledger.check.index", named: { n: proof.index.toString() } });
    const made = await rootFrom(leaf, proof.index, c.size, proof.hashes);
    const rooted = made !== null && equal(made, c.root);
    steps.push({ ok: rooted, key: "ledger.check.root", named: { n: proof.hashes.length, size } });
    const signed = await signedBy(c, vkey);
    steps.push({ ok: signed, key: signed === null ? "ledger.check.signatureUnknown" : "ledger.check.signature", named: { origin: c.origin } });
    return out(right && rooted && signed !== false, size, root);
  } catch {
    steps.push({ ok: false, key: "ledger.check.unreadable" });
    return out(false);
  }
}
