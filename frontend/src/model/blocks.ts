import type { Finding, LayerInfo } from '../summaries/cnndiag_pb';
import { worst } from './findings';
import { blockOf } from './layers';
import { namedBlocks } from './map_blocks';
import { filterPattern, type LayerOrder } from './view';

export interface Block {
  /** The prefix that the layers' paths share; empty if their full paths are shown. */
  name: string;
  layers: LayerInfo[];
}

/** The folder of a layer; without one, the first block that its name begins with, up to a `_`. */
function stripBlock(path: string): string {
  return blockOf(path) || (namedBlocks(path).find((block) => path[block.length] === '_') ?? '');
}

/** Groups consecutive layers of one block; a block of one layer has no heading. */
export function blocksOf(layers: readonly LayerInfo[]): Block[] {
  const blocks: Block[] = [];
  for (const layer of layers) {
    const name = stripBlock(layer.path);
    const last = blocks.at(-1);
    if (last?.name === name) last.layers.push(layer);
    else blocks.push({ name, layers: [layer] });
  }
  if (blocks.length === 1) return blocks.map((block) => ({ ...block, name: '' }));
  return blocks.map((block) => (block.layers.length === 1 ? { ...block, name: '' } : block));
}

/** The layers that match the filter, in the given order. */
export function arrange(
  layers: readonly LayerInfo[],
  findings: ReadonlyMap<string, Finding[]>,
  valueOf: (path: string) => number,
  sort: LayerOrder,
  filter: string,
): LayerInfo[] {
  const pattern = filterPattern(filter);
  const kept = layers.filter(({ path }) => !pattern || pattern.test(path));
  if (sort !== 'worst') return kept;
  const rank = (path: string) => (Number.isFinite(valueOf(path)) ? valueOf(path) : -Infinity);
  const severity = (path: string) => worst(findings.get(path) ?? []);
  return kept.toSorted((a, b) => severity(b.path) - severity(a.path) || rank(b.path) - rank(a.path) || 0);
}

/** The highest value of several rows at each snapshot; NaN if none was measured. */
export function highest(rows: readonly Float32Array[]): Float32Array {
  return Float32Array.from({ length: rows[0]?.length ?? 0 }, (_, snapshot) =>
    rows.reduce((top, row) => {
      const value = row[snapshot] ?? NaN;
      return Number.isNaN(top) || value > top ? value : top;
    }, NaN),
  );
}
