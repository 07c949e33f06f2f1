import type { LayerInfo } from '../summaries/cnndiag_pb';

/** Layers that are drawn as one node until the reader unfolds it. */
export interface MapBlock {
  /** Names it in the address. */
  key: string;
  name: string;
  /** Rows of the layer table. */
  rows: number[];
  children: MapItem[];
}

/** A row of the layer table, or a block. */
export type MapItem = number | MapBlock;

/** Above this number of items side by side, those that repeat are put together. */
const MANY = 40;
/** Longest sequence of items whose repetition is searched for. */
const LONGEST_PATTERN = 16;

export function rowsOf(item: MapItem): number[] {
  return typeof item === 'number' ? [item] : item.rows;
}

/** The parts of a name: a number belongs to the word before it, unless that already ends with one. */
function wordsOf(name: string): string[] {
  const words: string[] = [];
  for (const part of name.split('_')) {
    const last = words.at(-1);
    if (last && /^\d+$/.test(part) && !/\d$/.test(last)) words[words.length - 1] = `${last}_${part}`;
    else words.push(part);
  }
  return words;
}

/**
 * The blocks that a path names, outer ones first: its folders, then parts of its last name with a number in it.
 * `conv4_block2_1_conv` names conv4, conv4_block2 and conv4_block2_1; `block4c_expand` names block4 and block4c.
 */
export function namedBlocks(path: string): string[] {
  const folders = path.split('/');
  const name = folders.pop() ?? '';
  const blocks = folders.map((_, i) => folders.slice(0, i + 1).join('/'));
  let prefix = folders.length ? `${folders.join('/')}/` : '';
  for (const word of wordsOf(name).slice(0, -1)) {
    if (!/\d/.test(word)) break;
    const family = /^(.*\d)[a-z]$/.exec(word)?.[1];
    if (family) blocks.push(prefix + family);
    blocks.push(prefix + word);
    prefix += `${word}_`;
  }
  return blocks;
}

interface Named {
  row: number;
  blocks: string[];
}

/** Consecutive layers that name the same block, as blocks within blocks; a block of one is that one. */
function byName(layers: readonly Named[], depth: number, used: Set<string>): MapItem[] {
  const runs: Named[][] = [];
  for (const layer of layers) {
    const last = runs.at(-1);
    const name = layer.blocks[depth];
    if (last && name !== undefined && last[0]?.blocks[depth] === name) last.push(layer);
    else runs.push([layer]);
  }
  return runs.map((run): MapItem => {
    const [first] = run;
    if (!first || run.length === 1) return first?.row ?? 0;
    const name = first.blocks[depth] ?? '';
    const key = used.has(name) ? `${name}#${first.row}` : name;
    used.add(key);
    const rows = run.map(({ row }) => row);
    const children = byName(run, depth + 1, used);
    const [only] = children;
    return children.length === 1 && typeof only === 'object'
      ? { key, name, rows, children: only.children }
      : { key, name, rows, children };
  });
}

/** What a layer is, apart from its name: layers that repeat are alike in it. */
function kindOf({ className, kernelShape, units }: LayerInfo): string {
  return `${className} ${kernelShape.join('×')} ${units}`;
}

function signature(item: MapItem, layers: readonly LayerInfo[]): string {
  return rowsOf(item)
    .map((row) => {
      const layer = layers[row];
      return layer ? kindOf(layer) : '';
    })
    .join();
}

/** How often the items from `start` repeat with a period. */
function repeats(signatures: readonly string[], start: number, period: number): number {
  let end = start + period;
  while (end < signatures.length && signatures[end] === signatures[end - period]) end += 1;
  return Math.floor((end - start) / period);
}

/** Puts items that repeat one after another into blocks, with one block for each repetition. */
function byRepetition(items: readonly MapItem[], layers: readonly LayerInfo[]): MapItem[] {
  const signatures = items.map((item) => signature(item, layers));
  const found: MapItem[] = [];
  const block = (part: readonly MapItem[], count: number): MapItem => {
    const rows = part.flatMap(rowsOf);
    const [first] = part;
    if (part.length === 1 && first !== undefined) return first;
    const path = layers[rows[0] ?? 0]?.path ?? '';
    return {
      key: `${path}+${rows.length}`,
      name: count > 1 ? `${count} × ${path}` : `${path} …`,
      rows,
      children: [...part],
    };
  };
  for (let at = 0; at < items.length;) {
    let best = { period: 1, count: 1 };
    for (let period = 1; period <= LONGEST_PATTERN; period += 1) {
      const count = repeats(signatures, at, period);
      if (count > 1 && count * period > best.count * best.period) best = { period, count };
    }
    const { period, count } = best;
    const part = items.slice(at, at + period * count);
    const [first] = part;
    if (count === 1) {
      if (first !== undefined) found.push(first);
    } else {
      const each = Array.from({ length: count }, (_, i) =>
        block(part.slice(i * period, (i + 1) * period), 1),
      );
      found.push({ ...(block(part, count) as MapBlock), children: each });
    }
    at += period * count;
  }
  return found;
}

/** Blocks of equal numbers of items, where nothing repeats. */
function inEqualParts(items: readonly MapItem[], layers: readonly LayerInfo[]): MapItem[] {
  const size = Math.ceil(items.length / MANY);
  return Array.from({ length: Math.ceil(items.length / size) }, (_, i): MapItem => {
    const children = items.slice(i * size, (i + 1) * size);
    const rows = children.flatMap(rowsOf);
    const [only] = children;
    if (children.length === 1 && only !== undefined) return only;
    const path = layers[rows[0] ?? 0]?.path ?? '';
    return { key: `${path}+${rows.length}`, name: `${path} …`, rows, children };
  });
}

/** The layers as blocks within blocks, by their names, then by what repeats, so that at most 40 stand side by side. */
export function mapItems(layers: readonly LayerInfo[]): MapItem[] {
  const named = layers.map(({ path }, row) => ({ row, blocks: namedBlocks(path) }));
  let items = byName(named, 0, new Set());
  for (let [only] = items; items.length === 1 && typeof only === 'object'; [only] = items)
    items = only.children;
  if (items.length > MANY) items = byRepetition(items, layers);
  if (items.length > MANY) items = inEqualParts(items, layers);
  return items;
}

/** All blocks of a level and above: unfolding them shows what is below. Level 0 is folded; the last shows every layer. */
export function levels(items: readonly MapItem[]): ReadonlySet<string>[] {
  const found: ReadonlySet<string>[] = [new Set()];
  for (let open = items; ;) {
    const blocks = open.filter((item) => typeof item === 'object');
    if (!blocks.length) return found;
    found.push(new Set([...(found.at(-1) ?? []), ...blocks.map(({ key }) => key)]));
    open = blocks.flatMap(({ children }) => children);
  }
}

/** A node of the map, with the unfolded blocks around it, outer ones first. */
export interface Shown {
  item: MapItem;
  within: MapBlock[];
}

export function shownItems(
  items: readonly MapItem[],
  open: ReadonlySet<string>,
  within: MapBlock[] = [],
): Shown[] {
  return items.flatMap((item) =>
    typeof item === 'object' && open.has(item.key)
      ? shownItems(item.children, open, [...within, item])
      : [{ item, within }],
  );
}
