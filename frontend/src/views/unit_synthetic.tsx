import { useMemo } from 'preact/hooks';
import { rgba } from '../charts/gallery';
import { Patch, WholeImage, wholeOf, type Sheet } from '../charts/patch';
import { formatNumber } from '../model/format';
import { leftOutNote } from '../model/left_out';
import { unitNoun } from '../model/layers';
import { snapshotsOf } from '../model/snapshots';
import { boxAt, middlePosition, type Box } from '../model/units';
import { useStore, type RunState } from '../state/store';
import type { Atlas, Image, LayerInfo } from '../summaries/cnndiag_pb';
import { Figure } from '../ui/figure';
import { useAwaited } from './kind_series';
import { pictureOf } from './picture';
import './unit_synthetic.css';

/** The diagnostics that hold images made for units, and how the units respond to them. */
export const SYNTHETIC_IMAGES = 'synthetic_images';
const SYNTHETIC_RESPONSES = 'synthetic_responses';

/** One picture as a sheet with a single image of the size that the model receives. */
async function sheetOfOne(image: Image, layer: LayerInfo): Promise<Sheet> {
  const bitmap = await createImageBitmap(rgba(pictureOf('', image), 'sequential', false));
  const [height, width] = layer.receptiveField?.axes.map(({ extent }) => extent) ?? [];
  const atlas = {
    samples: 1,
    columns: 1,
    tileHeight: image.height,
    tileWidth: image.width,
    height: height ?? image.height,
    width: width ?? image.width,
  } as Atlas;
  return { atlas, bitmap };
}

/** How a synthetic response compares with natural ones, in words. */
export function ratioWords(ratio: number | undefined): string {
  if (ratio === undefined || !Number.isFinite(ratio)) return 'no image of the probe excites it';
  return `${formatNumber(ratio)} × the best natural patch`;
}

/** An image made for a unit: its picture, the part of it that the unit sees, and how the unit responds. */
interface Synthetic {
  sheet: Sheet;
  box: Box;
  step: number;
  activation: number | undefined;
  ratio: number | undefined;
}

/** The image that was made last for a unit; null if the log has none, undefined while it is being loaded. */
function useSynthetic(run: RunState, layer: LayerInfo, unit: number): Synthetic | null | undefined {
  const store = useStore();
  const series = (name: string) => store.layerSeries(run.entry, name, layer.path)?.value;
  const items = (name: string) => series(name)?.value?.items ?? [];
  const snapshot = snapshotsOf(items(SYNTHETIC_IMAGES), 'images').findLast(({ value }) =>
    value.images.some((candidate) => candidate.unit === unit),
  );
  const image = snapshot?.value.images.find((candidate) => candidate.unit === unit);
  const sheet = useAwaited(useMemo(() => image && sheetOfOne(image, layer), [image, layer]));
  if (!snapshot) return series(SYNTHETIC_IMAGES)?.state === 'loading' ? undefined : null;
  if (!sheet) return undefined;
  const responses = snapshotsOf(items(SYNTHETIC_RESPONSES), 'unitValues').findLast(({ value }) =>
    value.columns.some(({ name, values }) => name === 'activation' && Number.isFinite(values[unit])),
  );
  const column = (name: string) => responses?.value.columns.find((each) => each.name === name)?.values[unit];
  return {
    sheet,
    box: boxAt(layer, middlePosition(layer)) ?? wholeOf(sheet.atlas),
    step: snapshot.step,
    activation: column('activation'),
    ratio: column('ratio'),
  };
}

/** The part of a synthetic image that the unit sees. */
function Seen({ of, side, label }: { of: Synthetic; side: number; label: string }) {
  return (
    <Patch sheet={of.sheet} image={0} box={of.box} side={side} dark={useStore().dark.value} label={label} />
  );
}

/** The synthetic images of two units next to each other, where both have one. */
export function SyntheticPair({ own, other }: { own: UnitOf; other: UnitOf }) {
  const [here, there] = [
    useSynthetic(own.run, own.layer, own.unit),
    useSynthetic(other.run, other.layer, other.unit),
  ];
  if (!here || !there) return null;
  const words = ({ run, unit }: UnitOf) =>
    `synthetic image of ${unitNoun(own.layer)} ${unit} of ${run.entry.run}`;
  return (
    <span class="synthetic-pair">
      <span>
        <Seen of={here} side={56} label={words(own)} />
        <span class="note">here</span>
      </span>
      <span>
        <Seen of={there} side={56} label={words(other)} />
        <span class="note">there</span>
      </span>
    </span>
  );
}

/** A unit of a layer of a run. */
export interface UnitOf {
  run: RunState;
  layer: LayerInfo;
  unit: number;
}

/** The image that was made to excite a unit. Nothing if the log has none, or that there was no time for it. */
export function SyntheticImage({ run, layer, unit }: UnitOf) {
  const store = useStore();
  const noun = unitNoun(layer);
  const made = useSynthetic(run, layer, unit);
  const missed = leftOutNote(store.leftOut(run.entry, SYNTHETIC_IMAGES));
  if (made === undefined || (made === null && !missed)) return null;
  const { sheet, box } = made ?? {};
  const whole = sheet && box && box.height >= sheet.atlas.height && box.width >= sheet.atlas.width;
  return (
    <Figure
      id="unit-synthetic"
      title="Synthetic image"
      description={`Made to excite this ${noun} as much as possible, from the colors and frequencies of the probe's images. Natural patches are the better evidence: read it after them.`}
      note={made ? `at step ${formatNumber(made.step)}` : missed}
    >
      {!made && (
        <p class="nothing">
          This log has none for this {noun}. complete() of the callback makes those that the budget leaves
          out, right after the training; tb-cnndiag visualize makes any at any time.
        </p>
      )}
      {made && (
        <ol class="unit-strong single">
          <li>
            <div class="pair">
              <Seen of={made} side={96} label={`Synthetic image, the part that the ${noun} sees`} />
              {!whole && (
                <WholeImage
                  sheet={made.sheet}
                  image={0}
                  box={made.box}
                  side={56}
                  dark={store.dark.value}
                  label="Synthetic image, whole"
                />
              )}
            </div>
            <span class="note">
              {made.activation !== undefined && <b>{formatNumber(made.activation)}</b>} ·{' '}
              {ratioWords(made.ratio)}
            </span>
          </li>
        </ol>
      )}
    </Figure>
  );
}
