import { useState } from 'preact/hooks';
import { compareFindings } from '../model/compare';
import { words } from '../model/format';
import { SEVERITY_WORDS } from '../model/findings';
import { useStore, type RunState } from '../state';
import type { Finding } from '../summaries/cnndiag_pb';
import { Side } from '../ui/side';
import { SeverityIcon } from '../ui/icons';
import { Notice } from '../ui/notice';
import { useWidth } from '../ui/size';
import { viewsOf } from '../views';
import { CompareLayers } from './compare_layers';
import { LayerFacts } from './layer';

function Changes({ title, findings, none }: { title: string; findings: Finding[]; none: string }) {
  return (
    <section class="change-list">
      <h3>
        {title} <span class="note">{findings.length || ''}</span>
      </h3>
      {findings.length === 0 && <p class="note">{none}</p>}
      <ul>
        {findings.map((finding, i) => (
          <li key={i}>
            <SeverityIcon severity={finding.severity} />
            <span class={`word ${SEVERITY_WORDS[finding.severity]}`}>{SEVERITY_WORDS[finding.severity]}</span>
            <span>{finding.title || words(finding.fault)}</span>
            {finding.layer && <span class="path note">{finding.layer}</span>}
          </li>
        ))}
      </ul>
    </section>
  );
}

function Against({ run, against }: { run: RunState; against: RunState }) {
  const store = useStore();
  const others = store.runs.value.filter(({ id }) => id !== run.entry.id);
  return (
    <div class="row against">
      <h2>
        <span class="path">{run.entry.run}</span> against
      </h2>
      <select
        aria-label="Compare with"
        value={against.entry.id}
        onChange={(event) => store.go({ against: event.currentTarget.value })}
      >
        {others.map(({ id, run: name }) => (
          <option key={id} value={id}>
            {name}
          </option>
        ))}
      </select>
      <button
        type="button"
        onClick={() => store.go({ run: against.entry.id, against: run.entry.id, step: null })}
      >
        Swap
      </button>
    </div>
  );
}

/** One layer of both runs, chart beside chart, on one cursor. */
function LayerPair({ runs, path }: { runs: RunState[]; path: string }) {
  const store = useStore();
  return (
    <>
      <div class="layer-heading">
        <button type="button" class="quiet" onClick={() => store.go({ layer: '' })}>
          All layers
        </button>
        <span aria-hidden="true">/</span>
        <h2 class="path">{path}</h2>
      </div>
      <div class="pair-columns">
        {runs.map((run, side) => {
          const layer = run.layers.find((candidate) => candidate.path === path);
          return (
            <Side.Provider
              value={{ prefix: `side-${side}-`, suffix: `, ${run.entry.run}` }}
              key={run.entry.id}
            >
              <div class="main">
                <h2 class="path">{run.entry.run}</h2>
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

/** Two runs: findings that are new, gone or common, layers side by side or as a difference, curves overlaid. */
export function Compare({ run }: { run: RunState }) {
  const store = useStore();
  const [ref, width] = useWidth<HTMLDivElement>();
  const [mode, setMode] = useState<'beside' | 'difference'>('beside');
  const { against: wanted, layer } = store.view.value;
  const others = store.runs.value.filter(({ id }) => id !== run.entry.id);
  const entry = others.find(({ id }) => id === wanted) ?? others[0];
  if (!entry) {
    return (
      <Notice title="One run alone cannot be compared">
        <p>Log a second training below the same log directory, then reload.</p>
      </Notice>
    );
  }
  const against = store.stateOf(entry);
  const { added, gone, common } = compareFindings(run.findings, against.findings);
  return (
    <div class="main" ref={ref}>
      <Against run={run} against={against} />
      {layer ? (
        <LayerPair runs={[run, against]} path={layer} />
      ) : (
        <>
          <div class="change-lists">
            <Changes title={`Only in ${run.entry.run}`} findings={added} none="Nothing new." />
            <Changes title={`Only in ${entry.run}`} findings={gone} none="Nothing fixed." />
            <Changes title="In both" findings={common} none="Nothing in common." />
          </div>
          {width > 0 && (
            <CompareLayers run={run} against={against} width={width} mode={mode} onMode={setMode} />
          )}
        </>
      )}
    </div>
  );
}
