import { batch, computed, effect, signal, type ReadonlySignal, type Signal } from '@preact/signals';
import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import { Resource, SeriesCache, type Loadable } from '../data/cache';
import type { Query, RunEntry, Series, Source } from '../data/source';
import type { Host } from './host';
import { allLooks, beside } from '../model/compare';
import { findingsOf } from '../model/findings';
import { measuresOf, tablesOf, type Measure } from '../model/layers';
import { DEFAULT_VIEW, parseView, serialiseView, type View } from '../model/view';
import type { Finding, LayerInfo, RunInfo } from '../summaries/cnndiag_pb';

/** Most looks asked for at once; a screen shows no more columns than that. */
const OVERVIEW_LOOKS = 240;
const LAYER_LOOKS = 120;

const NOTHING = signal<Loadable<Series>>({ state: 'ready', value: { items: [], total: 0, damaged: 0 } });

/** What is known of a run beside its measurements. */
export interface RunState {
  entry: RunEntry;
  /** All layer tables of the run, the latest last. */
  tables: RunInfo[];
  info: RunInfo | undefined;
  layers: LayerInfo[];
  measures: Measure[];
  findings: Finding[];
  /** Whether the findings are known; without them nothing says that a run is well. */
  judgement: 'known' | 'loading' | 'failed' | 'none';
  state: Loadable<unknown>['state'];
  error: string | undefined;
}

/** Everything the screens share: runs, the view (kept in the address), and series by query. */
export class Store {
  readonly runList: Signal<Loadable<RunEntry[]>>;
  readonly view: Signal<View>;
  readonly dark: ReadonlySignal<boolean>;
  /** Step under the pointer, shown by all charts; null when none. */
  readonly hover = signal<number | null>(null);
  readonly playing = signal(false);
  readonly runs: ReadonlySignal<RunEntry[]>;
  readonly entry: ReadonlySignal<RunEntry | undefined>;
  readonly run: ReadonlySignal<RunState | undefined>;
  /** Runs set beside the current one, which is their base. */
  readonly others: ReadonlySignal<RunState[]>;
  /** When the current run was looked at, or on the comparison any of its runs. */
  readonly looks: ReadonlySignal<{ step: number; epoch: number; snapshot: number }[]>;
  readonly steps: ReadonlySignal<number[]>;
  readonly step: ReadonlySignal<number>;
  /** Messages of the current run that could not be read, as far as they were asked for. */
  readonly damaged: ReadonlySignal<number>;
  private readonly runResource: Resource<RunEntry[]>;
  private readonly cache: SeriesCache;

  constructor(
    source: Source,
    private readonly host: Host,
  ) {
    this.dark = host.dark;
    this.cache = new SeriesCache(source);
    this.runResource = new Resource(() => source.runs());
    this.runList = this.runResource.signal;
    this.view = signal(parseView(host.readParameters()));
    this.runs = computed(() => this.runList.value.value ?? []);
    this.entry = computed(() => {
      const wanted = this.view.value.run;
      return this.runs.value.find(({ id }) => id === wanted) ?? this.runs.value[0];
    });
    this.run = computed(() => this.entry.value && this.stateOf(this.entry.value));
    // By itself, so that a change of step does not look through the runs anew.
    const against = computed(() => this.view.value.against);
    const comparing = computed(() => this.view.value.screen === 'compare');
    this.others = computed(() =>
      beside(this.runs.value, this.entry.value, against.value.split('\n')).map((entry) =>
        this.stateOf(entry),
      ),
    );
    this.looks = computed(() => {
      const own = this.entry.value ? [this.entry.value] : [];
      const others = comparing.value ? this.others.value.map(({ entry }) => entry) : [];
      return allLooks([...own, ...others].map((entry) => this.looksOf(entry)));
    });
    this.damaged = computed(() => {
      const own = [...this.cache.damaged.value.values()].filter(({ id }) => id === this.entry.value?.id);
      return own.reduce((sum, { count }) => sum + count, 0);
    });
    this.steps = computed(() => this.looks.value.map(({ step }) => step));
    this.step = computed(() => {
      const last = this.steps.value.at(-1) ?? 0;
      return Math.min(this.view.value.step ?? last, last);
    });
  }

  start(): void {
    void this.runResource.refresh();
    effect(() => this.host.writeParameters(serialiseView(this.view.value)));
    this.host.onNavigate(() => {
      const view = parseView(this.host.readParameters());
      if (JSON.stringify(view) !== JSON.stringify(this.view.peek())) this.view.value = view;
    });
    this.host.onReload(() => void this.reload());
  }

  /** Moves to another view; what is not named stays. */
  go(change: Partial<View>): void {
    batch(() => {
      this.view.value = { ...this.view.value, ...change };
      this.hover.value = null;
    });
  }

  home(): void {
    this.go({ ...DEFAULT_VIEW, run: this.view.value.run, step: this.view.value.step });
  }

  /** Reads the list of runs again, then the tags that have grown and the series that failed. */
  async reload(): Promise<void> {
    const before = this.latestSteps();
    await this.runResource.refresh();
    const after = this.latestSteps();
    await this.cache.refresh(({ id, tag }) => after.get(`${id}\n${tag}`) !== before.get(`${id}\n${tag}`));
  }

  /** The last step of each tag of each run. */
  private latestSteps(): Map<string, number> {
    return new Map(
      this.runs.peek().flatMap(({ id, tags }) => tags.map((one) => [`${id}\n${one.tag}`, one.max_step])),
    );
  }

  series(query: Query): ReadonlySignal<Loadable<Series>> {
    return this.cache.get(query);
  }

  /** A column of all layers over the looks of a run. */
  columnSeries(entry: RunEntry, { diagnostic, column }: Measure): ReadonlySignal<Loadable<Series>> {
    return this.written(entry, diagnostic.name, { column: column.name });
  }

  /** What a diagnostic wrote about the whole model. */
  modelSeries(entry: RunEntry, diagnostic: string): ReadonlySignal<Loadable<Series>> {
    return this.written(entry, diagnostic, {});
  }

  /** Asks only for what the run has: a diagnostic that is announced may not have written yet. */
  private written(entry: RunEntry, diagnostic: string, { column }: { column?: string }) {
    const tag = `cnndiag/${diagnostic}`;
    if (!entry.tags.some((one) => one.tag === tag)) return NOTHING;
    return this.series({ id: entry.id, tag, column, max: OVERVIEW_LOOKS });
  }

  /** What a diagnostic wrote about one layer; undefined when it has no such tag. */
  layerSeries(
    entry: RunEntry,
    diagnostic: string,
    layer: string,
  ): ReadonlySignal<Loadable<Series>> | undefined {
    const tag = entry.tags.find((t) => t.diagnostic === diagnostic && t.layer === layer && layer !== '');
    return tag && this.series({ id: entry.id, tag: tag.tag, max: LAYER_LOOKS });
  }

  stateOf(entry: RunEntry): RunState {
    const has = (tag: string) => entry.tags.some((t) => t.tag === tag);
    const info = (has('cnndiag/run_info') ? this.series({ id: entry.id, tag: 'cnndiag/run_info' }) : NOTHING)
      .value;
    const findings = has('cnndiag/findings')
      ? this.series({ id: entry.id, tag: 'cnndiag/findings', max: 1 }).value
      : undefined;
    const unknown = findings?.state === 'failed' ? 'failed' : 'loading';
    const tables = tablesOf(info.value);
    const latest = tables.at(-1);
    return {
      entry,
      tables,
      info: latest,
      layers: latest?.layers ?? [],
      measures: measuresOf(latest).filter(({ diagnostic }) => has(`cnndiag/${diagnostic.name}`)),
      findings: findingsOf(findings?.value),
      judgement: !findings ? 'none' : findings.value ? 'known' : unknown,
      state: info.state,
      error: info.error ?? findings?.error,
    };
  }

  /** Epochs completed at a step of the current run. */
  epochAt(step: number): number | undefined {
    return this.looks.value.findLast((look) => look.step <= step)?.epoch;
  }

  /** When a run was looked at: each look writes what it cost, and a log without that, numbers of all layers. */
  looksOf(entry: RunEntry): { step: number; epoch: number; snapshot: number }[] {
    const written = new Set(entry.tags.map(({ tag }) => tag));
    const measure = this.stateOf(entry).measures.find(({ diagnostic }) =>
      written.has(`cnndiag/${diagnostic.name}`),
    );
    const series = written.has('cnndiag/overhead')
      ? this.modelSeries(entry, 'overhead').value.value
      : measure && this.columnSeries(entry, measure).value.value;
    return series?.items.map(({ step, epoch, snapshot }) => ({ step: Number(step), epoch, snapshot })) ?? [];
  }
}

const StoreContext = createContext<Store | null>(null);
export const StoreProvider = StoreContext.Provider;

export function useStore(): Store {
  const store = useContext(StoreContext);
  if (!store) throw new Error('useStore: no store; wrap the component in StoreProvider.');
  return store;
}
