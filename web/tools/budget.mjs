// Holds the console to its size: what every visit loads, and what one screen adds. Gzipped bytes.
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

const SHELL_MAX = 130 * 1024;
const SCREEN_MAX = 40 * 1024;

const dist = new URL("../dist/", import.meta.url);
const manifest = JSON.parse(readFileSync(new URL(".vite/manifest.json", dist), "utf8"));

const sizes = new Map();
const size = (file) => {
  if (!sizes.has(file)) sizes.set(file, gzipSync(readFileSync(new URL(file, dist)), { level: 9 }).length);
  return sizes.get(file);
};

// A chunk, its style sheets and what it imports at once.
function files(key, into = new Set()) {
  const chunk = manifest[key];
  if (into.has(chunk.file)) return into;
  into.add(chunk.file);
  for (const css of chunk.css ?? []) into.add(css);
  for (const next of chunk.imports ?? []) files(next, into);
  return into;
}
const sum = (set) => [...set].reduce((n, file) => n + size(file), 0);
const kb = (n) => (n / 1024).toFixed(1).padStart(6) + " KB";

const entry = Object.keys(manifest).find((key) => manifest[key].isEntry);
const shell = files(entry);
for (const key of ["src/shell/AppFrame.vue", "src/locales/zh.json"]) files(key, shell);
let failed = sum(shell) > SHELL_MAX;
console.log(kb(sum(shell)), "shell (with one language)");

const screens = Object.keys(manifest).filter((key) => /^(src\/screens\/.*Screen|_\w*Screen-.*)\.(vue|js)$/.test(key));
for (const key of screens.sort()) {
  const own = new Set([...files(key)].filter((file) => !shell.has(file)));
  if (sum(own) > SCREEN_MAX) failed = true;
  console.log(kb(sum(own)), key);
}
if (failed) {
  console.error(`Too large: the shell may have ${SHELL_MAX / 1024} KB, a screen ${SCREEN_MAX / 1024} KB.`);
  process.exit(1);
}
