import { useMemo, useState } from 'preact/hooks';
import type { ColorScale } from '../charts/palette';
import { Strips, type StripRow } from '../charts/strips';
import type { Timeline } from '../charts/timeline';
import { byLayer, Severity, SEVERITY_WORDS, worst } from '../model/findings';
import { plural } from '../model/format';
import { blockOf, describeLayer, rowOf, type LayerMatrix } from '../model/layers';
import { filterPattern } from '../model/view';
import { useStore, type RunState } from '../state';
import type { Finding, LayerInfo } from '../summaries/cnndiag_pb';
import { Icon, SeverityIcon } from '../ui/icons';

interface LayerRowsProps {
  run: RunState;
  matrix: LayerMatrix;
  axis: Timeline;
  scale: ColorScale;
  label: string;
  /** The measure at the chosen step, in table order. */
  values: number[];
  format(value: number): string;
  onOpen(layer: string, step?: number): void;
}

/** Beyond so many layers rows are thin. */
const THIN_FROM = 60;

interface Block {
  name: string;
  layers: LayerInfo[];
}

/** Consecutive layers of one block; a model without blocks is one. */
export function blocksOf(layers: readonly LayerInfo[]): Block[] {
  const blocks: Block[] = [];
  for (const layer of layers) {
    const name = blockOf(layer.path);
    const last = blocks.at(-1);
    if (last?.name === name) last.layers.push(layer);
    else blocks.push({ name, layers: [layer] });
  }
  return blocks;
}

/** Layers in the order asked for, those that match the filter. */
export function arrange(
  layers: readonly LayerInfo[],
  findings: Map<string, Finding[]>,
  values: readonly number[],
  sort: string,
  filter: string,
): LayerInfo[] {
  const pattern = filterPattern(filter);
  const rank = new Map(layers.map(({ path }, i) => [path, i]));
  const kept = layers.filter(({ path }) => !pattern || pattern.test(path));
  if (sort !== 'worst') return kept;
  const value = ({ path }: LayerInfo) => values[rank.get(path) ?? -1] ?? NaN;
  const finite = (number: number) => (Number.isFinite(number) ? number : -Infinity);
  return kept.toSorted(
    (a, b) =>
      worst(findings.get(b.path) ?? []) - worst(findings.get(a.path) ?? []) ||
      finite(value(b)) - finite(value(a)),
  );
}

const SPAN_COLORS: Record<number, [string, string]> = {
  [Severity.ERROR]: ['#b3261e', '#ff8a80'],
  [Severity.WARNING]: ['#b26a00', '#ffca6a'],
  [Severity.INFO]: ['#1f5fae', '#8ab8ff'],
};

export function LayerRows({ run, matrix, axis, scale, label, values, format, onOpen }: LayerRowsProps) {
  const store = useStore();
  const { sort, filter } = store.view.value;
  const dark = store.dark.value;
  const [folded, setFolded] = useState<ReadonlySet<string>>(new Set());
  const findings = useMemo(() => byLayer(run.findings), [run.findings]);
  const order = sort === 'worst' ? values.join() : '';
  const layers = useMemo(
    () => arrange(run.layers, findings, values, sort, filter),
    [run.layers, findings, sort, filter, order],
  );
  const blocks = useMemo(
    () => (sort === 'worst' ? [{ name: '', layers }] : blocksOf(layers)),
    [layers, sort],
  );
  const rowHeight = run.layers.length > THIN_FROM ? 18 : 26;
  const rank = useMemo(() => new Map(run.layers.map(({ path }, i) => [path, i])), [run.layers]);
  const rows = useMemo(
    () =>
      blocks.map((block) =>
        block.layers.map(({ path }): StripRow => ({
          layer: path,
          values: rowOf(matrix, path) ?? new Float32Array(matrix.steps.length).fill(NaN),
          spans: (findings.get(path) ?? []).slice(0, 1).map(({ firstStep, lastStep, severity }) => ({
            from: Number(firstStep),
            to: Number(lastStep),
            color: SPAN_COLORS[severity]?.[dark ? 1 : 0] ?? '#888',
          })),
        })),
      ),
    [blocks, matrix, findings, dark],
  );
  if (!layers.length) return <p class="nothing">No layer matches “{filter}”.</p>;
  const toggle = (key: string) => {
    const next = new Set(folded);
    if (!next.delete(key)) next.add(key);
    setFolded(next);
  };
  const several = blocks.length > 1;
  let first = true;
  return (
    <div class={rowHeight < 20 ? 'strips thin' : 'strips'}>
      {blocks.map((block, index) => {
        const key = block.layers[0]?.path ?? '';
        const open = !folded.has(key);
        const gravest = worst(block.layers.flatMap(({ path }) => findings.get(path) ?? []));
        return (
          <div key={key} class="block">
            {several && block.name && (
              <button type="button" class="block-name" aria-expanded={open} onClick={() => toggle(key)}>
                <Icon name="fold" />
                {gravest > 0 && <SeverityIcon severity={gravest} label />}
                <span class="path">{block.name}/</span>
                <span class="note">{plural(block.layers.length, 'layer')}</span>
              </button>
            )}
            {open && (
              <div class="block-rows">
                <div class="names" style={{ width: axis.left }}>
                  {block.layers.map((layer) => {
                    const own = findings.get(layer.path) ?? [];
                    const tabbable = first;
                    first = false;
                    return (
                      <button
                        type="button"
                        key={layer.path}
                        class="layer-name"
                        style={{ height: rowHeight }}
                        data-layer={layer.path}
                        tabIndex={tabbable ? 0 : -1}
                        title={`${layer.path}: ${describeLayer(layer)}`}
                        onClick={() => onOpen(layer.path)}
                      >
                        {own.length > 0 ? <SeverityIcon severity={worst(own)} /> : <span class="no-icon" />}
                        {own.length > 0 && <span class="hidden">{SEVERITY_WORDS[worst(own)]}: </span>}
                        <span class="index">{(rank.get(layer.path) ?? 0) + 1}</span>
                        <span class="path" data-export>
                          {several && block.name ? layer.path.slice(block.name.length + 1) : layer.path}
                        </span>
                        <span class="units">{layer.units || ''}</span>
                      </button>
                    );
                  })}
                </div>
                <Strips
                  rows={rows[index] ?? []}
                  steps={matrix.steps}
                  axis={axis}
                  scale={scale}
                  rowHeight={rowHeight}
                  dark={dark}
                  label={label}
                  format={format}
                  onHover={(step) => (store.hover.value = step)}
                  onOpen={onOpen}
                />
                {axis.right > 40 && (
                  <div class="values" style={{ width: axis.right }} aria-hidden="true">
                    {block.layers.map(({ path }) => (
                      <span key={path} style={{ height: rowHeight }} data-export>
                        {format(values[rank.get(path) ?? -1] ?? NaN).replace('not measured', '–')}
                      </span>
                    ))}
                  </div>
                )}
              </div>
            )}
          </div>
        );
      })}
    </div>
  );
}
