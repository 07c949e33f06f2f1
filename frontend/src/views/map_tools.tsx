import type { Measure } from '../model/layers';
import { filterPattern } from '../model/view';
import { useStore, type RunState } from '../state/store';
import { MeasureSelect } from './measure_select';

/** In the address: every block is unfolded, or none. */
export const ALL = '*';
export const NONE = '-';

interface MapToolsProps {
  run: RunState;
  measure: Measure | undefined;
  /** Number of blocks, and of those that are unfolded. */
  blocks: number;
  open: number;
}

/** Search, measure, and folding of the map. */
export function MapTools({ run, measure, blocks, open }: MapToolsProps) {
  const store = useStore();
  const { filter } = store.view.value;
  return (
    <>
      {blocks > 0 && (
        <>
          <button
            type="button"
            class="quiet"
            disabled={open === blocks}
            onClick={() => store.go({ unfolded: ALL })}
          >
            Unfold all
          </button>
          <button
            type="button"
            class="quiet"
            disabled={open === 0}
            onClick={() => store.go({ unfolded: NONE })}
          >
            Fold all
          </button>
        </>
      )}
      <input
        type="search"
        placeholder="find a layer"
        aria-label="Find on the map by regular expression"
        aria-invalid={filter !== '' && !filterPattern(filter)}
        value={filter}
        onInput={(event) => store.go({ filter: event.currentTarget.value })}
      />
      {measure && <MeasureSelect run={run} measure={measure} label="What colors the map" />}
    </>
  );
}
