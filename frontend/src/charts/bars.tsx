import { scaleLinear } from 'd3-scale';
import { useCallback } from 'preact/hooks';
import { formatNumber } from '../model/format';
import { Canvas } from '../ui/canvas';
import { hideTip, showTip } from '../ui/tooltip';
import './chart.css';
import './bars.css';

interface BarsProps {
  values: number[];
  width: number;
  height: number;
  label: string;
  noun: string;
  dark: boolean;
}

const LEFT = 56;

/** One bar per unit. */
export function Bars({ values, width, height, label, noun, dark }: BarsProps) {
  const finite = values.filter(Number.isFinite);
  const [low, high] = finite.reduce(([a, b], v) => [Math.min(a, v), Math.max(b, v)], [0, 0]);
  const y = scaleLinear([low, high === low ? low + 1 : high], [height - 6, 6]);
  const band = (width - LEFT) / Math.max(1, values.length);
  const draw = useCallback(
    (context: CanvasRenderingContext2D) => {
      context.clearRect(0, 0, width - LEFT, height);
      context.fillStyle = dark ? '#6cb8f0' : '#33719f';
      values.forEach((value, i) => {
        if (!Number.isFinite(value)) return;
        const [top, bottom] = [Math.min(y(value), y(0)), Math.max(y(value), y(0))];
        context.fillRect(i * band, top, Math.max(0.5, band - (band > 4 ? 1 : 0)), Math.max(1, bottom - top));
      });
    },
    [values, width, height, dark],
  );
  return (
    <div class="bars">
      <svg class="chart" width={LEFT} height={height} aria-hidden="true">
        {y.ticks(3).map((tick) => (
          <text key={tick} x={LEFT - 8} y={y(tick)} dy="0.32em" text-anchor="end">
            {formatNumber(tick)}
          </text>
        ))}
      </svg>
      <Canvas
        width={width - LEFT}
        height={height}
        label={label}
        draw={draw}
        onPointerMove={(event) => {
          const unit = Math.floor((event.clientX - event.currentTarget.getBoundingClientRect().left) / band);
          showTip(event.clientX, event.clientY, `${noun} ${unit}`, [
            [label, formatNumber(values[unit] ?? NaN)],
          ]);
        }}
        onPointerLeave={hideTip}
      />
    </div>
  );
}
