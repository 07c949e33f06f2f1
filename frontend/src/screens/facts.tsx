import { formatNumber, plural, words } from '../model/format';
import type { RunState } from '../state/store';
import type { Probe } from '../summaries/cnndiag_pb';
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
  return typeof rate === 'number' ? ` ${formatNumber(rate)}` : '';
}

/** Where the probe is from; logs before version 0.2 say "gathered". */
function sourceOf({ source }: Probe): string {
  return source === 'gathered' ? 'collected' : source;
}

/** What a log that is not of a training shows, by its origin. */
const STATES: Record<string, string> = { audit: 'saved model', preflight: 'before training' };

/** The model and its training in one line. */
export function Facts({ run }: { run: RunState }) {
  const info = run.info;
  if (!info) return null;
  const facts: [string, string][] = [
    ['model', info.model],
    ['snapshot', STATES[info.origin] ?? ''],
    ['layers', formatNumber(info.layers.length)],
    ['parameters', info.parameters ? formatNumber(Number(info.parameters)) : ''],
    ['optimizer', nameOf(info.optimizer) + learningRate(info.optimizer)],
    ['loss', nameOf(info.loss)],
    ['batch size', info.batchSize ? formatNumber(info.batchSize) : ''],
    ['probe', info.probe?.samples ? `${plural(info.probe.samples, 'sample')}, ${sourceOf(info.probe)}` : ''],
  ];
  return (
    <>
      <FactList facts={facts} />
      {info.notes.length > 0 && (
        <details class="notes">
          <summary>Not observed: {plural(info.notes.length, 'note')}</summary>
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
