import { isDead, isSaturated, type Cluster } from '../model/clusters';
import { formatNumber, plural } from '../model/format';
import { unitNoun } from '../model/layers';
import { useStore, type RunState } from '../state/store';
import type { LayerInfo } from '../summaries/cnndiag_pb';
import { useNear } from '../ui/near';
import { hideTip, showTip } from '../ui/tooltip';
import { HEAD, NODE_WIDTH, type Box } from './cluster_layout';
import { useStrongestPatches } from './strongest_patches';
import './cluster_column.css';

const SIDE = 26;
/** Units of a cluster that are shown: as many patches as fit side by side. */
const SHOWN = 3;

export interface NodeFace {
  /** How much the cluster has to do with what is chosen, 0 to 1. */
  strength: number;
  color: string | undefined;
  lines: [string, string][];
  unmatched: boolean;
}

interface ClusterColumnProps {
  run: RunState;
  layer: LayerInfo;
  clusters: readonly Cluster[];
  boxes: readonly Box[];
  faces: readonly NodeFace[];
  pinned: number | undefined;
  onHover(index: number | undefined): void;
  onPin(index: number): void;
}

/** What a cluster is, in words. */
export function clusterWords(cluster: Cluster, layer: LayerInfo): string {
  const state = isDead(cluster) ? ', dead' : isSaturated(cluster) ? ', saturated' : '';
  return `cluster ${cluster.name} of ${layer.path}: ${plural(cluster.units.length, unitNoun(layer))}${state}`;
}

/** The clusters of one layer, each with the strongest patch of its most typical units. */
export function ClusterColumn(props: ClusterColumnProps) {
  const { run, layer, clusters, boxes, faces, pinned, onHover, onPin } = props;
  const store = useStore();
  const [ref, near] = useNear<HTMLDivElement>();
  const left = boxes[clusters[0]?.index ?? 0]?.x ?? 0;
  return (
    <div ref={ref} class="cluster-column" style={{ left, width: NODE_WIDTH }}>
      <button
        type="button"
        class="link cluster-layer"
        style={{ height: HEAD - 8 }}
        title={layer.path}
        onClick={() => store.go({ screen: 'layer', layer: layer.path, chart: '' })}
      >
        {layer.path}
      </button>
      {clusters.map((cluster) => {
        const box = boxes[cluster.index];
        const face = faces[cluster.index];
        if (!box || !face) return null;
        const words = clusterWords(cluster, layer);
        const shape = isDead(cluster) ? ' dead' : isSaturated(cluster) ? ' saturated' : '';
        return (
          <button
            key={cluster.name}
            type="button"
            class={`cluster pick${shape}${face.unmatched ? ' unmatched' : ''}`}
            data-cluster={`${layer.path} ${cluster.name}`}
            aria-pressed={pinned === cluster.index}
            style={{
              top: box.y,
              height: box.height,
              opacity: 0.18 + 0.82 * face.strength,
              '--value': face.color ?? 'transparent',
            }}
            onPointerMove={(event) => {
              onHover(cluster.index);
              showTip(event.clientX, event.clientY, words, face.lines);
            }}
            onPointerLeave={() => {
              onHover(undefined);
              hideTip();
            }}
            onFocus={() => onHover(cluster.index)}
            onBlur={() => onHover(undefined)}
            onClick={() => onPin(cluster.index)}
          >
            <span class="hidden">{words}</span>
            <span class="cluster-value" />
            {near && <Patches run={run} layer={layer} units={cluster.typical.slice(0, SHOWN)} />}
            <span class="cluster-size" aria-hidden="true">
              {formatNumber(cluster.units.length)}
            </span>
          </button>
        );
      })}
    </div>
  );
}

/** The strongest patch of each of a few units; their numbers where the log has no patches. */
function Patches({ run, layer, units }: { run: RunState; layer: LayerInfo; units: readonly number[] }) {
  const patches = useStrongestPatches({ run, layer, units, side: SIDE });
  return (
    <span class={patches.length ? 'cluster-patches' : 'cluster-units'} aria-hidden="true">
      {patches.length ? patches : units.join(', ')}
    </span>
  );
}
