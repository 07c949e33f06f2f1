import type { Axis } from './ticks';

interface GridLinesProps {
  y: Axis;
  left: number;
  right: number;
  format(value: number): string;
}

/** Lines at the ticks of a vertical axis, values at the left; on a logarithmic scale zero has a line of its own. */
export function GridLines({ y, left, right, format }: GridLinesProps) {
  const line = (at: number, label: string, kind: string) => (
    <g key={label}>
      <line x1={left} x2={right} y1={at} y2={at} class={kind} />
      <text x={left - 8} y={at} dy="0.32em" text-anchor="end">
        {label}
      </text>
    </g>
  );
  return (
    <>
      {y.ticks.map((tick) => line(y(tick), format(tick), 'grid'))}
      {y.zero !== undefined && line(y.zero, '0', 'grid zero')}
    </>
  );
}
