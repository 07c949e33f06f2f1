import { useEffect } from 'preact/hooks';
import { indexAt } from '../model/snapshots';
import type { Store } from '../state/store';
import { helpOpen } from './help';

/** Moves by a number of snapshots. */
export function stepBy(store: Store, by: number): void {
  const steps = store.steps.value;
  const at = indexAt(steps, store.step.value);
  const next = steps[Math.min(steps.length - 1, Math.max(0, at + by))];
  if (next !== undefined) store.go({ step: next });
}

/** Moves to the next or previous layer: from a layer's page to its page, on the overview the focus. */
export function layerBy(store: Store, by: number): void {
  const { screen, layer } = store.view.value;
  if (screen === 'layer' || screen === 'unit') {
    const layers = store.run.value?.layers ?? [];
    const next = layers[layers.findIndex(({ path }) => path === layer) + by];
    if (next) store.go({ layer: next.path, chart: '', unit: screen === 'unit' ? 0 : null });
    return;
  }
  const rows = [...document.querySelectorAll<HTMLElement>('[data-layer]')];
  const at = rows.indexOf(document.activeElement as HTMLElement);
  rows[at < 0 ? 0 : Math.min(rows.length - 1, Math.max(0, at + by))]?.focus();
}

/** Moves to the next or previous unit of a layer; from the layer's page, to its first unit. */
export function unitBy(store: Store, by: number): void {
  const { screen, layer, unit } = store.view.value;
  const units = store.run.value?.layers.find(({ path }) => path === layer)?.units ?? 0;
  const next = screen === 'unit' ? (unit ?? 0) + by : 0;
  if ((screen === 'unit' || screen === 'layer') && next >= 0 && next < units) {
    store.go({ screen: 'unit', unit: next, chart: '' });
  }
}

function act(store: Store, key: string): boolean {
  const first = (selector: string) => document.querySelector<HTMLElement>(selector)?.focus();
  const actions: Record<string, () => void> = {
    ArrowLeft: () => stepBy(store, -1),
    ArrowRight: () => stepBy(store, 1),
    Home: () => stepBy(store, -Infinity),
    End: () => stepBy(store, Infinity),
    ' ': () => (store.playing.value = !store.playing.value),
    j: () => layerBy(store, 1),
    k: () => layerBy(store, -1),
    n: () => unitBy(store, 1),
    p: () => unitBy(store, -1),
    o: () => store.home(),
    '/': () => first('#filter'),
    m: () => first('#measure'),
    '?': () => (helpOpen.value = true),
  };
  const action = actions[key];
  action?.();
  return action !== undefined;
}

/** Keys of the whole page, except those that the focused control uses itself. */
export function useKeyboard(store: Store): void {
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      // Not `helpOpen`: a dialog that Escape has closed says so only after the next key, on a busy machine.
      if (document.querySelector('dialog[open]')) return;
      const target = event.target as HTMLElement;
      if (target.matches('input:not([type=radio]), select, textarea')) return;
      if (event.key === ' ' && target.matches('button, summary, a, input')) return;
      if (event.key.startsWith('Arrow') && target.matches('input')) return;
      if (act(store, event.key)) event.preventDefault();
    };
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
  }, [store]);
}
