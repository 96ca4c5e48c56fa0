// A tar archive (POSIX ustar) made here, for downloads of several files. Pure.
export interface TarFile { path: string; bytes: Uint8Array }

const utf8 = new TextEncoder();
const octal = (n: number, width: number): string => n.toString(8).padStart(width - 1, "0") + "\0";

function header(path: string, size: number, mtimeS: number): Uint8Array {
  const h = new Uint8Array(512);
  const put = (at: number, text: string): void => h.set(utf8.encode(text), at);
  if (utf8.encode(path).length > 100) throw new RangeError(path);
  put(0, path);
  put(100, octal(0o644, 8));
  put(108, octal(0, 8));
  put(116, octal(0, 8));
  put(124, octal(size, 12));
  put(136, octal(mtimeS, 12));
  put(148, "        ");  // the checksum counts itself as spaces
  put(156, "0");
  put(257, "ustar\x0000");
  const sum = h.reduce((n, b) => n + b, 0);
  put(148, sum.toString(8).padStart(6, "0") + "\0 ");
  return h;
}

export function tar(files: TarFile[], mtimeMs: number): Uint8Array[] {
  const parts: Uint8Array[] = [];
  for (const f of files) {
    parts.push(header(f.path, f.bytes.length, Math.floor(mtimeMs / 1000)), f.bytes);
    if (f.bytes.length % 512) parts.push(new Uint8Array(512 - (f.bytes.length % 512)));
  }
  parts.push(new Uint8Array(1024));
  return parts;
}
