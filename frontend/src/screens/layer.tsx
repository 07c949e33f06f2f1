import { Severity, worst } from '../model/findings';
import { formatNumber, plural, words } from '../model/format';
import { fieldWords, unitNoun } from '../model/layers';
import { useStore, type RunState } from '../state/store';
import type { LayerInfo } from '../summaries/cnndiag_pb';
import { FactList } from '../ui/fact_list';
import { SeverityIcon } from '../ui/icons';
import { Notice, Skeleton } from '../ui/notice';
import { viewsOf } from '../views';
import { FindingsList } from '../views/findings';
import { useScrollToChart } from './scroll_to_chart';
import { Heading } from './heading';
import { layerBy } from './keyboard';

/** The configuration of a layer. */
export function LayerFacts({ layer }: { layer: LayerInfo }) {
  const shape = (sizes: readonly number[]) => sizes.map((size) => size || '?').join(' × ');
  const facts: [string, string][] = [
    ['class', layer.className],
    [`${unitNoun(layer)}s`, layer.units ? formatNumber(layer.units) : ''],
    ['fan-in', layer.fanIn ? formatNumber(layer.fanIn) : ''],
    ['kernel', shape(layer.kernelShape)],
    ['output', shape(layer.outputShape)],
    ['activation', layer.activation],
    ['normalization', layer.normalization],
    ['initializer', words(layer.initializer)],
    ['parameters', formatNumber(Number(layer.parameters))],
    ['trainable', layer.trainable ? '' : 'no'],
    ['sees', fieldWords(layer)],
    ['observed at', layer.seenAt && layer.seenAt !== layer.path ? layer.seenAt : ''],
  ];
  return <FactList facts={facts} />;
}

/** One layer: its findings and the charts of all diagnostics. */
export function LayerScreen({ run }: { run: RunState }) {
  const store = useStore();
  const { layer: path, chart } = store.view.value;
  const at = run.layers.findIndex((candidate) => candidate.path === path);
  const layer = run.layers[at];
  const views = viewsOf(run);
  useScrollToChart(
    chart,
    layer !== undefined,
    views.map(({ shows }) => shows),
  );
  if (!layer) {
    if (run.state === 'loading') return <Skeleton height={420} label="Loading the layer" />;
    return (
      <Notice title="No such layer in this run">
        <p>
          <span class="path clamped">{path}</span> is not in the layer table of this run.
        </p>
        <button type="button" class="primary" onClick={() => store.home()}>
          Back to the overview
        </button>
      </Notice>
    );
  }
  const findings = run.findings.filter((finding) => finding.layer === path);
  return (
    <>
      <Heading
        title={
          <>
            {findings.length > 0 && <SeverityIcon severity={worst(findings) || Severity.INFO} label />}
            <span class="path clamped">{path}</span>
          </>
        }
        note={`layer ${at + 1} of ${run.layers.length}`}
        noun="layer"
        keys={['k', 'j']}
        at={at}
        count={run.layers.length}
        go={(by) => layerBy(store, by)}
      />
      <LayerFacts layer={layer} />
      <div class="columns">
        <div>
          {views.map(({ diagnostic, View }) => (
            <View key={diagnostic.name} run={run} layer={layer} diagnostic={diagnostic} />
          ))}
        </div>
        <aside aria-labelledby="findings-title">
          <h2 id="findings-title">
            {findings.length ? plural(findings.length, 'finding') : 'Findings'}{' '}
            <span class="note">in this layer</span>
          </h2>
          <FindingsList key={`${run.entry.id}\n${path}`} run={run} layer={path} />
        </aside>
      </div>
    </>
  );
}
