import { useMemo } from 'preact/hooks';
import { rgba } from '../charts/gallery';
import { Patch, WholeImage, wholeOf, type Sheet } from '../charts/patch';
import { formatNumber } from '../model/format';
import { unitNoun } from '../model/layers';
import { snapshotsOf } from '../model/snapshots';
import { boxAt, middlePosition } from '../model/units';
import { useStore, type RunState } from '../state/store';
import type { Atlas, Image, LayerInfo } from '../summaries/cnndiag_pb';
import { Figure } from '../ui/figure';
import { useAwaited } from './kind_series';
import { pictureOf } from './picture';

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

/** The image that was made to excite a unit; nothing if the log has none. */
export function SyntheticImage({ run, layer, unit }: { run: RunState; layer: LayerInfo; unit: number }) {
  const store = useStore();
  const items = (name: string) => store.layerSeries(run.entry, name, layer.path)?.value.value?.items ?? [];
  const snapshot = snapshotsOf(items(SYNTHETIC_IMAGES), 'images').findLast(({ value }) =>
    value.images.some((candidate) => candidate.unit === unit),
  );
  const image = snapshot?.value.images.find((candidate) => candidate.unit === unit);
  const sheet = useAwaited(useMemo(() => image && sheetOfOne(image, layer), [image, layer]));
  if (!image) return null;
  const responses = snapshotsOf(items(SYNTHETIC_RESPONSES), 'unitValues').findLast(({ value }) =>
    value.columns.some(({ name, values }) => name === 'activation' && Number.isFinite(values[unit])),
  );
  const column = (name: string) => responses?.value.columns.find((each) => each.name === name)?.values[unit];
  const [activation, ratio] = [column('activation'), column('ratio')];
  const noun = unitNoun(layer);
  const box = sheet && (boxAt(layer, middlePosition(layer)) ?? wholeOf(sheet.atlas));
  const whole = sheet && box && box.height >= sheet.atlas.height && box.width >= sheet.atlas.width;
  return (
    <Figure
      id="unit-synthetic"
      title="Synthetic image"
      description={`Made to excite this ${noun} as much as possible, from the colors and frequencies of the probe's images. Natural patches are the better evidence: read it after them.`}
      note={`at step ${formatNumber(snapshot?.step ?? 0)}`}
    >
      {sheet && box && (
        <ol class="unit-strong single">
          <li>
            <div class="pair">
              <Patch
                sheet={sheet}
                image={0}
                box={box}
                side={96}
                dark={store.dark.value}
                label={`Synthetic image, the part that the ${noun} sees`}
              />
              {!whole && (
                <WholeImage
                  sheet={sheet}
                  image={0}
                  box={box}
                  side={56}
                  dark={store.dark.value}
                  label="Synthetic image, whole"
                />
              )}
            </div>
            <span class="note">
              {activation !== undefined && <b>{formatNumber(activation)}</b>} · {ratioWords(ratio)}
            </span>
          </li>
        </ol>
      )}
    </Figure>
  );
}
