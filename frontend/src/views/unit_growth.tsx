import { useMemo } from 'preact/hooks';
import type { Sheet } from '../charts/patch';
import { formatNumber, formatValue } from '../model/format';
import { snapshotAt, type Snapshot } from '../model/snapshots';
import { keptShare, peaksOf, settledAt } from '../model/units';
import { useStore } from '../state/store';
import type { LayerInfo } from '../summaries/cnndiag_pb';
import { Figure } from '../ui/figure';
import { useAwaited } from './kind_series';
import { UnitMosaic } from './unit_mosaic';
import './unit_growth.css';

/** Most snapshots shown; between them, evenly spaced ones are left out. */
const MOST = 16;

interface GrowthProps {
  layer: LayerInfo;
  unit: number;
  snapshots: Snapshot<'patches'>[];
  sheet: Sheet | undefined;
}

/** The unit's patches at each snapshot: how it came to look for what it looks for (Zeiler & Fergus 2014, figure 4). */
export function Growth({ layer, unit, snapshots, sheet }: GrowthProps) {
  const store = useStore();
  const all = useMemo(
    () => Promise.all(snapshots.map(({ value }) => peaksOf(value))),
    [snapshots.map(({ step }) => step).join()],
  );
  const peaks = useAwaited(all);
  if (snapshots.length < 2 || !peaks || !sheet) return null;
  const own = peaks.map((units) => units[unit] ?? []);
  const settled = settledAt(own);
  const stride = Math.ceil(snapshots.length / MOST);
  const rows = snapshots
    .map((snapshot, at) => ({ snapshot, at }))
    .filter(({ at }) => (snapshots.length - 1 - at) % stride === 0);
  const current = snapshotAt(snapshots, store.step.value);
  const since = settled === undefined ? undefined : snapshots[settled]?.step;
  return (
    <Figure
      id="unit-growth"
      title="Over the training"
      description="The same patches at each snapshot that has them, the strongest first. A unit has settled once it keeps at least two thirds of its images from one snapshot to the next."
      note={since === undefined ? 'not settled yet' : `settled since step ${formatNumber(since)}`}
    >
      <div class="unit-growth">
        {rows.map(({ snapshot, at }) => {
          const now = own[at] ?? [];
          const kept = at > 0 && now.length ? keptShare(own[at - 1] ?? [], now) : NaN;
          return (
            <button
              type="button"
              key={snapshot.step}
              aria-current={snapshot === current ? 'step' : undefined}
              onClick={() => store.go({ step: snapshot.step })}
            >
              <span>step {formatNumber(snapshot.step)}</span>
              <UnitMosaic
                layer={layer}
                sheet={sheet}
                peaks={now}
                columns={9}
                rows={1}
                side={42}
                label={`patches at step ${snapshot.step}`}
              />
              <span class="note">
                {now.length === 0 ? 'silent' : Number.isNaN(kept) ? '' : `kept ${formatValue(kept, 'share')}`}
              </span>
            </button>
          );
        })}
      </div>
    </Figure>
  );
}
