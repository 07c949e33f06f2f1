import { useMemo } from 'preact/hooks';
import { Cursor, StepAxis } from '../charts/axis';
import { KeyLegend } from '../charts/legend';
import { Lines, type Line } from '../charts/lines';
import { category } from '../charts/palette';
import { timeline } from '../charts/timeline';
import { formatValue } from '../model/format';
import { layerMatrix, rowOf, type Measure } from '../model/layers';
import { useStore, type RunState } from '../state/store';
import type { LayerInfo } from '../summaries/cnndiag_pb';
import { FactList } from '../ui/fact_list';
import { Failure, Skeleton } from '../ui/notice';
import { useWidth } from '../ui/size';
import type { Table } from '../ui/download';
import { LAYER_GUTTERS } from './layout';
import './columns.css';

/** Dashes distinguish lines that coincide. */
const DASHES = [undefined, '7 3', '2 3'];

interface Trace {
  measure: Measure;
  steps: number[];
  values: Float32Array;
}

/** Columns with the same unit and scale share a chart. */
function panels(traces: Trace[]): Trace[][] {
  const groups = new Map<string, Trace[]>();
  for (const trace of traces) {
    const { unit, logarithmic, low, high } = trace.measure.column;
    const key = [unit, logarithmic, low, high].join();
    groups.set(key, [...(groups.get(key) ?? []), trace]);
  }
  return [...groups.values()];
}

function useTraces(run: RunState, layer: LayerInfo, diagnostics: readonly string[]) {
  const store = useStore();
  const measures = run.measures.filter(({ diagnostic }) => diagnostics.includes(diagnostic.name));
  const loads = measures.map((measure) => store.columnSeries(run.entry, measure).value);
  const traces = useMemo(
    () =>
      measures.flatMap((measure, i): Trace[] => {
        const series = loads[i]?.value;
        if (!series) return [];
        const matrix = layerMatrix(series, run.tables, measure.column.name);
        const values = rowOf(matrix, layer.path);
        return values?.some(Number.isFinite) ? [{ measure, steps: matrix.steps, values }] : [];
      }),
    [run, layer, ...loads],
  );
  return { traces, loads };
}

/** The numbers of a layer as a table: a row per step, a column per measure. */
export function traceTable(traces: Trace[]): Table {
  const steps = [...new Set(traces.flatMap((trace) => trace.steps))].sort((a, b) => a - b);
  return {
    columns: ['step', ...traces.map(({ measure }) => measure.column.title)],
    units: ['', ...traces.map(({ measure }) => measure.column.unit)],
    rows: steps.map((step) => [step, ...traces.map((t) => t.values[t.steps.indexOf(step)] ?? NaN)]),
  };
}

/** The numbers as a table, and whether it is empty: the diagnostic skips the layer, or is still loading. */
export function useColumns(run: RunState, layer: LayerInfo, diagnostics: readonly string[]) {
  const { traces, loads } = useTraces(run, layer, diagnostics);
  const none = traces.length === 0 && !loads.some(({ state }) => state === 'failed');
  return { none, table: () => traceTable(traces) };
}

/** What diagnostics measured in one layer, as lines over steps. */
export function ColumnLines({
  run,
  layer,
  diagnostics,
}: {
  run: RunState;
  layer: LayerInfo;
  diagnostics: string[];
}) {
  const store = useStore();
  const [ref, width] = useWidth<HTMLDivElement>();
  const { traces, loads } = useTraces(run, layer, diagnostics);
  const { left, right } = LAYER_GUTTERS;
  const axis = useMemo(() => timeline(store.steps.value, width, left, right), [store.steps.value, width]);
  const failed = loads.find(({ state }) => state === 'failed');
  if (!traces.length) {
    if (failed)
      return <Failure what="The numbers" error={failed.error ?? ''} retry={() => void store.reload()} />;
    if (loads.some(({ state }) => state === 'loading'))
      return <Skeleton height={120} label="Loading numbers" />;
    return <p class="nothing">Not measured for this layer.</p>;
  }
  const dark = store.dark.value;
  if (store.steps.value.length === 1) return <FactList facts={traces.map(fact)} />; // a line needs two points
  return (
    <div ref={ref} class="column-lines stack plot">
      {width > 0 &&
        panels(traces).map((panel) => {
          const column = panel[0]?.measure.column;
          const lines = panel.map(({ measure, steps, values }, i): Line => ({
            name: measure.column.title,
            color: category(i, dark),
            dash: DASHES[i % DASHES.length],
            points: steps.map((step, snapshot) => ({ step, value: values[snapshot] ?? NaN })),
          }));
          return (
            <div key={lines.map(({ name }) => name).join()} class="column-panel">
              <Readout lines={lines} step={store.hover.value ?? store.step.value} unit={column?.unit ?? ''} />
              <Lines
                lines={lines}
                axis={axis}
                height={110}
                unit={column?.unit ?? ''}
                logarithmic={column?.logarithmic}
                low={column?.low}
                high={column?.high}
                label={`${layer.path}: ${column?.title}`}
                onHover={(step) => (store.hover.value = step)}
                onPick={(step) => store.go({ step })}
              />
            </div>
          );
        })}
      {width > 0 && (
        <>
          <StepAxis axis={axis} marked={store.leftOut(run.entry, diagnostics[0] ?? '')} />
          <Cursor axis={axis} step={store.step.value} hover={store.hover.value} />
        </>
      )}
    </div>
  );
}

/** The only number of a trace, with its name. */
function fact({ measure: { column }, values }: Trace): [string, string] {
  const value = values[values.length - 1] ?? NaN;
  return [column.title, Number.isFinite(value) ? formatValue(value, column.unit) : ''];
}

/** Names of lines with their values at a step. */
export function Readout({ lines, step, unit }: { lines: Line[]; step: number; unit: string }) {
  const keys = lines.map(({ name, color, dash, points }) => {
    const value = points.findLast((point) => point.step <= step)?.value;
    return {
      name: value === undefined ? name : `${name} ${formatValue(value, unit)}`,
      color,
      dash,
      kind: 'line',
    };
  });
  return <KeyLegend keys={keys} />;
}
