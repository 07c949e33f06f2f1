/** The step axis that charts share: snapshots as cells that meet halfway between their steps. */
export interface Timeline {
  /** Pixels left of the plot, for names and ticks, and right of it, for values. */
  left: number;
  right: number;
  /** Pixels of the plot itself. */
  width: number;
  low: number;
  high: number;
}

/** Half of the median distance between two snapshots. */
function halfGap(steps: readonly number[]): number {
  const gaps = steps.slice(1).map((step, i) => step - (steps[i] ?? 0));
  gaps.sort((a, b) => a - b);
  return (gaps[gaps.length >> 1] ?? 1) / 2;
}

/** Lays out the axis so that the cells of all snapshots, including the first and the last, are fully visible. */
export function timeline(steps: readonly number[], total: number, left: number, right: number): Timeline {
  const half = halfGap(steps);
  const [first = 0, last = 0] = [steps[0], steps.at(-1)];
  return { left, right, width: Math.max(40, total - left - right), low: first - half, high: last + half };
}

/** Pixel of a step, from the left edge of the plot. */
export function xOf({ low, high, width }: Timeline, step: number): number {
  return ((step - low) / (high - low)) * width;
}

/** Edges of the snapshots' cells: one more than there are snapshots. */
export function edges(axis: Timeline, steps: readonly number[]): number[] {
  const half = halfGap(steps);
  const inner = steps.slice(1).map((step, i) => xOf(axis, (step + (steps[i] ?? 0)) / 2));
  const [start, stop] = [xOf(axis, (steps[0] ?? 0) - half), xOf(axis, (steps.at(-1) ?? 0) + half)];
  return [Math.max(0, start), ...inner, Math.min(axis.width, stop)];
}

/** Index of the snapshot whose cell contains a pixel. */
export function snapshotAtPixel(axis: Timeline, steps: readonly number[], x: number): number {
  const step = axis.low + (x / axis.width) * (axis.high - axis.low);
  let nearest = 0;
  steps.forEach((candidate, i) => {
    if (Math.abs(candidate - step) < Math.abs((steps[nearest] ?? 0) - step)) nearest = i;
  });
  return nearest;
}

/** Steps with a label, far enough apart that labels do not overlap. */
export function stepTicks(axis: Timeline, labelWidth = 56): number[] {
  const most = Math.max(2, Math.floor(axis.width / labelWidth));
  const span = axis.high - axis.low;
  const raw = span / most;
  const power = 10 ** Math.floor(Math.log10(Math.max(1, raw)));
  const spacing = Math.max(1, [1, 2, 5, 10].map((m) => m * power).find((s) => s >= raw) ?? raw);
  const ticks: number[] = [];
  for (let step = Math.max(0, Math.ceil(axis.low / spacing) * spacing); step <= axis.high; step += spacing)
    ticks.push(step);
  return ticks;
}
