import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { fromBinary } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';
import { confusionOf, predictionsOf, samplesIn } from '../src/model/confusion';
import { MeasurementSchema, type SampleMaps } from '../src/summaries/cnndiag_pb';

const golden = fromBinary(
  MeasurementSchema,
  readFileSync(resolve(import.meta.dirname, '../../summaries/golden/sample_maps.bin')),
);
const maps = golden.payload.value as SampleMaps;

test('predictions of the log are those that Python wrote', async () => {
  expect(await predictionsOf(maps)).toEqual({
    predictions: [1, 0, 2],
    labels: [1, 1, 2],
    confidences: [0.75, 0.5, 1],
  });
});

test('a cell counts its images and opens those that are explained', async () => {
  const known = await predictionsOf(maps);
  const { classes, counts } = confusionOf(known);
  expect(classes).toEqual([0, 1, 2]);
  expect(Object.fromEntries(counts)).toEqual({ '1 1': 1, '1 0': 1, '2 2': 1 });
  expect(samplesIn(maps.chosen, known, { label: 1, prediction: 0 }).map(({ sample }) => sample)).toEqual([1]);
  expect(samplesIn(maps.chosen, known, { label: 2, prediction: 2 })).toEqual([]);
});
