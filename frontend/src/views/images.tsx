import { useMemo } from 'preact/hooks';
import { Gallery, type Picture } from '../charts/gallery';
import { RampLegend } from '../charts/legend';
import { formatNumber } from '../model/format';
import { lookAt, looksOf } from '../model/looks';
import { DEAD, unpackStates } from '../model/states';
import { useStore } from '../state';
import { unitNoun, type KindViewProps } from './layer_view';

/** Pictures of filters or feature maps in the order of the tree, dead ones hatched. */
export function ImagesView({ run, layer, looks }: KindViewProps<'images'>) {
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
  const samples = useMemo(() => {
    const rank = new Map(order?.map((unit, i) => [unit, i]));
    const dead = states ? unpackStates(states) : undefined;
    const groups = new Map<number | undefined, Picture[]>();
    const sorted = (look?.value.images ?? []).toSorted(
      (a, b) => (rank.get(a.unit) ?? a.unit) - (rank.get(b.unit) ?? b.unit),
    );
    for (const image of sorted) {
      const picture: Picture = {
        name: `${noun} ${image.unit}`,
        height: image.height,
        width: image.width,
        channels: image.channels,
        pixels: image.pixels,
        dead: dead?.[image.unit] === DEAD,
        facts: [
          ['size', `${image.height} × ${image.width}`],
          ['scale', image.channels === 3 ? 'colour' : `± ${formatNumber(image.scale)}`],
        ],
      };
      groups.set(image.sample, [...(groups.get(image.sample) ?? []), picture]);
    }
    return [...groups];
  }, [look, order, states]);
  const dark = store.dark.value;
  const grey = look?.value.images.some(({ channels }) => channels === 1);
  return (
    <div class="stack">
      {grey && (
        <RampLegend
          scale={{ low: -1, high: 1, logarithmic: false, scheme: 'diverging' }}
          format={(value) => (value < 0 ? '− scale' : value > 0 ? '+ scale' : '0')}
          dark={dark}
        />
      )}
      {samples.map(([sample, pictures]) => (
        <div key={sample ?? 'filters'}>
          {sample !== undefined && <h3>Probe image {sample}</h3>}
          <Gallery pictures={pictures} dark={dark} />
        </div>
      ))}
    </div>
  );
}
