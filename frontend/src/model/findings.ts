import { Finding_Severity as Severity, type Finding } from '../summaries/cnndiag_pb';
import type { Series } from '../data/source';
import { looksOf } from './looks';

export { Severity };

export const SEVERITY_WORDS: Record<Severity, string> = {
  [Severity.ERROR]: 'error',
  [Severity.WARNING]: 'warning',
  [Severity.INFO]: 'info',
  [Severity.SEVERITY_UNSPECIFIED]: 'unknown',
};

/** The findings of a run: the last message tells all. */
export function findingsOf(series: Series | undefined): Finding[] {
  return looksOf(series?.items ?? [], 'findings').at(-1)?.value.findings ?? [];
}

/** Findings of each layer, the gravest first. */
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
    (gravest, { severity }) => Math.max(gravest, severity),
    Severity.SEVERITY_UNSPECIFIED,
  );
}

/** A finding with those that it causes. */
export interface Cause {
  finding: Finding;
  effects: Cause[];
}

/**
 * The findings that are `shown`, causes first, effects beneath the nearest cause that is shown too. `causedBy` is a
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
