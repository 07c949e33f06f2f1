import type { Graph } from '../summaries/cnndiag_pb';
import { fromFloat16 } from './density';
import { numbers, once } from './units';

/** Stands for a unit that does not exist. */
const NONE = 0xffff;

/** Units of a layer that respond alike. */
export interface Cluster {
  index: number;
  /** Row of its layer in the layer table. */
  row: number;
  /** A number that stays the same over snapshots, within its layer. */
  name: number;
  units: number[];
  /** Its medoid first. */
  typical: number[];
  /** Mean response to each class, in standard deviations. */
  responses: number[];
  signature: number[];
  /** Numbers by name; NaN: unknown. */
  columns: Record<string, number>;
}

export interface Influence {
  source: number;
  target: number;
  /** Share of all influence on the target's layer. */
  weight: number;
}

/** Clusters of units, and what connects those of successive layers. */
export interface ClusterGraph {
  clusters: Cluster[];
  edges: Influence[];
  classes: number[];
  /** Rows of the layer table that have clusters, in order. */
  rows: number[];
}

const floats = (bytes: Uint8Array) => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: bytes.byteLength >> 2 }, (_, i) => view.getFloat32(4 * i, true));
};

/** The clusters of a message, read once. */
export const clustersOf = once(async (message: Graph): Promise<ClusterGraph> => {
  const [row, name, member, typical, response, signature, source, target, weight] = await Promise.all([
    numbers(message.rows, 2),
    numbers(message.names, 2),
    numbers(message.members, 1),
    numbers(message.typical, 2),
    numbers(message.responses, 2),
    numbers(message.signatures, 1),
    numbers(message.sources, 2),
    numbers(message.targets, 2),
    numbers(message.weights, 2),
  ]);
  const columns = message.columns.map((column) => ({ name: column.name, values: floats(column.values) }));
  const clusters = Array.from({ length: message.nodes }, (_, index): Cluster => {
    const list = <T>(count: number, at: (i: number) => T) =>
      Array.from({ length: count }, (__, i) => at(index * count + i));
    return {
      index,
      row: row(index),
      name: name(index),
      units: [],
      typical: list(message.typicalCount, typical).filter((unit) => unit !== NONE),
      responses: list(message.classes.length, (i) => fromFloat16(response(i))),
      signature: list(message.samples, (i) => ((signature(i) ^ 0x80) - 0x80) / 127),
      columns: Object.fromEntries(columns.map((column) => [column.name, column.values[index] ?? NaN])),
    };
  });
  const rows = [...new Set(clusters.map((cluster) => cluster.row))];
  let offset = 0;
  rows.forEach((own, layer) => {
    const first = clusters.findIndex((cluster) => cluster.row === own);
    const count = message.units[layer] ?? 0;
    for (let unit = 0; unit < count; unit += 1) clusters[first + member(offset + unit)]?.units.push(unit);
    offset += count;
  });
  const edges = Array.from({ length: message.edges }, (_, edge) => ({
    source: source(edge),
    target: target(edge),
    weight: fromFloat16(weight(edge)),
  }));
  return { clusters, edges, classes: message.classes, rows };
});

/** Whether all units of a cluster never fire. */
export const isDead = ({ columns }: Cluster) => (columns['dead'] ?? 0) >= 1;
/** Whether most values of most of its units are at a bound. */
export const isSaturated = ({ columns }: Cluster) => (columns['saturated'] ?? 0) >= 0.5;

/** Correlation of what two clusters respond to. */
export function agreement(a: readonly number[], b: readonly number[]): number {
  const count = Math.min(a.length, b.length);
  const mean = (values: readonly number[]) =>
    values.slice(0, count).reduce((sum, value) => sum + value, 0) / count;
  const [meanA, meanB] = [mean(a), mean(b)];
  let [ab, aa, bb] = [0, 0, 0];
  for (let i = 0; i < count; i += 1) {
    const [x, y] = [(a[i] ?? 0) - meanA, (b[i] ?? 0) - meanB];
    ab += x * y;
    aa += x * x;
    bb += y * y;
  }
  return aa > 0 && bb > 0 ? ab / Math.sqrt(aa * bb) : NaN;
}
