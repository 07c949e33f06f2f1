import { signal } from '@preact/signals';
import { HttpSource } from '../data/http';
import { start } from '../app';
import type { Host } from '../state/host';
import { listenToTensorBoard } from './messages';
import { mergeHash, parametersOfHash } from './hash';

const PLUGIN = 'cnndiag';

/** TensorBoard passes neither the theme nor a new deep link to its plugins, so both are read from its page. */
function tensorBoard(): Host {
  const page = window.parent;
  const isDark = () => page.document.body.classList.contains('dark-mode');
  const dark = signal(isDark());
  new MutationObserver(() => (dark.value = isDark())).observe(page.document.body, {
    attributes: true,
    attributeFilter: ['class'],
  });

  return {
    dark,
    readParameters: () => parametersOfHash(page.location.hash, PLUGIN),
    writeParameters(parameters) {
      const hash = mergeHash(page.location.hash, PLUGIN, parameters);
      if (hash === page.location.hash) return;
      page.history.replaceState(page.history.state, '', hash);
      page.dispatchEvent(new HashChangeEvent('hashchange'));
    },
    onNavigate: (callback) => page.addEventListener('hashchange', callback),
    onReload: (callback) =>
      listenToTensorBoard({ 'experimental.DataReloaded': callback, 'experimental.RunsChanged': callback }),
  };
}

/** Called by TensorBoard once it has loaded this module into the plugin's iframe. */
export function render(): void {
  start(document.body, new HttpSource(), tensorBoard());
}
