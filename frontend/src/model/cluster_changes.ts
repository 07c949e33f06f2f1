import { agreement, isDead, isSaturated, type Cluster, type ClusterGraph } from './clusters';

/** Clusters with at least this correlation answer alike; with less than the other, they are no match. */
export const ALIKE = 0.9;
export const MATCH = 0.5;
/** Part of a cluster's units that another one must have taken or given. */
const MOST_UNITS = 0.5;
/** Largest difference between what drives the clusters of a layer, 0 to 1, for edges that are all alike. */
const SAME_EDGES = 0.1;

export interface Note {
  row: number;
  text: string;
}

const listed = (clusters: readonly Cluster[]) =>
  `${clusters.length > 1 ? 'clusters' : 'cluster'} ${clusters.map(({ name }) => name).join(', ')}`;

const rowed = ({ clusters, rows }: ClusterGraph): [number, Cluster[]][] =>
  rows.map((row) => [row, clusters.filter((cluster) => cluster.row === row)]);

/** Half the sum of differences between two distributions: 0 if they are the same, 1 if they have nothing in common. */
function difference(a: ReadonlyMap<number, number>, b: ReadonlyMap<number, number>): number {
  const keys = new Set([...a.keys(), ...b.keys()]);
  return [...keys].reduce((sum, key) => sum + Math.abs((a.get(key) ?? 0) - (b.get(key) ?? 0)), 0) / 2;
}

/** What each cluster is driven by, as shares. */
function drivers({ edges }: ClusterGraph): Map<number, Map<number, number>> {
  const found = new Map<number, Map<number, number>>();
  for (const { source, target, weight } of edges) {
    const own = found.get(target) ?? new Map<number, number>();
    own.set(source, weight);
    found.set(target, own);
  }
  for (const own of found.values()) {
    const sum = [...own.values()].reduce((total, weight) => total + weight, 0);
    for (const [source, weight] of own) own.set(source, weight / sum);
  }
  return found;
}

/** What experts find in such a map: clusters that never fire, that are saturated, that answer alike; edges alike. */
export function notesOf(graph: ClusterGraph): Note[] {
  const notes: Note[] = [];
  const driven = drivers(graph);
  for (const [row, own] of rowed(graph)) {
    const dead = own.filter(isDead);
    const saturated = own.filter(isSaturated);
    const alive = own.filter((cluster) => !isDead(cluster));
    if (dead.length) notes.push({ row, text: `${listed(dead)} never ${dead.length > 1 ? 'fire' : 'fires'}` });
    if (saturated.length) {
      notes.push({ row, text: `${listed(saturated)} ${saturated.length > 1 ? 'are' : 'is'} saturated` });
    }
    const twins = alive.filter((a) =>
      alive.some((b) => a !== b && agreement(a.signature, b.signature) >= ALIKE),
    );
    if (twins.length) notes.push({ row, text: `${listed(twins)} answer alike` });
    const reads = alive.flatMap(({ index }) => driven.get(index) ?? []);
    const [first] = reads;
    if (first && reads.length > 2 && reads.length === alive.length) {
      if (reads.every((each) => difference(first, each) <= SAME_EDGES)) {
        notes.push({ row, text: 'all clusters are driven by the same ones, equally' });
      }
    }
  }
  return notes;
}

const common = (a: Cluster, b: Cluster) => {
  const units = new Set(b.units);
  return a.units.filter((unit) => units.has(unit)).length;
};

/** What has become of the clusters since another snapshot: those that appeared, split, merged, died or came back. */
export function changesBetween(before: ClusterGraph, now: ClusterGraph): Note[] {
  const notes: Note[] = [];
  for (const [row, own] of rowed(now)) {
    const old = before.clusters.filter((cluster) => cluster.row === row);
    if (!old.length) continue;
    const names = new Map(old.map((cluster) => [cluster.name, cluster]));
    for (const cluster of own) {
      const known = names.get(cluster.name);
      if (known && isDead(cluster) !== isDead(known)) {
        notes.push({ row, text: `cluster ${cluster.name} ${isDead(cluster) ? 'died' : 'fires again'}` });
      }
      if (known) continue;
      const origin = old.find((other) => common(cluster, other) > MOST_UNITS * cluster.units.length);
      notes.push({
        row,
        text: `cluster ${cluster.name} ${origin ? `split from cluster ${origin.name}` : 'appeared'}`,
      });
    }
    const left = new Set(own.map(({ name }) => name));
    for (const cluster of old) {
      if (left.has(cluster.name)) continue;
      const heir = own.find((other) => common(cluster, other) > MOST_UNITS * cluster.units.length);
      notes.push({
        row,
        text: `cluster ${cluster.name} ${heir ? `merged into cluster ${heir.name}` : 'dissolved'}`,
      });
    }
  }
  return notes;
}

/** For each cluster, the one of the same layer in another run that responds most alike, and their correlation. */
export function matchesIn(
  graph: ClusterGraph,
  layers: readonly string[],
  other: ClusterGraph,
  otherLayers: readonly string[],
): { name: number; correlation: number }[] {
  return graph.clusters.map(({ row, signature }) => {
    const path = layers[row];
    let best = { name: -1, correlation: NaN };
    for (const there of other.clusters) {
      if (otherLayers[there.row] !== path) continue;
      const correlation = agreement(signature, there.signature);
      if (!(correlation <= best.correlation)) best = { name: there.name, correlation };
    }
    return best;
  });
}
