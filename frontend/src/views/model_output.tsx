import { lookAt } from '../model/looks';
import { useStore } from '../state/store';
import { Figure } from '../ui/figure';
import { ColumnLines, useColumns } from './columns';
import { looksNote, pending, useLooks, type LayerViewProps } from './layer_view';
import { classAxes } from './map_axes';
import { matrixTable } from './matrix';
import { SimilarityMap } from './similarity_map';

/** What the model answers for samples of each class: rows are truths, columns answers. */
export function ModelOutput({ run, layer, diagnostic }: LayerViewProps) {
  const store = useStore();
  const series = store.layerSeries(run.entry, diagnostic.name, layer.path)?.value;
  const looks = useLooks(series, 'matrix');
  const look = lookAt(looks, store.step.value);
  const { none } = useColumns(run, layer, [diagnostic.name]);
  if (none && !series) return null;
  return (
    <Figure
      id={diagnostic.name}
      title={diagnostic.title}
      description={diagnostic.description}
      note={looksNote(looks, series?.value?.total ?? 0, store.step.value)}
      table={look && (() => matrixTable(look.value))}
    >
      {series && pending(series, diagnostic.title, 320, store)}
      {look && (
        <SimilarityMap
          matrix={look.value}
          tree={undefined}
          axes={classAxes(look.value)}
          noun="class"
          title={diagnostic.title}
          dark={store.dark.value}
          corner="true ↓ answer →"
        />
      )}
      <ColumnLines run={run} layer={layer} diagnostics={[diagnostic.name]} />
    </Figure>
  );
}
