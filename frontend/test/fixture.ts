/** Synthetic runs for tests and the development page: a healthy and a faulty training of a small CNN. */
import { create, toBinary, type MessageInitShape } from '@bufbuild/protobuf';
import { deflateSync } from './deflate';
import type { InlineData } from '../src/data/inline';
import type { RunEntry, TagEntry } from '../src/data/source';
import {
  Finding_Severity as Severity,
  MeasurementListSchema,
  MeasurementSchema,
  type FindingSchema,
} from '../src/summaries/cnndiag_pb';

type Init = MessageInitShape<typeof MeasurementSchema>;
type Payload = Exclude<Init['payload'], undefined>;

/** A small reproducible generator (mulberry32). */
export function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

export interface LayerSpec {
  path: string;
  role: 'conv' | 'dense';
  units: number;
  fanIn: number;
}

export const SMALL: LayerSpec[] = [
  { path: 'conv2d', role: 'conv', units: 16, fanIn: 9 },
  { path: 'conv2d_1', role: 'conv', units: 32, fanIn: 144 },
  { path: 'conv2d_2', role: 'conv', units: 32, fanIn: 288 },
  { path: 'conv2d_3', role: 'conv', units: 64, fanIn: 288 },
  { path: 'conv2d_4', role: 'conv', units: 64, fanIn: 576 },
  { path: 'conv2d_5', role: 'conv', units: 128, fanIn: 576 },
  { path: 'dense', role: 'dense', units: 64, fanIn: 1152 },
  { path: 'dense_1', role: 'dense', units: 10, fanIn: 64 },
];

/** A large model, which consists of blocks. */
export function largeModel(layers: number): LayerSpec[] {
  return Array.from({ length: layers }, (_, i) => ({
    path: `stage${Math.floor(i / 50) + 1}/block${Math.floor((i % 50) / 5) + 1}/conv2d_${(i % 5) + 1}`,
    role: 'conv',
    units: 16 << Math.min(3, Math.floor(i / 50)),
    fanIn: 144,
  }));
}

/** Names that must be shown as text. */
export const HOSTILE = [
  '<img src=x onerror="document.title=1">',
  '../../etc/passwd',
  'x'.repeat(10_000),
  '\u202Eright-to-left',
  '🙂🧠 émoji',
  'a&b=c#2%20',
];

const share = { unit: 'share', low: 0, high: 1 };
export const DIAGNOSTICS = [
  {
    name: 'filter_similarity',
    title: 'Filter similarity',
    description:
      'Filters with the same direction do the same work twice. Blocks along the diagonal are groups of near copies; the cut shows how many filters would be enough.',
    columns: [
      {
        name: 'twin_ratio',
        title: 'Twin filters',
        description: 'Share of filters with a near copy.',
        ...share,
      },
    ],
    layerKind: 'matrix',
  },
  {
    name: 'filter_clusters',
    title: 'Filter clusters',
    description: 'The tree joins filters in the order of their similarity.',
    columns: [{ name: 'clusters', title: 'Clusters', unit: 'count', description: 'Groups below the cut.' }],
    layerKind: 'dendrogram',
  },
  {
    name: 'dead_units',
    title: 'Dead units',
    description:
      'A dead unit gives the same output for every input, passes no gradient back, and cannot recover. Each row is a unit, each column a snapshot; a unit that fires rarely is alive.',
    columns: [
      {
        name: 'dead_ratio',
        title: 'Dead units',
        description: 'Share of units that never fire on the probe.',
        ...share,
      },
      { name: 'nearly_dead_ratio', title: 'Nearly dead units', description: 'Fire on under 1 %.', ...share },
      {
        name: 'dormant_ratio',
        title: 'Dormant units',
        description: 'Mean magnitude at most 2.5 %.',
        ...share,
      },
    ],
    layerKind: 'unit_states',
  },
  {
    name: 'activation_density',
    title: 'Activation density',
    description:
      'The distribution of the activations at each snapshot. A density is not a probability and may exceed one; the share of exact zeros is a probability and is drawn separately.',
    columns: [{ name: 'zero_share', title: 'Zeros', description: 'Share of values exactly 0.', ...share }],
    layerKind: 'density',
  },
  {
    name: 'gradient_flow',
    title: 'Gradient flow',
    description:
      'A layer learns only as fast as gradient reaches it: compare layers on a logarithmic scale. It is the gradient of the data loss that the optimizer receives.',
    columns: [
      {
        name: 'gradient_norm',
        title: 'Gradient norm',
        unit: 'norm',
        description: '‖g‖ of the kernel.',
        logarithmic: true,
      },
      {
        name: 'relative_gradient',
        title: 'Relative gradient',
        unit: 'ratio',
        description: '‖g‖ / ‖w‖.',
        logarithmic: true,
      },
    ],
  },
  {
    name: 'update_ratio',
    title: 'Update ratio',
    description: 'How much a step changes the weights: about 1e-3 is usual.',
    columns: [
      {
        name: 'update_ratio',
        title: 'Update ratio',
        unit: 'ratio',
        description: '‖Δw‖ / ‖w‖ per step.',
        logarithmic: true,
      },
    ],
  },
  {
    name: 'functional_similarity',
    title: 'Functional similarity',
    description:
      'Filters with different weights can still do the same work, and only their responses show it.',
    columns: [
      { name: 'alike_ratio', title: 'Units with similar responses', description: 'Share.', ...share },
    ],
    layerKind: 'matrix',
  },
  {
    name: 'filter_images',
    title: 'Filters',
    description: 'What each filter responds to. Colors diverge around 0; a dead filter is hatched.',
    columns: [],
    layerKind: 'images',
  },
  {
    name: 'layer_similarity',
    title: 'Layer similarity',
    description: 'Adjacent layers with similar representations add depth and cost, and little else.',
    columns: [],
    modelKind: 'matrix',
  },
  {
    name: 'training_curve',
    title: 'Training curve',
    description: 'Loss and metrics show whether something is wrong; the layers show where.',
    columns: [],
    modelKind: 'scalars',
  },
];

function float16(value: number): number {
  if (value <= 0) return 0;
  const exponent = Math.max(-14, Math.floor(Math.log2(value)));
  const fraction = Math.round((value / 2 ** exponent - 1) * 1024);
  return ((exponent + 15) << 10) + fraction;
}

function density(zero: number, spread: number): Payload {
  const points = 128;
  const stop = 6;
  const spacing = stop / (points - 1);
  const raw = Array.from({ length: points }, (_, i) => {
    const x = i * spacing;
    return Math.exp(-(((x - 0.6 * spread) / spread) ** 2)) + 0.12 * Math.exp(-(((x - 3.2) / 0.7) ** 2));
  });
  const area = raw.reduce((sum, y) => sum + y * spacing, 0);
  const bytes = new Uint8Array(2 * points);
  raw.forEach((y, i) => new DataView(bytes.buffer).setUint16(2 * i, float16((y / area) * (1 - zero)), true));
  return {
    case: 'density',
    value: {
      start: 0,
      stop,
      points,
      values: bytes,
      scale: 1,
      atoms: [{ value: 0, mass: zero }],
      bandwidth: 0.05,
      samples: 65536n,
    },
  };
}

/** Average linkage, the slow and obvious way, with its leaf order. */
function cluster(units: number, distance: (a: number, b: number) => number, cut: number) {
  let nodes = Array.from({ length: units }, (_, unit) => ({ leaves: [unit] }));
  const lastOfLeft: number[] = [];
  const height: number[] = [];
  const between = (a: number[], b: number[]) =>
    a.reduce((sum, i) => sum + b.reduce((s, j) => s + distance(i, j), 0), 0) / (a.length * b.length);
  const table = nodes.map((a) => nodes.map((b) => between(a.leaves, b.leaves)));
  while (nodes.length > 1) {
    let best = [0, 1];
    let least = Infinity;
    for (let i = 0; i < nodes.length; i += 1)
      for (let j = i + 1; j < nodes.length; j += 1) {
        const d = table[i]?.[j] ?? 0;
        if (d < least) [least, best] = [d, [i, j]];
      }
    const [i = 0, j = 1] = best;
    const [a, b] = [nodes[i], nodes[j]];
    if (!a || !b) break;
    lastOfLeft.push(a.leaves.at(-1) ?? 0);
    height.push(Math.max(least, height.at(-1) ?? 0));
    const merged = { leaves: [...a.leaves, ...b.leaves] };
    const row = nodes.map((_, k) => {
      const [da, db] = [table[i]?.[k] ?? 0, table[j]?.[k] ?? 0];
      return (da * a.leaves.length + db * b.leaves.length) / merged.leaves.length;
    });
    nodes = [...nodes.filter((_, k) => k !== i && k !== j), merged];
    const kept = table
      .filter((_, k) => k !== i && k !== j)
      .map((r) => r.filter((_, k) => k !== i && k !== j));
    const keptRow = row.filter((_, k) => k !== i && k !== j);
    kept.forEach((r, k) => r.push(keptRow[k] ?? 0));
    kept.push([...keptRow, 0]);
    table.splice(0, table.length, ...kept);
  }
  const order = nodes[0]?.leaves ?? [];
  const gap = lastOfLeft.map((leaf) => order.indexOf(leaf));
  return { units, gap, height, order, cut, unit: '1 − cosine' };
}

function similarity(layer: LayerSpec, groups: number, seed: number): [Payload, Payload] {
  const next = random(seed);
  const size = Math.min(layer.units, 64);
  const centers = Array.from({ length: size }, (_, u) => (u < groups * 4 ? u % groups : 100 + u));
  const noise = Array.from({ length: size }, () => Array.from({ length: size }, () => next() - 0.5));
  const cosine = (a: number, b: number) => {
    if (a === b) return 1;
    const jitter = (noise[Math.min(a, b)]?.[Math.max(a, b)] ?? 0) * 0.5;
    return centers[a] === centers[b] ? 0.975 + jitter * 0.06 : jitter;
  };
  const tree = cluster(size, (a, b) => 1 - cosine(a, b), 0.08);
  const cells: number[] = [];
  tree.order.forEach((a, row) => {
    for (const b of tree.order.slice(row)) cells.push(1 + Math.round(((cosine(a, b) + 1) / 2) * 254));
  });
  return [
    {
      case: 'matrix',
      value: {
        rows: size,
        columns: size,
        order: tree.order,
        pool: 1,
        symmetric: true,
        cells: deflateSync(Uint8Array.from(cells)),
        low: -1,
        high: 1,
        unit: 'cosine',
      },
    },
    { case: 'dendrogram', value: tree },
  ];
}

function packStates(states: number[]): Uint8Array {
  const bytes = new Uint8Array(Math.ceil(states.length / 4));
  states.forEach((state, unit) => (bytes[unit >> 2] = (bytes[unit >> 2] ?? 0) | (state << (2 * (unit & 3)))));
  return bytes;
}

const FINDINGS: MessageInitShape<typeof FindingSchema>[] = [
  {
    fault: 'dead_units',
    title: 'Dead units',
    layer: 'conv2d_3',
    severity: Severity.ERROR,
    firstStep: 158n,
    lastStep: 790n,
    units: [{ units: Array.from({ length: 61 }, (_, i) => i) }],
    evidence: {
      dead_ratio: { value: 0.953, limit: 0.5, unit: 'share' },
      learning_rate: { value: 0.08, unit: '' },
      samples: { value: 1024, unit: 'count' },
    },
    message:
      '61 of 64 filters of conv2d_3 are dead since step 158: no activation above zero on 1,024 samples.',
    adjustments: [
      {
        layer: '',
        parameter: 'learning_rate',
        current: '0.08',
        proposed: '0.008',
        reason: 'The units died during training; a smaller step keeps their biases above zero.',
      },
      {
        layer: 'conv2d_3',
        parameter: 'activation',
        current: 'relu',
        proposed: 'leaky_relu',
        reason: 'It keeps a gradient below zero.',
      },
    ],
    diagnostic: 'dead_units',
  },
  {
    fault: 'vanishing_gradient',
    title: 'Vanishing gradient',
    layer: 'conv2d',
    severity: Severity.WARNING,
    firstStep: 237n,
    lastStep: 790n,
    evidence: { first_to_last: { value: 2.3e-5, limit: 1e-3, unit: 'ratio' } },
    message: 'The gradient of conv2d is 43,000 times smaller than that of dense_1.',
    causedBy: 1,
    adjustments: [],
    diagnostic: 'gradient_flow',
  },
  {
    fault: 'redundant_filters',
    title: 'Redundant filters',
    layer: 'conv2d_1',
    severity: Severity.INFO,
    firstStep: 395n,
    lastStep: 790n,
    units: [{ units: [0, 6, 12, 18] }, { units: [1, 7, 13, 19] }],
    evidence: { twin_ratio: { value: 0.75, limit: 0.6, unit: 'share' } },
    message: '24 of 32 filters of conv2d_1 have a near copy; 14 would be enough.',
    adjustments: [
      {
        layer: 'conv2d_1',
        parameter: 'filters',
        current: '32',
        proposed: '14',
        reason: 'The tree has 14 clusters below the cut.',
      },
    ],
    diagnostic: 'filter_similarity',
  },
];

export interface RunSpec {
  run: string;
  faulty: boolean;
  layers?: LayerSpec[];
  snapshots?: number;
  heavyEvery?: number;
}

/** All measurements of one synthetic run, by tag. */
export function makeRun({
  run,
  faulty,
  layers = SMALL,
  snapshots = 11,
  heavyEvery = 1,
}: RunSpec): Map<string, Init[]> {
  const tags = new Map<string, Init[]>();
  const next = random(faulty ? 7 : 3);
  const add = (tag: string, init: Init) => tags.set(tag, [...(tags.get(tag) ?? []), init]);
  const base = (snapshot: number, diagnostic: string, layer = '') => ({
    version: 1,
    diagnostic,
    layer,
    step: BigInt(snapshot * 79),
    snapshot,
    epoch: snapshot,
    table: 'a',
  });
  add('cnndiag/run_info', {
    ...base(0, 'run_info'),
    payload: {
      case: 'runInfo',
      value: {
        table: 'a',
        model: 'sequential',
        diagnostics: DIAGNOSTICS,
        loss: '"sparse_categorical_crossentropy"',
        optimizer: JSON.stringify({ class_name: 'SGD', config: { learning_rate: faulty ? 0.08 : 0.01 } }),
        batchSize: 64,
        probe: { source: 'collected', samples: 256, classCounts: Array.from({ length: 10 }, () => 25) },
        versions: { keras: '3.15.1' },
        parameters: 255_306n,
        trainableParameters: 255_306n,
        layers: layers.map(({ path, role, units, fanIn }, i) => ({
          path,
          className: role === 'conv' ? 'Conv2D' : 'Dense',
          role,
          units,
          fanIn,
          kernelShape: role === 'conv' ? [3, 3, fanIn / 9, units] : [fanIn, units],
          outputShape:
            role === 'conv' ? [28 >> Math.min(3, i >> 1), 28 >> Math.min(3, i >> 1), units] : [units],
          trainable: true,
          activation: i === layers.length - 1 ? 'softmax' : 'relu',
          initializer: 'glorot_uniform',
          parameters: BigInt(units * fanIn + units),
          inputs: i ? [i - 1] : [],
          seenAt: path,
        })),
        notes: faulty ? ['dropout_1 was not observed: it lies inside TimeDistributed.'] : [],
      },
    },
  });
  for (let snapshot = 0; snapshot < snapshots; snapshot += 1) {
    const t = snapshot / (snapshots - 1);
    const dead = layers.map((_, i) => {
      if (!faulty) return i > 4 && i < 7 ? 0.03 * t : 0;
      return Math.min(
        1,
        Math.max(0, [0, 0.02, 0.12, 0.953, 0.55, 0.4, 0.3, 0][i % 8] ?? 0) * Math.min(1, t * 3.3),
      );
    });
    const columns: Record<string, [string, number[]][]> = {
      filter_similarity: [
        ['twin_ratio', layers.map((_, i) => (faulty && i % 8 === 1 ? 0.3 + 0.45 * t : 0.1 * next()))],
      ],
      filter_clusters: [['clusters', layers.map(({ units }) => Math.round(units * (0.9 - 0.3 * t)))]],
      dead_units: [
        ['dead_ratio', dead],
        ['nearly_dead_ratio', dead.map((d) => Math.min(1 - d, 0.06 * next()))],
        ['dormant_ratio', dead.map((d) => Math.min(1, d + 0.05 * next()))],
      ],
      activation_density: [
        ['zero_share', layers.map((_, i) => (i === layers.length - 1 ? NaN : 0.4 + 0.5 * (dead[i] ?? 0)))],
      ],
    };
    if (snapshot > 0) {
      columns.gradient_flow = [
        [
          'gradient_norm',
          layers.map(
            (_, i) =>
              10 **
              ((faulty ? -5 + (4.3 * i) / (layers.length - 1) : -1.4 + (0.6 * i) / layers.length) +
                next() * 0.4 -
                t),
          ),
        ],
        [
          'relative_gradient',
          layers.map(
            (_, i) =>
              10 **
              ((faulty ? -6 + (4.3 * i) / (layers.length - 1) : -2.4 + (0.6 * i) / layers.length) +
                next() * 0.4 -
                t),
          ),
        ],
      ];
      columns.update_ratio = [['update_ratio', layers.map(() => 10 ** (-3 + next() * 0.5))]];
      add('cnndiag/training_curve', {
        ...base(snapshot, 'training_curve'),
        payload: {
          case: 'scalars',
          value: {
            names: ['loss', 'accuracy', 'val_loss', 'val_accuracy', 'learning_rate'],
            values: faulty
              ? [2.31 - 0.02 * next(), 0.1 + 0.02 * next(), 2.3 + 0.01 * next(), 0.1 + 0.01 * next(), 0.08]
              : [
                  1.6 * Math.exp(-3 * t) + 0.05,
                  1 - 0.6 * Math.exp(-4 * t),
                  1.5 * Math.exp(-2.6 * t) + 0.12,
                  1 - 0.6 * Math.exp(-3 * t),
                  0.01,
                ],
          },
        },
      });
    }
    add('cnndiag/layer_similarity', {
      ...base(snapshot, 'layer_similarity'),
      payload: {
        case: 'matrix',
        value: {
          rows: layers.length,
          columns: layers.length,
          order: layers.map((_, i) => i),
          pool: 1,
          symmetric: true,
          low: 0,
          high: 1,
          unit: 'CKA',
          cells: deflateSync(
            Uint8Array.from(
              layers.flatMap((_, i) =>
                layers.slice(i).map((__, j) => 1 + Math.round(254 * Math.exp(-j * (0.2 + 0.3 * t)))),
              ),
            ),
          ),
        },
      },
    });
    for (const [diagnostic, own] of Object.entries(columns)) {
      add(`cnndiag/${diagnostic}`, {
        ...base(snapshot, diagnostic),
        payload: {
          case: 'layerColumns',
          value: { columns: own.map(([name, values]) => ({ name, values })) },
        },
      });
    }
    layers.forEach((layer, i) => {
      if (snapshot % heavyEvery !== 0) return;
      const states = Array.from({ length: layer.units }, (_, unit) => {
        const place = (unit * 37 + 11) % layer.units;
        const share = place / layer.units;
        if (share < (dead[i] ?? 0)) return 3;
        return share < (dead[i] ?? 0) + (next() < 0.3 ? 0.06 : 0.02) ? 2 : 1;
      });
      add(`cnndiag/dead_units/${layer.path}`, {
        ...base(snapshot, 'dead_units', layer.path),
        payload: {
          case: 'unitStates',
          value: { units: layer.units, states: packStates(states), samples: 256n, positions: 50_176n },
        },
      });
      add(`cnndiag/activation_density/${layer.path}`, {
        ...base(snapshot, 'activation_density', layer.path),
        payload: density(0.4 + 0.5 * (dead[i] ?? 0), 0.5 + 0.9 * t + 0.1 * next()),
      });
      if (snapshot === 0 && layer.role === 'conv') {
        add(`cnndiag/filter_images/${layer.path}`, {
          ...base(snapshot, 'filter_images', layer.path),
          payload: {
            case: 'images',
            value: {
              images: Array.from({ length: layer.units }, (_, unit) => ({
                unit,
                height: 3,
                width: 3,
                channels: i === 0 && unit % 2 ? 3 : 1,
                pixels: Uint8Array.from({ length: i === 0 && unit % 2 ? 27 : 9 }, () =>
                  Math.floor(256 * next()),
                ),
                scale: 0.3,
              })),
            },
          },
        });
      }
      if ([0, 1, 2, 4, 10].includes(snapshot)) {
        const [matrix, tree] = similarity(layer, faulty && i === 1 ? 6 : 2, 100 * i + snapshot + 1);
        add(`cnndiag/filter_similarity/${layer.path}`, {
          ...base(snapshot, 'filter_similarity', layer.path),
          payload: matrix,
        });
        const [responses] = similarity(layer, 5, 991 * i + snapshot + 1);
        add(`cnndiag/functional_similarity/${layer.path}`, {
          ...base(snapshot, 'functional_similarity', layer.path),
          payload: responses,
        });
        add(`cnndiag/filter_clusters/${layer.path}`, {
          ...base(snapshot, 'filter_clusters', layer.path),
          payload: tree,
        });
      }
    });
    add('cnndiag/findings', {
      ...base(snapshot, 'findings'),
      payload: { case: 'findings', value: { findings: faulty && snapshot > 2 ? FINDINGS : [] } },
    });
  }
  void run;
  return tags;
}

function base64(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}

/** Runs in the form of a report page. */
export function inlineData(specs: RunSpec[]): InlineData {
  const runs: RunEntry[] = [];
  const measurements: Record<string, string> = {};
  for (const spec of specs) {
    const id = spec.run === '.' ? 'cnndiag' : `${spec.run}/cnndiag`;
    const tags: TagEntry[] = [];
    for (const [tag, inits] of makeRun(spec)) {
      const [, diagnostic = '', ...layer] = tag.split('/');
      tags.push({ tag, diagnostic, layer: layer.join('/'), max_step: Number(inits.at(-1)?.step ?? 0) });
      const items = inits.map((init) => toBinary(MeasurementSchema, create(MeasurementSchema, init)));
      const list = create(MeasurementListSchema, { items, total: items.length });
      measurements[`${id}\n${tag}`] = base64(toBinary(MeasurementListSchema, list));
    }
    runs.push({ run: spec.run, id, tags });
  }
  return { runs, measurements };
}
