import type { Measurement } from '../summaries/cnndiag_pb';

type Payload = Measurement['payload'];
export type Kind = Exclude<Payload['case'], undefined>;
export type PayloadOf<K extends Kind> = Extract<Payload, { case: K }>['value'];

/** A message whose payload is of one kind. */
export interface Snapshot<K extends Kind = Kind> {
  step: number;
  epoch: number;
  table: string;
  value: PayloadOf<K>;
}

/** The messages whose payload is of the given kind. */
export function snapshotsOf<K extends Kind>(items: readonly Measurement[], kind: K): Snapshot<K>[] {
  const snapshots: Snapshot<K>[] = [];
  for (const { payload, step, epoch, table } of items) {
    if (payload.case === kind)
      snapshots.push({ step: Number(step), epoch, table, value: payload.value as PayloadOf<K> });
  }
  return snapshots;
}

/** Index of the last of the ascending `steps` that is at or before `step`; −1 if all are later. */
export function indexAt(steps: readonly number[], step: number): number {
  let low = 0;
  let high = steps.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((steps[middle] ?? 0) <= step) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** Index of the step whose snapshot is shown at `step`: the last one at or before it, else the first. */
export function shownAt(steps: readonly number[], step: number): number {
  return Math.max(0, indexAt(steps, step));
}

/** The snapshot that is shown at `step`: the last one at or before it, else the first. */
export function snapshotAt<S extends { step: number }>(snapshots: readonly S[], step: number): S | undefined {
  return snapshots.findLast((snapshot) => snapshot.step <= step) ?? snapshots[0];
}
