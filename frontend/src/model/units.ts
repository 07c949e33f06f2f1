import type { Atlas, ClassResponses, Finding, LayerInfo, Patches } from '../summaries/cnndiag_pb';
import { fromFloat16 } from './density';
import { inflate, type Grid } from './matrix';

/** Stands for a patch that does not exist. */
const NONE = 0xffff;

/** One image that excites a unit: its index in the atlas, the position in the layer's output, the response. */
export interface Peak {
  image: number;
  position: number;
  value: number;
}

/** Undoes compression and gives the number at an index of little-endian values, stored as all low bytes first. */
export async function numbers(bytes: Uint8Array, size: number): Promise<(index: number) => number> {
  const plain = await inflate(bytes);
  const count = plain.length / size;
  return (index) => {
    let value = 0;
    for (let byte = size - 1; byte >= 0; byte -= 1) value = value * 256 + (plain[byte * count + index] ?? 0);
    return value;
  };
}

/** Computes something of a message once. */
export function once<M extends object, T>(compute: (message: M) => Promise<T>): (message: M) => Promise<T> {
  const known = new WeakMap<M, Promise<T>>();
  return (message) => {
    const found = known.get(message) ?? compute(message);
    known.set(message, found);
    return found;
  };
}

/** The row of each unit of patches; undefined for one that the message leaves out. */
function rowsOf({ units, part, listed }: Patches): (number | undefined)[] {
  const rows = new Map(listed.map((unit, row) => [unit, row]));
  return Array.from({ length: units }, (_, unit) => (part ? rows.get(unit) : unit));
}

/** The peaks of each unit, the strongest first; undefined for one that the message leaves out. */
export const peaksOf = once(async (patches: Patches): Promise<(Peak[] | undefined)[]> => {
  const [image, position, value] = await Promise.all([
    numbers(patches.images, 2),
    numbers(patches.positions, 4),
    numbers(patches.values, 2),
  ]);
  return rowsOf(patches).map((row) =>
    row === undefined
      ? undefined
      : Array.from({ length: patches.count }, (_, rank) => {
          const at = row * patches.count + rank;
          return { image: image(at), position: position(at), value: fromFloat16(value(at)) * patches.scale };
        }).filter((peak) => peak.image !== NONE),
  );
});

/** For each unit, the box that holds most of its gradient in each of its images, by image; empty if it has none. */
export const boxesOf = once(async (patches: Patches): Promise<Map<number, Box>[]> => {
  if (!patches.boxes.length) return [];
  const [image, edge] = await Promise.all([numbers(patches.images, 2), numbers(patches.boxes, 2)]);
  return rowsOf(patches).map((row) => {
    const boxes = new Map<number, Box>();
    for (let rank = 0; row !== undefined && rank < patches.count; rank += 1) {
      const at = row * patches.count + rank;
      const [top, left, height, width] = [0, 1, 2, 3].map((side) => edge(4 * at + side)) as [
        number,
        number,
        number,
        number,
      ];
      if (height && image(at) !== NONE) boxes.set(image(at), { top, left, height, width });
    }
    return boxes;
  });
});

/** What a unit answers to: classes with their mean response, the strongest first. */
export interface Answers {
  classes: { id: number; mean: number }[];
  /** Mean over all other classes; NaN if there are none. */
  rest: number;
  /** Share of the variance of the response that the class explains; NaN if the response does not vary. */
  explained: number;
}

/** The answers of each unit. */
export const answersOf = once(async (message: ClassResponses): Promise<Answers[]> => {
  const [id, mean] = await Promise.all([numbers(message.ids, 2), numbers(message.means, 2)]);
  const half = (bytes: Uint8Array, unit: number) =>
    fromFloat16((bytes[2 * unit] ?? 0) + 256 * (bytes[2 * unit + 1] ?? 0));
  return Array.from({ length: message.units }, (_, unit) => ({
    classes: Array.from({ length: message.listed }, (__, rank) => {
      const at = unit * message.listed + rank;
      return { id: id(at), mean: fromFloat16(mean(at)) * message.scale };
    }),
    rest: half(message.rest, unit) * message.scale,
    explained: half(message.explained, unit),
  }));
});

/** Which channels of images that have two, or more than three, a picture shows; empty where it shows all. */
export function channelsShown({ scaling }: Atlas): string {
  return /(?:mean of two|the first three of \d+) channels$/.exec(scaling)?.[0] ?? '';
}

/** A rectangle in pixels of the image; it may reach beyond its borders. */
export interface Box {
  top: number;
  left: number;
  height: number;
  width: number;
}

/** What a unit sees at a position of the layer's output; undefined if that is not known or not in a plane. */
export function boxAt(
  { receptiveField, outputShape, unitAxis }: LayerInfo,
  position: number,
): Box | undefined {
  const [vertical, horizontal] = receptiveField?.axes ?? [];
  if (!vertical || !horizontal || receptiveField?.axes.length !== 2) return undefined;
  const spatial = unitAxis === 1 && outputShape.length > 2 ? outputShape.slice(1) : outputShape.slice(0, -1);
  const columns = spatial[1] ?? 1;
  const [top, height] = along(vertical, Math.floor(position / columns));
  const [left, width] = along(horizontal, position % columns);
  return { top, left, height, width };
}

/** The position in the middle of a layer's output, where synthetic images excite its units. */
export function middlePosition({ outputShape, unitAxis }: LayerInfo): number {
  const spatial = unitAxis === 1 && outputShape.length > 1 ? outputShape.slice(1) : outputShape.slice(0, -1);
  return spatial.reduce((position, side) => position * side + Math.floor(side / 2), 0);
}

type Axis = NonNullable<LayerInfo['receptiveField']>['axes'][number];

/** First pixel and number of pixels that a position sees along an axis. */
function along(axis: Axis, position: number): [number, number] {
  const [low, high] = [axis.low[position], axis.high[position]];
  if (low !== undefined && high !== undefined) return [low, Math.max(1, high - low + 1)];
  return [Math.round(position * axis.stride - axis.padding), Math.max(1, Math.round(axis.size))];
}

/** Share of the images of a unit that were among its images before; NaN if it has none. */
export function keptShare(before: readonly Peak[], now: readonly Peak[]): number {
  const known = new Set(before.map(({ image }) => image));
  return now.filter(({ image }) => known.has(image)).length / now.length;
}

/** A unit has settled on its images if from one snapshot to the next it keeps at least two thirds of them. */
const SETTLED = 2 / 3;

/** Index of the snapshot since which a unit keeps most of its images; undefined if it does not at the end. */
export function settledAt(snapshots: readonly (readonly Peak[])[]): number | undefined {
  let first: number | undefined;
  for (let at = snapshots.length - 1; at > 0; at -= 1) {
    if (!(keptShare(snapshots[at - 1] ?? [], snapshots[at] ?? []) >= SETTLED)) break;
    first = at - 1;
  }
  return first;
}

/** Units that belong together with this one according to a finding, e.g. its near copies, without it. */
export function twinsOf(findings: readonly Finding[], unit: number): number[] {
  const groups = findings
    .filter(({ grouped }) => grouped)
    .flatMap(({ units }) => units.map((group) => group.units).filter((group) => group.includes(unit)));
  return [...new Set(groups.flat())].filter((other) => other !== unit).sort((a, b) => a - b);
}

/** The nearest leaves of a tree on both sides of a unit, alternating. */
export function neighborsOf(order: readonly number[], unit: number, most: number): number[] {
  const at = order.indexOf(unit);
  if (at < 0) return [];
  const found: number[] = [];
  for (let distance = 1; distance < order.length && found.length < most; distance += 1) {
    for (const other of [order[at - distance], order[at + distance]]) {
      if (other !== undefined && found.length < most) found.push(other);
    }
  }
  return found;
}

/** The first of these snapshots at which a unit has peaks; undefined if it has none in any of them. */
export async function lastFired(
  snapshots: readonly { step: number; value: Patches }[],
  unit: number,
): Promise<{ step: number; peaks: Peak[] } | undefined> {
  for (const { step, value } of snapshots) {
    const peaks = (await peaksOf(value))[unit] ?? [];
    if (peaks.length) return { step, peaks };
  }
  return undefined;
}

/** The class that a confusion matrix (rows are true classes) has most predictions of; undefined if it is empty. */
export function predictedClass({ rows, columns, values }: Grid): number | undefined {
  const sums = Array.from({ length: columns }, (_, column) => {
    let sum = 0;
    for (let row = 0; row < rows; row += 1) sum += values[row * columns + column] || 0;
    return sum;
  });
  const most = Math.max(...sums);
  return most > 0 ? sums.indexOf(most) : undefined;
}

/** Cosine of two units' largest responses, image by image; an image that is not among them counts as 0. */
export function similarity(a: readonly Peak[], b: readonly Peak[]): number {
  const known = new Map(a.map(({ image, value }) => [image, value]));
  const product = b.reduce((sum, { image, value }) => sum + value * (known.get(image) ?? 0), 0);
  const norm = (peaks: readonly Peak[]) => Math.hypot(...peaks.map(({ value }) => value));
  const scale = norm(a) * norm(b);
  return scale > 0 ? product / scale : 0;
}

/** The unit that responds most like this one; undefined if none shares an image with it. */
export function bestMatch(
  own: readonly Peak[],
  units: readonly (readonly Peak[] | undefined)[],
): { unit: number; cosine: number } | undefined {
  let best: { unit: number; cosine: number } | undefined;
  units.forEach((peaks, unit) => {
    const cosine = similarity(own, peaks ?? []);
    if (cosine > (best?.cosine ?? 0)) best = { unit, cosine };
  });
  return best;
}

/** Whether two atlases hold the same pictures, so that an image has the same number in both. */
export function sameImages(a: Atlas, b: Atlas): boolean {
  return (
    a.samples === b.samples &&
    a.picture.length === b.picture.length &&
    a.picture.every((byte, i) => byte === b.picture[i])
  );
}
