import { SAMPLE_MAPS, type Screen } from '../model/view';
import { useStore } from '../state/store';
import { SeverityIcon } from '../ui/icons';
import { FindingCounts, verdict } from '../views/findings';
import { helpOpen } from './help';
import './chips.css';
import './header.css';

/** Maximum number of runs shown as chips with their verdict; more are chosen from a menu. */
const MAX_CHIPS = 5;

function runName(run: string): string {
  return run === '.' ? 'this log directory' : run;
}

function Runs() {
  const store = useStore();
  const runs = store.runs.value;
  const current = store.entry.value;
  const pick = (run: string) => store.go({ run, step: null, layer: store.view.value.layer });
  if (runs.length > MAX_CHIPS) {
    return (
      <label class="run-select">
        <span>Run</span>
        <select value={current?.id} onChange={(event) => pick(event.currentTarget.value)}>
          {runs.map(({ id, run }) => (
            <option key={id} value={id}>
              {runName(run)}
            </option>
          ))}
        </select>
        {store.run.value && <FindingCounts run={store.run.value} />}
      </label>
    );
  }
  return (
    <div class="chips" role="radiogroup" aria-label="Run">
      {runs.map((entry) => {
        const run = store.stateOf(entry);
        return (
          <label key={entry.id} class="chip">
            <input
              type="radio"
              name="run"
              checked={entry.id === current?.id}
              onChange={() => pick(entry.id)}
            />
            <span>
              <SeverityIcon severity={verdict(run)} label />
              <span class="chip-name">{runName(entry.run)}</span>
              {run.findings.length > 0 && <span class="chip-count">{run.findings.length}</span>}
            </span>
          </label>
        );
      })}
    </div>
  );
}

export function Header() {
  const store = useStore();
  const screen = store.view.value.screen;
  const screens: [Screen, string][] = [
    ['overview', 'Overview'],
    ['relations', 'All layers'],
  ];
  const entry = store.entry.value;
  if (
    entry?.tags.some(({ tag }) => tag === `cnndiag/${SAMPLE_MAPS}`) ||
    (entry && store.leftOut(entry, SAMPLE_MAPS).length)
  )
    screens.push(['samples', 'Samples']);
  if (store.runs.value.length > 1) screens.push(['compare', 'Compare']);
  return (
    <header class="topbar">
      <h1 class="hidden">CNN Diagnostics</h1>
      <Runs />
      <nav aria-label="Screens">
        {screens.map(([name, title]) => (
          <button
            type="button"
            key={name}
            aria-current={screen === name ? 'page' : undefined}
            onClick={() =>
              name === 'overview' ? store.home() : store.go({ screen: name, layer: '', chart: '' })
            }
          >
            {title}
          </button>
        ))}
      </nav>
      <button
        type="button"
        class="quiet topbar-help"
        onClick={() => (helpOpen.value = true)}
        aria-label="Keyboard and help"
      >
        ?
      </button>
    </header>
  );
}
