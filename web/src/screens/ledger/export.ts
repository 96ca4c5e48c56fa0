// The published log as its own files (C2SP tlog-tiles), in one archive: unpacked, it is a folder
// that `callwarden ledger verify`, or anybody's tool, reads.
import { request } from "@/shared/http";
import { parseCheckpoint } from "@/shared/ledger";
import { tar, type TarFile } from "@/shared/tar";

const TOGETHER = 4;

// 1234067 is x001/x234/067.
export function tileIndex(n: number): string {
  let out = String(n % 1000).padStart(3, "0");
  for (n = Math.floor(n / 1000); n > 0; n = Math.floor(n / 1000)) out = `x${String(n % 1000).padStart(3, "0")}/${out}`;
  return out;
}

// Every file of a log of that size: full tiles of each level, the partial one at its edge, the entries.
export function logPaths(size: number): string[] {
  const out: string[] = [];
  const level = (name: string, hashes: number): void => {
    for (let i = 0; i < Math.floor(hashes / 256); ++i) out.push(`tile/${name}/${tileIndex(i)}`);
    if (hashes % 256) out.push(`tile/${name}/${tileIndex(Math.floor(hashes / 256))}.p/${hashes % 256}`);
  };
  level("entries", size);
  for (let l = 0, hashes = size; hashes > 0; ++l, hashes = Math.floor(hashes / 256)) level(String(l), hashes);
  return out;
}

const file = async (path: string): Promise<Uint8Array> => new Uint8Array(await (await request("GET", `/ledger/log/${path}`)).arrayBuffer());

export async function exportLog(now_ms: number, progress: (done: number, all: number) => void): Promise<{ name: string; blob: Blob }> {
  const checkpoint = await file("checkpoint");
  const size = Number(parseCheckpoint(new TextDecoder().decode(checkpoint)).size);
  const name = `callwarden-ledger-${size}`;
  const paths = ["vkey", ...logPaths(size)];
  const files = new Array<TarFile>(paths.length);
  let next = 0, done = 0;
  const work = async (): Promise<void> => {
    for (let i = next++; i < paths.length; i = next++) {
      files[i] = { path: `${name}/${paths[i]}`, bytes: await file(paths[i]!) };
      progress(++done, paths.length);
    }
  };
  await Promise.all(Array.from({ length: TOGETHER }, work));
  const parts = tar([{ path: `${name}/checkpoint`, bytes: checkpoint }, ...files], now_ms);
  return { name: `${name}.tar`, blob: new Blob(parts as BlobPart[], { type: "application/x-tar" }) };
}
