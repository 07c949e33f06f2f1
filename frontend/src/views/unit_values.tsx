import { Bars } from '../charts/bars';
import { words } from '../model/format';
import { unitNoun } from '../model/layers';
import { snapshotAt } from '../model/snapshots';
import { useStore } from '../state/store';
import { useWidth } from '../ui/size';
import type { KindViewProps } from './layer_view';

/** One number per unit, a panel per column. */
export function UnitValuesView({ layer, snapshots }: KindViewProps<'unitValues'>) {
  const store = useStore();
  const [ref, width] = useWidth<HTMLDivElement>();
  const snapshot = snapshotAt(snapshots, store.step.value);
  return (
    <div ref={ref} class="stack">
      {width > 0 &&
        snapshot?.value.columns.map(({ name, values }) => (
          <div key={name}>
            <h3>{words(name)}</h3>
            <Bars
              values={values}
              width={width}
              height={96}
              label={words(name)}
              noun={unitNoun(layer)}
              dark={store.dark.value}
            />
          </div>
        ))}
    </div>
  );
}
