import { create } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { wrap } from '../src/charts/map_layout';
import { segments } from '../src/charts/map_segments';
import { within, zoomed } from '../src/charts/pan_zoom';
import { blocksOf } from '../src/model/blocks';
import { Severity } from '../src/model/findings';
import { levels, mapItems, namedBlocks, rowsOf, shownItems } from '../src/model/map_blocks';
import { briefCount, causeArrows, faultsOf, healthWords, kindWords, nodeTitle } from '../src/model/map_faces';
import { networkOf, type Network } from '../src/model/network';
import { parseView, serializeView } from '../src/model/view';
import { FindingSchema, LayerInfoSchema, type LayerInfo } from '../src/summaries/cnndiag_pb';

/** Layers by name, each with the names of the layers whose outputs reach it. */
function layersOf(given: Record<string, string[]>): LayerInfo[] {
  const paths = Object.keys(given);
  return paths.map((path, i) =>
    create(LayerInfoSchema, {
      path,
      className: 'Conv2D',
      units: 8,
      kernelShape: [3, 3, 8, 8],
      inputs: (given[path] ?? []).map((source) => paths.indexOf(source)),
      output: i === paths.length - 1,
    }),
  );
}

/** A residual network as Keras names it: what reaches a block are all blocks before it in its stage. */
function residual(blocks: number): LayerInfo[] {
  const given: Record<string, string[]> = { conv1_conv: [] };
  let stream = ['conv1_conv'];
  for (let b = 1; b <= blocks; b += 1) {
    const [first, second] = [`conv2_block${b}_1_conv`, `conv2_block${b}_2_conv`];
    given[first] = stream;
    given[second] = [first];
    stream = [...stream, second];
  }
  given['predictions'] = stream;
  return layersOf(given);
}

/** Layers whose outputs reach each node, found by walking back through junctions and around skipped nodes. */
function reaching({ nodes, edges }: Network): Map<string, Set<number>> {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const before = (id: string): Set<number> =>
    new Set(edges.filter(({ to }) => to === id).flatMap(({ from }) => [...carried(from)]));
  const carried = (id: string): Set<number> => {
    const node = byId.get(id);
    if (!node) return before(id);
    return new Set([...node.rows, ...(node.skip ? before(id) : [])]);
  };
  return new Map(nodes.map(({ id }) => [id, before(id)]));
}

const everyLayer = (layers: LayerInfo[]) => {
  const items = mapItems(layers);
  return networkOf(layers, items, levels(items).at(-1) ?? new Set());
};

describe('blocks of the map', () => {
  it.each([
    ['conv4_block2_1_conv', ['conv4', 'conv4_block2', 'conv4_block2_1']],
    ['block4c_se_reduce', ['block4', 'block4c']],
    ['block_1_expand', ['block_1']],
    ['conv2d_12', []],
    ['stage1/block2/conv2d_3', ['stage1', 'stage1/block2']],
    [
      'backbone/conv3_block1_0_conv',
      ['backbone', 'backbone/conv3', 'backbone/conv3_block1', 'backbone/conv3_block1_0'],
    ],
    ['dense', []],
  ])('%s names %j', (path, blocks) => expect(namedBlocks(path)).toEqual(blocks));

  it.each([1, 5, 54, 1001])('of %d layers hold each layer once, in order, folded and unfolded', (count) => {
    const names = Array.from({ length: count }, (_, i) =>
      count === 54
        ? `conv${1 + Math.floor(i / 18)}_block${1 + (Math.floor(i / 3) % 6)}_${i % 3}_conv`
        : `conv2d_${i}`,
    );
    const layers = layersOf(
      Object.fromEntries(names.map((name, i) => [name, i ? [names[i - 1] ?? ''] : []])),
    );
    const items = mapItems(layers);
    expect(items.length).toBeLessThanOrEqual(40);
    for (const open of levels(items)) {
      const shown = shownItems(items, open);
      expect(shown.flatMap(({ item }) => rowsOf(item))).toEqual(layers.map((_, row) => row));
    }
    expect(shownItems(items, levels(items).at(-1) ?? new Set())).toHaveLength(count);
  });

  it('have keys of their own', () => {
    const layers = layersOf(
      Object.fromEntries(['a1_x', 'a1_y', 'b', 'a1_z', 'a1_w'].map((name) => [name, []])),
    );
    const keys = mapItems(layers).flatMap((item) => (typeof item === 'object' ? [item.key] : []));
    expect(keys).toEqual(['a1', 'a1#3']);
  });

  it('are made of what repeats, where names say nothing', () => {
    const names = Array.from({ length: 60 }, (_, i) => `conv2d_${i}`);
    const layers = layersOf(Object.fromEntries(names.map((name) => [name, []])));
    layers.forEach((layer, i) => (layer.units = i % 3 === 0 ? 16 : 32));
    const items = mapItems(layers);
    expect(items).toHaveLength(1);
    expect(items[0]).toMatchObject({ name: '20 × conv2d_0' });
    expect(shownItems(items, new Set([(items[0] as { key: string }).key]))).toHaveLength(20);
  });
});

describe('strips', () => {
  it('fold by the blocks that flat names have', () => {
    const names = [
      'stem',
      'block4c_expand',
      'block4c_se_reduce',
      'conv2_block1_1_conv',
      'conv2_block2_1_conv',
      'top',
    ];
    const blocks = blocksOf(layersOf(Object.fromEntries(names.map((name) => [name, []]))));
    expect(blocks.map(({ name, layers }) => [name, layers.length])).toEqual([
      ['', 1],
      ['block4c', 2],
      ['conv2', 2],
      ['', 1],
    ]);
  });
});

describe('the address', () => {
  it.each(['*', '-', 'conv2\nconv2_block1'])('holds what is unfolded: %j', (unfolded) => {
    expect(serializeView(parseView({ unfolded }))).toEqual({ unfolded });
  });
});

describe('the network', () => {
  const unet = layersOf({
    enc1: [],
    enc2: ['enc1'],
    mid: ['enc2'],
    dec2: ['mid'],
    dec2_conv: ['dec2', 'enc2'],
    dec1: ['dec2_conv'],
    dec1_conv: ['dec1', 'enc1'],
  });
  const excite = layersOf({ expand: [], dw: ['expand'], se1: ['dw'], se2: ['se1'], project: ['dw', 'se2'] });
  const two = layersOf({ a: [], b: [], c: ['a', 'b'], d: ['a', 'b'], e: ['a', 'b', 'c', 'd'] });
  const dense = layersOf({ s: [], a: ['s'], b: ['s', 'a'], c: ['s', 'a', 'b'], d: ['s', 'a', 'b', 'c'] });
  const cases: [string, LayerInfo[]][] = [
    ['a residual network', residual(6)],
    ['a U-Net', unet],
    ['squeeze and excite', excite],
    ['two inputs', two],
    ['dense connections', dense],
  ];
  it.each(cases)('of %s leads to each layer from the layers of the table', (_, layers) => {
    const found = reaching(everyLayer(layers));
    layers.forEach((layer, row) => expect(found.get(String(row))).toEqual(new Set(layer.inputs)));
  });

  it.each(cases)('of %s is the same when blocks are folded', (_, layers) => {
    const items = mapItems(layers);
    for (const open of levels(items)) {
      const network = networkOf(layers, items, open);
      const rowsAt = new Map(network.nodes.flatMap(({ id, rows }) => rows.map((row) => [row, id])));
      const found = reaching(network);
      for (const { id, rows } of network.nodes) {
        const sources = rows.flatMap((row) => layers[row]?.inputs ?? []).map((row) => rowsAt.get(row));
        const expected = new Set(sources.filter((source) => source !== id));
        expect(new Set([...(found.get(id) ?? [])].map((row) => rowsAt.get(row)))).toEqual(expected);
      }
    }
  });

  it('of folded residual blocks is a chain of nodes with a connection around each', () => {
    const layers = residual(6);
    const items = mapItems(layers);
    const network = networkOf(layers, items, new Set(['conv2']));
    expect(network.junctions).toEqual([]);
    expect(network.nodes.map(({ skip }) => skip)).toEqual([false, ...Array<boolean>(6).fill(true), false]);
    expect(network.edges).toHaveLength(7);
  });

  it('follows the order of the table if no connection was recorded', () => {
    const network = everyLayer(layersOf({ a: [], b: [], c: [] }));
    expect(network.recorded).toBe(false);
    expect(network.edges).toEqual([
      { from: '0', to: '1' },
      { from: '1', to: '2' },
    ]);
  });

  it('does not join parts that were recorded together', () => {
    const network = everyLayer(
      layersOf({ 'generator/a': [], 'generator/b': [], 'critic/a': [], 'critic/b': [] }),
    );
    expect(network.edges).toEqual([
      { from: '0', to: '1' },
      { from: '2', to: '3' },
    ]);
  });

  it.each(cases)('of %s is laid out without overlaps, in lines that are short enough', (_, layers) => {
    const network = everyLayer(layers);
    const { places, routes, rows, width, height } = wrap(segments(network), 800);
    const all = [...places.values()];
    expect(all).toHaveLength(network.nodes.length + network.junctions.length);
    for (const a of all) {
      expect(a.x - a.width / 2).toBeGreaterThanOrEqual(0);
      expect(a.x + a.width / 2).toBeLessThanOrEqual(width);
      expect(a.y + a.height / 2).toBeLessThanOrEqual(height);
      for (const b of all) {
        const apart =
          Math.abs(a.x - b.x) >= (a.width + b.width) / 2 || Math.abs(a.y - b.y) >= (a.height + b.height) / 2;
        expect(a === b || apart).toBe(true);
      }
    }
    expect(routes).toHaveLength(network.edges.length);
    for (const { from, to, points } of routes) {
      const [start, end] = [places.get(from), places.get(to)];
      const touches = (place: typeof start, point: { x: number; y: number } | undefined) =>
        place !== undefined &&
        point !== undefined &&
        Math.abs(point.x - place.x) <= place.width / 2 + 1 &&
        Math.abs(point.y - place.y) <= place.height / 2 + 1;
      expect(touches(end, points.at(-1))).toBe(true);
      // A line that goes on from another begins with the edges of that one's last node.
      expect(touches(start, points[0]) || rows.some((row) => row.from === from)).toBe(true);
    }
  });

  it('of 1,000 layers is laid out in time, and each line fits', () => {
    const layers = residual(500);
    const begun = performance.now();
    const laidOut = wrap(segments(everyLayer(layers)), 2000);
    expect(performance.now() - begun).toBeLessThan(15_000);
    expect(laidOut.width).toBeLessThanOrEqual(2000);
  });
});

describe('nodes of the map', () => {
  const layers = layersOf({ a: [], b: ['a'], c: ['b'] });
  const finding = (fault: string, layer: string, severity: Severity, firstStep: number, causedBy = 0) =>
    create(FindingSchema, { fault, layer, severity, firstStep: BigInt(firstStep), causedBy, title: fault });

  it('say what is wrong and since when', () => {
    const found = new Map([
      ['a', [finding('dead', 'a', Severity.ERROR, 20), finding('old', 'a', Severity.WARNING, 5)]],
      ['b', [finding('dead', 'b', Severity.ERROR, 10)]],
    ]);
    expect(faultsOf([0, 1], layers, found)).toMatchObject({
      severity: Severity.ERROR,
      title: 'dead',
      since: 'since 10, 2 more',
    });
    expect(faultsOf([2], layers, found)).toMatchObject({ severity: 0, title: '', since: '' });
  });

  it('count the healthy layers and name the first fault', () => {
    const found = [finding('late', 'a', Severity.ERROR, 9), finding('early', 'c', Severity.WARNING, 3)];
    expect(healthWords(layers, found)).toBe(
      '1 of 3 layers without a finding; the first since step 3: early in c',
    );
    expect(healthWords(layers, [])).toBe('No finding in 3 layers');
  });

  it('are joined by an arrow from cause to effect, once, and not to themselves', () => {
    const found = [
      finding('dead', 'a', Severity.ERROR, 1),
      finding('stuck', 'b', Severity.ERROR, 1, 1),
      finding('slow', 'b', Severity.ERROR, 1, 1),
      finding('weak', 'a', Severity.ERROR, 1, 1),
      finding('far', 'c', Severity.ERROR, 1, 2),
    ];
    const arrows = causeArrows(found, everyLayer(layers), layers);
    expect(arrows).toEqual([
      { from: '0', to: '1' },
      { from: '1', to: '2' },
    ]);
  });

  it('are named within the block around them', () => {
    const named = layersOf({
      block4a_expand: [],
      block4a_dw: [],
      block4c_dw: [],
      block4c_se_1: [],
      'net/top': [],
    });
    const items = mapItems(named);
    const titles = levels(items).map((open) =>
      networkOf(named, items, open).nodes.map((n) => nodeTitle(n, named)),
    );
    expect(titles[0]).toEqual(['block4', 'top']);
    expect(titles[1]).toEqual(['block4a', 'block4c', 'top']);
    expect(titles[2]).toEqual(['expand', 'dw', 'dw', 'se_1', 'top']);
  });

  it('have a kind with kernel and stride, and brief counts', () => {
    const layer = create(LayerInfoSchema, {
      className: 'Conv2D',
      kernelShape: [3, 3, 8, 8],
      config: '{"strides": [2, 2]}',
    });
    expect(kindWords(layer)).toBe('Conv2D 3×3/2');
    expect([5, 1234, 2_359_296].map(briefCount)).toEqual(['5', '1.23 k', '2.36 M']);
  });
});

describe('the frame', () => {
  const drawing = { width: 1000, height: 400 };
  const window_ = { width: 500, height: 400 };
  it('stays within the drawing', () => {
    expect(within({ x: -9, y: 99, scale: 1 }, drawing, window_, 0.2)).toEqual({ x: 0, y: 0, scale: 1 });
    expect(within({ x: 900, y: 0, scale: 1 }, drawing, window_, 0.2).x).toBe(500);
    expect(within({ x: 0, y: 0, scale: 0.01 }, drawing, window_, 0.2).scale).toBe(0.2);
  });
  it('keeps the point under the pointer when it zooms', () => {
    const frame = { x: 100, y: 50, scale: 1 };
    const closer = zoomed(frame, 1.5, 200, 100, 0.2);
    expect(closer.x + 200 / closer.scale).toBeCloseTo(300);
    expect(closer.y + 100 / closer.scale).toBeCloseTo(150);
  });
});
