import type { DiagnosticInfo, LayerInfo } from '../summaries/cnndiag_pb';
import type { Loadable } from '../data/cache';
import type { Series } from '../data/source';
import { formatNumber } from '../model/format';
import { snapshotAt, snapshotsOf, type Kind, type Snapshot } from '../model/snapshots';
import type { RunState, Store } from '../state/store';
import { Failure, Skeleton } from '../ui/notice';

/** What a view of one diagnostic of one layer receives. */
export interface LayerViewProps {
  run: RunState;
  layer: LayerInfo;
  diagnostic: DiagnosticInfo;
}

/** What a view of one payload kind receives: its snapshots, ascending, never empty. */
export interface KindViewProps<K extends Kind = Kind> extends LayerViewProps {
  snapshots: Snapshot<K>[];
  total: number;
}

/** The step that a chart shows if it is not the chosen one, and how many snapshots it has. */
export function snapshotsNote(snapshots: readonly { step: number }[], total: number, step: number): string {
  const shown = snapshotAt(snapshots, step);
  const parts = [];
  if (shown && shown.step !== step) {
    parts.push(`step ${formatNumber(shown.step)}, the ${shown.step < step ? 'latest' : 'first'} available`);
  }
  if (total > snapshots.length)
    parts.push(`showing ${formatNumber(snapshots.length)} of ${formatNumber(total)} steps`);
  return parts.join(' · ');
}

/** Snapshots of one kind in a series that may still be loading. */
export function useSnapshots<K extends Kind>(loadable: Loadable<Series> | undefined, kind: K): Snapshot<K>[] {
  return snapshotsOf(loadable?.value?.items ?? [], kind);
}

/** What is shown while a series is loading or if it failed; undefined if there is data to show. */
export function pending(loadable: Loadable<Series>, what: string, height: number, store: Store) {
  if (loadable.value) return undefined;
  if (loadable.state === 'failed') {
    return <Failure what={what} error={loadable.error ?? ''} retry={() => void store.reload()} />;
  }
  return <Skeleton height={height} label={`Loading ${what}`} />;
}
