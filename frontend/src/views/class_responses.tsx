import { useCallback, useMemo } from 'preact/hooks';
import { RampLegend } from '../charts/legend';
import { hatch, painter } from '../charts/palette';
import { formatNumber, plural } from '../model/format';
import { unitNoun } from '../model/layers';
import { snapshotAt } from '../model/snapshots';
import { answersOf, type Answers } from '../model/units';
import { useStore } from '../state/store';
import { Canvas } from '../ui/canvas';
import { useWidth } from '../ui/size';
import { hideTip, showTip } from '../ui/tooltip';
import { useAwaited } from './kind_series';
import type { KindViewProps } from './layer_view';
import './class_responses.css';

const LEFT = 44;
const SCALE = { low: 0, high: 1, logarithmic: false, scheme: 'sequential' } as const;
/** Largest width of a column, and the height of the map that rows are fitted to. */
const [WIDEST, HEIGHT] = [64, 420];

/** Mean responses of a unit between its weakest and its strongest class, by class. */
function levels({ classes }: Answers): Map<number, number> {
  const means = classes.map(({ mean }) => mean);
  const [low, high] = [Math.min(...means), Math.max(...means)];
  return new Map(classes.map(({ id, mean }) => [id, high > low ? (mean - low) / (high - low) : NaN]));
}

/** Units × classes: which class each unit answers to, units of one class next to each other. */
export function ClassResponsesView({ run, layer, snapshots }: KindViewProps<'classResponses'>) {
  const store = useStore();
  const [ref, width] = useWidth<HTMLDivElement>();
  const message = snapshotAt(snapshots, store.step.value)?.value;
  const answers = useAwaited(message && answersOf(message));
  const noun = unitNoun(layer);
  const dark = store.dark.value;
  const ids = useMemo(
    () =>
      [...new Set((answers ?? []).flatMap(({ classes }) => classes.map(({ id }) => id)))].sort(
        (a, b) => a - b,
      ),
    [answers],
  );
  const units = useMemo(() => {
    const top = (unit: number) => answers?.[unit]?.classes[0]?.id ?? Infinity;
    const clear = (unit: number) => answers?.[unit]?.explained || 0;
    return Array.from(answers ?? [], (_, unit) => unit).sort(
      (a, b) => top(a) - top(b) || clear(b) - clear(a),
    );
  }, [answers]);
  const rows = useMemo(() => (answers ?? []).map(levels), [answers]);
  const cell = Math.min(WIDEST, (width - LEFT) / Math.max(1, ids.length));
  const row = Math.min(16, Math.max(3, Math.floor(HEIGHT / Math.max(1, units.length))));
  const [across, down] = [Math.max(1, Math.floor(cell * ids.length)), row * units.length];
  const draw = useCallback(
    (context: CanvasRenderingContext2D) => {
      const paint = painter(SCALE, dark);
      context.fillStyle = hatch(context, dark);
      context.fillRect(0, 0, across, down);
      units.forEach((unit, y) =>
        ids.forEach((id, x) => {
          const color = paint(rows[unit]?.get(id) ?? NaN);
          if (!color) return;
          context.fillStyle = color;
          context.fillRect(
            x * cell,
            y * row,
            Math.max(1, cell - (cell > 6 ? 1 : 0)),
            row - (row > 5 ? 1 : 0),
          );
        }),
      );
    },
    [units, ids, rows, cell, row, across, down, dark],
  );
  const at = (event: MouseEvent) => {
    const { left, top } = (event.currentTarget as HTMLElement).getBoundingClientRect();
    return {
      unit: units[Math.floor((event.clientY - top) / row)],
      id: ids[Math.floor((event.clientX - left) / cell)],
    };
  };
  const labelEvery = Math.max(1, Math.ceil(22 / Math.max(cell, 1)));
  return (
    <div ref={ref} class="stack">
      {width > 0 && answers && (
        <>
          <div class="class-map">
            <svg class="chart" width={LEFT + across} height={18} aria-hidden="true">
              <text x={LEFT - 6} y={12} text-anchor="end">
                class
              </text>
              {ids.map((id, x) =>
                x % labelEvery ? null : (
                  <text key={id} x={LEFT + (x + 0.5) * cell} y={12} text-anchor="middle">
                    {id}
                  </text>
                ),
              )}
            </svg>
            {/* eslint-disable jsx-a11y/no-noninteractive-tabindex -- it scrolls where there are many units */}
            <div
              class="class-rows"
              style={{ paddingLeft: LEFT }}
              tabIndex={0}
              role="group"
              aria-label={`${noun}s by class`}
            >
              {/* eslint-enable jsx-a11y/no-noninteractive-tabindex */}
              <Canvas
                width={across}
                height={down}
                draw={draw}
                class="pick"
                label={`Mean response of ${plural(units.length, noun)} to ${plural(ids.length, 'class', 'classes')}`}
                onPointerMove={(event) => {
                  const { unit, id } = at(event);
                  const found = unit === undefined ? undefined : answers[unit];
                  if (!found || id === undefined) return;
                  const own = found.classes.find((each) => each.id === id);
                  showTip(event.clientX, event.clientY, `${noun} ${unit}, class ${id}`, [
                    ['mean response', own ? formatNumber(own.mean) : `about ${formatNumber(found.rest)}`],
                    ['explained by the class', formatNumber(found.explained)],
                  ]);
                }}
                onPointerLeave={hideTip}
                onClick={(event) => {
                  const { unit } = at(event);
                  if (unit !== undefined)
                    store.go({ screen: 'unit', run: run.entry.id, layer: layer.path, unit, chart: '' });
                }}
              />
            </div>
          </div>
          <div class="row">
            <RampLegend
              scale={SCALE}
              format={(value) => (value ? 'strongest class' : 'weakest')}
              dark={dark}
            />
            <span class="note">
              each row is a {noun}, {noun}s of one class together, the most selective first
            </span>
          </div>
        </>
      )}
    </div>
  );
}
