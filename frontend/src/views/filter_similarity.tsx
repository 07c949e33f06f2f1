import { lookAt } from '../model/looks';
import { useStore } from '../state';
import { Figure } from '../ui/figure';
import { ColumnLines } from './columns';
import { looksNote, pending, unitNoun, useLooks, type LayerViewProps } from './layer_view';
import { matrixTable } from './matrix';
import { SimilarityMap } from './similarity_map';

export const SIMILARITY_DIAGNOSTICS = ['filter_similarity', 'filter_clusters'];

const sameOrder = (a: readonly number[], b: readonly number[]) =>
  a.length === b.length && a.every((u, i) => u === b[i]);

/** Which filters are alike: the matrix and the tree that orders it, in one picture. */
export function FilterSimilarity({ run, layer, diagnostic }: LayerViewProps) {
  const store = useStore();
  const step = store.step.value;
  const matrixSeries = store.layerSeries(run.entry, 'filter_similarity', layer.path)?.value;
  const treeSeries = store.layerSeries(run.entry, 'filter_clusters', layer.path)?.value;
  const matrices = useLooks(matrixSeries, 'matrix');
  const trees = useLooks(treeSeries, 'dendrogram');
  const matrix = lookAt(matrices, step);
  const tree = trees.find((look) => look.step === matrix?.step);
  const fits = matrix && tree && sameOrder(matrix.value.order, tree.value.order);
  return (
    <Figure
      id="filter_similarity"
      title={diagnostic.title}
      description={diagnostic.description}
      note={looksNote(matrices, matrixSeries?.value?.total ?? 0, step)}
      table={matrix && (() => matrixTable(matrix.value))}
    >
      {matrixSeries && pending(matrixSeries, diagnostic.title, 420, store)}
      {matrix && (
        <SimilarityMap
          key={layer.path}
          matrix={matrix.value}
          tree={fits ? tree.value : undefined}
          noun={unitNoun(layer)}
          title={diagnostic.title}
          dark={store.dark.value}
        />
      )}
      <ColumnLines run={run} layer={layer} diagnostics={SIMILARITY_DIAGNOSTICS} />
    </Figure>
  );
}
