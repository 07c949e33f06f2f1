import type { Cluster, ClusterGraph } from '../model/clusters';
import { placesOf } from '../model/cluster_paths';

export const NODE_WIDTH = 124;
const PITCH = 200;
export const HEAD = 40;
const [SHORTEST, TALLEST, GAP] = [32, 64, 8];
/** Units of a cluster that is drawn tallest even if no cluster of its layer has as many. */
const MANY = 12;

export interface Box {
  x: number;
  y: number;
  height: number;
}

export interface ClusterLayout {
  boxes: Box[];
  width: number;
  height: number;
}

const key = ({ row, name }: Cluster) => `${row} ${name}`;

/**
 * Boxes of the clusters of `graph`: a column for each layer, taller for more units. The order in a column is that of
 * `last`, the latest snapshot, so that a cluster stays where it is; clusters that `last` does not have come behind.
 */
export function layoutOf(graph: ClusterGraph, last: ClusterGraph): ClusterLayout {
  const places = placesOf(last);
  const known = new Map(last.clusters.map((cluster) => [key(cluster), places[cluster.index] ?? 0]));
  const boxes: Box[] = [];
  const columns = graph.rows.map((row) =>
    graph.clusters
      .filter((cluster) => cluster.row === row)
      .sort((a, b) => (known.get(key(a)) ?? 1e3 + a.name) - (known.get(key(b)) ?? 1e3 + b.name)),
  );
  const heights = columns.map((column) => {
    const largest = Math.max(...column.map(({ units }) => units.length));
    return column.map(({ units }) =>
      Math.round(SHORTEST + (TALLEST - SHORTEST) * Math.sqrt(units.length / Math.max(MANY, largest))),
    );
  });
  const totals = heights.map((own) => own.reduce((sum, height) => sum + height + GAP, -GAP));
  const tallest = Math.max(0, ...totals);
  columns.forEach((column, at) => {
    let y = HEAD + (tallest - (totals[at] ?? 0)) / 2;
    column.forEach(({ index }, i) => {
      const height = heights[at]?.[i] ?? SHORTEST;
      boxes[index] = { x: at * PITCH, y, height };
      y += height + GAP;
    });
  });
  return { boxes, width: Math.max(0, columns.length - 1) * PITCH + NODE_WIDTH, height: HEAD + tallest };
}

/** The curve of an edge, from the right of one box to the left of another. */
export function curve(from: Box, to: Box): string {
  const [x0, y0] = [from.x + NODE_WIDTH, from.y + from.height / 2];
  const [x1, y1] = [to.x, to.y + to.height / 2];
  const bend = Math.max(24, (x1 - x0) / 2);
  return `M${x0} ${y0}C${x0 + bend} ${y0} ${x1 - bend} ${y1} ${x1} ${y1}`;
}
