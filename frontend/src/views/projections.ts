import { useMemo } from 'preact/hooks';
import type { Picture } from '../charts/gallery';
import { snapshotAt, snapshotsOf } from '../model/snapshots';
import { boxesOf, type Box } from '../model/units';
import { useStore, type RunState } from '../state/store';
import type { LayerInfo } from '../summaries/cnndiag_pb';
import { useAwaited } from './kind_series';
import { pictureOf } from './picture';

/** What of an image excites a unit, by deconvnet and by gradient, in words for people. */
export const PROJECTIONS = [
  ['projections', 'deconvnet'],
  ['patch_gradients', 'gradient'],
] as const;

/**
 * The projections of a unit by image: for each kind that the log has, its name and picture. They belong to the patches
 * that were the latest when they were made: there are none for patches of another step.
 */
export function useProjections(
  run: RunState,
  layer: LayerInfo,
  unit: number,
  patches: readonly { step: number }[],
  shown: number | undefined,
): Map<number, [string, Picture][]> {
  const store = useStore();
  const kinds = PROJECTIONS.map(([diagnostic, name]) => {
    const items = store.layerSeries(run.entry, diagnostic, layer.path)?.value.value?.items ?? [];
    const latest = snapshotsOf(items, 'images').findLast(
      ({ step, value }) =>
        snapshotAt(patches, step)?.step === shown && value.images.some((image) => image.unit === unit),
    );
    return [name, latest?.value] as const;
  });
  return useMemo(() => {
    const found = new Map<number, [string, Picture][]>();
    for (const [name, images] of kinds) {
      for (const image of images?.images ?? []) {
        if (image.unit !== unit || image.sample === undefined) continue;
        found.set(image.sample, [...(found.get(image.sample) ?? []), [name, pictureOf(name, image)]]);
      }
    }
    return found;
  }, [unit, ...kinds.map(([, images]) => images)]);
}

const NO_BOXES: ReadonlyMap<number, Box> = new Map();

/**
 * Of a unit that sees whole images, the box in each image that holds 95 % of its gradient. As projections, they belong
 * to the patches that were the latest when they were made.
 */
export function useGradientBoxes(
  run: RunState,
  layer: LayerInfo,
  unit: number,
  patches: readonly { step: number }[],
  shown: number | undefined,
): ReadonlyMap<number, Box> {
  const store = useStore();
  const items = store.layerSeries(run.entry, 'gradient_boxes', layer.path)?.value.value?.items ?? [];
  const latest = snapshotsOf(items, 'patches').findLast(
    ({ step }) => snapshotAt(patches, step)?.step === shown,
  )?.value;
  return useAwaited(latest && boxesOf(latest))?.[unit] ?? NO_BOXES;
}
