import { Figure } from '../ui/figure';
import { ColumnLines, useColumns } from './columns';
import type { LayerViewProps } from './layer_view';

export const GRADIENT_DIAGNOSTICS = ['gradient_flow', 'update_ratio'];

/** The gradient that reaches the layer and the update-to-weight ratio, read together. */
export function GradientFlow({ run, layer, diagnostic }: LayerViewProps) {
  const present = GRADIENT_DIAGNOSTICS.filter((name) => run.info?.diagnostics.some((d) => d.name === name));
  const { none, table } = useColumns(run, layer, present);
  if (none) return null;
  return (
    <Figure id="gradient_flow" title={diagnostic.title} description={diagnostic.description} table={table}>
      <ColumnLines run={run} layer={layer} diagnostics={present} />
    </Figure>
  );
}
