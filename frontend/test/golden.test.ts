import { fromBinary, fromJson, toJson } from '@bufbuild/protobuf';
import { readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { curveOf, continuousMass } from '../src/model/density';
import { cutTree } from '../src/model/dendrogram';
import { gridOf } from '../src/model/matrix';
import { countSilent, unpackStates } from '../src/model/states';
import { MeasurementSchema } from '../src/summaries/cnndiag_pb';

const GOLDEN = resolve(import.meta.dirname, '../../summaries/golden');
const names = readdirSync(GOLDEN)
  .filter((name) => name.endsWith('.bin'))
  .map((name) => name.slice(0, -4));

const read = (name: string) =>
  fromBinary(MeasurementSchema, readFileSync(`${GOLDEN}/${name}.bin`)).payload.value;

describe('golden messages of the contract', () => {
  it.each(names)('%s is the same in binary and JSON', (name) => {
    const binary = fromBinary(MeasurementSchema, readFileSync(`${GOLDEN}/${name}.bin`));
    const json = fromJson(MeasurementSchema, JSON.parse(readFileSync(`${GOLDEN}/${name}.json`, 'utf8')));
    expect(binary.payload.case).toBeDefined();
    expect(toJson(MeasurementSchema, binary)).toEqual(toJson(MeasurementSchema, json));
  });

  it('unpacks the matrix: symmetric, within its bounds', async () => {
    const matrix = read('matrix') as never;
    const { rows, columns, values } = await gridOf(matrix);
    const {
      low,
      high,
      pool,
      rows: entries,
    } = matrix as { low: number; high: number; pool: number; rows: number };
    expect([rows, columns]).toEqual([Math.ceil(entries / pool), Math.ceil(entries / pool)]);
    values.forEach((value, i) => {
      const mirrored = values[(i % columns) * columns + Math.floor(i / columns)];
      expect(mirrored).toEqual(value);
      if (!Number.isNaN(value)) expect(value >= low && value <= high).toBe(true);
    });
  });

  it('cuts the tree into the expected groups', () => {
    const tree = read('dendrogram') as Parameters<typeof cutTree>[0];
    expect(cutTree(tree, tree.cut)).toEqual([1, 0, 1]);
  });

  it('integrates the density to the probability of its continuous part', () => {
    const density = read('density') as Parameters<typeof curveOf>[0];
    const curve = curveOf(density);
    const spacing = (density.stop - density.start) / (density.points - 1);
    expect(curve).toHaveLength(density.points);
    const area = curve.slice(1).reduce((sum, { y }, i) => sum + ((y + (curve[i]?.y ?? 0)) / 2) * spacing, 0);
    expect(area).toBeGreaterThan(0);
    expect(continuousMass(density)).toBeLessThanOrEqual(1);
  });

  it('unpacks one state per unit', () => {
    const states = read('unit_states') as Parameters<typeof unpackStates>[0];
    const unpacked = unpackStates(states);
    expect(unpacked).toHaveLength(states.units);
    expect(unpacked.every((state) => state >= 0 && state <= 3)).toBe(true);
    expect(countSilent(states)).toBe(3);
  });
});
