import { signal } from '@preact/signals';
import { start } from '../app';
import { InlineSource, type InlineData } from '../data/inline';
import type { Host } from '../state/host';

/** A report opened on its own: it follows the system's theme and stores the view in its own address. */
function page(): Host {
  const query = window.matchMedia('(prefers-color-scheme: dark)');
  const dark = signal(query.matches);
  query.addEventListener('change', () => (dark.value = query.matches));
  return {
    dark,
    readParameters: () => Object.fromEntries(new URLSearchParams(location.hash.slice(1))),
    writeParameters: (parameters) =>
      history.replaceState(null, '', `#${new URLSearchParams(parameters).toString()}`),
    onNavigate: (callback) => window.addEventListener('hashchange', callback),
    onReload: () => undefined,
  };
}

const data = JSON.parse(
  document.getElementById('cnndiag-data')?.textContent ?? '{"runs":[],"measurements":{}}',
);
const container = document.getElementById('cnndiag') ?? document.body;
// The container has the same content as plain HTML, for browsers that run no scripts.
container.replaceChildren();
start(container, new InlineSource(data as InlineData), page());
