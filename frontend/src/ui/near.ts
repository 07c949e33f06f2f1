import { useEffect, useRef, useState } from 'preact/hooks';
import type { RefObject } from 'preact';

/** Distance from the window below which an element is near it. */
const MARGIN = '300px';

/** Whether an element has been near the window: charts are drawn only when the reader scrolls to them. */
export function useNear<E extends Element>(): [RefObject<E>, boolean] {
  const ref = useRef<E>(null);
  const [near, setNear] = useState(typeof IntersectionObserver === 'undefined');
  useEffect(() => {
    if (near || !ref.current) return;
    const show = () => setNear(true);
    const observer = new IntersectionObserver((entries) => entries.some((e) => e.isIntersecting) && show(), {
      rootMargin: MARGIN,
    });
    observer.observe(ref.current);
    window.addEventListener('beforeprint', show);
    return () => {
      observer.disconnect();
      window.removeEventListener('beforeprint', show);
    };
  }, [near]);
  return [ref, near];
}
