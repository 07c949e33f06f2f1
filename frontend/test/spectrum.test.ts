import { create } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';
import { UnitValuesSchema } from '../src/summaries/cnndiag_pb';
import { rankedValues } from '../src/views/weight_spectrum';

test('eigenvalues are paired with their ranks, and with the fit where it reaches', () => {
  const values = create(UnitValuesSchema, {
    columns: [
      { name: 'rank', values: [1, 2, 5] },
      { name: 'eigenvalue', values: [9, 4, 1] },
      { name: 'power_law', values: [8, 4, NaN] },
    ],
  });
  expect(rankedValues(values)).toEqual([
    { rank: 1, value: 9, fit: 8 },
    { rank: 2, value: 4, fit: 4 },
    { rank: 5, value: 1, fit: NaN },
  ]);
});
