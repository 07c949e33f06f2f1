import { useCallback, useMemo, useRef, useState } from 'preact/hooks';
import type { Grid } from '../model/matrix';
import { Canvas } from '../ui/canvas';
import { hideTip, showTip } from '../ui/tooltip';
import { hatch, rgbRamp, type Scheme } from './palette';
import { pan, zoom, type Viewport } from './viewport';
import './chart.css';
import './heatmap.css';

interface HeatmapProps {
  grid: Grid;
  low: number;
  high: number;
  scheme: Scheme;
  view: Viewport;
  size: number;
  dark: boolean;
  label: string;
  describe(row: number, column: number): { title: string; lines: [string, string][] };
  onView(view: Viewport): void;
  /** A cell is chosen, by a click or Enter. */
  onPick?(row: number, column: number): void;
}

/** One pixel per cell, created once; a change of the view only draws it at another scale. */
function picture({ rows, columns, values }: Grid, low: number, high: number, scheme: Scheme, dark: boolean) {
  const ramp = rgbRamp(scheme, dark);
  const canvas = document.createElement('canvas');
  canvas.width = columns;
  canvas.height = rows;
  const context = canvas.getContext('2d');
  const image = context?.createImageData(columns, rows);
  if (!context || !image) return canvas;
  values.forEach((value, cell) => {
    if (Number.isNaN(value)) return;
    const level = Math.round(255 * Math.min(1, Math.max(0, (value - low) / (high - low))));
    for (let channel = 0; channel < 3; channel += 1)
      image.data[4 * cell + channel] = ramp[3 * level + channel] ?? 0;
    image.data[4 * cell + 3] = 255;
  });
  context.putImageData(image, 0, 0);
  return canvas;
}

const MOVES: Record<string, [number, number]> = {
  ArrowLeft: [0, -1],
  ArrowRight: [0, 1],
  ArrowUp: [-1, 0],
  ArrowDown: [1, 0],
};

/** A square map of cells: hover or arrow keys read a cell, ctrl + wheel or +/− zoom, dragging moves. */
export function Heatmap(props: HeatmapProps) {
  const { grid, low, high, scheme, view, size, dark, label, describe, onView, onPick } = props;
  const [cell, setCell] = useState<{ row: number; column: number } | null>(null);
  const drag = useRef<{ x: number; y: number; view: Viewport } | null>(null);
  const moved = useRef(false);
  const source = useMemo(() => picture(grid, low, high, scheme, dark), [grid, low, high, scheme, dark]);
  const scale = size / view.span;

  const draw = useCallback(
    (context: CanvasRenderingContext2D) => {
      context.fillStyle = hatch(context, dark);
      context.fillRect(0, 0, size, size);
      context.imageSmoothingEnabled = false;
      context.drawImage(source, view.x, view.y, view.span, view.span, 0, 0, size, size);
      if (!cell) return;
      context.lineWidth = 1.5;
      context.strokeStyle = dark ? '#fff' : '#111';
      const side = Math.max(4, scale);
      context.strokeRect((cell.column - view.x) * scale, (cell.row - view.y) * scale, side, side);
    },
    [source, view, size, cell, scale, dark],
  );

  const point = (row: number, column: number, x: number, y: number) => {
    setCell({ row, column });
    const { title, lines } = describe(row, column);
    showTip(x, y, title, lines);
  };
  const leave = () => {
    setCell(null);
    hideTip();
  };
  const place = (event: MouseEvent) => {
    const { left, top } = (event.currentTarget as HTMLElement).getBoundingClientRect();
    return { u: (event.clientX - left) / size, v: (event.clientY - top) / size };
  };
  return (
    <div
      class="heatmap"
      role="application"
      aria-label={`${label}. Arrow keys read a cell, plus and minus zoom.`}
      // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- cells are read by arrow keys
      tabIndex={0}
      onKeyDown={(event) => {
        const move = MOVES[event.key];
        if (event.key === '+' || event.key === '=') onView(zoom(view, grid.rows, 1.5));
        else if (event.key === '-') onView(zoom(view, grid.rows, 1 / 1.5));
        else if (event.key === 'Escape') leave();
        else if (event.key === 'Enter' && cell) onPick?.(cell.row, cell.column);
        else if (move) {
          const from = cell ?? { row: Math.floor(view.y), column: Math.floor(view.x) };
          const row = Math.min(grid.rows - 1, Math.max(0, from.row + (cell ? move[0] : 0)));
          const column = Math.min(grid.columns - 1, Math.max(0, from.column + (cell ? move[1] : 0)));
          const { left, top } = event.currentTarget.getBoundingClientRect();
          point(row, column, left + (column + 1 - view.x) * scale, top + (row + 1 - view.y) * scale);
        } else return;
        event.preventDefault();
        event.stopPropagation();
      }}
      onBlur={leave}
    >
      <Canvas
        width={size}
        height={size}
        label={label}
        draw={draw}
        class={view.span < grid.rows ? 'pick movable' : 'pick'}
        onPointerDown={(event) => {
          drag.current = { x: event.clientX, y: event.clientY, view };
          moved.current = false;
          if (view.span < grid.rows) event.currentTarget.setPointerCapture(event.pointerId);
        }}
        onPointerUp={() => (drag.current = null)}
        onPointerMove={(event) => {
          if (drag.current && event.buttons) {
            const { x, y, view: start } = drag.current;
            moved.current ||= Math.hypot(x - event.clientX, y - event.clientY) > 4;
            onView(pan(start, grid.rows, (x - event.clientX) / scale, (y - event.clientY) / scale));
            return;
          }
          const { u, v } = place(event);
          const [row, column] = [Math.floor(view.y + v * view.span), Math.floor(view.x + u * view.span)];
          if (row >= 0 && row < grid.rows && column >= 0 && column < grid.columns) {
            point(row, column, event.clientX, event.clientY);
          }
        }}
        onPointerLeave={leave}
        onWheel={(event) => {
          if (!event.ctrlKey && !event.metaKey) return;
          event.preventDefault();
          const { u, v } = place(event);
          onView(zoom(view, grid.rows, Math.exp(-event.deltaY / 200), u, v));
        }}
        onClick={(event) => {
          const { u, v } = place(event);
          const [row, column] = [Math.floor(view.y + v * view.span), Math.floor(view.x + u * view.span)];
          if (!moved.current && row < grid.rows && column < grid.columns) onPick?.(row, column);
        }}
        onDblClick={(event) => {
          const { u, v } = place(event);
          onView(zoom(view, grid.rows, 2, u, v));
        }}
      />
    </div>
  );
}
