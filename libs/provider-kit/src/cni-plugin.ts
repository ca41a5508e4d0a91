import type { ClusterIndex } from '#libs/cluster';
import type { Cidr, Ip, SuspicionFacts } from '#libs/model';
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

/** How a packet should leave a node: out of this device, to this next hop; without one the destination is on the device itself. */
export interface IntendedRoute {
  readonly dev: string;
  readonly gateway?: Ip;
}

/** A finding without its weight: whether it stops the packet is for the walk to say. */
export interface Finding extends Omit<SuspicionFacts, 'blocking'> {
  /** It matters only to packets from or to these addresses (the pods of one other node, one pod); absent: to everything there. */
  readonly concerns?: Cidr;
}

/** The namespace of a node by its Kubernetes name; undefined when it was not collected. */
export type NodeNamespaces = (name: string) => NetNamespace | undefined;

/** What a CNI plugin promises. It never decides where a packet goes; the recorded kernel state does. */
export interface CniPlugin {
  readonly name: string;
  detect(cluster: ClusterIndex): Detection;
  /** The promises for one cluster, with the configuration that the cluster shows. */
  forCluster(cluster: ClusterIndex): CniNetwork;
}

/** The promises of one plugin for one cluster. All methods are pure: the same namespaces give the same findings. */
export interface CniNetwork {
  readonly plugin: string;
  /** True where nodes leave pod addresses to the network outside (flannel alloc, VPC-native): it delivers them to their node. */
  readonly podRoutesInUnderlay: boolean;
  /** Why a packet to `dst` does not leave `node` as intended; undefined when the node's routes are as they should be. */
  routeFinding(node: NetNamespace, dst: Ip): Finding | undefined;
  /** Where a packet to `dst` should go next from a node; undefined when the plugin has nothing to say about the address. */
  intendedNextHop(node: string, dst: Ip): IntendedNextHop | undefined;
  /**
   * The way that a packet to `dst` should take out of a node, by the devices that are there: past a route that is missing or refuses.
   * undefined: the plugin has nothing to say about the address, or does not know the device.
   */
  intendedRoute(node: NetNamespace, dst: Ip): IntendedRoute | undefined;
  /**
   * Whether nodes are to hide a pod behind themselves when it talks to an address outside. false: the network outside is to have routes
   * to pods. undefined, and absent: nothing tells.
   */
  masquerades?(pod: Ip, dst: Ip): boolean | undefined;
  /**
   * What is not as promised on a node: devices, addresses, MTU, routes, neighbours and forwarding entries, sysctls, masquerade.
   * Expectations follow from the live configuration and from the other nodes. What was not collected gives no finding.
   * Costs a look at every other node, so the caller keeps the answer per namespace.
   */
  inspectNode(node: NetNamespace, nodes: NodeNamespaces): readonly Finding[];
  /** The same for one pod and the node's end of its link; `node` is undefined when its namespace was not collected. */
  inspectPod(pod: NetNamespace, node: NetNamespace | undefined): readonly Finding[];
}
