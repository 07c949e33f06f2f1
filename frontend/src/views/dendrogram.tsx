import { useMemo } from 'preact/hooks';
import { Tree } from '../charts/tree';
import { brackets, countGroups, cutTree } from '../model/dendrogram';
import { lookAt } from '../model/looks';
import { useStore } from '../state/store';
import { useWidth } from '../ui/size';
import { unitNoun, type KindViewProps } from './layer_view';

/** A tree by itself, where no matrix of the same order is at hand. */
export function DendrogramView({ layer, diagnostic, looks }: KindViewProps<'dendrogram'>) {
  const store = useStore();
  const [ref, width] = useWidth<HTMLDivElement>();
  const tree = lookAt(looks, store.step.value)?.value;
  const groups = useMemo(() => (tree ? cutTree(tree, tree.cut) : []), [tree]);
  const drawn = useMemo(() => (tree ? brackets(tree, groups, tree.cut) : []), [tree, groups]);
  if (!tree) return null;
  return (
    <div ref={ref}>
      <p class="note">
        {countGroups(groups).groups} groups of {tree.units} {unitNoun(layer)}s; height is {tree.unit}.
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
