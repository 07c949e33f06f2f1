import { useMemo, useState } from 'preact/hooks';
import { useStore, type RunState } from '../state/store';
import { Notice } from '../ui/notice';
import { Side } from '../ui/side';
import { useWidth } from '../ui/size';
import { viewsOf } from '../views';
import { CompareChoice } from './compare_choice';
import { CompareFindings } from './compare_findings';
import { CompareLayers, type Mode } from './compare_layers';
import { LayerFacts } from './layer';
import { ClusterGraphView, relationsOf } from './relations';
import './compare.css';

/** One layer in each run, charts next to each other, with one cursor. */
function LayerOfEach({ runs, path }: { runs: RunState[]; path: string }) {
  const store = useStore();
  return (
    <>
      <div class="layer-heading">
        <button type="button" class="quiet" onClick={() => store.go({ layer: '' })}>
          All layers
        </button>
        <span aria-hidden="true">/</span>
        <h2>
          <span class="path clamped">{path}</span>
        </h2>
      </div>
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- a region that scrolls must be reachable by key */}
      <div class="run-columns" tabIndex={0} role="region" aria-label={`${path} in each run`}>
        {runs.map((run, side) => {
          const layer = run.layers.find((candidate) => candidate.path === path);
          return (
            <Side.Provider
              value={{ prefix: `side-${side}-`, suffix: `, ${run.entry.run}` }}
              key={run.entry.id}
            >
              <div class="run-column">
                <h2>
                  <span class="path">{run.entry.run}</span> {side === 0 && <span class="note">base</span>}
                </h2>
                {!layer && <p class="nothing">This run has no such layer.</p>}
                {layer && <LayerFacts layer={layer} />}
                {layer &&
                  viewsOf(run).map(({ diagnostic, View }) => (
                    <View key={diagnostic.name} run={run} layer={layer} diagnostic={diagnostic} />
                  ))}
              </div>
            </Side.Provider>
          );
        })}
      </div>
    </>
  );
}

/** A base and other runs: new, fixed and common findings, layers or their differences, overlaid curves. */
export function Compare({ run }: { run: RunState }) {
  const store = useStore();
  const [ref, width] = useWidth<HTMLDivElement>();
  const [mode, setMode] = useState<Mode>('each');
  const { layer } = store.view.value;
  const others = store.others.value;
  const runs = useMemo(() => [run, ...others], [run, others]);
  if (!others.length) {
    return (
      <Notice title="A comparison needs two runs">
        <p>Write a second run into the same log directory, then reload.</p>
      </Notice>
    );
  }
  return (
    <div ref={ref}>
      <CompareChoice base={run.entry} others={others.map(({ entry }) => entry)} />
      {layer ? (
        <LayerOfEach runs={runs} path={layer} />
      ) : (
        <>
          <CompareFindings runs={runs} />
          {width > 0 && <CompareLayers runs={runs} width={width} mode={mode} onMode={setMode} />}
          {relationsOf(run)
            .filter(({ modelKind }) => modelKind === 'graph')
            .map((diagnostic) => (
              <ClusterGraphView key={diagnostic.name} run={run} diagnostic={diagnostic} against={others[0]} />
            ))}
        </>
      )}
    </div>
  );
}
