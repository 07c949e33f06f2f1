import { useMemo } from 'preact/hooks';
import { Lines, type Line } from '../charts/lines';
import { category } from '../charts/palette';
import type { Timeline } from '../charts/timeline';
import { words } from '../model/format';
import { snapshotsOf } from '../model/snapshots';
import { useStore, type RunState } from '../state/store';
import type { Table } from '../ui/download';
import { Readout } from './columns';
import './training_curve.css';

export interface Panel {
  name: string;
  lines: Line[];
  logarithmic: boolean;
  bounded: boolean;
}

const VALIDATION = 'val_';

/** Training and validation of one quantity share a panel; validation is dashed. */
export function curvePanels(items: Parameters<typeof snapshotsOf>[0], dark: boolean): Panel[] {
  const lines = new Map<string, Line>();
  for (const { step, value } of snapshotsOf(items, 'scalars')) {
    value.names.forEach((name, i) => {
      const dash = name.startsWith(VALIDATION) ? '5 3' : undefined;
      const line = lines.get(name) ?? {
        name: words(name),
        points: [],
        color: category(dash ? 1 : 0, dark),
        dash,
      };
      line.points.push({ step, value: value.values[i] ?? NaN });
      lines.set(name, line);
    });
  }
  const panels = new Map<string, Panel>();
  for (const [name, line] of lines) {
    const quantity = name.replace(VALIDATION, '');
    const values = line.points.map(({ value }) => value).filter(Number.isFinite);
    const panel = panels.get(quantity) ?? {
      name: words(quantity),
      lines: [],
      logarithmic: false,
      bounded: true,
    };
    panel.lines.push(line);
    panel.logarithmic ||= quantity.includes('learning_rate') && values.some((v) => v > 0);
    panel.bounded &&= /acc|auc|precision|recall|f1/.test(quantity) && values.every((v) => v >= 0 && v <= 1);
    panels.set(quantity, panel);
  }
  const rank = (name: string) => (name === 'loss' ? 0 : name.includes('learning rate') ? 2 : 1);
  return [...panels.values()].sort((a, b) => rank(a.name) - rank(b.name));
}

export function curveTable(panels: Panel[]): Table {
  const lines = panels.flatMap((panel) => panel.lines);
  const steps = [...new Set(lines.flatMap(({ points }) => points.map(({ step }) => step)))].sort(
    (a, b) => a - b,
  );
  return {
    columns: ['step', ...lines.map(({ name }) => name)],
    units: ['', ...panels.flatMap((panel) => panel.lines.map(() => (panel.bounded ? 'share' : '')))],
    rows: steps.map((step) => [
      step,
      ...lines.map((l) => l.points.find((p) => p.step === step)?.value ?? NaN),
    ]),
  };
}

/** Loss and metrics on the step axis of the layers above. */
export function TrainingCurve({ panels, axis }: { panels: Panel[]; axis: Timeline }) {
  const store = useStore();
  const step = store.hover.value ?? store.step.value;
  return (
    <>
      {panels.map(({ name, lines, logarithmic, bounded }) => (
        <div class="curve" key={name}>
          <div class="curve-name" style={{ width: axis.left - 56 }}>
            <b data-export>{name}</b>
            <Readout lines={lines} step={step} unit={bounded ? 'share' : ''} />
          </div>
          <Lines
            lines={lines}
            axis={axis}
            height={name === 'loss' ? 104 : 72}
            unit={bounded ? 'share' : ''}
            logarithmic={logarithmic}
            low={0}
            high={bounded ? 1 : 0}
            label={name}
            onHover={(at) => (store.hover.value = at)}
            onPick={(at) => store.go({ step: at })}
          />
        </div>
      ))}
    </>
  );
}

/** Overlaid panels of several runs: a color per run, validation dashed. */
export function overlay(runs: readonly { name: string; panels: Panel[] }[], dark: boolean): Panel[] {
  const merged: Panel[] = [];
  runs.forEach(({ name: run, panels }, which) => {
    for (const panel of panels) {
      const lines = panel.lines.map((line) => ({
        ...line,
        name: line.dash ? `${run} (val)` : run,
        color: category(which, dark),
      }));
      const same = merged.find(({ name }) => name === panel.name);
      if (same) {
        same.lines = [...same.lines, ...lines];
        same.bounded &&= panel.bounded;
        same.logarithmic ||= panel.logarithmic;
      } else merged.push({ ...panel, lines });
    }
  });
  return merged;
}

export interface Curves {
  panels: Panel[];
  title: string;
  description: string;
}

/** For each run, the panels of the diagnostics that write scalars about the whole model. */
export function useCurves(runs: readonly RunState[]): Curves[] {
  const store = useStore();
  const dark = store.dark.value;
  const sources = runs.map((run) => {
    const written = new Set(run.entry.tags.map(({ tag }) => tag));
    const diagnostics = (run.info?.diagnostics ?? []).filter(
      ({ name, modelKind }) => modelKind === 'scalars' && written.has(`cnndiag/${name}`),
    );
    const loads = diagnostics.map(({ name }) => store.modelSeries(run.entry, name).value.value);
    return { first: diagnostics[0], loads };
  });
  return useMemo(
    () =>
      sources.map(({ first, loads }) => ({
        panels: loads.flatMap((series) => curvePanels(series?.items ?? [], dark)),
        title: first?.title ?? '',
        description: first?.description ?? '',
      })),
    [dark, ...sources.flatMap(({ first, loads }) => [first, ...loads])],
  );
}
