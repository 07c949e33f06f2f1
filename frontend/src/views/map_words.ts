import type { NodeFace } from '../charts/map_style';
import { SEVERITY_WORDS } from '../model/findings';
import { formatNumber, plural } from '../model/format';
import { fieldWords, type Measure } from '../model/layers';
import { briefCount, kindWords, nodeTitle, shapeWords, type NodeFaults } from '../model/map_faces';
import type { MapNode } from '../model/network';
import type { Finding, LayerInfo } from '../summaries/cnndiag_pb';
import type { Table } from '../ui/download';

/** Findings that are named next to a node; more are counted. */
const NAMED = 6;

function parametersOf({ rows }: MapNode, layers: readonly LayerInfo[]): number {
  return rows.reduce((sum, row) => sum + Number(layers[row]?.parameters ?? 0), 0);
}

/** What is written and colored in a node. */
export function faceOf(
  node: MapNode,
  layers: readonly LayerInfo[],
  faults: NodeFaults | undefined,
  history: Float32Array,
  pattern: RegExp | undefined,
): NodeFace {
  const layer = layers[node.rows[0] ?? 0];
  const last = layers[node.rows.at(-1) ?? 0];
  const field = last?.receptiveField;
  const sees = field?.whole ? 'sees all' : field ? `sees ${Math.round(field.axes[0]?.size ?? 0)}` : '';
  const kind = node.block ? plural(node.rows.length, 'layer') : layer ? kindWords(layer) : '';
  return {
    id: node.id,
    title: nodeTitle(node, layers),
    kind: `${kind} · ${briefCount(parametersOf(node, layers))}`,
    shape: [last ? shapeWords(last) : '', sees].filter(Boolean).join(' · '),
    fault: faults?.title ?? '',
    since: faults?.since ?? '',
    severity: faults?.severity ?? 0,
    history,
    block: node.block !== undefined,
    skip: node.skip,
    input: node.input,
    output: node.output,
    found: !pattern || node.rows.some((row) => pattern.test(layers[row]?.path ?? '')),
  };
}

/** Everything about a node, as shown next to it; `shown` is the measure with its value. */
export function wordsOf(
  node: MapNode,
  layers: readonly LayerInfo[],
  shown: [string, string][],
  findings: readonly Finding[],
  judged: boolean,
): { title: string; lines: [string, string][] } {
  const layer = layers[node.rows[0] ?? 0];
  const last = layers[node.rows.at(-1) ?? 0];
  if (!layer || !last) return { title: '', lines: [] };
  const named = findings
    .slice(0, NAMED)
    .map(({ severity, firstStep, title }): [string, string] => [
      `${SEVERITY_WORDS[severity]} since step ${formatNumber(Number(firstStep))}`,
      title,
    ]);
  const more = findings.length - named.length;
  const lines: [string, string][] = [
    node.block ? ['block of', plural(node.rows.length, 'layer')] : ['kind', kindWords(layer)],
    ['output', shapeWords(last)],
    ['sees', fieldWords(last)],
    ['parameters', formatNumber(parametersOf(node, layers))],
    ...shown,
    ...named,
    ['and', more > 0 ? plural(more, 'finding') : ''],
    ['findings', judged && !findings.length ? 'none' : ''],
  ];
  return {
    title: node.block ? node.block.name : layer.path,
    lines: lines.filter(([, value]) => value !== ''),
  };
}

/** The map as a table: each layer with what it reads from, its measure and its findings. */
export function tableOf(
  layers: readonly LayerInfo[],
  findings: ReadonlyMap<string, Finding[]>,
  measure: Measure | undefined,
  valueOf: (path: string) => number,
): Table {
  return {
    columns: [
      'layer',
      'kind',
      'output',
      'sees',
      'parameters',
      'reads from',
      measure?.column.title ?? '',
      'findings',
    ],
    units: ['', '', '', '', '', '', measure?.column.unit, ''],
    rows: layers.map((layer) => [
      layer.path,
      kindWords(layer),
      shapeWords(layer),
      fieldWords(layer),
      Number(layer.parameters),
      layer.inputs.map((row) => layers[row]?.path ?? '').join(', '),
      valueOf(layer.path),
      (findings.get(layer.path) ?? [])
        .map(({ title, firstStep }) => `${title} since step ${firstStep}`)
        .join('; '),
    ]),
  };
}
