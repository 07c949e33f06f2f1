import type { Cluster, ClusterGraph } from './clusters';

/** Part of the strongest cluster of a layer below which another one is off a path. */
const FAINT = 0.25;

/**
 * How much each cluster has to do with one of them, 0 to 1: how much of what drives it comes from each cluster before,
 * and how much of what it drives reaches each cluster behind, relative to the strongest of the same layer.
 */
export function pathOf({ clusters, edges }: ClusterGraph, start: number): Float32Array {
  const total = (side: 'source' | 'target') => {
    const sums = new Float32Array(clusters.length);
    for (const edge of edges) sums[edge[side]] = (sums[edge[side]] ?? 0) + edge.weight;
    return sums;
  };
  const spread = (from: 'source' | 'target', to: 'source' | 'target') => {
    const sums = total(from);
    const reached = new Float32Array(clusters.length);
    reached[start] = 1;
    const order = [...edges].sort((a, b) => (to === 'source' ? b.target - a.target : a.source - b.source));
    for (const edge of order) {
      const part = (reached[edge[from]] ?? 0) * (edge.weight / (sums[edge[from]] || 1));
      reached[edge[to]] = (reached[edge[to]] ?? 0) + part;
    }
    return reached;
  };
  const before = spread('target', 'source');
  const behind = spread('source', 'target');
  const startRow = clusters[start]?.row;
  return relative(clusters, ({ index, row }) =>
    row === startRow && index !== start ? 0 : Math.max(before[index] ?? 0, behind[index] ?? 0),
  );
}

/** How much each cluster responds to a class, 0 to 1, relative to the one of its layer that responds most. */
export function classPath({ clusters }: ClusterGraph, position: number): Float32Array {
  return relative(clusters, ({ responses }) => Math.max(0, responses[position] ?? 0));
}

/** Values of clusters relative to the largest of the same layer; 0 for those that are faint. */
function relative(clusters: readonly Cluster[], valueOf: (cluster: Cluster) => number): Float32Array {
  const largest = new Map<number, number>();
  for (const cluster of clusters) {
    largest.set(cluster.row, Math.max(largest.get(cluster.row) ?? 0, valueOf(cluster)));
  }
  return Float32Array.from(clusters, (cluster) => {
    const share = valueOf(cluster) / (largest.get(cluster.row) || 1);
    return share >= FAINT ? share : 0;
  });
}

/**
 * Place of each cluster within its layer, in an order that crosses few edges: each is placed at the mean place of the
 * clusters that it is connected with, back and forth (Sugiyama, Tagawa & Toda 1981, barycenters).
 */
export function placesOf({ clusters, edges, rows }: ClusterGraph): number[] {
  const columns = rows.map((row) => clusters.filter((cluster) => cluster.row === row));
  const place = new Map<number, number>();
  const put = (column: readonly Cluster[]) =>
    column.forEach(({ index }, at) => place.set(index, (at + 0.5) / column.length));
  columns.forEach(put);
  const links = new Map<number, { other: number; weight: number; back: boolean }[]>();
  const link = (from: number, other: number, weight: number, back: boolean) =>
    links.set(from, [...(links.get(from) ?? []), { other, weight, back }]);
  for (const { source, target, weight } of edges) {
    link(target, source, weight, true);
    link(source, target, weight, false);
  }
  const mean = (index: number, back: boolean) => {
    const own = (links.get(index) ?? []).filter((each) => each.back === back);
    const sum = own.reduce((total, { weight }) => total + weight, 0);
    if (!sum) return place.get(index) ?? 0;
    return own.reduce((total, { other, weight }) => total + (place.get(other) ?? 0) * weight, 0) / sum;
  };
  const sorted = (column: readonly Cluster[], back: boolean) => {
    const at = new Map(column.map(({ index }) => [index, mean(index, back)]));
    return [...column].sort((a, b) => (at.get(a.index) ?? 0) - (at.get(b.index) ?? 0));
  };
  for (let sweep = 0; sweep < 4; sweep += 1) {
    const back = sweep % 2 === 0;
    const order = columns.map((_, i) => (back ? i : columns.length - 1 - i));
    for (const i of order) {
      columns[i] = sorted(columns[i] ?? [], back);
      put(columns[i] ?? []);
    }
  }
  const found: number[] = [];
  for (const column of columns) column.forEach(({ index }, at) => (found[index] = at));
  return found;
}

/** Connections of a cluster that are listed in each direction. */
const LISTED = 4;

export interface Connection {
  cluster: Cluster;
  /** Share of the kept influence on the cluster that is driven. */
  share: number;
}

/** The strongest connections of a cluster: from the clusters that drive it, or to those that it drives. */
export function connectionsOf(
  { clusters, edges }: ClusterGraph,
  index: number,
  direction: 'from' | 'to',
): Connection[] {
  const total = new Map<number, number>();
  for (const { target, weight } of edges) total.set(target, (total.get(target) ?? 0) + weight);
  const found: Connection[] = [];
  for (const { source, target, weight } of edges) {
    const [own, other] = direction === 'from' ? [target, source] : [source, target];
    const cluster = clusters[other];
    if (own === index && cluster) found.push({ cluster, share: weight / (total.get(target) ?? weight) });
  }
  return found.sort((a, b) => b.share - a.share).slice(0, LISTED);
}
