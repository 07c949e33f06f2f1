import { formatLabeled, words } from '../model/format';
import type { Evidence } from '../summaries/cnndiag_pb';
import './evidence.css';

function EvidenceItem({ name, evidence }: { name: string; evidence: Evidence }) {
  const { value, limit, unit } = evidence;
  const span = Math.max(unit === 'share' ? 1 : 0, Math.abs(value), Math.abs(limit ?? 0)) || 1;
  return (
    <li>
      <span>
        {name} <b>{formatLabeled(value, unit)}</b>
        {limit !== undefined && <> (threshold {formatLabeled(limit, unit)})</>}
      </span>
      {limit !== undefined && Number.isFinite(value) && (
        <span class="evidence-bar" aria-hidden="true">
          <span style={{ width: `${(100 * Math.abs(value)) / span}%` }} />
          <i style={{ left: `${(100 * Math.abs(limit)) / span}%` }} />
        </span>
      )}
    </li>
  );
}

/** The numbers that a finding is based on, with their thresholds. */
export function EvidenceList({ evidence }: { evidence: Record<string, Evidence> }) {
  return (
    <ul class="evidence">
      {Object.entries(evidence).map(([name, one]) => (
        <EvidenceItem key={name} name={words(name)} evidence={one} />
      ))}
    </ul>
  );
}
