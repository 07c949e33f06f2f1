/** The visible part of a square map, in cells. */
export interface Viewport {
  x: number;
  y: number;
  span: number;
}

/** Visible cells per side at the closest zoom. */
const MIN_SPAN = 8;

export function clamp({ x, y, span }: Viewport, cells: number): Viewport {
  const shown = Math.min(cells, Math.max(Math.min(MIN_SPAN, cells), span));
  const keep = (from: number) => Math.min(cells - shown, Math.max(0, from));
  return { x: keep(x), y: keep(y), span: shown };
}

/** Zooms so that the point (u, v), as shares of the visible part, stays in place. */
export function zoom(view: Viewport, cells: number, factor: number, u = 0.5, v = 0.5): Viewport {
  const span = clamp({ ...view, span: view.span / factor }, cells).span;
  return clamp({ x: view.x + u * (view.span - span), y: view.y + v * (view.span - span), span }, cells);
}

export function pan(view: Viewport, cells: number, dx: number, dy: number): Viewport {
  return clamp({ ...view, x: view.x + dx, y: view.y + dy }, cells);
}
