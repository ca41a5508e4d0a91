import type { ClusterIndex } from '#libs/cluster';
import type { Ip, SuspicionFacts } from '#libs/model';
import type { NetNamespace } from '#libs/netstack';

/** How sure a plugin is that it runs this cluster, and from what it knows. */
export interface Detection {
  readonly detected: boolean;
  readonly reasons: readonly string[];
}

/** The next hop that the CNI plugin intends for an address: the way past an obstacle. */
export type IntendedNextHop =
  | { readonly kind: 'node'; readonly name: string }
  | { readonly kind: 'pod'; readonly namespace: string; readonly name: string };

/** A finding without its weight: whether it stops the packet is for the walk to say. */
export type Finding = Omit<SuspicionFacts, 'blocking'>;

/** What a CNI plugin promises. It never decides where a packet goes; the recorded kernel state does. */
export interface CniPlugin {
  readonly name: string;
  detect(cluster: ClusterIndex): Detection;
  /** The promises for one cluster, with the configuration that the cluster shows. */
  forCluster(cluster: ClusterIndex): CniNetwork;
}

export interface CniNetwork {
  readonly plugin: string;
  /** True where nodes leave pod addresses to the network outside (flannel alloc, VPC-native): it delivers them to their node. */
  readonly podRoutesInUnderlay: boolean;
  /** Why a packet to `dst` does not leave `node` as intended; undefined when the node's routes are as they should be. */
  routeFinding(node: NetNamespace, dst: Ip): Finding | undefined;
  intendedNextHop(node: string, dst: Ip): IntendedNextHop | undefined;
}
