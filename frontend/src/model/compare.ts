import type { Finding } from '../summaries/cnndiag_pb';
import type { LayerMatrix } from './layers';
import { indexAt } from './looks';

/** Most runs shown beside the base, and how many when none was chosen. */
const MOST = 7;
const AT_FIRST = 3;

/** The runs set beside the base: those asked for, else the first few. */
export function beside<E extends { id: string }>(
  runs: readonly E[],
  base: E | undefined,
  wanted: readonly string[],
): E[] {
  const others = runs.filter(({ id }) => id !== base?.id);
  const chosen = others.filter(({ id }) => wanted.includes(id));
  return chosen.length ? chosen.slice(0, MOST) : others.slice(0, AT_FIRST);
}

/** What became of a finding between the base and another run. */
export type Change = 'new' | 'fixed' | 'common' | '';

export interface ComparedFinding {
  finding: Finding;
  /** Of each run, the base first: its own finding of that kind, if it has one. */
  found: (Finding | undefined)[];
  /** Of each run but the base. */
  changes: Change[];
}

/** Every finding of any run, the base's first; the same fault in the same layer is the same finding. */
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

/** Looks of several runs on one axis. */
export function allLooks<L extends { step: number }>(runs: readonly (readonly L[])[]): L[] {
  const looks = new Map([...runs].reverse().flatMap((own) => own.map((look) => [look.step, look])));
  return [...looks.values()].sort((a, b) => a.step - b.step);
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
