import type { Kind, Snapshot } from '../model/snapshots';
import { snapshotAt } from '../model/snapshots';
import { UNIT_STATES, unpackStates, withRevived } from '../model/states';
import type { Table } from '../ui/download';
import { densityTable } from './density';
import { matrixTable } from './matrix';

function stateTable(snapshots: Snapshot<'unitStates'>[], noun: string): Table {
  const states = withRevived(snapshots.map(({ value }) => unpackStates(value)));
  return {
    columns: [noun, ...snapshots.map(({ step }) => `step ${step}`)],
    rows: Array.from({ length: states[0]?.length ?? 0 }, (_, unit) => [
      String(unit),
      ...states.map((snapshot) => UNIT_STATES[snapshot[unit] ?? 0] ?? ''),
    ]),
  };
}

function valueTable({ value }: Snapshot<'unitValues'>, noun: string): Table {
  const { columns } = value;
  return {
    columns: [noun, ...columns.map(({ name }) => name)],
    rows: (columns[0]?.values ?? []).map((_, unit) => [
      String(unit),
      ...columns.map(({ values }) => values[unit] ?? NaN),
    ]),
  };
}

function mergeTable({ value }: Snapshot<'dendrogram'>): Table {
  const { gap, height, order, unit } = value;
  return {
    columns: ['left branch ends with', 'right branch starts with', unit],
    rows: gap.map((leaf, merge) => [String(order[leaf]), String(order[leaf + 1]), height[merge] ?? NaN]),
  };
}

function imageTable({ value }: Snapshot<'images'>, noun: string): Table {
  return {
    columns: [noun, 'probe image', 'height', 'width', 'scale'],
    rows: value.images.map(({ unit, sample, height, width, scale }) => [
      String(unit),
      sample === undefined ? '' : String(sample),
      height,
      width,
      scale,
    ]),
  };
}

function atlasTable({ value }: Snapshot<'atlas'>): Table {
  const { samples, height, width, labels } = value;
  return {
    columns: ['image', 'class', 'height', 'width'],
    rows: Array.from({ length: samples }, (_, image) => [
      String(image),
      labels[image] === undefined ? '' : String(labels[image]),
      height,
      width,
    ]),
  };
}

/** The table of a layer's chart of one kind: of all snapshots if the chart shows all, else of the chosen one. */
export function kindTable(kind: Kind, snapshots: Snapshot[], step: number, noun: string): Table | undefined {
  const snapshot = snapshotAt(snapshots, step);
  if (!snapshot) return undefined;
  switch (kind) {
    case 'matrix':
      return matrixTable((snapshot as Snapshot<'matrix'>).value);
    case 'density':
      return densityTable(snapshots as Snapshot<'density'>[]);
    case 'unitStates':
      return stateTable(snapshots as Snapshot<'unitStates'>[], noun);
    case 'unitValues':
      return valueTable(snapshot as Snapshot<'unitValues'>, noun);
    case 'dendrogram':
      return mergeTable(snapshot as Snapshot<'dendrogram'>);
    case 'images':
      return imageTable(snapshot as Snapshot<'images'>, noun);
    case 'atlas':
      return atlasTable(snapshot as Snapshot<'atlas'>);
    default:
      return undefined;
  }
}
