import { useMemo, useState } from 'preact/hooks';
import { Cursor, StepAxis } from '../charts/axis';
import { KeyLegend } from '../charts/legend';
import { timeline } from '../charts/timeline';
import { stateColor, UnitMap } from '../charts/unit_map';
import { plural } from '../model/format';
import { unitNoun } from '../model/layers';
import { shownAt } from '../model/snapshots';
import { ALIVE, countSilent, countStates, UNIT_STATES, unpackStates, withRevived } from '../model/states';
import { useStore } from '../state/store';
import type { UnitStates } from '../summaries/cnndiag_pb';
import { useWidth } from '../ui/size';
import { Toggle } from '../ui/toggle';
import { LAYER_GUTTERS } from './layout';
import type { KindViewProps } from './layer_view';
import './unit_states.css';

/** Maximum and minimum height of a row and approximate height of the map, in pixels. */
const [MAX_ROW, MIN_ROW, MAP_HEIGHT] = [12, 2, 420];

/** Units in the order of how long they were dead or nearly dead, the longest first. */
function worstFirst(states: readonly Uint8Array[]): number[] {
  const units = states[0]?.length ?? 0;
  const badness = Array.from({ length: units }, (_, unit) =>
    states.reduce((sum, snapshot) => sum + (snapshot[unit] === ALIVE ? 0 : (snapshot[unit] ?? 0)), 0),
  );
  return badness.map((_, unit) => unit).sort((a, b) => (badness[b] ?? 0) - (badness[a] ?? 0) || a - b);
}

/** What training batches showed, in addition to the probe. */
function inTraining(snapshot: UnitStates, noun: string): string {
  if (!snapshot.trainingBatches) return '';
  const batches = plural(Number(snapshot.trainingBatches), 'training batch', 'training batches');
  return `; ${plural(countSilent(snapshot), noun)} never fired in the latest ${batches} observed`;
}

/** Units × steps: alive, nearly dead, dead, revived. */
export function UnitStatesView({ run, layer, snapshots }: KindViewProps<'unitStates'>) {
  const store = useStore();
  const [ref, width] = useWidth<HTMLDivElement>();
  const [sorted, setSorted] = useState(true);
  const states = useMemo(() => withRevived(snapshots.map(({ value }) => unpackStates(value))), [snapshots]);
  const order = useMemo(() => worstFirst(states), [states]);
  const units = useMemo(() => (sorted ? order : order.toSorted((a, b) => a - b)), [order, sorted]);
  const { left, right } = LAYER_GUTTERS;
  const axis = useMemo(() => timeline(store.steps.value, width, left, right), [store.steps.value, width]);
  const steps = useMemo(() => snapshots.map(({ step }) => step), [snapshots]);
  const dark = store.dark.value;
  const noun = unitNoun(layer);
  const rowHeight = Math.min(MAX_ROW, Math.max(MIN_ROW, Math.floor(MAP_HEIGHT / Math.max(1, units.length))));
  const at = shownAt(steps, store.hover.value ?? store.step.value);
  const counts = countStates(states[at] ?? new Uint8Array());
  const sample = snapshots[at]?.value;
  return (
    <div ref={ref}>
      <div class="row">
        <KeyLegend
          keys={UNIT_STATES.flatMap((name, state) =>
            counts[state] || (state > 0 && state < 4)
              ? [{ name: `${name} ${counts[state] ?? 0}`, color: stateColor(state, dark) }]
              : [],
          )}
        />
        {Number(sample?.samples ?? 0) > 0 && (
          <span class="note">
            {plural(Number(sample?.samples ?? 0), 'sample')},{' '}
            {plural(Number(sample?.positions ?? 0), 'position')} observed{sample && inTraining(sample, noun)}
          </span>
        )}
        <Toggle
          label={`Order of ${noun}s`}
          value={sorted ? 'state' : 'index'}
          options={[
            ['state', 'dead first'],
            ['index', 'by index'],
          ]}
          onChange={(value) => setSorted(value === 'state')}
        />
      </div>
      {width > 0 && (
        <div class="plot">
          <div class="unit-states-count" style={{ width: left - 8 }}>
            {plural(units.length, noun)}
          </div>
          <div class="unit-states-map" style={{ marginLeft: left, maxHeight: MAP_HEIGHT + 60 }}>
            <UnitMap
              units={units}
              states={states}
              steps={steps}
              axis={axis}
              rowHeight={rowHeight}
              dark={dark}
              noun={noun}
              onHover={(step) => (store.hover.value = step)}
              onPick={(step) => store.go({ step })}
              onOpen={(unit) =>
                store.go({ screen: 'unit', run: run.entry.id, layer: layer.path, unit, chart: '' })
              }
            />
          </div>
          <StepAxis axis={axis} />
          <Cursor axis={axis} step={store.step.value} hover={store.hover.value} />
        </div>
      )}
    </div>
  );
}
