import type { ClusterIndex, NodeObject } from '#libs/cluster';
import {
  asRoute,
  hostEndOf,
  intendedHop,
  podFindings,
  podOwner,
  podCidrsOf,
  PrefixConflicts,
  PrefixMap,
  routeProblem,
  uniqueFindings,
  uplinkOf,
  type RoutePromise,
} from '#libs/cni/checks';
import type { Cidr, Ip } from '#libs/model';
import type { NetNamespace } from '#libs/netstack';
import type {
  CniNetwork,
  CniPlugin,
  Finding,
  IntendedNextHop,
  IntendedRoute,
  NodeNamespaces,
} from '#libs/provider-kit';
import { routedKind, type RoutedKind } from './routed-kind.js';
import { inspectRoutedNode, ownRouteFinding, podBridge, remotePromise } from './routed-node.js';

/** Nodes with a pod network each and plain routes between them. */
export const routed: CniPlugin = {
  name: 'routed',
  detect: (cluster) => {
    const kind = routedKind(cluster);
    return { detected: kind !== undefined, reasons: kind?.reasons ?? [] };
  },
  // By override it is taken for what the name says, whatever runs there.
  forCluster: (cluster) =>
    new RoutedNetwork(cluster, routedKind(cluster) ?? { agent: 'host-local', inUnderlay: false, reasons: [] }),
};

class RoutedNetwork implements CniNetwork {
  readonly plugin = 'routed';
  readonly podRoutesInUnderlay: boolean;
  private readonly owners: PrefixMap<NodeObject>;
  private readonly conflicts: PrefixConflicts;

  constructor(
    private readonly cluster: ClusterIndex,
    private readonly kind: RoutedKind,
  ) {
    this.podRoutesInUnderlay = kind.inUnderlay;
    const prefixes = [...cluster.nodes.values()].flatMap((node) => node.podCidrs.map((cidr) => [cidr, node] as const));
    this.owners = new PrefixMap(prefixes);
    this.conflicts = new PrefixConflicts(podCidrsOf(prefixes));
  }

  routeFinding(ns: NetNamespace, dst: Ip): Finding | undefined {
    const found = this.owners.lookup(dst);
    if (found === undefined) return undefined;
    const { cidr, value: owner } = found;
    if (owner.name !== ns.place.name) {
      const promise = this.remotePromise(ns, owner, cidr);
      return promise === undefined ? undefined : routeProblem(ns, promise, dst);
    }
    const isHere = this.cluster.podsAt(dst).some(({ node }) => node === owner.name);
    return isHere
      ? ownRouteFinding(ns, { cluster: this.cluster, kind: this.kind }, { own: owner, cidr }, dst)
      : undefined;
  }

  intendedRoute(ns: NetNamespace, dst: Ip): IntendedRoute | undefined {
    const found = this.owners.lookup(dst);
    if (found === undefined) return undefined;
    const { cidr, value: owner } = found;
    if (owner.name !== ns.place.name) {
      const promise = this.remotePromise(ns, owner, cidr);
      return promise === undefined ? undefined : asRoute(ns, promise);
    }
    const dev = podBridge(ns, owner)?.name ?? hostEndOf(this.cluster, ns, dst);
    return dev === undefined ? undefined : { dev };
  }

  private remotePromise(ns: NetNamespace, other: NodeObject, cidr: Cidr): RoutePromise | undefined {
    return remotePromise(ns, { own: this.cluster.nodes.get(ns.place.name), other }, cidr, this.kind);
  }

  intendedNextHop(node: string, dst: Ip): IntendedNextHop | undefined {
    return intendedHop(this.cluster, (ip) => this.owners.lookup(ip)?.value.name, node, dst);
  }

  /** kindnetd does, for what is no pod's; of the others only those whose pods the network outside routes are known not to. */
  masquerades(_pod: Ip, dst: Ip): boolean | undefined {
    if (this.kind.agent === 'kindnet') return this.owners.lookup(dst) === undefined;
    return this.podRoutesInUnderlay ? false : undefined;
  }

  inspectNode(ns: NetNamespace, namespaces: NodeNamespaces): readonly Finding[] {
    const { cluster, kind } = this;
    const own = cluster.nodes.get(ns.place.name);
    if (own === undefined) return [];
    return uniqueFindings([
      ...inspectRoutedNode(ns, own, { cluster, kind, namespaces }),
      ...this.conflicts.of(own.name, ns.place),
    ]);
  }

  inspectPod(pod: NetNamespace, node: NetNamespace | undefined): readonly Finding[] {
    const object = this.cluster.pods.get(`${pod.place.namespace ?? ''}/${pod.place.name}`);
    if (object === undefined || object.hostNetwork || object.phase !== 'Running') return [];
    const own = this.cluster.nodes.get(object.node ?? '');
    const bridge = node === undefined ? undefined : podBridge(node, own)?.name;
    const uplink = node === undefined || own === undefined ? undefined : uplinkOf(node, own.internalIps)?.link;
    return podFindings(pod, node, {
      pod: object,
      otherOwner: podOwner(this.cluster),
      prefixLength: own?.podCidrs.find(({ net }) => typeof net === 'number')?.length,
      checkRoute: this.kind.agent !== 'cilium',
      ...(bridge === undefined ? {} : { bridge }),
      ...(node === undefined || uplink === undefined
        ? {}
        : { carrier: { ns: node, link: uplink, tunnel: false, bytes: uplink.mtu } }),
    });
  }
}
