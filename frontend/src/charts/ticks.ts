import { scaleLinear, scaleLog } from 'd3-scale';

export interface Axis {
  (value: number): number;
  ticks: number[];
  /** The lower end: where values that a logarithmic scale cannot show are drawn. */
  floor: number;
}

const MANTISSAS = [[1], [1, 3], [1, 2, 5], [1, 2, 3, 4, 5, 6, 7, 8, 9]];

/** Ticks of a logarithmic scale: powers of ten when there are enough, else round numbers between. */
function logTicks(low: number, high: number, most: number): number[] {
  const powers = Array.from(
    { length: Math.ceil(Math.log10(high)) - Math.floor(Math.log10(low)) + 1 },
    (_, i) => Math.floor(Math.log10(low)) + i,
  );
  let ticks: number[] = [];
  for (const mantissas of MANTISSAS) {
    ticks = powers
      .flatMap((power) => mantissas.map((m) => Number(`${m}e${power}`)))
      .filter((tick) => tick >= low * 0.999 && tick <= high * 1.001);
    if (ticks.length >= 2) break;
  }
  const each = Math.ceil(ticks.length / most);
  return ticks.filter((_, i) => i % each === 0);
}

/** A vertical scale with ticks far enough apart to be read. */
export function verticalAxis(
  [low, high]: [number, number],
  [bottom, top]: [number, number],
  logarithmic: boolean,
): Axis {
  const most = Math.max(2, Math.floor((bottom - top) / 24));
  if (logarithmic) {
    const scale = scaleLog([low, high], [bottom, top]).clamp(true);
    return Object.assign((value: number) => scale(Math.max(value, low)), {
      ticks: logTicks(low, high, most),
      floor: low,
    });
  }
  const scale = scaleLinear([low, high], [bottom, top]).nice(most);
  return Object.assign((value: number) => scale(value), {
    ticks: scale.ticks(most),
    floor: scale.domain()[0] ?? 0,
  });
}
