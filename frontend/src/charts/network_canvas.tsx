import { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { hideTip, showTip } from '../ui/tooltip';
import { paintMap } from './map_paint';
import type { Picture } from './map_style';
import { within, zoomed, type Frame } from './pan_zoom';
import './network_canvas.css';

interface NetworkCanvasProps extends Omit<Picture, 'current'> {
  width: number;
  height: number;
  /** Scale at which the map is first shown, and the furthest. */
  fit: number;
  label: string;
  /** Ids of the nodes in the order in which the arrow keys pass them. */
  order: string[];
  describe(id: string): { title: string; lines: [string, string][] };
  /** A node is chosen, by a click or Enter. */
  onPick(id: string): void;
  /** The block around a node is folded, by Backspace; or that of a bracket, by a click. */
  onFold(key: string): void;
  blockOf(id: string): string | undefined;
}

/** Draws the map; it is dragged to move, zoomed by ctrl + wheel or + and −, and read by pointer or arrow keys. */
export function NetworkCanvas(props: NetworkCanvasProps) {
  const { width, height, fit, label, order, layout, brackets, describe, onPick, onFold, blockOf } = props;
  const canvas = useRef<HTMLCanvasElement>(null);
  const [current, setCurrent] = useState<string>();
  const frame = useRef<Frame>({ x: 0, y: 0, scale: fit });
  const drag = useRef<{ x: number; y: number; frame: Frame }>();
  const moved = useRef(false);
  const waiting = useRef(0);
  const window_ = useMemo(() => ({ width, height }), [width, height]);
  const picture = { ...props, current };
  const latest = useRef(picture);
  latest.current = picture;

  const paint = useCallback(() => {
    waiting.current = 0;
    const context = canvas.current?.getContext('2d');
    if (!canvas.current || !context) return;
    const density = window.devicePixelRatio || 1;
    context.setTransform(density, 0, 0, density, 0, 0);
    paintMap(context, latest.current, frame.current, window_);
    canvas.current.dataset['painted'] = String(Number(canvas.current.dataset['painted'] ?? 0) + 1);
  }, [window_]);
  const show = (next: Frame) => {
    frame.current = within(next, layout, window_, Math.min(fit, 0.2));
    if (!waiting.current) waiting.current = requestAnimationFrame(paint);
  };
  useEffect(() => () => cancelAnimationFrame(waiting.current), []);
  useLayoutEffect(() => {
    frame.current = within({ ...frame.current, scale: fit }, layout, window_, Math.min(fit, 0.2));
  }, [layout, fit, window_]);
  useLayoutEffect(() => {
    const density = window.devicePixelRatio || 1;
    if (canvas.current) {
      canvas.current.width = Math.round(width * density);
      canvas.current.height = Math.round(height * density);
    }
  }, [width, height]);
  useLayoutEffect(paint);

  const place = (event: MouseEvent) => {
    const { left, top } = (event.currentTarget as HTMLElement).getBoundingClientRect();
    const { x, y, scale } = frame.current;
    const [px, py] = [event.clientX - left, event.clientY - top];
    return { px, py, x: x + px / scale, y: y + py / scale };
  };
  const nodeAt = ({ x, y }: { x: number; y: number }) =>
    order.find((id) => {
      const node = layout.places.get(id);
      return node && Math.abs(x - node.x) <= node.width / 2 && Math.abs(y - node.y) <= node.height / 2;
    });
  const bracketAt = ({ x, y }: { x: number; y: number }) =>
    brackets.find(({ left, right, y: at }) => x >= left && x <= right && Math.abs(y - at) <= 8);
  const read = (id: string | undefined, x: number, y: number) => {
    if (id !== current) setCurrent(id);
    if (id === undefined) return hideTip();
    const { title, lines } = describe(id);
    showTip(x, y, title, lines);
  };
  /** Moves the frame until the node is inside, and reads it. */
  const visit = (id: string) => {
    const node = layout.places.get(id);
    const box = canvas.current?.getBoundingClientRect();
    if (!node || !box) return;
    const { x, y, scale } = frame.current;
    const [seenX, seenY] = [width / scale, height / scale];
    const nudge = (from: number, seen: number, at: number, size: number) =>
      at - size < from ? at - size : at + size > from + seen ? at + size - seen : from;
    show({ x: nudge(x, seenX, node.x, node.width), y: nudge(y, seenY, node.y, node.height), scale });
    const { x: left, y: top } = frame.current;
    read(
      id,
      box.left + (node.x + node.width / 2 - left) * scale,
      box.top + (node.y + node.height / 2 - top) * scale,
    );
  };
  /** The node of the line above or below that is next to the current one. */
  const across = (by: number) => {
    const node = current === undefined ? undefined : layout.places.get(current);
    if (!node) return order[0];
    const others = order.flatMap((id) => {
      const other = layout.places.get(id);
      return other && (other.y - node.y) * by > 1 ? [other] : [];
    });
    const nearest = others.sort(
      (a, b) =>
        Math.abs(a.y - node.y) - Math.abs(b.y - node.y) || Math.abs(a.x - node.x) - Math.abs(b.x - node.x),
    );
    return nearest[0]?.id;
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const at = current === undefined ? -1 : order.indexOf(current);
    const block = current === undefined ? undefined : blockOf(current);
    const go = (id: string | undefined) => {
      if (id !== undefined) visit(id);
    };
    const zoom = (factor: number) =>
      show(zoomed(frame.current, factor, width / 2, height / 2, Math.min(fit, 0.2)));
    const actions: Record<string, () => void> = {
      ArrowRight: () => go(order[Math.min(order.length - 1, at + 1)]),
      ArrowLeft: () => go(order[Math.max(0, at - 1)]),
      ArrowDown: () => go(across(1)),
      ArrowUp: () => go(across(-1)),
      Home: () => go(order[0]),
      End: () => go(order.at(-1)),
      Enter: () => current !== undefined && onPick(current),
      Backspace: () => block !== undefined && onFold(block),
      Escape: () => read(undefined, 0, 0),
      '+': () => zoom(1.3),
      '=': () => zoom(1.3),
      '-': () => zoom(1 / 1.3),
      '0': () => show({ x: 0, y: 0, scale: fit }),
    };
    const action = event.ctrlKey || event.metaKey || event.altKey ? undefined : actions[event.key];
    if (!action) return;
    action();
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <div
      class="network-map"
      role="application"
      aria-label={`${label}. Arrow keys read a node, Enter opens it, Backspace folds its block, plus and minus zoom.`}
      // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- nodes are read by arrow keys
      tabIndex={0}
      onKeyDown={onKeyDown}
      onBlur={() => read(undefined, 0, 0)}
    >
      <canvas
        ref={canvas}
        role="img"
        aria-label={label}
        class="pick"
        style={{ width, height }}
        onPointerDown={(event) => {
          drag.current = { x: event.clientX, y: event.clientY, frame: frame.current };
          moved.current = false;
        }}
        onPointerUp={() => (drag.current = undefined)}
        onPointerMove={(event) => {
          if (drag.current && event.buttons) {
            const { x, y, frame: start } = drag.current;
            moved.current ||= Math.hypot(x - event.clientX, y - event.clientY) > 4;
            if (!moved.current) return;
            show({
              ...start,
              x: start.x + (x - event.clientX) / start.scale,
              y: start.y + (y - event.clientY) / start.scale,
            });
            return;
          }
          read(nodeAt(place(event)), event.clientX, event.clientY);
        }}
        onPointerLeave={() => {
          drag.current = undefined;
          read(undefined, 0, 0);
        }}
        onWheel={(event) => {
          if (!event.ctrlKey && !event.metaKey) return;
          event.preventDefault();
          const { px, py } = place(event);
          show(zoomed(frame.current, Math.exp(-event.deltaY / 200), px, py, Math.min(fit, 0.2)));
        }}
        onClick={(event) => {
          if (moved.current) return;
          const at = place(event);
          const id = nodeAt(at);
          const bracket = bracketAt(at);
          if (id !== undefined) onPick(id);
          else if (bracket) onFold(bracket.key);
        }}
      />
    </div>
  );
}
