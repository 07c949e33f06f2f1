import { signal } from '@preact/signals';
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import './tooltip.css';

export interface Tip {
  x: number;
  y: number;
  title: string;
  /** Name and value of each line. */
  lines: [string, string][];
}

const tip = signal<Tip | null>(null);
/** Whether the last pointer was a finger: its tooltip stays when the finger is lifted. */
let touching = false;
/** Whether this tooltip was shown before the current tap: the second tap on a mark activates it. */
let repeated = false;

const same = (a: Tip | null, b: Tip | null) =>
  a !== null && JSON.stringify([a.title, a.lines]) === JSON.stringify([b?.title, b?.lines]);

/** Shows a tooltip at a point of the window. */
export function showTip(x: number, y: number, title: string, lines: [string, string][] = []): void {
  tip.value = { x, y, title, lines };
}

export function hideTip(): void {
  if (!touching) tip.value = null;
}

/** A finger does not hover: the first tap on a mark shows its tooltip, the second one activates it. */
export function useTouchTips(): void {
  useEffect(() => {
    const down = (event: PointerEvent) => {
      touching = event.pointerType === 'touch';
      if (!touching) return;
      const before = tip.value;
      tip.value = null;
      const { clientX, clientY, target } = event;
      target?.dispatchEvent(
        new PointerEvent('pointermove', { clientX, clientY, bubbles: true, pointerType: 'touch' }),
      );
      repeated = same(before, tip.value);
    };
    const click = (event: MouseEvent) => {
      const mark = (event.target as Element).closest('.pick');
      if (touching && mark && tip.value && !repeated) event.stopPropagation();
    };
    const scrolled = () => (tip.value = null);
    window.addEventListener('pointerdown', down, true);
    window.addEventListener('click', click, true);
    window.addEventListener('scroll', scrolled, { passive: true });
    return () => {
      window.removeEventListener('pointerdown', down, true);
      window.removeEventListener('click', click, true);
      window.removeEventListener('scroll', scrolled);
    };
  }, []);
}

const GAP = 14;

/** The only tooltip of the page; screen readers read it when the keyboard moves it. */
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
      <strong class="clamped">{shown?.title}</strong>
      {shown?.lines.map(([name, value]) => (
        <div class="tip-line" key={name}>
          <span>{name}</span>
          <b>{value}</b>
        </div>
      ))}
    </div>
  );
}
