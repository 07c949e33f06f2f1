import { useEffect, useState } from 'preact/hooks';
import type { RefCallback } from 'preact';

/** Distance from the window below which an element is near it. */
const MARGIN = '300px';

/** Whether an element has been near the window: charts are drawn only when the reader scrolls to them. */
export function useNear<E extends Element>(): [RefCallback<E>, boolean] {
  const [element, ref] = useState<E | null>(null);
  const [near, setNear] = useState(typeof IntersectionObserver === 'undefined');
  useEffect(() => {
    if (near || !element) return;
    const show = () => setNear(true);
    const observer = new IntersectionObserver((entries) => entries.some((e) => e.isIntersecting) && show(), {
      rootMargin: MARGIN,
    });
    observer.observe(element);
    window.addEventListener('beforeprint', show);
    return () => {
      observer.disconnect();
      window.removeEventListener('beforeprint', show);
    };
  }, [near, element]);
  return [ref, near];
}
