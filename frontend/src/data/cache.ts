import { signal, type ReadonlySignal, type Signal } from '@preact/signals';
import type { Query, Series, Source } from './source';

/** A value that is fetched. The last good value stays while it is fetched again, and if that fails. */
export interface Loadable<T> {
  state: 'loading' | 'ready' | 'failed';
  value?: T;
  error?: string;
}

/** Fetches into a signal; the answer to an older request is dropped. */
export class Resource<T> {
  readonly signal: Signal<Loadable<T>> = signal({ state: 'loading' });
  private generation = 0;

  constructor(private readonly load: () => Promise<T>) {}

  async refresh(): Promise<void> {
    const generation = ++this.generation;
    const { value, state } = this.signal.peek();
    if (value === undefined && state !== 'loading') this.signal.value = { state: 'loading' };
    try {
      const fresh = await this.load();
      if (generation === this.generation) this.signal.value = { state: 'ready', value: fresh };
    } catch (error) {
      if (generation === this.generation) {
        this.signal.value = {
          state: 'failed',
          value,
          error: error instanceof Error ? error.message : String(error),
        };
      }
    }
  }
}

/** Series by query; the least recently used is dropped first, so that memory stays bounded. */
export class SeriesCache {
  /** Number of messages of a run's tag that could not be read. */
  readonly damaged: Signal<ReadonlyMap<string, { id: string; count: number }>> = signal(new Map());
  private readonly entries = new Map<string, { query: Query; resource: Resource<Series> }>();

  constructor(
    private readonly source: Source,
    private readonly capacity = 192,
  ) {}

  get(query: Query): ReadonlySignal<Loadable<Series>> {
    const key = JSON.stringify([query.id, query.tag, query.max, query.column]);
    const known = this.entries.get(key);
    const entry = known ?? { query, resource: new Resource(() => this.fetch(query)) };
    this.entries.delete(key);
    this.entries.set(key, entry);
    if (!known) {
      void entry.resource.refresh();
      for (const oldest of this.entries.keys()) {
        if (this.entries.size <= this.capacity) break;
        this.entries.delete(oldest);
      }
    }
    return entry.resource.signal;
  }

  private async fetch(query: Query): Promise<Series> {
    const series = await this.source.measurements(query);
    const key = JSON.stringify([query.id, query.tag]);
    const before = this.damaged.peek();
    if ((before.get(key)?.count ?? 0) !== series.damaged)
      this.damaged.value = new Map(before).set(key, { id: query.id, count: series.damaged });
    return series;
  }

  /** Fetches the cached queries that have `changed` again, and those that failed. */
  async refresh(changed: (query: Query) => boolean): Promise<void> {
    const stale = [...this.entries.values()].filter(
      ({ query, resource }) => changed(query) || resource.signal.peek().state === 'failed',
    );
    await Promise.all(stale.map(({ resource }) => resource.refresh()));
  }
}
