import { useMemo, useState } from 'preact/hooks';
import { formatNumber, joined, plural } from '../model/format';
import { unitNoun } from '../model/layers';
import { snapshotAt } from '../model/snapshots';
import { answersOf, peaksOf } from '../model/units';
import { useStore } from '../state/store';
import { Toggle } from '../ui/toggle';
import { useAwaited, useKind, useSheet } from './kind_series';
import type { KindViewProps } from './layer_view';
import { UnitMosaic } from './unit_mosaic';
import './patches.css';

/** Units shown at first, and with each press of the button. */
const PAGE = 48;
type Order = 'tree' | 'index' | 'class';

/** The strongest patches of each unit of a layer; each opens the unit's page. */
export function PatchesView({ run, layer, snapshots }: KindViewProps<'patches'>) {
  const store = useStore();
  const step = store.step.value;
  const noun = unitNoun(layer);
  const [shown, setShown] = useState(PAGE);
  const tree = snapshotAt(useKind(run, layer.path, 'dendrogram').snapshots, step)?.value;
  const responses = snapshotAt(useKind(run, layer.path, 'classResponses').snapshots, step)?.value;
  const answers = useAwaited(responses && answersOf(responses));
  const message = snapshotAt(snapshots, step)?.value;
  const peaks = useAwaited(message && peaksOf(message));
  const { sheet, missing } = useSheet(run, layer);
  const [chosen, setOrder] = useState<Order>('tree');
  const order = (chosen === 'tree' && !tree) || (chosen === 'class' && !responses) ? 'index' : chosen;
  const units = useMemo(() => {
    const all = Array.from(peaks ?? [], (_, unit) => unit).filter((unit) => peaks?.[unit]);
    if (order === 'class' && answers) {
      const top = (unit: number) => answers[unit]?.classes[0]?.id ?? Infinity;
      const clear = (unit: number) => answers[unit]?.explained || 0;
      return all.sort((a, b) => top(a) - top(b) || clear(b) - clear(a));
    }
    if (order !== 'tree' || !tree) return all;
    const listed = new Set(tree.order);
    return [...tree.order.filter((unit) => peaks?.[unit]), ...all.filter((unit) => !listed.has(unit))];
  }, [peaks, order, tree, answers]);
  const silent = peaks?.filter((own) => own?.length === 0).length ?? 0;
  const absent = peaks?.filter((own) => !own).length ?? 0;
  const options: [Order, string][] = [
    ...(tree ? [['tree', 'by cluster'] as [Order, string]] : []),
    ...(responses ? [['class', 'by class'] as [Order, string]] : []),
    ['index', 'by index'],
  ];
  return (
    <div class="stack">
      <div class="row">
        {options.length > 1 && (
          <Toggle
            label={`Order of ${noun}s`}
            value={order}
            options={options}
            onChange={(value) => setOrder(value as Order)}
          />
        )}
        {peaks && (
          <span class="note">
            {joined(
              silent ? `${formatNumber(silent)} of ${plural(peaks.length, noun)} never fire` : '',
              absent ? `${plural(absent, noun)} left out, to keep this page small` : '',
              `the nine strongest of ${plural(message?.samples ?? 0, 'image')} each`,
            )}
          </span>
        )}
      </div>
      {missing && <p class="nothing">{missing}</p>}
      <ul class="patch-units">
        {units.slice(0, shown).map((unit) => (
          <li key={unit}>
            <button
              type="button"
              class="patch-unit"
              onClick={() =>
                store.go({ screen: 'unit', run: run.entry.id, layer: layer.path, unit, chart: '' })
              }
            >
              {sheet && (
                <UnitMosaic
                  layer={layer}
                  sheet={sheet}
                  peaks={peaks?.[unit]}
                  columns={3}
                  rows={3}
                  side={34}
                  label={`patches of ${noun} ${unit}`}
                />
              )}
              <span>
                {noun} {unit}
                {peaks?.[unit]?.length === 0 ? ', silent' : ''}
              </span>
            </button>
          </li>
        ))}
      </ul>
      {units.length > shown && (
        <div class="row">
          <button type="button" onClick={() => setShown(shown + PAGE)}>
            Show {formatNumber(Math.min(PAGE, units.length - shown))} more
          </button>
          <span class="note">
            showing {formatNumber(shown)} of {plural(units.length, noun)}
          </span>
        </div>
      )}
    </div>
  );
}
