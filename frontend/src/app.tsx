import './styles/tokens.css';
import './styles/base.css';
import { effect } from '@preact/signals';
import { render } from 'preact';
import type { Source } from './data/source';
import type { Host } from './state/host';
import { Shell } from './screens/shell';
import { Store, StoreProvider } from './state/store';

/** Puts the frontend into `root`, fed by `source`, within `host`. */
export function start(root: HTMLElement, source: Source, host: Host): void {
  document.documentElement.lang = 'en';
  document.title = 'CNN Diagnostics';
  effect(() => {
    document.documentElement.classList.toggle('dark', host.dark.value);
  });

  const store = new Store(source, host);
  store.start();
  render(
    <StoreProvider value={store}>
      <Shell />
    </StoreProvider>,
    root,
  );
}
