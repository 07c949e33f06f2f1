import type { Finding, LayerInfo } from '../summaries/cnndiag_pb';
import { causes, Severity, worst, type Cause } from './findings';
import { formatNumber, plural } from './format';
import type { MapNode, Network } from './network';

/** Kernel and stride, units: `Conv2D 3×3/2`. */
export function kindWords(layer: LayerInfo): string {
  const kernel = layer.kernelShape.slice(0, -2).join('×');
  const stride = strideOf(layer);
  return `${layer.className}${kernel ? ` ${kernel}` : ''}${stride > 1 ? `/${stride}` : ''}`;
}

/** Largest stride in the layer's config; 1 if it names none. */
export function strideOf({ config }: LayerInfo): number {
  const found = /"strides":\s*\[?([\d,\s]+)/.exec(config)?.[1];
  return found ? Math.max(...found.split(',').map(Number).filter(Number.isFinite)) : 1;
}

export function shapeWords({ outputShape, units }: LayerInfo): string {
  return outputShape.length ? outputShape.map((n) => n || '?').join('×') : `${units}`;
}

/** Number of parameters in few characters: 2.36 M. */
export function briefCount(count: number): string {
  if (count < 1000) return formatNumber(count);
  const [size, sign] = count < 1e6 ? [count / 1e3, 'k'] : [count / 1e6, 'M'];
  return `${Number(size.toPrecision(3))} ${sign}`;
}

/** What is wrong in a node: the worst findings, and the step at which the first of them was seen. */
export interface NodeFaults {
  severity: Severity;
  findings: Finding[];
  /** Title of the worst, and since when; empty if nothing is wrong. */
  title: string;
  since: string;
}

export function faultsOf(
  rows: readonly number[],
  layers: readonly LayerInfo[],
  findings: ReadonlyMap<string, Finding[]>,
): NodeFaults {
  const own = rows.flatMap((row) => findings.get(layers[row]?.path ?? '') ?? []);
  const severity = worst(own);
  const bad = own.filter((finding) => finding.severity === severity);
  const [first] = bad.toSorted((a, b) => Number(a.firstStep - b.firstStep));
  if (!first) return { severity, findings: own, title: '', since: '' };
  const more = own.length > 1 ? `, ${own.length - 1} more` : '';
  return {
    severity,
    findings: own,
    title: first.title,
    since: `since ${formatNumber(Number(first.firstStep))}${more}`,
  };
}

/** From the node of each cause to the nodes of its effects, each pair once. */
export function causeArrows(
  findings: readonly Finding[],
  network: Network,
  layers: readonly LayerInfo[],
): { from: string; to: string }[] {
  const nodeOf = new Map<string, string>();
  for (const { id, rows } of network.nodes) {
    for (const row of rows) nodeOf.set(layers[row]?.path ?? '', id);
  }
  const found = new Map<string, { from: string; to: string }>();
  const visit = ({ finding, effects }: Cause) => {
    const from = nodeOf.get(finding.layer);
    for (const effect of effects) {
      const to = nodeOf.get(effect.finding.layer);
      if (from && to && from !== to) found.set(`${from} ${to}`, { from, to });
      visit(effect);
    }
  };
  causes(findings, ({ layer }) => nodeOf.has(layer)).forEach(visit);
  return [...found.values()];
}

/** How many layers are healthy, and what was wrong first. */
export function healthWords(layers: readonly LayerInfo[], findings: readonly Finding[]): string {
  const ill = new Set(findings.filter(({ severity }) => severity > Severity.INFO).map(({ layer }) => layer));
  const bad = layers.filter(({ path }) => ill.has(path)).length;
  const first = findings
    .filter(({ layer, severity }) => layer && severity > Severity.INFO)
    .toSorted((a, b) => Number(a.firstStep - b.firstStep) || b.severity - a.severity)[0];
  if (!first) return `No finding in ${plural(layers.length, 'layer')}`;
  return (
    `${formatNumber(layers.length - bad)} of ${plural(layers.length, 'layer')} without a finding; ` +
    `the first since step ${formatNumber(Number(first.firstStep))}: ${first.title} in ${first.layer}`
  );
}

/** The name of a node within the unfolded blocks around it. */
export function nodeTitle({ block, within, rows }: MapNode, layers: readonly LayerInfo[]): string {
  const name = block ? block.name : (layers[rows[0] ?? 0]?.path ?? '');
  const around = within.at(-1)?.name ?? '';
  if (!around || !name.startsWith(around)) return name.slice(name.lastIndexOf('/') + 1);
  return /^[/_]./.test(name.slice(around.length)) ? name.slice(around.length + 1) : name;
}
