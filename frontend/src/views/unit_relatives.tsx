import type { Sheet } from '../charts/patch';
import { unitNoun } from '../model/layers';
import { snapshotAt } from '../model/snapshots';
import { neighborsOf, type Peak } from '../model/units';
import { useStore, type RunState } from '../state/store';
import type { LayerInfo } from '../summaries/cnndiag_pb';
import { Figure } from '../ui/figure';
import { useKind } from './kind_series';
import { UnitMosaic } from './unit_mosaic';
import './unit_relatives.css';

const NEIGHBORS = 6;

interface RelativesProps {
  run: RunState;
  layer: LayerInfo;
  unit: number;
  twins: number[];
  peaks: (Peak[] | undefined)[] | undefined;
  sheet: Sheet | undefined;
}

/** Near copies of a unit, and its neighbors in the tree: the units most like it. */
export function Relatives({ run, layer, unit, twins, peaks, sheet }: RelativesProps) {
  const store = useStore();
  const tree = snapshotAt(useKind(run, layer.path, 'dendrogram').snapshots, store.step.value)?.value;
  const near = neighborsOf(tree?.order ?? [], unit, NEIGHBORS).filter((other) => !twins.includes(other));
  const relatives = [...twins.slice(0, 2 * NEIGHBORS), ...near];
  if (!relatives.length) return null;
  const noun = unitNoun(layer);
  return (
    <Figure
      id="unit-relatives"
      title={`Most alike ${noun}s`}
      description={`${noun === 'filter' ? 'Filters' : 'Neurons'} with similar weights: near copies first, then the neighbors in the tree. Look whether their patches differ, too.`}
    >
      <ul class="unit-relatives">
        {relatives.map((other) => (
          <li key={other}>
            <button type="button" onClick={() => store.go({ unit: other })}>
              {sheet && !(peaks && !peaks[other]) && (
                <UnitMosaic
                  layer={layer}
                  sheet={sheet}
                  peaks={peaks?.[other]}
                  columns={3}
                  rows={1}
                  side={38}
                  label={`patches of ${noun} ${other}`}
                />
              )}
              <span>
                {noun} {other}
                {twins.includes(other) ? ', near copy' : ''}
              </span>
            </button>
          </li>
        ))}
      </ul>
    </Figure>
  );
}
