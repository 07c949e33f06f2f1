import { formatNumber } from '../model/format';
import { stepTicks, xOf, type Timeline } from './timeline';
import './chart.css';
import './axis.css';

interface StepAxisProps {
  axis: Timeline;
  label?: string;
  /** Steps with a mark of their own: a diagnostic was left out there. */
  marked?: readonly { step: number }[];
}

/** The step axis below charts that share a timeline. */
export function StepAxis({ axis, label = 'step', marked = [] }: StepAxisProps) {
  return (
    <svg class="chart axis" width={axis.left + axis.width + axis.right} height={22} aria-hidden="true">
      <line x1={axis.left} x2={axis.left + axis.width} y1={0.5} y2={0.5} class="rule" />
      {stepTicks(axis).map((step) => {
        const x = axis.left + xOf(axis, step);
        return (
          <g key={step}>
            <line x1={x} x2={x} y1={0} y2={4} class="rule" />
            <text x={x} y={16} text-anchor="middle">
              {formatNumber(step)}
            </text>
          </g>
        );
      })}
      {marked.map(({ step }) => (
        <circle key={step} cx={axis.left + xOf(axis, step)} cy={3.5} r={2.5} class="left-out" />
      ))}
      <text x={axis.left - 8} y={16} text-anchor="end" class="unit">
        {label}
      </text>
    </svg>
  );
}

/** Vertical lines across charts at the chosen step and at the step under the pointer. */
export function Cursor({ axis, step, hover }: { axis: Timeline; step: number; hover: number | null }) {
  const left = (at: number) => axis.left + xOf(axis, Math.min(Math.max(at, axis.low), axis.high));
  return (
    <>
      <div class="cursor" style={{ left: left(step) }} />
      {hover !== null && hover !== step && <div class="cursor hovering" style={{ left: left(hover) }} />}
    </>
  );
}
