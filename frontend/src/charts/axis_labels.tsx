import './chart.css';
import './axis_labels.css';
interface AxisLabelsProps {
  names: string[];
  from: number;
  span: number;
  length: number;
  depth: number;
  side: 'left' | 'top';
}

/** Minimum distance of labels in pixels. */
const MIN_DISTANCE = { left: 13, top: 22 };

/** Names of the rows or columns of a map; those that do not fit are left out. */
export function AxisLabels({ names, from, span, length, depth, side }: AxisLabelsProps) {
  const scale = length / span;
  const each = Math.max(1, Math.ceil(MIN_DISTANCE[side] / scale));
  const [width, height] = side === 'left' ? [depth, length] : [length, depth];
  return (
    <svg class="chart axis-labels" width={width} height={height} aria-hidden="true">
      {names.map((name, i) => {
        const at = (i + 0.5 - from) * scale;
        if (i % each !== 0 || at < 0 || at > length) return null;
        const most = Math.floor((depth - 8) / 6);
        const text = name.length > most ? `…${name.slice(1 - most)}` : name;
        return side === 'left' ? (
          <text key={i} x={depth - 6} y={at} dy="0.32em" text-anchor="end">
            {text}
          </text>
        ) : (
          <text key={i} x={at} y={depth - 6} text-anchor="middle">
            {text}
          </text>
        );
      })}
    </svg>
  );
}
