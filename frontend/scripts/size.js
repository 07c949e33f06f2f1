/** Fails the build if a browser has to load more than the limit. */
import { readdirSync, readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';

const LIMIT = 100_000;
const dist = new URL('../dist/', import.meta.url);
const sizes = readdirSync(dist, { recursive: true })
  .filter((name) => name.endsWith('.js'))
  .map((name) => [name, gzipSync(readFileSync(new URL(name, dist))).length]);

const total = (keep) => sizes.filter(([name]) => keep(name)).reduce((sum, [, size]) => sum + size, 0);
const bundles = { tab: total((name) => name !== 'report.js'), report: total((name) => name === 'report.js') };
for (const [name, size] of Object.entries(bundles)) {
  console.log(`${name}: ${(size / 1000).toFixed(1)} kB gzip of ${LIMIT / 1000} kB allowed`);
}
if (Object.values(bundles).some((size) => size > LIMIT)) process.exit(1);
