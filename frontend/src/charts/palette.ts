type Rgb = readonly [number, number, number];

const parse = (hex: string): Rgb => [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16)) as unknown as Rgb;

/** Low ends are close to the page's background, so that high values stand out in both themes. */
const STOPS = {
  sequential: {
    light: ['#edf2f6', '#c9dde9', '#95c0d7', '#5b9abf', '#33719f', '#24477d', '#191d48'],
    dark: ['#252a32', '#24405c', '#2a6187', '#3b86a9', '#66afc3', '#a6d7d7', '#eaf8f0'],
  },
  diverging: {
    light: ['#1f5fa8', '#6aa5d0', '#cfe1ee', '#f6f6f4', '#fad8c3', '#e2815f', '#ab1a29'],
    dark: ['#8ac8ff', '#4189c8', '#25486b', '#24272d', '#6d3c2d', '#d3724e', '#ffb892'],
  },
} as const;

export type Scheme = keyof typeof STOPS;

/** Colors of groups and lines: safe for color-blind readers, and distinct in gray. */
export const CATEGORIES = {
  light: ['#0069a8', '#b85c00', '#00795a', '#a8487f', '#5b55c4', '#7a6a00', '#b3261e', '#3f7d20'],
  dark: ['#6cb8f0', '#f2a65a', '#4fd0a5', '#e79ac6', '#aaa4ff', '#d6c74a', '#ff9b91', '#9ed37d'],
} as const;

export function category(index: number, dark: boolean): string {
  const colors = CATEGORIES[dark ? 'dark' : 'light'];
  return colors[index % colors.length] ?? colors[0];
}

function ramp(stops: readonly string[]): string[] {
  const colors = stops.map(parse);
  return Array.from({ length: 256 }, (_, i) => {
    const position = (i / 255) * (colors.length - 1);
    const low = Math.min(Math.floor(position), colors.length - 2);
    const mix = position - low;
    const [from = [0, 0, 0], to = [0, 0, 0]] = [colors[low], colors[low + 1]];
    const channel = (c: 0 | 1 | 2) => Math.round(from[c] + ((to[c] ?? 0) - from[c]) * mix);
    return `rgb(${channel(0)},${channel(1)},${channel(2)})`;
  });
}

const ramps = new Map<string, string[]>();

function rampOf(scheme: Scheme, dark: boolean): string[] {
  const key = scheme + dark;
  const known = ramps.get(key) ?? ramp(STOPS[scheme][dark ? 'dark' : 'light']);
  ramps.set(key, known);
  return known;
}

/** Maps values to colors over a domain; a logarithmic scale places values that are not positive at its low end. */
export interface ColorScale {
  low: number;
  high: number;
  logarithmic: boolean;
  scheme: Scheme;
}

export function position({ low, high, logarithmic }: ColorScale, value: number): number {
  if (high <= low) return value >= high ? 1 : 0;
  const share = logarithmic
    ? Math.log(Math.max(value, low) / low) / Math.log(high / low)
    : (value - low) / (high - low);
  return Math.min(1, Math.max(0, share));
}

/** The color of each value; undefined if it is missing. */
export function painter(scale: ColorScale, dark: boolean): (value: number) => string | undefined {
  const colors = rampOf(scale.scheme, dark);
  return (value) => (Number.isNaN(value) ? undefined : colors[Math.round(255 * position(scale, value))]);
}

/** The ramp as red, green, blue bytes, for pictures made pixel by pixel. */
export function rgbRamp(scheme: Scheme, dark: boolean): Uint8Array {
  return Uint8Array.from(rampOf(scheme, dark).flatMap((color) => color.match(/\d+/g)?.map(Number) ?? []));
}

/** A scale over all finite values; a logarithmic one starts at the smallest positive value. */
export function scaleFor(
  values: Iterable<number>,
  { logarithmic = false, low = 0, high = 0 }: { logarithmic?: boolean; low?: number; high?: number } = {},
): ColorScale {
  const scheme = low < 0 && high > 0 ? 'diverging' : 'sequential';
  if (low < high && !logarithmic) return { low, high, logarithmic, scheme };
  let smallest = Infinity;
  let largest = -Infinity;
  for (const value of values) {
    if (!Number.isFinite(value) || (logarithmic && value <= 0)) continue;
    if (value < smallest) smallest = value;
    if (value > largest) largest = value;
  }
  if (smallest > largest) return { low: logarithmic ? 0.1 : 0, high: 1, logarithmic, scheme: 'sequential' };
  if (!logarithmic) smallest = Math.min(0, smallest);
  if (smallest === largest) largest = logarithmic ? smallest * 10 : smallest + 1;
  return { low: smallest, high: largest, logarithmic, scheme: 'sequential' };
}

/** Thin diagonal lines: the fill of what was not measured. */
export function hatch(context: CanvasRenderingContext2D, dark: boolean): CanvasPattern | string {
  const color = dark ? '#4a515d' : '#cfd5de';
  const tile = document.createElement('canvas');
  tile.width = tile.height = 6;
  const pen = tile.getContext('2d');
  if (!pen) return color;
  pen.strokeStyle = color;
  pen.lineWidth = 1;
  pen.beginPath();
  for (const shift of [-6, 0, 6]) {
    pen.moveTo(shift, 6);
    pen.lineTo(shift + 6, 0);
  }
  pen.stroke();
  return context.createPattern(tile, 'repeat') ?? color;
}
