import type { Finding } from '../summaries/cnndiag_pb';
import type { LayerMatrix } from './layers';
import { indexAt } from './looks';

export interface FindingChanges {
  /** In the run, not in the one it is compared with. */
  added: Finding[];
  /** In the one it is compared with, not in the run. */
  gone: Finding[];
  common: Finding[];
}

const key = ({ fault, layer }: Finding) => `${fault}\n${layer}`;

/** Findings of a run against those of another; the same fault in the same layer is the same finding. */
export function compareFindings(run: readonly Finding[], against: readonly Finding[]): FindingChanges {
  const [own, other] = [new Set(run.map(key)), new Set(against.map(key))];
  return {
    added: run.filter((finding) => !other.has(key(finding))),
    gone: against.filter((finding) => !own.has(key(finding))),
    common: run.filter((finding) => other.has(key(finding))),
  };
}

/**
 * `run` minus `against`, by layer path, at the looks of `run`; logarithmic measures as log₁₀ of their ratio.
 * NaN where either was not measured.
 */
export function difference(run: LayerMatrix, against: LayerMatrix, logarithmic: boolean): LayerMatrix {
  const values = new Float32Array(run.values.length).fill(NaN);
  const looks = against.steps.map((step) => ({ step }));
  const rows = new Map(against.layers.map((layer, row) => [layer, row]));
  run.layers.forEach((layer, row) => {
    const other = rows.get(layer);
    if (other === undefined) return;
    run.steps.forEach((step, look) => {
      const at = indexAt(looks, step);
      if (at < 0) return;
      const a = run.values[row * run.steps.length + look] ?? NaN;
      const b = against.values[other * against.steps.length + at] ?? NaN;
      values[row * run.steps.length + look] = logarithmic ? Math.log10(a / b) : a - b;
    });
  });
  return { ...run, values };
}
