import { KeyLegend } from '../charts/legend';
import { category } from '../charts/palette';
import { countGroups } from '../model/dendrogram';
import { formatIndices, formatNumber, plural } from '../model/format';
import type { Dendrogram } from '../summaries/cnndiag_pb';
import './cut_control.css';

interface CutControlProps {
  tree: Dendrogram;
  cut: number;
  /** Group of each unit at this cut. */
  groups: number[];
  /** Number, in leaf order, of each group that has a color. */
  ranks: ReadonlyMap<number, number>;
  noun: string;
  dark: boolean;
  /** null: back to the cut that the diagnosis used. */
  onCut(cut: number | null): void;
}

/** Maximum number of groups that are listed; the others are counted. */
const MAX_GROUPS = 6;

/** Sets the distance at which the tree is cut, and shows how many units would be enough. */
export function CutControl({ tree, cut, groups, ranks, noun, dark, onCut }: CutControlProps) {
  const highest = tree.height.at(-1) ?? 1;
  const { groups: count, shared } = countGroups(groups);
  return (
    <div class="cut-control">
      <label>
        Cut the tree at {tree.unit} = <output>{formatNumber(cut)}</output>
        <input
          type="range"
          min={0}
          max={highest * 1.02}
          step={highest / 500}
          value={cut}
          onInput={(event) => onCut(Number(event.currentTarget.value))}
        />
      </label>
      <p class="cut-control-result">
        <b>{formatNumber(count)}</b> of {plural(tree.units, noun)} would be enough: {plural(count, 'group')},{' '}
        {formatNumber(shared)} with more than one {noun}.
      </p>
      {cut !== tree.cut && (
        <button type="button" class="quiet" onClick={() => onCut(null)}>
          Back to the cut of the diagnosis, {formatNumber(tree.cut)}
        </button>
      )}
      <Groups groups={groups} ranks={ranks} noun={noun} dark={dark} />
    </div>
  );
}

/** The groups with more than one member, largest first. */
function Groups({ groups, ranks, noun, dark }: Pick<CutControlProps, 'groups' | 'ranks' | 'noun' | 'dark'>) {
  const members = new Map<number, number[]>();
  groups.forEach((group, unit) => {
    if (group < 0) return; // not in the sample
    const own = members.get(group);
    if (own) own.push(unit);
    else members.set(group, [unit]);
  });
  const shared = [...members]
    .filter(([, units]) => units.length > 1)
    .sort((a, b) => b[1].length - a[1].length);
  const shown = shared.slice(0, MAX_GROUPS);
  if (!shown.length) return <p class="note">No two {noun}s are this similar.</p>;
  return (
    <div class="cut-control-groups">
      <KeyLegend
        keys={shown.map(([group, units]) => ({
          name: `${plural(units.length, noun)}: ${formatIndices(units, 5)}`,
          color: category(ranks.get(group) ?? 0, dark),
        }))}
      />
      {shared.length > shown.length && (
        <span class="note">and {plural(shared.length - shown.length, 'smaller group')}</span>
      )}
    </div>
  );
}
