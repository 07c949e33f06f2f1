import { useMemo } from 'preact/hooks';
import { wrap, type Layout } from '../charts/map_layout';
import { segments, type Segment } from '../charts/map_segments';
import type { Bracket } from '../charts/map_style';
import { scaleFor } from '../charts/palette';
import type { Series } from '../data/source';
import { highest } from '../model/blocks';
import { layerMatrix, measureOf, rowOf, type LayerMatrix } from '../model/layers';
import { levels, mapItems, type MapItem } from '../model/map_blocks';
import { networkOf, type MapNode, type Network } from '../model/network';
import { snapshotsOf } from '../model/snapshots';
import { useStore, type RunState } from '../state/store';
import type { LayerInfo } from '../summaries/cnndiag_pb';
import { ALL } from './map_tools';

/** Scales that are tried until the map fits, and the least with readable text. */
const SCALES = [1, 0.9, 0.8, 0.7, 0.6, 0.5, 0.42, 0.35, 0.28, 0.22];
const READABLE = 0.7;
/** Number of nodes that the map shows at first, if blocks let it. */
const FIRST = 40;
const KEPT = 24;

interface Drawn {
  network: Network;
  parts: Segment[][];
}

/** Graphs that were laid out, by layer table and unfolded blocks: positions stay when steps or measures change. */
const kept = new Map<string, Drawn>();

function drawn(
  table: string,
  layers: readonly LayerInfo[],
  items: readonly MapItem[],
  open: ReadonlySet<string>,
) {
  const key = [table, layers.length, ...open].join('\n');
  const known = kept.get(key);
  if (known) return known;
  const network = networkOf(layers, items, open);
  const made = { network, parts: segments(network) };
  if (kept.size >= KEPT) kept.delete(kept.keys().next().value ?? '');
  kept.set(key, made);
  return made;
}

export interface Fitted extends Drawn {
  layout: Layout;
  scale: number;
  open: ReadonlySet<string>;
  /** Number of blocks, folded or not. */
  blocks: number;
}

/** The largest scale at which the map fits into the window. */
function fitted(
  made: Drawn,
  open: ReadonlySet<string>,
  width: number,
  height: number,
): Omit<Fitted, 'blocks'> {
  const last = SCALES.at(-1) ?? 1;
  for (const scale of SCALES) {
    const layout = wrap(made.parts, width / scale);
    if (scale === last || (layout.height * scale <= height && layout.width * scale <= width + 1)) {
      return { ...made, layout, scale, open };
    }
  }
  throw new Error('No scale to draw the map in.');
}

/** The blocks that are unfolded: those of the address, or as many levels as are readable. */
export function useMap(run: RunState, width: number, height: number): Fitted | undefined {
  const { unfolded } = useStore().view.value;
  const table = run.info?.table ?? '';
  const items = useMemo(() => mapItems(run.layers), [table, run.layers.length]);
  return useMemo(() => {
    if (width <= 0 || !run.layers.length) return undefined;
    const all = levels(items);
    const last: ReadonlySet<string> = all.at(-1) ?? new Set();
    const fit = (open: ReadonlySet<string>) => ({
      ...fitted(drawn(`${run.entry.id} ${table}`, run.layers, items, open), open, width, height),
      blocks: last.size,
    });
    if (unfolded === ALL) return fit(last);
    if (unfolded) return fit(new Set(unfolded.split('\n').filter((key) => last.has(key))));
    const count = (open: ReadonlySet<string>): number =>
      (function size(list: readonly MapItem[]): number {
        return list.reduce<number>(
          (sum, item) => sum + (typeof item === 'object' && open.has(item.key) ? size(item.children) : 1),
          0,
        );
      })(items);
    for (const open of all.slice(1).reverse()) {
      if (count(open) > FIRST) continue;
      const found = fit(open);
      if (found.scale >= READABLE) return found;
    }
    return fit(new Set());
  }, [items, table, unfolded, width, height]);
}

/** Whether most layers have a value at one snapshot or another. */
function isOfMost(series: Series, { layers }: RunState): boolean {
  return snapshotsOf(series.items, 'layerColumns').some(({ value }) =>
    value.columns.some(({ values }) => 2 * values.filter(Number.isFinite).length >= layers.length),
  );
}

/** The chosen measure; without one, that of the first finding if most layers have it, else the gradient, or another. */
export function useMatrix(run: RunState) {
  const store = useStore();
  const wanted = store.view.value.measure;
  const gradient = run.measures.find(({ diagnostic }) => diagnostic.name === 'gradient_flow');
  const preferred =
    wanted || run.findings.length ? measureOf(run, wanted) : (gradient ?? measureOf(run, wanted));
  const candidates = wanted ? [] : [...new Set([preferred, gradient, ...run.measures])];
  let [measure, series] = [preferred, preferred && store.columnSeries(run.entry, preferred).value.value];
  for (const candidate of candidates) {
    const found = candidate && store.columnSeries(run.entry, candidate).value;
    if (!candidate || found?.state === 'failed') continue;
    [measure, series] = [candidate, found?.value];
    if (!series || isOfMost(series, run)) break;
  }
  const matrix = useMemo(
    () => (measure && series ? layerMatrix(series, run.tables, measure.column.name) : undefined),
    [series, run.tables, measure?.id],
  );
  const scale = useMemo(() => measure && matrix && scaleFor(matrix.values, measure.column), [matrix]);
  return { measure, matrix, scale };
}

export function historyOf(
  node: MapNode,
  layers: readonly LayerInfo[],
  matrix: LayerMatrix | undefined,
): Float32Array {
  if (!matrix) return new Float32Array();
  const rows = node.rows.flatMap((row) => rowOf(matrix, layers[row]?.path ?? '') ?? []);
  const [only] = rows;
  return rows.length === 1 && only ? only : highest(rows);
}

export function bracketsOf({ network, layout }: Fitted): Bracket[] {
  const found = new Map<string, Bracket>();
  for (const { id, within } of network.nodes) {
    const place = layout.places.get(id);
    const block = within.at(-1);
    const row = place && layout.rows[place.row];
    if (!place || !block || !row) continue;
    const key = `${block.key}\n${place.row}`;
    const [left, right] = [place.x - place.width / 2, place.x + place.width / 2];
    const known = found.get(key);
    found.set(key, {
      key: block.key,
      name: block.name,
      left: Math.min(known?.left ?? left, left),
      right: Math.max(known?.right ?? right, right),
      y: row.top - 14,
    });
  }
  return [...found.values()];
}
