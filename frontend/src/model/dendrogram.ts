import type { Dendrogram } from '../summaries/cnndiag_pb';

/** One bracket of the drawn tree, in leaf positions (leaf i is centred at i + ½) and distances. */
export interface Bracket {
  left: number;
  right: number;
  leftHeight: number;
  rightHeight: number;
  height: number;
  /** Group it lies within; −1 above the cut. */
  group: number;
}

/** Groups of units when the tree is cut at `cut`, numbered in leaf order. */
export function cutTree(tree: Dendrogram, cut: number): number[] {
  const parent = Array.from({ length: tree.units + tree.left.length }, (_, node) => node);
  const root = (node: number): number => {
    while (parent[node] !== node) node = parent[node] ?? node;
    return node;
  };
  tree.height.forEach((height, merge) => {
    if (height > cut) return;
    parent[root(tree.left[merge] ?? 0)] = tree.units + merge;
    parent[root(tree.right[merge] ?? 0)] = tree.units + merge;
  });
  const names = new Map<number, number>();
  const groups = new Array<number>(tree.units).fill(-1);
  for (const unit of tree.order) {
    const top = root(unit);
    if (!names.has(top)) names.set(top, names.size);
    groups[unit] = names.get(top) ?? -1;
  }
  return groups;
}

/** Lays the tree out over its leaves. */
export function brackets(tree: Dendrogram, groups: readonly number[], cut: number): Bracket[] {
  const nodes = tree.units + tree.left.length;
  const position = new Float64Array(nodes);
  const height = new Float64Array(nodes);
  const group = new Int32Array(nodes).fill(-1);
  tree.order.forEach((unit, leaf) => {
    position[unit] = leaf + 0.5;
    group[unit] = groups[unit] ?? -1;
  });
  return tree.height.map((top, merge) => {
    const [a, b] = [tree.left[merge] ?? 0, tree.right[merge] ?? 0];
    const [left, right] = (position[a] ?? 0) <= (position[b] ?? 0) ? [a, b] : [b, a];
    const node = tree.units + merge;
    position[node] = ((position[left] ?? 0) + (position[right] ?? 0)) / 2;
    height[node] = top;
    group[node] = top <= cut ? (group[left] ?? -1) : -1;
    return {
      left: position[left] ?? 0,
      right: position[right] ?? 0,
      leftHeight: height[left] ?? 0,
      rightHeight: height[right] ?? 0,
      height: top,
      group: group[node] ?? -1,
    };
  });
}

/** Groups of two or more members, numbered in leaf order: the ones that are worth a colour. */
export function sharedRanks(groups: readonly number[]): Map<number, number> {
  const sizes = new Map<number, number>();
  for (const group of groups) sizes.set(group, (sizes.get(group) ?? 0) + 1);
  const shared = [...sizes].filter(([, size]) => size > 1).map(([group]) => group);
  return new Map(shared.sort((a, b) => a - b).map((group, rank) => [group, rank]));
}

/** How many groups have two members or more, and how many groups there are. */
export function countGroups(groups: readonly number[]): { groups: number; shared: number } {
  const sizes = new Map<number, number>();
  for (const group of groups) sizes.set(group, (sizes.get(group) ?? 0) + 1);
  return { groups: sizes.size, shared: [...sizes.values()].filter((size) => size > 1).length };
}
