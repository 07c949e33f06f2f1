import type { ComponentType } from 'preact';
import { snapshotAt, snapshotsOf } from '../model/snapshots';
import { useStore, type RunState } from '../state/store';
import type { DiagnosticInfo } from '../summaries/cnndiag_pb';
import { Figure } from '../ui/figure';
import { lazy } from '../ui/lazy';
import { snapshotsNote, pending } from '../views/layer_view';
import { layerAxes } from '../views/map_axes';
import { matrixTable } from '../views/matrix';
import { SimilarityMap } from '../views/similarity_map';
import { LayerTable } from './layer_table';

export const ClusterGraphView = lazy(
  'The clusters',
  420,
  async () => (await import('../views/cluster_graph')).ClusterGraphView,
);

/** How each kind of result about relations between layers is drawn. */
const VIEWS: Record<string, ComponentType<RelationProps>> = { graph: ClusterGraphView, matrix: Relation };

interface RelationProps {
  run: RunState;
  diagnostic: DiagnosticInfo;
}

/** Diagnostics that write what connects layers with layers: a graph, or a matrix. */
export function relationsOf(run: RunState): DiagnosticInfo[] {
  const written = new Set(run.entry.tags.map(({ tag }) => tag));
  const kinds = Object.keys(VIEWS);
  return (run.info?.diagnostics ?? [])
    .filter(({ name, modelKind }) => kinds.includes(modelKind) && written.has(`cnndiag/${name}`))
    .sort((a, b) => kinds.indexOf(a.modelKind) - kinds.indexOf(b.modelKind));
}

function Relation({ run, diagnostic }: RelationProps) {
  const store = useStore();
  const series = store.modelSeries(run.entry, diagnostic.name).value;
  const snapshots = snapshotsOf(series.value?.items ?? [], 'matrix');
  const snapshot = snapshotAt(snapshots, store.step.value);
  const table = run.tables.findLast((one) => one.table === snapshot?.table) ?? run.info;
  const layers = table?.layers.map(({ path }) => path) ?? [];
  return (
    <Figure
      id={diagnostic.name}
      title={diagnostic.title}
      description={diagnostic.description}
      note={snapshotsNote(snapshots, series.value?.total ?? 0, store.step.value)}
      table={snapshot && (() => matrixTable(snapshot.value))}
    >
      {pending(series, diagnostic.title, 420, store)}
      {snapshot && (
        <SimilarityMap
          matrix={snapshot.value}
          tree={undefined}
          axes={layerAxes(snapshot.value, layers)}
          noun="layer"
          title={diagnostic.title}
          dark={store.dark.value}
          corner="layer"
        />
      )}
    </Figure>
  );
}

/** What connects layers with layers, and all numbers of all layers at the chosen step. */
export function Relations({ run }: { run: RunState }) {
  return (
    <div>
      {relationsOf(run).map((diagnostic) => {
        const View = VIEWS[diagnostic.modelKind];
        return View && <View key={diagnostic.name} run={run} diagnostic={diagnostic} />;
      })}
      <LayerTable run={run} />
    </div>
  );
}
