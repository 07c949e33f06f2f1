import { KeyLegend } from '../charts/legend';
import { category } from '../charts/palette';
import { Spectrum, type RankedValue } from '../charts/spectrum';
import { joined } from '../model/format';
import { leftOutNote } from '../model/left_out';
import { snapshotAt } from '../model/snapshots';
import { useStore } from '../state/store';
import type { UnitValues } from '../summaries/cnndiag_pb';
import type { Table } from '../ui/download';
import { Figure } from '../ui/figure';
import { useWidth } from '../ui/size';
import { ColumnLines, useColumns } from './columns';
import { pending, snapshotsNote, useSnapshots, type LayerViewProps } from './layer_view';

/** Eigenvalues at some ranks, with the power law there; columns that are missing give no values. */
export function rankedValues({ columns }: UnitValues): RankedValue[] {
  const column = (name: string) => columns.find((each) => each.name === name)?.values ?? [];
  const [values, fit] = [column('eigenvalue'), column('power_law')];
  return column('rank').map((rank, i) => ({ rank, value: values[i] ?? NaN, fit: fit[i] ?? NaN }));
}

function spectrumTable(values: RankedValue[]): Table {
  return {
    columns: ['rank', 'eigenvalue', 'power law'],
    rows: values.map(({ rank, value, fit }) => [rank, value, fit]),
  };
}

/** The eigenvalues of a kernel by rank with the power law of their tail, then its numbers over steps. */
export function WeightSpectrum({ run, layer, diagnostic }: LayerViewProps) {
  const store = useStore();
  const [ref, width] = useWidth<HTMLDivElement>();
  const loadable = store.layerSeries(run.entry, diagnostic.name, layer.path)?.value;
  const snapshots = useSnapshots(loadable, 'unitValues');
  const snapshot = snapshotAt(snapshots, store.step.value);
  const { none } = useColumns(run, layer, [diagnostic.name]);
  if (none && !snapshots.length && (!loadable || loadable.state === 'ready')) return null;
  const values = snapshot ? rankedValues(snapshot.value) : [];
  const dark = store.dark.value;
  return (
    <Figure
      id={diagnostic.name}
      title={diagnostic.title}
      description={diagnostic.description}
      note={joined(
        snapshotsNote(snapshots, loadable?.value?.total ?? 0, store.step.value),
        leftOutNote(store.leftOut(run.entry, diagnostic.name)),
      )}
      table={() => spectrumTable(values)}
    >
      {loadable && pending(loadable, diagnostic.title, 240, store)}
      <div ref={ref}>
        <KeyLegend
          keys={[
            { name: 'eigenvalues', color: category(0, dark) },
            { name: 'power law', color: category(1, dark), kind: 'line' },
          ]}
        />
        {width > 0 && values.length > 0 && (
          <Spectrum
            values={values}
            width={Math.min(width, 720)}
            height={260}
            label={`Eigenvalues of ${layer.path} by rank, with the power law of their tail`}
            dark={dark}
          />
        )}
      </div>
      {!none && <ColumnLines run={run} layer={layer} diagnostics={[diagnostic.name]} />}
    </Figure>
  );
}
