import { useCallback } from 'preact/hooks';
import type { Bracket } from '../model/dendrogram';
import { formatNumber } from '../model/format';
import { Canvas } from '../ui/canvas';
import { category } from './palette';

interface TreeProps {
  brackets: Bracket[];
  leaves: number;
  cut: number;
  /** First visible leaf and number of visible leaves. */
  from: number;
  span: number;
  /** Pixels along the leaves and across them. */
  length: number;
  depth: number;
  side: 'left' | 'top';
  dark: boolean;
  label: string;
}

/** A dendrogram at the edge of a map: its leaves are next to the map, its root is away from it. */
export function Tree(props: TreeProps) {
  const { brackets, leaves, cut, from, span, length, depth, side, dark, label } = props;
  const [width, height] = side === 'left' ? [depth, length] : [length, depth];
  const draw = useCallback(
    (context: CanvasRenderingContext2D) => {
      const highest = Math.max(cut, brackets.at(-1)?.height ?? 1, 1e-9) * 1.03;
      const along = (leaf: number) => (leaf - from) * (length / span);
      const away = (distance: number) => depth * (1 - distance / highest);
      const move = (leaf: number, distance: number, first = false) => {
        const [x, y] = side === 'left' ? [away(distance), along(leaf)] : [along(leaf), away(distance)];
        if (first) context.moveTo(x, y);
        else context.lineTo(x, y);
      };
      const paths = new Map<number, Bracket[]>();
      for (const bracket of brackets) {
        if (bracket.right < from || bracket.left > from + span) continue;
        const own = paths.get(bracket.group);
        if (own) own.push(bracket);
        else paths.set(bracket.group, [bracket]);
      }
      context.clearRect(0, 0, width, height);
      for (const [group, own] of paths) {
        context.strokeStyle = group >= 0 ? category(group, dark) : dark ? '#8f99a9' : '#6b7485';
        context.lineWidth = group >= 0 ? 1.6 : 1;
        context.beginPath();
        for (const { left, right, leftHeight, rightHeight, height: top } of own) {
          move(left, leftHeight, true);
          move(left, top);
          move(right, top);
          move(right, rightHeight);
        }
        context.stroke();
      }
      if (cut <= 0) return;
      context.strokeStyle = dark ? '#e7eaf0' : '#1d2433';
      context.lineWidth = 1;
      context.setLineDash([3, 3]);
      context.beginPath();
      move(from, cut, true);
      move(from + span, cut);
      context.stroke();
      context.setLineDash([]);
    },
    [brackets, cut, from, span, length, depth, side, dark],
  );
  return (
    <Canvas
      width={width}
      height={height}
      draw={draw}
      label={`${label}: tree of ${leaves} leaves, cut at ${formatNumber(cut)}`}
    />
  );
}
