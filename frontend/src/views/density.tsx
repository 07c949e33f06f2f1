import { useMemo } from 'preact/hooks';
import { Ridgeline, type Ridge } from '../charts/ridgeline';
import { continuousMass, curveOf } from '../model/density';
import { formatNumber, formatValue } from '../model/format';
import { lookAt, type Look } from '../model/looks';
import { useStore } from '../state/store';
import type { Density } from '../summaries/cnndiag_pb';
import type { Table } from '../ui/download';
import { useWidth } from '../ui/size';
import type { KindViewProps } from './layer_view';

const MOST_RIDGES = 16;

function facts(density: Density): [string, string][] {
  const { atoms, below, above, nonFinite, samples, bandwidth } = density;
  const told: [string, string][] = [
    ...atoms.map(({ value, mass }): [string, string] => [
      `exactly ${formatNumber(value)}`,
      formatValue(mass, 'share'),
    ]),
    ['continuous part', formatValue(continuousMass(density), 'share')],
    ['values seen', formatNumber(Number(samples))],
    ['bandwidth', formatNumber(bandwidth)],
  ];
  if (below > 0) told.push(['below the grid', formatValue(below, 'share')]);
  if (above > 0) told.push(['above the grid', formatValue(above, 'share')]);
  if (nonFinite > 0) told.push(['NaN or infinite', formatValue(nonFinite, 'share')]);
  return told;
}

/** Evenly many looks, first, last and the chosen one among them. */
export function chooseLooks<L extends { step: number }>(looks: L[], step: number, most: number): L[] {
  if (looks.length <= most) return looks;
  const kept = new Set(
    Array.from({ length: most - 1 }, (_, i) => Math.round((i * (looks.length - 1)) / (most - 2))),
  );
  const chosen = lookAt(looks, step);
  return looks.filter((look, i) => kept.has(i) || look === chosen);
}

export function densityTable(looks: Look<'density'>[]): Table {
  return {
    columns: ['step', 'value', 'density or probability', 'part'],
    rows: looks.flatMap(({ step, value }) => [
      ...value.atoms.map((atom) => [step, atom.value, atom.mass, 'atom'] as (string | number)[]),
      ...curveOf(value).map(({ x, y }) => [step, x, y, 'continuous'] as (string | number)[]),
    ]),
  };
}

/** Densities over steps, atoms drawn as what they are: probabilities of single values. */
export function DensityView({ layer, diagnostic, looks }: KindViewProps<'density'>) {
  const store = useStore();
  const [ref, width] = useWidth<HTMLDivElement>();
  const at = lookAt(looks, store.step.value)?.step ?? 0;
  const chosen = useMemo(() => chooseLooks(looks, at, MOST_RIDGES), [looks, at]);
  const ridges = useMemo(
    () =>
      chosen.map(({ step, value }): Ridge => ({
        step,
        curve: curveOf(value),
        atoms: value.atoms.map((atom) => ({ value: atom.value, mass: atom.mass })),
        facts: facts(value),
      })),
    [chosen],
  );
  return (
    <div ref={ref}>
      <p class="note">
        Areas are densities of the values that vary; a stem is the share of values that are exactly that
        number (a row's height is 100 %).
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
