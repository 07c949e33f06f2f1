import { useMemo } from 'preact/hooks';
import { StepAxis, Cursor } from '../charts/axis';
import { timeline } from '../charts/timeline';
import { UnitMap } from '../charts/unit_map';
import { formatIndices, formatNumber, formatValue } from '../model/format';
import { fieldWords, unitNoun } from '../model/layers';
import { shownAt, snapshotAt } from '../model/snapshots';
import { UNIT_STATES, unpackStates, withRevived } from '../model/states';
import { answersOf, peaksOf, twinsOf } from '../model/units';
import { useStore, type RunState } from '../state/store';
import type { LayerInfo } from '../summaries/cnndiag_pb';
import { FactList } from '../ui/fact_list';
import { Figure } from '../ui/figure';
import { Notice, Skeleton } from '../ui/notice';
import { useWidth } from '../ui/size';
import { useAwaited, useKind, useSheet } from '../views/kind_series';
import { ClassBars } from '../views/unit_classes';
import { Connections } from '../views/unit_connections';
import { UnitDensity } from '../views/unit_density';
import { UnitFilter } from '../views/unit_filter';
import { Growth } from '../views/unit_growth';
import { Relatives } from '../views/unit_relatives';
import { OtherRuns } from '../views/unit_runs';
import { TopPatches } from '../views/unit_patches';
import { SyntheticImage } from '../views/unit_synthetic';
import { FindingsList } from '../views/findings';
import { LAYER_GUTTERS } from '../views/layout';
import { Heading } from './heading';
import { unitBy } from './keyboard';
import './unit.css';

/** State of the unit over all snapshots. */
function StateOverTime({ run, layer, unit }: UnitProps) {
  const store = useStore();
  const [ref, width] = useWidth<HTMLDivElement>();
  const { left, right } = LAYER_GUTTERS;
  const { snapshots } = useKind(run, layer.path, 'unitStates');
  const states = useMemo(() => withRevived(snapshots.map(({ value }) => unpackStates(value))), [snapshots]);
  const steps = useMemo(() => snapshots.map(({ step }) => step), [snapshots]);
  const axis = useMemo(() => timeline(store.steps.value, width, left, right), [store.steps.value, width]);
  const units = useMemo(() => [unit], [unit]);
  if (!snapshots.length) return null;
  const at = shownAt(steps, store.hover.value ?? store.step.value);
  return (
    <Figure id="unit-state" title="State" note={UNIT_STATES[states[at]?.[unit] ?? 0]}>
      <div ref={ref}>
        {width > 0 && (
          <div class="plot">
            <div style={{ marginLeft: axis.left }}>
              <UnitMap
                units={units}
                states={states}
                steps={steps}
                axis={axis}
                rowHeight={18}
                dark={store.dark.value}
                noun={unitNoun(layer)}
                onHover={(step) => (store.hover.value = step)}
                onPick={(step) => store.go({ step })}
              />
            </div>
            <StepAxis axis={axis} />
            <Cursor axis={axis} step={store.step.value} hover={store.hover.value} />
          </div>
        )}
      </div>
    </Figure>
  );
}

interface UnitProps {
  run: RunState;
  layer: LayerInfo;
  unit: number;
}

function UnitPage({ run, layer, unit }: UnitProps) {
  const store = useStore();
  const step = store.step.value;
  const noun = unitNoun(layer);
  const patches = useKind(run, layer.path, 'patches');
  const message = snapshotAt(patches.snapshots, step)?.value;
  const peaks = useAwaited(message && peaksOf(message));
  const responses = snapshotAt(useKind(run, layer.path, 'classResponses').snapshots, step)?.value;
  const answers = useAwaited(responses && answersOf(responses))?.[unit];
  const { sheet, missing } = useSheet(run, layer);
  const findings = run.findings.filter(
    (finding) => finding.layer === layer.path && finding.units.some(({ units }) => units.includes(unit)),
  );
  const twins = twinsOf(findings, unit);
  const own = peaks?.[unit];
  const best = answers?.classes[0];
  return (
    <>
      <Heading
        above={
          <button
            type="button"
            class="quiet"
            onClick={() => store.go({ screen: 'layer', unit: null, chart: '' })}
          >
            <span class="path clamped">{layer.path}</span>
          </button>
        }
        title={`${noun} ${unit}`}
        note={`of ${formatNumber(layer.units)} in ${layer.className}`}
        noun={noun}
        keys={['p', 'n']}
        at={unit}
        count={layer.units}
        go={(by) => unitBy(store, by)}
      />
      <FactList
        facts={[
          ['sees', fieldWords(layer)],
          ['strongest response', own?.[0] ? formatNumber(own[0].value) : own ? 'none on the probe' : ''],
          ['answers to', best ? `class ${best.id}` : ''],
          [
            'explained by the class',
            answers && Number.isFinite(answers.explained) ? formatValue(answers.explained, 'share') : '',
          ],
          ['activation', layer.activation],
          ['near copies', twins.length ? formatIndices(twins) : ''],
        ]}
      />
      <div class="columns unit-columns">
        <div>
          <TopPatches
            run={run}
            layer={layer}
            unit={unit}
            snapshots={patches.snapshots}
            total={patches.total}
            recorded={patches.recorded}
            sheet={sheet}
            missing={missing}
          />
          <SyntheticImage run={run} layer={layer} unit={unit} />
          <Growth layer={layer} unit={unit} snapshots={patches.snapshots} sheet={sheet} />
          <StateOverTime run={run} layer={layer} unit={unit} />
          <UnitDensity run={run} layer={layer} unit={unit} />
          <Connections run={run} layer={layer} unit={unit} />
          <Relatives run={run} layer={layer} unit={unit} twins={twins} peaks={peaks} sheet={sheet} />
          <OtherRuns run={run} layer={layer} unit={unit} own={own} sheet={sheet} />
        </div>
        <aside>
          {answers && <ClassBars answers={answers} classes={responses?.classes ?? 0} />}
          <UnitFilter run={run} layer={layer} unit={unit} />
          {findings.length > 0 && (
            <section aria-labelledby="unit-findings">
              <h2 id="unit-findings">Findings that name this {noun}</h2>
              <FindingsList run={run} layer={layer.path} />
            </section>
          )}
        </aside>
      </div>
    </>
  );
}

/** One unit: what excites it most, which classes it answers to, its relatives, and how it came to be so. */
export function UnitScreen({ run }: { run: RunState }) {
  const store = useStore();
  const { layer: path, unit } = store.view.value;
  const layer = run.layers.find((candidate) => candidate.path === path);
  if (!layer && run.state === 'loading') return <Skeleton height={420} label="Loading the unit" />;
  if (!layer || unit === null || unit >= layer.units) {
    return (
      <Notice title="No such unit in this run">
        <p>
          <span class="path clamped">{path}</span>{' '}
          {layer ? `has ${formatNumber(layer.units)} units.` : 'is not in the layer table.'}
        </p>
        <button type="button" class="primary" onClick={() => store.home()}>
          Back to the overview
        </button>
      </Notice>
    );
  }
  return <UnitPage key={`${run.entry.id}\n${path}`} run={run} layer={layer} unit={unit} />;
}
