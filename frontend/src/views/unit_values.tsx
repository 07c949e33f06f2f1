import { Bars } from '../charts/bars';
import { words } from '../model/format';
import { lookAt } from '../model/looks';
import { useStore } from '../state/store';
import { useWidth } from '../ui/size';
import { unitNoun, type KindViewProps } from './layer_view';

/** One number per unit, a panel per column. */
export function UnitValuesView({ layer, looks }: KindViewProps<'unitValues'>) {
  const store = useStore();
  const [ref, width] = useWidth<HTMLDivElement>();
  const look = lookAt(looks, store.step.value);
  return (
    <div ref={ref} class="stack">
      {width > 0 &&
        look?.value.columns.map(({ name, values }) => (
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
