import type { ComponentType } from 'preact';
import { looksOf, type Kind } from '../model/looks';
import { useStore } from '../state/store';
import { Figure } from '../ui/figure';
import { ColumnLines, useColumns } from './columns';
import { DendrogramView } from './dendrogram';
import { DensityView } from './density';
import { kindTable } from './kind_tables';
import { ImagesView } from './images';
import { looksNote, pending, unitNoun, type KindViewProps, type LayerViewProps } from './layer_view';
import { MatrixView } from './matrix';
import { UnitStatesView } from './unit_states';
import { UnitValuesView } from './unit_values';

/** How each payload kind is drawn when its diagnostic has no view of its own. */
const KIND_VIEWS: { [K in Kind]?: ComponentType<KindViewProps<K>> } = {
  matrix: MatrixView,
  dendrogram: DendrogramView,
  density: DensityView,
  unitStates: UnitStatesView,
  unitValues: UnitValuesView,
  images: ImagesView,
};

/** Any diagnostic on one layer: what it stored for the layer, drawn by kind, then its numbers over steps. */
export function DiagnosticView({ run, layer, diagnostic }: LayerViewProps) {
  const store = useStore();
  const loadable = store.layerSeries(run.entry, diagnostic.name, layer.path)?.value;
  const items = loadable?.value?.items ?? [];
  const kind = items.find(({ payload }) => payload.case !== undefined)?.payload.case;
  const looks = kind ? looksOf(items, kind) : [];
  const View = kind && (KIND_VIEWS[kind] as ComponentType<KindViewProps> | undefined);
  const columns = useColumns(run, layer, [diagnostic.name]);
  if (columns.none && !looks.length && (!loadable || loadable.state === 'ready')) return null;
  return (
    <Figure
      id={diagnostic.name}
      title={diagnostic.title || diagnostic.name}
      description={diagnostic.description}
      note={looksNote(looks, loadable?.value?.total ?? 0, store.step.value)}
      table={() => (kind && kindTable(kind, looks, store.step.value, unitNoun(layer))) ?? columns.table()}
    >
      {loadable && pending(loadable, diagnostic.title, 240, store)}
      {View && (
        <View
          run={run}
          layer={layer}
          diagnostic={diagnostic}
          looks={looks}
          total={loadable?.value?.total ?? 0}
        />
      )}
      {loadable?.value && !View && looks.length > 0 && (
        <p class="nothing">
          This kind of result ({kind}) is newer than this page. Update tb-cnndiag to see it.
        </p>
      )}
      {!columns.none && <ColumnLines run={run} layer={layer} diagnostics={[diagnostic.name]} />}
    </Figure>
  );
}
