import { snapshotAt, snapshotsOf } from '../model/snapshots';
import { useStore, type RunState } from '../state/store';
import type { DiagnosticInfo } from '../summaries/cnndiag_pb';
import { Figure } from '../ui/figure';
import { snapshotsNote, pending } from '../views/layer_view';
import { layerAxes } from '../views/map_axes';
import { matrixTable } from '../views/matrix';
import { SimilarityMap } from '../views/similarity_map';
import { LayerTable } from './layer_table';

/** Diagnostics that write a matrix of layers by layers. */
export function relationsOf(run: RunState): DiagnosticInfo[] {
  const written = new Set(run.entry.tags.map(({ tag }) => tag));
  return (run.info?.diagnostics ?? []).filter(
    ({ name, modelKind }) => modelKind === 'matrix' && written.has(`cnndiag/${name}`),
  );
}

function Relation({ run, diagnostic }: { run: RunState; diagnostic: DiagnosticInfo }) {
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

/** Layers compared with layers, and all numbers of all layers at the chosen step. */
export function Relations({ run }: { run: RunState }) {
  return (
    <div>
      {relationsOf(run).map((diagnostic) => (
        <Relation key={diagnostic.name} run={run} diagnostic={diagnostic} />
      ))}
      <LayerTable run={run} />
    </div>
  );
}
