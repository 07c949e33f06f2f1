import { schemeOf } from '../src/charts/gallery';
import { describe, expect, it } from 'vitest';
import { painter, position, scaleFor } from '../src/charts/palette';
import { verticalAxis } from '../src/charts/ticks';
import { edges, snapshotAtPixel, stepTicks, timeline, xOf } from '../src/charts/timeline';
import { clamp, pan, zoom } from '../src/charts/viewport';

describe('color scales', () => {
  it('use the bounds of a column, or the range of the values', () => {
    expect(scaleFor([0.2], { low: 0, high: 1 })).toMatchObject({ low: 0, high: 1, scheme: 'sequential' });
    expect(scaleFor([0.2], { low: -1, high: 1 }).scheme).toBe('diverging');
    expect(scaleFor([0, 1e-4, NaN, 10], { logarithmic: true })).toMatchObject({ low: 1e-4, high: 10 });
    expect(scaleFor([NaN])).toMatchObject({ low: 0, high: 1 });
  });
  it('place logarithmic values evenly, zero at the low end', () => {
    const scale = scaleFor([1e-4, 1], { logarithmic: true });
    expect(position(scale, 1e-2)).toBeCloseTo(0.5);
    expect(position(scale, 0)).toBe(0);
  });
  it('have no color for missing values, and a color in each theme for others', () => {
    const scale = scaleFor([0, 1]);
    expect(painter(scale, false)(NaN)).toBeUndefined();
    expect(painter(scale, false)(0)).not.toBe(painter(scale, true)(0));
    expect(painter(scale, false)(99)).toBe(painter(scale, false)(1));
  });
});

describe('the step axis', () => {
  const steps = [0, 10, 20, 100];
  const axis = timeline(steps, 500, 50, 50);
  it('gives each snapshot a cell that contains its step', () => {
    const cells = edges(axis, steps);
    expect(cells).toHaveLength(5);
    expect(cells.every((edge, i) => i === 0 || edge > (cells[i - 1] ?? 0))).toBe(true);
    steps.forEach((step, snapshot) => expect(snapshotAtPixel(axis, steps, xOf(axis, step))).toBe(snapshot));
  });
  it('does not let labels overlap', () => {
    const ticks = stepTicks(axis, 56);
    expect(ticks.length).toBeLessThanOrEqual(8);
    expect(ticks[0]).toBe(0);
  });
  it('works with a single snapshot', () => {
    expect(edges(timeline([5], 300, 0, 0), [5])).toEqual([0, 300]);
  });
});

describe('vertical scales', () => {
  it('have ticks at powers of ten if there are enough', () => {
    expect(verticalAxis([1e-5, 1], [100, 0], true).ticks.every((t) => Math.log10(t) % 1 === 0)).toBe(true);
    expect(verticalAxis([0.05, 0.12], [100, 0], true).ticks.length).toBeGreaterThanOrEqual(2);
  });
  it('mark zeros below a logarithmic scale', () => {
    const y = verticalAxis([1e-3, 1], [100, 0], true, true);
    expect(y.zero).toBe(100);
    expect(y(0)).toBe(100);
    expect(y(1e-3)).toBeLessThan(90);
    expect(verticalAxis([1e-3, 1], [100, 0], true).zero).toBeUndefined();
    expect(verticalAxis([0, 1], [100, 0], false, true).zero).toBeUndefined();
  });
});

describe('zoom', () => {
  it('keeps the point under the pointer and stays on the map', () => {
    const near = zoom({ x: 0, y: 0, span: 100 }, 100, 2, 0.5, 0.25);
    expect(near).toEqual({ x: 25, y: 12.5, span: 50 });
    expect(zoom(near, 100, 0.1)).toEqual({ x: 0, y: 0, span: 100 });
    expect(pan(near, 100, 500, -500)).toEqual({ x: 50, y: 0, span: 50 });
    expect(clamp({ x: 0, y: 0, span: 1 }, 4).span).toBe(4);
  });
});

describe('pictures', () => {
  const gray = (...pixels: number[]) => ({ channels: 1, pixels: Uint8Array.from(pixels) });
  it('without negative values use the full ramp', () => {
    expect(schemeOf([gray(128, 255), gray(200)])).toBe('sequential');
    expect(schemeOf([gray(128, 255), gray(127)])).toBe('diverging');
    expect(schemeOf([{ channels: 3, pixels: Uint8Array.from([0, 0, 0]) }])).toBe('sequential');
  });
});
