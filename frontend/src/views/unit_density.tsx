import { Ridgeline } from '../charts/ridgeline';
import { curveOf } from '../model/density';
import { formatNumber } from '../model/format';
import { leftOutNote } from '../model/left_out';
import { unitNoun } from '../model/layers';
import { snapshotsOf } from '../model/snapshots';
import { useStore } from '../state/store';
import { Figure } from '../ui/figure';
import { useWidth } from '../ui/size';
import { densityFacts, densityTable } from './density';
import type { UnitOf } from './unit_synthetic';

/** The diagnostic that holds densities of single units. */
const UNIT_DENSITIES = 'unit_densities';

/** How the activations of a unit are distributed over the probe, or why that is not known. */
export function UnitDensity({ run, layer, unit }: UnitOf) {
  const store = useStore();
  const [ref, width] = useWidth<HTMLDivElement>();
  const noun = unitNoun(layer);
  const series = store.layerSeries(run.entry, UNIT_DENSITIES, layer.path)?.value;
  if (series?.state === 'loading' && !series.value) return null;
  const snapshots = snapshotsOf(series?.value?.items ?? [], 'unitDensities');
  const shown = snapshots.findLast(({ value }) => value.units.includes(unit));
  const density = shown?.value.densities[shown.value.units.indexOf(unit)];
  const missed = leftOutNote(store.leftOut(run.entry, UNIT_DENSITIES));
  return (
    <Figure
      id="unit-density"
      title="Density"
      description={
        density &&
        `How the activations of this ${noun} are distributed over the images and positions of the probe. A stem is the share of activations that are exactly one number.`
      }
      note={shown ? `at step ${formatNumber(shown.step)}` : missed}
      table={density && shown && (() => densityTable([{ ...shown, value: density }]))}
    >
      {!density && (
        <p class="nothing">
          {snapshots.length > 0
            ? `The log has densities of up to eight ${noun}s of a layer, those that findings name and medoids of clusters, and this is not one of them. `
            : 'This log has no densities of single units: they are made at the end of a training that has a probe and time for them. '}
          <code>tb-cnndiag visualize</code> makes that of any unit.
        </p>
      )}
      <div ref={ref}>
        {density && shown && width > 0 && (
          <Ridgeline
            ridges={[
              {
                step: shown.step,
                curve: curveOf(density),
                atoms: density.atoms,
                facts: densityFacts(density),
              },
            ]}
            width={Math.min(width, 640)}
            step={shown.step}
            unit={layer.activation ? `activation after ${layer.activation}` : 'activation'}
            label={`Density of ${noun} ${unit}`}
            onPick={(step) => store.go({ step })}
          />
        )}
      </div>
    </Figure>
  );
}
