import { unitNoun } from '../model/layers';
import { snapshotAt } from '../model/snapshots';
import { peekGrid, precision, dequantize, type Grid } from '../model/matrix';
import { useStore } from '../state/store';
import type { Matrix } from '../summaries/cnndiag_pb';
import type { Table } from '../ui/download';
import type { KindViewProps } from './layer_view';
import { unitAxes } from './map_axes';
import { SimilarityMap, unitsAt } from './similarity_map';

/** The strongest pairs off the diagonal. */
export function matrixTable(matrix: Matrix, most = 2000): Table {
  const grid: Grid = peekGrid(matrix) ?? dequantize(matrix, new Uint8Array());
  const name = (cell: number) => unitsAt(matrix.order, Math.max(1, matrix.pool), cell).join(' ');
  const pairs: [string, string, number, number][] = [];
  for (let row = 0; row < grid.rows; row += 1) {
    for (let column = matrix.symmetric ? row + 1 : 0; column < grid.columns; column += 1) {
      const value = grid.values[row * grid.columns + column] ?? NaN;
      if (!Number.isNaN(value)) pairs.push([name(row), name(column), value, precision(matrix)]);
    }
  }
  pairs.sort((a, b) => Math.abs(b[2]) - Math.abs(a[2]));
  return { columns: ['row', 'column', matrix.unit, '±'], rows: pairs.slice(0, most) };
}

export function MatrixView({ layer, diagnostic, snapshots }: KindViewProps<'matrix'>) {
  const store = useStore();
  const snapshot = snapshotAt(snapshots, store.step.value);
  if (!snapshot) return null;
  const noun = unitNoun(layer);
  return (
    <SimilarityMap
      matrix={snapshot.value}
      tree={undefined}
      axes={unitAxes(noun)}
      noun={noun}
      title={diagnostic.title}
      dark={store.dark.value}
    />
  );
}
