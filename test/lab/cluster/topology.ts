import type { KubernetesObject } from '#libs/model';
import type { CniWiring } from '../cni/wiring.js';
import { kubernetesObjects } from './kubernetes-objects.js';
import { planCluster, underlayOf, type ProxyMode } from './plan-cluster.js';
import type { NamespacePlan } from './plan.js';
import type { ClusterSpec } from './spec.js';

/** How clusters of one kind are wired: a CNI plugin, a proxy mode, an underlay. A new kind is one of these. */
export interface Topology {
  readonly name: string;
  readonly plan: (cluster: ClusterSpec) => readonly NamespacePlan[];
  readonly objects: (cluster: ClusterSpec) => readonly KubernetesObject[];
  /** underlay.json: what the lab's router does, as an operator would describe it. */
  readonly underlay: (cluster: ClusterSpec) => unknown;
}

export function topologyOf(cni: CniWiring, mode: ProxyMode): Topology {
  return {
    name: `${cni.name}.${mode}`,
    plan: (cluster) => planCluster(cluster, cni, mode),
    objects: (cluster) => kubernetesObjects(cluster, cni, mode === 'nftables' ? 'nftables' : 'iptables'),
    underlay: underlayOf,
  };
}
