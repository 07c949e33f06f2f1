import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { fromBinary } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { changesBetween, matchesIn, notesOf } from '../src/model/cluster_changes';
import { classPath, connectionsOf, pathOf, placesOf } from '../src/model/cluster_paths';
import { agreement, clustersOf, type Cluster, type ClusterGraph } from '../src/model/clusters';
import { MeasurementSchema } from '../src/summaries/cnndiag_pb';
import { curve, layoutOf } from '../src/views/cluster_layout';

function cluster(
  index: number,
  row: number,
  name: number,
  units: number[],
  more: Partial<Cluster> = {},
): Cluster {
  return {
    index,
    row,
    name,
    units,
    typical: units.slice(0, 3),
    responses: [1, -1],
    signature: [1, 0, -1, 0.5 * index],
    columns: { dead: 0, saturated: 0 },
    ...more,
  };
}

const graph = (clusters: Cluster[], edges: [number, number, number][] = []): ClusterGraph => ({
  clusters,
  edges: edges.map(([source, target, weight]) => ({ source, target, weight })),
  classes: [0, 1],
  rows: [...new Set(clusters.map(({ row }) => row))],
});

/** Two paths, 0 → 2 → 4 and 1 → 3 → 5, with a faint edge between them. */
const paths = graph(
  [0, 1, 2, 3, 4, 5].map((index) => cluster(index, Math.floor(index / 2), index % 2, [index % 2])),
  [
    [0, 2, 0.5],
    [1, 3, 0.45],
    [0, 3, 0.05],
    [2, 4, 0.5],
    [3, 5, 0.5],
  ],
);

describe('a graph of clusters', () => {
  it('has the strongest connections of a cluster, as shares of what drives each', () => {
    const of = (index: number, direction: 'from' | 'to') =>
      connectionsOf(paths, index, direction).map(({ cluster, share }) => [cluster.index, share]);
    expect(of(3, 'from')).toEqual([
      [1, expect.closeTo(0.9)],
      [0, expect.closeTo(0.1)],
    ]);
    expect(of(0, 'to')).toEqual([
      [2, 1],
      [3, expect.closeTo(0.1)],
    ]);
    expect(of(0, 'from')).toEqual([]);
    expect(of(5, 'to')).toEqual([]);
  });

  it('is read from its message', async () => {
    const bytes = readFileSync(resolve(import.meta.dirname, '../../summaries/golden/graph.bin'));
    const { payload } = fromBinary(MeasurementSchema, bytes);
    if (payload.case !== 'graph') throw new Error(`a ${payload.case}`);
    const read = await clustersOf(payload.value);
    expect(read.rows).toEqual([0, 1]);
    expect(read.clusters.map(({ name }) => name)).toEqual([0, 2, 0, 1]);
    expect(read.clusters.map(({ units }) => units)).toEqual([[0, 1], [2], [1], [0]]);
    expect(read.clusters.map(({ typical }) => typical)).toEqual([[1, 0], [2], [1], [0]]);
    expect(read.clusters[1]?.columns['dead']).toBe(1);
    expect(read.clusters[2]?.columns['dead']).toBeNaN();
    expect(read.clusters[3]?.responses).toEqual([2, -2]);
    expect(read.clusters[2]?.signature).toEqual([1, 1, -1]);
    expect(read.edges).toEqual([
      { source: 0, target: 2, weight: 0.5 },
      { source: 0, target: 3, weight: 0.25 },
      { source: 1, target: 3, weight: 0.125 },
    ]);
  });

  it('shows the path of a cluster, before and behind it', () => {
    const strength = pathOf(paths, 2);
    expect([...strength]).toEqual([1, 0, 1, 0, 1, 0]);
    const other = pathOf(paths, 3);
    expect(other[1]).toBe(1);
    expect(other[0]).toBe(0); // a tenth of what drives it: faint
    expect(other[5]).toBe(1);
  });

  it('shows what responds to a class, relative to the strongest of each layer', () => {
    const answering = graph([
      cluster(0, 0, 0, [0], { responses: [2, 0] }),
      cluster(1, 0, 1, [1], { responses: [1, -3] }),
      cluster(2, 0, 2, [2], { responses: [0.1, 1] }),
    ]);
    expect([...classPath(answering, 0)]).toEqual([1, 0.5, 0]);
    expect([...classPath(answering, 1)]).toEqual([0, 0, 1]);
  });

  it('places clusters so that fewer edges cross', () => {
    const crossed = graph(
      [0, 1, 2, 3].map((index) => cluster(index, index < 2 ? 0 : 1, index % 2, [index % 2])),
      [
        [0, 3, 1],
        [1, 2, 1],
      ],
    );
    const place = placesOf(crossed);
    expect((place[0] ?? 0) < (place[1] ?? 0)).toBe((place[3] ?? 0) < (place[2] ?? 0));
  });

  it('keeps the places of the latest snapshot', () => {
    const later = layoutOf(paths, paths);
    const earlier = layoutOf(graph(paths.clusters.slice(0, 5)), paths);
    expect(earlier.boxes[0]?.y).toBe(later.boxes[0]?.y);
    expect(later.boxes[2]?.x).toBeGreaterThan(later.boxes[0]?.x ?? 0);
    const [from, to] = [later.boxes[0], later.boxes[2]];
    if (from && to) expect(curve(from, to)).toMatch(/^M124 /);
  });
});

describe('what stands out', () => {
  it('names clusters that are dead, saturated, alike, and layers with edges all alike', () => {
    const found = notesOf(
      graph(
        [
          cluster(0, 0, 0, [0], { columns: { dead: 1 } }),
          cluster(1, 0, 1, [1], { signature: [1, 2, 3, 4] }),
          cluster(2, 0, 2, [2], { signature: [2, 4, 6, 8.1] }),
          cluster(3, 1, 0, [0], { columns: { saturated: 0.9 }, signature: [1, 0, 0, 0] }),
          cluster(4, 1, 1, [1], { signature: [0, 1, 0, 0] }),
          cluster(5, 1, 2, [2], { signature: [0, 0, 1, 0] }),
        ],
        [3, 4, 5].flatMap((target): [number, number, number][] => [
          [1, target, 0.2],
          [2, target, 0.1],
        ]),
      ),
    );
    expect(found).toEqual([
      { row: 0, text: 'cluster 0 never fires' },
      { row: 0, text: 'clusters 1, 2 answer alike' },
      { row: 1, text: 'cluster 0 is saturated' },
      { row: 1, text: 'all clusters are driven by the same ones, equally' },
    ]);
  });

  it('says what has become of the clusters', () => {
    const before = graph([
      cluster(0, 0, 0, [0, 1, 2, 3]),
      cluster(1, 0, 1, [4, 5]),
      cluster(2, 0, 2, [6, 7], { columns: { dead: 1 } }),
    ]);
    const now = graph([
      cluster(0, 0, 0, [0, 1, 4, 5], { columns: { dead: 1 } }),
      cluster(1, 0, 3, [2, 3]),
      cluster(2, 0, 2, [6, 7]),
    ]);
    expect(changesBetween(before, now).map(({ text }) => text)).toEqual([
      'cluster 0 died',
      'cluster 3 split from cluster 0',
      'cluster 2 fires again',
      'cluster 1 merged into cluster 0',
    ]);
  });

  it('finds the counterpart in another run by what it responds to', () => {
    const own = graph([cluster(0, 0, 0, [0], { signature: [1, 2, 3, 5] })]);
    const other = graph([
      cluster(0, 0, 4, [0], { signature: [5, 3, 2, 1] }),
      cluster(1, 0, 7, [1], { signature: [2, 4, 6, 10] }),
    ]);
    const [match] = matchesIn(own, ['conv'], other, ['conv']);
    expect(match?.name).toBe(7);
    expect(match?.correlation).toBeCloseTo(1);
    expect(matchesIn(own, ['conv'], other, ['dense'])[0]?.name).toBe(-1);
    expect(agreement([1, 1, 1], [1, 2, 3])).toBeNaN();
  });
});
