import { formatNumber } from '../model/format';
import { useCallback, useMemo } from 'preact/hooks';
import { Canvas } from '../ui/canvas';
import { hideTip, showTip } from '../ui/tooltip';
import { hatch, painter, type ColorScale } from './palette';
import { edges, snapshotAtPixel, type Timeline } from './timeline';
import './chart.css';

/** One layer's row: a value per snapshot, and spans of steps that are marked below the cells. */
export interface StripRow {
  layer: string;
  values: Float32Array;
  spans: { from: number; to: number; color: string }[];
}

interface StripsProps {
  rows: StripRow[];
  steps: number[];
  axis: Timeline;
  scale: ColorScale;
  rowHeight: number;
  dark: boolean;
  label: string;
  format(value: number): string;
  onHover(step: number | null): void;
  onOpen(layer: string, step: number): void;
}

/** Layers × snapshots as heat strips. */
export function Strips(props: StripsProps) {
  const { rows, steps, axis, scale, rowHeight, dark, label, format, onHover, onOpen } = props;
  const cells = useMemo(() => edges(axis, steps), [axis, steps]);
  const draw = useCallback(
    (context: CanvasRenderingContext2D) => {
      const paint = painter(scale, dark);
      const missing = hatch(context, dark);
      const gap = rowHeight > 10 ? 2 : 1;
      context.clearRect(0, 0, axis.width, rows.length * rowHeight);
      rows.forEach(({ values, spans }, row) => {
        const top = row * rowHeight;
        steps.forEach((_, snapshot) => {
          const left = Math.round(cells[snapshot] ?? 0);
          const right = Math.max(left + 1, Math.round(cells[snapshot + 1] ?? 0));
          const gutter = right - left > 14 ? 1 : 0;
          context.fillStyle = paint(values[snapshot] ?? NaN) ?? missing;
          context.fillRect(left, top, right - left - gutter, rowHeight - gap);
        });
        for (const { from, to, color } of spans) {
          const [first, last] = [steps.findIndex((s) => s >= from), steps.findLastIndex((s) => s <= to)];
          if (first < 0 || last < first) continue;
          const [left = 0, right = 0] = [cells[first], cells[last + 1]];
          context.fillStyle = color;
          context.fillRect(Math.round(left), top + rowHeight - gap - 2, Math.round(right - left) - 1, 2);
        }
      });
    },
    [rows, steps, axis, cells, scale, rowHeight, dark],
  );

  const at = (event: MouseEvent) => {
    const { left, top } = (event.currentTarget as HTMLElement).getBoundingClientRect();
    const snapshot = snapshotAtPixel(axis, steps, event.clientX - left);
    const row = rows[Math.min(rows.length - 1, Math.max(0, Math.floor((event.clientY - top) / rowHeight)))];
    return { row, snapshot, step: steps[snapshot] ?? 0 };
  };
  return (
    <Canvas
      width={axis.width}
      height={rows.length * rowHeight}
      label={label}
      draw={draw}
      class="pick"
      onPointerMove={(event) => {
        const { row, snapshot, step } = at(event);
        if (!row) return;
        onHover(step);
        showTip(event.clientX, event.clientY, row.layer, [
          ['step', formatNumber(step)],
          [label, format(row.values[snapshot] ?? NaN)],
        ]);
      }}
      onPointerLeave={() => {
        onHover(null);
        hideTip();
      }}
      onClick={(event) => {
        const { row, step } = at(event);
        if (row) onOpen(row.layer, step);
      }}
    />
  );
}
