import { formatIndices } from '../model/format';
import type { Matrix } from '../summaries/cnndiag_pb';

/** What the rows and columns of a map are. */
export interface MapAxes {
  /** Names of several rows or columns, by their original indices. */
  row(indices: readonly number[]): string;
  column(indices: readonly number[]): string;
  /** Labels along the axes, in the order drawn; without them a tree may be drawn there. */
  labels?: { left: string[]; top: string[] };
}

/** Rows and columns are the same units, identified by number. */
export function unitAxes(noun: string): MapAxes {
  const name = (indices: readonly number[]) =>
    `${noun}${indices.length > 1 ? 's' : ''} ${formatIndices(indices.toSorted((a, b) => a - b))}`;
  return { row: name, column: name };
}

/** Rows and columns are the same layers of the table. */
export function layerAxes(matrix: Matrix, layers: readonly string[]): MapAxes {
  const name = (indices: readonly number[]) =>
    indices.map((row) => layers[row] ?? `layer ${row + 1}`).join(', ');
  return {
    row: name,
    column: name,
    labels: {
      left: matrix.order.map((row) => `${layers[row] ?? ''} ${row + 1}`),
      top: matrix.order.map((row) => String(row + 1)),
    },
  };
}

/** Rows are the true classes, columns the predicted ones. */
export function classAxes(matrix: Matrix): MapAxes {
  const labels = matrix.order.map(String);
  return {
    row: (indices) => `true ${formatIndices(indices)}`,
    column: (indices) => `predicted ${formatIndices(indices)}`,
    labels: { left: labels, top: labels },
  };
}

/** Whether the order is a true reordering of all units, so that both orders can be shown. */
export function isReordered({ order, pool, symmetric }: Matrix): boolean {
  if (!symmetric || pool > 1) return false;
  const seen = new Set(order);
  return order.some((unit, i) => unit !== i) && order.every((_, i) => seen.has(i));
}
