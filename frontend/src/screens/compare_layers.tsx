import { useMemo } from 'preact/hooks';
import { Cursor, StepAxis } from '../charts/axis';
import { RampLegend } from '../charts/legend';
import { scaleFor, type ColorScale } from '../charts/palette';
import { timeline } from '../charts/timeline';
import { difference } from '../model/compare';
import { formatValue } from '../model/format';
import { layerMatrix, type LayerMatrix, type Measure } from '../model/layers';
import { indexAt } from '../model/looks';
import { useStore, type RunState } from '../state';
import { Figure } from '../ui/figure';
import { Skeleton } from '../ui/notice';
import { Toggle } from '../ui/toggle';
import { gutters } from '../views/layout';
import { curveTable, overlay, TrainingCurve, useCurves } from '../views/training_curve';
import { LayerRows } from './layer_rows';
import { LayerTools } from './layer_tools';
import { matrixTable, measureOf } from './layers';

type Mode = 'beside' | 'difference';

function useMatrix(run: RunState, measure: Measure | undefined): LayerMatrix | undefined {
  const store = useStore();
  const own = run.measures.find(({ id }) => id === measure?.id);
  const series = own && store.columnSeries(run.entry, own).value.value;
  return useMemo(
    () => (own && series ? layerMatrix(series, run.tables, own.column.name) : undefined),
    [series, run.tables, own?.id],
  );
}

function signedScale(values: Float32Array): ColorScale {
  const most =
    values.reduce((top, value) => (Number.isFinite(value) ? Math.max(top, Math.abs(value)) : top), 0) || 1;
  return { low: -most, high: most, logarithmic: false, scheme: 'diverging' };
}

interface CompareLayersProps {
  run: RunState;
  against: RunState;
  width: number;
  mode: Mode;
  onMode(mode: Mode): void;
}

/** One measure of two runs on one step axis and one colour scale, or the one minus the other. */
export function CompareLayers({ run, against, width, mode, onMode }: CompareLayersProps) {
  const store = useStore();
  const dark = store.dark.value;
  const measure = measureOf(run, store.view.value.measure);
  const [own, other] = [useMatrix(run, measure), useMatrix(against, measure)];
  const [ownCurves, otherCurves] = [useCurves(run), useCurves(against)];
  const panels = useMemo(
    () => overlay(ownCurves.panels, otherCurves.panels, [run.entry.run, against.entry.run], dark),
    [ownCurves.panels, otherCurves.panels, run.entry.run, against.entry.run, dark],
  );
  const { left, right } = gutters(width);
  const steps = useMemo(
    () => [...new Set([...(own?.steps ?? []), ...(other?.steps ?? [])])].sort((a, b) => a - b),
    [own, other],
  );
  const axis = useMemo(() => timeline(steps, width, left, right), [steps, width]);
  const logarithmic = measure?.column.logarithmic ?? false;
  const shown = useMemo(() => {
    if (!own || !other) return undefined;
    return mode === 'difference' ? [difference(own, other, logarithmic)] : [own, other];
  }, [own, other, mode, logarithmic]);
  const scale = useMemo(() => {
    if (!shown?.[0] || !measure) return undefined;
    if (mode === 'difference') return signedScale(shown[0].values);
    return scaleFor(
      shown.flatMap(({ values }) => [...values]),
      measure.column,
    );
  }, [shown, mode, measure?.id]);
  if (!measure) return <p class="nothing">This run measured nothing about its layers.</p>;
  const unit = mode === 'difference' && logarithmic ? '' : measure.column.unit;
  const format = (value: number) =>
    mode === 'difference' && logarithmic ? `× ${formatValue(10 ** value, '')}` : formatValue(value, unit);
  const runs = [run, against];
  return (
    <>
      <Figure
        id="compare_layers"
        title={mode === 'difference' ? `${measure.column.title}: difference` : measure.column.title}
        description={
          mode === 'difference'
            ? `${run.entry.run} minus ${against.entry.run}${logarithmic ? ', as a factor' : ''}; layers are matched by path.`
            : measure.column.description
        }
        controls={
          <>
            <Toggle
              label="How to compare"
              value={mode}
              options={[
                ['beside', 'each'],
                ['difference', 'difference'],
              ]}
              onChange={onMode}
            />
            <LayerTools run={run} measure={measure} />
          </>
        }
        table={shown?.[0] && (() => matrixTable(shown[0] as LayerMatrix))}
      >
        {!shown && <Skeleton height={300} label="Loading both runs" />}
        {shown && scale && (
          <div class="plot">
            {shown.map((matrix, i) => {
              const side = runs[i] ?? run;
              const at = Math.max(
                0,
                indexAt(
                  matrix.steps.map((step) => ({ step })),
                  store.step.value,
                ),
              );
              return (
                <div key={side.entry.id}>
                  {mode === 'beside' && <h3 class="path">{side.entry.run}</h3>}
                  <LayerRows
                    run={side}
                    matrix={matrix}
                    axis={axis}
                    scale={scale}
                    label={measure.column.title}
                    values={matrix.layers.map(
                      (_, row) => matrix.values[row * matrix.steps.length + at] ?? NaN,
                    )}
                    format={format}
                    onOpen={(layer, step) => store.go({ layer, ...(step === undefined ? {} : { step }) })}
                  />
                </div>
              );
            })}
            <StepAxis axis={axis} />
            <Cursor axis={axis} step={store.step.value} hover={store.hover.value} />
          </div>
        )}
        {scale && (
          <div class="row legend-row" style={{ paddingLeft: left }}>
            <RampLegend
              scale={scale}
              format={format}
              dark={dark}
              missing={shown?.[0]?.values.some(Number.isNaN)}
            />
          </div>
        )}
      </Figure>
      {panels.length > 0 && (
        <Figure id="compare_curves" title={ownCurves.title} table={() => curveTable(panels)}>
          <div class="plot">
            <TrainingCurve panels={panels} axis={axis} />
            <StepAxis axis={axis} />
            <Cursor axis={axis} step={store.step.value} hover={store.hover.value} />
          </div>
        </Figure>
      )}
    </>
  );
}
