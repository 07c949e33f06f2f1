import { formatNumber } from '../model/format';
import { useCallback, useMemo } from 'preact/hooks';
import { ALIVE, DEAD, NEARLY_DEAD, NOT_OBSERVED, REVIVED, UNIT_STATES } from '../model/states';
import { Canvas } from '../ui/canvas';
import { hideTip, showTip } from '../ui/tooltip';
import { hatch } from './palette';
import { edges, snapshotAtPixel, type Timeline } from './timeline';
import './chart.css';

const COLORS: Record<'light' | 'dark', Record<number, string>> = {
  light: { [ALIVE]: '#cfe3ee', [NEARLY_DEAD]: '#e9a63a', [DEAD]: '#2a2433', [REVIVED]: '#3f9c7a' },
  dark: { [ALIVE]: '#2c4a5f', [NEARLY_DEAD]: '#d99a2b', [DEAD]: '#f1eef6', [REVIVED]: '#4fc79b' },
};

export function stateColor(state: number, dark: boolean): string | undefined {
  return COLORS[dark ? 'dark' : 'light'][state];
}

interface UnitMapProps {
  /** Units from top to bottom. */
  units: number[];
  /** State of every unit at each snapshot, by unit. */
  states: Uint8Array[];
  steps: number[];
  axis: Timeline;
  rowHeight: number;
  dark: boolean;
  noun: string;
  onHover(step: number | null): void;
  onPick(step: number): void;
  /** Opens the page of a unit: by a double click. */
  onOpen?(unit: number): void;
}

/** Units × snapshots, colored by state. */
export function UnitMap(props: UnitMapProps) {
  const { units, states, steps, axis, rowHeight, dark, noun, onHover, onPick, onOpen } = props;
  const cells = useMemo(() => edges(axis, steps), [axis, steps]);
  const draw = useCallback(
    (context: CanvasRenderingContext2D) => {
      const missing = hatch(context, dark);
      const gap = rowHeight >= 5 ? 1 : 0;
      context.clearRect(0, 0, axis.width, units.length * rowHeight);
      states.forEach((snapshot, i) => {
        const left = Math.round(cells[i] ?? 0);
        const right = Math.round(cells[i + 1] ?? 0);
        units.forEach((unit, row) => {
          const state = snapshot[unit] ?? NOT_OBSERVED;
          context.fillStyle = stateColor(state, dark) ?? missing;
          context.fillRect(left, row * rowHeight, right - left - (right - left > 6 ? 1 : 0), rowHeight - gap);
        });
      });
    },
    [units, states, cells, axis, rowHeight, dark],
  );
  const at = (event: MouseEvent) => {
    const { left, top } = (event.currentTarget as HTMLElement).getBoundingClientRect();
    const snapshot = snapshotAtPixel(axis, steps, event.clientX - left);
    return {
      snapshot,
      unit: units[Math.floor((event.clientY - top) / rowHeight)],
      step: steps[snapshot] ?? 0,
    };
  };
  return (
    <Canvas
      width={axis.width}
      height={units.length * rowHeight}
      label={`State of ${units.length} ${noun}s over ${steps.length} snapshots`}
      draw={draw}
      class="pick"
      onPointerMove={(event) => {
        const { snapshot, unit, step } = at(event);
        if (unit === undefined) return;
        onHover(step);
        showTip(event.clientX, event.clientY, `${noun} ${unit}`, [
          ['step', formatNumber(step)],
          ['state', UNIT_STATES[states[snapshot]?.[unit] ?? NOT_OBSERVED] ?? ''],
        ]);
      }}
      onPointerLeave={() => {
        onHover(null);
        hideTip();
      }}
      onClick={(event) => onPick(at(event).step)}
      onDblClick={(event) => {
        const { unit } = at(event);
        if (unit !== undefined) onOpen?.(unit);
      }}
    />
  );
}
