import { useMemo } from 'preact/hooks';
import { Gallery, schemeOf } from '../charts/gallery';
import { unitNoun } from '../model/layers';
import { snapshotAt, snapshotsOf } from '../model/snapshots';
import { useStore, type RunState } from '../state/store';
import type { Image, LayerInfo } from '../summaries/cnndiag_pb';
import { pictureOf } from './picture';
import { SYNTHETIC_IMAGES } from './unit_synthetic';

/** The pictures of a unit that the log has: its filter, and its feature maps. */
export function UnitFilter({ run, layer, unit }: { run: RunState; layer: LayerInfo; unit: number }) {
  const store = useStore();
  const step = store.step.value;
  const names =
    run.info?.diagnostics.filter(
      ({ name, layerKind }) => layerKind === 'images' && name !== SYNTHETIC_IMAGES,
    ) ?? [];
  const all: Image[] = names.flatMap(({ name }) => {
    const items = store.layerSeries(run.entry, name, layer.path)?.value.value?.items ?? [];
    return snapshotAt(snapshotsOf(items, 'images'), step)?.value.images ?? [];
  });
  const own = all.filter(
    (image) => image.unit === unit && (image.channels === 1 || image.sample === undefined),
  );
  const scheme = useMemo(() => schemeOf(own), [own.length, step, unit]);
  if (!own.length) return null;
  const noun = unitNoun(layer);
  return (
    <section aria-labelledby="unit-pictures">
      <h2 id="unit-pictures">Weights and maps</h2>
      <Gallery
        pictures={own.map((image) =>
          pictureOf(
            image.sample === undefined ? `weights of the ${noun}` : `map of image ${image.sample}`,
            image,
          ),
        )}
        scheme={scheme}
        dark={store.dark.value}
        large
      />
    </section>
  );
}
