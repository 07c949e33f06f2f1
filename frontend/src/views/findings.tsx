import {
  causes,
  coverageSummary,
  grouped,
  namedLayers,
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
import { lazy } from '../ui/lazy';
import { useNear } from '../ui/near';
import { Adjustments } from './adjustments';
import { EvidenceList } from './evidence';
import './findings.css';

/** Units of a finding that can be opened at once. */
const OPENED = 8;

function Units({ finding }: { finding: Finding }) {
  const store = useStore();
  const count = finding.units.reduce((sum, { units }) => sum + units.length, 0);
  if (!count) return null;
  const first = finding.units.flatMap(({ units }) => units).slice(0, OPENED);
  const groups = finding.units.slice(0, 4).map(({ units }) => formatIndices(units, 6));
  return (
    <p class="note">
      {plural(count, 'unit')}
      {finding.units.length > 1 ? ` in ${plural(finding.units.length, 'group')}` : ''}: {groups.join(' | ')}
      {finding.units.length > 4 ? ' | …' : ''}
      {finding.layer && (
        <span class="finding-units">
          Open{' '}
          {first.map((unit) => (
            <button
              key={unit}
              type="button"
              class="quiet"
              aria-label={`Open unit ${unit} of ${finding.layer}`}
              onClick={() => store.go({ screen: 'unit', layer: finding.layer, unit, chart: '' })}
            >
              {unit}
            </button>
          ))}
        </span>
      )}
    </p>
  );
}

/** Faults whose card shows images of the probe. */
const WITH_IMAGES = ['collapsed_output', 'mode_collapse', 'dead_units', 'redundant_filters'];

const FindingImages = lazy('the images', 60, () =>
  import('./finding_images').then((module) => module.FindingImages),
);

/** The images of a finding, loaded when the card is open and near the window. */
function Images({ run, finding }: { run: RunState; finding: Finding }) {
  const [ref, near] = useNear<HTMLDivElement>();
  const layer = run.layers.find(({ path }) => path === finding.layer);
  if (!layer || !WITH_IMAGES.includes(finding.fault)) return null;
  return (
    <div ref={ref} class="finding-pictures">
      {near && <FindingImages run={run} layer={layer} finding={finding} />}
    </div>
  );
}

interface CardProps {
  run: RunState;
  finding: Finding;
  effects: readonly Cause[];
  open: boolean;
  diagnosis?: boolean;
  /** The group says what the fault is. */
  inGroup?: boolean;
}

function Card({ run, finding, effects, open, diagnosis = false, inGroup = false }: CardProps) {
  const store = useStore();
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
          {inGroup ? (
            <span class="finding-title path clamped">{finding.layer}</span>
          ) : (
            <>
              <SeverityIcon severity={finding.severity} />
              <span class="finding-title">
                <span class="finding-severity">{word}</span> <b>{finding.title || words(finding.fault)}</b>
                {finding.layer && <span class="path clamped">{finding.layer}</span>}
              </span>
            </>
          )}
          {diagnosis && <span class="finding-badge">diagnosis</span>}
        </summary>
        <div class="finding-body">
          <p class="clamped">{finding.message}</p>
          <EvidenceList evidence={finding.evidence} />
          <Units finding={finding} />
          <Images run={run} finding={finding} />
          <Adjustments adjustments={finding.adjustments} />
          <div class="row">
            <button type="button" onClick={show}>
              {label}
            </button>
            <span class="note">{steps}</span>
          </div>
        </div>
      </details>
      <Effects run={run} effects={effects} />
    </li>
  );
}

/** One fault in several layers, which unfolds to a card for each. */
function GroupCard({
  run,
  group,
  open,
  diagnosis,
}: {
  run: RunState;
  group: readonly Cause[];
  open: boolean;
  diagnosis: boolean;
}) {
  const [first] = group;
  if (!first) return null;
  const { severity, title, fault } = first.finding;
  const findings = group.map(({ finding }) => finding);
  const word = SEVERITY_WORDS[severity];
  return (
    <li class={`finding ${word}`}>
      <details open={open}>
        <summary>
          <SeverityIcon severity={severity} />
          <span class="finding-title">
            <span class="finding-severity">{word}</span> <b>{title || words(fault)}</b> in{' '}
            {plural(group.length, 'layer')}
            <span class="path clamped">{namedLayers(findings)}</span>
          </span>
          {diagnosis && <span class="finding-badge">diagnosis</span>}
        </summary>
        <ul class="finding-layers">
          {findings.map((finding, i) => (
            <Card
              key={finding.layer}
              run={run}
              finding={finding}
              effects={[]}
              open={open && i === 0}
              inGroup
            />
          ))}
        </ul>
      </details>
      <Effects run={run} effects={group.flatMap(({ effects }) => effects)} />
    </li>
  );
}

function Effects({ run, effects }: { run: RunState; effects: readonly Cause[] }) {
  if (!effects.length) return null;
  return (
    <div class="finding-effects">
      <h3>Effects</h3>
      <ul>
        {grouped(effects).map((group, i) => (
          <Entry key={i} run={run} group={group} open={false} diagnosis={false} />
        ))}
      </ul>
    </div>
  );
}

interface EntryProps {
  run: RunState;
  group: readonly Cause[];
  open: boolean;
  diagnosis: boolean;
}

function Entry({ run, group, open, diagnosis }: EntryProps) {
  const [only] = group;
  return only && group.length === 1 ? (
    <Card run={run} finding={only.finding} effects={only.effects} open={open} diagnosis={diagnosis} />
  ) : (
    <GroupCard run={run} group={group} open={open} diagnosis={diagnosis} />
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
      {grouped(shown).map((group, i) => (
        <Entry
          key={`${group[0]?.finding.fault}\n${group[0]?.finding.layer}`}
          run={run}
          group={group}
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
