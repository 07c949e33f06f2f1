import { useMemo } from 'preact/hooks';
import type { Bracket } from '../model/dendrogram';
import { category } from './palette';

interface TreeProps {
  brackets: Bracket[];
  leaves: number;
  cut: number;
  /** First leaf shown and how many. */
  from: number;
  span: number;
  /** Pixels along the leaves and across them. */
  length: number;
  depth: number;
  side: 'left' | 'top';
  dark: boolean;
  label: string;
}

/** A dendrogram on the edge of a map: leaves lie at the map's side, the root away from it. */
export function Tree({ brackets, leaves, cut, from, span, length, depth, side, dark, label }: TreeProps) {
  const highest = Math.max(cut, brackets.at(-1)?.height ?? 1, 1e-9) * 1.03;
  const paths = useMemo(() => {
    const point = (leaf: number, height: number) => {
      const away = 1 - height / highest;
      return side === 'left' ? `${away} ${leaf}` : `${leaf} ${away}`;
    };
    const groups = new Map<number, string>();
    for (const { left, right, leftHeight, rightHeight, height, group } of brackets) {
      const bracket = `M${point(left, leftHeight)}L${point(left, height)}L${point(right, height)}L${point(right, rightHeight)}`;
      groups.set(group, (groups.get(group) ?? '') + bracket);
    }
    return [...groups];
  }, [brackets, highest, side]);
  const scale = length / span;
  const transform =
    side === 'left'
      ? `scale(${depth} ${scale}) translate(0 ${-from})`
      : `scale(${scale} ${depth}) translate(${-from} 0)`;
  const across = depth * (1 - cut / highest);
  const [width, height] = side === 'left' ? [depth, length] : [length, depth];
  return (
    <svg
      class={`chart tree ${side}`}
      width={width}
      height={height}
      role="img"
      aria-label={`${label}: tree of ${leaves}`}
    >
      <g transform={transform}>
        {paths.map(([group, path]) => (
          <path key={group} d={path} style={group >= 0 ? { stroke: category(group, dark) } : undefined} />
        ))}
      </g>
      {cut > 0 &&
        (side === 'left' ? (
          <line class="cut" x1={across} x2={across} y1={0} y2={height} />
        ) : (
          <line class="cut" x1={0} x2={width} y1={across} y2={across} />
        ))}
    </svg>
  );
}
