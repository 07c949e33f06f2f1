import type { LayerInfo } from '../summaries/cnndiag_pb';
import { rowsOf, shownItems, type MapBlock, type MapItem } from './map_blocks';

/** A layer or a folded block. */
export interface MapNode {
  id: string;
  rows: number[];
  /** The block, if it is folded. */
  block: MapBlock | undefined;
  within: MapBlock[];
  /** What it reads goes past it too, and joins its output: a residual or dense connection around it. */
  skip: boolean;
  input: boolean;
  output: boolean;
}

/** Data flows from one end to the other: ids of nodes, or of junctions where several outputs meet. */
export interface MapEdge {
  from: string;
  to: string;
}

export interface Network {
  nodes: MapNode[];
  /** Places where outputs meet, by adding, concatenating or multiplying. */
  junctions: string[];
  edges: MapEdge[];
  /** Whether the connections were recorded; else the edges follow the order of the layer table. */
  recorded: boolean;
}

function contains(set: readonly number[], part: readonly number[]): boolean {
  let at = 0;
  for (const member of set) if (member === part[at]) at += 1;
  return at === part.length;
}

function union(sets: Iterable<readonly number[]>): number[] {
  return [...new Set([...sets].flat())].sort((a, b) => a - b);
}

/** The node or junction that the outputs of a set of nodes come from together. */
interface Stream {
  id: string;
  set: readonly number[];
}

/**
 * The graph of the nodes that are shown. The layer table says which kernels' outputs reach each kernel. Where several
 * do, they meet at a junction; sets that contain another share its junction, so that a stream to which each block adds
 * is drawn as a stream.
 */
export function networkOf(
  layers: readonly LayerInfo[],
  items: readonly MapItem[],
  open: ReadonlySet<string>,
): Network {
  const shown = shownItems(items, open);
  const place = new Map<number, number>();
  shown.forEach(({ item }, node) => rowsOf(item).forEach((row) => place.set(row, node)));
  const recorded = layers.some(({ inputs }) => inputs.length > 0) || layers.length < 2;
  const part = (row: number) => layers[row]?.path.split('/')[0];
  const sources = layers.map(({ inputs, path }, row) => {
    if (recorded) return inputs;
    // Parts that are recorded together, as the two of a GAN, have folders of their own.
    return row && (!path.includes('/') || part(row - 1) === part(row)) ? [row - 1] : [];
  });
  const inputs = shown.map(({ item }, node) =>
    union(rowsOf(item).map((row) => (sources[row] ?? []).map((source) => place.get(source) ?? -1))).filter(
      (source) => source >= 0 && source < node,
    ),
  );
  const nodes = shown.map(({ item, within }, i): MapNode => {
    const rows = rowsOf(item);
    return {
      id: String(i),
      rows,
      block: typeof item === 'object' ? item : undefined,
      within,
      skip: false,
      input: rows.some((row) => !sources[row]?.length),
      output: rows.some((row) => layers[row]?.output),
    };
  });
  const readers = shown.map((): (readonly number[])[] => []);
  for (const set of inputs) for (const source of set) readers[source]?.push(set);

  const carrier = new Map<string, string>();
  const streams: Stream[] = [];
  const junctions: string[] = [];
  const edges: MapEdge[] = [];

  /** The node that a set goes past and joins again; undefined if there is none. */
  const passed = (set: readonly number[]) =>
    set.findLast((node) => {
      const own = inputs[node] ?? [];
      if (own.length !== set.length - 1) return false;
      const past = set.filter((member) => member !== node);
      return contains(own, past) && readers[node]?.every((reader) => contains(reader, past));
    });
  /** The largest streams that meet in a set, and the nodes that are in none of them. */
  const parts = (set: readonly number[]): string[] => {
    const left = new Set(set);
    const found: string[] = [];
    for (const stream of streams) {
      if (left.size < 2) break;
      if (stream.set.length >= set.length || !contains(set, stream.set)) continue;
      if (stream.set.filter((member) => left.has(member)).length < 2) continue;
      found.push(stream.id);
      for (const member of stream.set) left.delete(member);
    }
    return [...found, ...[...left].map(String)];
  };
  const carry = (set: readonly number[]): string => {
    const key = set.join();
    const known = carrier.get(key);
    if (known) return known;
    const [first = 0] = set;
    const around = set.length > 1 ? passed(set) : first;
    const id = around === undefined ? `j${junctions.length}` : String(around);
    carrier.set(key, id);
    if (around !== undefined) {
      const node = nodes[around];
      if (node && set.length > 1) node.skip = true;
    } else {
      junctions.push(id);
      for (const part of parts(set)) edges.push({ from: part, to: id });
    }
    if (set.length > 1) {
      streams.push({ id, set });
      streams.sort((a, b) => b.set.length - a.set.length);
    }
    return id;
  };
  inputs.forEach((set, node) => {
    if (set.length) edges.push({ from: carry(set), to: String(node) });
  });
  return { nodes, junctions, edges, recorded };
}
