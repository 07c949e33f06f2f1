import { scaleLinear, scaleLog } from 'd3-scale';

export interface Axis {
  (value: number): number;
  ticks: number[];
  /** The lower end of the scale. */
  floor: number;
  /** Position of zeros below a logarithmic scale, which cannot show them; undefined on other scales. */
  zero?: number;
}

/** Space below a logarithmic scale in which zeros are marked. */
const ZERO_BAND = 20;

const MANTISSAS = [[1], [1, 3], [1, 2, 5], [1, 2, 3, 4, 5, 6, 7, 8, 9]];

/** Ticks of a logarithmic scale: powers of ten if there are enough, else round numbers between them. */
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

/** A vertical scale with ticks far enough apart to be read; a logarithmic one leaves room for `zeros`. */
export function verticalAxis(
  [low, high]: [number, number],
  [bottom, top]: [number, number],
  logarithmic: boolean,
  zeros = false,
): Axis {
  const end = logarithmic && zeros ? bottom - ZERO_BAND : bottom;
  const most = Math.max(2, Math.floor((end - top) / 24));
  if (logarithmic) {
    const scale = scaleLog([low, high], [end, top]).clamp(true);
    return Object.assign((value: number) => (value === 0 && zeros ? bottom : scale(Math.max(value, low))), {
      ticks: logTicks(low, high, most),
      floor: low,
      zero: zeros ? bottom : undefined,
    });
  }
  const scale = scaleLinear([low, high], [bottom, top]).nice(most);
  return Object.assign((value: number) => scale(value), {
    ticks: scale.ticks(most),
    floor: scale.domain()[0] ?? 0,
  });
}
