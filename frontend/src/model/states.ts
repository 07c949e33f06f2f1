import type { UnitStates } from '../summaries/cnndiag_pb';

export const UNIT_STATES = ['not observed', 'alive', 'nearly dead', 'dead', 'revived'] as const;
export const [NOT_OBSERVED, ALIVE, NEARLY_DEAD, DEAD, REVIVED] = [0, 1, 2, 3, 4] as const;

/** One state per unit, 2 bits each. */
export function unpackStates({ units, states }: UnitStates): Uint8Array {
  return Uint8Array.from({ length: units }, (_, unit) => ((states[unit >> 2] ?? 0) >> (2 * (unit & 3))) & 3);
}

/** Number of units that fired in none of the observed training batches. */
export function countSilent({ silentInTraining }: UnitStates): number {
  let count = 0;
  for (const byte of silentInTraining) for (let bits = byte; bits; bits >>= 1) count += bits & 1;
  return count;
}

/** States over snapshots; a unit that is alive after it was dead is marked as revived. */
export function withRevived(snapshots: readonly Uint8Array[]): Uint8Array[] {
  const died = new Set<number>();
  return snapshots.map((states) =>
    states.map((state, unit) => {
      if (state === DEAD) died.add(unit);
      return state === ALIVE && died.has(unit) ? REVIVED : state;
    }),
  );
}

export function countStates(states: Uint8Array): number[] {
  const counts = UNIT_STATES.map(() => 0);
  for (const state of states) counts[state] = (counts[state] ?? 0) + 1;
  return counts;
}
