import { useMemo } from 'preact/hooks';
import { Tree } from '../charts/tree';
import { brackets, countGroups, cutTree } from '../model/dendrogram';
import { plural } from '../model/format';
import { unitNoun } from '../model/layers';
import { snapshotAt } from '../model/snapshots';
import { useStore } from '../state/store';
import { useWidth } from '../ui/size';
import type { KindViewProps } from './layer_view';

/** A tree on its own, for a diagnostic that writes no matrix in the same order. */
export function DendrogramView({ layer, diagnostic, snapshots }: KindViewProps<'dendrogram'>) {
  const store = useStore();
  const [ref, width] = useWidth<HTMLDivElement>();
  const tree = snapshotAt(snapshots, store.step.value)?.value;
  const groups = useMemo(() => (tree ? cutTree(tree, tree.cut) : []), [tree]);
  const drawn = useMemo(() => (tree ? brackets(tree, groups, tree.cut) : []), [tree, groups]);
  if (!tree) return null;
  return (
    <div ref={ref}>
      <p class="note">
        {plural(tree.units, unitNoun(layer))} in {plural(countGroups(groups).groups, 'group')}; the height is{' '}
        {tree.unit}.
      </p>
      {width > 0 && (
        <Tree
          brackets={drawn}
          leaves={tree.units}
          cut={tree.cut}
          from={0}
          span={tree.units}
          length={width}
          depth={200}
          side="top"
          dark={store.dark.value}
          label={diagnostic.title}
        />
      )}
    </div>
  );
}
