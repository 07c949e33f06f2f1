import { Severity } from '../model/findings';
import { CATEGORIES, hatch, painter, type ColorScale } from './palette';
import { JUNCTION, type Layout, type Place, type Point } from './map_layout';
import type { Frame } from './pan_zoom';

/** What is written and colored in a node. */
export interface NodeFace {
  id: string;
  title: string;
  /** Kind, kernel and stride; then output shape and what a unit sees. */
  kind: string;
  shape: string;
  /** What is wrong, and since when; empty if nothing is. */
  fault: string;
  since: string;
  severity: Severity;
  /** The measure at each snapshot; NaN where it was not measured. */
  history: Float32Array;
  /** At the chosen step. */
  value: number;
  block: boolean;
  skip: boolean;
  input: boolean;
  output: boolean;
  /** Whether it matches the filter. */
  found: boolean;
}

/** A stretch of an unfolded block in one line. */
export interface Bracket {
  key: string;
  name: string;
  left: number;
  right: number;
  y: number;
}

export interface Picture {
  layout: Layout;
  faces: Map<string, NodeFace>;
  brackets: Bracket[];
  /** From causes to effects. */
  causes: { from: string; to: string }[];
  /** Position of the chosen step among the snapshots. */
  at: number;
  steps: number[];
  scale: ColorScale | undefined;
  dark: boolean;
  /** Node under the pointer or the keyboard. */
  current: string | undefined;
}

const THEME = {
  light: {
    bg: '#ffffff',
    raised: '#ffffff',
    line: '#b9c0ca',
    text: '#1d2433',
    muted: '#586275',
    flow: '#98a1af',
  },
  dark: {
    bg: '#1d2025',
    raised: '#2c3139',
    line: '#545c69',
    text: '#e7eaf0',
    muted: '#abb4c3',
    flow: '#76808f',
  },
};
const FAULTY: Record<number, { light: [string, string]; dark: [string, string] }> = {
  [Severity.ERROR]: { light: ['#b3261e', '#fdeceb'], dark: ['#ff9288', '#42282a'] },
  [Severity.WARNING]: { light: ['#8a5200', '#fdf3e1'], dark: ['#ffc861', '#3d3423'] },
  [Severity.INFO]: { light: ['#1f5fae', '#eaf2fc'], dark: ['#8fbcff', '#263449'] },
};
/** Heights of a node on screen from which it has three lines, two, and one. */
const LINES = [52, 36, 17] as const;
const FONT = 'Roboto, system-ui, -apple-system, "Segoe UI", sans-serif';

function shortened(context: CanvasRenderingContext2D, text: string, width: number, keepEnd = false): string {
  const cut = text.length > 80 ? (keepEnd ? text.slice(-80) : text.slice(0, 80)) : text;
  if (context.measureText(cut).width <= width && cut === text) return text;
  let [low, high] = [0, cut.length];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    const part = keepEnd ? `…${cut.slice(cut.length - middle)}` : `${cut.slice(0, middle)}…`;
    if (context.measureText(part).width <= width) low = middle;
    else high = middle - 1;
  }
  return low ? (keepEnd ? `…${cut.slice(cut.length - low)}` : `${cut.slice(0, low)}…`) : '';
}

/** The shapes of severities, as in the icons: an octagon, a triangle, a circle. */
function mark(context: CanvasRenderingContext2D, severity: Severity, x: number, y: number, r: number) {
  context.beginPath();
  if (severity === Severity.INFO) context.arc(x, y, r, 0, 2 * Math.PI);
  else {
    const corners = severity === Severity.ERROR ? 8 : 3;
    const turn = severity === Severity.ERROR ? Math.PI / 8 : -Math.PI / 2;
    const size = severity === Severity.ERROR ? r : 1.15 * r;
    for (let i = 0; i < corners; i += 1) {
      const angle = turn + (2 * Math.PI * i) / corners;
      context.lineTo(x + size * Math.cos(angle), y + size * Math.sin(angle));
    }
    context.closePath();
  }
  context.fill();
}

function arrowHead(context: CanvasRenderingContext2D, from: Point, to: Point, size: number) {
  const angle = Math.atan2(to.y - from.y, to.x - from.x);
  context.beginPath();
  context.moveTo(to.x, to.y);
  for (const side of [-0.45, 0.45]) {
    context.lineTo(to.x - size * Math.cos(angle + side), to.y - size * Math.sin(angle + side));
  }
  context.closePath();
  context.fill();
}

/** A smooth line through the points. */
function curve(context: CanvasRenderingContext2D, points: readonly Point[]) {
  const [first, ...rest] = points;
  if (!first) return;
  context.moveTo(first.x, first.y);
  rest.forEach((point, i) => {
    const next = rest[i + 1];
    if (!next) context.lineTo(point.x, point.y);
    else context.quadraticCurveTo(point.x, point.y, (point.x + next.x) / 2, (point.y + next.y) / 2);
  });
}

function drawFlow(context: CanvasRenderingContext2D, picture: Picture, frame: Frame) {
  const { layout, dark, current } = picture;
  const colors = THEME[dark ? 'dark' : 'light'];
  const strong = CATEGORIES[dark ? 'dark' : 'light'][0];
  const pass = (chosen: boolean) => {
    context.strokeStyle = context.fillStyle = chosen ? strong : colors.flow;
    context.lineWidth = (chosen ? 2 : 1.3) / Math.max(0.6, frame.scale);
    context.beginPath();
    const routes = layout.routes.filter(
      ({ from, to }) => (current !== undefined && (from === current || to === current)) === chosen,
    );
    for (const { points } of routes) curve(context, points);
    context.stroke();
    if (frame.scale < 0.35) return;
    for (const { points, to } of routes) {
      const [before, end] = points.slice(-2);
      if (before && end && !to.startsWith('j')) arrowHead(context, before, end, 6);
    }
  };
  pass(false);
  if (current !== undefined) pass(true);
  context.strokeStyle = colors.flow;
  context.lineWidth = 1.3 / Math.max(0.6, frame.scale);
  for (const { top, from, entry } of layout.rows) {
    const start = from === undefined ? undefined : layout.places.get(from);
    if (!start) continue;
    const right = start.x + start.width / 2;
    const turn = right + 10;
    const between = top - 25;
    context.beginPath();
    context.moveTo(right, start.y);
    context.arcTo(turn, start.y, turn, between, 6);
    context.arcTo(turn, between, entry.x, between, 6);
    context.arcTo(entry.x - 6, between, entry.x - 6, entry.y, 6);
    context.arcTo(entry.x - 6, entry.y, entry.x + 10, entry.y, 6);
    context.lineTo(entry.x + 10, entry.y);
    context.stroke();
  }
}

function drawNode(
  context: CanvasRenderingContext2D,
  picture: Picture,
  { x, y, width, height }: Place,
  face: NodeFace,
  scale: number,
  paint: ((value: number) => string | undefined) | undefined,
  missing: CanvasPattern | string,
) {
  const { dark, at, current } = picture;
  const colors = THEME[dark ? 'dark' : 'light'];
  const fault = FAULTY[face.severity]?.[dark ? 'dark' : 'light'];
  const [left, top] = [x - width / 2, y - height / 2];
  context.globalAlpha = face.found ? 1 : 0.22;
  const box = (shift: number) => {
    context.beginPath();
    context.roundRect(left + shift, top + shift, width, height, 5);
  };
  if (face.block) {
    context.fillStyle = colors.raised;
    context.strokeStyle = fault ? fault[0] : colors.line;
    context.lineWidth = 1;
    for (const shift of [5, 2.5]) {
      box(shift);
      context.fill();
      context.stroke();
    }
  }
  box(0);
  context.fillStyle = fault ? fault[1] : colors.raised;
  context.fill();
  const lines = LINES.findIndex((least) => height * scale >= least);
  const band = lines < 0 ? width : 9;
  const color = paint?.(face.value);
  context.save();
  context.clip();
  context.fillStyle = color ?? missing;
  context.fillRect(left, top, band, height);
  if (lines >= 0 && face.history.length && paint) {
    const strip = lines < 2 ? 9 : 13;
    const cell = (width - band) / face.history.length;
    const base = top + height - strip;
    context.fillStyle = colors.raised;
    context.fillRect(left + band, base, width - band, strip);
    face.history.forEach((value, i) => {
      context.fillStyle = paint(value) ?? missing;
      context.fillRect(left + band + i * cell, base, Math.max(cell - (cell > 4 ? 1 : 0), 0.6), strip);
    });
    if (at >= 0 && face.history.length > 1) {
      context.fillStyle = colors.text;
      const tick = Math.max(1.5, 1 / scale);
      context.fillRect(left + band + (at + 0.5) * cell - tick / 2, base - 2, tick, strip + 2);
    }
  }
  context.restore();
  box(0);
  const chosen = current === face.id;
  context.strokeStyle = chosen ? CATEGORIES[dark ? 'dark' : 'light'][0] : fault ? fault[0] : colors.line;
  context.lineWidth = (chosen ? 2.5 : fault ? 2 : 1) / Math.min(1, Math.max(0.4, scale));
  context.stroke();
  if (face.skip) {
    context.strokeStyle = colors.flow;
    context.lineWidth = 1.3 / Math.max(0.6, scale);
    context.beginPath();
    const over = top - 6;
    context.moveTo(left - 12, y);
    context.arcTo(left - 8, y, left - 8, over, 4);
    context.arcTo(left - 8, over, left + width, over, 6);
    context.arcTo(left + width + 8, over, left + width + 8, y, 6);
    context.lineTo(left + width + 8, y);
    context.stroke();
    context.fillStyle = colors.flow;
    context.beginPath();
    context.arc(left + width + 8, y, 2.6, 0, 2 * Math.PI);
    context.fill();
  }
  if (fault && lines < 0) {
    context.fillStyle = fault[0];
    mark(context, face.severity, left + width / 2, y, Math.min(height * 0.36, 7 / scale));
  }
  if (lines >= 0) {
    const size = Math.max(11.5, 11.5 / Math.max(scale, 0.001) > 18 ? 18 : 11.5 / Math.min(1, scale));
    const step = size * 1.26;
    const inner = left + band + 5;
    const room = width - band - 10;
    let line = top + 4 + size * 0.85;
    const titleRoom = room - (fault ? size * 1.2 : 0);
    context.textBaseline = 'alphabetic';
    context.fillStyle = colors.text;
    context.font = `600 ${size}px ${FONT}`;
    context.fillText(shortened(context, face.title, titleRoom, true), inner, line);
    if (fault) {
      context.fillStyle = fault[0];
      const [markX, markY] = [left + width - size * 0.8, top + 4 + size * 0.5];
      mark(context, face.severity, markX, markY, size * 0.54);
      context.fillStyle = fault[1];
      context.fillRect(markX - size * 0.07, markY - size * 0.28, size * 0.14, size * 0.32);
      context.fillRect(markX - size * 0.07, markY + size * 0.13, size * 0.14, size * 0.14);
    }
    const small = size * 0.91;
    const texts = (face.fault ? [face.fault, face.since] : [face.kind, face.shape]).slice(0, 2 - lines);
    context.font = `${small}px ${FONT}`;
    for (const text of texts) {
      line += step;
      context.fillStyle = fault && face.fault ? fault[0] : colors.muted;
      context.fillText(shortened(context, text, room), inner, line);
    }
  }
  if (scale >= 0.35) {
    context.fillStyle = context.strokeStyle = colors.muted;
    context.lineWidth = 1.3;
    const stub = (from: number, to: number) => {
      context.beginPath();
      context.moveTo(from, y);
      context.lineTo(to, y);
      context.stroke();
      arrowHead(context, { x: from, y }, { x: to, y }, 5);
    };
    if (face.input) stub(left - 11, left - 1);
    if (face.output) stub(left + width + 1, left + width + 11);
  }
  context.globalAlpha = 1;
}

/** Dashed lines from causes to effects, behind the nodes; their heads are drawn in front of them. */
function drawCauses(
  context: CanvasRenderingContext2D,
  { layout, causes, dark, current }: Picture,
  scale: number,
  part: 'lines' | 'heads',
) {
  const [color] = FAULTY[Severity.ERROR]?.[dark ? 'dark' : 'light'] ?? ['#b3261e'];
  context.strokeStyle = context.fillStyle = color;
  context.lineWidth = 1.7 / Math.max(0.5, scale);
  for (const { from, to } of causes) {
    const [start, end] = [layout.places.get(from), layout.places.get(to)];
    if (!start || !end) continue;
    const aside = current !== undefined && current !== from && current !== to;
    context.globalAlpha = aside ? 0.15 : 0.9;
    const below = end.y > start.y + end.height;
    const above = end.y < start.y - end.height;
    const a = { x: start.x, y: start.y + ((above ? -1 : 1) * start.height) / 2 };
    const b = { x: end.x, y: end.y + (below ? -1 : 1) * (end.height / 2 + 2) };
    const bow = below || above ? 18 : Math.min(22, 8 + Math.abs(b.x - a.x) / 20);
    const leave = { x: a.x, y: a.y + (above ? -bow : bow) };
    const arrive = { x: b.x, y: b.y + (below ? -bow : bow) };
    if (part === 'lines') {
      context.setLineDash([5, 3]);
      context.beginPath();
      context.moveTo(a.x, a.y);
      context.bezierCurveTo(leave.x, leave.y, arrive.x, arrive.y, b.x, b.y);
      context.stroke();
      context.setLineDash([]);
    } else arrowHead(context, arrive, b, 9);
  }
  context.globalAlpha = 1;
}

/** Draws the part of the map that the frame shows; nodes have less text the smaller they are on the screen. */
export function paintMap(
  context: CanvasRenderingContext2D,
  picture: Picture,
  frame: Frame,
  window: { width: number; height: number },
) {
  const { layout, faces, brackets, scale: colorScale, dark } = picture;
  const colors = THEME[dark ? 'dark' : 'light'];
  const { scale } = frame;
  context.save();
  context.fillStyle = colors.bg;
  context.fillRect(0, 0, window.width, window.height);
  context.scale(scale, scale);
  context.translate(-frame.x, -frame.y);
  const [right, bottom] = [frame.x + window.width / scale, frame.y + window.height / scale];
  const seen = ({ x, y, width, height }: Place) =>
    x + width > frame.x && x - width < right && y + height > frame.y && y - height < bottom;
  drawFlow(context, picture, frame);
  drawCauses(context, picture, scale, 'lines');
  const paint = colorScale && painter(colorScale, dark);
  const missing = hatch(context, dark);
  for (const place of layout.places.values()) {
    if (!seen(place)) continue;
    const face = faces.get(place.id);
    if (face) drawNode(context, picture, place, face, scale, paint, missing);
    else {
      context.beginPath();
      context.arc(place.x, place.y, JUNCTION / 2 - 2, 0, 2 * Math.PI);
      context.fillStyle = colors.raised;
      context.strokeStyle = colors.flow;
      context.lineWidth = 1.3;
      context.fill();
      context.stroke();
      context.beginPath();
      for (const [dx, dy] of [
        [3, 0],
        [0, 3],
      ] as const) {
        context.moveTo(place.x - dx, place.y - dy);
        context.lineTo(place.x + dx, place.y + dy);
      }
      context.stroke();
    }
  }
  if (scale >= 0.4) {
    const size = Math.min(16, 10.5 / Math.min(1, scale));
    context.font = `${size}px ${FONT}`;
    for (const { name, left, right: end, y } of brackets) {
      context.strokeStyle = colors.line;
      context.lineWidth = 1;
      context.beginPath();
      context.moveTo(left, y + 5);
      context.lineTo(left, y);
      context.lineTo(end, y);
      context.lineTo(end, y + 5);
      context.stroke();
      const text = shortened(context, `− ${name}`, end - left - 8, true);
      const length = context.measureText(text).width;
      context.fillStyle = colors.bg;
      context.fillRect(left + 6, y - size / 2, length + 6, size);
      context.fillStyle = colors.muted;
      context.fillText(text, left + 9, y + size / 3);
    }
  }
  drawCauses(context, picture, scale, 'heads');
  context.restore();
}
