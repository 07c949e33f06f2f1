import { formatLabeled, formatValue, words } from '../model/format';
import type { DiagnosticInfo, Evidence } from '../summaries/cnndiag_pb';
import './evidence.css';

/** What a number of a diagnostic is called: its column's title within a sentence, else its name in words. */
function nameOf(name: string, diagnostic: DiagnosticInfo | undefined): string {
  const title = diagnostic?.columns.find((column) => column.name === name)?.title;
  return title ? title.replace(/^[A-Z](?=[a-z])/, (letter) => letter.toLowerCase()) : words(name);
}

function EvidenceItem({ name, evidence }: { name: string; evidence: Evidence }) {
  const { value, limit, unit } = evidence;
  const span = Math.max(unit === 'share' ? 1 : 0, Math.abs(value), Math.abs(limit ?? 0)) || 1;
  return (
    <li>
      <span class="evidence-name">{name}</span>
      {limit !== undefined && Number.isFinite(value) && (
        <span class="evidence-bar" aria-hidden="true">
          <span style={{ width: `${(100 * Math.abs(value)) / span}%` }} />
          <i style={{ left: `${(100 * Math.abs(limit)) / span}%` }} />
        </span>
      )}
      <span class="evidence-value">
        <b>{formatLabeled(value, unit)}</b>
        {limit !== undefined && <> (threshold {formatValue(limit, unit)})</>}
      </span>
    </li>
  );
}

interface EvidenceListProps {
  evidence: Record<string, Evidence>;
  /** The diagnostic that measured it, if it is known. */
  diagnostic: DiagnosticInfo | undefined;
}

/** The numbers that a finding is based on, with their thresholds. */
export function EvidenceList({ evidence, diagnostic }: EvidenceListProps) {
  return (
    <ul class="evidence">
      {Object.entries(evidence).map(([name, one]) => (
        <EvidenceItem key={name} name={nameOf(name, diagnostic)} evidence={one} />
      ))}
    </ul>
  );
}
