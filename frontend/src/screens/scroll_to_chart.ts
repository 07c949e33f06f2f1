import { useEffect } from 'preact/hooks';

/** Charts above grow while their data loads: for this long the page stays at the chosen chart. */
const SETTLE_MS = 2500;

/** Scrolls to the chart that a link or a finding names, until the reader moves the page. */
export function useScrollToChart(chart: string, ready: boolean, shows: string[][]): void {
  const lead = shows.find((names) => names.includes(chart))?.[0];
  useEffect(() => {
    if (!ready || !lead) return;
    const follow = () => document.getElementById(`chart-${lead}`)?.scrollIntoView({ block: 'start' });
    const observer = new ResizeObserver(follow);
    observer.observe(document.body);
    const stop = () => observer.disconnect();
    const timer = setTimeout(stop, SETTLE_MS);
    const events = ['wheel', 'touchstart', 'keydown', 'pointerdown'];
    events.forEach((event) => window.addEventListener(event, stop, { once: true, passive: true }));
    return () => {
      stop();
      clearTimeout(timer);
      events.forEach((event) => window.removeEventListener(event, stop));
    };
  }, [lead, ready]);
}
