import { line } from 'd3-shape';
import { formatNumber, formatValue, tickFormat } from '../model/format';
import { hideTip, showTip } from '../ui/tooltip';
import { GridLines } from './grid_lines';
import { verticalAxis } from './ticks';
import { snapshotAtPixel, xOf, type Timeline } from './timeline';
import './chart.css';
import './lines.css';

export interface Line {
  name: string;
  points: { step: number; value: number }[];
  color: string;
  /** SVG dash pattern, so that lines differ by more than color. */
  dash?: string;
}

interface LinesProps {
  lines: Line[];
  axis: Timeline;
  height: number;
  unit: string;
  logarithmic?: boolean;
  /** Bounds of possible values; equal if unbounded. */
  low?: number;
  high?: number;
  label: string;
  onHover(step: number | null): void;
  onPick?(step: number): void;
}

function domainOf({ lines, logarithmic, low = 0, high = 0 }: LinesProps): [number, number] {
  if (!logarithmic && low < high) return [low, high];
  const values = lines
    .flatMap(({ points }) => points.map(({ value }) => value))
    .filter((value) => Number.isFinite(value) && (!logarithmic || value > 0));
  if (!values.length) return logarithmic ? [0.1, 1] : [0, 1];
  const [least, most] = values.reduce(([a, b], v) => [Math.min(a, v), Math.max(b, v)], [Infinity, -Infinity]);
  if (logarithmic) return least === most ? [least / 10, most * 10] : [least / 1.5, most * 1.5];
  return [Math.min(0, least), most > least || most !== 0 ? Math.max(most, 0) : 1];
}

/** Lines over steps, with ticks at the left; missing values leave a gap. */
export function Lines(props: LinesProps) {
  const { lines, axis, height, unit, logarithmic, label, onHover, onPick } = props;
  const zeros = logarithmic && lines.some(({ points }) => points.some(({ value }) => value === 0));
  const y = verticalAxis(domainOf(props), [height - 6, 6], logarithmic ?? false, zeros);
  if (zeros && !lines.some(({ points }) => points.some(({ value }) => value > 0))) y.ticks = [];
  const path = line<Line['points'][number]>()
    .defined(({ value }) => Number.isFinite(value) && y(value) !== y.zero)
    .x(({ step }) => axis.left + xOf(axis, step))
    .y(({ value }) => y(value));
  const steps = [...new Set(lines.flatMap(({ points }) => points.map(({ step }) => step)))].sort(
    (a, b) => a - b,
  );
  const stepOf = (event: MouseEvent) => {
    const { left } = (event.currentTarget as Element).getBoundingClientRect();
    return steps[snapshotAtPixel(axis, steps, event.clientX - left - axis.left)];
  };
  return (
    <svg
      class="chart lines"
      width={axis.left + axis.width + axis.right}
      height={height}
      role="img"
      aria-label={`${label}, ${lines.map(({ name }) => name).join(', ')} over steps`}
      onPointerMove={(event) => {
        const step = stepOf(event);
        if (step === undefined) return;
        onHover(step);
        showTip(
          event.clientX,
          event.clientY,
          `step ${formatNumber(step)}`,
          lines.map(({ name, points }) => [
            name,
            formatValue(points.find((point) => point.step === step)?.value ?? NaN, unit),
          ]),
        );
      }}
      onPointerLeave={() => {
        onHover(null);
        hideTip();
      }}
      onClick={(event) => {
        const step = stepOf(event);
        if (step !== undefined) onPick?.(step);
      }}
    >
      <GridLines y={y} left={axis.left} right={axis.left + axis.width} format={tickFormat(y.ticks, unit)} />
      {lines.map((one) => (
        <g key={one.name} style={{ color: one.color }}>
          <path d={path(one.points) ?? ''} stroke-dasharray={one.dash} />
          {one.points
            .filter(({ value }) => Number.isFinite(value) && (one.points.length < 60 || y(value) === y.zero))
            .map(({ step, value }) => (
              <circle
                key={step}
                cx={axis.left + xOf(axis, step)}
                cy={y(value)}
                r={y(value) === y.zero ? 3 : 2}
                class={y(value) === y.zero ? 'hollow' : undefined}
              />
            ))}
        </g>
      ))}
    </svg>
  );
}
