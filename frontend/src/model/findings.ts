import {
  Coverage_Status as Status,
  Finding_Severity as Severity,
  type Coverage,
  type Finding,
} from '../summaries/cnndiag_pb';
import type { Series } from '../data/source';
import { plural, words } from './format';
import { snapshotsOf } from './snapshots';

export { Severity };

export const SEVERITY_WORDS: Record<Severity, string> = {
  [Severity.ERROR]: 'error',
  [Severity.WARNING]: 'warning',
  [Severity.INFO]: 'info',
  [Severity.SEVERITY_UNSPECIFIED]: 'unknown',
};

/** The findings of a run: each message contains all findings so far. */
export function findingsOf(series: Series | undefined): Finding[] {
  return snapshotsOf(series?.items ?? [], 'findings').at(-1)?.value.findings ?? [];
}

/** How the judgment of each fault of a run ended; empty if the log does not say. */
export function coverageOf(series: Series | undefined): Coverage[] {
  return snapshotsOf(series?.items ?? [], 'findings').at(-1)?.value.coverage ?? [];
}

const STATUS_WORDS: readonly (readonly [Status, string])[] = [
  [Status.FOUND, 'failed'],
  [Status.CLEAR, 'passed'],
  [Status.NOT_APPLICABLE, 'not applicable'],
  [Status.UNKNOWN, 'could not be judged'],
  [Status.CRASHED, 'crashed'],
];

/** `21 checks: 1 failed, 15 passed, 2 not applicable, 3 could not be judged`, as in text reports. */
export function coverageSummary(coverage: readonly Coverage[]): string {
  const counts = STATUS_WORDS.map(
    ([status, word]) => [coverage.filter((each) => each.status === status).length, word] as const,
  );
  const shown = counts.filter(([count]) => count > 0).map(([count, word]) => `${count} ${word}`);
  return `${plural(coverage.length, 'check')}: ${shown.join(', ')}`;
}

/** The checks that say why they passed without a judgment: crashed and unknown ones first. */
export function openChecks(coverage: readonly Coverage[]): { fault: string; reason: string }[] {
  return [Status.CRASHED, Status.UNKNOWN, Status.NOT_APPLICABLE].flatMap((status) =>
    coverage
      .filter((each) => each.status === status)
      .map(({ fault, reason }) => ({
        fault: `${words(fault)}${status === Status.CRASHED ? ' (crashed)' : ''}`,
        reason,
      })),
  );
}

/** The findings of each layer, the most severe first. */
export function byLayer(findings: readonly Finding[]): Map<string, Finding[]> {
  const layers = new Map<string, Finding[]>();
  for (const finding of findings) {
    if (finding.layer) layers.set(finding.layer, [...(layers.get(finding.layer) ?? []), finding]);
  }
  for (const list of layers.values()) list.sort((a, b) => b.severity - a.severity);
  return layers;
}

export function worst(findings: readonly Finding[]): Severity {
  return findings.reduce<Severity>(
    (highest, { severity }) => Math.max(highest, severity),
    Severity.SEVERITY_UNSPECIFIED,
  );
}

/** A finding with its effects. */
export interface Cause {
  finding: Finding;
  effects: Cause[];
}

/**
 * The findings that are `shown`, causes first, effects below the nearest cause that is shown too. `causedBy` is a
 * position in all findings, from 1; a reference in a circle or to nowhere counts as none.
 */
export function causes(
  findings: readonly Finding[],
  shown: (finding: Finding) => boolean = () => true,
): Cause[] {
  const nodes = new Map(
    findings.filter(shown).map((finding): [Finding, Cause] => [finding, { finding, effects: [] }]),
  );
  const causeOf = ({ causedBy }: Finding) => findings[causedBy - 1];
  const nearest = (finding: Finding): Cause | undefined => {
    const seen = new Set([finding]);
    let found: Cause | undefined;
    for (let cause = causeOf(finding); cause; cause = causeOf(cause)) {
      if (seen.has(cause)) return undefined;
      seen.add(cause);
      found ??= nodes.get(cause);
    }
    return found;
  };
  return [...nodes.values()].filter((node) => {
    const cause = nearest(node.finding);
    cause?.effects.push(node);
    return !cause;
  });
}

/** Causes of one fault and severity together, in the order of their first ones. */
export function grouped(causes: readonly Cause[]): Cause[][] {
  const groups = new Map<string, Cause[]>();
  for (const cause of causes) {
    const key = `${cause.finding.fault}\n${cause.finding.severity}`;
    groups.set(key, [...(groups.get(key) ?? []), cause]);
  }
  return [...groups.values()];
}

const MOST_NAMED = 4;

/** Layers by name, up to four; of more, the first and the last: as in text reports. */
export function namedLayers(findings: readonly Finding[]): string {
  const names = findings.map(({ layer }) => layer || 'the model');
  return names.length <= MOST_NAMED ? names.join(', ') : `${names[0]} … ${names.at(-1)}`;
}
