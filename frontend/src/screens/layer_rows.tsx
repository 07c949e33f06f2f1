import { useMemo, useState } from 'preact/hooks';
import { arrange, blocksOf } from '../model/blocks';
import { measuredLayers } from '../model/layers';
import { byLayer } from '../model/findings';
import { plural } from '../model/format';
import { useStore } from '../state/store';
import { LayerBlock, type LayerRowsProps } from './layer_block';
import './layer_rows.css';

/** Above this number of layers, rows are thin and blocks without findings start folded. */
const MANY = 60;

/** All layers of a run, block by block. */
export function LayerRows(props: LayerRowsProps) {
  const { run, matrix, values } = props;
  const store = useStore();
  const { sort, filter } = store.view.value;
  const [toggled, setToggled] = useState<ReadonlySet<string>>(new Set());
  const [all, setAll] = useState(false);
  const many = run.layers.length > MANY;
  const findings = useMemo(() => byLayer(run.findings), [run.findings]);
  const rank = useMemo(() => new Map(run.layers.map(({ path }, i) => [path, i])), [run.layers]);
  const valueOf = (path: string) => values[rank.get(path) ?? -1] ?? NaN;
  const order = sort === 'worst' ? values.join() : '';
  const blocks = useMemo(() => {
    const measured = measuredLayers(run.layers, matrix);
    const layers = arrange(all ? run.layers : measured, findings, valueOf, sort, filter);
    return sort === 'worst' ? [{ name: '', layers }] : blocksOf(layers);
  }, [run.layers, matrix, all, findings, sort, filter, order]);
  const unmeasured = run.layers.length - measuredLayers(run.layers, matrix).length;
  if (!blocks[0]?.layers.length) return <p class="nothing">No layer matches “{filter}”.</p>;

  const toggle = (key: string) => {
    const next = new Set(toggled);
    if (!next.delete(key)) next.add(key);
    setToggled(next);
  };
  return (
    <div class={many ? 'layer-rows thin' : 'layer-rows'}>
      {blocks.map((block, index) => {
        const key = block.layers[0]?.path ?? '';
        const starts =
          !many || filter !== '' || !block.name || block.layers.some(({ path }) => findings.has(path));
        return (
          <LayerBlock
            {...props}
            key={key}
            block={block}
            open={starts !== toggled.has(key)}
            onToggle={() => toggle(key)}
            findings={findings}
            rank={rank}
            rowHeight={many ? 18 : 26}
            first={index === 0}
          />
        );
      })}
      {unmeasured > 0 && (
        <p class="note unmeasured">
          {plural(unmeasured, 'layer')} without this measure{' '}
          <button type="button" class="quiet" aria-pressed={all} onClick={() => setAll(!all)}>
            {all ? 'hide' : 'show'}
          </button>
        </p>
      )}
    </div>
  );
}
