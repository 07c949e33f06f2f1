import { useMemo } from 'preact/hooks';
import { Ridgeline, type Ridge } from '../charts/ridgeline';
import { continuousMass, curveOf } from '../model/density';
import { formatNumber, formatValue } from '../model/format';
import { snapshotAt, type Snapshot } from '../model/snapshots';
import { useStore } from '../state/store';
import type { Density } from '../summaries/cnndiag_pb';
import type { Table } from '../ui/download';
import { useWidth } from '../ui/size';
import type { KindViewProps } from './layer_view';

const MAX_RIDGES = 16;

/** Names and values about a density. */
export function densityFacts(density: Density): [string, string][] {
  const { atoms, below, above, nonFinite, samples, bandwidth } = density;
  const shown: [string, string][] = [
    ...atoms.map(({ value, mass }): [string, string] => [
      `exactly ${formatNumber(value)}`,
      formatValue(mass, 'share'),
    ]),
    ['continuous part', formatValue(continuousMass(density), 'share')],
    ['values observed', formatNumber(Number(samples))],
    ['bandwidth', formatNumber(bandwidth)],
  ];
  if (below > 0) shown.push(['below the grid', formatValue(below, 'share')]);
  if (above > 0) shown.push(['above the grid', formatValue(above, 'share')]);
  if (nonFinite > 0) shown.push(['NaN or infinite', formatValue(nonFinite, 'share')]);
  return shown;
}

/** At most `most` evenly spaced snapshots, the first, the last and the chosen one among them. */
export function chooseSnapshots<L extends { step: number }>(snapshots: L[], step: number, most: number): L[] {
  if (snapshots.length <= most) return snapshots;
  const kept = new Set(
    Array.from({ length: most - 1 }, (_, i) => Math.round((i * (snapshots.length - 1)) / (most - 2))),
  );
  const chosen = snapshotAt(snapshots, step);
  return snapshots.filter((snapshot, i) => kept.has(i) || snapshot === chosen);
}

export function densityTable(snapshots: Snapshot<'density'>[]): Table {
  return {
    columns: ['step', 'value', 'density or probability', 'part'],
    rows: snapshots.flatMap(({ step, value }) => [
      ...value.atoms.map((atom) => [step, atom.value, atom.mass, 'atom'] as (string | number)[]),
      ...curveOf(value).map(({ x, y }) => [step, x, y, 'continuous'] as (string | number)[]),
    ]),
  };
}

/** Densities over steps; atoms, the probabilities of single values, are drawn as stems. */
export function DensityView({ layer, diagnostic, snapshots }: KindViewProps<'density'>) {
  const store = useStore();
  const [ref, width] = useWidth<HTMLDivElement>();
  const at = snapshotAt(snapshots, store.step.value)?.step ?? 0;
  const chosen = useMemo(() => chooseSnapshots(snapshots, at, MAX_RIDGES), [snapshots, at]);
  const ridges = useMemo(
    () =>
      chosen.map(({ step, value }): Ridge => ({
        step,
        curve: curveOf(value),
        atoms: value.atoms.map((atom) => ({ value: atom.value, mass: atom.mass })),
        facts: densityFacts(value),
      })),
    [chosen],
  );
  return (
    <div ref={ref}>
      <p class="note">
        Areas are densities of the values that vary. A stem is the share of values that are exactly one
        number; the height of a row is 100 %.
      </p>
      {width > 0 && (
        <Ridgeline
          ridges={ridges}
          width={Math.min(width, 1100)}
          step={at}
          unit={layer.activation ? `activation after ${layer.activation}` : 'activation'}
          label={`${diagnostic.title} of ${layer.path} over ${ridges.length} steps`}
          onPick={(step) => store.go({ step })}
        />
      )}
    </div>
  );
}
