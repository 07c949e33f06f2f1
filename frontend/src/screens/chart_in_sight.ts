import { useEffect } from 'preact/hooks';

/** Charts above still grow while their data comes; so long the page is kept at the one asked for. */
const SETTLES_MS = 2500;

/** Brings the chart that a link or a finding names into sight, until the reader takes over. */
export function useChartInSight(chart: string, ready: boolean, shows: string[][]): void {
  const lead = shows.find((names) => names.includes(chart))?.[0];
  useEffect(() => {
    if (!ready || !lead) return;
    const follow = () => document.getElementById(`chart-${lead}`)?.scrollIntoView({ block: 'start' });
    const observer = new ResizeObserver(follow);
    observer.observe(document.body);
    const stop = () => observer.disconnect();
    const timer = setTimeout(stop, SETTLES_MS);
    const events = ['wheel', 'touchstart', 'keydown', 'pointerdown'];
    events.forEach((event) => window.addEventListener(event, stop, { once: true, passive: true }));
    return () => {
      stop();
      clearTimeout(timer);
      events.forEach((event) => window.removeEventListener(event, stop));
    };
  }, [lead, ready]);
}
