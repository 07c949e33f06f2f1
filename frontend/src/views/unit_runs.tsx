import type { Sheet } from '../charts/patch';
import { formatNumber } from '../model/format';
import { unitNoun } from '../model/layers';
import { snapshotAt } from '../model/snapshots';
import { bestMatch, peaksOf, sameImages, similarity, type Peak } from '../model/units';
import { useStore, type RunState } from '../state/store';
import { Figure } from '../ui/figure';
import { useAwaited, useKind, useSheet } from './kind_series';
import { UnitMosaic } from './unit_mosaic';
import { SyntheticPair, type UnitOf } from './unit_synthetic';
import './unit_relatives.css';

/** Most runs shown. */
const MOST = 4;

interface OtherRunProps {
  run: RunState;
  here: UnitOf;
  own: readonly Peak[];
  sheet: Sheet;
}

/** The unit of another run that responds to the same images most, and the one with the same number. */
function OtherRun({ run, here, own, sheet }: OtherRunProps) {
  const store = useStore();
  const { layer, unit } = here;
  const { snapshots } = useKind(run, layer.path, 'patches');
  const message = snapshotAt(snapshots, store.step.value)?.value;
  const peaks = useAwaited(message && peaksOf(message));
  const there = run.layers.find(({ path }) => path === layer.path);
  const { sheet: theirs } = useSheet(run, there ?? layer);
  const noun = unitNoun(layer);
  const comparable = theirs && sameImages(theirs.atlas, sheet.atlas);
  const best = peaks && bestMatch(own, peaks);
  const shown = !peaks || !comparable ? [] : [...new Set([best?.unit, peaks[unit] && unit])];
  return (
    <>
      <h3 class="path">{run.entry.run}</h3>
      {!there && <p class="nothing">This run has no such layer.</p>}
      {there && theirs && !comparable && <p class="nothing">This run has another probe.</p>}
      {comparable && peaks && !best && <p class="nothing">No {noun} responds to the same images.</p>}
      <ul class="unit-relatives">
        {shown.map(
          (other) =>
            other !== undefined && (
              <li key={other}>
                <button type="button" onClick={() => store.go({ run: run.entry.id, unit: other })}>
                  <UnitMosaic
                    layer={there ?? layer}
                    sheet={sheet}
                    peaks={peaks?.[other]}
                    columns={3}
                    rows={1}
                    side={38}
                    label={`patches of ${noun} ${other} of ${run.entry.run}`}
                  />
                  <SyntheticPair own={here} other={{ run, layer: there ?? layer, unit: other }} />
                  <span>
                    {noun} {other}
                    {other === best?.unit ? ', best match' : ', same number'}
                    <br />
                    cosine {formatNumber(similarity(own, peaks?.[other] ?? []))}
                  </span>
                </button>
              </li>
            ),
        )}
      </ul>
    </>
  );
}

interface OtherRunsProps extends UnitOf {
  own: readonly Peak[] | undefined;
  sheet: Sheet | undefined;
}

/** What responds to the same images in the other runs: features are found in another order by each training. */
export function OtherRuns({ own, sheet, ...here }: OtherRunsProps) {
  const runs = useStore().others.value.slice(0, MOST);
  if (!runs.length || !own?.length || !sheet) return null;
  return (
    <Figure
      id="unit-runs"
      title="In other runs"
      description="The unit of the same layer that responds most alike: cosine of the nine largest responses, image by image. Each training finds its features in another order, so the same number means little. Where both logs have them, the synthetic images of the two units stand next to each other."
    >
      {runs.map((run) => (
        <OtherRun key={run.entry.id} run={run} here={here} own={own} sheet={sheet} />
      ))}
    </Figure>
  );
}
