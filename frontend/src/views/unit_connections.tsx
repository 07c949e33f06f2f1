import { connectionsOf, type Connection } from '../model/cluster_paths';
import { clustersOf, type Cluster } from '../model/clusters';
import { formatIndices, formatValue, plural } from '../model/format';
import { unitNoun } from '../model/layers';
import { snapshotAt } from '../model/snapshots';
import { useStore, type RunState } from '../state/store';
import type { LayerInfo } from '../summaries/cnndiag_pb';
import { Figure } from '../ui/figure';
import { useAwaited, useModelKind } from './kind_series';
import { useStrongestPatches } from './strongest_patches';
import './unit_connections.css';

/** Patches of each cluster, and their side. */
const [SHOWN, SIDE] = [3, 38];

/** What drives the units that respond like this one, and what they drive. */
export function Connections({ run, layer, unit }: { run: RunState; layer: LayerInfo; unit: number }) {
  const store = useStore();
  const snapshot = snapshotAt(useModelKind(run, 'graph'), store.step.value);
  const graph = useAwaited(snapshot && clustersOf(snapshot.value));
  const layers = run.tables.findLast((one) => one.table === snapshot?.table)?.layers ?? run.layers;
  const row = layers.findIndex(({ path }) => path === layer.path);
  const own = graph?.clusters.find((cluster) => cluster.row === row && cluster.units.includes(unit));
  if (!graph || !own) return null;
  const [before, after] = [connectionsOf(graph, own.index, 'from'), connectionsOf(graph, own.index, 'to')];
  if (!before.length && !after.length) return null;
  const noun = unitNoun(layer);
  const others = own.units.length - 1;
  return (
    <Figure
      id="unit-connections"
      title="Strongest connections"
      note={`cluster ${own.name}: ${others ? `this ${noun} and ${plural(others, noun)} that respond alike` : `this ${noun} alone`}`}
      description={`Connections of the cluster of this ${noun}. Each is shown by the strongest patches of its most typical units; a share is of the influence, |weight| × mean |activation|, on the cluster that is driven.`}
    >
      <div class="unit-connections">
        <Side title="Driven by" connections={before} run={run} layers={layers} />
        <Side title="Drives" connections={after} run={run} layers={layers} />
      </div>
    </Figure>
  );
}

interface SideProps {
  title: string;
  connections: readonly Connection[];
  run: RunState;
  layers: readonly LayerInfo[];
}

function Side({ title, connections, run, layers }: SideProps) {
  const none = title === 'Drives' ? 'No kernel layer reads this one.' : 'The input alone.';
  return (
    <section aria-label={title}>
      <h3>{title}</h3>
      {!connections.length && <p class="unit-connection-share">{none}</p>}
      <ul>
        {connections.map(({ cluster, share }) => {
          const layer = layers[cluster.row];
          return (
            layer && <Connected key={cluster.index} run={run} layer={layer} cluster={cluster} share={share} />
          );
        })}
      </ul>
    </section>
  );
}

function Connected({
  run,
  layer,
  cluster,
  share,
}: {
  run: RunState;
  layer: LayerInfo;
  cluster: Cluster;
  share: number;
}) {
  const store = useStore();
  const noun = unitNoun(layer);
  const [medoid] = cluster.typical;
  const patches = useStrongestPatches({ run, layer, units: cluster.typical, side: SIDE }).slice(0, SHOWN);
  return (
    <li>
      <button type="button" onClick={() => store.go({ layer: layer.path, unit: medoid ?? 0 })}>
        <span class="path clamped">{layer.path}</span>
        <span class="unit-connection-patches">{patches}</span>
        <span class="unit-connection-share">
          {formatValue(share, 'share')} · {noun}
          {cluster.units.length > 1 ? 's' : ''} {formatIndices(cluster.units)}
        </span>
      </button>
    </li>
  );
}
