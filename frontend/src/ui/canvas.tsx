import { useLayoutEffect, useRef } from 'preact/hooks';
import type { JSX } from 'preact';

/** Maximum number of device pixels per side that browsers draw. */
const MAX_SIDE = 16_000;

interface CanvasProps extends Omit<JSX.HTMLAttributes<HTMLCanvasElement>, 'label'> {
  width: number;
  height: number;
  /** What the picture shows, for screen readers. */
  label: string;
  draw(context: CanvasRenderingContext2D): void;
}

/** A canvas in CSS pixels, sharp on dense screens, painted again if `draw` changes. */
export function Canvas({ width, height, label, draw, ...rest }: CanvasProps) {
  const ref = useRef<HTMLCanvasElement>(null);
  useLayoutEffect(() => {
    const canvas = ref.current;
    const context = canvas?.getContext('2d');
    if (!canvas || !context || width <= 0 || height <= 0) return;
    const density = Math.min(window.devicePixelRatio || 1, MAX_SIDE / Math.max(width, height));
    canvas.width = Math.round(width * density);
    canvas.height = Math.round(height * density);
    context.setTransform(density, 0, 0, density, 0, 0);
    draw(context);
  }, [width, height, draw]);
  return <canvas ref={ref} role="img" aria-label={label} style={{ width, height }} {...rest} />;
}
