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

/** Causes first, effects beneath them; a reference in a circle or to nowhere counts as none. */
export function causes(findings: readonly Finding[]): Cause[] {
  const nodes = findings.map((finding): Cause => ({ finding, effects: [] }));
  const rootOf = (start: number): boolean => {
    const seen = new Set<number>();
    let index = start;
    while (findings[index]?.causedBy) {
      if (seen.has(index)) return false;
      seen.add(index);
      index = (findings[index]?.causedBy ?? 0) - 1;
    }
    return nodes[index] !== undefined;
  };
  return nodes.filter((node, index) => {
    const cause = nodes[node.finding.causedBy - 1];
    if (!cause || !rootOf(index)) return true;
    cause.effects.push(node);
    return false;
  });
}
