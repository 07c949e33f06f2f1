/** Fails the build if a browser has to load more than the limits, in bytes after gzip. */
import { readdirSync, readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';

/** First load of the tab; each chunk that is loaded when it is needed, and all of them; the report's script. */
const LIMITS = { 'index.js': 100_000, chunk: 60_000, chunks: 100_000, 'report.js': 200_000 };
const dist = new URL('../dist/', import.meta.url);
const sizes = readdirSync(dist, { recursive: true })
  .filter((name) => name.endsWith('.js'))
  .map((name) => [name, gzipSync(readFileSync(new URL(name, dist))).length]);

const chunks = sizes.filter(([name]) => !(name in LIMITS));
const checked = [
  ...sizes.map(([name, size]) => [name, size, LIMITS[name] ?? LIMITS.chunk]),
  ['all chunks', chunks.reduce((sum, [, size]) => sum + size, 0), LIMITS.chunks],
];
for (const [name, size, limit] of checked) {
  console.log(`${name}: ${(size / 1000).toFixed(1)} kB gzip of ${limit / 1000} kB allowed`);
}
if (checked.some(([, size, limit]) => size > limit)) process.exit(1);
