import { SEVERITY_WORDS, Severity } from '../model/findings';
import './icons.css';

const PATHS = {
  play: 'M5 3.2v9.6L13 8z',
  pause: 'M4 3h3v10H4zM9 3h3v10H9z',
  previous: 'M10.5 3 5.5 8l5 5',
  next: 'm5.5 3 5 5-5 5',
  close: 'm4 4 8 8m0-8-8 8',
  more: 'M3 8h.01M8 8h.01M13 8h.01',
  fold: 'm4 6 4 4 4-4',
} as const;

export function Icon({ name }: { name: keyof typeof PATHS }) {
  const solid = name === 'play' || name === 'pause';
  return (
    <svg class={solid ? 'icon solid' : 'icon'} viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  );
}

const SHAPES: Record<Severity, string> = {
  [Severity.ERROR]: 'M5.2 1h5.6L15 5.2v5.6L10.8 15H5.2L1 10.800V5.200z',
  [Severity.WARNING]: 'M8 1.200 15.400 14.500H.6z',
  [Severity.INFO]: 'M8 .8a7.2 7.2 0 1 0 0 14.400A7.200 7.200 0 0 0 8 .8z',
  [Severity.SEVERITY_UNSPECIFIED]: 'M8 .8a7.2 7.2 0 1 0 0 14.400A7.200 7.200 0 0 0 8 .8z',
};
const SIGNS: Record<Severity, string> = {
  [Severity.ERROR]: 'M8 4.200v4.600M8 11.300v.6',
  [Severity.WARNING]: 'M8 6v4M8 12v.5',
  [Severity.INFO]: 'M8 7v4.500M8 4.300v.5',
  [Severity.SEVERITY_UNSPECIFIED]: 'm4.700 8.200 2.300 2.300 4.300-4.800',
};

interface SeverityIconProps {
  /** Undefined if nothing has been judged. */
  severity: Severity | undefined;
  label?: boolean;
}

/**
 * Severity as shape and color: `SEVERITY_UNSPECIFIED` is a check mark (no fault found), undefined an empty ring.
 */
export function SeverityIcon({ severity, label }: SeverityIconProps) {
  const word = severity === undefined ? 'not judged' : severity ? SEVERITY_WORDS[severity] : 'healthy';
  return (
    <svg
      class={`severity ${word.replace(' ', '-')}`}
      viewBox="0 0 16 16"
      width="16"
      height="16"
      role={label ? 'img' : undefined}
      aria-label={label ? word : undefined}
      aria-hidden={label ? undefined : 'true'}
    >
      <path class="shape" d={SHAPES[severity ?? Severity.INFO]} />
      {severity !== undefined && <path class="sign" d={SIGNS[severity]} />}
    </svg>
  );
}
