import { useEffect } from 'preact/hooks';
import { formatNumber } from '../model/format';
import { shownAt } from '../model/snapshots';
import { useStore } from '../state/store';
import { Icon } from '../ui/icons';
import { stepBy } from './keyboard';
import './timebar.css';

const FRAME_MS = 350;

/** The step slider that all charts follow. */
export function Timebar() {
  const store = useStore();
  const steps = store.steps.value;
  const step = store.step.value;
  const at = shownAt(steps, step);
  const playing = store.playing.value;
  useEffect(() => {
    if (!playing) return;
    if (at === steps.length - 1) stepBy(store, -Infinity);
    const timer = setInterval(() => {
      if (window.innerHeight === 0) return;
      if (store.step.value >= (store.steps.value.at(-1) ?? 0)) store.playing.value = false;
      else stepBy(store, 1);
    }, FRAME_MS);
    return () => clearInterval(timer);
  }, [playing]);
  const epoch = store.epochAt(step);
  // Snapshots are numbered, so the last number includes those that TensorBoard did not keep.
  const taken = (store.snapshots.value.at(-1)?.snapshot ?? 0) + 1;
  const sampled = store.view.value.screen !== 'compare' && taken > steps.length;
  return (
    <footer class="timebar" aria-label="Step">
      <button
        type="button"
        class="round"
        aria-label={playing ? 'Pause' : 'Play'}
        onClick={() => (store.playing.value = !playing)}
      >
        <Icon name={playing ? 'pause' : 'play'} />
      </button>
      <button
        type="button"
        class="quiet"
        aria-label="Previous snapshot"
        disabled={at === 0}
        onClick={() => stepBy(store, -1)}
      >
        <Icon name="previous" />
      </button>
      <input
        type="range"
        min={0}
        max={steps.length - 1}
        value={at}
        aria-label="Snapshot"
        aria-valuetext={`step ${formatNumber(step)}${epoch === undefined ? '' : `, epoch ${epoch}`}`}
        onInput={(event) => store.go({ step: steps[Number(event.currentTarget.value)] ?? null })}
      />
      <button
        type="button"
        class="quiet"
        aria-label="Next snapshot"
        disabled={at === steps.length - 1}
        onClick={() => stepBy(store, 1)}
      >
        <Icon name="next" />
      </button>
      <span class="position">
        step <b>{formatNumber(steps[at] ?? 0)}</b>
        {epoch !== undefined && (
          <>
            {' '}
            · epoch <b>{epoch}</b>
          </>
        )}
        <span class="wide">
          {' '}
          · snapshot {formatNumber(at + 1)} of {formatNumber(steps.length)}
          {sampled && ` shown (${formatNumber(taken)} taken)`}
        </span>
      </span>
    </footer>
  );
}
