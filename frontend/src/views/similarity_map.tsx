import { useEffect, useMemo, useState } from 'preact/hooks';
import { AxisLabels } from '../charts/axis_labels';
import { Heatmap } from '../charts/heatmap';
import { RampLegend } from '../charts/legend';
import { Tree } from '../charts/tree';
import { clamp, zoom, type Viewport } from '../charts/viewport';
import { brackets, cutTree, sharedRanks } from '../model/dendrogram';
import { formatNumber } from '../model/format';
import { byIndex, gridOf, precision, type Grid } from '../model/matrix';
import type { Dendrogram, Matrix } from '../summaries/cnndiag_pb';
import { useWidth } from '../ui/size';
import { Skeleton } from '../ui/notice';
import { Toggle } from '../ui/toggle';
import { CutControl } from './cut_control';
import { isReordered, type MapAxes } from './map_axes';
import './similarity_map.css';

interface SimilarityMapProps {
  matrix: Matrix;
  /** The tree that has the matrix's order as its leaf order, if there is one. */
  tree: Dendrogram | undefined;
  axes: MapAxes;
  noun: string;
  title: string;
  dark: boolean;
  /** What the labels along the axes are. */
  corner?: string;
  /** Opens the page of a unit; without it, a cell cannot be chosen. */
  onOpen?(unit: number): void;
}

/** Units of a chosen cell that can be opened. */
const OPENED = 6;
const TREE = 76;
const LARGEST = 640;
const LARGEST_CELL = 44;
const SIDE_PANEL = 260;

function useGrid(matrix: Matrix): Grid | undefined {
  const [grid, setGrid] = useState<Grid>();
  useEffect(() => {
    let current = true;
    void gridOf(matrix).then((fresh) => {
      if (current) setGrid(fresh);
    });
    return () => {
      current = false;
    };
  }, [matrix]);
  return grid;
}

/** The units in a displayed row. */
export function unitsAt(order: readonly number[], pool: number, cell: number): readonly number[] {
  return order.slice(cell * pool, (cell + 1) * pool);
}

/** A clustered map: a tree on each axis, its leaves next to their rows and columns. */
export function SimilarityMap({ matrix, tree, axes, noun, title, dark, corner, onOpen }: SimilarityMapProps) {
  const [ref, width] = useWidth<HTMLDivElement>();
  const loaded = useGrid(matrix);
  const [ordered, setOrdered] = useState<'cluster' | 'index'>('cluster');
  const [moved, setCut] = useState<number | null>(null);
  const [viewed, setView] = useState<Viewport | null>(null);
  const [picked, setPicked] = useState<number[]>([]);
  const pool = Math.max(1, matrix.pool);
  const indexed = ordered === 'index' && pool === 1;
  const order = useMemo(
    () => (indexed ? matrix.order.toSorted((a, b) => a - b) : matrix.order),
    [matrix, indexed],
  );
  const grid = useMemo(
    () => loaded && (indexed ? byIndex(loaded, matrix.order) : loaded),
    [loaded, indexed, matrix],
  );
  const cut = moved ?? tree?.cut ?? 0;
  const groups = useMemo(() => (tree ? cutTree(tree, cut) : []), [tree, cut]);
  const ranks = useMemo(() => sharedRanks(groups), [groups]);
  const drawn = useMemo(
    () =>
      (tree ? brackets(tree, groups, cut) : []).map((one) => ({ ...one, group: ranks.get(one.group) ?? -1 })),
    [tree, groups, ranks, cut],
  );
  const cells = grid?.rows ?? 1;
  const view = clamp(viewed ?? { x: 0, y: 0, span: cells }, cells);
  const wide = width >= 720;
  const edge = tree || !axes.labels ? (tree ? TREE : 0) : undefined;
  const left = edge ?? (width < 520 ? 72 : 132);
  const top = edge ?? 26;
  const size = Math.max(
    120,
    Math.min(LARGEST, cells * LARGEST_CELL, width - left - (wide ? SIDE_PANEL + 24 : 0)),
  );
  const error = Number(precision(matrix).toPrecision(1));

  const describe = (row: number, column: number) => {
    const value = grid?.values[row * cells + column] ?? NaN;
    const [a, b] = [unitsAt(order, pool, row), unitsAt(order, pool, column)];
    const single = a.length === 1 && b.length === 1;
    const lines: [string, string][] = [[matrix.unit, `${formatNumber(value)} ± ${formatNumber(error)}`]];
    if (!single) lines.push(['shows', `the strongest of ${a.length} × ${b.length} pairs`]);
    const [first, second] = [groups[a[0] ?? -1], groups[b[0] ?? -1]];
    if (single && first !== undefined && second !== undefined) {
      lines.push(['group', first === second ? `both in ${first + 1}` : `${first + 1} and ${second + 1}`]);
    }
    return { title: `${axes.row(a)} × ${axes.column(b)}`, lines };
  };
  const edgeOf = (side: 'left' | 'top') =>
    axes.labels ? (
      <AxisLabels
        names={axes.labels[side]}
        from={side === 'left' ? view.y : view.x}
        span={view.span}
        length={size}
        depth={side === 'left' ? left : top}
        side={side}
      />
    ) : tree && !indexed ? (
      <Tree
        brackets={drawn}
        leaves={tree.units}
        cut={cut}
        from={(side === 'left' ? view.y : view.x) * pool}
        span={view.span * pool}
        length={size}
        depth={TREE - 6}
        side={side}
        dark={dark}
        label={title}
      />
    ) : null;
  return (
    <div ref={ref} class={wide ? 'clustermap two-columns' : 'clustermap'}>
      {!grid || width === 0 ? (
        <Skeleton height={360} label="Unpacking the matrix" />
      ) : (
        <>
          <div
            class="clustermap-map"
            style={{ gridTemplateColumns: `${left}px ${size}px`, gridTemplateRows: `${top}px ${size}px` }}
          >
            <span class="clustermap-corner">{tree && !indexed ? tree.unit : axes.labels ? corner : ''}</span>
            {edgeOf('top') ?? <span />}
            {edgeOf('left') ?? <span />}
            <Heatmap
              grid={grid}
              low={matrix.low}
              high={matrix.high}
              scheme={matrix.low < 0 && matrix.high > 0 ? 'diverging' : 'sequential'}
              view={view}
              size={size}
              dark={dark}
              label={`${title}: ${matrix.unit} of ${matrix.rows} ${noun}s`}
              describe={describe}
              onView={setView}
              onPick={
                onOpen &&
                ((row, column) =>
                  setPicked(
                    [...new Set([row, column].flatMap((cell) => unitsAt(order, pool, cell)))].slice(
                      0,
                      OPENED,
                    ),
                  ))
              }
            />
          </div>
          <div class="clustermap-panel">
            <RampLegend
              scale={{
                low: matrix.low,
                high: matrix.high,
                logarithmic: false,
                scheme: matrix.low < 0 && matrix.high > 0 ? 'diverging' : 'sequential',
              }}
              format={formatNumber}
              dark={dark}
            />
            <span class="note">
              {matrix.unit} ± {formatNumber(error)}
              {pool > 1 ? ` · each cell shows the strongest of ${pool} × ${pool} pairs` : ''}
            </span>
            <div class="row">
              {isReordered(matrix) && (
                <Toggle
                  label="Order of rows and columns"
                  value={indexed ? ('index' as const) : 'cluster'}
                  options={[
                    ['cluster', 'by cluster'],
                    ['index', 'by index'],
                  ]}
                  onChange={(value) => setOrdered(value)}
                />
              )}
              <span class="clustermap-zoom">
                <button
                  type="button"
                  aria-label="Zoom out"
                  onClick={() => setView(zoom(view, cells, 1 / 1.5))}
                >
                  −
                </button>
                <button type="button" aria-label="Zoom in" onClick={() => setView(zoom(view, cells, 1.5))}>
                  +
                </button>
                <button type="button" disabled={view.span >= cells} onClick={() => setView(null)}>
                  Reset zoom
                </button>
              </span>
            </div>
            {onOpen && (
              <div class="row" role="group" aria-label={`Open a ${noun}`}>
                {picked.length === 0 && <span class="note">Choose a cell to open its {noun}s.</span>}
                {picked.map((unit) => (
                  <button key={unit} type="button" onClick={() => onOpen(unit)}>
                    {noun} {unit}
                  </button>
                ))}
              </div>
            )}
            {tree && (
              <CutControl
                tree={tree}
                cut={cut}
                groups={groups}
                ranks={ranks}
                noun={noun}
                dark={dark}
                onCut={setCut}
              />
            )}
          </div>
        </>
      )}
    </div>
  );
}
