import { useMemo } from 'preact/hooks';
import { SignedPicture } from '../charts/signed_picture';
import { Patch, WholeImage, wholeOf, type Sheet } from '../charts/patch';
import { formatNumber, joined } from '../model/format';
import { unitNoun } from '../model/layers';
import { snapshotAt, type Snapshot } from '../model/snapshots';
import { boxAt, channelsShown, lastFired, peaksOf } from '../model/units';
import { useStore, type RunState } from '../state/store';
import type { LayerInfo } from '../summaries/cnndiag_pb';
import { Figure } from '../ui/figure';
import { useAwaited } from './kind_series';
import { snapshotsNote } from './layer_view';
import { useGradientBoxes, useProjections } from './projections';
import './unit_patches.css';

interface TopPatchesProps {
  run: RunState;
  layer: LayerInfo;
  unit: number;
  snapshots: Snapshot<'patches'>[];
  total: number;
  recorded: boolean;
  sheet: Sheet | undefined;
  missing: string;
}

/** The patches that excite a unit most, each next to the image that it is from. */
export function TopPatches({
  run,
  layer,
  unit,
  snapshots,
  total,
  recorded,
  sheet,
  missing,
}: TopPatchesProps) {
  const store = useStore();
  const step = store.step.value;
  const shown = snapshotAt(snapshots, step);
  const message = shown?.value;
  const units = useAwaited(message && peaksOf(message));
  const now = units?.[unit];
  const absent = units && !now;
  // A unit that is silent now is shown as it was when it last fired.
  const earlier = snapshots.filter((snapshot) => snapshot.step < step).toReversed();
  const before = useMemo(
    () => (now?.length === 0 ? lastFired(earlier, unit) : undefined),
    [now?.length, unit, step, snapshots.length],
  );
  const fired = useAwaited(before);
  const own = now?.length === 0 && fired ? fired.peaks : now;
  const noun = unitNoun(layer);
  const projected = useProjections(run, layer, unit, snapshots, shown?.step);
  const boxes = useGradientBoxes(run, layer, unit, snapshots, shown?.step);
  const estimated = own?.some(({ image }) => boxes.has(image)) ?? false;
  const info = run.info?.diagnostics.find(({ layerKind }) => layerKind === 'patches');
  const labels = sheet?.atlas.labels;
  return (
    <Figure
      id="unit-patches"
      title={info?.title ?? 'Top patches'}
      description={`${
        estimated
          ? `The images of the probe that excite this ${noun} most. It sees all of an image: cut out and framed is the smallest box that holds 95 % of the magnitude of its gradient by the pixels. It is an estimate: a gradient shows what small changes do.`
          : `The parts of the probe's images that excite this ${noun} most, cut out where it sees them; the frame in the whole image is what it sees.`
      }${
        projected.size
          ? ' Below it, what in the patch excites the ' +
            noun +
            ': its response passed back by a deconvnet (left), and the plain gradient (right); red raises it, blue lowers it.'
          : ''
      }`}
      note={joined(
        message ? `of ${formatNumber(message.samples)} images` : '',
        sheet ? channelsShown(sheet.atlas) : '',
        snapshotsNote(snapshots, total, step),
      )}
      table={
        own &&
        (() => ({
          columns: ['rank', 'image', 'class', 'position', 'response'],
          rows: own.map(({ image, position, value }, rank) => [
            String(rank + 1),
            String(image),
            labels?.length ? String(labels[image]) : '',
            position,
            value,
          ]),
        }))
      }
    >
      {!recorded && <p class="nothing">This log holds no top patches.</p>}
      {recorded && !snapshots.length && (
        <p class="nothing">
          No snapshot has measured the top patches of this layer: they are measured rarely, and need a probe.
        </p>
      )}
      {absent && (
        <p class="nothing">
          To keep this page small, the patches of this {noun} are left out: those that findings name and the
          medoids of clusters come first. <code>tb-cnndiag report --max-size</code> makes room for more.
        </p>
      )}
      {message && !absent && missing && (
        <p class="nothing">{missing} The table lists images and positions.</p>
      )}
      {now?.length === 0 && (
        <p class="nothing">
          This {noun} is silent on every image of the probe at this step.{' '}
          {fired
            ? `These are its patches at step ${formatNumber(fired.step)}, the last snapshot at which it fired.`
            : total > snapshots.length
              ? 'It fired at no earlier snapshot that this page holds.'
              : 'It fired at no earlier snapshot.'}
        </p>
      )}
      {sheet && own && own.length > 0 && (
        <ol class="unit-strong">
          {own.map((peak, rank) => {
            const estimate = boxes.get(peak.image);
            const box = estimate ?? boxAt(layer, peak.position) ?? wholeOf(sheet.atlas);
            const whole = box.height >= sheet.atlas.height && box.width >= sheet.atlas.width;
            const name = `${rank + 1}. image ${peak.image}`;
            return (
              <li key={rank}>
                <div class="pair">
                  <Patch
                    sheet={sheet}
                    image={peak.image}
                    box={box}
                    side={96}
                    dark={store.dark.value}
                    label={`${name}, the part that ${estimate ? 'holds 95 % of the gradient' : `the ${noun} sees`}`}
                  />
                  {!whole && (
                    <WholeImage
                      sheet={sheet}
                      image={peak.image}
                      box={box}
                      side={56}
                      dark={store.dark.value}
                      label={`${name}, whole`}
                    />
                  )}
                </div>
                {projected.has(peak.image) && (
                  <div class="pair">
                    {projected.get(peak.image)?.map(([kind, picture]) => (
                      <SignedPicture
                        key={kind}
                        picture={picture}
                        side={76}
                        dark={store.dark.value}
                        label={`${name}, ${kind}`}
                      />
                    ))}
                  </div>
                )}
                <span class="note">
                  <b>{formatNumber(peak.value)}</b> · image {peak.image}
                  {labels?.length ? ` · class ${labels[peak.image]}` : ''}
                </span>
              </li>
            );
          })}
        </ol>
      )}
    </Figure>
  );
}
