import { formatNumber } from '../model/format';
import { useWidth } from '../ui/size';
import type { RunState } from '../state/store';
import { useStore } from '../state/store';
import { Failure, Skeleton } from '../ui/notice';
import { Checks, FindingCounts, FindingsList } from '../views/findings';
import { Facts } from './facts';
import { lazy } from '../ui/lazy';
import { Layers } from './layers';

const NetworkMap = lazy(
  'The network map',
  420,
  async () => (await import('../views/network_map')).NetworkMap,
);

/** A run at a glance: its findings, and all layers over time. */
export function Overview({ run }: { run: RunState }) {
  const store = useStore();
  const [ref, width] = useWidth<HTMLDivElement>();
  return (
    <>
      <Facts run={run} />
      {run.info?.switchedOff && (
        <p class="failure" role="alert">
          <strong>
            Diagnostics were switched off at step {formatNumber(Number(run.info.switchedOff.step))}.
          </strong>{' '}
          <span>{run.info.switchedOff.reason} Later steps could not be judged.</span>
        </p>
      )}
      <div class="columns">
        <div ref={ref}>
          {run.error && (
            <Failure what="A part of this run" error={run.error} retry={() => void store.reload()} />
          )}
          {!run.info && run.state === 'loading' && <Skeleton height={320} label="Loading the layers" />}
          {!run.info && run.state === 'ready' && (
            <Failure
              what="The layer table"
              error="It is written with the first snapshot: reload in a moment."
              retry={() => void store.reload()}
            />
          )}
          {run.info && run.layers.length > 0 && <NetworkMap key={run.entry.id} run={run} />}
          {run.info && width > 0 && <Layers run={run} width={width} />}
        </div>
        <aside aria-labelledby="findings-title">
          <h2 id="findings-title">
            Findings <FindingCounts run={run} />
          </h2>
          <FindingsList key={run.entry.id} run={run} />
          <Checks run={run} />
        </aside>
      </div>
    </>
  );
}
