import { batch, computed, effect, signal, type ReadonlySignal, type Signal } from '@preact/signals';
import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import { Resource, SeriesCache, type Loadable } from '../data/cache';
import type { Query, RunEntry, Series, Source } from '../data/source';
import type { Host } from './host';
import { allSnapshots, comparedRuns } from '../model/compare';
import { coverageOf, findingsOf } from '../model/findings';
import { leftOut, type LeftOut } from '../model/left_out';
import { measuresOf, tablesOf, type Measure } from '../model/layers';
import { DEFAULT_VIEW, parseView, serializeView, type View } from '../model/view';
import type { Coverage, Finding, LayerInfo, RunInfo } from '../summaries/cnndiag_pb';

/** Maximum number of snapshots per request: a screen does not show more columns. */
const OVERVIEW_SNAPSHOTS = 240;
const LAYER_SNAPSHOTS = 120;

const NOTHING = signal<Loadable<Series>>({ state: 'ready', value: { items: [], total: 0, damaged: 0 } });

/** What is known about a run, apart from its measurements. */
export interface RunState {
  entry: RunEntry;
  /** All layer tables of the run, the latest last. */
  tables: RunInfo[];
  info: RunInfo | undefined;
  layers: LayerInfo[];
  measures: Measure[];
  findings: Finding[];
  /** How the judgment of each fault ended; empty if the log does not say. */
  coverage: Coverage[];
  /** Whether the findings are known: without them a run is not shown as healthy. */
  judgment: 'known' | 'loading' | 'failed' | 'none';
  state: Loadable<unknown>['state'];
  error: string | undefined;
}

/** Everything the screens share: runs, the view (stored in the address), and series by query. */
export class Store {
  readonly runList: Signal<Loadable<RunEntry[]>>;
  readonly view: Signal<View>;
  readonly dark: ReadonlySignal<boolean>;
  /** Step under the pointer, marked in all charts; null if the pointer is elsewhere. */
  readonly hover = signal<number | null>(null);
  readonly playing = signal(false);
  readonly runs: ReadonlySignal<RunEntry[]>;
  readonly entry: ReadonlySignal<RunEntry | undefined>;
  readonly run: ReadonlySignal<RunState | undefined>;
  /** Runs that are compared with the current one, their base. */
  readonly others: ReadonlySignal<RunState[]>;
  /** Snapshots of the current run, or on the comparison those of all its runs. */
  readonly snapshots: ReadonlySignal<{ step: number; epoch: number; snapshot: number }[]>;
  readonly steps: ReadonlySignal<number[]>;
  readonly step: ReadonlySignal<number>;
  /** Number of messages of the current run that could not be read, among those requested. */
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
      const runs = this.runs.value;
      // A link that somebody writes may have the name that the page shows.
      return runs.find(({ id }) => id === wanted) ?? runs.find(({ run }) => run === wanted) ?? runs[0];
    });
    this.run = computed(() => this.entry.value && this.stateOf(this.entry.value));
    // Separate signals, so that a change of the step does not compute the runs again.
    const against = computed(() => this.view.value.against);
    const comparing = computed(() => this.view.value.screen === 'compare');
    this.others = computed(() =>
      comparedRuns(this.runs.value, this.entry.value, against.value.split('\n')).map((entry) =>
        this.stateOf(entry),
      ),
    );
    this.snapshots = computed(() => {
      const own = this.entry.value ? [this.entry.value] : [];
      const others = comparing.value ? this.others.value.map(({ entry }) => entry) : [];
      return allSnapshots([...own, ...others].map((entry) => this.snapshotsOf(entry)));
    });
    this.damaged = computed(() => {
      const own = [...this.cache.damaged.value.values()].filter(({ id }) => id === this.entry.value?.id);
      return own.reduce((sum, { count }) => sum + count, 0);
    });
    this.steps = computed(() => this.snapshots.value.map(({ step }) => step));
    this.step = computed(() => {
      const last = this.steps.value.at(-1) ?? 0;
      return Math.min(this.view.value.step ?? last, last);
    });
  }

  start(): void {
    void this.runResource.refresh();
    effect(() => this.host.writeParameters(serializeView(this.view.value)));
    this.host.onNavigate(() => {
      const view = parseView(this.host.readParameters());
      if (JSON.stringify(view) !== JSON.stringify(this.view.peek())) this.view.value = view;
    });
    this.host.onReload(() => void this.reload());
  }

  /** Changes the view; what `change` does not name stays. */
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

  /** A column of all layers over the snapshots of a run. */
  columnSeries(entry: RunEntry, { diagnostic, column }: Measure): ReadonlySignal<Loadable<Series>> {
    return this.seriesOf(entry, diagnostic.name, { column: column.name });
  }

  /** What a diagnostic wrote about the whole model. */
  modelSeries(entry: RunEntry, diagnostic: string): ReadonlySignal<Loadable<Series>> {
    return this.seriesOf(entry, diagnostic, {});
  }

  /** Requests only what the run has: a diagnostic in the layer table may not have written yet. */
  private seriesOf(entry: RunEntry, diagnostic: string, { column }: { column?: string }) {
    const tag = `cnndiag/${diagnostic}`;
    if (!entry.tags.some((one) => one.tag === tag)) return NOTHING;
    return this.series({ id: entry.id, tag, column, max: OVERVIEW_SNAPSHOTS });
  }

  /** What a diagnostic wrote about one layer; undefined if it has no such tag. */
  layerSeries(
    entry: RunEntry,
    diagnostic: string,
    layer: string,
  ): ReadonlySignal<Loadable<Series>> | undefined {
    const tag = entry.tags.find((t) => t.diagnostic === diagnostic && t.layer === layer && layer !== '');
    return tag && this.series({ id: entry.id, tag: tag.tag, max: LAYER_SNAPSHOTS });
  }

  /** The snapshots of a run that the time budget left a diagnostic out of. */
  leftOut(entry: RunEntry, diagnostic: string): LeftOut[] {
    return leftOut(this.modelSeries(entry, 'overhead').value.value?.items ?? [], diagnostic);
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
      coverage: coverageOf(findings?.value),
      judgment: !findings ? 'none' : findings.value ? 'known' : unknown,
      state: info.state,
      error: info.error ?? findings?.error,
    };
  }

  /** Epochs completed at a step of the current run. */
  epochAt(step: number): number | undefined {
    return this.snapshots.value.findLast((snapshot) => snapshot.step <= step)?.epoch;
  }

  /** The snapshots of a run: each writes its cost, and in a log without costs, a measure of all layers. */
  snapshotsOf(entry: RunEntry): { step: number; epoch: number; snapshot: number }[] {
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
