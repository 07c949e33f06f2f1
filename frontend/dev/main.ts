import { signal } from '@preact/signals';
import { start } from '../src/app';
import { InlineSource } from '../src/data/inline';
import { inlineData } from '../test/fixture';

const query = new URLSearchParams(location.search);
const specs = query.has('empty')
  ? []
  : [
      { run: 'faulty', faulty: true },
      { run: 'healthy', faulty: false },
    ];

start(document.body, new InlineSource(inlineData(specs)), {
  dark: signal(query.has('dark')),
  readParameters: () => Object.fromEntries(new URLSearchParams(location.hash.slice(1))),
  writeParameters: (parameters) =>
    history.replaceState(null, '', `#${new URLSearchParams(parameters).toString()}`),
  onNavigate: (callback) => window.addEventListener('hashchange', callback),
  onReload: () => undefined,
});
