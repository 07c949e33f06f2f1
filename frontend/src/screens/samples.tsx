import { useMemo, useState } from 'preact/hooks';
import { SignedPicture } from '../charts/signed_picture';
import { SAMPLE_MAPS } from '../model/view';
import { confusionOf, predictionsOf, samplesIn, type Cell, type Predictions } from '../model/confusion';
import { formatNumber, plural } from '../model/format';
import { leftOutNote } from '../model/left_out';
import { snapshotAt, snapshotsOf } from '../model/snapshots';
import { useStore, type RunState } from '../state/store';
import type { ExplainedSample } from '../summaries/cnndiag_pb';
import { Figure } from '../ui/figure';
import { Notice, Skeleton } from '../ui/notice';
import { useAwaited } from '../views/kind_series';
import { pending } from '../views/layer_view';
import { pictureOf } from '../views/picture';
import './samples.css';

/** Width of a picture, in pixels. */
const SIDE = 128;

const REASONS: Record<string, string> = {
  wrong: 'confidently wrong',
  unsure: 'among the least sure',
  typical: 'typical of its class',
};
const METHODS: Record<string, string> = {
  gradient_times_input: 'Gradient × input',
  integrated_gradients: 'Integrated gradients',
  grad_cam: 'Grad-CAM',
  occlusion: 'Occlusion',
};

interface ConfusionProps {
  known: Predictions;
  chosen: readonly ExplainedSample[];
  cell: Cell | undefined;
  pick(cell: Cell | undefined): void;
}

function Confusion({ known, chosen, cell, pick }: ConfusionProps) {
  const { classes, counts } = confusionOf(known);
  const explained = (label: number, prediction: number) =>
    samplesIn(chosen, known, { label, prediction }).length;
  return (
    // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- a region that scrolls must be reachable by key
    <div class="confusion" tabIndex={0} role="region" aria-label="Confusion matrix">
      <table>
        <thead>
          <tr>
            <th scope="col">label</th>
            {classes.map((prediction) => (
              <th key={prediction} scope="col">
                {prediction}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {classes.map((label) => (
            <tr key={label}>
              <th scope="row">{label}</th>
              {classes.map((prediction) => {
                const count = counts.get(`${label} ${prediction}`) ?? 0;
                const open = cell?.label === label && cell.prediction === prediction;
                return (
                  <td key={prediction} class={count && label !== prediction ? 'wrong' : undefined}>
                    {count > 0 && explained(label, prediction) > 0 ? (
                      <button
                        type="button"
                        class="quiet"
                        aria-pressed={open}
                        aria-label={`${plural(count, 'image')} with label ${label}, predicted ${prediction}`}
                        onClick={() => pick(open ? undefined : { label, prediction })}
                      >
                        {count}
                      </button>
                    ) : (
                      count || <span class="note">·</span>
                    )}
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Explained({ known, one, dark }: { known: Predictions; one: ExplainedSample; dark: boolean }) {
  const { predictions, labels, confidences } = known;
  const { sample } = one;
  const label = labels[sample];
  const prediction = predictions[sample] ?? 0;
  return (
    <li>
      <h3>
        Image {sample}: predicted {prediction} ({formatNumber(Math.round(100 * (confidences[sample] ?? 0)))}{' '}
        %)
        {label !== undefined && `, label ${label}`}
        <span class="note"> · {REASONS[one.reason] ?? one.reason}</span>
      </h3>
      <ul class="sample-maps">
        <li>
          <b>Image</b>
          {one.picture && (
            <SignedPicture
              picture={pictureOf('', one.picture)}
              side={SIDE}
              dark={dark}
              label={`Image ${sample}`}
            />
          )}
        </li>
        {one.maps.map(({ method, map, note }) => (
          <li key={method}>
            <b>{METHODS[method] ?? method}</b>
            {map && (
              <SignedPicture
                picture={pictureOf('', map)}
                side={SIDE}
                dark={dark}
                label={`${METHODS[method] ?? method} of image ${sample}`}
              />
            )}
            <span class="note">{note}</span>
          </li>
        ))}
      </ul>
    </li>
  );
}

/** Why the model predicts what it does: images of the probe, with maps of what raises the predicted class. */
export function Samples({ run }: { run: RunState }) {
  const store = useStore();
  const [cell, setCell] = useState<Cell>();
  const series = store.modelSeries(run.entry, SAMPLE_MAPS).value;
  const snapshot = snapshotAt(snapshotsOf(series.value?.items ?? [], 'sampleMaps'), store.step.value);
  const maps = snapshot?.value;
  const missed = leftOutNote(store.leftOut(run.entry, SAMPLE_MAPS));
  const known = useAwaited(useMemo(() => maps && predictionsOf(maps), [maps]));
  if (!snapshot || !maps) {
    return (
      pending(series, 'Why this class', 420, store) ?? (
        <Notice title="No maps of images in this log">
          {missed && <p>They were {missed}.</p>}
          <p>
            complete() of the callback adds them right after the training; tb-cnndiag visualize at any time.
          </p>
        </Notice>
      )
    );
  }
  if (!known) return <Skeleton height={420} label="Loading Why this class" />;
  const shown = cell ? samplesIn(maps.chosen, known, cell) : maps.chosen;
  return (
    <Figure
      id={SAMPLE_MAPS}
      title="Why this class"
      description="What in an image raises the score of the predicted class (red), and what lowers it (blue). Rely on a map only if its note says that it depends on the trained layers. The number in brackets is its rank correlation with the map of the model whose upper layers are random: near 0 is good."
      note={`${shown.length} of ${plural(maps.samples, 'image')}, at step ${formatNumber(snapshot.step)}`}
    >
      {known.labels.length > 0 && (
        <p class="note confusion-note">Rows: label. Columns: prediction. A number opens its images.</p>
      )}
      {known.labels.length > 0 && <Confusion known={known} chosen={maps.chosen} cell={cell} pick={setCell} />}
      <ol class="samples">
        {shown.map((one) => (
          <Explained key={one.sample} known={known} one={one} dark={store.dark.value} />
        ))}
      </ol>
    </Figure>
  );
}
