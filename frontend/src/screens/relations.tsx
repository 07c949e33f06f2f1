import { lookAt, looksOf } from '../model/looks';
import { useStore, type RunState } from '../state/store';
import type { DiagnosticInfo } from '../summaries/cnndiag_pb';
import { Figure } from '../ui/figure';
import { looksNote, pending } from '../views/layer_view';
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
  const looks = looksOf(series.value?.items ?? [], 'matrix');
  const look = lookAt(looks, store.step.value);
  const table = run.tables.findLast((one) => one.table === look?.table) ?? run.info;
  const layers = table?.layers.map(({ path }) => path) ?? [];
  return (
    <Figure
      id={diagnostic.name}
      title={diagnostic.title}
      description={diagnostic.description}
      note={looksNote(looks, series.value?.total ?? 0, store.step.value)}
      table={look && (() => matrixTable(look.value))}
    >
      {pending(series, diagnostic.title, 420, store)}
      {look && (
        <SimilarityMap
          matrix={look.value}
          tree={undefined}
          axes={layerAxes(look.value, layers)}
          noun="layer"
          title={diagnostic.title}
          dark={store.dark.value}
          corner="layer"
        />
      )}
    </Figure>
  );
}

/** Layers against layers, and every number of every layer at the chosen step. */
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
