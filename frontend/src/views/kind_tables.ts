import type { Kind, Look } from '../model/looks';
import { lookAt } from '../model/looks';
import { UNIT_STATES, unpackStates, withRevived } from '../model/states';
import type { Table } from '../ui/download';
import { densityTable } from './density';
import { matrixTable } from './matrix';

function stateTable(looks: Look<'unitStates'>[], noun: string): Table {
  const states = withRevived(looks.map(({ value }) => unpackStates(value)));
  return {
    columns: [noun, ...looks.map(({ step }) => `step ${step}`)],
    rows: Array.from({ length: states[0]?.length ?? 0 }, (_, unit) => [
      String(unit),
      ...states.map((look) => UNIT_STATES[look[unit] ?? 0] ?? ''),
    ]),
  };
}

function valueTable({ value }: Look<'unitValues'>, noun: string): Table {
  const { columns } = value;
  return {
    columns: [noun, ...columns.map(({ name }) => name)],
    rows: (columns[0]?.values ?? []).map((_, unit) => [
      String(unit),
      ...columns.map(({ values }) => values[unit] ?? NaN),
    ]),
  };
}

function mergeTable({ value }: Look<'dendrogram'>): Table {
  const { gap, height, order, unit } = value;
  return {
    columns: ['joins the branch of', 'and that of', unit],
    rows: gap.map((leaf, merge) => [String(order[leaf]), String(order[leaf + 1]), height[merge] ?? NaN]),
  };
}

function imageTable({ value }: Look<'images'>, noun: string): Table {
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

/** The table of what a layer's chart of one kind shows: of all looks where it draws all, else of the chosen one. */
export function kindTable(kind: Kind, looks: Look[], step: number, noun: string): Table | undefined {
  const look = lookAt(looks, step);
  if (!look) return undefined;
  switch (kind) {
    case 'matrix':
      return matrixTable((look as Look<'matrix'>).value);
    case 'density':
      return densityTable(looks as Look<'density'>[]);
    case 'unitStates':
      return stateTable(looks as Look<'unitStates'>[], noun);
    case 'unitValues':
      return valueTable(look as Look<'unitValues'>, noun);
    case 'dendrogram':
      return mergeTable(look as Look<'dendrogram'>);
    case 'images':
      return imageTable(look as Look<'images'>, noun);
    default:
      return undefined;
  }
}
