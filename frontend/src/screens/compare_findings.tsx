import { useMemo } from 'preact/hooks';
import { findingsOfAll, type Change, type ComparedFinding } from '../model/compare';
import { SEVERITY_WORDS } from '../model/findings';
import { words } from '../model/format';
import { useStore, type RunState } from '../state/store';
import type { Finding } from '../summaries/cnndiag_pb';
import { SeverityIcon } from '../ui/icons';
import { Figure } from '../ui/figure';
import { Skeleton } from '../ui/notice';
import './compare_findings.css';

const CHANGES: Exclude<Change, ''>[] = ['new', 'fixed', 'common'];

function Cell({ finding, change }: { finding: Finding | undefined; change: Change | undefined }) {
  return (
    <td class={change || undefined}>
      {finding && <SeverityIcon severity={finding.severity} label />}
      {!finding && !change && <span class="note">–</span>}
      {change && <span class="change">{change}</span>}
    </td>
  );
}

function Row({ compared, judged }: { compared: ComparedFinding; judged: boolean[] }) {
  const store = useStore();
  const { finding, found, changes } = compared;
  return (
    <tr>
      <th scope="row">
        {finding.title || words(finding.fault)}
        {finding.layer && (
          <>
            {' '}
            <button type="button" class="quiet path" onClick={() => store.go({ layer: finding.layer })}>
              {finding.layer}
            </button>
          </>
        )}
      </th>
      {found.map((own, i) =>
        judged[i] ? (
          <Cell key={i} finding={own} change={i ? changes[i - 1] : undefined} />
        ) : (
          <td key={i} class="note">
            ?
          </td>
        ),
      )}
    </tr>
  );
}

/** The findings of all runs: new, fixed or common, compared with the base. */
export function CompareFindings({ runs }: { runs: RunState[] }) {
  const rows = useMemo(() => {
    const [base, ...others] = runs.map(({ findings }) => findings);
    return findingsOfAll(base ?? [], others);
  }, runs);
  const sum = (run: number) =>
    CHANGES.map((change) => [change, rows.filter(({ changes }) => changes[run] === change).length] as const)
      .filter(([, count]) => count)
      .map(([change, count]) => `${count} ${change}`)
      .join(' · ');
  const names = runs.map(({ entry }) => entry.run);
  const judged = runs.map(({ judgment }) => judgment === 'known');
  const loading = runs.some(({ judgment }) => judgment === 'loading');
  const comparable = !loading && judged[0] === true;
  return (
    <Figure
      id="compare_findings"
      title="Findings"
      table={() => ({
        columns: ['finding', 'layer', ...names],
        rows: rows.map(({ finding, found, changes }) => [
          finding.title || words(finding.fault),
          finding.layer,
          ...found.map((own, i) =>
            judged[i]
              ? [own && SEVERITY_WORDS[own.severity], i ? changes[i - 1] : ''].filter(Boolean).join(', ')
              : 'not judged',
          ),
        ]),
      })}
    >
      {loading && <Skeleton height={120} label="Loading the findings" />}
      {!loading && !comparable && (
        <p class="nothing">The base has not been judged, so there is nothing to compare with.</p>
      )}
      {comparable && rows.length === 0 && <p class="nothing">No fault was found in any of these runs.</p>}
      {comparable && rows.length > 0 && (
        // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- a region that scrolls must be reachable by key
        <div class="table compared-findings" tabIndex={0} role="region" aria-label="Findings by run">
          <table>
            <thead>
              <tr>
                <th scope="col">Finding</th>
                {names.map((name, i) => (
                  <th scope="col" key={i}>
                    <span class="path">{name}</span>
                    <span class="note">
                      {i === 0 ? 'base' : judged[i] ? sum(i - 1) || 'same as the base' : 'not judged'}
                    </span>
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {rows.map((compared, i) => (
                <Row key={i} compared={compared} judged={judged} />
              ))}
            </tbody>
          </table>
        </div>
      )}
    </Figure>
  );
}
