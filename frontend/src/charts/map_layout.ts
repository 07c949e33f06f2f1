import { GAP, sizeOf, type Point, type Route, type Segment } from './map_segments';

/** A node or a junction by its center. */
export interface Place extends Point {
  id: string;
  width: number;
  height: number;
  row: number;
}

/** A line of the map: like lines of text, each goes on where the one above it ends. */
export interface Line {
  top: number;
  bottom: number;
  /** The node of an earlier line that this one goes on from, and where it enters; undefined if nothing leads here. */
  from: string | undefined;
  entry: Point;
}

/** An edge with the corners of what it covers. */
export interface DrawnRoute extends Route {
  low: Point;
  high: Point;
}

export interface Layout {
  places: Map<string, Place>;
  routes: DrawnRoute[];
  rows: Line[];
  width: number;
  height: number;
}

/** Breaks the parts into lines of at most `width`, as far as parts allow. */
export function wrap(found: readonly Segment[][], width: number): Layout {
  const places = new Map<string, Place>();
  const routes: DrawnRoute[] = [];
  const rows: Line[] = [];
  let [top, widest] = [GAP.top, 0];
  interface Open {
    start: Place | undefined;
    parts: Segment[];
    length: number;
  }
  const flush = ({ start, parts }: Open) => {
    if (!parts.length) return;
    const row = rows.length;
    // Each part begins at the height at which the one before it ends.
    const falls = parts.map((_, i) => parts.slice(0, i).reduce((sum, part) => sum + part.fall, 0));
    const above = Math.max(...parts.map((part, i) => part.above - (falls[i] ?? 0)));
    const below = Math.max(...parts.map((part, i) => part.below + (falls[i] ?? 0)));
    const middle = top + above;
    const [first] = parts;
    const firstId = first?.places[0]?.id ?? '';
    const half = sizeOf(firstId).width / 2;
    let x = GAP.margin + (start ? GAP.entry - half : half);
    const entry = { x: GAP.margin, y: middle };
    for (const [i, part] of parts.entries()) {
      const y = middle + (falls[i] ?? 0);
      for (const place of part.places) {
        if (place.id === part.places[0]?.id && (i > 0 || start)) continue;
        places.set(place.id, { ...sizeOf(place.id), id: place.id, x: x + place.x, y: y + place.y, row });
      }
      for (const { from, to, points } of part.routes) {
        const moved = points.map((point) => ({ x: x + point.x, y: y + point.y }));
        const [xs, ys] = [moved.map((point) => point.x), moved.map((point) => point.y)];
        routes.push({
          from,
          to,
          points: moved,
          low: { x: Math.min(...xs), y: Math.min(...ys) - 1 },
          high: { x: Math.max(...xs), y: Math.max(...ys) + 1 },
        });
      }
      x += part.length;
    }
    const lastId = parts.at(-1)?.places.at(-1)?.id ?? '';
    widest = Math.max(widest, x + sizeOf(lastId).width / 2);
    rows.push({ top, bottom: middle + below, from: start?.id, entry });
    top = middle + below + GAP.row;
  };
  for (const component of found) {
    let line: Open = { start: undefined, parts: [], length: 0 };
    for (const part of component) {
      const end = part.places.at(-1)?.id ?? '';
      const first = part.places[0]?.id ?? '';
      const used = line.length + part.length + sizeOf(end).width / 2 + GAP.margin;
      if (line.parts.length && used > width - GAP.margin) {
        flush(line);
        line = { start: places.get(first), parts: [], length: 0 };
      }
      if (!line.parts.length) {
        const half = sizeOf(first).width / 2;
        line.length = GAP.margin + (line.start ? GAP.entry - half : half);
      }
      line.parts.push(part);
      line.length += part.length;
    }
    flush(line);
  }
  return { places, routes, rows, width: widest + GAP.margin, height: top - GAP.row + GAP.bottom };
}
