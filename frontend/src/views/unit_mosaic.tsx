import { useCallback } from 'preact/hooks';
import { Mosaic, wholeOf, type Sheet } from '../charts/patch';
import { boxAt, type Peak } from '../model/units';
import { useStore } from '../state/store';
import type { LayerInfo } from '../summaries/cnndiag_pb';

interface UnitMosaicProps {
  layer: LayerInfo;
  sheet: Sheet;
  peaks: readonly Peak[] | undefined;
  columns: number;
  rows: number;
  side: number;
  label: string;
}

const NONE: readonly Peak[] = [];

/** The strongest patches of a unit of a layer, each cut out where the unit sees it. */
export function UnitMosaic({ layer, sheet, peaks = NONE, ...shape }: UnitMosaicProps) {
  const store = useStore();
  const boxOf = useCallback(
    (peak: Peak) => boxAt(layer, peak.position) ?? wholeOf(sheet.atlas),
    [layer, sheet],
  );
  return <Mosaic sheet={sheet} peaks={peaks} boxOf={boxOf} dark={store.dark.value} {...shape} />;
}
