import { useMemo } from 'preact/hooks';
import { Cursor, StepAxis } from '../charts/axis';
import { Depth } from '../charts/depth';
import { RampLegend } from '../charts/legend';
import { scaleFor, type ColorScale } from '../charts/palette';
import { timeline } from '../charts/timeline';
import { formatValue } from '../model/format';
import { layerMatrix, type LayerMatrix, type Measure } from '../model/layers';
import { indexAt } from '../model/looks';
import { useStore, type RunState } from '../state/store';
import type { Table } from '../ui/download';
import { Figure } from '../ui/figure';
import { Failure, Skeleton } from '../ui/notice';
import { gutters, LAYER_GUTTERS } from '../views/layout';
import { curveTable, TrainingCurve, useCurves } from '../views/training_curve';
import { LayerRows } from './layer_rows';
import { LayerTools } from './layer_tools';
import './layers.css';

/** The measure asked for, else the one that shows the first finding, else the first. */
export function measureOf(run: RunState, wanted: string): Measure | undefined {
  const known = run.measures.find(({ id }) => id === wanted);
  const telling = run.findings.map(({ diagnostic }) =>
    run.measures.find((m) => m.diagnostic.name === diagnostic),
  );
  return known ?? telling.find((measure) => measure !== undefined) ?? run.measures[0];
}

export function matrixTable(matrix: LayerMatrix): Table {
  const { layers, steps, values } = matrix;
  return {
    columns: ['layer', ...steps.map((step) => `step ${step}`)],
    rows: layers.map((layer, row) => [
      layer,
      ...steps.map((_, look) => values[row * steps.length + look] ?? NaN),
    ]),
  };
}

function scaleOf({ column }: Measure, matrix: LayerMatrix): ColorScale {
  return scaleFor(matrix.values, column);
}

/** Layers × steps, the curve of the training beneath, and the measure through the depth at the chosen step. */
export function Layers({ run, width }: { run: RunState; width: number }) {
  const store = useStore();
  const measure = measureOf(run, store.view.value.measure);
  const loadable = measure && store.columnSeries(run.entry, measure).value;
  const series = loadable?.value;
  const matrix = useMemo(
    () => (measure && series ? layerMatrix(series, run.tables, measure.column.name) : undefined),
    [series, run.tables, measure?.id],
  );
  const [curves] = useCurves([run]);
  const { left, right } = gutters(width);
  const steps = matrix?.steps.length ? matrix.steps : store.steps.value;
  const axis = useMemo(() => timeline(steps, width, left, right), [steps, width]);
  const scale = useMemo(() => measure && matrix && scaleOf(measure, matrix), [matrix, measure?.id]);
  const dark = store.dark.value;
  if (!measure) return <p class="nothing">This run measured nothing about its layers.</p>;
  const format = (value: number) => formatValue(value, measure.column.unit);
  const at = matrix
    ? Math.max(
        0,
        indexAt(
          matrix.steps.map((step) => ({ step })),
          store.step.value,
        ),
      )
    : 0;
  const now = matrix?.layers.map((_, row) => matrix.values[row * matrix.steps.length + at] ?? NaN) ?? [];
  const open = (layer: string, step?: number) =>
    store.go({
      screen: 'layer',
      layer,
      chart: measure.diagnostic.name,
      ...(step === undefined ? {} : { step }),
    });
  return (
    <>
      <Figure
        id="layers"
        title="Layers over steps"
        description={measure.column.description}
        note={
          matrix && matrix.total > matrix.steps.length
            ? `showing ${matrix.steps.length} of ${matrix.total} steps`
            : undefined
        }
        controls={<LayerTools run={run} measure={measure} />}
        table={matrix && (() => matrixTable(matrix))}
      >
        {!matrix && loadable?.state === 'failed' && (
          <Failure
            what={measure.column.title}
            error={loadable.error ?? ''}
            retry={() => void store.reload()}
          />
        )}
        {!matrix && loadable?.state === 'loading' && (
          <Skeleton height={26 * run.layers.length} label="Loading layers" />
        )}
        {matrix && scale && (
          <div class="plot">
            <LayerRows
              run={run}
              matrix={matrix}
              axis={axis}
              scale={scale}
              label={measure.column.title}
              values={now}
              format={format}
              onOpen={open}
            />
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
              missing={matrix?.values.some(Number.isNaN)}
            />
          </div>
        )}
      </Figure>
      {curves && curves.panels.length > 0 && (
        <Figure
          id="training_curve"
          title={curves.title}
          description={curves.description}
          table={() => curveTable(curves.panels)}
        >
          <div class="plot">
            <TrainingCurve panels={curves.panels} axis={axis} />
            <StepAxis axis={axis} />
            <Cursor axis={axis} step={store.step.value} hover={store.hover.value} />
          </div>
        </Figure>
      )}
      <DepthFigure run={run} width={width} onOpen={open} />
    </>
  );
}

/** How gradient runs through the depth of the model at the chosen step. */
function DepthFigure({ run, width, onOpen }: { run: RunState; width: number; onOpen(layer: string): void }) {
  const store = useStore();
  const measure =
    run.measures.find(({ diagnostic }) => diagnostic.name === 'gradient_flow') ?? run.measures[0];
  const series = measure && store.columnSeries(run.entry, measure).value.value;
  const matrix = useMemo(
    () => (measure && series ? layerMatrix(series, run.tables, measure.column.name) : undefined),
    [series, run.tables, measure?.id],
  );
  const scale = useMemo(() => measure && matrix && scaleOf(measure, matrix), [matrix, measure?.id]);
  if (!measure || !matrix || !scale) return null;
  const step = store.hover.value ?? store.step.value;
  const at = Math.max(
    0,
    indexAt(
      matrix.steps.map((s) => ({ step: s })),
      step,
    ),
  );
  const values = matrix.layers.map((_, row) => matrix.values[row * matrix.steps.length + at] ?? NaN);
  return (
    <Figure
      id={measure.diagnostic.name}
      title={`${measure.column.title} by depth`}
      note={`at step ${(matrix.steps[at] ?? 0).toLocaleString('en-US')}`}
      description={measure.diagnostic.description}
      table={() => ({
        columns: ['layer', measure.column.title],
        rows: matrix.layers.map((layer, row) => [layer, values[row] ?? NaN]),
      })}
    >
      {values.some(Number.isFinite) ? (
        <Depth
          layers={matrix.layers}
          values={values}
          scale={scale}
          width={width}
          left={width < 520 ? LAYER_GUTTERS.left : gutters(width).left}
          height={150}
          label={measure.column.title}
          format={(value) => formatValue(value, measure.column.unit)}
          onOpen={onOpen}
        />
      ) : (
        <p class="nothing">Not measured at this step: there is no gradient before training.</p>
      )}
    </Figure>
  );
}
