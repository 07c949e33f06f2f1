import { useMemo, useState } from 'preact/hooks';
import { Cursor, StepAxis } from '../charts/axis';
import { KeyLegend } from '../charts/legend';
import { timeline } from '../charts/timeline';
import { stateColor, UnitMap } from '../charts/unit_map';
import { plural } from '../model/format';
import { indexAt } from '../model/looks';
import { ALIVE, countSilent, countStates, UNIT_STATES, unpackStates, withRevived } from '../model/states';
import { useStore } from '../state/store';
import type { UnitStates } from '../summaries/cnndiag_pb';
import { useWidth } from '../ui/size';
import { Toggle } from '../ui/toggle';
import { LAYER_GUTTERS } from './layout';
import { unitNoun, type KindViewProps } from './layer_view';
import './unit_states.css';

/** Rows between so many and so few pixels, the whole map about as high as this. */
const [HIGHEST_ROW, LOWEST_ROW, MAP_HEIGHT] = [12, 2, 420];

function history(states: Uint8Array[]): { order: number[]; changed: boolean } {
  const units = states[0]?.length ?? 0;
  const unwell = Array.from({ length: units }, (_, unit) =>
    states.reduce((sum, look) => sum + (look[unit] === ALIVE ? 0 : (look[unit] ?? 0)), 0),
  );
  const order = unwell.map((_, unit) => unit).sort((a, b) => (unwell[b] ?? 0) - (unwell[a] ?? 0) || a - b);
  return { order, changed: unwell.some((sum) => sum > 0) };
}

/** What training itself showed, beside the probe. */
function inTraining(look: UnitStates, noun: string): string {
  if (!look.trainingBatches) return '';
  const batches = plural(Number(look.trainingBatches), 'training batch', 'training batches');
  return `; in the latest ${batches} observed ${plural(countSilent(look), noun)} never fired`;
}

/** Units × steps: alive, nearly dead, dead, revived. */
export function UnitStatesView({ layer, looks }: KindViewProps<'unitStates'>) {
  const store = useStore();
  const [ref, width] = useWidth<HTMLDivElement>();
  const [sorted, setSorted] = useState(true);
  const states = useMemo(() => withRevived(looks.map(({ value }) => unpackStates(value))), [looks]);
  const { order } = useMemo(() => history(states), [states]);
  const units = useMemo(() => (sorted ? order : order.toSorted((a, b) => a - b)), [order, sorted]);
  const { left, right } = LAYER_GUTTERS;
  const axis = useMemo(() => timeline(store.steps.value, width, left, right), [store.steps.value, width]);
  const steps = useMemo(() => looks.map(({ step }) => step), [looks]);
  const dark = store.dark.value;
  const noun = unitNoun(layer);
  const rowHeight = Math.min(
    HIGHEST_ROW,
    Math.max(LOWEST_ROW, Math.floor(MAP_HEIGHT / Math.max(1, units.length))),
  );
  const at = Math.max(0, indexAt(looks, store.hover.value ?? store.step.value));
  const counts = countStates(states[at] ?? new Uint8Array());
  const sample = looks[at]?.value;
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
        <span class="note">
          {plural(Number(sample?.samples ?? 0), 'sample')},{' '}
          {plural(Number(sample?.positions ?? 0), 'position')} looked at{sample && inTraining(sample, noun)}
        </span>
        <Toggle
          label={`Order of ${noun}s`}
          value={sorted ? 'state' : 'index'}
          options={[
            ['state', 'unwell first'],
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
            />
          </div>
          <StepAxis axis={axis} />
          <Cursor axis={axis} step={store.step.value} hover={store.hover.value} />
        </div>
      )}
    </div>
  );
}
