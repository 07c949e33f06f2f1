import { useEffect, useMemo, useState } from 'preact/hooks';
import { sheetOf, type Sheet } from '../charts/patch';
import { snapshotsOf, type Kind, type Snapshot } from '../model/snapshots';
import { useStore, type RunState } from '../state/store';
import type { LayerInfo } from '../summaries/cnndiag_pb';

/** The name of a payload kind in the log's list of diagnostics. */
const listed = (kind: Kind) => kind.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** Snapshots of the first diagnostic of a layer whose results are of a kind, and whether they are still loading. */
export function useKind<K extends Kind>(run: RunState, layer: string, kind: K) {
  const store = useStore();
  const names = run.info?.diagnostics.filter(({ layerKind }) => layerKind === listed(kind)) ?? [];
  for (const { name } of names) {
    const loadable = store.layerSeries(run.entry, name, layer)?.value;
    if (loadable) {
      const snapshots: Snapshot<K>[] = snapshotsOf(loadable.value?.items ?? [], kind);
      return { snapshots, total: loadable.value?.total ?? 0, loadable, recorded: true };
    }
  }
  return { snapshots: [] as Snapshot<K>[], total: 0, loadable: undefined, recorded: names.length > 0 };
}

/** Snapshots of the first diagnostic of the whole model whose results are of a kind. */
export function useModelKind<K extends Kind>(run: RunState, kind: K): Snapshot<K>[] {
  const store = useStore();
  const name = run.info?.diagnostics.find(({ modelKind }) => modelKind === listed(kind))?.name;
  const series = name === undefined ? undefined : store.modelSeries(run.entry, name).value.value;
  return useMemo(() => snapshotsOf(series?.items ?? [], kind), [series, kind]);
}

/** A value that takes time to compute; undefined until it is known. */
export function useAwaited<T>(value: Promise<T> | undefined): T | undefined {
  const [known, setKnown] = useState<{ of: Promise<T>; value: T }>();
  useEffect(() => {
    let current = true;
    void value?.then((result) => {
      if (current) setKnown({ of: value, value: result });
    });
    return () => {
      current = false;
    };
  }, [value]);
  return known && known.of === value ? known.value : undefined;
}

/** The images that a layer's units see: their pictures, or why there are none. */
export function useSheet(run: RunState, layer: LayerInfo): { sheet: Sheet | undefined; missing: string } {
  const field = layer.receptiveField;
  const { snapshots, loadable, recorded } = useKind(run, field?.image ?? '', 'atlas');
  const atlas = snapshots.at(-1)?.value;
  const sheet = useAwaited(atlas && sheetOf(atlas));
  if (!field) return { sheet, missing: 'No image reaches this layer, or it is not known how.' };
  if (!recorded)
    return { sheet, missing: 'This log holds no pictures of your data: it was recorded with images=False.' };
  if (!loadable || (loadable.value && !atlas)) {
    return {
      sheet,
      missing:
        'The pictures of the probe are not in this log: they have no two spatial axes, or were left out.',
    };
  }
  return {
    sheet,
    missing: loadable.state === 'failed' ? 'The pictures of the probe could not be loaded.' : '',
  };
}
