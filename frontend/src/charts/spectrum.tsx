import { scaleLog } from 'd3-scale';
import { line } from 'd3-shape';
import { formatNumber, tickFormat } from '../model/format';
import { hideTip, showTip } from '../ui/tooltip';
import { GridLines } from './grid_lines';
import { category } from './palette';
import { verticalAxis } from './ticks';
import './chart.css';
import './spectrum.css';

export interface RankedValue {
  /** 1 for the largest eigenvalue. */
  rank: number;
  value: number;
  /** NaN where the fit does not reach. */
  fit: number;
}

const LEFT = 56;
const BOTTOM = 34;
/** Smaller values than this share of the largest are rounding errors. */
const LOWEST = 1e-8;

function powersOfTen(most: number): number[] {
  const ticks = [];
  for (let tick = 1; tick <= most; tick *= 10) ticks.push(tick);
  return ticks;
}

/** Eigenvalues by rank on two logarithmic axes, where a power law is a straight line, with the law that was fitted. */
export function Spectrum({
  values,
  width,
  height,
  label,
  dark,
}: {
  values: RankedValue[];
  width: number;
  height: number;
  label: string;
  dark: boolean;
}) {
  const most = values[0]?.value ?? 1;
  const shown = values.filter(({ value }) => value > most * LOWEST);
  const last = shown[shown.length - 1];
  if (!last) return null;
  const right = width - 12;
  const x = scaleLog([1, Math.max(last.rank, 2)], [LEFT, right]);
  const top = Math.max(most, ...shown.map(({ fit }) => fit).filter(Number.isFinite));
  const y = verticalAxis([last.value / 1.2, top * 1.2], [height - BOTTOM, 8], true);
  const path = line<RankedValue>()
    .defined(({ fit }) => Number.isFinite(fit))
    .x(({ rank }) => x(rank))
    .y(({ fit }) => y(fit));
  const nearest = (at: number) =>
    shown.reduce((best, point) =>
      Math.abs(x(point.rank) - at) < Math.abs(x(best.rank) - at) ? point : best,
    );
  return (
    <svg
      class="chart spectrum"
      width={width}
      height={height}
      role="img"
      aria-label={label}
      onPointerMove={(event) => {
        const at = event.clientX - (event.currentTarget as Element).getBoundingClientRect().left;
        const point = nearest(at);
        const rows: [string, string][] = [['eigenvalue', formatNumber(point.value)]];
        if (Number.isFinite(point.fit)) rows.push(['power law', formatNumber(point.fit)]);
        showTip(event.clientX, event.clientY, `rank ${formatNumber(point.rank)}`, rows);
      }}
      onPointerLeave={hideTip}
    >
      <GridLines y={y} left={LEFT} right={right} format={tickFormat(y.ticks, '')} />
      {powersOfTen(last.rank).map((tick) => (
        <text key={tick} x={x(tick)} y={height - BOTTOM + 16} text-anchor="middle">
          {formatNumber(tick)}
        </text>
      ))}
      <text x={right} y={height - 4} text-anchor="end" class="unit">
        rank
      </text>
      <g style={{ color: category(0, dark) }}>
        {shown.map(({ rank, value }) => (
          <circle key={rank} cx={x(rank)} cy={y(value)} r={2.5} />
        ))}
      </g>
      <path d={path(shown) ?? ''} style={{ color: category(1, dark) }} />
    </svg>
  );
}
