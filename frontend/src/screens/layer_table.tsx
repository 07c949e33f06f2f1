import { useMemo, useState } from 'preact/hooks';
import { painter, scaleFor } from '../charts/palette';
import { formatNumber, formatValue } from '../model/format';
import { layerMatrix, type Measure } from '../model/layers';
import { shownAt } from '../model/snapshots';
import { useStore, type RunState } from '../state/store';
import { Figure } from '../ui/figure';
import './layer_table.css';

interface Cells {
  measure: Measure;
  values: number[];
}

function useCells(run: RunState): Cells[] {
  const store = useStore();
  const loads = run.measures.map((measure) => store.columnSeries(run.entry, measure).value.value);
  const matrices = useMemo(
    () =>
      run.measures.flatMap((measure, i) => {
        const series = loads[i];
        return series ? [{ measure, matrix: layerMatrix(series, run.tables, measure.column.name) }] : [];
      }),
    [run, ...loads],
  );
  const step = store.step.value;
  return matrices.flatMap(({ measure, matrix }) => {
    const { layers, steps, values } = matrix;
    const at = shownAt(steps, step);
    const row = layers.map((_, i) => values[i * steps.length + at] ?? NaN);
    return row.some(Number.isFinite) ? [{ measure, values: row }] : [];
  });
}

/** All numbers of all layers at one step, sortable by any of them. */
export function LayerTable({ run }: { run: RunState }) {
  const store = useStore();
  const cells = useCells(run);
  const [sort, setSort] = useState('');
  const key = cells.find(({ measure }) => measure.id === sort);
  const order = run.layers.map((_, i) => i);
  if (key) {
    const finite = (i: number) => (Number.isFinite(key.values[i]) ? (key.values[i] ?? 0) : -Infinity);
    order.sort((a, b) => finite(b) - finite(a));
  }
  const dark = store.dark.value;
  return (
    <Figure
      id="all_numbers"
      title="All numbers"
      note={`at step ${formatNumber(store.step.value)}`}
      description="All measures of all layers at the chosen step. Click a heading to sort by it, or a name to open the layer."
      table={() => ({
        columns: ['layer', 'units', ...cells.map(({ measure }) => measure.id)],
        units: ['', '', ...cells.map(({ measure }) => measure.column.unit)],
        rows: run.layers.map(({ path, units }, i) => [
          path,
          units,
          ...cells.map(({ values }) => values[i] ?? NaN),
        ]),
      })}
    >
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- a region that scrolls must be reachable by key */}
      <div class="table numbers" tabIndex={0} role="region" aria-label="All numbers of all layers">
        <table>
          <thead>
            <tr>
              <th scope="col">layer</th>
              <th scope="col">units</th>
              {cells.map(({ measure }) => (
                <th key={measure.id} scope="col" aria-sort={measure.id === sort ? 'descending' : undefined}>
                  <button
                    type="button"
                    class="quiet"
                    title={measure.column.description}
                    onClick={() => setSort(measure.id === sort ? '' : measure.id)}
                  >
                    {measure.column.title}
                    {measure.id === sort ? ' ↓' : ''}
                  </button>
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {order.map((i) => {
              const layer = run.layers[i];
              if (!layer) return null;
              return (
                <tr key={layer.path}>
                  <th scope="row">
                    <button
                      type="button"
                      class="quiet path"
                      onClick={() => store.go({ screen: 'layer', layer: layer.path, chart: '' })}
                    >
                      {layer.path}
                    </button>
                  </th>
                  <td class="number">{layer.units ? formatNumber(layer.units) : ''}</td>
                  {cells.map(({ measure, values }) => (
                    <NumberCell key={measure.id} measure={measure} values={values} row={i} dark={dark} />
                  ))}
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
    </Figure>
  );
}

function NumberCell({
  measure,
  values,
  row,
  dark,
}: {
  measure: Measure;
  values: number[];
  row: number;
  dark: boolean;
}) {
  const value = values[row] ?? NaN;
  if (!Number.isFinite(value)) return <td class="number">–</td>;
  const color = painter(scaleFor(values, measure.column), dark)(value);
  return (
    <td class="number">
      <i style={{ background: color }} />
      {formatValue(value, measure.column.unit)}
    </td>
  );
}
