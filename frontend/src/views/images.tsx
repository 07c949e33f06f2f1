import { useMemo } from 'preact/hooks';
import { Gallery, schemeOf, type Picture } from '../charts/gallery';
import { RampLegend } from '../charts/legend';
import { formatNumber, plural } from '../model/format';
import { unitNoun } from '../model/layers';
import { snapshotAt, snapshotsOf } from '../model/snapshots';
import { DEAD, unpackStates } from '../model/states';
import { useStore, type RunState } from '../state/store';
import type { KindViewProps } from './layer_view';
import { pictureOf } from './picture';
import './images.css';

/** The diagnostic that stores the probe images of the feature maps. */
const PROBE_IMAGES = 'probe_images';

/** The probe images by sample, from the layer that receives them. */
function useProbeImages(run: RunState, step: number): Map<number, Picture> {
  const store = useStore();
  const layer = run.entry.tags.find(({ diagnostic, layer: path }) => diagnostic === PROBE_IMAGES && path);
  const series = layer && store.layerSeries(run.entry, PROBE_IMAGES, layer.layer)?.value.value;
  return useMemo(() => {
    const images = snapshotAt(snapshotsOf(series?.items ?? [], 'images'), step)?.value.images ?? [];
    return new Map(
      images.map((image) => [image.sample ?? 0, pictureOf(`image ${image.sample ?? 0}`, image, false)]),
    );
  }, [series, step]);
}

/** Pictures of filters or feature maps in the order of the tree, dead ones hatched. */
export function ImagesView({ run, layer, diagnostic, snapshots }: KindViewProps<'images'>) {
  const store = useStore();
  const step = store.step.value;
  const snapshot = snapshotAt(snapshots, step);
  const trees = snapshotsOf(
    store.layerSeries(run.entry, 'filter_clusters', layer.path)?.value.value?.items ?? [],
    'dendrogram',
  );
  const units = snapshotsOf(
    store.layerSeries(run.entry, 'dead_units', layer.path)?.value.value?.items ?? [],
    'unitStates',
  );
  const order = snapshotAt(trees, step)?.value.order;
  const states = snapshotAt(units, step)?.value;
  const noun = unitNoun(layer);
  const probe = useProbeImages(run, step);
  const samples = useMemo(() => {
    const rank = new Map(order?.map((unit, i) => [unit, i]));
    const dead = states ? unpackStates(states) : undefined;
    const groups = new Map<number | undefined, Picture[]>();
    const sorted = (snapshot?.value.images ?? []).toSorted(
      (a, b) => (rank.get(a.unit) ?? a.unit) - (rank.get(b.unit) ?? b.unit),
    );
    for (const image of sorted) {
      const { unit } = image;
      const picture = {
        ...pictureOf(`${noun} ${unit}`, image, dead?.[unit] === DEAD),
        open: () => store.go({ screen: 'unit', run: run.entry.id, layer: layer.path, unit, chart: '' }),
      };
      groups.set(image.sample, [...(groups.get(image.sample) ?? []), picture]);
    }
    return [...groups];
  }, [snapshot, order, states]);
  const dark = store.dark.value;
  const gray = snapshot?.value.images.some(({ channels }) => channels === 1);
  const scheme = useMemo(() => schemeOf(snapshot?.value.images ?? []), [snapshot]);
  if (diagnostic.name === PROBE_IMAGES)
    return <Gallery pictures={[...probe.values()]} scheme={scheme} dark={dark} large />;
  return (
    <div class="stack">
      {samples.map(([sample, pictures]) => {
        const image = sample === undefined ? undefined : probe.get(sample);
        return (
          <div key={sample ?? 'filters'} class="picture-rows">
            {image && <Gallery pictures={[image]} scheme={scheme} dark={dark} large />}
            <Gallery pictures={pictures} scheme={scheme} dark={dark} />
          </div>
        );
      })}
      <div class="row">
        {gray && (
          <RampLegend
            scale={{ low: scheme === 'diverging' ? -1 : 0, high: 1, logarithmic: false, scheme }}
            format={(value) => (value < 0 ? '− scale' : value > 0 ? '+ scale' : '0')}
            dark={dark}
          />
        )}
        {samples[0] && samples[0][1].length < layer.units && (
          <span class="note">
            showing {formatNumber(samples[0][1].length)} of {plural(layer.units, noun)}, evenly spaced
          </span>
        )}
      </div>
    </div>
  );
}
