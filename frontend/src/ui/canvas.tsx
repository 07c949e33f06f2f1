import { useLayoutEffect, useRef } from 'preact/hooks';
import type { JSX } from 'preact';

/** Most device pixels along one side that browsers draw. */
const LONGEST = 16_000;

interface CanvasProps extends Omit<JSX.HTMLAttributes<HTMLCanvasElement>, 'label'> {
  width: number;
  height: number;
  /** What the picture shows, for those who do not see it. */
  label: string;
  draw(context: CanvasRenderingContext2D): void;
}

/** A canvas in CSS pixels, sharp on dense screens, painted anew whenever its parent renders. */
export function Canvas({ width, height, label, draw, ...rest }: CanvasProps) {
  const ref = useRef<HTMLCanvasElement>(null);
  useLayoutEffect(() => {
    const canvas = ref.current;
    const context = canvas?.getContext('2d');
    if (!canvas || !context || width <= 0 || height <= 0) return;
    const density = Math.min(window.devicePixelRatio || 1, LONGEST / Math.max(width, height));
    canvas.width = Math.round(width * density);
    canvas.height = Math.round(height * density);
    context.setTransform(density, 0, 0, density, 0, 0);
    draw(context);
  }, [width, height, draw]);
  return <canvas ref={ref} role="img" aria-label={label} style={{ width, height }} {...rest} />;
}
