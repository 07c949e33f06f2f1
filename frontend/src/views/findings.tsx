import {
  causes,
  coverageSummary,
  openChecks,
  Severity,
  SEVERITY_WORDS,
  worst,
  type Cause,
} from '../model/findings';
import { formatIndices, formatNumber, plural, words } from '../model/format';
import { useStore, type RunState } from '../state/store';
import type { Finding } from '../summaries/cnndiag_pb';
import { SeverityIcon } from '../ui/icons';
import { Adjustments } from './adjustments';
import { EvidenceList } from './evidence';
import './findings.css';

function Units({ finding }: { finding: Finding }) {
  const count = finding.units.reduce((sum, { units }) => sum + units.length, 0);
  if (!count) return null;
  const groups = finding.units.slice(0, 4).map(({ units }) => formatIndices(units, 6));
  return (
    <p class="note">
      {plural(count, 'unit')}
      {finding.units.length > 1 ? ` in ${plural(finding.units.length, 'group')}` : ''}: {groups.join(' | ')}
      {finding.units.length > 4 ? ' | …' : ''}
    </p>
  );
}

function Card({ cause, open, diagnosis }: { cause: Cause; open: boolean; diagnosis: boolean }) {
  const store = useStore();
  const { finding, effects } = cause;
  const word = SEVERITY_WORDS[finding.severity];
  const steps =
    finding.firstStep === finding.lastStep
      ? `at step ${formatNumber(Number(finding.firstStep))}`
      : `steps ${formatNumber(Number(finding.firstStep))} to ${formatNumber(Number(finding.lastStep))}`;
  const here = store.view.value.screen === 'layer' && store.view.value.layer === finding.layer;
  const label = here ? 'Show the chart' : finding.layer ? 'Show in the layer' : 'Show the last step';
  const show = () =>
    store.go({
      screen: finding.layer ? 'layer' : 'overview',
      layer: finding.layer,
      step: Number(finding.lastStep),
      chart: finding.diagnostic,
    });
  return (
    <li class={`finding ${word}`}>
      <details open={open}>
        <summary>
          <SeverityIcon severity={finding.severity} />
          <span class="finding-title">
            <span class="finding-severity">{word}</span> <b>{finding.title || words(finding.fault)}</b>
            {finding.layer && <span class="path clamped">{finding.layer}</span>}
          </span>
          {diagnosis && <span class="finding-badge">diagnosis</span>}
        </summary>
        <div class="finding-body">
          <p class="clamped">{finding.message}</p>
          <EvidenceList evidence={finding.evidence} />
          <Units finding={finding} />
          <Adjustments adjustments={finding.adjustments} />
          <div class="row">
            <button type="button" onClick={show}>
              {label}
            </button>
            <span class="note">{steps}</span>
          </div>
        </div>
      </details>
      {effects.length > 0 && (
        <div class="finding-effects">
          <h3>Effects</h3>
          <ul>
            {effects.map((effect, i) => (
              <Card key={i} cause={effect} open={false} diagnosis={false} />
            ))}
          </ul>
        </div>
      )}
    </li>
  );
}

const NO_JUDGMENT = {
  none: 'Not judged yet. Findings are written with the first snapshot.',
  loading: 'Loading the findings …',
  failed: 'The findings could not be loaded.',
};

/** How many checks passed, and which could not be judged, with the reasons. */
export function Checks({ run }: { run: RunState }) {
  const { coverage } = run;
  if (!coverage.length) return null;
  return (
    <details class="checks">
      <summary>{coverageSummary(coverage)}</summary>
      <ul>
        {openChecks(coverage).map(({ fault, reason }) => (
          <li key={fault}>
            <b>{fault}</b>: {reason}
          </li>
        ))}
      </ul>
    </details>
  );
}

/** The highest severity in a run; undefined if it is not known. */
export function verdict(run: RunState): Severity | undefined {
  return run.judgment === 'known' ? worst(run.findings) : undefined;
}

/** What is faulty, causes first; in one layer, or in the whole run. */
export function FindingsList({ run, layer }: { run: RunState; layer?: string }) {
  const whole = layer === undefined;
  const shown = causes(run.findings, (finding) => whole || finding.layer === layer);
  if (!shown.length) {
    const { judgment } = run;
    return (
      <p class="no-findings">
        <SeverityIcon severity={judgment === 'known' ? Severity.SEVERITY_UNSPECIFIED : undefined} />
        {judgment === 'known' ? `No fault found in this ${whole ? 'run' : 'layer'}.` : NO_JUDGMENT[judgment]}
      </p>
    );
  }
  return (
    <ul class="findings">
      {shown.map((cause, i) => (
        <Card
          key={`${cause.finding.fault}\n${cause.finding.layer}`}
          cause={cause}
          open={i === 0}
          diagnosis={i === 0 && whole}
        />
      ))}
    </ul>
  );
}

/** The number of findings of each severity. */
export function FindingCounts({ run }: { run: RunState }) {
  const { findings } = run;
  const counts = [Severity.ERROR, Severity.WARNING, Severity.INFO].map(
    (severity) => [severity, findings.filter((finding) => finding.severity === severity).length] as const,
  );
  const shown = counts.filter(([, count]) => count > 0);
  return (
    <span class="finding-counts">
      {shown.length === 0 && <SeverityIcon severity={verdict(run)} label />}
      {shown.map(([severity, count]) => (
        <span key={severity} class="finding-count" title={plural(count, SEVERITY_WORDS[severity])}>
          <SeverityIcon severity={severity} label />
          {count}
        </span>
      ))}
    </span>
  );
}
