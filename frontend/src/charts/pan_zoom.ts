/** What is seen of a drawing: the point of it at the left top of the window, and pixels per unit. */
export interface Frame {
  x: number;
  y: number;
  scale: number;
}

export interface Extent {
  width: number;
  height: number;
}

export const CLOSEST = 2;

/** A frame whose drawing fills the window as far as it can; smaller drawings stay at the left top. */
export function within(frame: Frame, drawing: Extent, window: Extent, furthest: number): Frame {
  const scale = Math.min(CLOSEST, Math.max(furthest, frame.scale));
  const keep = (from: number, length: number, seen: number) =>
    Math.min(Math.max(0, length - seen), Math.max(0, from));
  return {
    x: keep(frame.x, drawing.width, window.width / scale),
    y: keep(frame.y, drawing.height, window.height / scale),
    scale,
  };
}

/** Zooms so that the point of the drawing under (px, py), in pixels of the window, stays in place. */
export function zoomed(frame: Frame, factor: number, px: number, py: number, furthest: number): Frame {
  const scale = Math.min(CLOSEST, Math.max(furthest, frame.scale * factor));
  return {
    x: frame.x + px / frame.scale - px / scale,
    y: frame.y + py / frame.scale - py / scale,
    scale,
  };
}
