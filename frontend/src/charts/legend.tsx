import { painter, type ColorScale } from './palette';
import './legend.css';

const SAMPLES = 24;

/** The legend of a color scale: ramp, ends, and the sign for missing values. */
export function RampLegend({
  scale,
  format,
  dark,
  missing = false,
  leftOut = false,
}: {
  scale: ColorScale;
  format: (value: number) => string;
  dark: boolean;
  missing?: boolean;
  /** Whether the axis marks snapshots that the diagnostic was left out of. */
  leftOut?: boolean;
}) {
  const paint = painter({ low: 0, high: 1, logarithmic: false, scheme: scale.scheme }, dark);
  const colors = Array.from({ length: SAMPLES }, (_, i) => paint(i / (SAMPLES - 1)));
  return (
    <span class="legend">
      <span>{format(scale.low)}</span>
      <span class="legend-ramp" style={{ background: `linear-gradient(90deg, ${colors.join(',')})` }} />
      <span>{format(scale.high)}</span>
      {scale.logarithmic && <span>logarithmic</span>}
      {missing && (
        <span class="legend-key">
          <span class="legend-swatch hatched" /> not measured
        </span>
      )}
      {leftOut && (
        <span class="legend-key">
          <span class="legend-ring" /> left out
        </span>
      )}
    </span>
  );
}

export function KeyLegend({
  keys,
}: {
  keys: { name: string; color?: string; dash?: string; kind?: string }[];
}) {
  return (
    <span class="legend">
      {keys.map(({ name, color, dash, kind }) => (
        <span class="legend-key" key={name}>
          <span
            class={`legend-swatch ${kind ?? ''} ${dash ? 'dashed' : ''} ${color ? '' : 'hatched'}`}
            style={color ? (kind === 'line' ? { borderColor: color } : { background: color }) : undefined}
          />{' '}
          {name}
        </span>
      ))}
    </span>
  );
}
