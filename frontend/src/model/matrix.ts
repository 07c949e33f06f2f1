import type { Matrix } from '../summaries/cnndiag_pb';

/** A matrix unpacked for drawing: `values[row * columns + column]`, NaN where missing. */
export interface Grid {
  rows: number;
  columns: number;
  values: Float32Array;
}

/** Undoes zlib compression. */
export async function inflate(bytes: Uint8Array): Promise<Uint8Array> {
  const stream = new Blob([bytes as BlobPart]).stream().pipeThrough(new DecompressionStream('deflate'));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** Number of cells of `entries` rows or columns after pooling. */
export function pooled(entries: number, pool: number): number {
  return Math.ceil(entries / Math.max(1, pool));
}

/** Converts inflated cells to numbers; the upper triangle is mirrored. */
export function dequantize(matrix: Matrix, cells: Uint8Array): Grid {
  const rows = pooled(matrix.rows, matrix.pool);
  const columns = pooled(matrix.columns, matrix.pool);
  const values = new Float32Array(rows * columns).fill(NaN);
  const levels = Float32Array.from({ length: 256 }, (_, q) =>
    q === 0 ? NaN : matrix.low + ((q - 1) * (matrix.high - matrix.low)) / 254,
  );
  let next = 0;
  for (let row = 0; row < rows; row += 1) {
    for (let column = matrix.symmetric ? row : 0; column < columns; column += 1) {
      const value = levels[cells[next++] ?? 0] ?? NaN;
      values[row * columns + column] = value;
      if (matrix.symmetric) values[column * columns + row] = value;
    }
  }
  return { rows, columns, values };
}

const unpacked = new WeakMap<Matrix, Grid>();

/** The grid of a matrix if it has been unpacked before. */
export function peekGrid(matrix: Matrix): Grid | undefined {
  return unpacked.get(matrix);
}

/** Unpacks a matrix once. */
export async function gridOf(matrix: Matrix): Promise<Grid> {
  const known = unpacked.get(matrix);
  if (known) return known;
  const grid = dequantize(matrix, await inflate(matrix.cells));
  unpacked.set(matrix, grid);
  return grid;
}

/** Maximum error of a displayed value: half a quantization level. */
export function precision({ low, high }: Matrix): number {
  return (high - low) / 254 / 2;
}

/** The same grid with rows and columns in the order of the original indices; only exact without pooling. */
export function byIndex(grid: Grid, order: readonly number[]): Grid {
  const values = new Float32Array(grid.values.length);
  const sorted = order.toSorted((a, b) => a - b); // a sample names units beyond the number of its rows
  const rank = new Map(sorted.map((unit, position) => [unit, position]));
  order.forEach((unit, row) =>
    order.forEach((other, column) => {
      const cell = (rank.get(unit) ?? 0) * grid.columns + (rank.get(other) ?? 0);
      values[cell] = grid.values[row * grid.columns + column] ?? NaN;
    }),
  );
  return { ...grid, values };
}
