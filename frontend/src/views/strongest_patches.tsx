import { unitNoun } from '../model/layers';
import { snapshotAt } from '../model/snapshots';
import { peaksOf } from '../model/units';
import { useStore, type RunState } from '../state/store';
import type { LayerInfo } from '../summaries/cnndiag_pb';
import { useAwaited, useKind, useSheet } from './kind_series';
import { UnitMosaic } from './unit_mosaic';

interface StrongestPatchesProps {
  run: RunState;
  layer: LayerInfo;
  units: readonly number[];
  side: number;
}

/** The strongest patch of each of a few units; nothing where the log has no patches of them. */
export function useStrongestPatches({ run, layer, units, side }: StrongestPatchesProps) {
  const store = useStore();
  const message = snapshotAt(useKind(run, layer.path, 'patches').snapshots, store.step.value)?.value;
  const peaks = useAwaited(message && peaksOf(message));
  const { sheet } = useSheet(run, layer);
  if (!sheet) return [];
  return units
    .filter((unit) => peaks?.[unit]?.length)
    .map((unit) => (
      <UnitMosaic
        key={unit}
        layer={layer}
        sheet={sheet}
        peaks={peaks?.[unit]}
        columns={1}
        rows={1}
        side={side}
        label={`strongest patch of ${unitNoun(layer)} ${unit}`}
      />
    ));
}
