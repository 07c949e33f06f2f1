import { signal } from '@preact/signals';
import { useLayoutEffect, useRef } from 'preact/hooks';

export interface Tip {
  x: number;
  y: number;
  title: string;
  /** Name and value of each line. */
  lines: [string, string][];
}

const tip = signal<Tip | null>(null);

/** Shows a tooltip at a point of the window. */
export function showTip(x: number, y: number, title: string, lines: [string, string][] = []): void {
  tip.value = { x, y, title, lines };
}

export function hideTip(): void {
  tip.value = null;
}

const GAP = 14;

/** The one tooltip of the page; read out when the keyboard moves it. */
export function Tooltip() {
  const ref = useRef<HTMLDivElement>(null);
  const shown = tip.value;
  useLayoutEffect(() => {
    const element = ref.current;
    if (!element || !shown) return;
    const { width, height } = element.getBoundingClientRect();
    const left = shown.x + GAP + width > window.innerWidth ? shown.x - GAP - width : shown.x + GAP;
    const top = shown.y + GAP + height > window.innerHeight ? shown.y - GAP - height : shown.y + GAP;
    element.style.transform = `translate(${Math.max(4, left)}px, ${Math.max(4, top)}px)`;
  }, [shown]);
  return (
    <div class="tip" role="status" ref={ref} hidden={!shown}>
      <strong>{shown?.title}</strong>
      {shown?.lines.map(([name, value]) => (
        <div class="tip-line" key={name}>
          <span>{name}</span>
          <b>{value}</b>
        </div>
      ))}
    </div>
  );
}
