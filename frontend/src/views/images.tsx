import { useMemo } from 'preact/hooks';
import { Gallery, schemeOf, type Picture } from '../charts/gallery';
import { RampLegend } from '../charts/legend';
import { formatNumber, plural } from '../model/format';
import { lookAt, looksOf } from '../model/looks';
import { DEAD, unpackStates } from '../model/states';
import { useStore, type RunState } from '../state/store';
import type { Image } from '../summaries/cnndiag_pb';
import { unitNoun, type KindViewProps } from './layer_view';
import './images.css';

/** The diagnostic that keeps the images which feature maps are of. */
const PROBE_IMAGES = 'probe_images';

function pictureOf(name: string, image: Image, dead: boolean): Picture {
  const { height, width, channels, pixels, scale } = image;
  const colours = image.sample === undefined ? `colour, ± ${formatNumber(scale)}` : 'colour';
  return {
    name,
    height,
    width,
    channels,
    pixels,
    dead,
    facts: [
      ['size', `${height} × ${width}`],
      ['scale', channels === 3 ? colours : `± ${formatNumber(scale)}`],
    ],
  };
}

/** The probe's images themselves by sample, from whichever layer is given them. */
function useProbeImages(run: RunState, step: number): Map<number, Picture> {
  const store = useStore();
  const layer = run.entry.tags.find(({ diagnostic, layer: path }) => diagnostic === PROBE_IMAGES && path);
  const series = layer && store.layerSeries(run.entry, PROBE_IMAGES, layer.layer)?.value.value;
  return useMemo(() => {
    const images = lookAt(looksOf(series?.items ?? [], 'images'), step)?.value.images ?? [];
    return new Map(
      images.map((image) => [image.sample ?? 0, pictureOf(`image ${image.sample ?? 0}`, image, false)]),
    );
  }, [series, step]);
}

/** Pictures of filters or feature maps in the order of the tree, dead ones hatched. */
export function ImagesView({ run, layer, diagnostic, looks }: KindViewProps<'images'>) {
  const store = useStore();
  const step = store.step.value;
  const look = lookAt(looks, step);
  const trees = looksOf(
    store.layerSeries(run.entry, 'filter_clusters', layer.path)?.value.value?.items ?? [],
    'dendrogram',
  );
  const units = looksOf(
    store.layerSeries(run.entry, 'dead_units', layer.path)?.value.value?.items ?? [],
    'unitStates',
  );
  const order = lookAt(trees, step)?.value.order;
  const states = lookAt(units, step)?.value;
  const noun = unitNoun(layer);
  const probe = useProbeImages(run, step);
  const samples = useMemo(() => {
    const rank = new Map(order?.map((unit, i) => [unit, i]));
    const dead = states ? unpackStates(states) : undefined;
    const groups = new Map<number | undefined, Picture[]>();
    const sorted = (look?.value.images ?? []).toSorted(
      (a, b) => (rank.get(a.unit) ?? a.unit) - (rank.get(b.unit) ?? b.unit),
    );
    for (const image of sorted) {
      const picture = pictureOf(`${noun} ${image.unit}`, image, dead?.[image.unit] === DEAD);
      groups.set(image.sample, [...(groups.get(image.sample) ?? []), picture]);
    }
    return [...groups];
  }, [look, order, states]);
  const dark = store.dark.value;
  const grey = look?.value.images.some(({ channels }) => channels === 1);
  const scheme = useMemo(() => schemeOf(look?.value.images ?? []), [look]);
  if (diagnostic.name === PROBE_IMAGES)
    return <Gallery pictures={[...probe.values()]} scheme={scheme} dark={dark} large />;
  return (
    <div class="stack">
      {samples.map(([sample, pictures]) => {
        const itself = sample === undefined ? undefined : probe.get(sample);
        return (
          <div key={sample ?? 'filters'} class="picture-rows">
            {itself && <Gallery pictures={[itself]} scheme={scheme} dark={dark} large />}
            <Gallery pictures={pictures} scheme={scheme} dark={dark} />
          </div>
        );
      })}
      <div class="row">
        {grey && (
          <RampLegend
            scale={{ low: scheme === 'diverging' ? -1 : 0, high: 1, logarithmic: false, scheme }}
            format={(value) => (value < 0 ? '− scale' : value > 0 ? '+ scale' : '0')}
            dark={dark}
          />
        )}
        {samples[0] && samples[0][1].length < layer.units && (
          <span class="note">
            showing {samples[0][1].length} of {plural(layer.units, noun)}, evenly spaced
          </span>
        )}
      </div>
    </div>
  );
}
