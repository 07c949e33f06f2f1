import type { Measure } from '../model/layers';
import { filterPattern } from '../model/view';
import { useStore, type RunState } from '../state/store';
import { Toggle } from '../ui/toggle';
import { MeasureSelect } from '../views/measure_select';

/** Minimum number of layers for which a filter is offered. */
const MIN_FILTERED = 12;

/** Controls for what the strips show and in which order. */
export function LayerTools({ run, measure }: { run: RunState; measure: Measure }) {
  const store = useStore();
  const { sort, filter } = store.view.value;
  const broken = filter !== '' && !filterPattern(filter);
  return (
    <>
      {(run.layers.length >= MIN_FILTERED || filter) && (
        <input
          id="filter"
          type="search"
          placeholder="filter, e.g. block[12]/"
          aria-label="Filter layers by regular expression"
          aria-invalid={broken}
          title={broken ? 'Not a regular expression: all layers are shown.' : undefined}
          value={filter}
          onInput={(event) => store.go({ filter: event.currentTarget.value })}
        />
      )}
      <Toggle
        label="Order of layers"
        value={sort}
        options={[
          ['depth', 'by depth'],
          ['worst', 'worst first'],
        ]}
        onChange={(value) => store.go({ sort: value })}
      />
      <MeasureSelect run={run} measure={measure} label="Measure" id="measure" />
    </>
  );
}
