import { useMemo } from 'preact/hooks';
import { Cursor, StepAxis } from '../charts/axis';
import { RampLegend } from '../charts/legend';
import { scaleFor, type ColorScale } from '../charts/palette';
import { timeline } from '../charts/timeline';
import { difference } from '../model/compare';
import { formatFactor, formatValue } from '../model/format';
import { layerMatrix, measureOf, type LayerMatrix, type Measure } from '../model/layers';
import { shownAt } from '../model/snapshots';
import { useStore, type RunState } from '../state/store';
import type { Table } from '../ui/download';
import { Figure } from '../ui/figure';
import { Skeleton } from '../ui/notice';
import { Toggle } from '../ui/toggle';
import { gutters } from '../views/layout';
import { curveTable, overlay, TrainingCurve, useCurves } from '../views/training_curve';
import type { LayerRowsProps } from './layer_block';
import { LayerRows } from './layer_rows';
import { LayerTools } from './layer_tools';
import './compare_layers.css';

export type Mode = 'each' | 'difference';

/** One measure of every run; undefined for those that do not have it or are still loading. */
function useMatrices(runs: readonly RunState[], measure: Measure | undefined): (LayerMatrix | undefined)[] {
  const store = useStore();
  const sources = runs.map((run) => {
    const own = run.measures.find(({ id }) => id === measure?.id);
    return { run, own, series: own && store.columnSeries(run.entry, own).value.value };
  });
  return useMemo(
    () =>
      sources.map(({ run, own, series }) =>
        own && series ? layerMatrix(series, run.tables, own.column.name) : undefined,
      ),
    [measure?.id, ...sources.flatMap(({ run, series }) => [run, series])],
  );
}

function signedScale(values: Float32Array): ColorScale {
  const most =
    values.reduce((top, value) => (Number.isFinite(value) ? Math.max(top, Math.abs(value)) : top), 0) || 1;
  return { low: -most, high: most, logarithmic: false, scheme: 'diverging' };
}

interface CompareLayersProps {
  /** The base first. */
  runs: RunState[];
  width: number;
  mode: Mode;
  onMode(mode: Mode): void;
}

/** What the strips show: the numbers of each run, or of each other run minus the base. */
function panelsOf(
  runs: readonly RunState[],
  matrices: readonly (LayerMatrix | undefined)[],
  mode: Mode,
  logarithmic: boolean,
): { run: RunState; matrix: LayerMatrix }[] {
  const base = matrices[0];
  return runs.flatMap((run, i) => {
    const matrix = matrices[i];
    if (!matrix || (mode === 'difference' && (i === 0 || !base))) return [];
    return [{ run, matrix: mode === 'difference' && base ? difference(matrix, base, logarithmic) : matrix }];
  });
}

/** One measure of all runs on one step axis and one color scale, or each minus the base. */
export function CompareLayers({ runs, width, mode, onMode }: CompareLayersProps) {
  const store = useStore();
  const dark = store.dark.value;
  const [run] = runs as [RunState];
  const measure = measureOf(run, store.view.value.measure);
  const matrices = useMatrices(runs, measure);
  const curves = useCurves(runs);
  const names = runs.map(({ entry }) => entry.run);
  const overlaid = useMemo(
    () =>
      overlay(
        curves.map(({ panels }, i) => ({ name: names[i] ?? '', panels })),
        dark,
      ),
    [curves, names.join('\n'), dark],
  );
  const { left, right } = gutters(width);
  const steps = store.steps.value;
  const axis = useMemo(() => timeline(steps, width, left, right), [steps, width]);
  const logarithmic = measure?.column.logarithmic ?? false;
  const shown = useMemo(
    () => panelsOf(runs, matrices, mode, logarithmic),
    [runs, matrices, mode, logarithmic],
  );
  const scale = useMemo(() => {
    if (!shown.length || !measure) return undefined;
    const values = shown.flatMap(({ matrix }) => [...matrix.values]);
    return mode === 'difference' ? signedScale(Float32Array.from(values)) : scaleFor(values, measure.column);
  }, [shown, mode, measure?.id]);
  if (!measure) return <p class="nothing">This run has no measurements of its layers.</p>;
  const unit = mode === 'difference' && logarithmic ? '' : measure.column.unit;
  const format = (value: number) =>
    mode === 'difference' && logarithmic ? formatFactor(10 ** value) : formatValue(value, unit);
  return (
    <>
      <Figure
        id="compare_layers"
        title={mode === 'difference' ? `${measure.column.title}: difference` : measure.column.title}
        description={
          mode === 'difference'
            ? `Each run ${logarithmic ? 'divided by' : 'minus'} ${run.entry.run}. Layers are matched by path.`
            : measure.column.description
        }
        controls={
          <>
            <Toggle
              label="How to compare"
              value={mode}
              options={[
                ['each', 'each run'],
                ['difference', 'difference'],
              ]}
              onChange={onMode}
            />
            <LayerTools run={run} measure={measure} />
          </>
        }
        table={shown.length ? () => stackedTables(shown, unit) : undefined}
      >
        {!shown.length && <Skeleton height={300} label="Loading the runs" />}
        {scale && (
          <div class="plot">
            {shown.map(({ run: side, matrix }) => (
              <Strip
                key={side.entry.id}
                run={side}
                matrix={matrix}
                axis={axis}
                scale={scale}
                label={measure.column.title}
                format={format}
                title={
                  mode === 'difference'
                    ? `${side.entry.run} ${logarithmic ? '÷' : '−'} ${run.entry.run}`
                    : side.entry.run
                }
              />
            ))}
            <StepAxis axis={axis} />
            <Cursor axis={axis} step={store.step.value} hover={store.hover.value} />
          </div>
        )}
        {scale && (
          <div class="row layers-legend" style={{ paddingLeft: left }}>
            <RampLegend
              scale={scale}
              format={format}
              dark={dark}
              missing={shown.some(({ matrix }) => matrix.values.some(Number.isNaN))}
            />
          </div>
        )}
      </Figure>
      {overlaid.length > 0 && (
        <Figure id="compare_curves" title={curves[0]?.title ?? ''} table={() => curveTable(overlaid)}>
          <div class="plot">
            <TrainingCurve panels={overlaid} axis={axis} />
            <StepAxis axis={axis} />
            <Cursor axis={axis} step={store.step.value} hover={store.hover.value} />
          </div>
        </Figure>
      )}
    </>
  );
}

type StripProps = Omit<LayerRowsProps, 'values' | 'onOpen'> & { title: string };

function Strip({ title, ...rows }: StripProps) {
  const store = useStore();
  const { matrix } = rows;
  const at = shownAt(matrix.steps, store.step.value);
  return (
    <div class="compared-run">
      <h3 class="path">{title}</h3>
      <LayerRows
        {...rows}
        values={matrix.layers.map((_, row) => matrix.values[row * matrix.steps.length + at] ?? NaN)}
        onOpen={(layer, step) => store.go({ layer, ...(step === undefined ? {} : { step }) })}
      />
    </div>
  );
}

/** One row per run and layer, on the steps of all runs. */
function stackedTables(shown: { run: RunState; matrix: LayerMatrix }[], unit: string): Table {
  const steps = [...new Set(shown.flatMap(({ matrix }) => matrix.steps))].sort((a, b) => a - b);
  return {
    columns: ['run', 'layer', ...steps.map((step) => `step ${step}`)],
    units: ['', '', ...steps.map(() => unit)],
    rows: shown.flatMap(({ run, matrix }) =>
      matrix.layers.map((layer, row) => [
        run.entry.run,
        layer,
        ...steps.map((step) => {
          const snapshot = matrix.steps.indexOf(step);
          return snapshot < 0 ? NaN : (matrix.values[row * matrix.steps.length + snapshot] ?? NaN);
        }),
      ]),
    ),
  };
}
