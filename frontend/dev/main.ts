import { signal } from '@preact/signals';
import { start } from '../src/app';
import { InlineSource } from '../src/data/inline';
import { HOSTILE, inlineData, largeModel, type RunSpec } from '../test/fixture';

/** Runs that the page shows: `?empty`, `?large` or `?hostile`, with `&dark` for the dark theme. */
const query = new URLSearchParams(location.search);

function specs(): RunSpec[] {
  if (query.has('empty')) return [];
  if (query.has('large'))
    return [{ run: 'resnet', faulty: true, layers: largeModel(200), snapshots: 100, heavyEvery: 50 }];
  if (query.has('hostile'))
    return HOSTILE.map((run) => ({ run, faulty: true, layers: HOSTILE.map(layerNamed), snapshots: 4 }));
  return [
    { run: 'faulty', faulty: true },
    { run: 'healthy', faulty: false },
  ];
}

const layerNamed = (path: string) => ({ path, role: 'conv' as const, units: 16, fanIn: 9 });

start(document.body, new InlineSource(inlineData(specs())), {
  dark: signal(query.has('dark')),
  readParameters: () => Object.fromEntries(new URLSearchParams(location.hash.slice(1))),
  writeParameters: (parameters) =>
    history.replaceState(null, '', `#${new URLSearchParams(parameters).toString()}`),
  onNavigate: (callback) => window.addEventListener('hashchange', callback),
  onReload: () => undefined,
});
