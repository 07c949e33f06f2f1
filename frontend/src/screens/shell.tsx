import { useEffect } from 'preact/hooks';
import { Severity } from '../model/findings';
import { plural } from '../model/format';
import { useStore } from '../state/store';
import { SeverityIcon } from '../ui/icons';
import { Failure, Notice, Skeleton } from '../ui/notice';
import { Tooltip, useTouchTips } from '../ui/tooltip';
import { Compare } from './compare';
import { Header } from './header';
import { Help } from './help';
import { useKeyboard } from './keyboard';
import { LayerScreen } from './layer';
import { Overview } from './overview';
import { Relations } from './relations';
import { lazy } from '../ui/lazy';
import { Timebar } from './timebar';
import './shell.css';

const UnitScreen = lazy('The page of the unit', 420, async () => (await import('./unit')).UnitScreen);

const Samples = lazy('The samples', 420, async () => (await import('./samples')).Samples);

const SNIPPET = `from tb_cnndiag import CNNDiagnostics

diagnostics = CNNDiagnostics("logs/run1")
model.fit(x, y, epochs=10, callbacks=[diagnostics])`;

function Empty() {
  const store = useStore();
  return (
    <Notice title="No CNN diagnostics in this log directory yet">
      <p>Add the callback where the model is trained, then reload. Three lines are enough:</p>
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- it scrolls where it is narrow */}
      <pre tabIndex={0}>
        <code>{SNIPPET}</code>
      </pre>
      <p>
        The first data appears after the first epoch. Training that is already running must be restarted with
        the callback.
      </p>
      <button type="button" class="primary" onClick={() => void store.reload()}>
        Check again
      </button>
    </Notice>
  );
}

function Screen() {
  const store = useStore();
  const list = store.runList.value;
  const run = store.run.value;
  if (list.state === 'failed' && !list.value) {
    return <Failure what="The list of runs" error={list.error ?? ''} retry={() => void store.reload()} />;
  }
  if (!list.value) {
    return (
      <div class="columns">
        <Skeleton height={420} label="Loading runs" />
        <Skeleton height={420} label="Loading findings" />
      </div>
    );
  }
  if (!run) return <Empty />;
  const { screen } = store.view.value;
  if (screen === 'layer') return <LayerScreen run={run} />;
  if (screen === 'unit') return <UnitScreen run={run} />;
  if (screen === 'relations') return <Relations run={run} />;
  if (screen === 'samples') return <Samples key={run.entry.id} run={run} />;
  if (screen === 'compare') return <Compare run={run} />;
  return <Overview run={run} />;
}

/** Says that part of the log is not shown because it cannot be read. */
function Damage() {
  const store = useStore();
  const damaged = store.damaged.value;
  if (!damaged) return null;
  return (
    <p class="damage" role="status">
      <SeverityIcon severity={Severity.WARNING} />
      {plural(damaged, 'message')} of this log could not be read and {damaged === 1 ? 'is' : 'are'} left out.
      The file may have been truncated, for example by a full disk. Everything else is shown.
    </p>
  );
}

/** Header, screen, step bar: what every view has in common. */
export function Shell() {
  const store = useStore();
  const { screen, layer } = store.view.value;
  // A saved model and a model before training have one snapshot: there is no step to choose.
  const chooses = store.steps.value.length > (store.run.value?.info?.origin ? 1 : 0);
  useKeyboard(store);
  useTouchTips();
  useEffect(() => window.scrollTo(0, 0), [screen, layer]);
  return (
    <div class="shell">
      <Header />
      <main>
        <Damage />
        <Screen />
      </main>
      {chooses && <Timebar />}
      <Help />
      <Tooltip />
    </div>
  );
}
