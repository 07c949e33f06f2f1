import { graphlib, layout } from '@dagrejs/dagre';
import type { MapEdge, Network } from '../model/network';

/** Sizes at a scale of 1, in pixels. */
export const NODE = { width: 138, height: 64 };
export const JUNCTION = 16;
export const GAP = { rank: 22, lane: 16, row: 34, margin: 14, top: 26, bottom: 26, entry: 10 };

export interface Point {
  x: number;
  y: number;
}

export interface Route {
  from: string;
  to: string;
  points: Point[];
}

/** A part of the graph that is entered by one node and left by one, with the first at the origin. */
export interface Segment {
  places: { id: string; x: number; y: number }[];
  routes: Route[];
  /** From the center of the first to the center of the last. */
  length: number;
  /** How much lower the last is than the first. */
  fall: number;
  /** Extent above and below the center of the first; half sizes of nodes included. */
  above: number;
  below: number;
}

export const sizeOf = (id: string) => (id.startsWith('j') ? { width: JUNCTION, height: JUNCTION } : NODE);

/** Ids in an order in which all edges point forward. */
function topological(ids: readonly string[], edges: readonly MapEdge[]): string[] {
  const waiting = new Map(ids.map((id) => [id, 0]));
  const next = new Map<string, string[]>();
  for (const { from, to } of edges) {
    waiting.set(to, (waiting.get(to) ?? 0) + 1);
    next.set(from, [...(next.get(from) ?? []), to]);
  }
  const ready = ids.filter((id) => !waiting.get(id));
  for (const id of ready) {
    for (const to of next.get(id) ?? []) {
      const left = (waiting.get(to) ?? 1) - 1;
      waiting.set(to, left);
      if (!left) ready.push(to);
    }
  }
  return ready;
}

/** Parts of the graph that nothing connects, each in the order of its first node. */
function components(network: Network): { ids: string[]; edges: MapEdge[] }[] {
  const ids = [...network.nodes.map(({ id }) => id), ...network.junctions];
  const parent = new Map(ids.map((id) => [id, id]));
  const root = (id: string): string => {
    let at = id;
    for (let up = parent.get(at); up && up !== at; up = parent.get(at)) {
      parent.set(at, parent.get(up) ?? up);
      at = up;
    }
    return at;
  };
  for (const { from, to } of network.edges) parent.set(root(to), root(from));
  const parts = new Map<string, { ids: string[]; edges: MapEdge[] }>();
  for (const id of ids) {
    const part = parts.get(root(id)) ?? { ids: [], edges: [] };
    part.ids.push(id);
    parts.set(root(id), part);
  }
  for (const edge of network.edges) parts.get(root(edge.from))?.edges.push(edge);
  return [...parts.values()];
}

/** Positions in the order that no edge passes over: all data flow through the nodes at them. */
function bottlenecks(order: readonly string[], edges: readonly MapEdge[]): number[] {
  const at = new Map(order.map((id, i) => [id, i]));
  const reach = order.map(() => 0);
  const hasInput = new Set(edges.map(({ to }) => to));
  const hasOutput = new Set(edges.map(({ from }) => from));
  const lastSource = order.findLastIndex((id) => !hasInput.has(id));
  for (const { from, to } of edges) {
    const start = at.get(from) ?? 0;
    reach[start] = Math.max(reach[start] ?? 0, at.get(to) ?? 0);
  }
  const found: number[] = [];
  let furthest = 0;
  let ended = false;
  order.forEach((id, i) => {
    if (furthest <= i && !ended && lastSource <= i) found.push(i);
    furthest = Math.max(furthest, reach[i] ?? 0);
    ended ||= !hasOutput.has(id);
  });
  return found;
}

/** Lays out a part of the graph by dagre, from left to right. */
function segmentOf(ids: readonly string[], edges: readonly MapEdge[]): Segment {
  const [first = ''] = ids;
  const last = ids.at(-1) ?? first;
  const size = sizeOf(first);
  if (ids.length === 1) {
    const half = size.height / 2;
    return { places: [{ id: first, x: 0, y: 0 }], routes: [], length: 0, fall: 0, above: half, below: half };
  }
  if (ids.length === 2) {
    const length = size.width / 2 + GAP.rank + sizeOf(last).width / 2;
    const points = [
      { x: size.width / 2, y: 0 },
      { x: length - sizeOf(last).width / 2, y: 0 },
    ];
    const half = Math.max(size.height, sizeOf(last).height) / 2;
    const places = [
      { id: first, x: 0, y: 0 },
      { id: last, x: length, y: 0 },
    ];
    return { places, routes: [{ from: first, to: last, points }], length, fall: 0, above: half, below: half };
  }
  const at = new Map(ids.map((id, i) => [id, String(i)]));
  const local = edges.map(({ from, to }) => [at.get(from) ?? '', at.get(to) ?? ''] as const);
  const shape = `${ids.map((id) => (id.startsWith('j') ? 'j' : 'n')).join('')} ${local.join(' ')}`;
  const drawing = drawings.get(shape) ?? draw(ids, local);
  drawings.set(shape, drawing);
  return {
    ...drawing,
    places: drawing.places.map((place, i) => ({ ...place, id: ids[i] ?? '' })),
    routes: drawing.routes.map(({ points }, i) => ({ ...(edges[i] ?? { from: '', to: '' }), points })),
  };
}

/** Drawings by shape: what repeats in a network is laid out once. */
const drawings = new Map<string, Segment>();

/** Lays out nodes named by their position. */
function draw(ids: readonly string[], edges: readonly (readonly [string, string])[]): Segment {
  const size = (i: number) => sizeOf(ids[i] ?? '');
  const graph = new graphlib.Graph();
  graph.setGraph({ rankdir: 'LR', nodesep: GAP.lane, ranksep: GAP.rank, edgesep: GAP.lane });
  graph.setDefaultEdgeLabel(() => ({}));
  ids.forEach((_, i) => graph.setNode(String(i), { ...size(i) }));
  for (const [from, to] of edges) graph.setEdge(from, to, {});
  layout(graph);
  const found = ids.map((_, i) => graph.node(String(i)) as unknown as Point);
  const origin = { x: Math.min(...found.map(({ x }) => x)), y: found[0]?.y ?? 0 };
  const shift = ({ x, y }: Point) => ({ x: x - origin.x, y: y - origin.y });
  const places = found.map((point, i) => ({ id: String(i), ...shift(point) }));
  const routes = edges.map(([from, to]) => {
    const { points = [] } = graph.edge(from, to) as { points?: Point[] };
    return { from, to, points: points.map(shift) };
  });
  const tops = [
    ...places.map(({ y }, i) => y - size(i).height / 2),
    ...routes.flatMap(({ points }) => points.map(({ y }) => y)),
  ];
  const bottoms = [
    ...places.map(({ y }, i) => y + size(i).height / 2),
    ...routes.flatMap(({ points }) => points.map(({ y }) => y)),
  ];
  const furthest = places.reduce((most, { x }) => Math.max(most, x), 0);
  const fall = places.at(-1)?.y ?? 0;
  return { places, routes, length: furthest, fall, above: -Math.min(...tops), below: Math.max(...bottoms) };
}

/** The graph in parts that follow one another, for each component. This takes the time; lines are broken quickly. */
export function segments(network: Network): Segment[][] {
  return components(network).map(({ ids, edges }) => {
    const order = topological(ids, edges);
    const at = new Map(order.map((id, i) => [id, i]));
    if (order.length === 1) return [segmentOf(order, [])];
    const cuts = [...new Set([0, ...bottlenecks(order, edges), order.length - 1])];
    const parts: { ids: string[]; edges: MapEdge[] }[] = cuts
      .slice(1)
      .map((stop, i) => ({ ids: order.slice(cuts[i] ?? 0, stop + 1), edges: [] }));
    let part = 0;
    const partAt = order.map((_, i) => {
      while (part < cuts.length - 2 && i >= (cuts[part + 1] ?? 0)) part += 1;
      return part;
    });
    for (const edge of edges) parts[partAt[at.get(edge.from) ?? 0] ?? 0]?.edges.push(edge);
    return parts.map((one) => segmentOf(one.ids, one.edges));
  });
}
