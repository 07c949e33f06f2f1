import { formatValue, unitLabel, words } from '../model/format';
import type { Evidence } from '../summaries/cnndiag_pb';
import './evidence.css';

function Bullet({ name, evidence }: { name: string; evidence: Evidence }) {
  const { value, limit, unit } = evidence;
  const span = Math.max(unit === 'share' ? 1 : 0, Math.abs(value), Math.abs(limit ?? 0)) || 1;
  const told = `${formatValue(value, unit)} ${unitLabel(unit)}`;
  return (
    <li>
      <span class="evidence-name">{words(name)}</span>
      {limit !== undefined && Number.isFinite(value) && (
        <span class="evidence-bar" aria-hidden="true">
          <span style={{ width: `${(100 * Math.abs(value)) / span}%` }} />
          <i style={{ left: `${(100 * Math.abs(limit)) / span}%` }} />
        </span>
      )}
      <span class="evidence-value">
        <b>{told}</b>
        {limit !== undefined && <> limit {formatValue(limit, unit)}</>}
      </span>
    </li>
  );
}

/** What a finding rests on: each number, against its threshold when it has one. */
export function EvidenceList({ evidence }: { evidence: Record<string, Evidence> }) {
  return (
    <ul class="evidence">
      {Object.entries(evidence).map(([name, one]) => (
        <Bullet key={name} name={name} evidence={one} />
      ))}
    </ul>
  );
}
