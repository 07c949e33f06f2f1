import type { Measurement } from '../summaries/cnndiag_pb';

type Payload = Measurement['payload'];
export type Kind = Exclude<Payload['case'], undefined>;
export type PayloadOf<K extends Kind> = Extract<Payload, { case: K }>['value'];

/** One message whose payload is known to be of one kind. */
export interface Look<K extends Kind = Kind> {
  step: number;
  epoch: number;
  table: string;
  value: PayloadOf<K>;
}

/** The messages that carry the given kind; others are passed over. */
export function looksOf<K extends Kind>(items: readonly Measurement[], kind: K): Look<K>[] {
  const looks: Look<K>[] = [];
  for (const { payload, step, epoch, table } of items) {
    if (payload.case === kind)
      looks.push({ step: Number(step), epoch, table, value: payload.value as PayloadOf<K> });
  }
  return looks;
}

/** Index of the last entry at or before `step`; −1 when all are later. Entries ascend. */
export function indexAt(entries: readonly { step: number }[], step: number): number {
  let low = 0;
  let high = entries.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((entries[middle]?.step ?? 0) <= step) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** What is known at `step`: the latest look at or before it, else the first. */
export function lookAt<L extends { step: number }>(looks: readonly L[], step: number): L | undefined {
  return looks[Math.max(0, indexAt(looks, step))];
}
