import { useMemo } from 'preact/hooks';
import type { Series } from '../data/source';
import { RampLegend } from '../charts/legend';
import { segments, wrap, type Layout, type Segment } from '../charts/map_layout';
import type { Bracket, NodeFace } from '../charts/map_paint';
import { NetworkCanvas } from '../charts/network_canvas';
import { scaleFor } from '../charts/palette';
import { highest } from '../model/blocks';
import { byLayer, SEVERITY_WORDS } from '../model/findings';
import { formatNumber, formatValue, plural } from '../model/format';
import { fieldWords, layerMatrix, measureOf, rowOf, type LayerMatrix } from '../model/layers';
import { levels, mapItems, type MapItem } from '../model/map_blocks';
import {
  briefCount,
  causeArrows,
  faultsOf,
  healthWords,
  kindWords,
  nodeTitle,
  shapeWords,
} from '../model/map_faces';
import { networkOf, type MapNode, type Network } from '../model/network';
import { shownAt, snapshotsOf } from '../model/snapshots';
import { filterPattern } from '../model/view';
import { useStore, type RunState } from '../state/store';
import type { LayerInfo } from '../summaries/cnndiag_pb';
import type { Table } from '../ui/download';
import { Figure } from '../ui/figure';
import { SeverityIcon } from '../ui/icons';
import { useWidth } from '../ui/size';
import { ALL, MapTools } from './map_tools';
import './network_map.css';

/** Scales that are tried until the map fits, and the one from which text can be read. */
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

interface Fitted extends Drawn {
  layout: Layout;
  scale: number;
  open: ReadonlySet<string>;
}

/** The largest scale at which the map fits into the window. */
function fitted(made: Drawn, open: ReadonlySet<string>, width: number, height: number): Fitted {
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
function useMap(run: RunState, width: number, height: number): Fitted | undefined {
  const { unfolded } = useStore().view.value;
  const table = run.info?.table ?? '';
  const items = useMemo(() => mapItems(run.layers), [table, run.layers.length]);
  return useMemo(() => {
    if (width <= 0 || !run.layers.length) return undefined;
    const all = levels(items);
    const fit = (open: ReadonlySet<string>) =>
      fitted(drawn(`${run.entry.id} ${table}`, run.layers, items, open), open, width, height);
    const last = all.at(-1) ?? new Set();
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
function useMatrix(run: RunState) {
  const store = useStore();
  const wanted = store.view.value.measure;
  const preferred = measureOf(run, wanted);
  const gradient = run.measures.find(({ diagnostic }) => diagnostic.name === 'gradient_flow');
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

function historyOf(
  node: MapNode,
  layers: readonly LayerInfo[],
  matrix: LayerMatrix | undefined,
): Float32Array {
  if (!matrix) return new Float32Array();
  const rows = node.rows.flatMap((row) => rowOf(matrix, layers[row]?.path ?? '') ?? []);
  const [only] = rows;
  return rows.length === 1 && only ? only : highest(rows);
}

function bracketsOf({ network, layout }: Fitted): Bracket[] {
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

/** The layers as the data flows through them: what each is, how it is, and what follows from what. */
export function NetworkMap({ run }: { run: RunState }) {
  const store = useStore();
  const [ref, width] = useWidth<HTMLDivElement>();
  const most = width < 520 ? 760 : 560;
  const map = useMap(run, width, most);
  const { measure, matrix, scale } = useMatrix(run);
  const { filter } = store.view.value;
  const dark = store.dark.value;
  const { layers } = run;
  const at = matrix ? shownAt(matrix.steps, store.hover.value ?? store.step.value) : -1;
  const findings = useMemo(() => byLayer(run.findings), [run.findings]);
  const format = (value: number) => (measure ? formatValue(value, measure.column.unit) : '');

  const histories = useMemo(
    () => new Map(map?.network.nodes.map((node) => [node.id, historyOf(node, layers, matrix)])),
    [map?.network, matrix],
  );
  const faults = useMemo(
    () => new Map(map?.network.nodes.map((node) => [node.id, faultsOf(node.rows, layers, findings)])),
    [map?.network, findings],
  );
  const faces = useMemo(() => {
    const pattern = filterPattern(filter);
    return new Map(
      map?.network.nodes.map((node): [string, NodeFace] => {
        const [first] = node.rows;
        const layer = layers[first ?? 0];
        const last = layers[node.rows.at(-1) ?? 0];
        const history = histories.get(node.id) ?? new Float32Array();
        const fault = faults.get(node.id);
        const field = last?.receptiveField;
        const sees = field?.whole ? 'sees all' : field ? `sees ${Math.round(field.axes[0]?.size ?? 0)}` : '';
        const parameters = node.rows.reduce((sum, row) => sum + Number(layers[row]?.parameters ?? 0), 0);
        return [
          node.id,
          {
            id: node.id,
            title: nodeTitle(node, layers),
            kind: node.block
              ? `${plural(node.rows.length, 'layer')} · ${briefCount(parameters)}`
              : `${layer ? kindWords(layer) : ''} · ${briefCount(parameters)}`,
            shape: [last ? shapeWords(last) : '', sees].filter(Boolean).join(' · '),
            fault: fault?.title ?? '',
            since: fault?.since ?? '',
            severity: fault?.severity ?? 0,
            history,
            value: history[at] ?? NaN,
            block: node.block !== undefined,
            skip: node.skip,
            input: node.input,
            output: node.output,
            found: !pattern || node.rows.some((row) => pattern.test(layers[row]?.path ?? '')),
          },
        ];
      }),
    );
  }, [map?.network, histories, faults, filter, at]);
  const brackets = useMemo(() => (map ? bracketsOf(map) : []), [map]);
  const arrows = useMemo(
    () => (map ? causeArrows(run.findings, map.network, layers) : []),
    [map?.network, run.findings],
  );
  const nodes = useMemo(() => new Map(map?.network.nodes.map((node) => [node.id, node])), [map?.network]);

  const unfold = (open: ReadonlySet<string>) => store.go({ unfolded: [...open].join('\n') || '-' });
  const pick = (id: string) => {
    const node = nodes.get(id);
    if (!node || !map) return;
    if (node.block) unfold(new Set([...map.open, node.block.key]));
    else {
      const layer = layers[node.rows[0] ?? 0]?.path ?? '';
      store.go({ screen: 'layer', layer, chart: measure?.diagnostic.name ?? '' });
    }
  };
  const describe = (id: string): { title: string; lines: [string, string][] } => {
    const node = nodes.get(id);
    const face = faces.get(id);
    const layer = layers[node?.rows[0] ?? 0];
    const last = layers[node?.rows.at(-1) ?? 0];
    if (!node || !face || !layer || !last) return { title: '', lines: [] };
    const parameters = node.rows.reduce((sum, row) => sum + Number(layers[row]?.parameters ?? 0), 0);
    const own = faults.get(id)?.findings ?? [];
    const lines: [string, string][] = [
      [node.block ? 'block of' : 'kind', node.block ? plural(node.rows.length, 'layer') : kindWords(layer)],
      ['output', shapeWords(last)],
      ['sees', fieldWords(last)],
      ['parameters', formatNumber(parameters)],
    ];
    if (measure) lines.push([measure.column.title, format(face.value)]);
    for (const finding of own.slice(0, 6)) {
      lines.push([
        `${SEVERITY_WORDS[finding.severity]} since step ${formatNumber(Number(finding.firstStep))}`,
        finding.title,
      ]);
    }
    if (own.length > 6) lines.push(['and', plural(own.length - 6, 'finding')]);
    if (!own.length && run.judgment === 'known') lines.push(['findings', 'none']);
    return {
      title: node.block ? node.block.name : layer.path,
      lines: lines.filter(([, value]) => value !== ''),
    };
  };
  const table = (): Table => ({
    columns: [
      'layer',
      'kind',
      'output',
      'sees',
      'parameters',
      'reads from',
      measure?.column.title ?? '',
      'findings',
    ],
    units: ['', '', '', '', '', '', measure?.column.unit, ''],
    rows: layers.map((layer) => [
      layer.path,
      kindWords(layer),
      shapeWords(layer),
      fieldWords(layer),
      Number(layer.parameters),
      layer.inputs.map((row) => layers[row]?.path ?? '').join(', '),
      (matrix && rowOf(matrix, layer.path)?.[at]) ?? NaN,
      (findings.get(layer.path) ?? [])
        .map(({ title, firstStep }) => `${title} since step ${firstStep}`)
        .join('; '),
    ]),
  });
  const whole = run.findings.filter(({ layer }) => !layer);
  const size = map && {
    width,
    height: Math.min(most, Math.ceil(map.layout.height * map.scale)),
  };
  return (
    <Figure
      id="map"
      title="Network map"
      note={run.judgment === 'known' ? healthWords(layers, run.findings) : undefined}
      controls={
        <MapTools
          run={run}
          measure={measure}
          blocks={levels(mapItems(layers)).at(-1)?.size ?? 0}
          open={map?.open.size ?? 0}
        />
      }
      table={table}
    >
      <div ref={ref} class="stack">
        {map && size && (
          <NetworkCanvas
            {...size}
            layout={map.layout}
            fit={map.scale}
            faces={faces}
            brackets={brackets}
            causes={arrows}
            at={at}
            steps={matrix?.steps ?? []}
            scale={scale}
            dark={dark}
            order={map.network.nodes.map(({ id }) => id)}
            label={`Network map of ${plural(layers.length, 'layer')} in ${plural(map.network.nodes.length, 'node')}`}
            describe={describe}
            onPick={pick}
            onFold={(key) => unfold(new Set([...map.open].filter((open) => open !== key)))}
            blockOf={(id) => nodes.get(id)?.within.at(-1)?.key}
          />
        )}
        {whole.length > 0 && (
          <ul class="map-whole" aria-label="Findings about the whole model">
            {whole.map((finding) => (
              <li key={finding.fault} data-export>
                <SeverityIcon severity={finding.severity} label /> Whole model since step{' '}
                {formatNumber(Number(finding.firstStep))}: {finding.title}
              </li>
            ))}
          </ul>
        )}
        <div class="row map-legend">
          {scale && measure && (
            <>
              <span class="note">{measure.column.title}, at the left of a node now, below it over steps</span>
              <RampLegend
                scale={scale}
                format={format}
                dark={dark}
                missing={matrix?.values.some(Number.isNaN)}
              />
            </>
          )}
          {arrows.length > 0 && (
            <span class="legend-key">
              <span class="map-arrow" aria-hidden="true" /> cause to effect
            </span>
          )}
          {map && !map.network.recorded && (
            <span class="note">
              The connections were not recorded: layers follow each other as in the layer table.
            </span>
          )}
        </div>
      </div>
    </Figure>
  );
}
