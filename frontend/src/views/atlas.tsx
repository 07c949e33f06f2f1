import { useState } from 'preact/hooks';
import { Patch, sheetOf, wholeOf } from '../charts/patch';
import { formatNumber, plural } from '../model/format';
import { useStore } from '../state/store';
import { useAwaited } from './kind_series';
import type { KindViewProps } from './layer_view';
import './atlas.css';

const PAGE = 24;

/** The images of the probe, a few at first. */
export function AtlasView({ snapshots }: KindViewProps<'atlas'>) {
  const store = useStore();
  const [shown, setShown] = useState(PAGE);
  const atlas = snapshots.at(-1)?.value;
  const sheet = useAwaited(atlas && sheetOf(atlas));
  if (!atlas) return null;
  const count = Math.min(shown, atlas.samples);
  return (
    <div class="stack">
      <p class="note">
        {plural(atlas.samples, 'image')} of {atlas.height} × {atlas.width} pixels, values {atlas.scaling}
      </p>
      <ul class="atlas">
        {sheet &&
          Array.from({ length: count }, (_, image) => (
            <li key={image}>
              <Patch
                sheet={sheet}
                image={image}
                box={wholeOf(atlas)}
                side={72}
                dark={store.dark.value}
                label={`image ${image}`}
              />
              <span>
                {image}
                {atlas.labels.length ? ` · class ${atlas.labels[image]}` : ''}
              </span>
            </li>
          ))}
      </ul>
      {count < atlas.samples && (
        <div class="row">
          <button type="button" onClick={() => setShown(shown + 4 * PAGE)}>
            Show {formatNumber(Math.min(4 * PAGE, atlas.samples - count))} more
          </button>
        </div>
      )}
    </div>
  );
}
