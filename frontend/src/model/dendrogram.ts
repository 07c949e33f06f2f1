import type { Dendrogram } from '../summaries/cnndiag_pb';

/** One bracket of the drawn tree, in leaf positions (leaf i is centered at i + ½) and distances. */
export interface Bracket {
  left: number;
  right: number;
  leftHeight: number;
  rightHeight: number;
  height: number;
  /** Group that it belongs to; −1 above the cut. */
  group: number;
}

/** Groups of units when the tree is cut at `cut`, numbered in leaf order. */
export function cutTree(tree: Dendrogram, cut: number): number[] {
  const joined = new Array<boolean>(tree.units).fill(false);
  tree.gap.forEach((gap, merge) => {
    joined[gap] = (tree.height[merge] ?? Infinity) <= cut;
  });
  // A tree of a sample names units beyond the number of its leaves; those that it leaves out are in no group.
  const groups = new Array<number>(Math.max(tree.units, 1 + Math.max(-1, ...tree.order))).fill(-1);
  let group = 0;
  tree.order.forEach((unit, leaf) => {
    groups[unit] = group;
    if (!joined[leaf]) group += 1;
  });
  return groups;
}

/** Lays the tree out over its leaves. */
export function brackets(tree: Dendrogram, groups: readonly number[], cut: number): Bracket[] {
  // A branch is identified by its first leaf: `first` maps its last leaf to its first, `last` its first leaf to its last.
  const first = Int32Array.from(tree.order.keys());
  const last = Int32Array.from(tree.order.keys());
  const position = Float64Array.from(tree.order.keys(), (leaf) => leaf + 0.5);
  const height = new Float64Array(tree.units);
  const group = Int32Array.from(tree.order, (unit) => groups[unit] ?? -1);
  return tree.gap.map((gap, merge) => {
    const left = first[gap] ?? 0;
    const right = gap + 1;
    const end = last[right] ?? right;
    const top = tree.height[merge] ?? 0;
    const bracket = {
      left: position[left] ?? 0,
      right: position[right] ?? 0,
      leftHeight: height[left] ?? 0,
      rightHeight: height[right] ?? 0,
      height: top,
      group: top <= cut ? (group[left] ?? -1) : -1,
    };
    position[left] = (bracket.left + bracket.right) / 2;
    height[left] = top;
    group[left] = bracket.group;
    first[end] = left;
    last[left] = end;
    return bracket;
  });
}

/** Number of units in each group. */
function sizesOf(groups: readonly number[]): Map<number, number> {
  const sizes = new Map<number, number>();
  for (const group of groups) {
    if (group >= 0) sizes.set(group, (sizes.get(group) ?? 0) + 1);
  }
  return sizes;
}

/** Numbers the groups of two or more members in leaf order: these have a color. */
export function sharedRanks(groups: readonly number[]): Map<number, number> {
  const shared = [...sizesOf(groups)].filter(([, size]) => size > 1).map(([group]) => group);
  return new Map(shared.sort((a, b) => a - b).map((group, rank) => [group, rank]));
}

/** The number of groups, and of those with two or more members. */
export function countGroups(groups: readonly number[]): { groups: number; shared: number } {
  const sizes = sizesOf(groups);
  return { groups: sizes.size, shared: [...sizes.values()].filter((size) => size > 1).length };
}
