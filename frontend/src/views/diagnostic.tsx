import type { ComponentType } from 'preact';
import { joined } from '../model/format';
import { leftOutNote } from '../model/left_out';
import { unitNoun } from '../model/layers';
import { snapshotsOf, type Kind } from '../model/snapshots';
import { useStore } from '../state/store';
import { Figure } from '../ui/figure';
import { lazy } from '../ui/lazy';
import { ColumnLines, useColumns } from './columns';
import { DendrogramView } from './dendrogram';
import { DensityView } from './density';
import { kindTable } from './kind_tables';
import { ImagesView } from './images';
import { snapshotsNote, pending, type KindViewProps, type LayerViewProps } from './layer_view';
import { MatrixView } from './matrix';
import { UnitStatesView } from './unit_states';
import { UnitValuesView } from './unit_values';

/** How each payload kind is drawn if its diagnostic has no view of its own. */
const KIND_VIEWS: { [K in Kind]?: ComponentType<KindViewProps<K>> } = {
  matrix: MatrixView,
  dendrogram: DendrogramView,
  density: DensityView,
  unitStates: UnitStatesView,
  unitValues: UnitValuesView,
  images: ImagesView,
  patches: lazy('The patches', 360, async () => (await import('./patches')).PatchesView),
  classResponses: lazy(
    'The classes',
    360,
    async () => (await import('./class_responses')).ClassResponsesView,
  ),
  atlas: lazy('The images', 240, async () => (await import('./atlas')).AtlasView),
};

/** Any diagnostic of one layer: its payload, drawn by kind, then its numbers over steps. */
export function DiagnosticView({ run, layer, diagnostic }: LayerViewProps) {
  const store = useStore();
  const loadable = store.layerSeries(run.entry, diagnostic.name, layer.path)?.value;
  const items = loadable?.value?.items ?? [];
  const kind = items.find(({ payload }) => payload.case !== undefined)?.payload.case;
  const snapshots = kind ? snapshotsOf(items, kind) : [];
  const View = kind && (KIND_VIEWS[kind] as ComponentType<KindViewProps> | undefined);
  const columns = useColumns(run, layer, [diagnostic.name]);
  if (columns.none && !snapshots.length && (!loadable || loadable.state === 'ready')) return null;
  return (
    <Figure
      id={diagnostic.name}
      title={diagnostic.title || diagnostic.name}
      description={diagnostic.description}
      note={joined(
        snapshotsNote(snapshots, loadable?.value?.total ?? 0, store.step.value),
        leftOutNote(store.leftOut(run.entry, diagnostic.name)),
      )}
      table={() => (kind && kindTable(kind, snapshots, store.step.value, unitNoun(layer))) ?? columns.table()}
    >
      {loadable && pending(loadable, diagnostic.title, 240, store)}
      {View && (
        <View
          run={run}
          layer={layer}
          diagnostic={diagnostic}
          snapshots={snapshots}
          total={loadable?.value?.total ?? 0}
        />
      )}
      {loadable?.value && !View && snapshots.length > 0 && (
        <p class="nothing">
          This page does not know results of the kind {kind}. Update tb-cnndiag to see them.
        </p>
      )}
      {!columns.none && <ColumnLines run={run} layer={layer} diagnostics={[diagnostic.name]} />}
    </Figure>
  );
}
