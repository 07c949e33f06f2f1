import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  formatFactor,
  formatIndices,
  formatLabeled,
  formatValue,
  plural,
  tickFormat,
} from '../src/model/format';

/** The cases that the Python package is tested with too; it does not bind a number to its sign. */
const CASES = JSON.parse(
  readFileSync(resolve(import.meta.dirname, '../../summaries/golden/numbers.json'), 'utf8'),
) as { value: number; unit: string; text: string }[];

const withSpaces = (text: string) => text.replaceAll('\u00a0', ' ');

describe('numbers for people', () => {
  it.each(CASES)('$value in the unit "$unit" is $text', ({ value, unit, text }) =>
    expect(withSpaces(formatValue(value, unit))).toBe(text),
  );

  it.each([
    [NaN, 'not measured'],
    [Infinity, '∞'],
    [-Infinity, '−∞'],
    [-0, '0'],
  ])('%d is %s in every unit', (value, text) => {
    for (const unit of ['', 'share', 'ratio', 'count'])
      expect(formatValue(value, unit).split('\u00a0')[0]).toBe(text);
  });

  it('have a sign that stays on their line', () => {
    expect(formatValue(0.5, 'share')).toBe('50\u00a0%');
    expect(formatFactor(3)).toBe('3\u00a0×');
    expect(formatFactor(5e6)).toBe('> 1,000\u00a0×');
  });

  it('name a unit that says something', () => {
    expect(withSpaces(formatLabeled(12, 'MB'))).toBe('12 MB');
    expect(formatLabeled(512, 'count')).toBe('512');
    expect(withSpaces(formatLabeled(0.5, 'share'))).toBe('50 %');
  });

  it.each([
    [[0, 0.5, 1], 'ratio', ['0', '0.5', '1']],
    [[1e-4, 1e-2, 1], 'ratio', ['10⁻⁴', '10⁻²', '1']],
    [[1, 1e3, 1.5e6], 'ratio', ['1', '1,000', '1,500,000']],
    [[0, 500_000, 1_000_000], 'count', ['0', '500,000', '1,000,000']],
    [[0.0001, 0.01], 'share', ['0.01 %', '1 %']],
    [[1e-7, 1e-5], 'share', ['10⁻⁵ %', '10⁻³ %']],
  ])('writes the ticks %j of one axis in one way', (ticks, unit, texts) => {
    expect(ticks.map(tickFormat(ticks, unit)).map(withSpaces)).toEqual(texts);
  });

  it('counts in words', () => {
    expect(plural(1, 'snapshot')).toBe('1 snapshot');
    expect(plural(1200, 'batch', 'batches')).toBe('1,200 batches');
  });

  it('lists indices as ranges', () => {
    expect(formatIndices([0, 1, 2, 5, 7, 8])).toBe('0–2, 5, 7–8');
    expect(formatIndices([1, 3, 5, 7], 2)).toBe('1, 3, …');
  });
});
