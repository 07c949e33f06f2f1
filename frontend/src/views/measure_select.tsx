import type { Measure } from '../model/layers';
import { useStore, type RunState } from '../state/store';

interface MeasureSelectProps {
  run: RunState;
  measure: Measure;
  label: string;
  id?: string;
}

/** Chooses what colors layers. */
export function MeasureSelect({ run, measure, label, id }: MeasureSelectProps) {
  const store = useStore();
  const diagnostics = [...new Set(run.measures.map(({ diagnostic }) => diagnostic))];
  return (
    <select
      id={id}
      aria-label={label}
      value={measure.id}
      onChange={(event) => store.go({ measure: event.currentTarget.value })}
    >
      {diagnostics.map((diagnostic) => (
        <optgroup key={diagnostic.name} label={diagnostic.title}>
          {run.measures
            .filter((candidate) => candidate.diagnostic === diagnostic)
            .map(({ id: value, column }) => (
              <option key={value} value={value}>
                {column.title}
              </option>
            ))}
        </optgroup>
      ))}
    </select>
  );
}
