import { useEffect, useRef, useState } from 'preact/hooks';
import type { RefObject } from 'preact';

/** How far below the window something counts as near it. */
const MARGIN = '300px';

/** Whether an element has come near the window: what no one has scrolled to need not be drawn. */
export function useNear<E extends Element>(): [RefObject<E>, boolean] {
  const ref = useRef<E>(null);
  const [near, setNear] = useState(typeof IntersectionObserver === 'undefined');
  useEffect(() => {
    if (near || !ref.current) return;
    const come = () => setNear(true);
    const observer = new IntersectionObserver((entries) => entries.some((e) => e.isIntersecting) && come(), {
      rootMargin: MARGIN,
    });
    observer.observe(ref.current);
    window.addEventListener('beforeprint', come);
    return () => {
      observer.disconnect();
      window.removeEventListener('beforeprint', come);
    };
  }, [near]);
  return [ref, near];
}
