import type { ClusterIndex, PodObject } from '#libs/cluster';
import {
  asRoute,
  daemonSetReasons,
  hostEndOf,
  intendedHop,
  isReplaced,
  podFindings,
  podOwner,
  podCidrsOf,
  PrefixConflicts,
  PrefixMap,
  routeProblem,
  uniqueFindings,
  uplinkOf,
  vxlanLink,
  type PodPromise,
  type RoutePromise,
} from '#libs/cni/checks';
import type { Ip } from '#libs/model';
import type { NetNamespace } from '#libs/netstack';
import type {
  CniNetwork,
  CniPlugin,
  Detection,
  Finding,
  IntendedNextHop,
  IntendedRoute,
  NodeNamespaces,
} from '#libs/provider-kit';
import {
  annotation,
  flannelConfig,
  flannelNode,
  isFlannelDaemon,
  type FlannelConfig,
  type FlannelNode,
} from './flannel-config.js';
import { inspectFlannelNode } from './flannel-node.js';
import { ownRouteFinding, remotePromise, uplinkAddresses, vtepName } from './flannel-routes.js';

/** flannel: every node owns one pod network, and each node knows the way to those of the others. */
export const flannel: CniPlugin = {
  name: 'flannel',
  detect,
  forCluster: (cluster) => new FlannelNetwork(cluster, flannelConfig(cluster)),
};

function detect(cluster: ClusterIndex): Detection {
  const daemons = daemonSetReasons(cluster, isFlannelDaemon);
  const traces = [...configMaps(cluster), ...annotatedNodes(cluster)];
  const replaced = isReplaced(cluster, isFlannelDaemon);
  const reasons = [...daemons, ...traces];
  return { detected: reasons.length > 0 && !replaced, reasons: replaced ? [] : reasons };
}

function configMaps(cluster: ClusterIndex): string[] {
  return cluster
    .all('ConfigMap')
    .filter(({ metadata }) => metadata.name === 'kube-flannel-cfg')
    .map(({ metadata }) => `ConfigMap ${metadata.namespace ?? 'default'}/${metadata.name}`);
}

function annotatedNodes(cluster: ClusterIndex): string[] {
  return [...cluster.nodes.values()]
    .filter(({ annotations }) => annotations[annotation('public-ip')] !== undefined)
    .map(({ name }) => `annotations of node ${name}`);
}

class FlannelNetwork implements CniNetwork {
  readonly plugin = 'flannel';
  readonly podRoutesInUnderlay: boolean;
  private readonly nodes: ReadonlyMap<string, FlannelNode>;
  private readonly owners: PrefixMap<FlannelNode>;
  private readonly conflicts: PrefixConflicts;

  constructor(
    private readonly cluster: ClusterIndex,
    private readonly config: FlannelConfig,
  ) {
    this.podRoutesInUnderlay = config.backend === 'alloc';
    const all = [...cluster.nodes.values()].map((node) => flannelNode(node, config));
    // A node that flannel has not reached yet, or never will (virtual ones), has a network that nobody routes.
    const annotated = all.filter((node) => node.annotated);
    this.nodes = new Map((annotated.length === 0 ? all : annotated).map((node) => [node.name, node]));
    const prefixes = all.flatMap((node) => node.object.podCidrs.map((cidr) => [cidr, node] as const));
    this.owners = new PrefixMap(prefixes);
    this.conflicts = new PrefixConflicts(podCidrsOf(prefixes));
  }

  routeFinding(ns: NetNamespace, dst: Ip): Finding | undefined {
    const owner = this.owners.lookup(dst)?.value;
    if (owner === undefined) return undefined;
    if (owner.name === ns.place.name)
      return this.hasLocalPod(ns, dst)
        ? ownRouteFinding(ns, { cluster: this.cluster, config: this.config }, owner, dst)
        : undefined;
    const promise = this.remotePromise(ns, owner, dst);
    return promise === undefined ? undefined : routeProblem(ns, promise, dst);
  }

  intendedRoute(ns: NetNamespace, dst: Ip): IntendedRoute | undefined {
    const owner = this.owners.lookup(dst)?.value;
    if (owner === undefined) return undefined;
    if (owner.name !== ns.place.name) {
      const promise = this.remotePromise(ns, owner, dst);
      return promise === undefined ? undefined : asRoute(ns, promise);
    }
    const { bridge } = this.config;
    const dev = bridge === undefined ? hostEndOf(this.cluster, ns, dst) : ns.link(bridge)?.name;
    return dev === undefined ? undefined : { dev };
  }

  private remotePromise(ns: NetNamespace, owner: FlannelNode, dst: Ip): RoutePromise | undefined {
    if (!this.nodes.has(owner.name)) return undefined;
    return remotePromise(ns, this.nodes.get(ns.place.name), owner, this.config, dst);
  }

  intendedNextHop(node: string, dst: Ip): IntendedNextHop | undefined {
    return intendedHop(this.cluster, (ip) => this.owners.lookup(ip)?.value.name, node, dst);
  }

  /** flanneld --ip-masq; with backend alloc without it the network outside delivers to pods. */
  masquerades(pod: Ip): boolean | undefined {
    const { ipMasq } = this.config;
    if (this.owners.lookup(pod) === undefined) return undefined;
    return ipMasq?.isOn ?? (this.podRoutesInUnderlay ? false : undefined);
  }

  inspectNode(ns: NetNamespace, namespaces: NodeNamespaces): readonly Finding[] {
    const own = this.nodes.get(ns.place.name);
    if (own === undefined) return [];
    const { cluster, config, nodes } = this;
    return uniqueFindings([
      ...inspectFlannelNode(ns, own, { cluster, config, nodes }, namespaces),
      ...this.conflicts.of(own.name, ns.place),
    ]);
  }

  inspectPod(pod: NetNamespace, node: NetNamespace | undefined): readonly Finding[] {
    const object = this.cluster.pods.get(`${pod.place.namespace ?? ''}/${pod.place.name}`);
    if (object === undefined || object.hostNetwork || object.phase !== 'Running') return [];
    return podFindings(pod, node, this.podPromise(object, node));
  }

  private podPromise(pod: PodObject, node: NetNamespace | undefined): PodPromise {
    const { bridge, hairpin, portIsolation } = this.config;
    const own = this.nodes.get(pod.node ?? '');
    // Without br_netfilter the packet is routed, and the bridge does not reflect anything.
    const reflects = hairpin && node?.sysctl('net.bridge.bridge-nf-call-iptables') === '1';
    return {
      pod,
      otherOwner: podOwner(this.cluster),
      ...(bridge === undefined
        ? { prefixLength: 32, proxyArp: true }
        : { bridge, hairpin: reflects, portIsolation, prefixLength: own?.cidr4?.length }),
      ...this.carrier(own, node),
    };
  }

  private carrier(own: FlannelNode | undefined, node: NetNamespace | undefined): Pick<PodPromise, 'carrier'> {
    if (own === undefined || node === undefined) return {};
    const tunnel = own.backend === 'vxlan';
    const plain = own.backend === 'host-gw' || own.backend === 'alloc';
    const link = tunnel
      ? vxlanLink(node, vtepName(this.config, 4))
      : plain
        ? uplinkOf(node, uplinkAddresses(own))?.link
        : undefined;
    return link === undefined ? {} : { carrier: { ns: node, link, tunnel, bytes: link.mtu } };
  }

  /** Whether the address is one of a pod here. The bridge comes with the first pod: before that there is nothing to route to. */
  private hasLocalPod(ns: NetNamespace, dst: Ip): boolean {
    const { bridge } = this.config;
    // The addresses of the bridge and of the VXLAN device are the node's, though of the pods' network.
    if (ns.owns(dst) !== undefined && this.cluster.podsAt(dst).length === 0) return false;
    if (bridge !== undefined && ns.link(bridge) !== undefined) return true;
    return this.cluster.podsAt(dst).some(({ node }) => node === ns.place.name);
  }
}
