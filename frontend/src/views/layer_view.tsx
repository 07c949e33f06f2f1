import type { DiagnosticInfo, LayerInfo } from '../summaries/cnndiag_pb';
import type { Loadable } from '../data/cache';
import type { Series } from '../data/source';
import { lookAt, looksOf, type Kind, type Look } from '../model/looks';
import type { RunState, Store } from '../state/store';
import { Failure, Skeleton } from '../ui/notice';

/** What a view of one diagnostic on one layer is given. */
export interface LayerViewProps {
  run: RunState;
  layer: LayerInfo;
  diagnostic: DiagnosticInfo;
}

/** What a view of one payload kind is given: its looks, ascending, never empty. */
export interface KindViewProps<K extends Kind = Kind> extends LayerViewProps {
  looks: Look<K>[];
  total: number;
}

export function unitNoun({ role }: LayerInfo): string {
  return role === 'dense' ? 'neuron' : 'filter';
}

/** Of which step a chart is when that is not the chosen one, and how many looks were kept. */
export function looksNote(looks: readonly { step: number }[], total: number, step: number): string {
  const shown = lookAt(looks, step);
  const parts = [];
  if (shown && shown.step !== step) {
    parts.push(
      `of step ${shown.step.toLocaleString('en-US')}, the ${shown.step < step ? 'latest' : 'first'} there is`,
    );
  }
  if (total > looks.length) parts.push(`showing ${looks.length} of ${total} steps`);
  return parts.join(' · ');
}

/** Looks of one kind within a series that may still be on its way. */
export function useLooks<K extends Kind>(loadable: Loadable<Series> | undefined, kind: K): Look<K>[] {
  return looksOf(loadable?.value?.items ?? [], kind);
}

/** Stands in while a series is loading or when it failed; undefined when there is something to show. */
export function pending(loadable: Loadable<Series>, what: string, height: number, store: Store) {
  if (loadable.value) return undefined;
  if (loadable.state === 'failed') {
    return <Failure what={what} error={loadable.error ?? ''} retry={() => void store.reload()} />;
  }
  return <Skeleton height={height} label={`Loading ${what}`} />;
}
