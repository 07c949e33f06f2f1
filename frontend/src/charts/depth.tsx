import { formatValue, tickFormat } from '../model/format';
import { hideTip, showTip } from '../ui/tooltip';
import type { ColorScale } from './palette';
import { GridLines } from './grid_lines';
import { verticalAxis } from './ticks';
import './chart.css';
import './depth.css';

interface DepthProps {
  layers: string[];
  values: number[];
  scale: ColorScale;
  width: number;
  height: number;
  /** Pixels left of the plot, so that it aligns with the charts above. */
  left: number;
  label: string;
  chosen?: string;
  unit: string;
  onOpen(layer: string): void;
}

const MARGIN = { right: 10, top: 8, bottom: 22 };
/** Wider bands have room for names; others are numbered. */
const NAMED = 84;
const CHARACTER = 6.5;

/** The last name of a path, shortened to fit. */
function shortName(path: string, band: number): string {
  const name = path.slice(path.lastIndexOf('/') + 1);
  const most = Math.floor((band - 8) / CHARACTER);
  return name.length > most ? `${name.slice(0, most - 1)}…` : name;
}

/** One number per layer in network order: a measure over the depth of the model at one step. */
export function Depth({
  layers,
  values,
  scale,
  width,
  height,
  left,
  label,
  chosen,
  unit,
  onOpen,
}: DepthProps) {
  const zeros = scale.logarithmic && values.includes(0);
  const ends: [number, number] = [height - MARGIN.bottom - (zeros ? 6 : 0), MARGIN.top];
  const y = verticalAxis([scale.low, scale.high], ends, scale.logarithmic, zeros);
  if (zeros && !values.some((value) => value > 0)) y.ticks = [];
  const band = (width - left - MARGIN.right) / Math.max(1, layers.length);
  const x = (i: number) => left + band * (i + 0.5);
  const each = Math.max(1, Math.ceil(22 / band));
  return (
    <svg class="chart" width={width} height={height} role="group" aria-label={`${label} by depth`}>
      <GridLines y={y} left={left} right={width - MARGIN.right} format={tickFormat(y.ticks, unit)} />
      {layers.map((layer, i) => {
        const value = values[i] ?? NaN;
        if (!Number.isFinite(value)) return null;
        return (
          <g
            key={layer}
            class={layer === chosen ? 'stem pick chosen' : 'stem pick'}
            onPointerMove={(event) =>
              showTip(event.clientX, event.clientY, layer, [[label, formatValue(value, unit)]])
            }
            onPointerLeave={hideTip}
            onClick={() => onOpen(layer)}
          >
            <rect x={x(i) - band / 2} y={0} width={band} height={height - MARGIN.bottom} class="hit" />
            {y(value) !== y.zero && <line x1={x(i)} x2={x(i)} y1={y(y.floor)} y2={y(value)} />}
            <circle
              cx={x(i)}
              cy={y(value)}
              r={Math.min(4, Math.max(2, band / 3))}
              class={y(value) === y.zero ? 'hollow' : undefined}
            />
          </g>
        );
      })}
      {layers.map((layer, i) =>
        i % each === 0 ? (
          <text key={layer} x={x(i)} y={height - 8} text-anchor="middle">
            {band > NAMED ? shortName(layer, band) : i + 1}
          </text>
        ) : null,
      )}
      <text x={left - 8} y={height - 8} text-anchor="end" class="unit">
        layer
      </text>
    </svg>
  );
}
