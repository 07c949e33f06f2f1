import { signal } from '@preact/signals';
import { describe, expect, it, vi } from 'vitest';
import { Resource, SeriesCache } from '../src/data/cache';
import type { Query, Series, Source } from '../src/data/source';
import { InlineSource } from '../src/data/inline';
import { Store } from '../src/state/store';
import { inlineData } from './fixture';

const data = inlineData([
  { run: 'faulty', faulty: true },
  { run: 'healthy', faulty: false },
]);

function hostWith(parameters: Record<string, string> = {}) {
  const written: Record<string, string>[] = [];
  const host = {
    dark: signal(false),
    readParameters: () => parameters,
    writeParameters: (p: Record<string, string>) => void written.push(p),
    onNavigate: () => undefined,
    onReload: () => undefined,
  };
  return { host, written };
}

describe('store', () => {
  it('follows a deep link', async () => {
    const { host } = hostWith({ run: 'healthy/cnndiag', screen: 'layer', layer: 'dense', step: '400' });
    const store = new Store(new InlineSource(data), host);
    store.start();
    await vi.waitFor(() => expect(store.steps.value).toHaveLength(11));
    expect(store.entry.value?.run).toBe('healthy');
    expect(store.step.value).toBe(400);
  });

  it('starts with the first run, its latest snapshot and its findings', async () => {
    const { host, written } = hostWith();
    const store = new Store(new InlineSource(data), host);
    store.start();
    await vi.waitFor(() => expect(store.run.value?.findings).toHaveLength(3));
    await vi.waitFor(() => expect(store.step.value).toBe(790));
    store.go({ step: 79, layer: 'dense', screen: 'layer' });
    expect(written.at(-1)).toEqual({ step: '79', layer: 'dense', screen: 'layer' });
    store.home();
    expect(written.at(-1)).toEqual({ step: '79' });
  });
});

describe('findings', () => {
  /** A store whose source answers requests for findings with `findings`, and others from the log. */
  function storeWith(findings: () => Promise<never>) {
    const inline = new InlineSource(data);
    const source: Source = {
      runs: () => inline.runs(),
      measurements: (query) => (query.tag === 'cnndiag/findings' ? findings() : inline.measurements(query)),
    };
    const store = new Store(source, hostWith().host);
    store.start();
    return store;
  }

  it('are not reported as absent while they are loading', async () => {
    const store = storeWith(() => new Promise(() => undefined));
    await vi.waitFor(() => expect(store.run.value?.layers.length).toBeGreaterThan(0));
    expect(store.run.value?.judgment).toBe('loading');
  });

  it('are not reported as absent if they could not be read', async () => {
    const store = storeWith(() => Promise.reject(new Error('gone')));
    await vi.waitFor(() => expect(store.run.value?.judgment).toBe('failed'));
  });

  it('are known for a run without faults, and unknown for a run without judgment', async () => {
    const store = new Store(new InlineSource(data), hostWith({ run: 'healthy/cnndiag' }).host);
    store.start();
    await vi.waitFor(() => expect(store.run.value?.judgment).toBe('known'));
    expect(store.run.value?.findings).toEqual([]);
    const entry = store.entry.value;
    if (!entry) throw new Error('The run does not exist.');
    const bare = { ...entry, tags: entry.tags.filter(({ tag }) => tag !== 'cnndiag/findings') };
    expect(store.stateOf(bare).judgment).toBe('none');
  });
});

describe('reload', () => {
  const inline = new InlineSource(data);

  /** A store of the synthetic runs, the queries that it sent, and a switch that makes columns fail. */
  async function storeWithLog() {
    const queries: Query[] = [];
    const failing = { value: false };
    const source: Source = {
      runs: () => inline.runs(),
      measurements: async (query) => {
        queries.push(query);
        if (failing.value && query.column) throw new Error('gone');
        return inline.measurements(query);
      },
    };
    const store = new Store(source, hostWith().host);
    store.start();
    await vi.waitFor(() => expect(store.steps.value).toHaveLength(11));
    const { entry, measures } = store.run.value ?? {};
    const measure = measures?.[2];
    if (!entry || !measure) throw new Error('The run has no such measure.');
    return { store, queries, failing, column: () => store.columnSeries(entry, measure) };
  }

  it('fetches failed series again', async () => {
    const { store, failing, column } = await storeWithLog();
    failing.value = true;
    await vi.waitFor(() => expect(column().value.state).toBe('failed'));
    failing.value = false;
    await store.reload();
    expect(column().value.state).toBe('ready');
  });

  it('does not fetch tags that have not changed', async () => {
    const { store, queries } = await storeWithLog();
    queries.length = 0;
    await store.reload();
    expect(queries).toEqual([]);
  });
});

describe('fetching', () => {
  it('drops the answer to an older request', async () => {
    const answers: ((value: string) => void)[] = [];
    const resource = new Resource(() => new Promise<string>((resolve) => answers.push(resolve)));
    const [first, second] = [resource.refresh(), resource.refresh()];
    answers[1]?.('new');
    answers[0]?.('old');
    await Promise.all([first, second]);
    expect(resource.signal.value.value).toBe('new');
  });

  it('keeps the last good value if fetching again fails', async () => {
    let fail = false;
    const resource = new Resource(async () => {
      if (fail) throw new Error('gone');
      return 1;
    });
    await resource.refresh();
    fail = true;
    await resource.refresh();
    expect(resource.signal.value).toEqual({ state: 'failed', value: 1, error: 'gone' });
  });

  it('requests each query once and drops the least recently used', async () => {
    const measurements = vi.fn(async (): Promise<Series> => ({ items: [], total: 0, damaged: 0 }));
    const source: Source = { runs: async () => [], measurements };
    const cache = new SeriesCache(source, 2);
    for (const tag of ['a', 'a', 'b', 'c', 'a']) cache.get({ id: 'r', tag });
    expect(measurements).toHaveBeenCalledTimes(4);
  });

  it('counts damaged messages once per tag and run', async () => {
    const damaged = { a: 2, b: 0, c: 1 } as Record<string, number>;
    const source: Source = {
      runs: async () => [],
      measurements: async ({ tag }) => ({ items: [], total: 0, damaged: damaged[tag] ?? 0 }),
    };
    const cache = new SeriesCache(source);
    for (const [tag, column] of [['a', 'x'], ['a', 'y'], ['b'], ['c']])
      cache.get({ id: 'r', tag: tag ?? '', column });
    const counts = () => [...cache.damaged.value.values()];
    await vi.waitFor(() => expect(counts()).toHaveLength(2));
    expect(counts()).toEqual([
      { id: 'r', count: 2 },
      { id: 'r', count: 1 },
    ]);
    damaged.a = 0;
    await cache.refresh(() => true);
    expect(counts().map(({ count }) => count)).toEqual([0, 1]);
  });
});
