import { scaleLinear } from 'd3-scale';
import { area, line } from 'd3-shape';
import { formatNumber, formatValue } from '../model/format';
import { hideTip, showTip } from '../ui/tooltip';
import './chart.css';
import './ridgeline.css';

export interface Ridge {
  step: number;
  curve: { x: number; y: number }[];
  atoms: { value: number; mass: number }[];
  /** Names and values in the tooltip. */
  facts: [string, string][];
}

interface RidgelineProps {
  ridges: Ridge[];
  width: number;
  step: number;
  unit: string;
  label: string;
  onPick(step: number): void;
}

const SPACING = 22;
const RISE = 58;
/** Height of an atom of 100 %: less than a row, so that the stems of adjacent rows do not overlap. */
const STEM = 18;
const LEFT = 60;
const RIGHT = 112;
const BOTTOM = 34;

/** Density at full height: near the 95th percentile of the peaks, so that one sharp peak does not flatten the others. */
function ceiling(ridges: Ridge[]): number {
  const peaks = ridges
    .map(({ curve }) => curve.reduce((top, { y }) => Math.max(top, y), 0))
    .sort((a, b) => a - b);
  const typical = peaks[Math.floor(0.95 * (peaks.length - 1))] ?? 1;
  return Math.min(peaks.at(-1) ?? 1, typical * 1.5) || 1;
}

/** The height of a ridge that is cut off. */
function CutOff({
  ridge,
  limit,
  x,
  y,
}: {
  ridge: Ridge;
  limit: number;
  x(value: number): number;
  y: number;
}) {
  const peak = ridge.curve.reduce((most, point) => (point.y > most.y ? point : most), { x: 0, y: 0 });
  if (peak.y <= limit) return null;
  const shown = ridge.curve.findLast((point) => point.y >= limit) ?? peak;
  return (
    <text x={x(shown.x) + 8} y={y + 8}>
      ↑ {formatNumber(peak.y)}
    </text>
  );
}

/**
 * Densities, one ridge per snapshot, the earliest on top. Areas are densities of the continuous part. An atom is a
 * probability: it is drawn as a stem (100 % is the height of a row) and written at the right.
 */
export function Ridgeline({ ridges, width, step, unit, label, onPick }: RidgelineProps) {
  const low = Math.min(...ridges.flatMap(({ curve }) => curve[0]?.x ?? 0), 0);
  const high = Math.max(...ridges.flatMap(({ curve }) => curve.at(-1)?.x ?? 0), low + 1e-9);
  const x = scaleLinear([low, high], [LEFT, width - RIGHT]);
  const top = ceiling(ridges);
  const height = RISE + SPACING * ridges.length + BOTTOM;
  const base = (i: number) => RISE + SPACING * i + 12;
  const rise = (y: number) => Math.min(1.15, y / top) * RISE;
  const hasAtoms = ridges.some(({ atoms }) => atoms.length > 0);
  const ticks = x.ticks(Math.max(3, Math.floor((width - LEFT - RIGHT) / 70)));
  const named = ridges.find(({ atoms }) => atoms.length)?.atoms ?? [];
  return (
    <svg class="chart ridges" width={width} height={height} role="group" aria-label={label}>
      {ticks.map((tick) => (
        <g key={tick}>
          <line x1={x(tick)} x2={x(tick)} y1={14} y2={height - BOTTOM} class="grid" />
          <text x={x(tick)} y={height - BOTTOM + 14} text-anchor="middle">
            {formatNumber(tick)}
          </text>
        </g>
      ))}
      <text x={(LEFT + width - RIGHT) / 2} y={height - 4} text-anchor="middle" class="unit">
        {unit}
      </text>
      <text x={LEFT - 8} y={11} text-anchor="end" class="unit">
        step
      </text>
      {hasAtoms && (
        <text x={width - RIGHT + 12} y={11} class="unit">
          exactly {named.map(({ value }) => formatNumber(value)).join(' or ')}
        </text>
      )}
      {ridges.map((ridge, i) => {
        const y0 = base(i);
        const chosen = ridge.step === step;
        const outline = line<Ridge['curve'][number]>()
          .x((p) => x(p.x))
          .y((p) => y0 - rise(p.y));
        const fill = area<Ridge['curve'][number]>()
          .x((p) => x(p.x))
          .y0(y0)
          .y1((p) => y0 - rise(p.y));
        return (
          <g
            key={ridge.step}
            class={chosen ? 'ridge pick chosen' : 'ridge pick'}
            onPointerMove={(event) =>
              showTip(event.clientX, event.clientY, `step ${formatNumber(ridge.step)}`, ridge.facts)
            }
            onPointerLeave={hideTip}
            onClick={() => onPick(ridge.step)}
          >
            <rect x={0} y={y0 - SPACING + 4} width={width} height={SPACING} class="hit" />
            <path class="area" d={fill(ridge.curve) ?? ''} />
            <path class="outline" d={outline(ridge.curve) ?? ''} />
            <CutOff ridge={ridge} limit={1.15 * top} x={x} y={y0 - 1.15 * RISE} />
            {ridge.atoms.map(({ value, mass }) => (
              <g key={value} class="atom">
                <line x1={x(value)} x2={x(value)} y1={y0} y2={y0 - mass * STEM} />
                <circle cx={x(value)} cy={y0 - mass * STEM} r={2.5} />
              </g>
            ))}
            <text x={LEFT - 8} y={y0} text-anchor="end">
              {formatNumber(ridge.step)}
            </text>
            {ridge.atoms.slice(0, 1).map(({ mass }) => (
              <g key="share">
                <rect x={width - RIGHT + 12} y={y0 - 8} width={52} height={8} class="track" />
                <rect x={width - RIGHT + 12} y={y0 - 8} width={52 * mass} height={8} class="fill" />
                <text x={width - RIGHT + 70} y={y0}>
                  {formatValue(mass, 'share')}
                </text>
              </g>
            ))}
          </g>
        );
      })}
    </svg>
  );
}
