import type { Finding } from '../summaries/cnndiag_pb';
import type { LayerMatrix } from './layers';
import { indexAt } from './snapshots';

/** Maximum number of runs that are compared with the base, and their number if none was chosen. */
const MAX_RUNS = 7;
const DEFAULT_RUNS = 3;

/** The runs that are compared with the base: the chosen ones, else the first few. */
export function comparedRuns<E extends { id: string }>(
  runs: readonly E[],
  base: E | undefined,
  wanted: readonly string[],
): E[] {
  const others = runs.filter(({ id }) => id !== base?.id);
  const chosen = others.filter(({ id }) => wanted.includes(id));
  return chosen.length ? chosen.slice(0, MAX_RUNS) : others.slice(0, DEFAULT_RUNS);
}

/** How a finding in another run differs from the base. */
export type Change = 'new' | 'fixed' | 'common' | '';

export interface ComparedFinding {
  finding: Finding;
  /** The finding in each run, the base first; undefined if the run does not have it. */
  found: (Finding | undefined)[];
  /** The change in each run except the base. */
  changes: Change[];
}

/** All findings of all runs, those of the base first; the same fault in the same layer is the same finding. */
export function findingsOfAll(base: readonly Finding[], others: readonly (readonly Finding[])[]) {
  const runs = [base, ...others].map((findings) => new Map(findings.map((one) => [key(one), one])));
  const all = new Map([...runs].reverse().flatMap((findings) => [...findings]));
  const order = new Set(runs.flatMap((findings) => [...findings.keys()]));
  return [...order].flatMap((name): ComparedFinding[] => {
    const finding = all.get(name);
    const [own, ...rest] = runs.map((findings) => findings.get(name));
    if (!finding) return [];
    const changes = rest.map((other): Change =>
      own && other ? 'common' : own ? 'fixed' : other ? 'new' : '',
    );
    return [{ finding, found: [own, ...rest], changes }];
  });
}

const key = ({ fault, layer }: Finding) => `${fault}\n${layer}`;

/** The snapshots of several runs on one axis; if several have one at a step, that of the first run. */
export function allSnapshots<L extends { step: number }>(runs: readonly (readonly L[])[]): L[] {
  const snapshots = new Map(
    [...runs].reverse().flatMap((own) => own.map((snapshot) => [snapshot.step, snapshot])),
  );
  return [...snapshots.values()].sort((a, b) => a.step - b.step);
}

/**
 * `run` minus `against`, by layer path, at the snapshots of `run`; for logarithmic measures log₁₀ of their ratio.
 * NaN if either was not measured.
 */
export function difference(run: LayerMatrix, against: LayerMatrix, logarithmic: boolean): LayerMatrix {
  const values = new Float32Array(run.values.length).fill(NaN);
  const rows = new Map(against.layers.map((layer, row) => [layer, row]));
  run.layers.forEach((layer, row) => {
    const other = rows.get(layer);
    if (other === undefined) return;
    run.steps.forEach((step, snapshot) => {
      const at = indexAt(against.steps, step);
      if (at < 0) return;
      const a = run.values[row * run.steps.length + snapshot] ?? NaN;
      const b = against.values[other * against.steps.length + at] ?? NaN;
      values[row * run.steps.length + snapshot] = logarithmic ? Math.log10(a / b) : a - b;
    });
  });
  return { ...run, values };
}
