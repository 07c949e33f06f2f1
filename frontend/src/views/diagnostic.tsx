import type { ComponentType } from 'preact';
import type { Kind, Look } from '../model/looks';
import { looksOf } from '../model/looks';
import { useStore } from '../state';
import { Figure } from '../ui/figure';
import { ColumnLines, useColumns } from './columns';
import { DendrogramView } from './dendrogram';
import { DensityView, densityTable } from './density';
import { ImagesView } from './images';
import { looksNote, pending, unitNoun, type KindViewProps, type LayerViewProps } from './layer_view';
import { MatrixView, matrixTable } from './matrix';
import { stateTable, UnitStatesView } from './unit_states';
import { UnitValuesView } from './unit_values';
import { unpackStates, withRevived } from '../model/states';
import type { Table } from '../ui/download';

/** How each payload kind is drawn when its diagnostic has no view of its own. */
const KIND_VIEWS: { [K in Kind]?: ComponentType<KindViewProps<K>> } = {
  matrix: MatrixView,
  dendrogram: DendrogramView,
  density: DensityView,
  unitStates: UnitStatesView,
  unitValues: UnitValuesView,
  images: ImagesView,
};

function kindTable(kind: Kind, looks: Look[], noun: string): (() => Table) | undefined {
  if (kind === 'matrix') return () => matrixTable((looks as Look<'matrix'>[]).at(-1)?.value as never);
  if (kind === 'density') return () => densityTable(looks as Look<'density'>[]);
  if (kind === 'unitStates') {
    const states = looks as Look<'unitStates'>[];
    return () =>
      stateTable(
        states.map(({ step }) => step),
        withRevived(states.map(({ value }) => unpackStates(value))),
        noun,
      );
  }
  return undefined;
}

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
      table={(kind && kindTable(kind, looks, unitNoun(layer))) ?? columns.table}
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
