import type { RunEntry } from '../data/source';
import { useStore } from '../state/store';
import './chips.css';
import './compare_choice.css';

/** Which run is the base, and which runs are compared with it. */
export function CompareChoice({ base, others }: { base: RunEntry; others: RunEntry[] }) {
  const store = useStore();
  const runs = store.runs.value;
  const shown = new Set(others.map(({ id }) => id));
  const set = (ids: Iterable<string>) => store.go({ against: [...ids].join('\n') });
  const rebase = (id: string) => {
    const against = others.map((entry) => (entry.id === id ? base.id : entry.id));
    store.go({ run: id, against: against.join('\n'), step: null });
  };
  const toggle = (id: string) => {
    const next = new Set(shown);
    if (!next.delete(id)) next.add(id);
    if (next.size) set(next);
  };
  return (
    <div class="row compare-choice">
      <label class="run-select">
        <span>Base</span>
        <select value={base.id} onChange={(event) => rebase(event.currentTarget.value)}>
          {runs.map(({ id, run }) => (
            <option key={id} value={id}>
              {run}
            </option>
          ))}
        </select>
      </label>
      <fieldset class="chips">
        <legend>compared with</legend>
        {runs
          .filter(({ id }) => id !== base.id)
          .map(({ id, run }) => (
            <label key={id} class="chip">
              <input
                type="checkbox"
                checked={shown.has(id)}
                disabled={shown.size === 1 && shown.has(id)}
                onChange={() => toggle(id)}
              />
              <span class="chip-name">{run}</span>
            </label>
          ))}
      </fieldset>
    </div>
  );
}
