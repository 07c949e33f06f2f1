import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { create, fromBinary } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { fieldWords } from '../src/model/layers';
import {
  answersOf,
  bestMatch,
  boxAt,
  boxesOf,
  channelsShown,
  keptShare,
  middlePosition,
  neighborsOf,
  peaksOf,
  predictedClass,
  sameImages,
  settledAt,
  similarity,
  twinsOf,
} from '../src/model/units';
import { parseView, serializeView } from '../src/model/view';
import {
  AtlasSchema,
  FindingSchema,
  LayerInfoSchema,
  MeasurementSchema,
  PatchesSchema,
} from '../src/summaries/cnndiag_pb';
import { deflateSync } from './deflate';

function golden(kind: string) {
  const bytes = readFileSync(resolve(import.meta.dirname, `../../summaries/golden/${kind}.bin`));
  return fromBinary(MeasurementSchema, bytes).payload;
}

describe('the middle of an output', () => {
  it('is counted row by row, with channels last or first', () => {
    const middle = (outputShape: number[], unitAxis: number) =>
      middlePosition(create(LayerInfoSchema, { outputShape, unitAxis }));
    expect(middle([11, 9, 32], -1)).toBe(5 * 9 + 4);
    expect(middle([32, 4, 6], 1)).toBe(2 * 6 + 3);
    expect(middle([10], -1)).toBe(0);
  });
});

describe('patches', () => {
  it('are unpacked as they were written', async () => {
    const payload = golden('patches');
    if (payload.case !== 'patches') throw new Error('not patches');
    expect(await peaksOf(payload.value)).toEqual([
      [
        { image: 3, position: 899, value: 2 },
        { image: 255, position: 70_000, value: 0.5 },
      ],
      [{ image: 0, position: 1, value: 1 }],
    ]);
  });

  it('have their classes', async () => {
    const payload = golden('class_responses');
    if (payload.case !== 'classResponses') throw new Error('not class responses');
    const [first, second] = await answersOf(payload.value);
    expect(first).toEqual({
      classes: [
        { id: 2, mean: 1 },
        { id: 0, mean: 0.25 },
      ],
      rest: 0.125,
      explained: 0.5,
    });
    expect(second?.classes[1]).toEqual({ id: 2, mean: -0.5 });
    expect(second?.explained).toBeNaN();
  });
});

describe('receptive field', () => {
  const payload = golden('run_info');
  const layer = payload.case === 'runInfo' ? payload.value.layers[0] : undefined;
  if (!layer) throw new Error('no layer');

  it('follows from size, stride and padding, or is listed', () => {
    expect(boxAt({ ...layer, outputShape: [30, 2, 6] }, 9)).toEqual({ top: 4, left: 1, height: 3, width: 3 });
    expect(boxAt({ ...layer, outputShape: [6, 30, 2], unitAxis: 1 }, 8)).toEqual({
      top: 4,
      left: 0,
      height: 3,
      width: 2,
    });
  });

  it('is said in words', () => {
    expect(fieldWords(layer)).toBe('3 × 3 of 32 × 4 pixels, stride 1 × 0.5');
    expect(fieldWords(create(LayerInfoSchema, {}))).toBe('');
    const axes = [{ extent: 28, size: 28, stride: 0, padding: 0 }];
    const whole = create(LayerInfoSchema, {
      receptiveField: { image: 'a', axes: [...axes, ...axes], whole: true },
    });
    expect(fieldWords(whole)).toBe('the whole image (28 × 28)');
  });
});

describe('growth', () => {
  const peaks = (...images: number[]) => images.map((image) => ({ image, position: 0, value: 1 }));

  it('counts the images that are kept', () => {
    expect(keptShare(peaks(1, 2, 3, 4), peaks(2, 9, 1, 8))).toBe(0.5);
    expect(keptShare(peaks(1), [])).toBeNaN();
  });

  it('has settled when most are kept to the end', () => {
    expect(settledAt([peaks(1, 2, 3), peaks(4, 5, 6), peaks(4, 5, 7), peaks(4, 5, 8)])).toBe(1);
    expect(settledAt([peaks(1, 2, 3), peaks(1, 2, 3), peaks(7, 8, 9)])).toBeUndefined();
    expect(settledAt([peaks(1)])).toBeUndefined();
  });
});

describe('relatives', () => {
  it('are near copies from findings, and neighbors in the tree', () => {
    const twins = create(FindingSchema, { grouped: true, units: [{ units: [3, 9, 4] }, { units: [1, 2] }] });
    const dead = create(FindingSchema, { units: [{ units: [3, 5] }] });
    expect(twinsOf([twins, dead], 3)).toEqual([4, 9]);
    expect(neighborsOf([5, 1, 0, 3, 2], 0, 3)).toEqual([1, 3, 5]);
    expect(neighborsOf([5, 1], 7, 3)).toEqual([]);
  });
});

describe('predicted class', () => {
  it('is the column with most predictions; rows without samples do not count', () => {
    const values = Float32Array.from([0.1, 0.9, 0, NaN, NaN, NaN, 0, 0.8, 0.2]);
    expect(predictedClass({ rows: 3, columns: 3, values })).toBe(1);
    expect(predictedClass({ rows: 1, columns: 2, values: Float32Array.from([NaN, NaN]) })).toBeUndefined();
  });
});

describe('match in another run', () => {
  const of = (...pairs: [number, number][]) => pairs.map(([image, value]) => ({ image, value, position: 0 }));

  it('is the unit with the largest cosine over the images', () => {
    const own = of([1, 3], [2, 4]);
    expect(similarity(own, of([2, 5], [7, 12]))).toBeCloseTo(20 / (5 * 13));
    expect(similarity(own, [])).toBe(0);
    expect(bestMatch(own, [of([7, 1]), of([2, 5], [7, 12]), of([1, 6], [2, 8])])).toEqual({
      unit: 2,
      cosine: 1,
    });
    expect(bestMatch(own, [of([7, 1]), []])).toBeUndefined();
  });

  it('needs the same images', () => {
    const atlas = (...bytes: number[]) =>
      create(AtlasSchema, { samples: 2, picture: Uint8Array.from(bytes) });
    expect(sameImages(atlas(1, 2), atlas(1, 2))).toBe(true);
    expect(sameImages(atlas(1, 2), atlas(1, 3))).toBe(false);
  });
});

describe('address of a unit', () => {
  it('names the layer and the unit', () => {
    const view = parseView({ screen: 'unit', layer: 'a/b', unit: '12' });
    expect([view.screen, view.layer, view.unit]).toEqual(['unit', 'a/b', 12]);
    expect(serializeView(view)).toEqual({ screen: 'unit', layer: 'a/b', unit: '12' });
  });

  it('falls back', () => {
    expect(parseView({ screen: 'unit' }).screen).toBe('overview');
    expect(parseView({ screen: 'unit', layer: 'a', unit: '-1' }).unit).toBe(0);
    expect(parseView({ screen: 'layer', layer: 'a', unit: '4' }).unit).toBeNull();
  });
});

describe('the channels of pictures', () => {
  it('are named where not all are shown', () => {
    const shown = (scaling: string) => channelsShown(create(AtlasSchema, { scaling }));
    expect(shown('0 to 1, the first three of 13 channels')).toBe('the first three of 13 channels');
    expect(shown('−1 to 1, mean of two channels')).toBe('mean of two channels');
    expect(shown('−2.1 to 3, each channel stretched')).toBe('');
    expect(shown('0 to 255')).toBe('');
  });
});

describe('patches of some units', () => {
  it('have a row for each unit that is listed, and none for those left out', async () => {
    const bytes = (values: number[], size: number) =>
      deflateSync(
        Uint8Array.from(
          Array.from({ length: size }, (_, byte) => values.map((v) => (v >> (8 * byte)) & 255)).flat(),
        ),
      );
    const message = create(PatchesSchema, {
      units: 5,
      count: 2,
      samples: 9,
      images: bytes([3, 1, 8, 0xffff], 2),
      positions: bytes([70_000, 2, 1, 0], 4),
      values: bytes([0x3c00, 0x3800, 0x3c00, 0x7e00], 2),
      scale: 2,
      part: true,
      listed: [1, 4],
      boxes: bytes([1, 2, 300, 4, 0, 0, 0, 0, 5, 6, 7, 8, 9, 9, 9, 9], 2),
    });
    const boxes = await boxesOf(message);
    expect(boxes.map((own) => [...own.keys()])).toEqual([[], [3], [], [], [8]]);
    expect(boxes[1]?.get(3)).toEqual({ top: 1, left: 2, height: 300, width: 4 });
    expect(boxes[4]?.get(8)).toEqual({ top: 5, left: 6, height: 7, width: 8 });
    expect(await boxesOf(create(PatchesSchema, { units: 2, count: 1 }))).toEqual([]);
    const peaks = await peaksOf(message);
    expect(peaks.map((own) => own?.length)).toEqual([undefined, 2, undefined, undefined, 1]);
    expect(peaks[1]).toEqual([
      { image: 3, position: 70_000, value: 2 },
      { image: 1, position: 2, value: 1 },
    ]);
    expect(peaks[4]).toEqual([{ image: 8, position: 1, value: 2 }]);
  });
});
