/** Fails the build if a browser has to load more than the limits, in bytes after gzip. */
import { readdirSync, readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';

/** First load of the tab; each chunk that is loaded when it is needed; the report's script. */
const LIMITS = { 'index.js': 100_000, chunk: 60_000, 'report.js': 200_000 };
const dist = new URL('../dist/', import.meta.url);
const sizes = readdirSync(dist, { recursive: true })
  .filter((name) => name.endsWith('.js'))
  .map((name) => [name, gzipSync(readFileSync(new URL(name, dist))).length]);

const checked = sizes.map(([name, size]) => [name, size, LIMITS[name] ?? LIMITS.chunk]);
for (const [name, size, limit] of checked) {
  console.log(`${name}: ${(size / 1000).toFixed(1)} kB gzip of ${limit / 1000} kB allowed`);
}
if (checked.some(([, size, limit]) => size > limit)) process.exit(1);
