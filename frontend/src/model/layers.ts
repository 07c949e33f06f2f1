import type { ColumnInfo, DiagnosticInfo, Finding, LayerInfo, RunInfo } from '../summaries/cnndiag_pb';
import type { Series } from '../data/source';
import { plural } from './format';
import { snapshotsOf } from './snapshots';

/** One number per layer and snapshot, rows as in `layers`. */
export interface LayerMatrix {
  layers: string[];
  steps: number[];
  epochs: number[];
  /** `values[row * steps.length + snapshot]`; NaN: not measured. */
  values: Float32Array;
  total: number;
}

/** The layer tables of a run; the rows of a message refer to the table that it names. */
export function tablesOf(series: Series | undefined): RunInfo[] {
  return snapshotsOf(series?.items ?? [], 'runInfo').map(({ value }) => value);
}

/** Collects one column of LayerColumns over all snapshots; rows are matched by the paths in the message's own table. */
export function layerMatrix(series: Series, tables: readonly RunInfo[], column: string): LayerMatrix {
  const layers = tables.at(-1)?.layers.map(({ path }) => path) ?? [];
  const snapshots = snapshotsOf(series.items, 'layerColumns');
  const rows = new Map(layers.map((path, row) => [path, row]));
  const values = new Float32Array(layers.length * snapshots.length).fill(NaN);
  snapshots.forEach(({ table, value }, snapshot) => {
    const found = value.columns.find(({ name }) => name === column)?.values ?? [];
    const own = tables.findLast((candidate) => candidate.table === table) ?? tables.at(-1);
    found.forEach((number, index) => {
      const row = rows.get(own?.layers[index]?.path ?? '');
      if (row !== undefined) values[row * snapshots.length + snapshot] = number;
    });
  });
  return {
    layers,
    steps: snapshots.map(({ step }) => step),
    epochs: snapshots.map(({ epoch }) => epoch),
    values,
    total: series.total,
  };
}

/** The layers with a value at any step; all layers if no layer has one. */
export function measuredLayers(layers: readonly LayerInfo[], matrix: LayerMatrix): readonly LayerInfo[] {
  const measured = layers.filter(({ path }) => rowOf(matrix, path)?.some((value) => !Number.isNaN(value)));
  return measured.length ? measured : layers;
}

export function rowOf(matrix: LayerMatrix, layer: string): Float32Array | undefined {
  const row = matrix.layers.indexOf(layer);
  const { length } = matrix.steps;
  return row < 0 ? undefined : matrix.values.subarray(row * length, (row + 1) * length);
}

/** A column of a diagnostic, e.g. `dead_units.dead_ratio`. */
export interface Measure {
  id: string;
  diagnostic: DiagnosticInfo;
  column: ColumnInfo;
}

export function measuresOf(info: RunInfo | undefined): Measure[] {
  return (info?.diagnostics ?? []).flatMap((diagnostic) =>
    diagnostic.columns.map((column) => ({ id: `${diagnostic.name}.${column.name}`, diagnostic, column })),
  );
}

/** The measure that is wanted, else that of the first finding, else the first. */
export function measureOf(
  { measures, findings }: { measures: readonly Measure[]; findings: readonly Finding[] },
  wanted: string,
): Measure | undefined {
  const known = measures.find(({ id }) => id === wanted);
  const ofFindings = findings.map(({ diagnostic }) =>
    measures.find((measure) => measure.diagnostic.name === diagnostic),
  );
  return known ?? ofFindings.find((measure) => measure !== undefined) ?? measures[0];
}

/** The part of a layer's path before the last name: the block it belongs to. */
export function blockOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')));
}

/** What the units of a layer are called. */
export function unitNoun({ role }: LayerInfo): string {
  return role === 'dense' ? 'neuron' : 'filter';
}

/** A layer in one line. */
export function describeLayer(layer: LayerInfo): string {
  const kernel = layer.kernelShape.length ? ` ${layer.kernelShape.slice(0, -2).join('×')}` : '';
  const parts = [`${layer.className}${kernel.trim() ? kernel : ''}`];
  if (layer.units) parts.push(plural(layer.units, unitNoun(layer)));
  if (layer.activation) parts.push(layer.activation);
  return parts.join(' · ');
}

/** The receptive field in words; empty if it is not known. */
export function fieldWords({ receptiveField }: LayerInfo): string {
  const axes = receptiveField?.axes ?? [];
  if (!receptiveField || !axes.length) return '';
  const list = (values: number[]) => (new Set(values).size > 1 ? values : values.slice(0, 1)).join(' × ');
  const image = axes.map(({ extent }) => extent).join(' × ');
  if (receptiveField.whole) return `the whole image (${image})`;
  const size = axes.map((axis) => Math.round(axis.size)).join(' × ');
  const stride = axes.some((axis) => axis.stride) ? `, stride ${list(axes.map((axis) => axis.stride))}` : '';
  return `${size} of ${image} pixels${stride}`;
}
