import { useMemo } from 'preact/hooks';
import type { ColorScale } from '../charts/palette';
import { Strips, type StripRow } from '../charts/strips';
import type { Timeline } from '../charts/timeline';
import { highest, type Block } from '../model/blocks';
import { Severity, SEVERITY_WORDS, worst } from '../model/findings';
import { plural } from '../model/format';
import { describeLayer, rowOf, type LayerMatrix } from '../model/layers';
import { useStore, type RunState } from '../state/store';
import type { Finding, LayerInfo } from '../summaries/cnndiag_pb';
import { Icon, SeverityIcon } from '../ui/icons';
import './layer_block.css';

export interface LayerRowsProps {
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

interface LayerBlockProps extends LayerRowsProps {
  block: Block;
  open: boolean;
  findings: ReadonlyMap<string, Finding[]>;
  /** Position of each layer in the table. */
  rank: ReadonlyMap<string, number>;
  rowHeight: number;
  /** The tab key enters at the first layer of this block; j and k go on from there. */
  first: boolean;
  onToggle(): void;
}

const SPAN_COLORS: Record<number, [string, string]> = {
  [Severity.ERROR]: ['#b3261e', '#ff8a80'],
  [Severity.WARNING]: ['#b26a00', '#ffca6a'],
  [Severity.INFO]: ['#1f5fae', '#8ab8ff'],
};

function spansOf(findings: readonly Finding[], dark: boolean): StripRow['spans'] {
  return findings.slice(0, 1).map(({ firstStep, lastStep, severity }) => ({
    from: Number(firstStep),
    to: Number(lastStep),
    color: SPAN_COLORS[severity]?.[dark ? 1 : 0] ?? '#888',
  }));
}

interface LayerNameProps {
  layer: LayerInfo;
  /** Length of the part of the path that the block's heading shows. */
  skip: number;
  position: number;
  findings: readonly Finding[];
  height: number;
  tabbable: boolean;
  onOpen(): void;
}

function LayerName({ layer, skip, position, findings, height, tabbable, onOpen }: LayerNameProps) {
  const severity = worst(findings);
  return (
    <button
      type="button"
      class="layer-name"
      style={{ height }}
      data-layer={layer.path}
      tabIndex={tabbable ? 0 : -1}
      title={`${layer.path.slice(0, 300)}: ${describeLayer(layer)}`}
      onClick={onOpen}
    >
      {severity > 0 ? <SeverityIcon severity={severity} /> : <span class="no-icon" />}
      {severity > 0 && <span class="hidden">{SEVERITY_WORDS[severity]}: </span>}
      <span class="index">{position + 1}</span>
      <span class="path" data-export>
        <bdi>{layer.path.slice(skip)}</bdi>
      </span>
      <span class="units">{layer.units || ''}</span>
    </button>
  );
}

/** The layers of one block as strips; a folded block is one strip of their highest values. */
export function LayerBlock(props: LayerBlockProps) {
  const { block, open, findings, rank, rowHeight, first, matrix, axis, values, format, onOpen, onToggle } =
    props;
  const store = useStore();
  const dark = store.dark.value;
  const rows = useMemo(() => {
    const single = block.layers.map(({ path }): StripRow => ({
      layer: path,
      values: rowOf(matrix, path) ?? new Float32Array(matrix.steps.length).fill(NaN),
      spans: spansOf(findings.get(path) ?? [], dark),
    }));
    if (open) return single;
    const title = `${block.name}, highest of ${plural(single.length, 'layer')}`;
    return [{ layer: title, values: highest(single.map((row) => row.values)), spans: [] }];
  }, [block, open, matrix, findings, dark]);
  const now = block.layers.map(({ path }) => values[rank.get(path) ?? -1] ?? NaN);
  const shown = open
    ? now
    : [now.reduce((top, value) => (value > top || Number.isNaN(top) ? value : top), NaN)];
  const severity = worst(block.layers.flatMap(({ path }) => findings.get(path) ?? []));
  const heading = block.name && (
    <button type="button" class="block-name" title={block.name} aria-expanded={open} onClick={onToggle}>
      <Icon name="fold" />
      {severity > 0 && <SeverityIcon severity={severity} label />}
      <span class="path">
        <bdi>{block.layers[0]?.path.slice(0, block.name.length + 1)}</bdi>
      </span>
      <span class="note">{block.layers.length}</span>
    </button>
  );
  return (
    <div class="block">
      {open && heading}
      <div class="block-rows">
        <div class="block-names" style={{ width: axis.left }}>
          {!open && heading}
          {open &&
            block.layers.map((layer, i) => (
              <LayerName
                key={layer.path}
                layer={layer}
                skip={block.name ? block.name.length + 1 : 0}
                position={rank.get(layer.path) ?? 0}
                findings={findings.get(layer.path) ?? []}
                height={rowHeight}
                tabbable={first && i === 0}
                onOpen={() => onOpen(layer.path)}
              />
            ))}
        </div>
        <Strips
          rows={rows}
          steps={matrix.steps}
          axis={axis}
          scale={props.scale}
          rowHeight={rowHeight}
          dark={dark}
          label={props.label}
          format={format}
          onHover={(step) => (store.hover.value = step)}
          onOpen={(layer, step) => (open ? onOpen(layer, step) : onToggle())}
        />
        {axis.right > 40 && (
          <div class="block-values" style={{ width: axis.right }} aria-hidden="true">
            {shown.map((value, i) => (
              <span key={i} style={{ height: rowHeight }} data-export>
                {Number.isNaN(value) ? '–' : format(value)}
              </span>
            ))}
          </div>
        )}
      </div>
    </div>
  );
}
