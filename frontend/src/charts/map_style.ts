import { Severity } from '../model/findings';
import type { Layout } from './map_layout';
import type { Point } from './map_segments';
import type { ColorScale } from './palette';

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

export const THEME = {
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
export const FAULTY: Record<number, { light: [string, string]; dark: [string, string] }> = {
  [Severity.ERROR]: { light: ['#b3261e', '#fdeceb'], dark: ['#ff9288', '#42282a'] },
  [Severity.WARNING]: { light: ['#8a5200', '#fdf3e1'], dark: ['#ffc861', '#3d3423'] },
  [Severity.INFO]: { light: ['#1f5fae', '#eaf2fc'], dark: ['#8fbcff', '#263449'] },
};
/** Least heights of a node on the screen with three lines, with two, and with one. */
export const LINES = [52, 36, 17] as const;
export const FONT = 'Roboto, system-ui, -apple-system, "Segoe UI", sans-serif';

export function shortened(
  context: CanvasRenderingContext2D,
  text: string,
  width: number,
  keepEnd = false,
): string {
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
export function mark(context: CanvasRenderingContext2D, severity: Severity, x: number, y: number, r: number) {
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

export function arrowHead(context: CanvasRenderingContext2D, from: Point, to: Point, size: number) {
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
export function curve(context: CanvasRenderingContext2D, points: readonly Point[]) {
  const [first, ...rest] = points;
  if (!first) return;
  context.moveTo(first.x, first.y);
  rest.forEach((point, i) => {
    const next = rest[i + 1];
    if (!next) context.lineTo(point.x, point.y);
    else context.quadraticCurveTo(point.x, point.y, (point.x + next.x) / 2, (point.y + next.y) / 2);
  });
}
