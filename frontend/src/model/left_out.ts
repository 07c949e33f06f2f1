import type { Measurement } from '../summaries/cnndiag_pb';
import { formatNumber, plural } from './format';

/** Numbers of the overhead whose names begin so: a diagnostic, and the seconds it would have taken. */
const PREFIX = 'left_out/';

/** A snapshot that a diagnostic is not part of because it would have cost too much. */
export interface LeftOut {
  step: number;
  seconds: number;
}

/** The snapshots that the time budget left a diagnostic out of, from the messages of the overhead. */
export function leftOut(overhead: readonly Measurement[], diagnostic: string): LeftOut[] {
  return overhead.flatMap(({ step, payload }) => {
    if (payload.case !== 'scalars') return [];
    const at = payload.value.names.indexOf(PREFIX + diagnostic);
    return at < 0 ? [] : [{ step: Number(step), seconds: payload.value.values[at] ?? 0 }];
  });
}

/** One sentence on what was left out; empty if nothing was. */
export function leftOutNote(steps: readonly LeftOut[]): string {
  const last = steps.at(-1);
  if (!last) return '';
  const rounded = Number(last.seconds.toPrecision(2));
  const time = rounded < 1 ? `${formatNumber(1000 * rounded)} ms` : `${formatNumber(rounded)} s`;
  const each = last.seconds > 0 ? ` (${time} each)` : '';
  return `left out of ${plural(steps.length, 'snapshot')} by the time budget${each}`;
}
