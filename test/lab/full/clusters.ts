import { CALICO_BLOCKS, POD_CIDRS, threeNodes } from '../cases/three-node.js';
import type { ProxyMode } from '../cluster/plan-cluster.js';
import type { ClusterSpec } from '../cluster/spec.js';
import { topologyOf, type Topology } from '../cluster/topology.js';
import { CALICO_BGP, CALICO_VXLAN } from '../cni/calico.js';
import { FLANNEL_HOST_GW, FLANNEL_VXLAN } from '../cni/flannel.js';
import { KINDNET } from '../cni/kindnet.js';
import type { CniWiring } from '../cni/wiring.js';

/** A cluster to break: one CNI plugin and one proxy mode. */
export interface LabCluster {
  readonly name: string;
  readonly cni: CniWiring;
  readonly mode: ProxyMode;
  readonly topology: Topology;
  readonly cluster: ClusterSpec;
}

const CNIS = [FLANNEL_HOST_GW, FLANNEL_VXLAN, CALICO_BGP, CALICO_VXLAN, KINDNET];
const MODES = ['iptables', 'legacy', 'nftables'] as const;

/** Every CNI plugin with every proxy mode. */
export const CLUSTERS: readonly LabCluster[] = CNIS.flatMap((cni) => MODES.map((mode) => labCluster(cni, mode)));

/** The same on networks whose MTU is another. */
export const CLUSTERS_BY_MTU: readonly LabCluster[] = CLUSTERS.flatMap((lab) =>
  [1400, 9000].map((mtuBytes) => ({
    ...lab,
    name: `${lab.name}.mtu${mtuBytes}`,
    cluster: { ...lab.cluster, mtuBytes },
  })),
);

function labCluster(cni: CniWiring, mode: ProxyMode): LabCluster {
  const topology = topologyOf(cni, mode);
  const isCalico = cni.name.startsWith('calico');
  const cluster = threeNodes(topology.name, isCalico ? CALICO_BLOCKS : POD_CIDRS, isCalico);
  return { name: topology.name, cni, mode, topology, cluster };
}
