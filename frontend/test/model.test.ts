import { create } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { arrange, blocksOf, highest } from '../src/model/blocks';
import { allSnapshots, comparedRuns, difference, findingsOfAll } from '../src/model/compare';
import { brackets, countGroups, cutTree } from '../src/model/dendrogram';
import {
  byLayer,
  causes,
  coverageSummary,
  grouped,
  namedLayers,
  openChecks,
  Severity,
  worst,
} from '../src/model/findings';
import { leftOut, leftOutNote } from '../src/model/left_out';
import { layerMatrix, rowOf, tablesOf } from '../src/model/layers';
import { indexAt, shownAt, snapshotAt } from '../src/model/snapshots';
import { byIndex, dequantize } from '../src/model/matrix';
import { withRevived } from '../src/model/states';
import { DEFAULT_VIEW, filterPattern, parseView, serializeView } from '../src/model/view';
import { decodeSeries } from '../src/data/source';
import { InlineSource } from '../src/data/inline';
import {
  Coverage_Status,
  CoverageSchema,
  DendrogramSchema,
  FindingSchema,
  LayerInfoSchema,
  MatrixSchema,
  MeasurementListSchema,
  MeasurementSchema,
  ScalarsSchema,
} from '../src/summaries/cnndiag_pb';
import { toBinary } from '@bufbuild/protobuf';
import { inlineData } from './fixture';

describe('snapshots', () => {
  const steps = [0, 10, 20];
  it.each([
    [-1, -1],
    [0, 0],
    [15, 1],
    [20, 2],
    [99, 2],
  ])('at step %d the index is %d', (step, index) => expect(indexAt(steps, step)).toBe(index));
  it.each([
    [-5, 0],
    [15, 10],
    [99, 20],
  ])('at step %d that of step %d is shown', (step, shown) => {
    const snapshots = steps.map((one) => ({ step: one }));
    expect(snapshotAt(snapshots, step)).toEqual({ step: shown });
    expect(steps[shownAt(steps, step)]).toBe(shown);
  });
});

describe('matrix', () => {
  const matrix = create(MatrixSchema, { rows: 3, columns: 3, pool: 1, symmetric: true, low: -1, high: 1 });
  const grid = dequantize(matrix, Uint8Array.from([255, 128, 0, 255, 1, 255]));

  it('mirrors the upper triangle and leaves out missing values', () => {
    expect(grid.values[0]).toBe(1);
    expect(grid.values[1]).toBeCloseTo(0, 6);
    expect(grid.values[3]).toBe(grid.values[1]);
    expect(grid.values[2]).toBeNaN();
    expect(grid.values[5]).toBe(-1);
  });

  it('can be put into the order of indices', () => {
    const back = byIndex(grid, [2, 0, 1]);
    expect(back.values[2 * 3 + 0]).toBe(grid.values[0 * 3 + 1]);
  });
});

describe('dendrogram', () => {
  const tree = create(DendrogramSchema, {
    units: 4,
    gap: [0, 2, 1],
    height: [0.1, 0.3, 0.9],
    order: [0, 2, 1, 3],
  });

  it('can be cut at any distance', () => {
    expect(cutTree(tree, 0)).toEqual([0, 2, 1, 3]);
    expect(cutTree(tree, 0.2)).toEqual([0, 1, 0, 2]);
    expect(cutTree(tree, 0.5)).toEqual([0, 1, 0, 1]);
    expect(cutTree(tree, 1)).toEqual([0, 0, 0, 0]);
    expect(countGroups(cutTree(tree, 0.5))).toEqual({ groups: 2, shared: 2 });
  });

  it('has brackets over the leaves that they join', () => {
    const drawn = brackets(tree, cutTree(tree, 0.5), 0.5);
    expect(drawn.map(({ left, right }) => [left, right])).toEqual([
      [0.5, 1.5],
      [2.5, 3.5],
      [1, 3],
    ]);
    expect(drawn.map(({ group }) => group)).toEqual([0, 1, -1]);
  });
});

describe('what the time budget left out', () => {
  const overhead = (step: number, values: Record<string, number>) =>
    create(MeasurementSchema, {
      diagnostic: 'overhead',
      step: BigInt(step),
      payload: {
        case: 'scalars',
        value: create(ScalarsSchema, { names: Object.keys(values), values: Object.values(values) }),
      },
    });
  const series = [
    overhead(0, { seconds: 1, bytes: 10 }),
    overhead(50, { seconds: 1, 'left_out/dead_units': 0.4, 'left_out/kernel_rank': 2 }),
    overhead(100, { seconds: 1, 'left_out/kernel_rank': 2.5 }),
  ];

  it('is read from the overhead of each snapshot', () => {
    expect(leftOut(series, 'kernel_rank')).toEqual([
      { step: 50, seconds: 2 },
      { step: 100, seconds: 2.5 },
    ]);
    expect(leftOut(series, 'weight_health')).toEqual([]);
    expect(leftOutNote(leftOut(series, 'kernel_rank'))).toBe(
      'left out of 2 snapshots by the time budget (2.5 s each)',
    );
    expect(leftOutNote([])).toBe('');
  });
});

describe('a tree of a sample', () => {
  const tree = create(DendrogramSchema, {
    units: 4,
    gap: [0, 2, 1],
    height: [0.05, 0.2, 0.9],
    order: [7, 2, 11, 5],
    cut: 0.1,
  });

  it('has groups of the units that it names', () => {
    const groups = cutTree(tree, 0.1);
    expect([groups[7], groups[2], groups[11], groups[5]]).toEqual([0, 0, 1, 2]);
    expect(countGroups(groups)).toEqual({ groups: 3, shared: 1 });
    expect(brackets(tree, groups, 0.1)).toHaveLength(3);
  });

  it('is drawn by index in the order of its units', () => {
    const grid = { rows: 2, columns: 2, values: Float32Array.of(1, 0.5, 0.25, 2) };
    expect([...byIndex(grid, [9, 4]).values]).toEqual([2, 0.25, 0.5, 1]);
  });
});

describe('blocks of layers', () => {
  const layer = (path: string) => create(LayerInfoSchema, { path });
  const layers = ['stem', 'a/x', 'a/y', 'b/x'].map(layer);

  it('contain adjacent layers of one path, but not single layers', () => {
    expect(blocksOf(layers).map(({ name, layers: own }) => [name, own.length])).toEqual([
      ['', 1],
      ['a', 2],
      ['', 1],
    ]);
    expect(blocksOf(layers.slice(1, 3))[0]?.name).toBe('');
  });

  it('are filtered, and sorted by findings, then value', () => {
    const findings = new Map([['b/x', [create(FindingSchema, { severity: Severity.ERROR })]]]);
    const values: Record<string, number> = { 'a/y': 3, 'a/x': 1 };
    const paths = (sort: 'depth' | 'worst', filter: string) =>
      arrange(layers, findings, (path) => values[path] ?? NaN, sort, filter).map(({ path }) => path);
    expect(paths('worst', '')).toEqual(['b/x', 'a/y', 'a/x', 'stem']);
    expect(paths('depth', '^a/')).toEqual(['a/x', 'a/y']);
    expect(paths('depth', '(')).toHaveLength(4);
  });

  it('show their highest value when folded', () => {
    const rows = [Float32Array.of(1, NaN, NaN), Float32Array.of(2, 0, NaN)];
    expect([...highest(rows)]).toEqual([2, 0, NaN]);
  });
});

describe('runs compared', () => {
  const finding = (fault: string, layer: string) => create(FindingSchema, { fault, layer });
  it('have new, fixed and common findings, compared with the base', () => {
    const rows = findingsOfAll(
      [finding('x', 'a'), finding('y', 'a')],
      [[finding('y', 'a'), finding('x', 'b')], [], [finding('x', 'b')]],
    );
    expect(rows.map(({ finding: { fault, layer }, changes }) => [fault + layer, ...changes])).toEqual([
      ['xa', 'fixed', 'fixed', 'fixed'],
      ['ya', 'common', 'fixed', 'fixed'],
      ['xb', 'new', '', 'new'],
    ]);
    expect(rows.map(({ found }) => found.map((own) => own !== undefined))).toEqual([
      [true, false, false, false],
      [true, true, false, false],
      [false, true, false, true],
    ]);
  });
  it('are the chosen ones, else the first few, and never the base', () => {
    const runs = ['a', 'b', 'c', 'd', 'e', 'f'].map((id) => ({ id }));
    const ids = (wanted: string[], base = 1) => comparedRuns(runs, runs[base], wanted).map(({ id }) => id);
    expect(ids(['f', 'd'])).toEqual(['d', 'f']);
    expect(ids(['b', 'c'])).toEqual(['c']);
    expect(ids(['gone'])).toEqual(['a', 'c', 'd']);
  });
  it('share one step axis, with the epochs of the base', () => {
    const snapshots = allSnapshots([
      [
        { step: 0, epoch: 0 },
        { step: 20, epoch: 1 },
      ],
      [
        { step: 10, epoch: 1 },
        { step: 20, epoch: 2 },
      ],
    ]);
    expect(snapshots).toEqual([
      { step: 0, epoch: 0 },
      { step: 10, epoch: 1 },
      { step: 20, epoch: 1 },
    ]);
  });

  it('differ by layer, at the latest snapshot', () => {
    const matrix = (layers: string[], steps: number[], values: number[]) => ({
      layers,
      steps,
      epochs: steps,
      values: Float32Array.from(values),
      total: steps.length,
    });
    const run = matrix(['a', 'b'], [0, 10], [1, 100, 5, 6]);
    const against = matrix(['c', 'a'], [5], [0, 10]);
    expect([...difference(run, against, false).values]).toEqual([NaN, 90, NaN, NaN]);
    expect(difference(run, against, true).values[1]).toBeCloseTo(1);
  });
});

describe('units', () => {
  it('are revived if they are alive after they were dead', () => {
    const snapshots = [
      [1, 3],
      [1, 1],
      [3, 1],
    ].map((states) => Uint8Array.from(states));
    expect(withRevived(snapshots).map((snapshot) => [...snapshot])).toEqual([
      [1, 3],
      [1, 4],
      [3, 4],
    ]);
  });
});

describe('coverage', () => {
  const coverage = [
    [Coverage_Status.FOUND, 'dead_units', ''],
    [Coverage_Status.CLEAR, 'bad_init', ''],
    [Coverage_Status.CLEAR, 'nan_or_inf', ''],
    [Coverage_Status.UNKNOWN, 'overfitting', 'val_loss was not logged'],
    [Coverage_Status.CRASHED, 'mine', 'ValueError'],
  ].map(([status, fault, reason]) =>
    create(CoverageSchema, {
      status: status as Coverage_Status,
      fault: String(fault),
      reason: String(reason),
    }),
  );

  it('is counted as in text reports', () => {
    expect(coverageSummary(coverage)).toBe('5 checks: 1 failed, 2 passed, 1 could not be judged, 1 crashed');
  });

  it('lists what was not judged, crashed rules first', () => {
    expect(openChecks(coverage)).toEqual([
      { fault: 'mine (crashed)', reason: 'ValueError' },
      { fault: 'overfitting', reason: 'val_loss was not logged' },
    ]);
  });
});

describe('findings', () => {
  const finding = (fault: string, causedBy = 0, severity = Severity.WARNING, layer = 'a') =>
    create(FindingSchema, { fault, causedBy, severity, layer });

  it('have their effects below them', () => {
    const tree = causes([finding('x'), finding('y', 1), finding('z', 2)]);
    expect(tree).toHaveLength(1);
    expect(tree[0]?.effects[0]?.effects[0]?.finding.fault).toBe('z');
  });

  it('refer to causes by position in the whole list, even if only some are shown', () => {
    const findings = [
      finding('x', 0, Severity.ERROR, 'other'),
      finding('y', 3),
      finding('z', 1),
      finding('w', 1, Severity.INFO, 'other'),
      finding('v', 4),
    ];
    const tree = causes(findings, ({ layer }) => layer === 'a');
    expect(tree.map(({ finding: { fault } }) => fault)).toEqual(['z', 'v']);
    expect(tree[0]?.effects.map(({ finding: { fault } }) => fault)).toEqual(['y']);
  });

  it('have effects below the nearest cause that is shown', () => {
    const findings = [finding('x'), finding('y', 1, Severity.WARNING, 'other'), finding('z', 2)];
    const tree = causes(findings, ({ layer }) => layer === 'a');
    expect(tree[0]?.effects[0]?.finding.fault).toBe('z');
  });

  it('are all shown if causes form a circle or do not exist', () => {
    expect(causes([finding('x', 2), finding('y', 1), finding('z', 9)])).toHaveLength(3);
  });

  it('of one fault and severity are one group, named by its layers', () => {
    const layers = ['a', 'b', 'c', 'd', 'e'];
    const findings = [
      ...layers.map((layer) => finding('x', 0, Severity.WARNING, layer)),
      finding('x', 0, Severity.ERROR, 'f'),
      finding('y', 0, Severity.WARNING, 'a'),
    ];
    const groups = grouped(causes(findings));
    expect(groups.map((group) => group.length)).toEqual([5, 1, 1]);
    const named = groups.map((group) => namedLayers(group.map((cause) => cause.finding)));
    expect(named).toEqual(['a … e', 'f', 'a']);
    expect(namedLayers(findings.slice(0, 4))).toBe('a, b, c, d');
  });

  it('of a layer begin with the most severe', () => {
    const layers = byLayer([finding('x', 0, Severity.INFO), finding('y', 0, Severity.ERROR)]);
    expect(layers.get('a')?.[0]?.fault).toBe('y');
    expect(worst(layers.get('a') ?? [])).toBe(Severity.ERROR);
  });
});

describe('the view in the address', () => {
  it('is read as it was written', () => {
    const view = {
      ...DEFAULT_VIEW,
      screen: 'layer' as const,
      run: 'a/b',
      layer: 'x#2/ü&=',
      step: 40,
      filter: '^c',
    };
    expect(parseView(serializeView(view))).toEqual(view);
  });
  it('is empty by default', () => expect(serializeView(DEFAULT_VIEW)).toEqual({}));
  it('takes defaults for invalid parameters', () => {
    expect(parseView({ screen: 'layer', step: '-1', sort: 'x' })).toEqual(DEFAULT_VIEW);
    expect(filterPattern('(')).toBeUndefined();
  });
});

describe('series', () => {
  it('skips and counts a damaged message', () => {
    const items = [Uint8Array.from([0x08, 0x01, 0x20, 0x05]), Uint8Array.from([0xff])];
    const series = decodeSeries(
      toBinary(MeasurementListSchema, create(MeasurementListSchema, { items, total: 7 })),
    );
    expect(series.items.map(({ step }) => step)).toEqual([5n]);
    expect([series.total, series.damaged]).toEqual([7, 1]);
  });

  it('collects a column of all layers over snapshots', async () => {
    const source = new InlineSource(inlineData([{ run: 'faulty', faulty: true }]));
    const id = 'faulty/cnndiag';
    const tables = tablesOf(await source.measurements({ id, tag: 'cnndiag/run_info' }));
    const series = await source.measurements({ id, tag: 'cnndiag/dead_units', column: 'dead_ratio' });
    const matrix = layerMatrix(series, tables, 'dead_ratio');
    expect(matrix.steps).toHaveLength(11);
    expect(rowOf(matrix, 'conv2d_3')?.at(-1)).toBeCloseTo(0.953);
    expect(rowOf(matrix, 'nowhere')).toBeUndefined();
  });

  it('matches the rows of another layer table by path', async () => {
    const source = new InlineSource(inlineData([{ run: 'faulty', faulty: true }]));
    const id = 'faulty/cnndiag';
    const tables = tablesOf(await source.measurements({ id, tag: 'cnndiag/run_info' }));
    const [table] = tables;
    if (!table) throw new Error('The layer table is missing.');
    const turned = { ...table, table: 'b', layers: table.layers.toReversed() };
    const series = await source.measurements({ id, tag: 'cnndiag/dead_units', column: 'dead_ratio' });
    const matrix = layerMatrix(series, [table, turned], 'dead_ratio');
    expect(matrix.layers[0]).toBe('dense_1');
    expect(rowOf(matrix, 'conv2d_3')?.at(-1)).toBeCloseTo(0.953);
  });
});
