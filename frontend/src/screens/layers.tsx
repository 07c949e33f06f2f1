import { useMemo } from 'preact/hooks';
import { Cursor, StepAxis } from '../charts/axis';
import { Depth } from '../charts/depth';
import { RampLegend } from '../charts/legend';
import { scaleFor, type ColorScale } from '../charts/palette';
import { timeline } from '../charts/timeline';
import { formatNumber, formatValue, joined } from '../model/format';
import { leftOutNote } from '../model/left_out';
import { layerMatrix, measureOf, type LayerMatrix, type Measure } from '../model/layers';
import { shownAt } from '../model/snapshots';
import { useStore, type RunState } from '../state/store';
import type { Table } from '../ui/download';
import { Figure } from '../ui/figure';
import { Failure, Skeleton } from '../ui/notice';
import { gutters, LAYER_GUTTERS } from '../views/layout';
import { curveTable, TrainingCurve, useCurves } from '../views/training_curve';
import { LayerRows } from './layer_rows';
import { LayerTools } from './layer_tools';
import './layers.css';

function matrixTable(matrix: LayerMatrix, unit: string): Table {
  const { layers, steps, values } = matrix;
  return {
    columns: ['layer', ...steps.map((step) => `step ${step}`)],
    units: ['', ...steps.map(() => unit)],
    rows: layers.map((layer, row) => [
      layer,
      ...steps.map((_, snapshot) => values[row * steps.length + snapshot] ?? NaN),
    ]),
  };
}

function scaleOf({ column }: Measure, matrix: LayerMatrix): ColorScale {
  return scaleFor(matrix.values, column);
}

/** Layers × steps, the training curves below, and a measure over the depth of the model. */
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
  if (!measure) return <p class="nothing">This run has no measurements of its layers.</p>;
  const missed = store.leftOut(run.entry, measure.diagnostic.name);
  const format = (value: number) => formatValue(value, measure.column.unit);
  const at = shownAt(matrix?.steps ?? [], store.step.value);
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
        note={joined(
          matrix && matrix.total > matrix.steps.length
            ? `showing ${formatNumber(matrix.steps.length)} of ${formatNumber(matrix.total)} steps`
            : '',
          leftOutNote(missed),
        )}
        controls={<LayerTools run={run} measure={measure} />}
        table={matrix && (() => matrixTable(matrix, measure.column.unit))}
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
            <StepAxis axis={axis} marked={missed} />
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
              leftOut={missed.length > 0}
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

/** The gradient over the depth of the model at the chosen step. */
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
  const at = shownAt(matrix.steps, step);
  const values = matrix.layers.map((_, row) => matrix.values[row * matrix.steps.length + at] ?? NaN);
  return (
    <Figure
      id={measure.diagnostic.name}
      title={`${measure.column.title} by depth`}
      note={`at step ${formatNumber(matrix.steps[at] ?? 0)}`}
      description={measure.diagnostic.description}
      table={() => ({
        columns: ['layer', measure.column.title],
        units: ['', measure.column.unit],
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
          unit={measure.column.unit}
          onOpen={onOpen}
        />
      ) : (
        <p class="nothing">Not measured at this step. There is no gradient before training.</p>
      )}
    </Figure>
  );
}
