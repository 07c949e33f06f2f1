import { useCallback, useRef, useState } from 'preact/hooks';

/** Width of an element as it changes; 0 while the tab is hidden or not yet laid out. */
export function useWidth<E extends HTMLElement>(): [(element: E | null) => void, number] {
  const [width, setWidth] = useState(0);
  const observer = useRef<ResizeObserver>();
  const follow = useCallback((element: E | null) => {
    observer.current?.disconnect();
    if (!element) return;
    const measure = () => {
      const next = Math.floor(element.getBoundingClientRect().width);
      if (next > 0) setWidth(next);
    };
    measure();
    observer.current = new ResizeObserver(measure);
    observer.current.observe(element);
  }, []);
  return [follow, width];
}
