import { useMemo } from 'preact/hooks';
import { RampLegend } from '../charts/legend';
import type { NodeFace } from '../charts/map_style';
import { NetworkCanvas } from '../charts/network_canvas';
import { byLayer } from '../model/findings';
import { formatNumber, formatValue, plural } from '../model/format';
import { rowOf } from '../model/layers';
import { causeArrows, faultsOf, healthWords } from '../model/map_faces';
import { shownAt } from '../model/snapshots';
import { filterPattern } from '../model/view';
import { useStore, type RunState } from '../state/store';
import { Figure } from '../ui/figure';
import { SeverityIcon } from '../ui/icons';
import { useWidth } from '../ui/size';
import { bracketsOf, historyOf, useMap, useMatrix } from './map_state';
import { MapTools, NONE } from './map_tools';
import { faceOf, tableOf, wordsOf } from './map_words';
import './network_map.css';

/** The layers as the data flows through them: what each is, how it is, and what follows from what. */
export function NetworkMap({ run }: { run: RunState }) {
  const store = useStore();
  const [ref, width] = useWidth<HTMLDivElement>();
  const most = width < 520 ? 760 : 560;
  const map = useMap(run, width, most);
  const { measure, matrix, scale } = useMatrix(run);
  const { filter } = store.view.value;
  const dark = store.dark.value;
  const { layers } = run;
  const at = matrix ? shownAt(matrix.steps, store.hover.value ?? store.step.value) : -1;
  const findings = useMemo(() => byLayer(run.findings), [run.findings]);
  const format = (value: number) => (measure ? formatValue(value, measure.column.unit) : '');

  const histories = useMemo(
    () => new Map(map?.network.nodes.map((node) => [node.id, historyOf(node, layers, matrix)])),
    [map?.network, matrix],
  );
  const faults = useMemo(
    () => new Map(map?.network.nodes.map((node) => [node.id, faultsOf(node.rows, layers, findings)])),
    [map?.network, findings],
  );
  const faces = useMemo(() => {
    const pattern = filterPattern(filter);
    return new Map(
      map?.network.nodes.map((node): [string, NodeFace] => {
        const history = histories.get(node.id) ?? new Float32Array();
        return [node.id, faceOf(node, layers, faults.get(node.id), history, pattern)];
      }),
    );
  }, [map?.network, histories, faults, filter]);
  const brackets = useMemo(() => (map ? bracketsOf(map) : []), [map]);
  const arrows = useMemo(
    () => (map ? causeArrows(run.findings, map.network, layers) : []),
    [map?.network, run.findings],
  );
  const nodes = useMemo(() => new Map(map?.network.nodes.map((node) => [node.id, node])), [map?.network]);

  const unfold = (open: ReadonlySet<string>) => store.go({ unfolded: [...open].join('\n') || NONE });
  const pick = (id: string) => {
    const node = nodes.get(id);
    if (!node || !map) return;
    if (node.block) unfold(new Set([...map.open, node.block.key]));
    else {
      const layer = layers[node.rows[0] ?? 0]?.path ?? '';
      store.go({ screen: 'layer', layer, chart: measure?.diagnostic.name ?? '' });
    }
  };
  const describe = (id: string) => {
    const node = nodes.get(id);
    const value = faces.get(id)?.history[at] ?? NaN;
    if (!node) return { title: '', lines: [] };
    const shown: [string, string][] = measure ? [[measure.column.title, format(value)]] : [];
    return wordsOf(node, layers, shown, faults.get(id)?.findings ?? [], run.judgment === 'known');
  };
  const table = () =>
    tableOf(layers, findings, measure, (path) => (matrix && rowOf(matrix, path)?.[at]) ?? NaN);
  const whole = run.findings.filter(({ layer }) => !layer);
  const size = map && {
    width,
    height: Math.min(most, Math.ceil(map.layout.height * map.scale)),
  };
  return (
    <Figure
      id="map"
      title="Network map"
      note={run.judgment === 'known' ? healthWords(layers, run.findings) : undefined}
      controls={<MapTools run={run} measure={measure} blocks={map?.blocks ?? 0} open={map?.open.size ?? 0} />}
      table={table}
    >
      <div ref={ref} class="stack">
        {map && size && (
          <NetworkCanvas
            {...size}
            layout={map.layout}
            fit={map.scale}
            faces={faces}
            brackets={brackets}
            causes={arrows}
            at={at}
            steps={matrix?.steps ?? []}
            scale={scale}
            dark={dark}
            order={map.network.nodes.map(({ id }) => id)}
            label={`Network map of ${plural(layers.length, 'layer')} in ${plural(map.network.nodes.length, 'node')}`}
            describe={describe}
            onPick={pick}
            onFold={(key) => unfold(new Set([...map.open].filter((open) => open !== key)))}
            blockOf={(id) => nodes.get(id)?.within.at(-1)?.key}
          />
        )}
        {whole.length > 0 && (
          <ul class="map-whole" aria-label="Findings about the whole model">
            {whole.map((finding) => (
              <li key={finding.fault} data-export>
                <SeverityIcon severity={finding.severity} label /> Whole model since step{' '}
                {formatNumber(Number(finding.firstStep))}: {finding.title}
              </li>
            ))}
          </ul>
        )}
        <div class="row map-legend">
          {scale && measure && (
            <>
              <span class="note">{measure.column.title}, at the left of a node now, below it over steps</span>
              <RampLegend
                scale={scale}
                format={format}
                dark={dark}
                missing={matrix?.values.some(Number.isNaN)}
              />
            </>
          )}
          {arrows.length > 0 && (
            <span class="legend-key">
              <span class="map-arrow" aria-hidden="true" /> cause to effect
            </span>
          )}
          {map && !map.network.recorded && (
            <span class="note">
              The connections were not recorded: layers follow each other as in the layer table.
            </span>
          )}
        </div>
      </div>
    </Figure>
  );
}
