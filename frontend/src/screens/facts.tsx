import { plural, words } from '../model/format';
import type { RunState } from '../state/store';
import { FactList } from '../ui/fact_list';
import './facts.css';

function read(json: string, ...keys: string[]): unknown {
  try {
    let value: unknown = JSON.parse(json);
    for (const key of keys) value = (value as Record<string, unknown> | null)?.[key];
    return value;
  } catch {
    return undefined;
  }
}

function nameOf(json: string): string {
  const name = read(json, 'class_name') ?? read(json, 'config', 'name') ?? read(json, 'name');
  if (typeof name === 'string') return name;
  const plain = (() => {
    try {
      return JSON.parse(json) as unknown;
    } catch {
      return json;
    }
  })();
  return typeof plain === 'string' ? words(plain) : '';
}

function learningRate(json: string): string {
  const rate = read(json, 'config', 'learning_rate') ?? read(json, 'learning_rate');
  return typeof rate === 'number' ? ` ${Number(rate.toPrecision(3))}` : '';
}

/** The model and its training in one line. */
export function Facts({ run }: { run: RunState }) {
  const info = run.info;
  if (!info) return null;
  const facts: [string, string][] = [
    ['model', info.model],
    ['layers', String(info.layers.length)],
    ['parameters', info.parameters ? Number(info.parameters).toLocaleString('en-US') : ''],
    ['optimizer', nameOf(info.optimizer) + learningRate(info.optimizer)],
    ['loss', nameOf(info.loss)],
    ['batch', info.batchSize ? String(info.batchSize) : ''],
    ['probe', info.probe?.samples ? `${plural(info.probe.samples, 'sample')}, ${info.probe.source}` : ''],
  ];
  return (
    <>
      <FactList facts={facts} />
      {info.notes.length > 0 && (
        <details class="notes">
          <summary>{plural(info.notes.length, 'thing')} could not be observed</summary>
          <ul>
            {info.notes.map((note, i) => (
              <li key={i}>{note}</li>
            ))}
          </ul>
        </details>
      )}
    </>
  );
}
