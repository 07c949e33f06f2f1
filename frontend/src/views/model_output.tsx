import { snapshotAt } from '../model/snapshots';
import { useStore } from '../state/store';
import { Figure } from '../ui/figure';
import { ColumnLines, useColumns } from './columns';
import { snapshotsNote, pending, useSnapshots, type LayerViewProps } from './layer_view';
import { classAxes } from './map_axes';
import { matrixTable } from './matrix';
import { SimilarityMap } from './similarity_map';

/** What the model predicts for samples of each class: rows are true classes, columns predicted ones. */
export function ModelOutput({ run, layer, diagnostic }: LayerViewProps) {
  const store = useStore();
  const series = store.layerSeries(run.entry, diagnostic.name, layer.path)?.value;
  const snapshots = useSnapshots(series, 'matrix');
  const snapshot = snapshotAt(snapshots, store.step.value);
  const { none } = useColumns(run, layer, [diagnostic.name]);
  if (none && !series) return null;
  return (
    <Figure
      id={diagnostic.name}
      title={diagnostic.title}
      description={diagnostic.description}
      note={snapshotsNote(snapshots, series?.value?.total ?? 0, store.step.value)}
      table={snapshot && (() => matrixTable(snapshot.value))}
    >
      {series && pending(series, diagnostic.title, 320, store)}
      {snapshot && (
        <SimilarityMap
          matrix={snapshot.value}
          tree={undefined}
          axes={classAxes(snapshot.value)}
          noun="class"
          title={diagnostic.title}
          dark={store.dark.value}
          corner="true ↓ predicted →"
        />
      )}
      <ColumnLines run={run} layer={layer} diagnostics={[diagnostic.name]} />
    </Figure>
  );
}
