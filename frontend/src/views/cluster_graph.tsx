import { useMemo, useState } from 'preact/hooks';
import { RampLegend } from '../charts/legend';
import { painter } from '../charts/palette';
import { changesBetween, matchesIn, MATCH, notesOf, type Note } from '../model/cluster_changes';
import { classPath, pathOf } from '../model/cluster_paths';
import { clustersOf, isDead, type Cluster, type ClusterGraph } from '../model/clusters';
import { formatNumber, plural } from '../model/format';
import { shownAt, snapshotAt, snapshotsOf, type Snapshot } from '../model/snapshots';
import { useStore, type RunState } from '../state/store';
import type { DiagnosticInfo, LayerInfo } from '../summaries/cnndiag_pb';
import { Figure } from '../ui/figure';
import type { Table } from '../ui/download';
import { ClusterColumn, clusterWords, type NodeFace } from './cluster_column';
import { curve, layoutOf } from './cluster_layout';
import { useAwaited } from './kind_series';
import { snapshotsNote, pending } from './layer_view';
import './cluster_graph.css';

const AGREEMENT = { low: 0, high: 1, logarithmic: false, scheme: 'sequential' } as const;
const RESPONSE = { low: -2, high: 2, logarithmic: false, scheme: 'diverging' } as const;
/** Widths of the weakest and the strongest edge. */
const [THIN, THICK] = [0.6, 5];

interface ClusterGraphProps {
  run: RunState;
  diagnostic: DiagnosticInfo;
  /** The run whose clusters are matched at first. */
  against?: RunState;
}

/** Clusters of units of all layers, and which drive which: a column for each layer, in the order of the data. */
export function ClusterGraphView({ run, diagnostic, against }: ClusterGraphProps) {
  const store = useStore();
  const series = store.modelSeries(run.entry, diagnostic.name).value;
  const snapshots = useMemo(() => snapshotsOf(series.value?.items ?? [], 'graph'), [series.value]);
  const at = shownAt(
    snapshots.map(({ step }) => step),
    store.step.value,
  );
  const graph = useGraph(snapshots[at]);
  const before = useGraph(at > 0 ? snapshots[at - 1] : undefined);
  const last = useGraph(snapshots.at(-1));
  const table = run.tables.findLast((one) => one.table === snapshots[at]?.table) ?? run.info;
  return (
    <Figure
      id={diagnostic.name}
      title={diagnostic.title}
      description={diagnostic.description}
      note={snapshotsNote(snapshots, series.value?.total ?? 0, store.step.value)}
      table={graph && (() => tableOf(graph, table?.layers ?? []))}
    >
      {pending(series, diagnostic.title, 420, store)}
      {graph && last && (
        <Clusters
          run={run}
          layers={table?.layers ?? []}
          graph={graph}
          last={last}
          before={before}
          name={diagnostic.name}
          against={against}
        />
      )}
    </Figure>
  );
}

function useGraph(snapshot: Snapshot<'graph'> | undefined): ClusterGraph | undefined {
  return useAwaited(snapshot && clustersOf(snapshot.value));
}

interface ClustersProps {
  run: RunState;
  layers: readonly LayerInfo[];
  graph: ClusterGraph;
  last: ClusterGraph;
  before: ClusterGraph | undefined;
  name: string;
  against: RunState | undefined;
}

function Clusters({ run, layers, graph, last, before, name, against: first }: ClustersProps) {
  const store = useStore();
  const dark = store.dark.value;
  const [hovered, setHovered] = useState<number>();
  const [pinned, setPinned] = useState<number>();
  const [chosen, setChosen] = useState('');
  const [against, setAgainst] = useState(first?.entry.id ?? '');
  const others = store.others.value.filter(({ entry }) =>
    entry.tags.some(({ tag }) => tag === `cnndiag/${name}`),
  );
  const other = others.find(({ entry }) => entry.id === against);
  const matches = useMatches(graph, layers, other, name);
  const layout = useMemo(() => layoutOf(graph, last), [graph, last]);
  const position = graph.classes.findIndex((id) => String(id) === chosen);
  const focus = pinned !== undefined && graph.clusters[pinned] ? pinned : hovered;
  const strengths = useMemo(
    () =>
      focus !== undefined ? pathOf(graph, focus) : position >= 0 ? classPath(graph, position) : undefined,
    [graph, focus, position],
  );
  const scale = position >= 0 ? RESPONSE : AGREEMENT;
  const paint = painter(scale, dark);
  const faces = graph.clusters.map((cluster): NodeFace => {
    const value = position >= 0 ? cluster.responses[position] : cluster.columns['agreement'];
    const match = matches?.[cluster.index];
    return {
      strength: strengths ? (strengths[cluster.index] ?? 0) : 1,
      color: isDead(cluster) ? undefined : paint(value ?? NaN),
      lines: linesOf(cluster, graph, match),
      unmatched: match !== undefined && !(match.correlation >= MATCH),
    };
  });
  const outstanding = useMemo(() => notesOf(graph), [graph]);
  const changes = useMemo(() => (before ? changesBetween(before, graph) : []), [before, graph]);
  const largest = Math.max(...graph.edges.map(({ weight }) => weight), 1e-9);
  const noted = (notes: Note[]) => notes.filter(({ row }) => layers[row]);
  const unmatched = faces.filter((face) => face.unmatched).length;
  return (
    <div class="stack">
      <div class="row">
        {graph.classes.length > 1 && (
          <label>
            What leads to{' '}
            <select value={chosen} onChange={(event) => setChosen(event.currentTarget.value)}>
              <option value="">all classes</option>
              {graph.classes.map((id) => (
                <option key={id} value={String(id)}>
                  class {id}
                </option>
              ))}
            </select>
          </label>
        )}
        {others.length > 0 && (
          <label>
            Match with{' '}
            <select value={against} onChange={(event) => setAgainst(event.currentTarget.value)}>
              <option value="">no other run</option>
              {others.map(({ entry }) => (
                <option key={entry.id} value={entry.id}>
                  {entry.run}
                </option>
              ))}
            </select>
          </label>
        )}
        {pinned !== undefined && (
          <button type="button" onClick={() => setPinned(undefined)}>
            Release the path
          </button>
        )}
        {matches && (
          <span class="note">
            {unmatched
              ? `${plural(unmatched, 'cluster')} without a match (correlation below ${MATCH}), dashed`
              : 'each cluster has a match'}
          </span>
        )}
      </div>
      <div class="cluster-scroll" role="group" aria-label="Clusters of units by layer">
        <div class="cluster-plane" style={{ width: layout.width, height: layout.height }}>
          <svg class="chart" width={layout.width} height={layout.height} aria-hidden="true">
            {graph.edges.map(({ source, target, weight }) => {
              const [from, to] = [layout.boxes[source], layout.boxes[target]];
              const on = strengths ? Math.min(strengths[source] ?? 0, strengths[target] ?? 0) : 0.4;
              if (!from || !to || (strengths && on === 0)) return null;
              return (
                <path
                  key={`${source} ${target}`}
                  d={curve(from, to)}
                  fill="none"
                  stroke-width={THIN + (THICK - THIN) * Math.sqrt(weight / largest)}
                  opacity={0.12 + 0.75 * on * Math.sqrt(weight / largest)}
                />
              );
            })}
          </svg>
          {graph.rows.map((row) => {
            const layer = layers[row];
            return (
              layer && (
                <ClusterColumn
                  key={layer.path}
                  run={run}
                  layer={layer}
                  clusters={graph.clusters.filter((cluster) => cluster.row === row)}
                  boxes={layout.boxes}
                  faces={faces}
                  pinned={pinned}
                  onHover={setHovered}
                  onPin={(index) => setPinned(index === pinned ? undefined : index)}
                />
              )
            );
          })}
        </div>
      </div>
      <div class="row">
        <span class="note">
          {position >= 0
            ? `mean response to class ${chosen}, in standard deviations`
            : 'mean correlation of the units of a cluster'}
        </span>
        <RampLegend scale={scale} format={formatNumber} dark={dark} />
        <span class="note">dead clusters are hatched · a line is wider for more influence</span>
      </div>
      <Notes title="What stands out" notes={noted(outstanding)} layers={layers} />
      <Notes title="Since the snapshot before" notes={noted(changes)} layers={layers} />
    </div>
  );
}

function useMatches(
  graph: ClusterGraph,
  layers: readonly LayerInfo[],
  other: RunState | undefined,
  name: string,
) {
  const store = useStore();
  const series = other && store.modelSeries(other.entry, name).value;
  const snapshots = snapshotsOf(series?.value?.items ?? [], 'graph');
  const theirs = useGraph(snapshotAt(snapshots, store.step.value));
  const there = other?.layers;
  return useMemo(() => {
    if (!there || !theirs) return undefined;
    const paths = (own: readonly LayerInfo[]) => own.map(({ path }) => path);
    return matchesIn(graph, paths(layers), theirs, paths(there));
  }, [graph, layers, theirs, there]);
}

function linesOf(
  cluster: Cluster,
  { classes }: ClusterGraph,
  match: { name: number; correlation: number } | undefined,
): [string, string][] {
  const lines: [string, string][] = [
    ['most typical', cluster.typical.join(', ')],
    ['mean correlation', formatNumber(cluster.columns['agreement'] ?? NaN)],
    ['mean |activation|', formatNumber(cluster.columns['activation'] ?? NaN)],
  ];
  const top = topClass(cluster, classes);
  if (top !== undefined) lines.push(['answers most to', `class ${top}`]);
  if (match && match.name >= 0) {
    lines.push(['best match', `cluster ${match.name}, correlation ${formatNumber(match.correlation)}`]);
  }
  return lines;
}

function topClass({ responses }: Cluster, classes: readonly number[]): number | undefined {
  const best = responses.indexOf(Math.max(...responses));
  return responses.some((value) => value !== 0) ? classes[best] : undefined;
}

function Notes({
  title,
  notes,
  layers,
}: {
  title: string;
  notes: readonly Note[];
  layers: readonly LayerInfo[];
}) {
  const store = useStore();
  if (!notes.length) return null;
  const rows = [...new Set(notes.map(({ row }) => row))];
  return (
    <details class="cluster-notes">
      <summary>
        {title} <span class="note">in {plural(rows.length, 'layer')}</span>
      </summary>
      <ul>
        {rows.map((row) => (
          <li key={row}>
            <button
              type="button"
              class="link path"
              onClick={() => store.go({ screen: 'layer', layer: layers[row]?.path ?? '', chart: '' })}
            >
              {layers[row]?.path}
            </button>
            : {notes.flatMap((note) => (note.row === row ? note.text : [])).join('; ')}
          </li>
        ))}
      </ul>
    </details>
  );
}

/** Each cluster with what drives it most. */
function tableOf(graph: ClusterGraph, layers: readonly LayerInfo[]): Table {
  const strongest = (target: number) =>
    graph.edges.reduce<{ source: number; weight: number } | undefined>(
      (best, edge) => (edge.target === target && !(best && best.weight >= edge.weight) ? edge : best),
      undefined,
    );
  return {
    columns: [
      'layer',
      'cluster',
      'units',
      'most typical',
      'mean correlation',
      'dead',
      'answers most to class',
      'driven most by',
    ],
    rows: graph.clusters.map((cluster) => {
      const source = graph.clusters[strongest(cluster.index)?.source ?? -1];
      const from = source && layers[source.row];
      return [
        layers[cluster.row]?.path ?? '',
        String(cluster.name),
        cluster.units.length,
        cluster.typical.join(' '),
        cluster.columns['agreement'] ?? NaN,
        cluster.columns['dead'] ?? NaN,
        String(topClass(cluster, graph.classes) ?? ''),
        source && from ? clusterWords(source, from) : '',
      ];
    }),
  };
}
