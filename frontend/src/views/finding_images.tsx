import { useMemo } from 'preact/hooks';
import { Gallery, schemeOf } from '../charts/gallery';
import { Patch, wholeOf, type Sheet } from '../charts/patch';
import { formatNumber } from '../model/format';
import { unitNoun } from '../model/layers';
import { gridOf } from '../model/matrix';
import { snapshotAt, snapshotsOf } from '../model/snapshots';
import { lastFired, peaksOf, predictedClass, type Peak } from '../model/units';
import { useStore, type RunState } from '../state/store';
import type { Finding, LayerInfo } from '../summaries/cnndiag_pb';
import { useAwaited, useKind, useSheet } from './kind_series';
import { pictureOf } from './picture';
import { UnitMosaic } from './unit_mosaic';
import './finding_images.css';

/** Images shown of those that get the same answer; units shown, and groups of units that belong together. */
const [IMAGES, UNITS, GROUPS] = [9, 4, 3];

interface ImagesProps {
  run: RunState;
  layer: LayerInfo;
  finding: Finding;
}

/** Images of the probe that all get the same answer: the strongest of the predicted class if it is known. */
function SameAnswer({ run, layer, finding }: ImagesProps) {
  const store = useStore();
  const step = Number(finding.lastStep);
  const { sheet } = useSheet(run, layer);
  const message = snapshotAt(useKind(run, layer.path, 'patches').snapshots, step)?.value;
  const peaks = useAwaited(message && peaksOf(message));
  const output = store.layerSeries(run.entry, 'model_output', layer.path)?.value.value?.items ?? [];
  const matrix = snapshotAt(snapshotsOf(output, 'matrix'), step)?.value;
  const unpacked = useMemo(() => (matrix && matrix.pool <= 1 ? gridOf(matrix) : undefined), [matrix]);
  const grid = useAwaited(unpacked);
  if (!sheet) return null;
  const answer = grid && layer.units > 1 ? predictedClass(grid) : undefined;
  const strongest = peaks?.[layer.units > 1 ? (answer ?? -1) : 0] ?? [];
  const shown: readonly { image: number; value?: number }[] = strongest.length
    ? strongest.slice(0, IMAGES)
    : Array.from({ length: Math.min(IMAGES, sheet.atlas.samples) }, (_, image) => ({ image }));
  const { labels } = sheet.atlas;
  return (
    <div class="finding-images">
      <p class="note">
        {answer !== undefined
          ? `Images that the model takes for class ${answer}, with their true class`
          : 'Images that get nearly the same output'}
        {strongest.length > 0 ? ', the largest outputs first:' : ':'}
      </p>
      <ul>
        {shown.map(({ image, value }) => (
          <li key={image}>
            <Patch
              sheet={sheet}
              image={image}
              box={wholeOf(sheet.atlas)}
              side={56}
              dark={store.dark.value}
              label={`image ${image}`}
            />
            <span class="note">
              {labels.length ? `class ${labels[image]}` : `image ${image}`}
              {value !== undefined && (
                <>
                  <br />
                  {formatNumber(value)}
                </>
              )}
            </span>
          </li>
        ))}
      </ul>
    </div>
  );
}

/** What a generator makes of different noise: one channel of each picture that the log has. */
function Generated({ run, layer, finding }: ImagesProps) {
  const store = useStore();
  const step = Number(finding.lastStep);
  const maps = snapshotAt(useKindOfMaps(run, layer.path), step)?.value.images ?? [];
  const own = maps.filter(({ sample, unit }) => sample !== undefined && unit === maps[0]?.unit);
  const scheme = useMemo(() => schemeOf(own), [own.length, step]);
  if (own.length < 2) return null;
  return (
    <div class="finding-images">
      <p class="note">Generated from different noise, channel {own[0]?.unit}:</p>
      <Gallery
        pictures={own.map((image) => pictureOf(`image ${image.sample}`, image))}
        scheme={scheme}
        dark={store.dark.value}
      />
    </div>
  );
}

function useKindOfMaps(run: RunState, layer: string) {
  const series = useStore().layerSeries(run.entry, 'feature_maps', layer)?.value;
  return snapshotsOf(series?.value?.items ?? [], 'images');
}

interface UnitRowProps {
  layer: LayerInfo;
  unit: number;
  peaks: readonly Peak[];
  sheet: Sheet;
  note?: string;
}

function UnitRow({ layer, unit, peaks, sheet, note = '' }: UnitRowProps) {
  const noun = unitNoun(layer);
  return (
    <li>
      <UnitMosaic
        layer={layer}
        sheet={sheet}
        peaks={peaks}
        columns={3}
        rows={3}
        side={24}
        label={`patches of ${noun} ${unit}`}
      />
      <span class="note">
        {noun} {unit}
        {note}
      </span>
    </li>
  );
}

/** The patches of dead units at the last snapshot at which they fired. */
function BeforeDeath({ run, layer, finding }: ImagesProps) {
  const { snapshots } = useKind(run, layer.path, 'patches');
  const { sheet } = useSheet(run, layer);
  const units = finding.units.flatMap(({ units: own }) => own);
  const found = useMemo(
    () =>
      Promise.all(
        units
          .slice(0, 8 * UNITS)
          .map(async (unit) => ({ unit, fired: await lastFired(snapshots.toReversed(), unit) })),
      ),
    [units.join(), snapshots.map(({ step }) => step).join()],
  );
  const lived = (useAwaited(found) ?? []).filter(({ fired }) => fired).slice(0, UNITS);
  if (!sheet || !lived.length) return null;
  return (
    <div class="finding-images">
      <p class="note">What excited them at the last snapshot at which they fired:</p>
      <ul>
        {lived.map(({ unit, fired }) => (
          <UnitRow
            key={unit}
            layer={layer}
            unit={unit}
            peaks={fired?.peaks ?? []}
            sheet={sheet}
            note={`, step ${formatNumber(fired?.step ?? 0)}`}
          />
        ))}
      </ul>
    </div>
  );
}

/** Units of a group next to each other: near copies respond to the same patches. */
function Twins({ run, layer, finding }: ImagesProps) {
  const { snapshots } = useKind(run, layer.path, 'patches');
  const message = snapshotAt(snapshots, Number(finding.lastStep))?.value;
  const peaks = useAwaited(message && peaksOf(message));
  const { sheet } = useSheet(run, layer);
  if (!sheet || !peaks) return null;
  return (
    <div class="finding-images">
      <p class="note">What excites them:</p>
      {finding.units.slice(0, GROUPS).map(({ units }, group) => (
        <ul key={group}>
          {units.slice(0, UNITS).map((unit) => (
            <UnitRow key={unit} layer={layer} unit={unit} peaks={peaks[unit] ?? []} sheet={sheet} />
          ))}
        </ul>
      ))}
    </div>
  );
}

/** The images of the probe that a finding is about. */
export function FindingImages(props: ImagesProps) {
  const { finding, layer } = props;
  if (finding.fault === 'dead_units') return <BeforeDeath {...props} />;
  if (finding.fault === 'redundant_filters') return <Twins {...props} />;
  if (finding.fault === 'mode_collapse' && !layer.receptiveField) return <Generated {...props} />;
  return <SameAnswer {...props} />;
}
