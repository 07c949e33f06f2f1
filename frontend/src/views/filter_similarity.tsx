import { useState } from 'preact/hooks';
import { formatNumber, joined, plural } from '../model/format';
import { leftOutNote } from '../model/left_out';
import { unitNoun } from '../model/layers';
import { snapshotAt } from '../model/snapshots';
import { useStore } from '../state/store';
import type { Matrix } from '../summaries/cnndiag_pb';
import { Figure } from '../ui/figure';
import { Toggle } from '../ui/toggle';
import { ColumnLines, useColumns } from './columns';
import { snapshotsNote, pending, useSnapshots, type LayerViewProps } from './layer_view';
import { unitAxes } from './map_axes';
import { matrixTable } from './matrix';
import { SimilarityMap } from './similarity_map';

const WEIGHTS = 'filter_similarity';
const RESPONSES = 'functional_similarity';
export const SIMILARITY_DIAGNOSTICS = [WEIGHTS, 'filter_clusters', RESPONSES];

const sameOrder = (a: readonly number[], b: readonly number[]) =>
  a.length === b.length && a.every((u, i) => u === b[i]);

/** That the map shows a sample of a wide layer. */
function sampleNote(matrix: Matrix | undefined, units: number, noun: string): string {
  if (!matrix || matrix.rows >= units) return '';
  return `sample of ${formatNumber(matrix.rows)} of ${plural(units, noun)}`;
}

/** Which filters are similar, by their weights or by their responses, with the tree that orders them. */
export function FilterSimilarity({ run, layer, diagnostic }: LayerViewProps) {
  const store = useStore();
  const [basis, setBasis] = useState(store.view.value.chart === RESPONSES ? RESPONSES : WEIGHTS);
  const step = store.step.value;
  const series = store.layerSeries(run.entry, basis, layer.path)?.value;
  const responses = store.layerSeries(run.entry, RESPONSES, layer.path);
  const matrices = useSnapshots(series, 'matrix');
  const trees = useSnapshots(
    store.layerSeries(run.entry, 'filter_clusters', layer.path)?.value,
    'dendrogram',
  );
  const matrix = snapshotAt(matrices, step);
  const tree = trees.find((snapshot) => snapshot.step === matrix?.step);
  const fits = matrix && tree && sameOrder(matrix.value.order, tree.value.order);
  const info = run.info?.diagnostics.find(({ name }) => name === basis) ?? diagnostic;
  const noun = unitNoun(layer);
  const { none } = useColumns(run, layer, SIMILARITY_DIAGNOSTICS);
  if (none && !series) return null;
  return (
    <Figure
      id={WEIGHTS}
      title={info.title}
      description={info.description}
      note={joined(
        sampleNote(matrix?.value, layer.units, noun),
        snapshotsNote(matrices, series?.value?.total ?? 0, step),
        leftOutNote(store.leftOut(run.entry, basis)),
      )}
      controls={
        responses && (
          <Toggle
            label="Similar by"
            value={basis}
            options={[
              [WEIGHTS, 'weights'],
              [RESPONSES, 'responses'],
            ]}
            onChange={setBasis}
          />
        )
      }
      table={matrix && (() => matrixTable(matrix.value))}
    >
      {series && pending(series, info.title, 420, store)}
      {matrix && (
        <SimilarityMap
          key={`${layer.path}\n${basis}`}
          matrix={matrix.value}
          tree={fits ? tree.value : undefined}
          axes={unitAxes(noun)}
          noun={noun}
          title={info.title}
          dark={store.dark.value}
          onOpen={(unit) =>
            store.go({ screen: 'unit', run: run.entry.id, layer: layer.path, unit, chart: '' })
          }
        />
      )}
      <ColumnLines
        run={run}
        layer={layer}
        diagnostics={basis === WEIGHTS ? [WEIGHTS, 'filter_clusters'] : [RESPONSES]}
      />
    </Figure>
  );
}
