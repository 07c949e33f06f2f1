import type { Density } from '../summaries/cnndiag_pb';

/** The number that 16 bits stand for. */
export function fromFloat16(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** The continuous part as points of its grid. */
export function curveOf(density: Density): { x: number; y: number }[] {
  const { start, stop, points, values, levels, scale } = density;
  const at = (i: number) => start + (points > 1 ? (i * (stop - start)) / (points - 1) : 0);
  if (levels.length) return Array.from(levels, (level, i) => ({ x: at(i), y: (level / 255) * scale }));
  const bytes = new DataView(values.buffer, values.byteOffset, values.byteLength);
  return Array.from({ length: Math.min(points, values.byteLength >> 1) }, (_, i) => ({
    x: at(i),
    y: fromFloat16(bytes.getUint16(2 * i, true)) * scale,
  }));
}

/** Probability of the continuous part. */
export function continuousMass({ atoms, below, above, nonFinite }: Density): number {
  return 1 - atoms.reduce((sum, { mass }) => sum + mass, 0) - below - above - nonFinite;
}
